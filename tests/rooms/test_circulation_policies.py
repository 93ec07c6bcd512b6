"""Policies of circulation: versions that follow each other, dated and audited; of rivals one decides."""

from __future__ import annotations

import asyncio
import json
from datetime import date, timedelta
from uuid import uuid4

import pytest

from saas.circulation import PolicyChange, PolicyKind, change_policy
from saas.circulation.errors import PolicyChanged, PolicyScheduled
from saas.circulation.queries import find_assessment_policy, find_decline_policy
from saas.customers.errors import PoolNotFound
from saas.kernel import AppErrors
from tests.rooms.circulating import decide
from tests.staging import ZONE, Company, refused

TODAY = date(2026, 11, 23)
VERSIONS = "SELECT kind, version, valid_from FROM circulation_policy ORDER BY kind, version"


async def test_a_version_follows_the_last_and_keeps_what_is_not_changed(company: Company) -> None:
    await decide(company, PolicyKind.ASSESSMENT, is_enabled=True, quota=30)
    await decide(company, PolicyKind.ASSESSMENT, version=1, notice_days=21)
    await decide(company, PolicyKind.DECLINE, is_enabled=True)
    assert await company.rows(VERSIONS) == [
        ("assessment", 1, TODAY),
        ("assessment", 2, TODAY),
        ("decline", 1, TODAY),
    ]
    found = await company.within(lambda: find_assessment_policy(company.pool_id, on=TODAY))
    assert found is not None
    version, terms = found
    assert (version, terms.quota, terms.notice_days, terms.is_enabled) == (2, 30, 21, True)
    trail = await company.rows(
        "SELECT changes::text FROM audit_entry WHERE action = 'circulation_policy.changed' ORDER BY at, id"
    )
    assert json.loads(str(trail[1][0])) == {"version": [1, 2], "notice_days": [14, 21]}


async def test_a_version_of_a_later_day_begins_then(company: Company) -> None:
    await decide(company, PolicyKind.DECLINE, is_enabled=True)
    later = TODAY + timedelta(days=10)
    await decide(company, PolicyKind.DECLINE, version=1, on=later, is_enabled=False)
    today = await company.within(lambda: find_decline_policy(company.pool_id, on=TODAY))
    assert today is not None
    assert today[0] == 1
    assert await company.within(lambda: find_decline_policy(company.pool_id, on=later)) is None
    refusal = await refused(decide(company, PolicyKind.DECLINE, version=2, fall_percent=40))
    assert isinstance(refusal, PolicyScheduled)
    assert refusal.values == {"version": 2, "valid_from": later.isoformat()}


async def test_refusals_change_nothing(company: Company) -> None:
    await decide(company, PolicyKind.ASSESSMENT, quota=30)
    before = await company.everything()
    stale = await refused(decide(company, PolicyKind.ASSESSMENT, quota=31))
    assert isinstance(stale, PolicyChanged)
    assert stale.values == {"expected": 0, "actual": 1}
    with pytest.raises(AppErrors) as bad:
        await decide(company, PolicyKind.ASSESSMENT, version=1, quota=-1, reclaim_percent=0)
    assert [error.field for error in bad.value.errors] == [("assessment", "quota"), ("assessment", "reclaimPercent")]
    with pytest.raises(AppErrors) as unannounced:
        await decide(company, PolicyKind.ASSESSMENT, version=1, notice_days=0, appeal_days=0)
    assert [error.key for error in unannounced.value.errors] == ["circulation.notice_needed"]
    change = PolicyChange(uuid4(), PolicyKind.DECLINE, {})
    stranger = await refused(
        company.within(
            lambda: change_policy(company.founder, change, expected_version=0, time_zone=ZONE, clock=company.clock)
        )
    )
    assert isinstance(stranger, PoolNotFound)
    assert await company.everything() == before


async def test_a_pool_without_reminders_needs_no_notice(company: Company) -> None:
    await company.configure(reminder_days=())
    await decide(company, PolicyKind.ASSESSMENT, notice_days=0, appeal_days=0)
    assert len(await company.rows(VERSIONS)) == 1


async def test_of_twenty_decisions_at_once_one_is_kept(company: Company) -> None:
    outcomes = await asyncio.gather(
        *(decide(company, PolicyKind.DECLINE, fall_percent=10 + number) for number in range(20)),
        return_exceptions=True,
    )
    assert sum(not isinstance(each, Exception) for each in outcomes) == 1
    assert sum(isinstance(each, PolicyChanged) for each in outcomes) == 19
    assert await company.value("SELECT count(*) FROM circulation_policy") == 1
    assert await company.value("SELECT count(*) FROM audit_entry WHERE action = 'circulation_policy.changed'") == 1
