"""From facts to entries: each event that a plan pays for, once per award and person, with the rule chosen for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from saas.incentives.errors import FactRefused
from saas.incentives.rules.choice import Choice, Subject, choose
from saas.incentives.rules.facts import Deal, Facts, Receipt, TeamSpell, in_order, without_vat
from saas.incentives.rules.lines import Stream
from saas.incentives.rules.plans import (
    Award,
    CustomerKind,
    Measure,
    Moment,
    Override,
    Plan,
    PlanVersion,
    Rule,
)
from saas.incentives.rules.tiers import PerUnit
from saas.kernel import AppError, AppErrors, Explanation, Period, Scalar


@dataclass(frozen=True, slots=True)
class Event:
    """A signing or a receipt that earns. `gross` has VAT in it, `base` is what the plan measures, not rounded."""

    id: str
    at: datetime
    on: date
    deal: Deal
    gross: Decimal
    vat_rate: Decimal
    base: Fraction
    units: Fraction
    stage: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """An event credited to a person under a rule.

    `place` is the person's among the participants, None for an override; `share` is of the event's base.
    """

    event: Event
    version: PlanVersion
    rule: Rule
    rejected: tuple[Explanation, ...]
    person: str
    stream: Stream
    award: Award
    place: int | None
    share: Fraction

    @property
    def base(self) -> Fraction:
        """What is credited to the person."""
        return self.event.base * self.share

    def keeping(self, kept: Fraction) -> Entry:
        """The same entry with only this fraction of its event left."""
        event = replace(self.event, base=self.event.base * kept, units=self.event.units * kept)
        return replace(self, event=event)


@dataclass(frozen=True, slots=True)
class _Company:
    """Who is calculated, who takes part in which version, who manages whom: found by name, once for all events."""

    people: Collection[str] | None
    taking: Mapping[tuple[int, str], Sequence[Period]]
    by_member: Mapping[str, Sequence[TeamSpell]]
    by_manager: Mapping[str, Sequence[TeamSpell]]

    @classmethod
    def of(cls, facts: Facts, plan: Plan, people: Collection[str] | None) -> _Company:
        taking: dict[tuple[int, str], list[Period]] = defaultdict(list)
        for version in plan.versions:
            for participant in version.participants:
                taking[version.number, participant.person].append(participant.during)
        by_member: dict[str, list[TeamSpell]] = defaultdict(list)
        by_manager: dict[str, list[TeamSpell]] = defaultdict(list)
        for spell in facts.teams:
            by_member[spell.member].append(spell)
            by_manager[spell.manager].append(spell)
        return cls(None if people is None else frozenset(people), taking, by_member, by_manager)

    def is_paid(self, person: str, version: PlanVersion, day: date) -> bool:
        """Whether the person is to be calculated, and takes part on that day; without participants all do."""
        if self.people is not None and person not in self.people:
            return False
        return not version.participants or any(day in days for days in self.taking.get((version.number, person), ()))

    def spells_of(self, member: str, day: date) -> Iterator[TeamSpell]:
        """In whose teams the person is."""
        return (spell for spell in self.by_member.get(member, ()) if day in spell.during)

    def manages(self, manager: str, day: date) -> bool:
        """Whether the person has a team."""
        return any(day in spell.during for spell in self.by_manager.get(manager, ()))


def entries_of(facts: Facts, plan: Plan, *, people: Collection[str] | None = None) -> list[Entry]:
    """Every entry, in the order of events. `people` limits whom entries are for; it changes none of them.

    :raises AppErrors: with a `FactRefused` for each event that no version or no rule covers, or whose customer has no
        first order where a rule asks for it.
    """
    entries: list[Entry] = []
    problems: list[AppError] = []
    company = _Company.of(facts, plan, people)
    for event in _events(facts, plan):
        version = plan.version_on(event.on)
        if version is None:
            values = {"event": event.id, "plan": plan.title, "on": event.on.isoformat()}
            problems.append(FactRefused("incentives.plan_not_in_force", values))
            continue
        if event.deal.product in version.commission_free:
            continue
        try:
            entries += _own(event, plan, version, company)
            entries += _overrides(event, version, company)
        except FactRefused as refusal:
            problems.append(refusal)
    if problems:
        raise AppErrors(problems)
    return entries


def _events(facts: Facts, plan: Plan) -> Iterator[Event]:
    deals = {deal.id: deal for deal in facts.deals}
    if plan.measure is Measure.SIGNED:
        for deal in sorted(facts.deals, key=in_order):
            base = order_amount(deal, plan)
            units = Fraction(deal.units or 0)
            yield Event(deal.id, deal.at, deal.on, deal, deal.amount, deal.vat_rate, base, units, None)
        return
    for receipt in sorted(facts.receipts, key=in_order):
        yield _receipt_event(receipt, deals[receipt.deal], plan)


def _receipt_event(receipt: Receipt, deal: Deal, plan: Plan) -> Event:
    vat_rate = deal.vat_rate if plan.vat_rate_at is Moment.SIGNING else receipt.vat_rate
    base = Fraction(receipt.amount) if plan.with_vat else without_vat(receipt.amount, vat_rate)
    return Event(receipt.id, receipt.at, receipt.on, deal, receipt.amount, vat_rate, base, Fraction(0), receipt.stage)


def order_amount(deal: Deal, plan: Plan) -> Fraction:
    """The amount of an order as the plan measures it."""
    return Fraction(deal.amount) if plan.with_vat else without_vat(deal.amount, deal.vat_rate)


def _own(event: Event, plan: Plan, version: PlanVersion, company: _Company) -> Iterator[Entry]:
    credit = event.deal.credit
    for place, part in enumerate(credit.shares):
        if not company.is_paid(part.person, version, event.on):
            continue
        for award in Award:
            choice = _chosen(event, plan, version, part.person, award)
            if choice.rule is not None:
                fraction = credit.fraction(place)
                yield Entry(
                    event, version, choice.rule, choice.rejected, part.person, Stream.OWN, award, place, fraction
                )


def _chosen(event: Event, plan: Plan, version: PlanVersion, person: str, award: Award) -> Choice:
    """The rule for a participant.

    :raises FactRefused: commission that no rule covers, or units that nobody entered; a silent 0 would hide it.
    """
    rules = [rule for rule in version.rules if rule.award is award]
    choice = choose(rules, _subject(event, plan, version, person))
    if choice.rule is None and award is Award.COMMISSION:
        values: dict[str, Scalar] = {"deal": event.deal.id, "event": event.id, "person": person}
        values["version"] = version.number
        raise FactRefused("incentives.rule_missing", values)
    if choice.rule is not None and isinstance(choice.rule.shape, PerUnit) and event.deal.units is None:
        raise FactRefused("incentives.units_missing", {"deal": event.deal.id, "rule": choice.rule.title})
    return choice


def _subject(event: Event, plan: Plan, version: PlanVersion, person: str) -> Subject:
    deal = event.deal
    return Subject(
        person=person,
        customer=deal.customer.id,
        level=deal.customer.level,
        kind=_customer_kind(event, version),
        variant=deal.variant,
        product=deal.product,
        category=deal.category,
        channel=deal.channel,
        amount=order_amount(deal, plan),
        stage=event.stage,
        on=event.on,
    )


def _customer_kind(event: Event, version: PlanVersion) -> CustomerKind | None:
    """New in ``[first order, first order + days)``: day 0 counts, the last day does not (3.6).

    :raises FactRefused: the version has such days, and the customer no first order.
    """
    if version.new_customer_days is None:
        return None
    first = event.deal.customer.first_order_on
    if first is None:
        values = {"deal": event.deal.id, "customer": event.deal.customer.id}
        raise FactRefused("incentives.first_order_missing", values)
    return CustomerKind.NEW if (event.on - first).days < version.new_customer_days else CustomerKind.OLD


def _overrides(event: Event, version: PlanVersion, company: _Company) -> Iterator[Entry]:
    """One entry per manager: the members' shares add up first, so a split in the team is not rounded twice."""
    if version.override is None:
        return
    rule = _override_rule(version.override)
    for manager, share in sorted(_team_shares(event, company, own_deals=version.override.own_deals).items()):
        if company.is_paid(manager, version, event.on):
            yield Entry(event, version, rule, (), manager, Stream.OVERRIDE, Award.COMMISSION, None, share)


def _team_shares(event: Event, company: _Company, *, own_deals: bool) -> dict[str, Fraction]:
    """By manager, which part of the event the team is credited with."""
    shares: dict[str, Fraction] = defaultdict(Fraction)
    credit = event.deal.credit
    for place, part in enumerate(credit.shares):
        managers = {spell.manager for spell in company.spells_of(part.person, event.on)} - {part.person}
        if own_deals and company.manages(part.person, event.on):
            managers.add(part.person)
        for manager in managers:
            shares[manager] += credit.fraction(place)
    return shares


def _override_rule(override: Override) -> Rule:
    return Rule("override", "override", override.shape)
