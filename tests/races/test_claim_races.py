"""Claims at once: one customer has one winner, one person's limits hold exactly, nothing is counted twice."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from saas.customers import claim_customers
from saas.customers.errors import ClaimLimitReached, CooldownRunning, CustomerAlreadyOwned, HoldingLimitReached
from saas.kernel import Actor
from tests.staging import REP, ZONE, Company, agreeing

CROWD = 20


async def claims(company: Company) -> dict[str, object]:
    """How often a claim was written, in each place that knows of it."""
    return {
        "owned": await company.value("SELECT count(*) FROM customer WHERE status = 'owned'"),
        "ownerships": await company.value("SELECT count(*) FROM ownership WHERE ended_at IS NULL"),
        "counted": await company.value("SELECT coalesce(sum(claims), 0)::int FROM claim_count"),
        "audited": await company.value("SELECT count(*) FROM audit_entry WHERE action = 'customer.claimed'"),
        "told": await company.value("SELECT count(*) FROM outbox WHERE topic = 'customers.customer_claimed'"),
    }


def each(number: int) -> dict[str, object]:
    return dict.fromkeys(("owned", "ownerships", "counted", "audited", "told"), number)


async def test_of_twenty_people_one_gets_the_customer(company: Company) -> None:
    crowd = [await company.hire(f"{number:04}") for number in range(2, 2 + CROWD)]
    customer_id = await company.enter("晨光")
    outcomes = await asyncio.gather(*(company.claim(rep, customer_id) for rep in crowd), return_exceptions=True)
    assert Counter(type(outcome) for outcome in outcomes) == {UUID: 1, CustomerAlreadyOwned: CROWD - 1}
    winner = crowd[[isinstance(outcome, UUID) for outcome in outcomes].index(True)]
    assert await claims(company) == each(1)
    assert await company.rows("SELECT owner_id, version FROM customer") == [(winner.employee_id, 2)]
    assert await company.rows("SELECT employee_id, claims FROM claim_count") == [(winner.employee_id, 1)]


async def test_one_person_gets_no_more_than_the_claim_limit(company: Company) -> None:
    rep = await company.hire("0002")
    customers = [await company.enter(f"客户{number}") for number in range(CROWD)]
    outcomes = await asyncio.gather(*(company.claim(rep, one) for one in customers), return_exceptions=True)
    assert Counter(type(outcome) for outcome in outcomes) == {UUID: 10, ClaimLimitReached: 10}
    assert await claims(company) == each(10)


async def test_one_person_gets_no_more_than_the_holding_limit(company: Company) -> None:
    rep = await company.hire("0002")
    await company.set_rules(holding_limit=7)
    customers = [await company.enter(f"客户{number}") for number in range(CROWD)]
    outcomes = await asyncio.gather(*(company.claim(rep, one) for one in customers), return_exceptions=True)
    assert Counter(type(outcome) for outcome in outcomes) == {UUID: 7, HoldingLimitReached: 13}
    assert await claims(company) == each(7)


async def test_claims_and_own_entries_share_the_holding_limit(company: Company) -> None:
    rep = await company.hire("0002")
    await company.set_rules(holding_limit=6)
    customers = [await company.enter(f"客户{number}") for number in range(10)]
    outcomes = await asyncio.gather(
        *(company.claim(rep, one) for one in customers),
        *(company.enter(f"自有{number}", keeper=rep) for number in range(10)),
        return_exceptions=True,
    )
    assert Counter(type(outcome) for outcome in outcomes) == {UUID: 6, HoldingLimitReached: 14}
    assert await company.value("SELECT count(*) FROM customer WHERE owner_id = $1", rep.employee_id) == 6


async def test_a_release_and_claims_at_once_leave_one_history(company: Company) -> None:
    owner = await company.hire("0002")
    crowd = [await company.hire(f"{number:04}") for number in range(3, 3 + CROWD)]
    customer_id = await company.enter("晨光")
    await company.claim(owner, customer_id)
    outcomes = await asyncio.gather(
        *(company.claim(rep, customer_id) for rep in crowd[:10]),
        company.release(owner, customer_id),
        *(company.claim(rep, customer_id) for rep in crowd[10:]),
        return_exceptions=True,
    )
    kinds = Counter(type(outcome) for outcome in outcomes)
    claimed = kinds[UUID] - 1
    assert claimed in (0, 1)
    assert kinds == Counter({UUID: 1 + claimed, CustomerAlreadyOwned: CROWD - claimed})
    assert await company.rows("SELECT count(*), count(ended_at) FROM ownership") == [(1 + claimed, 1)]
    assert await company.rows("SELECT count(owner_id), sum(version)::int FROM customer") == [(claimed, 3 + claimed)]


async def test_a_claim_and_release_in_between_do_not_escape_the_cooldown(company: Company) -> None:
    """One person claims the same customer from several places and gives it back: at most one claim a cooldown."""
    rep = await company.hire("0002")
    customer_id = await company.enter("晨光")

    async def claim_and_release() -> UUID:
        await company.claim(rep, customer_id)
        return await company.release(rep, customer_id)

    outcomes = await asyncio.gather(*(claim_and_release() for _ in range(CROWD)), return_exceptions=True)
    kinds = Counter(type(outcome) for outcome in outcomes)
    assert kinds[UUID] == 1
    assert kinds[CustomerAlreadyOwned] + kinds[CooldownRunning] == CROWD - 1
    assert await company.value("SELECT count(*) FROM ownership") == 1


@pytest.mark.parametrize("is_mine", [True, False])
async def test_who_comes_too_late_waits_for_nobody(company: Company, is_mine: bool) -> None:
    """A lost claim ends with its first statement, without the claimant's lock, which another claim may hold."""
    rep, other = await company.hire("0002"), await company.hire("0003")
    customer_id = await company.enter("晨光")
    await company.claim(rep if is_mine else other, customer_id)
    async with company.database.transaction(company.tenant_id) as held:
        await held.execute("SELECT FROM employee WHERE id = $1 FOR UPDATE", rep.employee_id)
        async with asyncio.timeout(timedelta(seconds=2).total_seconds()):
            with pytest.raises(CustomerAlreadyOwned):
                await asyncio.create_task(company.claim(rep, customer_id))


