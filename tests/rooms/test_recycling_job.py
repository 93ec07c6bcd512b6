"""The nightly job: who loses what, who is warned, who waits; each once, with its reasons in the public ledger."""

from __future__ import annotations

import json
from datetime import date, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from uuid import UUID

import pytest_asyncio

from saas.customers import RECYCLE_WARNED, PoolChange, RecycleWarning, configure_pool
from saas.customers.errors import CooldownRunning
from saas.events import Event
from saas.identity import Recipient
from saas.jobs import MailFolder
from saas.kernel import Actor, Catalogue, new_id
from tests.staging import ZONE, Company, refused

OWNED = "SELECT status, owner_id, due_on, received_on FROM customer WHERE id = $1"
LEDGER = "SELECT kind, employee_id, former_owner_id, operator_id, rule, happened_on FROM pool_event ORDER BY id"
TODAY = date(2026, 11, 23)
DUE = timedelta(days=31)


@pytest_asyncio.fixture(loop_scope="session")
async def rep(company: Company) -> Actor:
    return await company.hire("0002")


async def deliver(company: Company) -> None:
    """As the worker would: every warning reaches its owner."""
    await company.run("UPDATE pool_notice SET delivered_at = $1", company.clock.now())


async def test_a_customer_is_warned_of_thrice_and_goes_on_its_day(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光", keeper=rep)
    done = {}
    company.clock.advance(timedelta(days=22))
    for number in range(22, 33):
        report = await company.recycle()
        done[number] = (report.warned, report.postponed, report.recycled)
        await deliver(company)
        company.clock.advance(timedelta(days=1))
    warned, nothing = (1, 0, 0), (0, 0, 0)
    assert done == {
        22: nothing,
        23: warned,
        24: nothing,
        25: nothing,
        26: nothing,
        27: warned,
        28: nothing,
        29: warned,
        30: nothing,
        31: (0, 0, 1),
        32: nothing,
    }
    assert await company.rows(OWNED, customer_id) == [("pooled", None, None, None)]
    assert await company.rows("SELECT days, rule, due_on, noticed_on FROM pool_notice ORDER BY noticed_on") == [
        (7, "no_follow_up", TODAY + DUE, TODAY + timedelta(days=23)),
        (3, "no_follow_up", TODAY + DUE, TODAY + timedelta(days=27)),
        (1, "no_follow_up", TODAY + DUE, TODAY + timedelta(days=29)),
    ]
    assert (await company.rows(LEDGER))[-1] == (
        "recycled",
        None,
        rep.employee_id,
        None,
        "no_follow_up",
        TODAY + DUE,
    )
    assert await company.rows("SELECT end_kind, ended_on, reason FROM ownership") == [
        ("recycle", TODAY + DUE, "no_follow_up")
    ]
    assert await company.value("SELECT count(*) FROM audit_entry WHERE action = 'customer.recycled'") == 1
    told = f'{{"rule": "no_follow_up", "owner_id": "{rep.employee_id}", "customer_id": "{customer_id}"}}'
    assert await company.rows("SELECT payload::text FROM outbox WHERE topic = 'customers.customer_recycled'") == [
        (told,)
    ]


async def test_the_ledger_explains_each_recycling(company: Company, rep: Actor) -> None:
    await company.enter("晨光", keeper=rep)
    await company.run("UPDATE customer_pool SET settings = settings || '{\"reminder_days\": []}'")
    company.clock.advance(DUE)
    await company.recycle()
    told = json.loads(str(await company.value("SELECT explanation::text FROM pool_event WHERE kind = 'recycled'")))
    assert (told["key"], told["args"]["due_on"]) == ("customers.recycle_today", "2026-12-24")
    assert [part["key"] for part in told["parts"]] == [
        "customers.recycle_rule_no_follow_up",
        "customers.recycle_rule_no_deal",
    ]


async def test_on_the_last_day_the_customer_is_still_owned(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光", keeper=rep)
    company.clock.advance(DUE - timedelta(days=1))
    company.clock.advance(timedelta(hours=13, minutes=59))
    await company.recycle()
    await deliver(company)
    assert (await company.rows(OWNED, customer_id))[0][1] == rep.employee_id
    company.clock.advance(timedelta(minutes=1))
    await company.recycle()
    assert (await company.rows(OWNED, customer_id))[0][1] is None


async def test_without_a_delivered_reminder_recycling_waits_three_days_at_most(company: Company, rep: Actor) -> None:
    """3.4."""
    customer_id = await company.enter("晨光", keeper=rep)
    company.clock.advance(DUE)
    done = []
    for _ in range(4):
        report = await company.recycle()
        again = await company.recycle()
        done.append((report.postponed, report.warned, report.recycled))
        assert (again.postponed, again.warned, again.recycled) == (0, 0, 0)
        company.clock.advance(timedelta(days=1))
    assert done == [(1, 1, 0), (1, 0, 0), (1, 0, 0), (0, 0, 1)]
    assert await company.value("SELECT count(*) FROM pool_notice WHERE kind = 'postponed'") == 3
    assert await company.rows("SELECT kind FROM pool_event WHERE kind <> 'claimed' ORDER BY id") == [
        ("postponed",),
        ("warned",),
        ("postponed",),
        ("postponed",),
        ("recycled",),
    ]
    assert (await company.rows(OWNED, customer_id))[0][0] == "pooled"


async def test_a_postponed_customer_goes_once_its_reminder_was_delivered(company: Company, rep: Actor) -> None:
    await company.enter("晨光", keeper=rep)
    company.clock.advance(DUE)
    await company.recycle()
    await deliver(company)
    company.clock.advance(timedelta(days=1))
    report = await company.recycle()
    assert (report.postponed, report.recycled) == (0, 1)


async def test_a_follow_up_saves_the_customer(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光", keeper=rep)
    company.clock.advance(DUE)
    await company.follow_up(rep, customer_id, "上门拜访")
    report = await company.recycle()
    assert (report.recycled, report.postponed, report.warned) == (0, 0, 0)
    assert (await company.rows(OWNED, customer_id))[0][2] == TODAY + 2 * DUE


async def test_recycling_begins_the_cooldown_of_its_former_owner(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光", keeper=rep)
    await company.run("UPDATE customer_pool SET settings = settings || '{\"reminder_days\": []}'")
    company.clock.advance(DUE)
    await company.recycle()
    other = await company.hire("0003")
    refusal = await refused(company.claim(rep, customer_id))
    assert isinstance(refusal, CooldownRunning)
    assert refusal.values == {"pool": "公海", "days": 7, "free_from": "2027-01-01"}
    await company.claim(other, customer_id)


async def test_a_rehearsal_tells_what_would_go_and_writes_nothing(company: Company, rep: Actor) -> None:
    going = await company.enter("甲", keeper=rep)
    company.clock.advance(timedelta(days=24))
    await company.enter("乙", keeper=rep)
    company.clock.advance(DUE - timedelta(days=24))
    before = await company.everything()
    found = [each async for each in company.recycling().foresee()]
    assert [(each.customer.customer_id, each.verdict.action.value) for each in found] == [(going, "postpone")]
    assert await company.everything() == before


async def test_a_run_is_wanted_once_a_day_after_two_in_the_morning(company: Company) -> None:
    company.clock.advance(timedelta(hours=15, minutes=59))  # 01:59 in Shanghai
    assert await company.recycling().run_wanted() is None
    company.clock.advance(timedelta(minutes=1))
    assert await company.recycling().run_wanted() is not None
    assert await company.recycling().run_wanted() is None
    company.clock.advance(timedelta(days=1))
    assert await company.recycling().run_wanted() is not None


async def test_settings_of_a_later_day_begin_in_that_days_run(company: Company) -> None:
    await company.within(
        lambda: configure_pool(
            company.founder,
            pool_id=company.pool_id,
            change=PoolChange(settings={"claim_limit": 1}, valid_from=TODAY + timedelta(days=2)),
            expected_version=1,
            time_zone=ZONE,
            clock=company.clock,
        )
    )
    limits = []
    for _ in range(3):
        await company.recycle()
        limits.append(await company.value("SELECT claim_limit FROM customer_pool"))
        company.clock.advance(timedelta(days=1))
    assert limits == [10, 10, 1]


async def test_warnings_are_mailed_to_the_owner_and_the_supervisor(
    company: Company, rep: Actor, tmp_path: Path
) -> None:
    await company.enter("晨光", keeper=rep)
    company.clock.advance(DUE - timedelta(days=8))
    await company.recycle()
    notice_id = await company.value("SELECT id FROM pool_notice")
    asked: list[UUID] = []
    owner: list[Recipient | None] = [None]

    async def recipients(owner_id: UUID) -> tuple[Recipient | None, list[Recipient]]:
        asked.append(owner_id)
        return owner[0], [Recipient("boss@chenguang.cn", "韩梅梅", "zh-CN")]

    warning = RecycleWarning(
        MailFolder(tmp_path), recipients=recipients, catalogue=Catalogue.of(["saas.jobs"]), clock=company.clock
    )
    event = Event(new_id(), company.tenant_id, RECYCLE_WARNED, {"notice_id": str(notice_id)}, company.clock.now(), 1)
    await company.within(lambda: warning(event))
    assert await company.value("SELECT delivered_at FROM pool_notice") is None
    owner[0] = Recipient("li@chenguang.cn", "李雷", "en")
    for _ in range(2):
        await company.within(lambda: warning(event))
    assert await company.value("SELECT delivered_at FROM pool_notice") == company.clock.now()
    assert asked == [rep.employee_id, rep.employee_id]
    mails = mails_in(tmp_path)
    assert sorted(mail["To"] for mail in mails) == ["李雷 <li@chenguang.cn>", "韩梅梅 <boss@chenguang.cn>"]
    assert sorted(mail["Subject"] for mail in mails) == [
        "“晨光” goes back to the pool on 2026-12-24",
        "“晨光”将于 2026-12-24 回收至公海",
    ]


def mails_in(folder: Path) -> list[EmailMessage]:
    files = sorted(folder.glob("*.eml"))
    return [message_from_bytes(each.read_bytes(), policy=SMTP) for each in files]
