"""Tables of the extensions room."""

from __future__ import annotations

from typing import Any

from tortoise import fields

from tenants import TenantMeta, TenantModel


class PluginSetting(TenantModel):
    """What a company set for a plugin, from when to when (half-open days).

    A change closes the row before it, or supersedes it where it would begin on the same day or later; versions
    count the changes of one plugin. At most one row per plugin is open, and it has the newest version.
    """

    plugin = fields.CharField(max_length=40)
    enabled = fields.BooleanField()
    settings: dict[str, Any] = fields.JSONField()
    valid_from = fields.DateField()
    valid_to = fields.DateField(null=True)
    version = fields.IntField()
    changed_by = fields.UUIDField()
    reason = fields.CharField(max_length=500)
    known_at = fields.DatetimeField()
    superseded_at = fields.DatetimeField(null=True)

    class Meta(TenantMeta):
        table = "plugin_setting"
