"""Many at once: one settlement of a period stands, one lock holds, a statement is one run's, a pool approved once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from typing import TypeVar
from uuid import UUID

from saas.incentives import Member, PoolTerms
from saas.incentives.errors import PayrollRefused, PlanExists, PoolRunStanding, SettlementStanding
from saas.kernel import AppError, new_id
from tests.rooms.paying import APRIL, MARCH, Paying, a_plan, collected, d, person
from tests.rooms.selling import Sales
from tests.staging import Company

RIVALS = 20
T = TypeVar("T")


async def race(attempt: Callable[[], Awaitable[T]]) -> tuple[list[T], list[AppError]]:
    """What twenty at once end with."""
    ends = await asyncio.gather(*(attempt() for _ in range(RIVALS)), return_exceptions=True)
    lost = [end for end in ends if isinstance(end, AppError)]
    won = [end for end in ends if not isinstance(end, BaseException)]
    assert len(won) + len(lost) == RIVALS, ends
    return won, lost


async def test_one_of_twenty_settlements_of_a_period_stands(company: Company) -> None:
    paying, sales, rep = Paying.of(company), Sales(company, company.founder), await company.hire("0002")
    plan_id = await paying.in_force(a_plan())
    await collected(company, sales, rep)
    seen = await paying.calculation(plan_id, MARCH)
    won, lost = await race(lambda: paying.begin(plan_id, MARCH, seen.plan_hash))
    assert len(won) == 1
    assert {type(refusal) for refusal in lost} == {SettlementStanding}
    assert await company.rows("SELECT id, state FROM settlement") == [(won[0], "calculating")]
    assert await company.value("SELECT count(*) FROM settlement_part") == 1
    assert await paying.work() == 2
    assert await company.rows("SELECT id, plan_hash FROM settlement") == [(won[0], seen.plan_hash)]
    assert await company.rows("SELECT settlement_id, amount_minor FROM accrual") == [(won[0], 3000)]


async def test_an_event_that_comes_twenty_times_is_worked_off_once(company: Company) -> None:
    """As when a worker loses its lease in the middle: whoever comes later finds the people calculated, or the end."""
    paying, sales, rep = Paying.of(company), Sales(company, company.founder), await company.hire("0002")
    plan_id = await paying.in_force(a_plan())
    await collected(company, sales, rep)
    settlement_id = await paying.begin(plan_id, MARCH)
    event = await paying.next_event()
    assert event is not None
    await asyncio.gather(*(paying.deliver(event) for _ in range(RIVALS)))
    await paying.work()
    done = await paying.stored(settlement_id)
    assert (done.state, done.people, done.lines) == ("calculated", 1, 1)
    assert [amount for *_, amount in await paying.lines()] == [3000]
    told = await company.rows("SELECT count(*) FROM outbox WHERE topic = 'incentives.settlement_calculated'")
    assert told == [(1,)]


async def test_a_settlement_that_is_discarded_while_it_is_calculated_is_gone(company: Company) -> None:
    paying, sales = Paying.of(company), Sales(company, company.founder)
    plan_id = await paying.in_force(a_plan())
    for number in range(2, 6):
        await collected(company, sales, await company.hire(f"000{number}"), name=f"客户{number}")
    settlement_id = await paying.begin(plan_id, MARCH)
    begun = await paying.stored(settlement_id)
    await asyncio.gather(paying.work(chunk=1), paying.discard(begun))
    await paying.work()
    for table in ("settlement", "settlement_part", "settlement_line", "accrual"):
        assert await company.value(f"SELECT count(*) FROM {table}") == 0


async def test_neighbouring_periods_at_once_take_a_line_once(company: Company) -> None:
    paying, sales, rep = Paying.of(company), Sales(company, company.founder), await company.hire("0002")
    plan_id = await paying.in_force(a_plan())
    await collected(company, sales, rep)
    await collected(company, sales, rep, on=date(2026, 4, 2))
    march, april = await paying.calculation(plan_id, MARCH), await paying.calculation(plan_id, APRIL)
    ends = await asyncio.gather(
        paying.begin(plan_id, MARCH, march.plan_hash),
        paying.begin(plan_id, APRIL, april.plan_hash),
        return_exceptions=True,
    )
    await paying.work()
    assert sorted(isinstance(end, AppError) for end in ends) == [False, True]
    assert await company.value("SELECT count(*) FROM settlement") == 1
    keys = await company.rows("SELECT source_key FROM accrual")
    assert len(keys) == len(set(keys))


async def test_a_settlement_is_locked_once(company: Company) -> None:
    paying, sales, rep = Paying.of(company), Sales(company, company.founder), await company.hire("0002")
    plan_id = await paying.in_force(a_plan())
    await collected(company, sales, rep)
    done = await paying.calculated(plan_id, MARCH)
    await paying.submit(done)
    approved, _ = await race(lambda: paying.approve(done))
    locked, refused = await race(lambda: paying.lock(done))
    assert (len(approved), len(locked)) == (1, 1)
    assert {type(refusal) for refusal in refused} == {SettlementStanding}
    told = await company.rows("SELECT count(*) FROM outbox WHERE topic = 'incentives.settlement_locked'")
    assert told == [(1,)]


async def test_discarding_and_calculating_again_end_in_one_draft_or_none(company: Company) -> None:
    paying, sales, rep = Paying.of(company), Sales(company, company.founder), await company.hire("0002")
    plan_id = await paying.in_force(a_plan())
    await collected(company, sales, rep)
    done = await paying.calculated(plan_id, MARCH)
    await collected(company, sales, rep, "500.00")
    seen = await paying.calculation(plan_id, MARCH)
    ends = await asyncio.gather(
        paying.discard(done), paying.begin(plan_id, MARCH, seen.plan_hash), return_exceptions=True
    )
    await paying.work()
    assert [end for end in ends if isinstance(end, BaseException) and not isinstance(end, AppError)] == []
    assert await company.rows("SELECT plan_hash FROM settlement") == [(seen.plan_hash,)]
    assert [amount for *_, amount in await paying.lines()] == [1500, 3000]


async def test_a_statement_is_one_runs(company: Company) -> None:
    paying, sales, rep = Paying.of(company), Sales(company, company.founder), await company.hire("0002")
    plan_id = await paying.in_force(a_plan())
    await collected(company, sales, rep)
    await paying.settled(plan_id, MARCH)
    statement = await company.value("SELECT id FROM settlement_line")
    assert isinstance(statement, UUID)
    taken: list[UUID] = []

    async def take() -> None:
        run = new_id()
        await paying.pay(run, statement)
        taken.append(run)

    won, lost = await race(take)
    assert (len(won), {type(refusal) for refusal in lost}) == (1, {PayrollRefused})
    assert await company.rows("SELECT payroll_run_id FROM settlement_line") == [(taken[0],)]


async def test_a_code_and_a_pool_are_there_once(company: Company) -> None:
    paying, sales, rep = Paying.of(company), Sales(company, company.founder), await company.hire("0002")
    saved, lost = await race(lambda: paying.save(a_plan()))
    assert (len(saved), {type(refusal) for refusal in lost}) == (1, {PlanExists})
    plan_id = await paying.publish(saved[0])
    await collected(company, sales, rep, on=date(2026, 4, 2))
    terms, members = PoolTerms(d("0.1"), d(0)), [Member(person(rep.employee_id), d(1))]
    seen = await paying.pool(plan_id, terms, members)
    stored, others = await race(lambda: paying.pool(plan_id, terms, members, seen.plan_hash))
    assert (len(stored), {type(refusal) for refusal in others}) == (1, {PoolRunStanding})
    approved, late = await race(lambda: paying.approve_pool(stored[0]))
    assert (len(approved), {type(refusal) for refusal in late}) == (1, {PoolRunStanding})
    april = await paying.settled(plan_id, APRIL)
    assert [amount for *_, amount in await paying.lines(of=april.settlement_id)] == [3000, 10000]
