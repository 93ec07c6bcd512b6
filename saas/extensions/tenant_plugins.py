"""What one tenant has enabled: a plain value that goes into hook calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from saas.extensions.settings import PluginSettings


@dataclass(frozen=True, slots=True)
class TenantPlugins:
    """The enabled plugins of one tenant on one day.

    `settings` maps plugin to its typed settings; `unusable` maps an enabled plugin that is not installed, or whose
    stored settings no longer fit, to the message key that says which: hooks then refuse to run at all.
    """

    settings: Mapping[str, PluginSettings] = field(default_factory=dict)
    unusable: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """The plugins whose fields the tenant sees."""
        return frozenset(self.settings)
