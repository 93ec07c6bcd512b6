"""A change of a decline policy before it is saved: how many customers of whom would decline by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from saas.circulation.actions.policies import PolicyChange, changed_terms
from saas.circulation.errors import DryRunTooLarge
from saas.circulation.queries import find_policies, gather_histories
from saas.circulation.rules.declines import find_declines
from saas.circulation.rules.terms import DeclineTerms, PolicyKind
from saas.customers import PoolHolding, PoolSettings, find_dealt_customers, get_pool
from tenants import current_tenant_id, current_transaction

MOST = 10_000
"""Customers that one request judges."""

_PAGE = 500
_OPEN = """
SELECT DISTINCT customer_id FROM customer_decline
WHERE tenant_id = $1 AND pool_id = $2 AND customer_id = ANY ($3) AND state = 'open'
"""


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

    def plain(self) -> dict[str, tuple[int, ...]]:
        """As JSON values."""
        return {str(owner_id): astuple(effect) for owner_id, effect in self.people.items()}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Sequence[int]]) -> DeclineForecast:
        """What `plain` described."""
        return cls({UUID(owner_id): DeclineEffect(*counts) for owner_id, counts in plain.items()})


@dataclass(frozen=True, slots=True)
class DeclineTrial:
    """Terms that are thought of for a pool; `version` is the newest of its policy, 0 where there is none."""

    pool_id: UUID
    version: int
    terms: DeclineTerms
    settings: PoolSettings
    settings_version: int

    async def judge(self, held: Sequence[PoolHolding], forecast: DeclineForecast, by: TrialDay) -> None:
        """Add customers to a forecast."""
        ids = [each.customer_id for each in held]
        rows = await current_transaction().fetch(_OPEN, current_tenant_id(), self.pool_id, ids)
        is_open = {row["customer_id"] for row in rows}
        histories = await gather_histories(held, self.terms, self.settings, today=by.today, time_zone=by.time_zone)
        for each, history in zip(held, histories, strict=True):
            found = find_declines(history, self.terms, today=by.today, currency=by.currency)
            forecast.add(each.owner_id, is_declining=bool(found), is_open=each.customer_id in is_open)


@dataclass(frozen=True, slots=True)
class TrialDay:
    """The day as which terms are tried, and what the company counts by."""

    today: date
    time_zone: str
    currency: str


async def prepare_decline_trial(pool_id: UUID, wanted: Mapping[str, Any]) -> DeclineTrial:
    """What a wish comes to, checked.

    :raises PoolNotFound, AppErrors: see `dry_run_declines`.
    """
    pool = await get_pool(pool_id)
    last = next(iter(await find_policies(pool.id, PolicyKind.DECLINE)), None)
    change = PolicyChange(pool.id, PolicyKind.DECLINE, wanted)
    terms = changed_terms(change, None if last is None else last.terms, warns=bool(pool.settings.reminder_days))
    assert isinstance(terms, DeclineTerms), "the change is of a decline policy"
    return DeclineTrial(pool.id, 0 if last is None else last.version, terms, pool.settings, pool.settings_version)


async def dry_run_declines(
    pool_id: UUID, wanted: Mapping[str, Any], *, currency: str, time_zone: str, today: date
) -> DeclineForecast:
    """Judge a pool's dealt customers by other terms, as if they held today (permission ``circulation:configure``).

    :raises PoolNotFound: this company has no such pool.
    :raises AppErrors: terms that are out of range or contradict each other.
    :raises DryRunTooLarge: more than `MOST` customers have a deal.
    """
    trial, forecast = await prepare_decline_trial(pool_id, wanted), DeclineForecast()
    day, judged, after = TrialDay(today, time_zone, currency), 0, UUID(int=0)
    while held := await find_dealt_customers(pool_id, after=after, most=_PAGE, today=today):
        judged, after = judged + len(held), held[-1].customer_id
        if judged > MOST:
            raise DryRunTooLarge("circulation.dry_run_too_large", {"most": MOST}, field=("pool",))
        await trial.judge(held, forecast, day)
    return forecast
