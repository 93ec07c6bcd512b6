"""Mails to who lost customers in a night, to whom one was assigned (P29), and to who will lose by new rules (L28)."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from saas.customers import OwnershipNotices, RuleChangeNotice, assign_customer
from saas.customers.events import CUSTOMER_ASSIGNED, CUSTOMERS_LOST, RECYCLING_CHANGED
from saas.events import Event, EventTopic
from saas.identity import Recipient
from saas.jobs import MailFolder
from saas.kernel import Actor, Catalogue, new_id
from saas.sales import find_activity
from tests.rooms.test_recycling_job import DUE, mails_in
from tests.staging import ALL, ZONE, Company

LOST = "SELECT payload::text FROM outbox WHERE topic = 'customers.customers_lost' ORDER BY id"


def notices(folder: Path, known: dict[UUID, Recipient]) -> OwnershipNotices:
    """The handlers, for people with these addresses."""

    async def recipient(owner_id: UUID) -> Recipient | None:
        return known.get(owner_id)

    return OwnershipNotices(MailFolder(folder), recipient=recipient, catalogue=Catalogue.of(["saas.jobs"]))


def known(*people: Actor) -> dict[UUID, Recipient]:
    """People who read English, then Chinese."""
    locales = ("en", "zh-CN")
    return {
        each.employee_id: Recipient(f"{number}@chenguang.cn", f"李雷{number}", locales[number % 2])
        for number, each in enumerate(people)
        if each.employee_id is not None
    }


async def told(company: Company, topic: EventTopic) -> list[Event]:
    """The events of a topic, as the worker would deliver them."""
    rows = await company.rows("SELECT id, payload::text FROM outbox WHERE topic = $1 ORDER BY id", topic)
    return [
        Event(event_id, company.tenant_id, topic, json.loads(str(payload)), company.clock.now(), 1)
        for event_id, payload in rows
        if isinstance(event_id, UUID)
    ]


async def night(company: Company, **settings: bool) -> tuple[Actor, Actor]:
    """Two people lose three customers and one."""
    await company.configure(reminder_days=(), **settings)
    one, two = await company.hire("0002"), await company.hire("0003")
    for name, keeper in (("乙", one), ("甲", one), ("丙", one), ("丁", two)):
        await company.enter(name, keeper=keeper)
    company.clock.advance(DUE)
    assert (await company.recycle()).recycled == 4
    return one, two


async def test_one_mail_tells_all_that_a_night_took(company: Company, tmp_path: Path) -> None:
    one, two = await night(company)
    telling, events = notices(tmp_path, known(one, two)), await told(company, CUSTOMERS_LOST)
    assert Counter(str(event.payload["owner_id"]) for event in events) == {
        str(one.employee_id): 1,
        str(two.employee_id): 1,
    }
    for event in events * 2:
        await company.within(lambda event=event: telling.tell_lost(event))  # type: ignore[misc]
    english, chinese = sorted(mails_in(tmp_path), key=lambda mail: str(mail["To"]))
    assert english["Subject"] == "3 of your customers went back to the pool “公海”"
    assert "on 2026-12-24 these" in english.get_content()
    assert "\n丙\n甲\n乙\n" in english.get_content().replace("\r\n", "\n")
    assert chinese["Subject"] == "您的 1 个客户已回收至公海“公海”"


async def test_who_was_told_is_not_told_again(company: Company) -> None:
    await night(company)
    company.clock.advance(timedelta(seconds=1))
    assert (await company.recycle()).recycled == 0
    assert len(await company.rows(LOST)) == 2


async def test_who_has_no_account_gets_no_mail(company: Company, tmp_path: Path) -> None:
    await night(company)
    telling = notices(tmp_path, {})
    for event in await told(company, CUSTOMERS_LOST):
        await company.within(lambda event=event: telling.tell_lost(event))  # type: ignore[misc]
    assert mails_in(tmp_path) == []


async def test_a_pool_may_tell_nobody_of_the_night(company: Company) -> None:
    await night(company, notify_former_owner=False)
    assert await company.rows(LOST) == []


@pytest.mark.parametrize("is_told", [True, False])
async def test_a_mail_tells_of_an_assignment(company: Company, tmp_path: Path, is_told: bool) -> None:
    await company.configure(notify_new_owner=is_told)
    rep, customer_id = await company.hire("0002"), await company.enter("晨光")
    await company.within(
        lambda: assign_customer(
            company.founder,
            customer_id=customer_id,
            employee_id=rep.employee_id or new_id(),
            reason="分配",
            access=ALL,
            time_zone=ZONE,
            clock=company.clock,
        )
    )
    telling, (event,) = notices(tmp_path, known(rep)), await told(company, CUSTOMER_ASSIGNED)
    await company.within(lambda: telling.tell_assigned(event))
    assert [mail["Subject"] for mail in mails_in(tmp_path)] == ["“晨光” was assigned to you"] * is_told
    await company.release(rep, customer_id)
    late = notices(tmp_path / "late", known(rep))
    await company.within(lambda: late.tell_assigned(event))
    assert mails_in(tmp_path / "late") == []


async def two_owners(company: Company) -> tuple[Actor, Actor]:
    """One who did nothing for two customers in 20 days, and one who received a customer today."""
    idle, fresh = await company.hire("0002"), await company.hire("0003")
    for name in ("甲", "乙"):
        await company.enter(name, keeper=idle)
    company.clock.advance(timedelta(days=20))
    await company.enter("丙", keeper=fresh)
    return idle, fresh


async def test_tightened_rules_are_told_to_those_who_lose_by_them(company: Company, tmp_path: Path) -> None:
    """L28."""
    idle, fresh = await two_owners(company)
    await company.configure(recycle_follow_up_days=15)
    (event,) = await told(company, RECYCLING_CHANGED)
    telling = change_notice(tmp_path, known(idle, fresh))
    for _ in range(2):
        await company.within(lambda: telling.tell(event))
    (mail,) = mails_in(tmp_path)
    assert mail["To"] == "李雷0 <0@chenguang.cn>"
    assert mail["Subject"] == "New rules of the pool “公海” concern 2 of your customers"
    assert "from 2026-12-13 the pool" in mail.get_content()
    assert "nothing before 2026-12-20" in mail.get_content()


@pytest.mark.parametrize("settings", [{"recycle_follow_up_days": 60}, {"dealt_exempt": False}])
async def test_who_loses_nothing_is_told_nothing(
    company: Company, tmp_path: Path, settings: dict[str, int | bool]
) -> None:
    people = await two_owners(company)
    await company.configure(**settings)
    (event,) = await told(company, RECYCLING_CHANGED)
    await company.within(lambda: change_notice(tmp_path, known(*people)).tell(event))
    assert mails_in(tmp_path) == []


async def test_a_change_that_moves_no_due_date_concerns_nobody(company: Company) -> None:
    await company.configure(claim_limit=5)
    assert await told(company, RECYCLING_CHANGED) == []


def change_notice(folder: Path, known: dict[UUID, Recipient]) -> RuleChangeNotice:
    """The handler, for people with these addresses."""

    async def recipient(owner_id: UUID) -> Recipient | None:
        return known.get(owner_id)

    return RuleChangeNotice(MailFolder(folder), recipient, find_activity, Catalogue.of(["saas.jobs"]))
