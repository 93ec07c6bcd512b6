"""Refusals of the plugin host: at the start (a plugin is rejected), at a call (a plugin failed), at a setting."""

from __future__ import annotations

from saas.kernel import AppError, BadUserInput, Conflict, Unavailable


class PluginRejected(AppError):
    """A plugin that can't be used stops the start; `args` name the ``plugin`` and the fact's values."""

    def __init__(self, fact: str, plugin: str, **values: str) -> None:
        super().__init__(f"extensions.rejected_{fact}", {"plugin": plugin, **values})


class PluginFailed(AppError):
    """A plugin raised, or answered something its hook does not allow: the whole operation fails."""

    def __init__(self, plugin: str, hook: str, fact: str) -> None:
        super().__init__("extensions.plugin_failed", {"plugin": plugin, "hook": hook, "fact": fact})


class PluginUnusable(Unavailable):
    """A plugin is enabled but not installed, or its stored settings don't fit its present version.

    To calculate without it would silently drop a rule the company relies on.
    """


class PluginUnknown(BadUserInput):
    """No installed plugin has this name."""


class SettingRefused(BadUserInput):
    """A setting that the plugin's type or rules do not allow; `field` is its path."""


class PluginNotEnabled(Conflict):
    """The plugin is not enabled, so it can't be configured or disabled."""


class PluginAlreadyEnabled(Conflict):
    """The plugin is enabled already; configure it instead."""
