"""A change of settings tried beforehand: it tells what the change then does, and writes nothing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import pytest_asyncio

from saas.customers import Comparison, SettingsWish, dry_run_settings
from saas.customers.errors import PoolChanged, PoolNotFound
from saas.kernel import Actor, AppErrors, BadUserInput, local_date, new_id
from saas.sales import find_activity
from tests.staging import ZONE, Company

TODAY = date(2026, 11, 23)
STATE = "SELECT id, owner_id, due_on, settings_version, version FROM customer ORDER BY id"


@pytest_asyncio.fixture(loop_scope="session")
async def rep(company: Company) -> Actor:
    return await company.hire("0002")


async def tried(company: Company, *, version: int = 1, on: date | None = None, **settings: Any) -> Comparison:
    wish = SettingsWish(company.pool_id, settings, version, on=on)
    today = local_date(company.clock.now(), ZONE)
    return await company.within(lambda: dry_run_settings(wish, activity=find_activity, time_zone=ZONE, today=today))


async def test_what_is_told_is_what_the_change_then_does(company: Company, rep: Actor) -> None:
    other = await company.hire("0003", name="韩梅")
    await company.run("UPDATE customer_pool SET settings = settings || '{\"reminder_days\": []}'")
    idle = [await company.enter(f"沉默{number}", keeper=rep) for number in range(3)]
    company.clock.advance(timedelta(days=10))
    fresh, met = await company.enter("新客", keeper=other), idle[2]
    await company.follow_up(rep, met, "已签到", kind="visit")
    before = await company.rows(STATE)
    found = await tried(company, recycle_follow_up_days=12)
    assert await company.rows(STATE) == before
    assert found.on == TODAY + timedelta(days=17)  # today and a grace of seven days
    told = {
        owner: (effect.held, effect.taken, effect.freed) for owner, effect in found.effects.items() if owner is not None
    }
    assert told == {rep.employee_id: (3, 2, 0), other.employee_id: (1, 0, 0)}
    await company.configure(recycle_follow_up_days=12)
    company.clock.advance(timedelta(days=7))
    await company.recycle()
    pooled = {row[0] for row in await company.rows(STATE) if row[1] is None}
    assert pooled == {each.customer_id for each in found.taken} == set(idle[:2])
    assert fresh not in pooled


async def test_a_longer_limit_frees(company: Company, rep: Actor) -> None:
    await company.enter("晨光", keeper=rep)
    found = await tried(company, on=TODAY + timedelta(days=31), recycle_follow_up_days=60)
    (effect,) = found.effects.values()
    assert (effect.held, effect.gone_before, effect.gone_after, effect.freed) == (1, 1, 0, 1)


async def test_pages_are_put_together(company: Company, rep: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saas.customers.actions.dry_running._PAGE", 2)
    for number in range(5):
        await company.enter(f"客户{number}", keeper=rep)
    await company.enter("公海客户")
    found = await tried(company, on=TODAY + timedelta(days=40))
    (effect,) = found.effects.values()
    assert (effect.held, effect.gone_before, effect.gone_after) == (5, 5, 5)


async def test_what_can_not_be_tried(company: Company, rep: Actor) -> None:
    with pytest.raises(AppErrors):
        await tried(company, recycle_follow_up_days=0)
    with pytest.raises(PoolChanged):
        await tried(company, version=2, recycle_follow_up_days=5)
    for day in (TODAY - timedelta(days=1), TODAY + timedelta(days=3_651)):
        with pytest.raises(BadUserInput):
            await tried(company, on=day)
    wish = SettingsWish(new_id(), {}, 1)
    with pytest.raises(PoolNotFound):
        await company.within(lambda: dry_run_settings(wish, activity=find_activity, time_zone=ZONE, today=TODAY))


async def test_a_pool_with_too_many_is_refused(company: Company, rep: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saas.customers.actions.dry_running.MOST", 1)
    await company.enter("甲", keeper=rep)
    await tried(company)
    await company.enter("乙", keeper=rep)
    with pytest.raises(Exception, match=r"customers\.dry_run_too_large"):
        await tried(company)
