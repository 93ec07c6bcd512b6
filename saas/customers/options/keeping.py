"""What a change of the rules of recycling leaves in force for holdings that are open when it begins (P27)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from saas.customers.errors import PoolRuleOutOfRange
from saas.customers.options.declaring import as_text, camel, from_json
from saas.kernel import AppErrors

KEPT_MAX = 50
"""How many changes may reach new holdings alone, one after the other: each claim reads them with the settings."""


@dataclass(frozen=True, slots=True)
class KeptRules:
    """How the rules were up to a version: of the `options` that the next one changed, the values before, as JSON has
    them. What it did not change is as after it.

    The next one began on `until_on` and was decided at `until_at`, None in a dry run. `not_before` and
    `protection_ends_from` are those of the settings before.
    """

    version: int
    until_on: date
    until_at: datetime | None
    not_before: date | None
    protection_ends_from: date | None
    options: Mapping[str, Any] = field(hash=False)

    def as_before(self, hints: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of the settings that were other before the next version; `hints` are the types of the fields."""
        options = {name: from_json(hints[name], value) for name, value in self.options.items()}
        return {**options, "not_before": self.not_before, "protection_ends_from": self.protection_ends_from}


def as_plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Values of options as JSON has them."""
    plain: dict[str, Any] = json.loads(as_text(options))
    return plain


def check_kept(kept: Sequence[KeptRules]) -> None:
    """Refuse more changes for new holdings alone than a pool keeps apart.

    :raises AppErrors: there are more than `KEPT_MAX` since the last one that reached all.
    """
    if len(kept) > KEPT_MAX:
        place = (camel("change_effect"),)
        raise AppErrors([PoolRuleOutOfRange("customers.pool_changes_kept", {"most": KEPT_MAX}, field=place)])
