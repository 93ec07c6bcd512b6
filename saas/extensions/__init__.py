"""The plugin host: discovery of plugins, the checks they must pass, and calls of their hooks.

Each company enables plugins for itself, with typed, dated, audited settings. Nothing else knows pluggy.
"""

from saas.extensions.actions import CONFIGURE_PLUGINS, configure_plugin, disable_plugin, enable_plugin
from saas.extensions.errors import (
    PluginAlreadyEnabled,
    PluginFailed,
    PluginNotEnabled,
    PluginRejected,
    PluginUnknown,
    PluginUnusable,
    SettingRefused,
)
from saas.extensions.host import PluginHost, hookimpl, hookspec, installed_plugins
from saas.extensions.manifest import API_VERSION, Manifest
from saas.extensions.queries import PluginsByVersion, PluginState, enabled_plugins, plugin_state, plugin_states
from saas.extensions.settings import (
    EmployeeId,
    LegalEntityId,
    NoSettings,
    PluginSettings,
    Problem,
    Title,
    dump_settings,
    parse_settings,
)
from saas.extensions.tenant_plugins import TenantPlugins

__all__ = [
    "API_VERSION",
    "CONFIGURE_PLUGINS",
    "EmployeeId",
    "LegalEntityId",
    "Manifest",
    "NoSettings",
    "PluginAlreadyEnabled",
    "PluginFailed",
    "PluginHost",
    "PluginNotEnabled",
    "PluginRejected",
    "PluginSettings",
    "PluginState",
    "PluginUnknown",
    "PluginUnusable",
    "PluginsByVersion",
    "Problem",
    "SettingRefused",
    "TenantPlugins",
    "Title",
    "configure_plugin",
    "disable_plugin",
    "dump_settings",
    "enable_plugin",
    "enabled_plugins",
    "hookimpl",
    "hookspec",
    "installed_plugins",
    "parse_settings",
    "plugin_state",
    "plugin_states",
]
