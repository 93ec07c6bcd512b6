"""Who may take customers out of a pool, and how many (P04 to P08, P34)."""

from __future__ import annotations

from dataclasses import dataclass

from saas.customers.options.declaring import option


@dataclass(frozen=True)
class ClaimingOptions:
    """Options of claims and assignments. The first two stand in columns of the pool as well: a claim needs no more."""

    claim_limit: int = option(
        "P05", 10, "Claims per person and local day; 0 closes the pool to claims.", least=0, most=200
    )
    cooldown_days: int = option("P34", 7, "Whole days before a former owner may claim again.", least=0, most=365)
    assign_ignores_cooldown: bool = option("P07", True, "Whether assignments ignore the cooldown.")
