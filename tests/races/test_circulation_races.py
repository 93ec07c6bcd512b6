"""Assessments and many at once: one announces, one decides, each customer moves once, nobody loses what is held."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest_asyncio

from saas.circulation import PolicyKind, Rotation
from saas.circulation.errors import AppealStanding, AssessmentStanding
from saas.kernel import Actor
from saas.sales import NewDeal
from tests.rooms.circulating import (
    ASSESSING,
    FOLLOWED_ONLY,
    announce,
    announced,
    appeal,
    ask,
    decide,
    draft,
    find_declines,
    go_to,
    lines,
    move,
    rule,
    states,
    veteran,
    wait,
)
from tests.rooms.selling import Sales
from tests.staging import Company

CROWD = 20
QUARTER = date(2027, 2, 1)


@pytest_asyncio.fixture(loop_scope="session")
async def reps(company: Company) -> tuple[Actor, Actor]:
    """One who holds eleven customers that nobody visited, and one who holds another."""
    first, second = await veteran(company, "0002", "李雷"), await veteran(company, "0003", "韩梅")
    for number in range(11):
        await company.enter(f"客户{number}", keeper=first)
    await company.enter("别人的", keeper=second)
    await company.configure(recycle_follow_up_days=None, recycle_deal_days=None)
    go_to(company, date(2027, 4, 5))
    return first, second


async def assessing(company: Company, **wanted: Any) -> None:
    await decide(company, PolicyKind.ASSESSMENT, **{**ASSESSING, "weights": FOLLOWED_ONLY, **wanted})


async def at_once(attempt: Callable[[], Awaitable[object]]) -> list[object]:
    return await asyncio.gather(*(attempt() for _ in range(CROWD)), return_exceptions=True)


async def test_of_twenty_that_ask_for_an_assessment_one_is_made(company: Company, reps: tuple[Actor, Actor]) -> None:
    await assessing(company)
    outcomes = await at_once(lambda: ask(company, day=QUARTER))
    assert sum(isinstance(each, UUID) for each in outcomes) == 1
    assert sum(isinstance(each, AssessmentStanding) for each in outcomes) == CROWD - 1
    assert await company.value("SELECT count(*) FROM assessment") == 1


async def test_of_twenty_announcements_at_once_one_is_made(company: Company, reps: tuple[Actor, Actor]) -> None:
    await assessing(company)
    assessment_id = await draft(company, day=QUARTER)
    plan_hash = str(await company.value("SELECT plan_hash FROM assessment"))
    outcomes = await at_once(lambda: announce(company, assessment_id, plan_hash=plan_hash))
    assert sum(isinstance(each, AssessmentStanding) for each in outcomes) == CROWD - 1
    assert await company.value("SELECT count(*) FROM pool_event WHERE kind = 'warned'") == 5
    assert await company.value("SELECT count(*) FROM outbox WHERE topic = 'circulation.person_notified'") == 1


async def test_of_twenty_decisions_at_once_one_holds(company: Company, reps: tuple[Actor, Actor]) -> None:
    await assessing(company)
    line_id = (await lines(company, await announced(company, day=QUARTER)))[0][0]
    await appeal(company, reps[0], line_id)
    outcomes = await asyncio.gather(
        *(rule(company, company.founder, line_id, is_granted=bool(number % 2)) for number in range(CROWD)),
        return_exceptions=True,
    )
    assert sum(isinstance(each, UUID) for each in outcomes) == 1
    assert sum(isinstance(each, AppealStanding) for each in outcomes) == CROWD - 1
    decided = ["assessment_customer.granted", "assessment_customer.refused"]
    assert await company.value("SELECT count(*) FROM audit_entry WHERE action = ANY ($1)", decided) == 1
    assert await company.value("SELECT count(*) FROM outbox WHERE topic = 'circulation.appeal_decided'") == 1


async def test_twenty_runs_at_once_move_each_customer_once(company: Company, reps: tuple[Actor, Actor]) -> None:
    """L24."""
    await assessing(company)
    await announced(company, day=QUARTER)
    wait(company, 15)
    reports = await asyncio.gather(*(move(company) for _ in range(CROWD)))
    assert sum(each.reclaimed for each in reports) == 5
    assert sum(each.rotated for each in reports) == 5
    assert sum(each.closed for each in reports) == 1
    assert [each.failures for each in reports] == [[]] * CROWD
    assert await states(company) == ["rotated"] * 5
    assert await company.rows(
        "SELECT kind, count(*), count(DISTINCT customer_id) FROM pool_event WHERE kind IN ('recycled', 'allocated')"
        " GROUP BY kind ORDER BY kind"
    ) == [("allocated", 5, 5), ("recycled", 5, 5)]
    assert await company.value("SELECT count(*) FROM ownership WHERE ended_at IS NULL") == 12
    assert await company.value("SELECT count(*) FROM customer WHERE owner_id = $1", reps[1].employee_id) == 6


async def test_releases_and_moves_at_once_leave_each_customer_in_one_place(
    company: Company, reps: tuple[Actor, Actor]
) -> None:
    await assessing(company, rotation=Rotation.POOL)
    moving = [line[1] for line in await lines(company, await announced(company, day=QUARTER))]
    wait(company, 15)
    await asyncio.gather(
        move(company), *(company.release(reps[0], each) for each in moving), move(company), return_exceptions=True
    )
    done = await states(company)
    assert len(done) == 5
    assert set(done) <= {"pooled", "spared"}
    assert await company.value("SELECT count(*) FROM customer WHERE id = ANY ($1) AND owner_id IS NULL", moving) == 5
    ended = "SELECT count(*), count(DISTINCT customer_id) FROM ownership WHERE ended_at IS NOT NULL"
    assert await company.rows(ended) == [(5, 5)]
    reclaimed = await company.value("SELECT count(*) FROM pool_event WHERE kind = 'recycled'")
    assert reclaimed == done.count("pooled")


async def test_twenty_searches_at_once_find_each_decline_once(company: Company) -> None:
    rep = await company.hire("0002")
    customers = [await company.enter(f"客户{number}", keeper=rep) for number in range(3)]
    go_to(company, date(2028, 3, 10))
    days = [date(2027, month, 5) for month in range(1, 12)]
    rows = [NewDeal(each, f"{each}{day}", day, Decimal(1000)) for each in customers for day in days]
    await Sales(company, company.founder).deals(rows)
    await decide(company, PolicyKind.DECLINE, is_enabled=True)
    reports = await asyncio.gather(*(find_declines(company) for _ in range(CROWD)))
    assert [each.failures for each in reports] == [()] * CROWD
    assert sum(each.found for each in reports) == 3
    assert await company.value("SELECT count(*) FROM customer_decline") == 3
    assert await company.value("SELECT count(*) FROM outbox WHERE topic = 'circulation.declines_found'") == 1
