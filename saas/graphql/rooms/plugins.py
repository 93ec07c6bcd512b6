"""Root fields of the plugin host: what is installed, and what the company has enabled, with its settings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import orjson
import strawberry

from saas.extensions import (
    CONFIGURE_PLUGINS,
    PluginHost,
    PluginState,
    configure_plugin,
    disable_plugin,
    dump_settings,
    enable_plugin,
    plugin_states,
)
from saas.graphql.fields import Info, mutation, query
from saas.graphql.payloads import Payload
from saas.graphql.scalars import check_texts
from saas.kernel import AppError, BadUserInput
from tenants import DatabaseRole


@strawberry.type(name="Plugin", description="A plugin of this installation, as the company uses it. Since 0.1.")
class PluginNode:
    """What is installed and what is set."""

    name: str = strawberry.field(description="Its name, e.g. realty. Since 0.1.")
    title: str = strawberry.field(description="Its title in the caller's language. Since 0.1.")
    version: str | None = strawberry.field(
        description="The installed version; null where it is not installed any more. Since 0.1."
    )
    is_in_force: bool = strawberry.field(description="Whether it takes part in decisions now. Since 0.1.")
    is_enabled: bool = strawberry.field(description="Whether its newest settings enable it. Since 0.1.")
    valid_from: date | None = strawberry.field(
        description="First day of the newest settings, may lie ahead; null before the first. Since 0.1."
    )
    settings: str = strawberry.field(description="The newest settings, or the defaults, as JSON text. Since 0.1.")
    settings_version: int = strawberry.field(
        description="Rises with every change, 0 before the first; changes ask for it. Since 0.1."
    )


@query(requires=CONFIGURE_PLUGINS, description="The installed plugins and those the company has enabled, at most 400")
async def plugins(info: Info) -> list[PluginNode]:
    installed, states = info.room(PluginHost).manifests, await plugin_states()
    return [_node(info, name, states.get(name)) for name in sorted({*installed, *states})]


def _node(info: Info, name: str, state: PluginState | None) -> PluginNode:
    manifest = info.room(PluginHost).manifests.get(name)
    defaults = dump_settings(manifest.settings()) if manifest else {}
    return PluginNode(
        name=name,
        title=manifest.title[info.locale] if manifest else name,
        version=manifest.version if manifest else None,
        is_in_force=name in info.plugins.names,
        is_enabled=state is not None and state.enabled,
        valid_from=state.valid_from if state else None,
        settings=orjson.dumps(state.settings if state else defaults, option=orjson.OPT_SORT_KEYS).decode(),
        settings_version=state.version if state else 0,
    )


@strawberry.type(description="The plugin with its newest settings. Since 0.1.")
class PluginPayload(Payload):
    """Answer of pluginEnable, pluginConfigure and pluginDisable."""

    plugin: PluginNode | None = strawberry.field(
        description="The plugin; isInForce tells of the time before the change. Null when refused. Since 0.1.",
        default=None,
    )


@strawberry.input(description="A plugin's settings, from a day on. Since 0.1.")
class PluginSettingsInput:
    """All settings, not a difference."""

    name: str = strawberry.field(description="The plugin's name.")
    settings: str = strawberry.field(
        description="A JSON object as text, at most 64 KiB; what is absent has its default.", default="{}"
    )
    reason: str = strawberry.field(description="Why, 1 to 500 characters; it stands in the audit trail.")
    expected_version: int = strawberry.field(description="The settingsVersion as it was read; 0 before the first.")
    valid_from: date | None = strawberry.field(
        description="The day from which it holds, in the company's calendar; today when absent.", default=None
    )


@mutation(
    requires=CONFIGURE_PLUGINS, database=DatabaseRole.PLATFORM, description="Enable an installed plugin with settings"
)
async def plugin_enable(info: Info, input: PluginSettingsInput) -> PluginPayload:  # noqa: A002
    state = await enable_plugin(
        info.actor,
        host=info.room(PluginHost),
        plugin=input.name,
        settings=_settings(input.settings),
        reason=input.reason,
        expected_version=input.expected_version,
        valid_from=input.valid_from,
        clock=info.clock,
    )
    return PluginPayload(plugin=_node(info, input.name, state))


@mutation(
    requires=CONFIGURE_PLUGINS, database=DatabaseRole.PLATFORM, description="Give an enabled plugin other settings"
)
async def plugin_configure(info: Info, input: PluginSettingsInput) -> PluginPayload:  # noqa: A002
    state = await configure_plugin(
        info.actor,
        host=info.room(PluginHost),
        plugin=input.name,
        settings=_settings(input.settings),
        reason=input.reason,
        expected_version=input.expected_version,
        valid_from=input.valid_from,
        clock=info.clock,
    )
    return PluginPayload(plugin=_node(info, input.name, state))


@strawberry.input(description="Which plugin to disable, from a day on. Since 0.1.")
class PluginDisableInput:
    """The settings stay for the record."""

    name: str = strawberry.field(description="The plugin's name.")
    reason: str = strawberry.field(description="Why, 1 to 500 characters; it stands in the audit trail.")
    expected_version: int = strawberry.field(description="The settingsVersion as it was read.")
    valid_from: date | None = strawberry.field(
        description="The first day without it, in the company's calendar; today when absent.", default=None
    )


@mutation(requires=CONFIGURE_PLUGINS, database=DatabaseRole.PLATFORM, description="Disable a plugin")
async def plugin_disable(info: Info, input: PluginDisableInput) -> PluginPayload:  # noqa: A002
    state = await disable_plugin(
        info.actor,
        plugin=input.name,
        reason=input.reason,
        expected_version=input.expected_version,
        valid_from=input.valid_from,
        clock=info.clock,
    )
    return PluginPayload(plugin=_node(info, input.name, state))


def _settings(text: str) -> Mapping[str, Any]:
    """The settings that a text holds.

    :raises BadUserInput: it is no JSON object, or holds a text that can't be stored.
    """
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise BadUserInput("graphql.json_malformed").at("input", "settings")
    try:
        check_texts(found)
    except AppError as error:
        raise error.at("input", "settings", *error.field) from None
    return found
