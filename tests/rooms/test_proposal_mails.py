"""Mails about proposed changes: to all who may decide but who proposed, and to the latter about the outcome (L28)."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from saas.customers import ProposalMails
from saas.customers.events import SETTINGS_DECIDED, SETTINGS_PROPOSED
from saas.identity import Holder, Recipient
from saas.jobs import MailFolder
from saas.kernel import Actor, Catalogue, new_id
from tests.rooms.test_ownership_notices import told
from tests.rooms.test_pool_proposals import ON, TIGHT, configure, decide, propose, withdraw
from tests.rooms.test_recycling_job import mails_in
from tests.staging import Company


def mails(folder: Path, *people: Actor) -> ProposalMails:
    """The handlers, for people of whom each reads English; an adviser from outside reads Chinese."""
    known = [
        Holder(each.account_id, each.employee_id, Recipient(f"{at}@a.cn", f"P{at}", "en"))
        for at, each in enumerate(people)
    ]
    known.append(Holder(new_id(), None, Recipient("adviser@b.cn", "顾问", "zh-CN")))

    async def holders() -> list[Holder]:
        return known

    async def account(account_id: UUID) -> Recipient | None:
        return next((each.recipient for each in known if each.account_id == account_id), None)

    return ProposalMails(MailFolder(folder), holders, account, Catalogue.of(["saas.jobs"]))


async def test_l28_all_who_may_decide_are_told_but_not_who_proposed(company: Company, tmp_path: Path) -> None:
    partner = await company.hire("0002", name="韩冰")
    second_account = Actor(company.tenant_id, new_id(), company.founder.employee_id, frozenset({"owner"}))
    await propose(company, company.founder, ON | TIGHT, version=1)
    (event,) = await told(company, SETTINGS_PROPOSED)
    telling = mails(tmp_path, company.founder, second_account, partner)
    for _ in range(2):
        await company.within(lambda: telling.tell_proposed(event))
    sent = {str(mail["To"]): mail for mail in mails_in(tmp_path)}
    assert len(mails_in(tmp_path)) == len(sent) == 2
    mail = sent["P2 <2@a.cn>"]
    assert mail["Subject"] == "A change of the pool “公海” waits for a second person"
    text = mail.get_content()
    assert "韩梅梅 proposes a change" in text
    assert "recycleFollowUpDays, tighteningNeedsApproval" in text
    assert "Reason: 清理沉默客户" in text


@pytest.mark.parametrize(
    ("outcome", "subject"),
    [
        ("approved", "Your change of the pool “公海” was approved"),
        ("refused", "Your change of the pool “公海” was refused"),
        ("lapsed", "Your proposal for the pool “公海” has lapsed"),
        ("withdrawn", None),
    ],
)
async def test_who_proposed_is_told_what_became_of_it(
    company: Company, tmp_path: Path, outcome: str, subject: str | None
) -> None:
    partner = await company.hire("0002", name="韩冰")
    proposal_id = await propose(company, company.founder, ON, version=1)
    if outcome == "lapsed":
        await configure(company, {"claim_limit": 3}, version=1)
    elif outcome == "withdrawn":
        await withdraw(company, company.founder, proposal_id)
    else:
        await decide(company, partner, proposal_id, version=1, is_approved=outcome == "approved")
    telling = mails(tmp_path, company.founder, partner)
    for event in await told(company, SETTINGS_DECIDED):
        await company.within(lambda event=event: telling.tell_decided(event))  # type: ignore[misc]
    (event,) = await told(company, SETTINGS_PROPOSED)
    await company.within(lambda: telling.tell_proposed(event))
    sent = mails_in(tmp_path)
    assert [mail["Subject"] for mail in sent] == [subject] * (subject is not None)
    assert [mail["To"] for mail in sent] == ["P0 <0@a.cn>"] * (subject is not None)
