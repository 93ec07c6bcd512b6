"""The plugin host: discovery of plugins, the checks they must pass, and calls of their hooks.

Each company enables plugins for itself, with typed, dated, audited settings. Nothing else knows pluggy.
"""

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
from saas.extensions.settings import EmployeeId, NoSettings, PluginSettings, Problem, Title, parse_settings
from saas.extensions.tenant_plugins import TenantPlugins

__all__ = [
    "API_VERSION",
    "EmployeeId",
    "Manifest",
    "NoSettings",
    "PluginAlreadyEnabled",
    "PluginFailed",
    "PluginHost",
    "PluginNotEnabled",
    "PluginRejected",
    "PluginSettings",
    "PluginUnknown",
    "PluginUnusable",
    "Problem",
    "SettingRefused",
    "TenantPlugins",
    "Title",
    "hookimpl",
    "hookspec",
    "installed_plugins",
    "parse_settings",
]
