"""What goes into a pool and out of it: kinds, waiting, and what comes back (section 6 of the rules of the pool)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from saas.analytics.behaviour.tallies import RECEIVED
from saas.customers import HeldCustomer, HeldOwnership
from saas.kernel import Period

BACK_DAYS = 30
_BACK = frozenset({"release", "recycle", "separation"})


@dataclass(slots=True)
class Flow:
    """Customers that came back by how (`back`), were taken by how (`taken`), and the days those had `waited`.

    Of those taken, `returned` were back in the pool inside thirty days and `kept` were not; of the others it is not
    known yet.
    """

    back: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    waited: Counter[int] = field(default_factory=Counter)
    returned: int = 0
    kept: int = 0


def add_flow(customer: HeldCustomer, pool_id: UUID, period: Period, *, today: date, into: Flow) -> None:
    """Add what a customer did in a pool in a period."""
    rows = customer.ownerships
    for place, each in enumerate(rows):
        after = rows[place + 1] if place + 1 < len(rows) else None
        if each.pool_id != pool_id:
            continue
        if each.ended_on is not None and each.ended_on in period and _goes_back(each, after):
            into.back[str(each.end_kind)] += 1
        if each.started_on in period and each.start_kind in RECEIVED:
            into.taken[each.start_kind] += 1
            since = customer.created_on if place == 0 else rows[place - 1].ended_on or customer.created_on
            into.waited[max(0, (each.started_on - since).days)] += 1
            _count_return(each, after, today=today, into=into)


def _goes_back(each: HeldOwnership, after: HeldOwnership | None) -> bool:
    """Whether it went to the pool: not what a successor of the leaver took over at that instant."""
    return each.end_kind in _BACK and (after is None or after.started_at != each.ended_at)


def _count_return(each: HeldOwnership, after: HeldOwnership | None, *, today: date, into: Flow) -> None:
    """Known of customers alone whose thirty days are over; what others took over meanwhile is not back."""
    last = each.started_on + timedelta(days=BACK_DAYS)
    if today > last:
        is_back = each.ended_on is not None and each.ended_on <= last and _goes_back(each, after)
        into.returned += is_back
        into.kept += not is_back
