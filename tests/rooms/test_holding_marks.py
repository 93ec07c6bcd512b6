"""Marks in the database: what they keep, whom they count for, and that none outlives its limits."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from saas.access import AccessTable
from saas.customers import Marking, MarkKind, transfer_customer
from saas.customers.errors import (
    CustomerNotFound,
    MarkClosed,
    MarkCooldown,
    MarkLimitReached,
    MarkNotFound,
    MarkOff,
    MarkRuns,
    NothingToExtend,
    NotTheOwner,
    OwnExtension,
)
from saas.kernel import Actor, AppError, BadUserInput
from saas.sales import find_activity
from tests.staging import ALL, ZONE, Company

TODAY = date(2026, 11, 23)
DUE = TODAY + timedelta(days=31)
MARKS = "SELECT kind, state, days, until_on, ended_on FROM holding_mark ORDER BY id"
DUE_ON = "SELECT due_on FROM customer WHERE id = $1"
LEDGER = """
SELECT kind, reason, employee_id FROM pool_event
WHERE kind IN ('locked', 'protected', 'extended', 'freed') ORDER BY id
"""
REP = AccessTable("rep", scopes={"Customer": frozenset({"self", "pool"}), "HoldingMark": frozenset({"self"})})
BOSS = replace(ALL, scopes={**ALL.scopes, "HoldingMark": frozenset({"all"})})


@pytest_asyncio.fixture(loop_scope="session")
async def rep(company: Company) -> Actor:
    return await company.hire("0002")


def marking(company: Company, actor: Actor, access: AccessTable = REP) -> Marking:
    return Marking(actor, access, find_activity, ZONE, company.clock)


async def mark(
    company: Company, actor: Actor, customer_id: UUID, kind: MarkKind = MarkKind.LOCK, days: int | None = None
) -> UUID:
    return await company.within(
        lambda: marking(company, actor).mark(customer_id=customer_id, kind=kind, days=days, reason="年度招标")
    )


async def end(company: Company, actor: Actor, mark_id: UUID) -> UUID:
    return await company.within(lambda: marking(company, actor).end(mark_id=mark_id, reason="已签约"))


async def decide(company: Company, actor: Actor, mark_id: UUID, *, is_granted: bool = True) -> UUID:
    return await company.within(
        lambda: marking(company, actor, BOSS).decide(mark_id=mark_id, is_granted=is_granted, reason="同意")
    )


async def nothing_written(company: Company) -> bool:
    return not await company.rows(MARKS) and not await company.rows(LEDGER)


async def test_a_locked_customer_is_not_recycled_until_the_lock_ends(company: Company, rep: Actor) -> None:
    await company.run("UPDATE customer_pool SET settings = settings || '{\"reminder_days\": []}'")
    customer_id = await company.enter("晨光", keeper=rep)
    await mark(company, rep, customer_id, days=60)
    assert await company.rows(MARKS) == [("lock", "in_force", 60, TODAY + timedelta(days=60), None)]
    assert await company.value(DUE_ON, customer_id) == TODAY + timedelta(days=61)
    assert await company.rows(LEDGER) == [("locked", "年度招标", rep.employee_id)]
    assert await company.value("SELECT count(*) FROM audit_entry WHERE action = 'holding_mark.set'") == 1
    company.clock.advance(timedelta(days=60))
    assert (await company.recycle()).recycled == 0
    company.clock.advance(timedelta(days=1))
    assert (await company.recycle()).recycled == 1


async def test_a_lock_taken_back_brings_the_old_day_back(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光", keeper=rep)
    mark_id = await mark(company, rep, customer_id)
    assert await company.value(DUE_ON, customer_id) == TODAY + timedelta(days=91)
    await end(company, rep, mark_id)
    assert await company.value(DUE_ON, customer_id) == DUE
    assert await company.rows(MARKS) == [("lock", "ended", 90, TODAY + timedelta(days=90), TODAY)]
    assert [kind for kind, _, _ in await company.rows(LEDGER)] == ["locked", "freed"]
    with pytest.raises(MarkClosed):
        await end(company, rep, mark_id)


async def test_a_renewal_waits_for_the_cooldown(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光", keeper=rep)
    await mark(company, rep, customer_id, days=10)
    with pytest.raises(MarkRuns):
        await mark(company, rep, customer_id)
    company.clock.advance(timedelta(days=17))  # it ended on the tenth day; the seventh after that is today
    with pytest.raises(MarkCooldown) as refused:
        await mark(company, rep, customer_id)
    assert refused.value.values == {"days": 7, "free_from": (TODAY + timedelta(days=18)).isoformat()}
    assert len(await company.rows(MARKS)) == 1
    company.clock.advance(timedelta(days=1))
    await mark(company, rep, customer_id)
    await mark(company, rep, customer_id, MarkKind.PROTECTION)  # another kind has limits of its own
    assert [row[0] for row in await company.rows(MARKS)] == ["lock", "lock", "protection"]


async def test_giving_it_back_and_claiming_it_anew_renews_nothing(company: Company, rep: Actor) -> None:
    await company.configure(cooldown_days=3)
    customer_id = await company.enter("晨光", keeper=rep)
    await mark(company, rep, customer_id, days=20)
    await company.release(rep, customer_id)
    company.clock.advance(timedelta(days=4))
    await company.claim(rep, customer_id)
    assert await company.value(DUE_ON, customer_id) == TODAY + timedelta(days=35)
    with pytest.raises(MarkCooldown):
        await mark(company, rep, customer_id)


async def test_of_twenty_locks_at_once_five_are_set(company: Company, rep: Actor) -> None:
    customers = [await company.enter(f"客户{number}", keeper=rep) for number in range(20)]

    async def lock(customer_id: UUID) -> bool:
        try:
            await mark(company, rep, customer_id)
        except MarkLimitReached:
            return False
        return True

    assert sum(await asyncio.gather(*map(lock, customers))) == 5
    assert await company.value("SELECT count(*) FROM holding_mark WHERE state = 'in_force'") == 5
    assert await company.value("SELECT count(*) FROM pool_event WHERE kind = 'locked'") == 5


async def test_a_lock_that_has_run_out_makes_room(company: Company, rep: Actor) -> None:
    await company.configure(lock_limit=1)
    first, second = await company.enter("甲", keeper=rep), await company.enter("乙", keeper=rep)
    await mark(company, rep, first, days=5)
    company.clock.advance(timedelta(days=5))
    with pytest.raises(MarkLimitReached):
        await mark(company, rep, second)
    company.clock.advance(timedelta(days=1))
    await mark(company, rep, second)


async def test_a_new_owner_has_no_lock(company: Company, rep: Actor) -> None:
    other = await company.hire("0003", name="韩梅")
    customer_id = await company.enter("晨光", keeper=rep)
    await mark(company, rep, customer_id)
    await company.within(
        lambda: transfer_customer(
            company.founder,
            customer_id=customer_id,
            employee_id=other.employee_id or customer_id,
            reason="转岗",
            access=ALL,
            activity=find_activity,
            time_zone=ZONE,
            clock=company.clock,
        )
    )
    assert await company.value(DUE_ON, customer_id) == DUE
    await mark(company, other, customer_id, days=40)
    assert await company.value(DUE_ON, customer_id) == TODAY + timedelta(days=41)


async def test_an_extension_waits_for_another_persons_word(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光", keeper=rep)
    mark_id = await mark(company, rep, customer_id, MarkKind.EXTENSION)
    assert await company.rows(MARKS) == [("extension", "requested", 15, None, None)]
    assert await company.value(DUE_ON, customer_id) == DUE
    with pytest.raises(MarkRuns):
        await mark(company, rep, customer_id, MarkKind.EXTENSION)
    with pytest.raises(OwnExtension):
        await decide(company, rep, mark_id)
    assert not await company.rows(LEDGER)
    await decide(company, company.founder, mark_id)
    assert await company.rows(MARKS) == [("extension", "in_force", 15, DUE + timedelta(days=14), None)]
    assert await company.value(DUE_ON, customer_id) == DUE + timedelta(days=15)
    assert await company.rows(LEDGER) == [("extended", "同意", rep.employee_id)]
    with pytest.raises(MarkClosed):
        await decide(company, company.founder, mark_id)


async def test_a_refused_extension_moves_nothing_and_may_be_asked_for_again(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光", keeper=rep)
    await decide(company, company.founder, await mark(company, rep, customer_id, MarkKind.EXTENSION), is_granted=False)
    assert await company.value(DUE_ON, customer_id) == DUE
    await mark(company, rep, customer_id, MarkKind.EXTENSION)
    assert [row[1] for row in await company.rows(MARKS)] == ["refused", "requested"]


async def test_a_holding_is_extended_as_often_as_the_pool_says(company: Company, rep: Actor) -> None:
    await company.configure(extension_needs_approval=False, extension_times=2, extension_days=10)
    customer_id = await company.enter("晨光", keeper=rep)
    for number in (1, 2):
        await mark(company, rep, customer_id, MarkKind.EXTENSION)
        assert await company.value(DUE_ON, customer_id) == DUE + timedelta(days=10 * number)
        company.clock.advance(timedelta(days=5))
    with pytest.raises(MarkLimitReached):
        await mark(company, rep, customer_id, MarkKind.EXTENSION)


async def test_twenty_decisions_at_once_are_one(company: Company, rep: Actor) -> None:
    mark_id = await mark(company, rep, await company.enter("晨光", keeper=rep), MarkKind.EXTENSION)

    async def grant(number: int) -> bool:
        try:
            await decide(company, company.founder, mark_id, is_granted=number % 2 == 0)
        except MarkClosed:
            return False
        return True

    assert sum(await asyncio.gather(*map(grant, range(20)))) == 1


async def test_an_extension_of_what_has_changed_hands_is_closed(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光", keeper=rep)
    mark_id = await mark(company, rep, customer_id, MarkKind.EXTENSION)
    await company.release(rep, customer_id)
    with pytest.raises(MarkClosed):
        await decide(company, company.founder, mark_id)
    assert [row[1] for row in await company.rows(MARKS)] == ["requested"]


@pytest.mark.parametrize(
    ("settings", "kind", "days", "refusal"),
    [
        ({"lock_limit": 0}, MarkKind.LOCK, None, MarkOff),
        ({"extension_times": 0}, MarkKind.EXTENSION, None, MarkOff),
        ({}, MarkKind.LOCK, 91, BadUserInput),
        ({}, MarkKind.PROTECTION, 0, BadUserInput),
        ({"recycle_follow_up_days": None, "recycle_deal_days": None}, MarkKind.EXTENSION, None, NothingToExtend),
    ],
)
async def test_what_the_pool_does_not_allow(
    company: Company, rep: Actor, settings: dict[str, Any], kind: MarkKind, days: int | None, refusal: type[AppError]
) -> None:
    if settings:
        await company.configure(**settings)
    customer_id = await company.enter("晨光", keeper=rep)
    with pytest.raises(refusal):
        await mark(company, rep, customer_id, kind, days)
    assert await nothing_written(company)


async def test_only_the_owner_marks_and_only_who_sees_it_learns_of_it(company: Company, rep: Actor) -> None:
    other = await company.hire("0003", name="韩梅")
    owned, pooled = await company.enter("甲", keeper=rep), await company.enter("乙")
    with pytest.raises(CustomerNotFound):
        await mark(company, other, owned)
    with pytest.raises(NotTheOwner):
        await mark(company, rep, pooled)
    assert await nothing_written(company)
    mark_id = await mark(company, rep, owned)
    with pytest.raises(MarkNotFound):
        await end(company, other, mark_id)
    with pytest.raises(NotTheOwner):
        await company.within(lambda: marking(company, other, BOSS).end(mark_id=mark_id, reason="越权"))
    assert [row[1] for row in await company.rows(MARKS)] == ["in_force"]


async def test_a_mark_needs_a_reason(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光", keeper=rep)
    with pytest.raises(BadUserInput):
        await company.within(
            lambda: marking(company, rep).mark(customer_id=customer_id, kind=MarkKind.LOCK, days=1, reason="  ")
        )
    assert await nothing_written(company)
