"""The metrics of a pool: in and out by kind, waiting, conversion, returns, recycling without contact."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from uuid import UUID

import pytest

from saas.customers import PoolMetrics, measure_pool
from saas.customers.errors import PoolNotFound
from saas.kernel import BadUserInput, new_id
from tests.staging import ZONE, Company, refused

FIRST = date(2026, 11, 23)


async def measured(
    company: Company,
    *,
    first: date = FIRST,
    days: int = 366,
    won: Collection[UUID] = (),
    pool_id: UUID | None = None,
) -> PoolMetrics:
    """The metrics from a day on; the named customers were won whoever held them."""

    async def find_won(held: Collection[tuple[UUID, date, date | None]]) -> set[tuple[UUID, date]]:
        return {(customer_id, began) for customer_id, began, _ in held if customer_id in won}

    last = first + timedelta(days=days - 1)
    return await company.within(
        lambda: measure_pool(pool_id=pool_id or company.pool_id, first=first, last=last, won=find_won, time_zone=ZONE)
    )


async def test_everything_that_went_in_and_out_is_counted(company: Company) -> None:
    await company.configure(reminder_days=())
    rep = await company.hire("0002")
    kept, won, back, silent = [
        await company.enter(name, keeper=rep if name == "甲" else None) for name in ("甲", "乙", "丙", "丁")
    ]
    company.clock.advance(timedelta(hours=2))
    await company.claim(rep, won)
    company.clock.advance(timedelta(hours=2))
    await company.claim(rep, back)
    await company.claim(rep, silent)
    company.clock.advance(timedelta(days=20))
    await company.release(rep, back)
    await company.follow_up(rep, kept, "上门拜访")
    await company.follow_up(rep, won, "上门拜访")
    company.clock.advance(timedelta(days=31))
    assert (await company.recycle()).recycled == 3
    found = await measured(company, won=[won])
    assert found == PoolMetrics(
        moves={"claimed": 3, "released": 1, "recycled": 3},
        entered=3,
        out=3,
        waited_seconds=(2 + 4 + 4) * 3_600 // 3,
        converted=1,
        returned=1,
        without_contact=1,
    )


async def test_only_the_days_and_the_pool_that_are_asked_for_count(company: Company) -> None:
    """Midnight is the company's: 15:59 UTC is the last minute of the day in Shanghai."""
    rep, customer_id = await company.hire("0002"), await company.enter("晨光")
    company.clock.advance(timedelta(hours=13, minutes=59))
    await company.claim(rep, customer_id)
    await company.enter("远山")
    company.clock.advance(timedelta(minutes=1))
    await company.enter("长风")
    today, tomorrow = await measured(company, days=1), await measured(company, first=FIRST + timedelta(days=1), days=1)
    assert (today.moves, today.entered, today.waited_seconds) == ({"claimed": 1}, 2, 13 * 3_600 + 59 * 60)
    assert (tomorrow.moves, tomorrow.entered, tomorrow.waited_seconds) == ({}, 1, None)


async def test_what_cannot_be_measured_is_refused(company: Company, other_company: Company) -> None:
    assert isinstance(await refused(measured(company, pool_id=new_id())), PoolNotFound)
    assert isinstance(await refused(measured(company, pool_id=other_company.pool_id)), PoolNotFound)


@pytest.mark.parametrize("days", [0, 367])
async def test_days_are_one_to_a_year(company: Company, days: int) -> None:
    refusal = await refused(measured(company, days=days))
    assert isinstance(refusal, BadUserInput)
    assert (refusal.key, refusal.field, refusal.values["most"]) == ("customers.metrics_days", ("to",), 366)
