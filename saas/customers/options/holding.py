"""How much a person may hold, lock, protect and extend (P09, P15, P16, P33, P49)."""

from __future__ import annotations

from dataclasses import dataclass

from saas.customers.options.declaring import option

DAYS_MAX = 3650


@dataclass(frozen=True)
class HoldingOptions:
    """Options of what people have in hand; limits are counts, days are calendar days."""

    holding_limit: int = option("P09", 200, "Customers a person may hold.", least=0, most=10_000)
    lock_limit: int = option("P15", 5, "Customers a person may lock at once; 0: none.", least=0, most=10_000)
    lock_days: int = option("P15", 90, "Days that a lock holds at the longest.", least=1, most=DAYS_MAX)
    rep_protection_limit: int = option(
        "P16", 10, "Customers a person may protect at once; 0: none.", least=0, most=10_000
    )
    rep_protection_days: int = option(
        "P16", 30, "Days that a protection by its rep holds at the longest.", least=1, most=DAYS_MAX
    )
    extension_times: int = option("P33", 1, "How often a holding may be extended; 0: never.", least=0, most=10)
    extension_days: int = option("P33", 15, "Days of an extension at the longest.", least=1, most=365)
    extension_needs_approval: bool = option("P49", True, "Whether a supervisor decides about extensions.")
