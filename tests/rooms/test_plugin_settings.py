"""Enabling plugins per company: dated, versioned, audited, one change at a time, invisible to other companies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from plugins import realty
from plugins.realty.rules import Area, Settings
from saas.customers.hooks import ClaimFacts, CustomerHooks, refuse_by_plugins
from saas.extensions import (
    PluginAlreadyEnabled,
    PluginHost,
    PluginNotEnabled,
    PluginsByVersion,
    PluginState,
    PluginUnknown,
    PluginUnusable,
    SettingRefused,
    configure_plugin,
    disable_plugin,
    enable_plugin,
    enabled_plugins,
    plugin_state,
)
from saas.kernel import (
    Actor,
    AppError,
    BadUserInput,
    FrozenClock,
    RuleRefused,
    StaleVersion,
    new_id,
    public_id,
    uuid7_from,
)
from tenants import Database, DatabaseRole

TODAY = date(2026, 11, 23)
HOST = PluginHost([CustomerHooks], {"realty": realty})
LI_NA, WANG_WEI = uuid7_from(1, 1), uuid7_from(2, 2)
JINGAN = {"title": "静安专属", "districtCodes": ["310106"], "employees": [str(LI_NA)]}
PUDONG = {"title": "浦东专属", "districtCodes": ["310115"], "employees": [str(WANG_WEI)]}
ACCOUNT = new_id()

Change = Callable[[Actor], Awaitable[PluginState]]


def actor_of(tenant_id: UUID) -> Actor:
    return Actor(tenant_id=tenant_id, account_id=ACCOUNT, employee_id=None, roles=frozenset({"consultant"}))


class Company:
    """One company's plugin settings, changed and read as the doors do."""

    def __init__(self, database: Database, tenant_id: UUID, clock: FrozenClock) -> None:
        self.database, self.tenant_id, self.clock = database, tenant_id, clock
        self.actor = actor_of(tenant_id)

    async def enable(self, *areas: dict[str, Any], version: int = 0, **changes: Any) -> PluginState:
        async with self.database.transaction(self.tenant_id, role=DatabaseRole.PLATFORM):
            return await enable_plugin(self.actor, host=HOST, **self._change(areas, version), **changes)

    async def configure(self, *areas: dict[str, Any], version: int, **changes: Any) -> PluginState:
        async with self.database.transaction(self.tenant_id, role=DatabaseRole.PLATFORM):
            return await configure_plugin(self.actor, host=HOST, **self._change(areas, version), **changes)

    async def disable(self, *, version: int, **changes: Any) -> PluginState:
        change = self._change((), version)
        del change["settings"]
        async with self.database.transaction(self.tenant_id, role=DatabaseRole.PLATFORM):
            return await disable_plugin(self.actor, **{**change, **changes})

    async def titles(self, on: date = TODAY) -> list[str] | None:
        """The areas in force on a day; None where the plugin is not enabled."""
        async with self.database.transaction(self.tenant_id):
            settings = (await enabled_plugins(HOST, on=on)).settings.get("realty")
        assert settings is None or isinstance(settings, Settings)
        return None if settings is None else [area.title for area in settings.areas]

    async def state(self) -> PluginState | None:
        async with self.database.transaction(self.tenant_id):
            return await plugin_state("realty")

    async def row(self, sql: str) -> list[tuple[Any, ...]]:
        async with self.database.transaction(self.tenant_id, role=DatabaseRole.PLATFORM) as transaction:
            return [tuple(row) for row in await transaction.fetch(sql)]

    async def version(self) -> int:
        [(version,)] = await self.row(f"SELECT version FROM platform.tenant WHERE id = '{self.tenant_id}'")
        return int(version)

    def _change(self, areas: tuple[dict[str, Any], ...], version: int) -> dict[str, Any]:
        return {
            "plugin": "realty",
            "settings": {"areas": list(areas)},
            "reason": "片区调整",
            "expected_version": version,
            "clock": self.clock,
        }


@pytest.fixture
def company(database: Database, tenant_id: UUID, clock: FrozenClock) -> Company:
    return Company(database, tenant_id, clock)


