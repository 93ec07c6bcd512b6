"""Who may take customers out of a pool, how many, how often, and how soon (P04 to P08, P34, P35)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from saas.customers.errors import PoolRuleOutOfRange
from saas.customers.options.declaring import option


@dataclass(frozen=True)
class ClaimingOptions:
    """Options of claims and assignments. Claim limit and cooldown stand in columns of the pool as well."""

    allows_claims: bool = option("P04", True, "Whether members claim customers for themselves.")
    allows_assignments: bool = option(
        "P04", True, "Whether administrators assign customers, one by one or by a method."
    )
    claim_limit: int | None = option(
        "P05", 10, "Claims per person and local day; 0 closes the pool to claims, null is no limit.", least=0, most=200
    )
    assign_ignores_cooldown: bool = option("P07", True, "Whether assignments ignore the cooldown.")
    admins_claim_freely: bool = option(
        "P07", False, "Whether claims of those who may assign pass claim limit and cooldown."
    )
    claim_interval_minutes: int = option(
        "P08", 0, "Minutes between two claims of a person; 0: none.", least=0, most=1440
    )
    cooldown_days: int = option("P34", 7, "Whole days before a former owner may claim again.", least=0, most=365)
    cooldown_hours: int | None = option(
        "P34",
        None,
        "Hours before a former owner may claim again, for fast leads; beside the days, null: off.",
        least=1,
        most=720,
    )
    cooldown_of_department: bool = option(
        "P34", False, "Whether the cooldown holds for everybody in the former owner's department."
    )
    fair_window_hours: int | None = option(
        "P35", None, "Hours in which nobody claims what came into the pool; null: off.", least=1, most=720
    )
    fair_window_days: int | None = option(
        "P35", None, "Whole days after the day it came in which nobody claims it; null: off.", least=0, most=90
    )
    fair_window_opens_at: str | None = option(
        "P35", None, "Time of the next day from which what came into the pool may be claimed; null: off.", is_time=True
    )

    def claiming_faults(self) -> Iterator[PoolRuleOutOfRange]:
        """Two fair windows at once."""
        windows = {
            "fairWindowHours": self.fair_window_hours,
            "fairWindowDays": self.fair_window_days,
            "fairWindowOpensAt": self.fair_window_opens_at,
        }
        given = [name for name, value in windows.items() if value is not None]
        if len(given) > 1:
            yield PoolRuleOutOfRange("customers.pool_two_windows", {"given": ", ".join(given)}, field=(given[1],))
