"""The nightly search for declines in the database: found, warned of, told to recycling, and over again."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import pytest_asyncio

from saas.circulation import DeclineMeasure, PolicyKind, explain_decline
from saas.circulation.errors import DeclineNotFound
from saas.kernel import Actor
from saas.sales import NewDeal
from tenants.schema import OWNER
from tests.conftest import role_url
from tests.rooms.circulating import HR, OWN, decide, find_declines, go_to, wait
from tests.rooms.selling import Sales
from tests.staging import Company, refused

LATER = date(2028, 3, 10)
FOUND = "SELECT measure, state, since_on, found_on, counts_from, closed_on FROM customer_decline ORDER BY found_at, id"
DECLINED = "SELECT declined_on FROM customer WHERE id = $1"
STUCK = """
CREATE FUNCTION refuse_stuck_decline() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.customer_id = '{id}' THEN RAISE EXCEPTION 'no finding for this one'; END IF; RETURN NEW;
END $$;
CREATE TRIGGER refuse_stuck_decline BEFORE INSERT ON customer_decline
    FOR EACH ROW EXECUTE FUNCTION refuse_stuck_decline();
"""
UNSTUCK = "DROP TRIGGER refuse_stuck_decline ON customer_decline; DROP FUNCTION refuse_stuck_decline()"
YEAR = [date(2026, 12, 5), *(date(2027, month, 5) for month in range(1, 12))]
"""A day in each of the twelve months before the last three closed ones."""


@pytest_asyncio.fixture(loop_scope="session")
async def rep(company: Company) -> Actor:
    return await company.hire("0002")


async def falling(company: Company, rep: Actor) -> UUID:
    """A customer with a deal of a thousand a month for a year, then none."""
    return (await all_falling(company, rep, "晨光"))[0]


async def all_falling(company: Company, rep: Actor, *names: str) -> list[UUID]:
    """As `falling`, so many customers."""
    customers = [await company.enter(name, keeper=rep) for name in names]
    go_to(company, LATER)
    rows = [
        NewDeal(each, f"{name}{day}", day, Decimal("1000.00"))
        for name, each in zip(names, customers, strict=True)
        for day in YEAR
    ]
    await Sales(company, company.founder).deals(rows)
    return customers


async def by_deals(company: Company, **wanted: Any) -> None:
    await decide(company, PolicyKind.DECLINE, is_enabled=True, measures=(DeclineMeasure.DEALS,), **wanted)


async def test_a_decline_is_found_once_warned_of_and_told_to_recycling_after_its_notice(
    company: Company, rep: Actor
) -> None:
    customer_id = await falling(company, rep)
    await by_deals(company)
    report = await find_declines(company)
    assert (report.judged, report.found, report.closed, report.failures) == (1, 1, 0, ())
    counts_from = date(2028, 3, 24)
    assert await company.rows(FOUND) == [("deals", "open", date(2028, 3, 1), LATER, counts_from, None)]
    assert await company.rows("SELECT before, after, owner_id, policy_version FROM customer_decline") == [
        (Decimal("100000.000000"), Decimal("0.000000"), rep.employee_id, 1)
    ]
    assert await company.value("SELECT count(*) FROM outbox WHERE topic = 'circulation.declines_found'") == 1
    assert await company.value("SELECT count(*) FROM audit_entry WHERE action = 'customer_decline.found'") == 1
    assert await company.value(DECLINED, customer_id) is None
    again = await find_declines(company)
    assert (again.found, again.closed) == (0, 0)
    wait(company, 13)
    await find_declines(company)
    assert await company.value(DECLINED, customer_id) is None
    wait(company, 1)
    await find_declines(company)
    assert await company.value(DECLINED, customer_id) == counts_from
    assert await company.value("SELECT count(*) FROM outbox WHERE topic = 'circulation.declines_found'") == 1


async def test_a_figure_that_is_back_ends_the_decline(company: Company, rep: Actor) -> None:
    customer_id = await falling(company, rep)
    await by_deals(company, notice_days=1)
    await find_declines(company)
    wait(company, 1)
    await find_declines(company)
    assert await company.value(DECLINED, customer_id) == date(2028, 3, 11)
    await Sales(company, company.founder).deal(customer_id, "新单", "1500.01", signed_on=date(2028, 3, 11))
    await find_declines(company)
    assert await company.value(DECLINED, customer_id) == date(2028, 3, 11)  # March is not over
    go_to(company, date(2028, 4, 1))
    report = await find_declines(company)
    assert (report.found, report.closed) == (0, 1)
    assert await company.value(DECLINED, customer_id) is None
    assert [row[1::4] for row in await company.rows(FOUND)] == [("recovered", date(2028, 4, 1))]


async def test_l23_one_that_fails_holds_up_no_other_and_is_looked_at_again(
    lone_company: Company, superuser_url: str, database_name: str
) -> None:
    company = lone_company
    rep = await company.hire("0002")
    stuck, *others = await all_falling(company, rep, "晨光", "恒信", "长风")
    await by_deals(company)
    owner = await asyncpg.connect(role_url(superuser_url, OWNER, database_name))
    await owner.execute(STUCK.format(id=stuck))
    report = await find_declines(company)
    await owner.execute(UNSTUCK)
    await owner.close()
    assert (report.judged, report.found, report.failed) == (2, 2, 1)
    assert [customer_id for customer_id, _ in report.failures] == [stuck]
    found = "SELECT customer_id FROM customer_decline ORDER BY customer_id"
    assert await company.rows(found) == [(each,) for each in sorted(others)]
    run = "SELECT finished_at IS NULL, failed FROM circulation_run"
    assert await company.rows(run) == [(True, 1)]
    again = await find_declines(company)
    assert (again.found, again.failed) == (1, 0)
    assert await company.rows(run) == [(False, 0)]


async def test_without_an_enabled_policy_nothing_is_judged_and_what_was_open_ends(company: Company, rep: Actor) -> None:
    customer_id = await falling(company, rep)
    assert (await find_declines(company)).judged == 0
    await by_deals(company, notice_days=1)
    await find_declines(company)
    wait(company, 1)
    await find_declines(company)
    await decide(company, PolicyKind.DECLINE, version=1, is_enabled=False)
    report = await find_declines(company)
    assert (report.judged, report.closed) == (0, 1)
    assert await company.value(DECLINED, customer_id) is None
    assert [row[1] for row in await company.rows(FOUND)] == ["ended"]


async def test_a_decline_ends_with_its_holding(company: Company, rep: Actor) -> None:
    """L20: the next owner answers for nothing of it."""
    customer_id = await falling(company, rep)
    await by_deals(company)
    await find_declines(company)
    await company.release(rep, customer_id)
    report = await find_declines(company)
    assert (report.judged, report.closed) == (0, 1)
    other = await company.hire("0003", name="韩梅")
    await company.claim(other, customer_id)
    assert (await find_declines(company)).found == 0
    assert [row[1] for row in await company.rows(FOUND)] == ["ended"]


async def test_an_edit_that_nobody_made_changes_nothing(company: Company, rep: Actor) -> None:
    """A second run of the day, on another node or after a crash."""
    await falling(company, rep)
    await by_deals(company, notice_days=1)
    await find_declines(company)
    before = await company.everything()
    await find_declines(company)
    after = await company.everything()
    assert {name for name in before if before[name] != after[name]} <= {"circulation_run"}


async def test_who_sees_the_customer_reads_why(company: Company, rep: Actor) -> None:
    await falling(company, rep)
    await by_deals(company)
    await find_declines(company)
    decline_id = UUID(str(await company.value("SELECT id FROM customer_decline")))
    told = await company.within(lambda: explain_decline(rep, OWN, decline_id=decline_id))
    assert told.plain() == json.loads(str(await company.value("SELECT explanation::text FROM customer_decline")))
    assert told.parts[0].args["before"] == "1000.00"
    other = await company.hire("0003", name="韩梅")
    refusal = await refused(company.within(lambda: explain_decline(other, OWN, decline_id=decline_id)))
    assert isinstance(refusal, DeclineNotFound)
    await company.within(lambda: explain_decline(company.founder, HR, decline_id=decline_id))


async def test_copied_texts_do_not_bring_a_rhythm_back(company: Company, rep: Actor) -> None:
    """L11."""
    customer_id = await company.enter("晨光", keeper=rep)
    await Sales(company, company.founder).deal(customer_id)
    for number in range(30):
        wait(company, 7)
        await company.follow_up(rep, customer_id, f"第{number}次拜访")
    await decide(
        company, PolicyKind.DECLINE, is_enabled=True, measures=(DeclineMeasure.FOLLOW_UPS,), least_history_months=6
    )
    wait(company, 13)
    assert (await find_declines(company)).found == 0
    await company.follow_up(rep, customer_id, "第29次拜访")
    wait(company, 1)
    assert (await find_declines(company)).found == 1
    await company.follow_up(rep, customer_id, "客户确认续约意向")
    assert (await find_declines(company)).closed == 1


async def test_a_decline_that_lasts_recycles_the_customer_by_the_pools_rule(company: Company, rep: Actor) -> None:
    """L15: a customer with deals is not hoarded without service for ever."""
    customer_id = await falling(company, rep)
    await company.configure(recycle_decline_days=10, reminder_days=())
    await by_deals(company, notice_days=1)
    await find_declines(company)
    wait(company, 1)
    await find_declines(company)
    counts_from = date(2028, 3, 11)
    assert await company.rows("SELECT due_on, due_rule FROM customer WHERE id = $1", customer_id) == [
        (date(2028, 3, 22), "decline")
    ]
    assert await company.value(DECLINED, customer_id) == counts_from
    wait(company, 10)
    await find_declines(company)
    assert (await company.recycle()).recycled == 0
    wait(company, 1)
    assert (await company.recycle()).recycled == 1
    assert await company.rows("SELECT end_kind, reason FROM ownership") == [("recycle", "decline")]
    assert (await find_declines(company)).closed == 1
    assert [row[1] for row in await company.rows(FOUND)] == ["recycled"]
    assert await company.value(DECLINED, customer_id) is None
