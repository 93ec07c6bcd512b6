"""Mails about requests for claims (P49): to who decides, once while some wait, and to who asked; and their bound."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from uuid import UUID

import pytest_asyncio

from saas.customers import RequestMails
from saas.customers.actions import requests
from saas.customers.errors import RequestsUsedUp
from saas.customers.events import REQUEST_DECIDED, REQUESTS_WAIT
from saas.identity import Recipient
from saas.jobs import MailFolder
from saas.kernel import Actor, Catalogue
from tests.rooms.test_ownership_notices import told
from tests.rooms.test_ownership_requests import ask, decide
from tests.rooms.test_recycling_job import mails_in
from tests.staging import Company, refused


@pytest_asyncio.fixture(loop_scope="session")
async def rep(company: Company) -> Actor:
    await company.configure(claims_need_approval=True)
    return await company.hire("0002")


def mails(folder: Path, barred: list[Collection[UUID]] | None = None) -> RequestMails:
    """The handlers, for two who decide, in two languages."""

    async def deciders(owner_id: UUID, out: Collection[UUID]) -> Sequence[Recipient]:
        if barred is not None:
            barred.append(out)
        return [Recipient("m1@chenguang.cn", "Boss", "en"), Recipient("m2@chenguang.cn", "经理", "zh-CN")]

    async def requester(owner_id: UUID) -> Recipient | None:
        return Recipient("rep@chenguang.cn", "李雷", "en")

    return RequestMails(MailFolder(folder), deciders, requester, Catalogue.of(["saas.jobs"]))


async def test_who_decides_is_told_once_of_all_that_waits_for_a_person(
    company: Company, rep: Actor, tmp_path: Path
) -> None:
    for name in ("甲", "乙", "丙"):
        await ask(company, rep, await company.enter(name))
    events, barred = await told(company, REQUESTS_WAIT), list[Collection[UUID]]()
    assert [event.payload for event in events] == [{"employee_id": str(rep.employee_id)}]
    telling = mails(tmp_path, barred)
    for event in events * 2:
        await company.within(lambda event=event: telling.tell_deciders(event))  # type: ignore[misc]
    english, chinese = sorted(mails_in(tmp_path), key=lambda mail: str(mail["To"]))
    assert english["Subject"] == "3 customers are asked for by 李雷"
    assert "甲（公海）\n乙（公海）\n丙（公海）" in english.get_content().replace("\r\n", "\n")
    assert chinese["Subject"] == "李雷的 3 个客户申请待您审批"
    assert barred == [{rep.employee_id}] * 2


async def test_who_asked_is_told_of_the_decision_and_its_reason(company: Company, rep: Actor, tmp_path: Path) -> None:
    waiting = [await ask(company, rep, await company.enter(name)) for name in ("甲", "乙")]
    await decide(company, company.founder, waiting[0], is_granted=True)
    await decide(company, company.founder, waiting[1], is_granted=False)
    telling = mails(tmp_path)
    for event in await told(company, REQUEST_DECIDED):
        await company.within(lambda event=event: telling.tell_requester(event))  # type: ignore[misc]
    subjects = sorted(str(mail["Subject"]) for mail in mails_in(tmp_path))
    assert subjects == ["Granted: customer “甲”", "Refused: customer “乙”"]
    (event,) = await told(company, REQUESTS_WAIT)
    await company.within(lambda: telling.tell_deciders(event))
    assert len(mails_in(tmp_path)) == 2


async def test_p49_no_more_requests_of_a_person_wait_than_may(company: Company, rep: Actor) -> None:
    assert requests.REQUESTS_MAX == 50
    customers = [await company.enter(f"客户{number}") for number in range(51)]
    waiting = [await ask(company, rep, each) for each in customers[:50]]
    before = await company.everything()
    refusal = await refused(ask(company, rep, customers[50]))
    assert isinstance(refusal, RequestsUsedUp)
    assert (refusal.key, refusal.values) == ("customers.requests_used_up", {"limit": 50, "waiting": 50})
    assert await company.everything() == before
    await decide(company, company.founder, waiting[0], is_granted=False)
    await ask(company, rep, customers[50])
