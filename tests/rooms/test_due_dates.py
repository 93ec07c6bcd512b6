"""The day on which a customer goes back: stored with each change of owner, moved by what counts and nothing else."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from saas.customers import (
    LevelDays,
    RecycleCondition,
    Subject,
    assign_customer,
    note_declines,
    note_last_deals,
    settle_due,
    transfer_customer,
)
from saas.kernel import Actor, local_date
from saas.sales import find_activity
from tests.rooms.selling import Sales
from tests.staging import ALL, REP, ZONE, Company, refused

DUE = "SELECT due_on, due_rule, settings_version, effective_follow_up_on FROM customer WHERE id = $1"
TODAY = date(2026, 11, 23)
IN_30_DAYS = TODAY + timedelta(days=31)
NOTHING = (None, None, None, None)


@pytest_asyncio.fixture(loop_scope="session")
async def rep(company: Company) -> Actor:
    return await company.hire("0002")


async def due(company: Company, customer_id: UUID) -> tuple[object, ...]:
    (found,) = await company.rows(DUE, customer_id)
    return found


async def deal(company: Company, customer_id: UUID, signed_on: date | None) -> None:
    async def sign() -> None:
        await note_last_deals({customer_id: signed_on})
        await settle_due(
            [customer_id],
            activity=find_activity,
            time_zone=ZONE,
            today=local_date(company.clock.now(), ZONE),
        )

    await company.within(sign)


async def test_a_claim_a_kept_entry_and_a_release_say_when(company: Company, rep: Actor) -> None:
    claimed, kept = await company.enter("甲"), await company.enter("乙", keeper=rep)
    assert await due(company, claimed) == NOTHING
    await company.claim(rep, claimed)
    for customer_id in (claimed, kept):
        assert await due(company, customer_id) == (IN_30_DAYS, "no_follow_up", 1, None)
    await company.release(rep, claimed)
    assert await due(company, claimed) == NOTHING


@pytest.mark.parametrize(
    ("kind", "content", "more", "counts"),
    [
        ("visit", "已签到", {}, True),
        ("note", "客户要求下周三下午两点到公司详谈续约与报价事宜", {}, True),
        ("note", "已联系", {}, False),
        ("message", "客户要求下周三下午两点到公司详谈续约与报价事宜", {}, False),
        ("call", "已接通", {}, False),
        ("call", "已接通", {"call_seconds": 29}, False),
        ("call", "已接通", {"call_seconds": 30}, True),
    ],
)
async def test_only_a_follow_up_that_counts_moves_it(
    company: Company, rep: Actor, kind: str, content: str, more: dict[str, Any], counts: bool
) -> None:
    customer_id = await company.enter("晨光", keeper=rep)
    company.clock.advance(timedelta(days=10))
    await company.follow_up(rep, customer_id, content, kind=kind, **more)
    moved = (IN_30_DAYS + timedelta(days=10), "no_follow_up", 1, TODAY + timedelta(days=10))
    assert await due(company, customer_id) == (moved if counts else (IN_30_DAYS, "no_follow_up", 1, None))


async def test_a_copied_text_does_not_count_again(company: Company, rep: Actor) -> None:
    """L11."""
    customer_id = await company.enter("晨光", keeper=rep)
    for text in ("上门拜访", "上门 拜访", "上门拜访客户"):
        company.clock.advance(timedelta(days=1))
        await company.follow_up(rep, customer_id, text)
    assert (await due(company, customer_id))[3] == TODAY + timedelta(days=3)
    company.clock.advance(timedelta(days=1))
    await company.follow_up(rep, customer_id, "上门拜访")
    assert (await due(company, customer_id))[3] == TODAY + timedelta(days=3)


async def test_a_former_owners_follow_up_counts_for_nobody_else(company: Company, rep: Actor) -> None:
    """L20: the clock of a new holding starts when it was received."""
    other = await company.hire("0003")
    customer_id = await company.enter("晨光", keeper=rep)
    company.clock.advance(timedelta(days=5))
    await company.follow_up(rep, customer_id, "上门拜访")
    await company.release(rep, customer_id)
    company.clock.advance(timedelta(days=1))
    await company.claim(other, customer_id)
    assert await due(company, customer_id) == (IN_30_DAYS + timedelta(days=6), "no_follow_up", 1, None)


async def test_a_deal_exempts_and_a_cancelled_one_does_not(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光", keeper=rep)
    await deal(company, customer_id, TODAY)
    assert await due(company, customer_id) == (None, None, 1, None)
    await deal(company, customer_id, None)
    assert await due(company, customer_id) == (IN_30_DAYS, "no_follow_up", 1, None)


async def test_a_deal_brings_the_end_of_its_contract_and_the_latest_end_wins(company: Company, rep: Actor) -> None:
    """P52: a new contract moves the date, a cancelled one gives it back."""
    sales, customer_id = Sales(company, company.founder), await company.enter("晨光", keeper=rep)
    first, second = TODAY + timedelta(days=100), TODAY + timedelta(days=465)
    contract = "SELECT contract_ends_on FROM customer WHERE id = $1"
    for number, ends_on, latest in (("D-1", first, first), ("D-2", None, first), ("D-3", second, second)):
        last = await sales.deal(customer_id, number, contract_ends_on=ends_on)
        assert await company.value(contract, customer_id) == latest
    await sales.cancel(last)
    assert await company.value(contract, customer_id) == first
    before = await company.everything()
    refusal = await refused(sales.deal(customer_id, "D-4", contract_ends_on=TODAY - timedelta(days=1)))
    assert (refusal.key, refusal.field) == ("sales.contract_ends_before_signing", ("contractEndsOn",))
    assert await company.everything() == before


async def test_noted_declines_stand_until_they_are_taken_back(company: Company, rep: Actor) -> None:
    owned, pooled = await company.enter("甲", keeper=rep), await company.enter("乙")
    declined = "SELECT declined_on FROM customer WHERE id = $1"
    for day in (TODAY, None):
        noted = {owned: day, pooled: day}
        note = partial(note_declines, noted, activity=find_activity, time_zone=ZONE, today=TODAY)
        assert await company.within(note) == 1
        assert [await company.value(declined, each) for each in (owned, pooled)] == [day, day]


async def test_who_claims_a_dealt_customer_keeps_it(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光")
    await deal(company, customer_id, TODAY)
    assert await due(company, customer_id) == NOTHING
    await company.claim(rep, customer_id)
    assert await due(company, customer_id) == (None, None, 1, None)


async def test_changed_settings_move_all_due_dates_and_nothing_before_the_grace(company: Company, rep: Actor) -> None:
    """P27, L28."""
    customers = [await company.enter(name, keeper=rep) for name in ("甲", "乙")]
    company.clock.advance(timedelta(days=20))
    await company.configure(recycle_follow_up_days=10)
    assert (await due(company, customers[0]))[2] == 1
    report = await company.recycle()
    assert (report.reckoned, report.recycled) == (2, 0)
    for customer_id in customers:
        assert await due(company, customer_id) == (TODAY + timedelta(days=27), "no_follow_up", 2, None)
    assert (await company.recycle()).reckoned == 0


async def test_a_rule_that_is_off_makes_nothing_due(company: Company, rep: Actor) -> None:
    await company.configure(recycle_follow_up_days=None)
    customer_id = await company.enter("晨光", keeper=rep)
    assert await due(company, customer_id) == (TODAY + timedelta(days=181), "no_deal", 2, None)
    await company.configure(2, recycle_deal_days=None)
    await company.recycle()
    assert await due(company, customer_id) == (None, None, 3, None)


async def test_customers_that_were_brought_in_are_reckoned_by_the_job(company: Company, rep: Actor) -> None:
    """Null is never infinitely old (L19)."""
    customer_id = await company.enter("晨光", keeper=rep)
    await company.run("UPDATE customer SET due_on = NULL, due_rule = NULL, settings_version = NULL")
    report = await company.recycle()
    assert (report.reckoned, report.recycled, report.failed) == (1, 0, 0)
    assert await due(company, customer_id) == (IN_30_DAYS, "no_follow_up", 1, None)


async def test_each_level_has_days_of_its_own_whichever_way_it_was_received(company: Company, rep: Actor) -> None:
    """P22: claimed and assigned customers of a level, and one of no level."""
    levels = (LevelDays("A", 90), LevelDays("C", 10))
    await company.configure(recycle_follow_up_days_by_level=levels, grace_days=1)
    company.clock.advance(timedelta(days=1))
    today = TODAY + timedelta(days=1)
    claimed, assigned, plain = [await company.enter(name) for name in ("甲", "乙", "丙")]
    await company.run("UPDATE customer SET level = 'A' WHERE id = $1", claimed)
    await company.run("UPDATE customer SET level = 'C' WHERE id = $1", assigned)
    for customer_id in (claimed, plain):
        await company.claim(rep, customer_id)
    await company.within(
        lambda: assign_customer(
            company.founder,
            customer_id=assigned,
            employee_id=rep.employee_id or assigned,
            reason="重点行业",
            access=ALL,
            time_zone=ZONE,
            clock=company.clock,
        )
    )
    due_on = {each: (await due(company, each))[0] for each in (claimed, assigned, plain)}
    assert due_on == {
        claimed: today + timedelta(days=91),
        assigned: today + timedelta(days=11),
        plain: today + timedelta(days=31),
    }


async def opportunity(sales: Sales, customer_id: UUID, **more: Any) -> UUID:
    whole: dict[str, Any] = {"product": "GTX Pro", "expected": Decimal(4821), **more}
    return await sales.opportunity("prospecting", customer_id=customer_id, **whole)


async def test_a_dummy_opportunity_keeps_a_customer_only_while_its_stage_advances(company: Company, rep: Actor) -> None:
    """P19 and L12: entering, moving and closing one settles the due date in the same transaction."""
    sales = Sales(company, rep, access=REP)
    await company.configure(
        recycle_follow_up_days=None,
        recycle_deal_days=None,
        recycle_opportunity_days=20,
        opportunity_moves_within_days=30,
        grace_days=1,
    )
    company.clock.advance(timedelta(days=1))
    received = TODAY + timedelta(days=1)
    customer_id = await company.enter("晨光", keeper=rep)
    alone = (received + timedelta(days=21), "no_opportunity", 2, None)
    assert await due(company, customer_id) == alone
    await opportunity(sales, customer_id, expected=None)
    assert await due(company, customer_id) == alone
    made = await opportunity(sales, customer_id)
    days = [await due(company, customer_id)]
    for version, (after, stage) in enumerate(((10, "engaging"), (5, "prospecting"), (5, "engaging")), 1):
        company.clock.advance(timedelta(days=after))
        await sales.move(made, stage, version=version)
        days.append(await due(company, customer_id))
    advanced = [received, *[received + timedelta(days=10)] * 3]
    assert days == [(day + timedelta(days=31), "no_opportunity", 2, None) for day in advanced]
    await sales.move(made, "lost", version=4)
    assert await due(company, customer_id) == alone


async def test_an_opportunity_exempts_from_the_rules_that_say_so(company: Company, rep: Actor) -> None:
    """P23."""
    sales, customer_id = Sales(company, rep, access=REP), await company.enter("晨光", keeper=rep)
    await opportunity(sales, customer_id)
    assert await due(company, customer_id) == (IN_30_DAYS, "no_follow_up", 1, None)
    await company.configure(follow_up_opportunity_exempt=True, grace_days=1)
    await company.recycle()
    assert await due(company, customer_id) == (TODAY + timedelta(days=61), "no_follow_up", 2, None)


async def test_dealt_customers_have_a_rule_of_their_own(company: Company, rep: Actor) -> None:
    """L15."""
    customer_id = await company.enter("晨光", keeper=rep)
    await deal(company, customer_id, TODAY)
    await company.configure(recycle_dealt_follow_up_days=60, grace_days=1)
    await company.recycle()
    assert await due(company, customer_id) == (TODAY + timedelta(days=61), "dealt_follow_up", 2, None)
    company.clock.advance(timedelta(days=20))
    await company.follow_up(rep, customer_id, "回访老客户")
    assert (await due(company, customer_id))[0] == TODAY + timedelta(days=81)


async def test_falling_performance_and_a_contract_that_ended_take_a_customer_back(company: Company, rep: Actor) -> None:
    """P52; whoever claims it afterwards has all of N."""
    sales = Sales(company, company.founder)
    await company.configure(recycle_contract_end_days=90, recycle_decline_days=30, grace_days=1)
    company.clock.advance(timedelta(days=1))
    today = TODAY + timedelta(days=1)
    customer_id = await company.enter("晨光", keeper=rep)
    await sales.deal(customer_id, signed_on=today, contract_ends_on=today + timedelta(days=10))
    assert await due(company, customer_id) == (today + timedelta(days=101), "contract_end", 2, None)
    note = partial(note_declines, {customer_id: today}, activity=find_activity, time_zone=ZONE, today=today)
    await company.within(note)
    assert await due(company, customer_id) == (today + timedelta(days=31), "decline", 2, None)
    await company.release(rep, customer_id)
    company.clock.advance(timedelta(days=100))
    other = await company.hire("0003")
    await company.claim(other, customer_id)
    assert await due(company, customer_id) == (today + timedelta(days=131), "decline", 2, None)


async def test_follow_ups_of_others_count_where_the_pool_says_so(company: Company, rep: Actor) -> None:
    """3.1: collaborators by option, default no."""
    customer_id = await company.enter("晨光", keeper=rep)
    company.clock.advance(timedelta(days=9))
    await company.follow_up(rep, customer_id, "上门拜访")
    await company.run("UPDATE follow_up SET author_id = $1", company.founder.employee_id)
    assert [
        await recycled_due(company, customer_id, version, counts) for version, counts in ((1, False), (2, True))
    ] == [
        IN_30_DAYS,
        IN_30_DAYS + timedelta(days=9),
    ]


async def recycled_due(company: Company, customer_id: UUID, version: int, counts: bool) -> object:
    """The due date once the job has reckoned it by other settings."""
    await company.configure(version, collaborators_count=counts, grace_days=version)
    await company.run("UPDATE customer SET settings_version = NULL")
    await company.recycle()
    return (await due(company, customer_id))[0]


@pytest.mark.parametrize("way", ["claim", "assign", "transfer"])
async def test_conditions_decide_however_a_customer_is_received(company: Company, rep: Actor, way: str) -> None:
    """P21: what is stored at once is what the job would reckon."""
    conditions = (RecycleCondition(Subject.HELD, 10), RecycleCondition(Subject.CREATED, 20))
    await company.configure(
        recycle_follow_up_days=None, recycle_deal_days=None, recycle_conditions=conditions, grace_days=1
    )
    company.clock.advance(timedelta(days=1))
    other = await company.hire("0003")
    customer_id = await company.enter("晨光", keeper=other if way == "transfer" else None)
    company.clock.advance(timedelta(days=5))
    given: dict[str, Any] = {"customer_id": customer_id, "employee_id": rep.employee_id, "reason": "重点行业"}
    given |= {"access": ALL, "time_zone": ZONE, "clock": company.clock}
    if way == "claim":
        await company.claim(rep, customer_id)
    elif way == "assign":
        await company.within(partial(assign_customer, company.founder, **given))
    else:
        given["activity"] = find_activity
        await company.within(partial(transfer_customer, company.founder, **given))
    stored = await due(company, customer_id)
    assert stored == (TODAY + timedelta(days=22), "condition", 2, None)
    await company.run("UPDATE customer SET settings_version = NULL")
    await company.recycle()
    assert await due(company, customer_id) == stored


async def test_a_stage_that_stands_still_takes_a_customer_back(company: Company, rep: Actor) -> None:
    """P21 of an opportunity's stage; without one the condition never holds."""
    sales = Sales(company, rep, access=REP)
    await company.configure(
        recycle_follow_up_days=None,
        recycle_deal_days=None,
        recycle_conditions=(RecycleCondition(Subject.STAGE, 10, ("prospecting",)),),
        grace_days=1,
    )
    customer_id = await company.enter("晨光", keeper=rep)
    assert await due(company, customer_id) == (None, None, 2, None)
    made = await opportunity(sales, customer_id)
    assert await due(company, customer_id) == (TODAY + timedelta(days=11), "condition", 2, None)
    await sales.move(made, "engaging")
    assert await due(company, customer_id) == (None, None, 2, None)
