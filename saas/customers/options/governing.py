"""Who looks into the pool, what the ledger shows, what a release must say, who tightens rules (P02, P32, P49, P50)."""

from __future__ import annotations

from dataclasses import dataclass

from saas.customers.options.declaring import option


@dataclass(frozen=True)
class GoverningOptions:
    """Options of what is told in public, and of who decides about the options."""

    visible_to_all: bool = option("P02", False, "Whether everybody may look into the pool; else its members alone.")
    shows_names: bool = option("P50", True, "Whether the public ledger names people.")
    release_reasons: tuple[str, ...] = option(
        "P32", (), "The reasons that a release may have; none: any.", longest=50, length=30
    )
    tightening_needs_approval: bool = option(
        "P49", False, "Whether a second person decides about changes that can take customers sooner."
    )
