"""A change of a decline policy before it is saved: how many customers of whom would decline by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from saas.circulation.actions.policies import PolicyChange, changed_terms
from saas.circulation.errors import DryRunTooLarge
from saas.circulation.queries import find_policies, gather_histories
from saas.circulation.rules.declines import find_declines
from saas.circulation.rules.terms import DeclineTerms, PolicyKind
from saas.customers import find_dealt_customers, get_pool
from tenants import current_tenant_id, current_transaction

MOST = 10_000
"""Customers that one request judges."""

_PAGE = 500
_OPEN = "SELECT DISTINCT customer_id FROM customer_decline WHERE tenant_id = $1 AND pool_id = $2 AND state = 'open'"


@dataclass(slots=True)
class DeclineEffect:
    """Customers of a person: how many have a deal, decline by the new terms, do so only by these, or no longer."""

    judged: int = 0
    declining: int = 0
    fresh: int = 0
    freed: int = 0


@dataclass(slots=True)
class DeclineForecast:
    """What the terms would find today, by person."""

    people: dict[UUID, DeclineEffect] = field(default_factory=dict)

    def add(self, owner_id: UUID, *, is_declining: bool, is_open: bool) -> None:
        """Count a customer more."""
        effect = self.people.setdefault(owner_id, DeclineEffect())
        effect.judged += 1
        effect.declining += is_declining
        effect.fresh += is_declining and not is_open
        effect.freed += is_open and not is_declining


async def dry_run_declines(
    pool_id: UUID, wanted: Mapping[str, Any], *, currency: str, time_zone: str, today: date
) -> DeclineForecast:
    """Judge a pool's dealt customers by other terms, as if they held today (permission ``circulation:configure``).

    :raises PoolNotFound: this company has no such pool.
    :raises AppErrors: terms that are out of range or contradict each other.
    :raises DryRunTooLarge: more than `MOST` customers have a deal.
    """
    pool, forecast = await get_pool(pool_id), DeclineForecast()
    last = next(iter(await find_policies(pool.id, PolicyKind.DECLINE)), None)
    change = PolicyChange(pool.id, PolicyKind.DECLINE, wanted)
    terms = changed_terms(change, None if last is None else last.terms, warns=bool(pool.settings.reminder_days))
    assert isinstance(terms, DeclineTerms), "the change is of a decline policy"
    rows = await current_transaction().fetch(_OPEN, current_tenant_id(), pool.id)
    is_open, judged, after = {row["customer_id"] for row in rows}, 0, UUID(int=0)
    while held := await find_dealt_customers(pool.id, after=after, most=_PAGE, today=today):
        judged, after = judged + len(held), held[-1].customer_id
        if judged > MOST:
            raise DryRunTooLarge("circulation.dry_run_too_large", {"most": MOST}, field=("pool",))
        histories = await gather_histories(held, terms, pool.settings, today=today, time_zone=time_zone)
        for each, history in zip(held, histories, strict=True):
            found = find_declines(history, terms, today=today, currency=currency)
            forecast.add(each.owner_id, is_declining=bool(found), is_open=each.customer_id in is_open)
    return forecast
