"""What a company has enabled: today's settings for hook calls, and the newest row for whoever changes it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from saas.extensions.errors import PluginUnknown
from saas.extensions.host import PluginHost
from saas.extensions.settings import PluginSettings, parse_settings
from saas.extensions.tenant_plugins import TenantPlugins
from saas.kernel import AppError
from tenants import current_tenant_id, current_transaction

_IN_FORCE = """
SELECT plugin, settings FROM plugin_setting
WHERE tenant_id = $1 AND superseded_at IS NULL AND enabled
  AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2)
ORDER BY plugin
"""
_NEWEST = """
SELECT id, plugin, enabled, settings, valid_from, version FROM plugin_setting
WHERE tenant_id = $1 AND plugin = $2 AND superseded_at IS NULL AND valid_to IS NULL
"""
_ALL_NEWEST = """
SELECT id, plugin, enabled, settings, valid_from, version FROM plugin_setting
WHERE tenant_id = $1 AND superseded_at IS NULL AND valid_to IS NULL ORDER BY plugin LIMIT 200
"""
_TENANTS_KEPT = 1024


@dataclass(frozen=True, slots=True)
class PluginState:
    """The newest settings of one plugin; `valid_from` may lie ahead."""

    id: UUID
    plugin: str
    enabled: bool
    settings: dict[str, Any]
    valid_from: date
    version: int


async def plugin_state(plugin: str) -> PluginState | None:
    """The newest state of a plugin in the tenant of the open transaction; None for one never enabled there."""
    row = await current_transaction().fetchrow(_NEWEST, current_tenant_id(), plugin)
    if row is None:
        return None
    return PluginState(**{**row, "settings": orjson.loads(row["settings"])})


async def plugin_states() -> dict[str, PluginState]:
    """The newest state of every plugin that the tenant of the open transaction ever enabled, by plugin."""
    rows = await current_transaction().fetch(_ALL_NEWEST, current_tenant_id())
    return {row["plugin"]: PluginState(**{**row, "settings": orjson.loads(row["settings"])}) for row in rows}


async def enabled_plugins(host: PluginHost, *, on: date) -> TenantPlugins:
    """The plugins that the tenant of the open transaction has enabled on a day, with their settings."""
    settings: dict[str, PluginSettings] = {}
    unusable: dict[str, str] = {}
    for row in await current_transaction().fetch(_IN_FORCE, current_tenant_id(), on):
        try:
            settings[row["plugin"]] = _usable(host, row["plugin"], orjson.loads(row["settings"]))
        except PluginUnknown:
            unusable[row["plugin"]] = "extensions.plugin_missing"
        except AppError:
            unusable[row["plugin"]] = "extensions.plugin_settings_outdated"
    return TenantPlugins(settings, unusable)


class PluginsByVersion:
    """`enabled_plugins`, remembered per tenant, its version and day: no time-outs, so a change acts at once."""

    def __init__(self, host: PluginHost) -> None:
        self._host = host
        self._kept: OrderedDict[UUID, tuple[int, date, TenantPlugins]] = OrderedDict()

    async def enabled(self, *, version: int, on: date) -> TenantPlugins:
        """The tenant's plugins; `version` is ``platform.tenant.version`` as the session check returned it."""
        tenant_id = current_tenant_id()
        kept = self._kept.get(tenant_id)
        if kept and kept[:2] == (version, on):
            self._kept.move_to_end(tenant_id)
            return kept[2]
        found = await enabled_plugins(self._host, on=on)
        self._kept[tenant_id] = (version, on, found)
        self._kept.move_to_end(tenant_id)
        if len(self._kept) > _TENANTS_KEPT:
            self._kept.popitem(last=False)
        return found


def _usable(host: PluginHost, plugin: str, stored: dict[str, Any]) -> PluginSettings:
    return parse_settings(host.manifest(plugin).settings, stored)
