"""Enabling, configuring and disabling a plugin for one company: dated, audited, one at a time.

The door asks for `CONFIGURE_PLUGINS` and opens a platform transaction bound to the tenant: its version rises with
each change, so that every process sees the change with its next request.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import orjson

from saas.audit import record
from saas.extensions.errors import PluginAlreadyEnabled, PluginNotEnabled
from saas.extensions.host import PluginHost
from saas.extensions.queries import PluginState, plugin_state
from saas.extensions.settings import dump_settings, parse_settings
from saas.kernel import Actor, BadUserInput, Clock, Scalar, StaleVersion, local_date, new_id
from tenants import current_tenant_id, current_transaction

CONFIGURE_PLUGINS = "plugin:configure"
REASON_LENGTH = 500

_RAISE_VERSION = "UPDATE platform.tenant SET version = version + 1 WHERE id = $1 RETURNING time_zone"
_SUPERSEDE = """
UPDATE plugin_setting SET superseded_at = $4
WHERE tenant_id = $1 AND plugin = $2 AND superseded_at IS NULL AND valid_from >= $3
"""
_CLOSE = """
UPDATE plugin_setting SET valid_to = $3
WHERE tenant_id = $1 AND plugin = $2 AND superseded_at IS NULL AND (valid_to IS NULL OR valid_to > $3)
"""
_INSERT = """
INSERT INTO plugin_setting
  (tenant_id, id, plugin, enabled, settings, valid_from, version, changed_by, reason, known_at)
VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7, $8, $9, $10)
"""


async def enable_plugin(
    actor: Actor,
    *,
    host: PluginHost,
    plugin: str,
    settings: Mapping[str, Any],
    reason: str,
    expected_version: int,
    clock: Clock,
    valid_from: date | None = None,
) -> PluginState:
    """Enable an installed plugin with settings, from a day on (today unless named); `expected_version` 0 at first.

    :raises PluginUnknown: it is not installed.
    :raises SettingRefused: the settings are refused, by type or by the plugin's own rules.
    :raises PluginAlreadyEnabled: it is enabled; configure it.
    :raises StaleVersion: somebody changed it meanwhile.
    """
    typed = parse_settings(host.manifest(plugin).settings, settings)
    today, before = await _lock(plugin, expected_version, clock)
    if before and before.enabled:
        raise PluginAlreadyEnabled("extensions.plugin_already_enabled", {"plugin": plugin})
    after = _next(plugin, before, enabled=True, settings=dump_settings(typed), valid_from=valid_from or today)
    return await _change(actor, "plugin.enabled", before, after, reason=reason, today=today, clock=clock)


async def configure_plugin(
    actor: Actor,
    *,
    host: PluginHost,
    plugin: str,
    settings: Mapping[str, Any],
    reason: str,
    expected_version: int,
    clock: Clock,
    valid_from: date | None = None,
) -> PluginState:
    """Give an enabled plugin other settings, all of them, from a day on (today unless named).

    :raises PluginNotEnabled: it is not enabled.
    :raises PluginUnknown: :raises SettingRefused: :raises StaleVersion: as `enable_plugin`.
    """
    typed = parse_settings(host.manifest(plugin).settings, settings)
    today, before = await _lock(plugin, expected_version, clock)
    _require_enabled(plugin, before)
    after = _next(plugin, before, enabled=True, settings=dump_settings(typed), valid_from=valid_from or today)
    return await _change(actor, "plugin.configured", before, after, reason=reason, today=today, clock=clock)


async def disable_plugin(
    actor: Actor,
    *,
    plugin: str,
    reason: str,
    expected_version: int,
    clock: Clock,
    valid_from: date | None = None,
) -> PluginState:
    """Disable a plugin from a day on (today unless named), installed or not; its settings stay for the record.

    :raises PluginNotEnabled: it is not enabled.
    :raises StaleVersion: somebody changed it meanwhile.
    """
    today, before = await _lock(plugin, expected_version, clock)
    present = _require_enabled(plugin, before)
    after = _next(plugin, present, enabled=False, settings=present.settings, valid_from=valid_from or today)
    return await _change(actor, "plugin.disabled", before, after, reason=reason, today=today, clock=clock)


async def _lock(plugin: str, expected_version: int, clock: Clock) -> tuple[date, PluginState | None]:
    """Raise the tenant's version, which also makes changes of one tenant wait for each other; then look."""
    zone = await current_transaction().fetchval(_RAISE_VERSION, current_tenant_id())
    before = await plugin_state(plugin)
    actual = before.version if before else 0
    if actual != expected_version:
        raise StaleVersion(
            "extensions.version_stale", {"plugin": plugin[:40], "expected": expected_version, "actual": actual}
        )
    return local_date(clock.now(), zone), before


def _require_enabled(plugin: str, state: PluginState | None) -> PluginState:
    if state is None or not state.enabled:
        raise PluginNotEnabled("extensions.plugin_not_enabled", {"plugin": plugin[:40]})
    return state


def _next(
    plugin: str, before: PluginState | None, *, enabled: bool, settings: dict[str, Any], valid_from: date
) -> PluginState:
    return PluginState(new_id(), plugin, enabled, settings, valid_from, before.version + 1 if before else 1)


async def _change(
    actor: Actor,
    action: str,
    before: PluginState | None,
    after: PluginState,
    *,
    reason: str,
    today: date,
    clock: Clock,
) -> PluginState:
    if after.valid_from < today:
        values: dict[str, Scalar] = {"from": after.valid_from.isoformat(), "today": today.isoformat()}
        raise BadUserInput("extensions.starts_in_the_past", values, field=("validFrom",))
    why = _checked_reason(reason)
    await _store(actor, after, reason=why, clock=clock)
    await record(
        actor,
        action,
        object_type="PluginSetting",
        object_id=after.id,
        changes=_changes(before, after),
        reason=why,
        clock=clock,
    )
    return after


async def _store(actor: Actor, after: PluginState, *, reason: str, clock: Clock) -> None:
    """What would begin on the day or later is superseded; what runs into the day ends with it; then the new row."""
    transaction, tenant_id, now = current_transaction(), current_tenant_id(), clock.now()
    await transaction.execute(_SUPERSEDE, tenant_id, after.plugin, after.valid_from, now)
    await transaction.execute(_CLOSE, tenant_id, after.plugin, after.valid_from)
    await transaction.execute(
        _INSERT,
        tenant_id,
        after.id,
        after.plugin,
        after.enabled,
        orjson.dumps(after.settings).decode(),
        after.valid_from,
        after.version,
        actor.account_id,
        reason,
        now,
    )


def _checked_reason(reason: str) -> str:
    text = reason.strip()
    if not 1 <= len(text) <= REASON_LENGTH:
        raise BadUserInput("extensions.reason_length", {"limit": REASON_LENGTH, "length": len(text)}, field=("reason",))
    return text


def _changes(before: PluginState | None, after: PluginState) -> dict[str, tuple[str | bool | None, ...]]:
    """Before and after, settings as JSON text: the trail must be readable without this table."""
    return {
        "plugin": (before.plugin if before else None, after.plugin),
        "enabled": (before.enabled if before else False, after.enabled),
        "settings": (_text(before.settings) if before else None, _text(after.settings)),
        "validFrom": (before.valid_from.isoformat() if before else None, after.valid_from.isoformat()),
    }


def _text(settings: dict[str, Any]) -> str:
    return orjson.dumps(settings, option=orjson.OPT_SORT_KEYS).decode()
