"""Protections by reps at whose end the customer goes back to the pool (P16), in the database."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest_asyncio

from saas.access import AccessTable
from saas.customers import Marking, MarkKind, transfer_customer
from saas.customers.errors import MarkSpent
from saas.kernel import Actor
from saas.sales import find_activity
from tests.staging import ALL, ZONE, Company, refused

TODAY = date(2026, 11, 23)
DUE = "SELECT due_on, due_rule FROM customer WHERE id = $1"
REP = AccessTable("rep", scopes={"Customer": frozenset({"self", "pool"}), "HoldingMark": frozenset({"self"})})
LINES = "SELECT kind, rule, explanation -> 'parts' -> 2 ->> 'key' FROM pool_event WHERE rule IS NOT NULL ORDER BY id"
DELIVERED = "UPDATE pool_notice SET delivered_at = noticed_at"
BY_PROTECTION = "customers.recycle_rule_protection_ended"


def on(day: int) -> date:
    return TODAY + timedelta(days=day)


@pytest_asyncio.fixture(loop_scope="session")
async def rep(company: Company) -> Actor:
    return await company.hire("0002")


async def protect(company: Company, actor: Actor, customer_id: UUID, days: int, kind: str = "protection") -> UUID:
    marking = Marking(actor, REP, find_activity, ZONE, company.clock)
    return await company.within(
        lambda: marking.mark(customer_id=customer_id, kind=MarkKind(kind), days=days, reason="年度招标")
    )


async def give_up(company: Company, actor: Actor, mark_id: UUID) -> None:
    marking = Marking(actor, REP, find_activity, ZONE, company.clock)
    await company.within(lambda: marking.end(mark_id=mark_id, reason="已签约"))


async def test_it_goes_on_the_day_after_warned_and_told_by_its_own_rule(company: Company, rep: Actor) -> None:
    await company.configure(rep_protection_end="recycle", grace_days=1)
    customer_id = await company.enter("晨光", keeper=rep)
    await protect(company, rep, customer_id, 10)
    assert await company.rows(DUE, customer_id) == [(on(11), "protection_ended")]
    company.clock.advance(timedelta(days=9))
    await company.follow_up(rep, customer_id, "上门拜访")
    assert await company.rows(DUE, customer_id) == [(on(11), "protection_ended")]
    assert (await company.recycle()).warned == 1
    await company.run(DELIVERED)
    company.clock.advance(timedelta(days=1))
    assert (await company.recycle()).recycled == 0
    company.clock.advance(timedelta(days=1))
    assert (await company.recycle()).recycled == 1
    assert await company.rows(LINES) == [
        ("warned", "protection_ended", BY_PROTECTION),
        ("recycled", "protection_ended", BY_PROTECTION),
    ]
    assert await company.value("SELECT reason FROM ownership WHERE ended_on IS NOT NULL") == "protection_ended"


async def test_by_default_the_customer_goes_by_the_other_rules(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光", keeper=rep)
    await protect(company, rep, customer_id, 10)
    assert await company.rows(DUE, customer_id) == [(on(31), "no_follow_up")]


async def test_given_up_early_it_is_forgotten_and_late_its_day_stands(company: Company, rep: Actor) -> None:
    await company.configure(rep_protection_end="recycle", grace_days=1)
    early, late = await company.enter("甲", keeper=rep), await company.enter("乙", keeper=rep)
    marks = [await protect(company, rep, each, 10) for each in (early, late)]
    company.clock.advance(timedelta(days=5))
    await give_up(company, rep, marks[0])
    company.clock.advance(timedelta(days=1))
    await give_up(company, rep, marks[1])
    assert await company.rows(DUE, early) == [(on(31), "no_follow_up")]
    assert await company.rows(DUE, late) == [(on(11), "protection_ended")]


async def test_a_customer_that_a_protection_brings_back_is_not_protected_again(company: Company, rep: Actor) -> None:
    """L14: neither on the day before the job runs, where no cooldown is, nor after giving the first one up late."""
    await company.configure(rep_protection_end="recycle", grace_days=1, cooldown_days=0)
    forgotten, ran_out = await company.enter("甲", keeper=rep), await company.enter("乙", keeper=rep)
    await give_up(company, rep, await protect(company, rep, forgotten, 10))
    await protect(company, rep, ran_out, 1)
    company.clock.advance(timedelta(days=2))
    before = await company.everything()
    refusal = await refused(protect(company, rep, ran_out, 10))
    assert isinstance(refusal, MarkSpent)
    assert refusal.values == {"until": on(1).isoformat()}
    assert await company.everything() == before
    await protect(company, rep, ran_out, 10, "lock")
    await protect(company, rep, forgotten, 10)
    assert await company.rows(DUE, forgotten) == [(on(13), "protection_ended")]


async def test_a_transfer_late_in_it_takes_the_day_along_and_a_release_ends_it(company: Company, rep: Actor) -> None:
    await company.configure(rep_protection_end="recycle", grace_days=1)
    other = await company.hire("0003", name="韩梅")
    assert other.employee_id is not None
    employee_id = other.employee_id
    customer_id = await company.enter("晨光", keeper=rep)
    await protect(company, rep, customer_id, 10)
    company.clock.advance(timedelta(days=8))
    await company.within(
        lambda: transfer_customer(
            company.founder,
            customer_id=customer_id,
            employee_id=employee_id,
            reason="交接",
            access=ALL,
            activity=find_activity,
            time_zone=ZONE,
            clock=company.clock,
        )
    )
    assert await company.rows(DUE, customer_id) == [(on(11), "protection_ended")]
    await company.release(other, customer_id)
    company.clock.advance(timedelta(days=8))
    await company.claim(rep, customer_id)
    assert await company.rows(DUE, customer_id) == [(on(47), "no_follow_up")]


async def test_switched_on_while_protections_run_nothing_is_due_before_the_grace(company: Company, rep: Actor) -> None:
    over, runs, locked = [await company.enter(name, keeper=rep) for name in "甲乙丙"]
    await protect(company, rep, over, 2)
    company.clock.advance(timedelta(days=3))
    await protect(company, rep, runs, 2)
    await protect(company, rep, locked, 2)
    await protect(company, rep, locked, 20, "lock")
    await company.configure(rep_protection_end="recycle")
    await company.recycle()
    assert await company.rows(DUE, over) == [(on(31), "no_follow_up")]
    assert await company.rows(DUE, runs) == [(on(10), "protection_ended")]
    assert await company.rows(DUE, locked) == [(on(24), "protection_ended")]