@pytest.fixture
def neighbour(database: Database, other_tenant_id: UUID, clock: FrozenClock) -> Company:
    return Company(database, other_tenant_id, clock)


ROWS = "SELECT version, enabled, valid_from, valid_to, superseded_at IS NOT NULL FROM plugin_setting ORDER BY version"


async def test_enabled_plugin_acts_for_its_company_alone(company: Company, neighbour: Company) -> None:
    assert await company.titles() is None
    state = await company.enable(JINGAN)
    assert (state.version, state.enabled, state.valid_from) == (1, True, TODAY)
    assert await company.titles() == ["静安专属"]
    assert await neighbour.titles() is None
    assert await company.state() == state
    assert await neighbour.state() is None
    assert [await company.version(), await neighbour.version()] == [2, 1]


async def test_change_is_audited_with_before_and_after(company: Company) -> None:
    first = await company.enable(JINGAN)
    second = await company.configure(PUDONG, version=1)
    entries = await company.row(
        "SELECT account_id, action, object_type, object_id, reason, changes FROM audit_entry ORDER BY id"
    )
    assert [entry[:5] for entry in entries] == [
        (ACCOUNT, "plugin.enabled", "PluginSetting", first.id, "片区调整"),
        (ACCOUNT, "plugin.configured", "PluginSetting", second.id, "片区调整"),
    ]
    changes = json.loads(entries[1][5])
    assert [json.loads(text)["areas"][0]["title"] for text in changes["settings"]] == ["静安专属", "浦东专属"]
    assert changes["enabled"] == [True, True]


async def test_change_on_a_later_day_closes_the_row_before_it(company: Company) -> None:
    later = TODAY + timedelta(days=7)
    await company.enable(JINGAN)
    await company.configure(PUDONG, version=1, valid_from=later)
    assert await company.titles(later - timedelta(days=1)) == ["静安专属"]
    assert await company.titles(later) == ["浦东专属"]
    assert await company.row(ROWS) == [(1, True, TODAY, later, False), (2, True, later, None, False)]


async def test_second_change_of_a_day_supersedes_the_first(company: Company) -> None:
    await company.enable(JINGAN)
    await company.configure(PUDONG, version=1)
    await company.disable(version=2)
    assert await company.titles() is None
    assert await company.row(ROWS) == [
        (1, True, TODAY, None, True),
        (2, True, TODAY, None, True),
        (3, False, TODAY, None, False),
    ]
    assert (await company.enable(JINGAN, version=3)).version == 4
    assert await company.titles() == ["静安专属"]


async def test_change_replaces_what_was_planned_after_it(company: Company) -> None:
    await company.enable(JINGAN)
    await company.disable(version=1, valid_from=TODAY + timedelta(days=30))
    await company.enable(PUDONG, version=2, valid_from=TODAY + timedelta(days=10))
    assert await company.titles(TODAY + timedelta(days=9)) == ["静安专属"]
    assert await company.titles(TODAY + timedelta(days=40)) == ["浦东专属"]


async def test_the_day_is_the_companys_own(company: Company) -> None:
    company.clock = FrozenClock(datetime(2026, 11, 22, 16, 30, tzinfo=UTC))
    assert (await company.enable(JINGAN)).valid_from == TODAY
    with pytest.raises(BadUserInput) as refused:
        await company.configure(PUDONG, version=1, valid_from=date(2026, 11, 22))
    assert refused.value.values == {"from": "2026-11-22", "today": "2026-11-23"}


async def refusal(company: Company, change: Awaitable[PluginState]) -> AppError:
    """The refusal of a change, which left no trace."""
    before = [await company.row(ROWS), await company.version(), await company.row("SELECT id FROM audit_entry")]
    with pytest.raises(AppError) as refused:
        await change
    assert [await company.row(ROWS), await company.version(), await company.row("SELECT id FROM audit_entry")] == before
    return refused.value


