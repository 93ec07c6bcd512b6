"""Settlements: what is previewed is stored, approved by a second person, closed once, and added to by adjustments."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from saas.incentives import (
    Clawback,
    Rule,
)
from saas.incentives.errors import (
    NeedsSomebodyElse,
    PeriodRefused,
    ResultChanged,
    SettlementNotFound,
    SettlementRefused,
    SettlementStanding,
)
from saas.kernel import Actor, Period, Problem, new_id
from saas.sealing import Place
from tests.rooms.paying import (
    APRIL,
    LADDER,
    MARCH,
    MAY,
    Paying,
    a_plan,
    collected,
    person,
)
from tests.rooms.selling import Sales
from tests.staging import Company, refused


@pytest_asyncio.fixture(loop_scope="session")
async def paying(company: Company) -> Paying:
    return Paying.of(company)


@pytest_asyncio.fixture(loop_scope="session")
async def sales(company: Company) -> Sales:
    return Sales(company, company.founder)


@pytest_asyncio.fixture(loop_scope="session")
async def rep(company: Company) -> Actor:
    return await company.hire("0002")


async def test_a_preview_stores_nothing_and_a_commit_what_was_seen(
    company: Company, paying: Paying, sales: Sales, rep: Actor
) -> None:
    plan_id = await paying.in_force(a_plan())
    deal_id = await collected(company, sales, rep)
    before = await company.everything()
    seen = await paying.calculation(plan_id, MARCH)
    assert (seen.people, seen.lines, seen.adjustments, seen.earned) == (1, 1, 0, None)
    assert (seen.differences.new, seen.differences.changed, seen.differences.gone) == (1, 0, 0)
    assert await company.everything() == before
    stored = await paying.commit(plan_id, MARCH, seen.plan_hash)
    assert await company.rows(
        "SELECT id, period_first, period_until, state, plan_hash, people_count, line_count, adjustment_count,"
        " earned_minor, calculator_account_id, calculator_id, approver_account_id FROM settlement"
    ) == [
        (
            stored.settlement_id,
            date(2026, 3, 1),
            date(2026, 4, 1),
            "calculated",
            seen.plan_hash,
            1,
            1,
            0,
            None,
            company.founder.account_id,
            company.founder.employee_id,
            None,
        )
    ]
    collection_id = await company.value("SELECT id FROM collection")
    assert isinstance(collection_id, UUID)
    key = f"sales/{person(rep.employee_id)}/own/commission/earned/col_{collection_id.hex}/"
    assert await company.rows(
        "SELECT plan_id, version_number, rule, kind, employee_id, deal_id, collection_id, source_key, happened_on,"
        " period_first, base_minor, amount_minor, settlement_id FROM accrual"
    ) == [
        (
            plan_id,
            1,
            "all",
            "earned",
            rep.employee_id,
            deal_id,
            collection_id,
            key,
            date(2026, 3, 10),
            date(2026, 3, 1),
            100000,
            3000,
            stored.settlement_id,
        )
    ]


async def test_a_commit_of_what_has_changed_is_refused(
    company: Company, paying: Paying, sales: Sales, rep: Actor
) -> None:
    plan_id = await paying.in_force(a_plan())
    await collected(company, sales, rep)
    seen = await paying.calculation(plan_id, MARCH)
    draft = await paying.commit(plan_id, MARCH, seen.plan_hash)
    await collected(company, sales, rep, "500.00")
    now = await paying.calculation(plan_id, MARCH)
    lines = await paying.lines()
    other = await paying.commit(plan_id, MARCH, "0" * 64)
    assert (other.state, other.plan_hash, other.people, other.lines) == ("failed", "", 0, 0)
    expected = {"expected": "0" * 64, "actual": now.plan_hash}
    assert other.problems == (Problem("incentives.result_changed", expected),)
    assert await paying.stored(draft.settlement_id) == draft
    assert await paying.lines() == lines
    assert await company.value("SELECT count(*) FROM settlement_part") == 0


async def test_a_draft_is_calculated_again_in_its_place(
    company: Company, paying: Paying, sales: Sales, rep: Actor
) -> None:
    plan_id = await paying.in_force(a_plan())
    deal_id = await collected(company, sales, rep)
    first = await paying.calculated(plan_id, MARCH)
    again = await refused(paying.begin(plan_id, MARCH, first.plan_hash))
    assert (type(again), again.key) == (SettlementStanding, "incentives.calculated_already")
    unnamed = await paying.commit(plan_id, MARCH)
    assert (unnamed.state, unnamed.problems) == ("failed", (Problem("incentives.calculated_already", {}),))
    await sales.refund(deal_id, "400.00", on=date(2026, 3, 20))
    await collected(company, sales, rep, "500.00")
    seen = await paying.calculation(plan_id, MARCH)
    assert (seen.differences.new, seen.differences.changed, seen.differences.gone) == (2, 0, 0)
    second = await paying.commit(plan_id, MARCH, seen.plan_hash)
    assert await company.rows("SELECT id, plan_hash FROM settlement") == [(second.settlement_id, seen.plan_hash)]
    assert [amount for *_, amount in await paying.lines()] == [1500, 3000, -1200]
    assert await company.value("SELECT count(*) FROM settlement_line") == 1


@pytest.mark.parametrize("chunk", [1, 2, 3, 100])
async def test_chunks_change_nothing(company: Company, paying: Paying, sales: Sales, chunk: int) -> None:
    plan_id = await paying.in_force(a_plan(Rule("ladder", "阶梯", LADDER)))
    people = [await company.hire(f"000{number}") for number in range(2, 9)]
    shared = []
    for place, each in enumerate(people):
        shared.append(await collected(company, sales, each, f"{700 + 100 * place}.00", name=f"客户{place}"))
        await collected(company, sales, each, "900.00", on=date(2026, 3, 20))
    await sales.credit(shared[0], (people[0].employee_id, "0.5"), (people[6].employee_id, "0.5"))
    await sales.refund(shared[0], "100.00", on=date(2026, 3, 25))
    whole = await paying.calculation(plan_id, MARCH)
    assert whole.people == 7
    assert whole.earned == whole.payable
    assert await paying.calculation(plan_id, MARCH, chunk=chunk) == whole
    stored = await paying.commit(plan_id, MARCH, whole.plan_hash, chunk=chunk)
    assert (stored.state, stored.plan_hash, stored.people, stored.lines) == (
        "calculated",
        whole.plan_hash,
        7,
        whole.lines,
    )
    assert whole.earned is not None
    assert whole.earned.scaleb(2) == stored.earned == stored.payable


async def test_sums_are_kept_of_five_people_and_hidden_of_four(company: Company, paying: Paying, sales: Sales) -> None:
    plan_id = await paying.in_force(a_plan())
    for number in range(2, 6):
        each = await company.hire(f"000{number}")
        await collected(company, sales, each, name=f"客户{number}")
    four = await paying.calculated(plan_id, MARCH)
    assert (four.people, four.earned, four.payable) == (4, None, None)
    assert await company.rows("SELECT earned_minor, payable_minor FROM settlement") == [(None, None)]
    await collected(company, sales, await company.hire("0006"), name="客户6")
    five = await paying.calculated(plan_id, MARCH)
    assert (five.people, five.earned, five.payable) == (5, 15000, 15000)
    assert await company.rows("SELECT earned_minor, payable_minor FROM settlement") == [(15000, 15000)]


async def test_a_settlement_goes_from_state_to_state_and_is_closed_once(
    company: Company, paying: Paying, sales: Sales, rep: Actor
) -> None:
    plan_id = await paying.in_force(a_plan())
    await collected(company, sales, rep)
    done = await paying.calculated(plan_id, MARCH)
    states = []
    for step in (paying.submit, paying.approve, paying.lock):
        before = await company.everything()
        for other in (paying.submit, paying.approve, paying.lock):
            if other != step:
                refusal = await refused(other(done))
                assert isinstance(refusal, SettlementStanding)
        assert isinstance(await refused(step(replace(done, plan_hash="0" * 64))), ResultChanged)
        assert await company.everything() == before
        await step(done)
        states.append(await company.value("SELECT state FROM settlement"))
    assert states == ["in_review", "approved", "locked"]
    before = await company.everything()
    for attempt in (paying.lock(done), paying.approve(done), paying.discard(done), paying.begin(plan_id, MARCH)):
        refusal = await refused(attempt)
        assert isinstance(refusal, SettlementStanding)
        assert refusal.values == {"state": "locked"}
    assert await company.everything() == before
    told = await company.rows("SELECT topic FROM outbox WHERE topic LIKE 'incentives.settlement%'")
    assert sorted(str(topic) for (topic,) in told) == [
        "incentives.settlement_approved",
        "incentives.settlement_calculated",
        "incentives.settlement_locked",
    ]


async def test_whoever_put_a_plan_in_force_alone_does_not_approve_what_it_pays(
    company: Company, paying: Paying, sales: Sales, rep: Actor
) -> None:
    plan_id = await paying.publish(await paying.save(a_plan()), actor=paying.author)
    await collected(company, sales, rep)
    third = replace(paying.second, account_id=new_id())
    stored = await paying.commit(plan_id, MARCH, actor=third)
    await paying.submit(stored)
    before = await company.everything()
    for actor in (paying.author, replace(paying.author, account_id=new_id())):
        refusal = await refused(paying.approve(stored, actor=actor))
        assert isinstance(refusal, NeedsSomebodyElse)
        assert refusal.key == "incentives.planner_approves"
    assert await company.everything() == before
    await paying.approve(stored)


async def test_whoever_calculated_does_not_approve(company: Company, paying: Paying, sales: Sales, rep: Actor) -> None:
    plan_id = await paying.in_force(a_plan())
    await collected(company, sales, rep)
    done = await paying.calculated(plan_id, MARCH)
    await paying.submit(done)
    before = await company.everything()
    for actor in (paying.author, replace(paying.author, account_id=new_id())):
        assert isinstance(await refused(paying.approve(done, actor=actor)), NeedsSomebodyElse)
    assert await company.everything() == before


async def test_totals_are_checked_to_the_fen(company: Company, paying: Paying, sales: Sales, rep: Actor) -> None:
    plan_id = await paying.in_force(a_plan())
    await collected(company, sales, rep)
    done = await paying.calculated(plan_id, MARCH)
    await paying.submit(done)
    await company.run("UPDATE accrual SET amount_minor = amount_minor + 1")
    refusal = await refused(paying.approve(done))
    assert isinstance(refusal, SettlementRefused)
    assert refusal.values == {"lines": "30.01", "statements": "30.00"}
    assert await company.value("SELECT state FROM settlement") == "in_review"


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE settlement SET state = 'approved'",
        "DELETE FROM settlement",
        "UPDATE accrual SET amount_minor = 1",
        "DELETE FROM accrual",
        "UPDATE accrual SET settlement_id = NULL",
        "UPDATE settlement_line SET line_count = 7",
        "DELETE FROM settlement_line",
    ],
)
async def test_the_database_keeps_what_is_locked(
    company: Company, paying: Paying, sales: Sales, rep: Actor, sql: str
) -> None:
    plan_id = await paying.in_force(a_plan())
    await collected(company, sales, rep)
    await paying.settled(plan_id, MARCH)
    before = await company.everything()
    with pytest.raises(asyncpg.CheckViolationError, match="never changed"):
        await company.run(sql)
    assert await company.everything() == before


async def test_periods_are_settled_in_order_and_when_they_are_over(
    company: Company, paying: Paying, sales: Sales, rep: Actor
) -> None:
    plan_id = await paying.in_force(a_plan())
    await collected(company, sales, rep)

    async def refusal_of(period: Period, plan_hash: str | None = None) -> str:
        asked = paying.begin(plan_id, period, plan_hash) if plan_hash else paying.calculation(plan_id, period)
        refusal = await refused(asked)
        assert isinstance(refusal, PeriodRefused)
        return refusal.key.removeprefix("incentives.")

    november = Period.of_month("2026-11")
    open_period = await paying.calculation(plan_id, november)
    assert open_period.lines == 1
    assert await refusal_of(november, open_period.plan_hash) == "period_not_over"
    assert await refusal_of(Period.of_month("2025-12")) == "period_before_plan"
    april = await paying.calculated(plan_id, APRIL)
    assert april.lines == 1, "March was never settled: its lines are taken by the next settlement"
    assert await refusal_of(MARCH) == "later_period_settled"
    assert await refusal_of(MAY) == "earlier_period_open"
    await paying.submit(april)
    await paying.approve(april)
    standing = await refused(paying.begin(plan_id, APRIL, april.plan_hash))
    assert (type(standing), standing.values) == (SettlementStanding, {"state": "approved"})
    await paying.lock(april)
    assert (await paying.calculated(plan_id, MAY)).lines == 0


async def test_a_draft_can_be_discarded_and_takes_nothing_with_it(
    company: Company, paying: Paying, sales: Sales, rep: Actor
) -> None:
    plan_id = await paying.in_force(a_plan())
    await collected(company, sales, rep)
    done = await paying.calculated(plan_id, MARCH)
    assert (await refused(paying.discard(done, reason=" "))).key == "incentives.reason_wanted"
    await paying.discard(done)
    assert await paying.lines() == []
    assert await company.value("SELECT count(*) FROM settlement") == 0
    assert isinstance(await refused(paying.discard(done)), SettlementNotFound)
    again = await paying.calculated(plan_id, MARCH)
    assert (again.plan_hash, again.lines) == (done.plan_hash, 1)


async def test_late_facts_become_adjustments_and_add_up(
    company: Company, paying: Paying, sales: Sales, rep: Actor
) -> None:
    """However facts arrive, all lines together are what one settlement of everything would have paid."""
    plan_id = await paying.in_force(a_plan(Rule("ladder", "阶梯", LADDER), clawback=Clawback.RECOMPUTE))
    deal_id = await collected(company, sales, rep, "1500.00")  # 30 + 25
    march = await paying.settled(plan_id, MARCH)
    locked = await paying.lines(of=march.settlement_id)
    await collected(company, sales, rep, "1000.00", on=date(2026, 3, 5))  # before it: the ladder was climbed from 0
    april = await paying.settled(plan_id, APRIL)
    assert [(kind, amount) for _, kind, _, amount in await paying.lines(of=april.settlement_id)] == [
        ("adjusted", 3000),  # the earlier receipt: 1,000 × 3 %
        ("adjusted", 3500),  # the later one climbs from 1,000: 1,000 × 5 % + 500 × 8 % = 90, and 55 was paid
    ]
    await sales.credit(deal_id, (rep.employee_id, "0.5"), (company.founder.employee_id, "0.5"))
    may = await paying.settled(plan_id, MAY)
    by_person = await company.rows("SELECT employee_id, sum(amount_minor)::bigint FROM accrual GROUP BY 1 ORDER BY 2")
    # Rep: 1,000 × 3 % + 750 × 5 % = 67.50; founder: 750 × 3 % = 22.50.
    assert by_person == [(company.founder.employee_id, 2250), (rep.employee_id, 6750)]
    assert may.adjustments == 2
    assert await paying.lines(of=march.settlement_id) == locked


async def test_nothing_new_is_found_when_nothing_happened(
    company: Company, paying: Paying, sales: Sales, rep: Actor
) -> None:
    plan_id = await paying.in_force(a_plan())
    deal_id = await collected(company, sales, rep, "100.00")
    await paying.settled(plan_id, MARCH)
    await sales.refund(deal_id, "100.00", on=date(2026, 4, 2))
    await paying.settled(plan_id, APRIL)
    for period in (MAY, Period.of_month("2026-06")):
        empty = await paying.settled(plan_id, period)
        assert (empty.lines, empty.adjustments) == (0, 0)


async def test_a_debt_is_carried_and_recovered(company: Company, paying: Paying, sales: Sales, rep: Actor) -> None:
    plan_id = await paying.in_force(a_plan())
    deal_id = await collected(company, sales, rep, "1000.00")
    await paying.settled(plan_id, MARCH)
    await sales.refund(deal_id, "1000.00", on=date(2026, 4, 2))
    await paying.settled(plan_id, APRIL)
    await collected(company, sales, rep, "1500.00", on=date(2026, 5, 4))
    await paying.settled(plan_id, MAY)
    rows = await company.rows(
        "SELECT l.id, l.brought_sealed, l.payable_sealed, l.carried_sealed FROM settlement_line l"
        " JOIN settlement s ON s.id = l.settlement_id ORDER BY s.period_first"
    )
    names = ("brought_sealed", "payable_sealed", "carried_sealed")
    opened = [
        [
            company.keyring.open(Place("settlement_line", name, row_id), sealed)  # type: ignore[arg-type]
            for name, sealed in zip(names, values, strict=True)
        ]
        for row_id, *values in rows
    ]
    assert opened == [["0", "30.00", "0"], ["0", "0", "-30.00"], ["-30.00", "15.00", "0"]]
