"""Explanations of allocations: from what was stored of a pick, just as the whole roster dealt again would tell."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from saas.customers import (
    MatchPlan,
    Method,
    OnChange,
    Participant,
    PerformancePlan,
    PoolAllocationRule,
    Trait,
    TraitKind,
    explain_allocation,
    set_employee_traits,
)
from saas.customers.actions import tallies
from saas.customers.actions.frozen_rosters import PICKS, restored_roster, roster_about
from saas.customers.allocation import Roster, allocate
from saas.kernel import Actor, Explanation, Period
from tenants import current_tenant_id, current_transaction
from tests.rooms.allocation_stage import MANAGER, employee, give, plan, pooled, staff
from tests.rules.allocation_samples import BUILT_IN
from tests.rules.dealt_again import DealtAgain
from tests.staging import Company

CUSTOMERS, TALLIED = 14, "SELECT place FROM allocation_tally WHERE allocation_id = $1 ORDER BY place"
LEVEL_A = Trait(TraitKind.LEVEL, "A")
OCTOBER = PerformancePlan(Period.of_month("2026-10"))


async def allocated(company: Company, method: Method) -> tuple[UUID, list[UUID]]:
    """Fourteen customers, two of them one company, to five people: one full soon, one away, one in cooldown."""
    people, customers = await staff(company, 5), await pooled(company, CUSTOMERS)
    await company.run("UPDATE customer SET match_key = 'one' WHERE id = ANY ($1)", [customers[3], customers[9]])
    await company.claim(people[3], customers[6])
    await company.release(people[3], customers[6])
    weights = (3, 1, 2, 1, 4)
    asked = [Participant(employee(each), weight=weight) for each, weight in zip(people, weights, strict=True)]
    asked[1], asked[2] = replace(asked[1], most=1), replace(asked[2], is_absent=True)
    if method is Method.RULES:
        vip = PoolAllocationRule("A", levels=("A",), people=(asked[0].employee_id, asked[1].employee_id))
        await company.configure(allocation_rules=(vip, PoolAllocationRule("others", method="level")))
    if method in (Method.MATCH, Method.RULES):
        await company.run("UPDATE customer SET level = 'A' WHERE id = ANY ($1)", customers[7:11])
        await company.within(
            lambda: set_employee_traits(
                company.founder, employee_id=asked[0].employee_id, traits=[LEVEL_A], clock=company.clock
            )
        )
    allocation_id = await plan(
        company,
        method,
        asked,
        plan=OCTOBER if method is Method.PERFORMANCE else None,
        match=MatchPlan((), (TraitKind.LEVEL,), Method.LEVEL, 3) if method is Method.MATCH else None,
    )
    await give(company, allocation_id)
    return allocation_id, customers


async def explained(
    company: Company,
    allocation_id: UUID,
    customer_id: UUID,
    employee_id: UUID | None = None,
    actor: Actor | None = None,
) -> Explanation:
    return await company.within(
        lambda: explain_allocation(
            actor or company.founder,
            allocation_id=allocation_id,
            customer_id=customer_id,
            employee_id=employee_id,
            access=MANAGER,
        )
    )


async def kept_roster(company: Company, allocation_id: UUID) -> Roster:
    """The roster with its customers, to be dealt again."""

    async def read() -> Roster:
        text = await current_transaction().fetchval(
            "SELECT roster::text FROM pool_allocation WHERE id = $1", allocation_id
        )
        picks = await current_transaction().fetch(PICKS, current_tenant_id(), allocation_id)
        return restored_roster(allocation_id, text, picks).roster

    return await company.within(read)


async def assert_told_as_dealt_again(company: Company, allocation_id: UUID, customers: list[UUID]) -> set[str]:
    """Of every customer, and of every person about every customer; the keys of what was told."""
    roster = await kept_roster(company, allocation_id)
    allocation, keys = allocate(roster), set()
    for customer_id in customers:
        again = DealtAgain(roster, allocation, customer_id)
        assert await explained(company, allocation_id, customer_id) == again.why()
        for who in roster.candidates:
            told = await explained(company, allocation_id, customer_id, who.employee_id)
            assert told == again.why_not(who.employee_id)
            keys.add(told.key)
    return keys


@pytest.mark.parametrize("method", BUILT_IN)
async def test_each_method_tells_what_a_whole_deal_would(
    company: Company, monkeypatch: pytest.MonkeyPatch, method: Method
) -> None:
    monkeypatch.setattr(tallies, "EVERY", 4)
    allocation_id, customers = await allocated(company, method)
    assert await company.rows(TALLIED, allocation_id) == [(4,), (8,), (12,)]
    keys = await assert_told_as_dealt_again(company, allocation_id, customers)
    assert {"customers.filtered_absent", "customers.filtered_cooldown", "customers.filtered_threshold"} <= keys
    decided = Method.LEVEL if method in (Method.MATCH, Method.RULES) else method
    assert f"customers.allocated_{decided.value}" in keys


@pytest.mark.parametrize("method", [Method.FLEXIBLE, Method.PERFORMANCE, Method.DRAW])
async def test_what_was_dealt_before_tallies_were_kept_is_told_alike(company: Company, method: Method) -> None:
    allocation_id, customers = await allocated(company, method)
    await company.run("UPDATE pool_allocation SET shares = NULL WHERE id = $1", allocation_id)
    assert await company.rows(TALLIED, allocation_id) == []
    await assert_told_as_dealt_again(company, allocation_id, customers)


@pytest.mark.parametrize("method", [Method.STRICT, Method.DRAW])
async def test_what_was_skipped_counts_as_it_was_dealt_and_other_allocations_do_not(
    company: Company, monkeypatch: pytest.MonkeyPatch, method: Method
) -> None:
    monkeypatch.setattr(tallies, "EVERY", 2)
    people, customers = await staff(company, 3), await pooled(company, 6)
    first = await plan(company, method, people[:2])
    await company.claim(people[2], customers[1])
    given = await give(company, first, on_change=OnChange.SKIP)
    assert (len(given.places), given.skipped) == (5, 1)
    others = await pooled(company, 5, prefix="下一个")
    second = await plan(company, method, people[:2])
    await give(company, second)
    await assert_told_as_dealt_again(company, first, customers)
    await assert_told_as_dealt_again(company, second, others)


async def test_of_cooldowns_only_those_of_the_customers_asked_about_are_read(company: Company) -> None:
    people, customers = await staff(company, 2), await pooled(company, 4)
    for customer_id in customers[:3]:
        await company.claim(people[1], customer_id)
        await company.release(people[1], customer_id)
    allocation_id = await plan(company, Method.FLEXIBLE, people)
    whole = await kept_roster(company, allocation_id)
    assert [len(each.cooldown_customers) for each in whole.candidates] == [0, 3]
    for about in ([customers[0]], [customers[3]], [customers[1], customers[2], customers[3]]):
        found = await company.within(lambda asked=about: roster_about(allocation_id, asked))  # type: ignore[misc]
        kept = [each.cooldown_customers & frozenset(about) for each in whole.candidates]
        people_then = zip(whole.candidates, kept, strict=True)
        narrowed = tuple(replace(each, cooldown_customers=cooling) for each, cooling in people_then)
        assert found == replace(whole, customers=(), candidates=narrowed)
