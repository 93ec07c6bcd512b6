"""What people's behaviour is judged from: who held a customer, what was done with it, and what came of that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from saas.customers import HeldCustomer, HeldOwnership, ReportedPool
from saas.customers.recycling import OwnershipFacts, RecycleFacts, RecycleRules, effective_follow_ups, holding
from saas.kernel import Period
from saas.sales import SignedDeal, Touch

RULE_DAYS = RecycleRules().no_follow_up.days or 0
"""How long a customer may go without a follow-up where the pool's own rule is off: the product's default (P18)."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How everything is judged: the pools' settings of today, days that customers are new, days that a deal has.

    `today` is the last day of which anything is known. `unit` is the weight of a customer without amounts: one of the
    currency's main unit, in its smallest. `departments` are those that the report is about, None for all.
    """

    pools: Mapping[UUID, ReportedPool]
    new_days: int
    conversion_days: int
    today: date
    unit: int
    departments: frozenset[UUID] | None = None

    def asks(self, held: HeldOwnership) -> bool:
        """Whether the report is about that ownership."""
        return held.pool_id in self.pools and (self.departments is None or held.department_id in self.departments)

    def rules(self, pool_id: UUID) -> RecycleRules:
        """The rules of a pool; the product's own of one that the report is not about."""
        pool = self.pools.get(pool_id)
        return RecycleRules() if pool is None else pool.rules

    def rule_days(self, pool_id: UUID, level: str | None) -> int:
        """How many days a customer may go without an effective follow-up."""
        days = self.rules(pool_id).no_follow_up.days_for(level)
        return RULE_DAYS if days is None else days


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """A customer with what was done (in the order of entry), its standing deals, and what it paid in the twelve months
    up to the end of each period, in smallest units.
    """

    held: HeldCustomer
    touches: Sequence[Touch] = ()
    deals: Sequence[SignedDeal] = ()
    collected: Sequence[int] = ()

    def new_until(self, period: Period, *, new_days: int) -> date:
        """The first day of a period on which it counts as a new customer no more: see `sum_achieved`, which says the
        same.
        """
        first_deal_on = min((each.signed_on for each in self.deals), default=None)
        if first_deal_on is not None and first_deal_on in period:
            return end_of(period)
        return min(each.started_on for each in self.held.ownerships) + timedelta(days=new_days)

    def worth(self, place: int, period: Period, *, unit: int) -> int:
        """What it paid in the twelve months up to the end of the period, else what it signed in them, else `unit`."""
        if self.collected and self.collected[place] > 0:
            return self.collected[place]
        if not self.deals:
            return unit
        months = twelve_months(period)
        return sum(each.amount_minor for each in self.deals if each.signed_on in months) or unit


@dataclass(frozen=True, slots=True)
class Stay:
    """One ownership, with the effective follow-ups done in it (by instant).

    `quiet_from` are the days from which silence was counted, in order and by number (`date.toordinal`): the start of
    the holding, or of the customer where it was entered later, and each effective follow-up of the holding.
    """

    ownership: HeldOwnership
    rule_days: int
    touches: tuple[Touch, ...]
    quiet_from: tuple[int, ...]


def end_of(period: Period) -> date:
    """The first day after a report's period, which always has an end."""
    assert period.until is not None, "a report's period has an end"
    return period.until


def twelve_months(period: Period) -> Period:
    """The twelve months up to the end of a period."""
    return Period(a_year_before(end_of(period)), period.until)


def a_year_before(day: date) -> date:
    """The same day of the year before; 28 February for the 29th."""
    return day.replace(year=day.year - 1, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=day.year - 1)


def read_from(customer: HeldCustomer, periods: Sequence[Period]) -> datetime:
    """The instant since when follow-ups matter: the start of the first holding that reaches into a period."""
    first = min(each.first for each in periods)
    rows = customer.ownerships
    place = next((at for at, each in enumerate(rows) if each.ended_on is None or each.ended_on >= first), len(rows) - 1)
    while place > 0 and rows[place - 1].end_kind == "transfer":
        place -= 1
    return rows[place].started_at


def stays(customer: CustomerFacts, terms: Terms) -> Iterator[Stay]:
    """The customer's ownerships in order, each with its follow-ups, as recycling judges them."""
    holdings = list(_holdings(customer.held.ownerships, terms))
    for place, held in enumerate(holdings):
        until = holdings[place + 1][0].started_at if place + 1 < len(holdings) else None
        yield from _stays_of(customer, held, until, terms)


def _holdings(ownerships: Sequence[HeldOwnership], terms: Terms) -> Iterator[list[HeldOwnership]]:
    """Ownerships put together to holdings (3.1)."""
    if not any(each.end_kind == "transfer" for each in ownerships):
        yield from ([each] for each in ownerships)
        return
    facts = tuple(map(_plain, ownerships))
    held: list[HeldOwnership] = []
    for place, each in enumerate(ownerships):
        upto = RecycleFacts(ownerships=facts[: place + 1])
        if held and len(holding(upto, terms.rules(each.pool_id))) == 1:
            yield held
            held = []
        held.append(each)
    yield held


def _plain(each: HeldOwnership) -> OwnershipFacts:
    return OwnershipFacts(
        each.owner_id, each.department_id, each.started_on, each.ended_on, ended_by_transfer=each.end_kind == "transfer"
    )


def _stays_of(
    customer: CustomerFacts, held: Sequence[HeldOwnership], until: datetime | None, terms: Terms
) -> Iterator[Stay]:
    rules, last = terms.rules(held[-1].pool_id), held[-1].ended_on or terms.today
    done = [
        each
        for each in customer.touches
        if held[0].started_at <= each.at and (until is None or each.at < until) and each.on <= last
    ]
    effective: list[Touch] = []
    if done:
        facts = RecycleFacts(ownerships=tuple(map(_plain, held)), follow_ups=tuple(done))
        counting = {id(each) for each in effective_follow_ups(facts, rules, today=terms.today)}
        effective = sorted((each for each in done if id(each) in counting), key=lambda each: each.at)
    begins = max(held[0].started_on, customer.held.created_on)
    quiet_from = (begins.toordinal(), *sorted({each.on.toordinal() for each in effective if each.on > begins}))
    for own in held:
        is_alone = len(held) == 1
        touches = tuple(each for each in effective if is_alone or _done_in(each, own, held))
        yield Stay(own, terms.rule_days(own.pool_id, customer.held.level), touches, quiet_from)


def _done_in(touch: Touch, own: HeldOwnership, held: Sequence[HeldOwnership]) -> bool:
    """An owner's follow-up belongs to their ownership of that day, anybody else's to the ownership of its instant."""
    owners = [each for each in held if each.owner_id == touch.author_id and _is_day_of(touch.on, each)]
    if owners:
        return own is owners[-1]
    return own.started_at <= touch.at and (own.ended_at is None or touch.at < own.ended_at)


def _is_day_of(day: date, each: HeldOwnership) -> bool:
    return each.started_on <= day and (each.ended_on is None or day <= each.ended_on)