async def test_refused_changes_change_nothing(company: Company) -> None:
    assert isinstance(await refusal(company, company.configure(JINGAN, version=0)), PluginNotEnabled)
    assert isinstance(await refusal(company, company.disable(version=0)), PluginNotEnabled)
    await company.enable(JINGAN)
    assert isinstance(await refusal(company, company.enable(JINGAN, version=1)), PluginAlreadyEnabled)
    stale = await refusal(company, company.configure(PUDONG, version=7))
    assert isinstance(stale, StaleVersion)
    assert stale.values == {"plugin": "realty", "expected": 7, "actual": 1}
    twice = await refusal(company, company.configure(JINGAN, {**PUDONG, "districtCodes": ["310106"]}, version=1))
    assert isinstance(twice, SettingRefused)
    assert twice.key == "realty.district_in_two_areas"
    for reason in ("  ", "x" * 501):
        assert (await refusal(company, company.disable(version=1, reason=reason))).field == ("reason",)
    assert await company.titles() == ["静安专属"]


async def test_unknown_plugin_is_refused(company: Company) -> None:
    async def unknown() -> PluginState:
        async with company.database.transaction(company.tenant_id, role=DatabaseRole.PLATFORM):
            return await enable_plugin(
                company.actor,
                host=HOST,
                plugin="insurance",
                settings={},
                reason="x",
                expected_version=0,
                clock=company.clock,
            )

    assert isinstance(await refusal(company, unknown()), PluginUnknown)


async def test_of_twenty_changes_at_once_one_wins(company: Company) -> None:
    outcomes = await asyncio.gather(*(company.enable(JINGAN) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(outcome, PluginState) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, StaleVersion) for outcome in outcomes) == 19
    assert await company.row(ROWS) == [(1, True, TODAY, None, False)]


async def test_plugins_are_read_once_per_version_and_day(company: Company) -> None:
    kept = PluginsByVersion(HOST)

    async def read(version: int, on: date = TODAY) -> object:
        async with company.database.transaction(company.tenant_id):
            return await kept.enabled(version=version, on=on)

    await company.enable(JINGAN)
    first = await read(2)
    assert await read(2) is first
    assert await read(2, TODAY + timedelta(days=1)) is not first
    await company.disable(version=1)
    changed = await read(3)
    assert changed == await read(3)
    assert changed != first


async def test_claims_follow_the_companys_settings(company: Company, neighbour: Company) -> None:
    async def claim(of: Company, claimant_id: UUID) -> None:
        facts = ClaimFacts(of.tenant_id, new_id(), "310106", None, None, claimant_id, None, TODAY)
        async with of.database.transaction(of.tenant_id):
            refuse_by_plugins(HOST, await enabled_plugins(HOST, on=TODAY), facts)

    await company.enable(JINGAN)
    await claim(company, LI_NA)
    await claim(neighbour, WANG_WEI)
    with pytest.raises(RuleRefused) as refused:
        await claim(company, WANG_WEI)
    assert refused.value.key == "realty.area_exclusive"
    assert refused.value.values == {"area": "静安专属", "count": 1}


async def test_uninstalled_plugin_stops_decisions_until_it_is_disabled(company: Company) -> None:
    await company.enable(JINGAN)
    bare = PluginHost([CustomerHooks], {})

    async def guard() -> list[tuple[str, Any]]:
        async with company.database.transaction(company.tenant_id):
            return bare.each("claim_guard", await enabled_plugins(bare, on=TODAY), facts=None)

    with pytest.raises(PluginUnusable) as unusable:
        await guard()
    assert (unusable.value.key, unusable.value.values) == ("extensions.plugin_missing", {"plugin": "realty"})
    await company.disable(version=1)
    assert await guard() == []


async def test_stored_settings_that_no_longer_fit_stop_decisions(company: Company) -> None:
    await company.enable(JINGAN)
    async with company.database.transaction(company.tenant_id) as transaction:
        await transaction.execute("""UPDATE plugin_setting SET settings = '{"areas": 5}'""")
        enabled = await enabled_plugins(HOST, on=TODAY)
    assert enabled.unusable == {"realty": "extensions.plugin_settings_outdated"}
    assert enabled.names == frozenset()


def test_area_settings_are_stored_by_their_outside_names() -> None:
    stored = Area(title="静安", district_codes=("310106",), employees=(LI_NA,)).model_dump(mode="json", by_alias=True)
    assert stored == {"title": "静安", "districtCodes": ["310106"], "employees": [public_id("emp", LI_NA)]}