async def claim_all(company: Company, rep: Actor, customer_ids: Sequence[UUID]) -> list[UUID]:
    return await company.within(
        lambda: claim_customers(
            rep, customer_ids=customer_ids, access=REP, guard=agreeing, time_zone=ZONE, clock=company.clock
        )
    )


async def test_of_twenty_people_who_want_the_same_five_one_gets_them_all(company: Company) -> None:
    crowd = [await company.hire(f"{number:04}") for number in range(2, 2 + CROWD)]
    customers = [await company.enter(f"客户{number}") for number in range(5)]
    wishes = [random.Random(number).sample(customers, 5) for number in range(CROWD)]
    outcomes = await asyncio.gather(
        *(claim_all(company, rep, wish) for rep, wish in zip(crowd, wishes, strict=True)), return_exceptions=True
    )
    assert Counter(type(outcome) for outcome in outcomes) == {list: 1, CustomerAlreadyOwned: CROWD - 1}
    assert await claims(company) == each(5)
    assert await company.value("SELECT count(DISTINCT owner_id) FROM customer") == 1


async def test_a_batch_above_what_is_left_claims_nothing(company: Company) -> None:
    """L05, P06: 11 of a limit of 10 are refused as a whole, and cost nothing."""
    rep = await company.hire("0002")
    customers = [await company.enter(f"客户{number}") for number in range(11)]
    with pytest.raises(ClaimLimitReached) as refused:
        await claim_all(company, rep, customers)
    assert refused.value.field == ("input", "customers", "10")
    assert await claims(company) == each(0)
    assert await claim_all(company, rep, customers[:10]) == sorted(customers[:10])
    assert await claims(company) == each(10)
