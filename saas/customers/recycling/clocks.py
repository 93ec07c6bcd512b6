"""The clocks of the rules, and what keeps a customer beyond a due date."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from saas.customers.recycling.facts import OpportunityFacts, RecycleFacts, holding
from saas.customers.recycling.follow_ups import effective_follow_up
from saas.customers.recycling.protections import last_protected_on
from saas.customers.recycling.settings import InactivityRule, RecycleRule, RecycleRules

_DAY = timedelta(days=1)


class Start(Enum):
    """What a clock counts from."""

    CREATED = "created"
    RECEIVED = "received"
    FOLLOW_UP = "follow_up"
    DEAL = "deal"
    DECLINE = "decline"
    CONTRACT_END = "contract_end"
    STAGE = "stage"
    PROTECTION = "protection"
    RESTART = "restart"


class Hold(Enum):
    """What keeps a customer beyond its due date, in the order in which it is named."""

    PROTECTION = "protection"
    LOCK = "lock"
    REP_PROTECTION = "rep_protection"
    EXTENSION = "extension"
    GRACE = "grace"
    POSTPONED = "postponed"


class Exemption(Enum):
    """Why a rule does not run: what P23 exempts, or what the rule is about is not there."""

    DEALT = "dealt"
    NOT_DEALT = "not_dealt"
    NOT_DECLINING = "not_declining"
    NO_CONTRACT = "no_contract"
    NOT_PROTECTED = "not_protected"


@dataclass(frozen=True, slots=True)
class RunningClock:
    """A rule that counts: due when more than `days` have elapsed since `start_on`, so on `start_on` + `days` + 1.

    `kept_until` is the last day on which an open opportunity keeps it from that, where one does (P19, P23).
    """

    rule: RecycleRule
    days: int
    start_on: date
    start: Start
    kept_until: date | None = None

    @property
    def ripe_on(self) -> date:
        """The first day after more than `days`."""
        return self.start_on + timedelta(days=self.days + 1)

    @property
    def counted_from(self) -> date:
        """From when on `days` lead to the due date: `start_on`, or later where something keeps the customer.

        Reminders are of this day: whoever was warned before an opportunity came up is warned again after it.
        """
        return self.due_on - timedelta(days=self.days + 1)

    @property
    def due_on(self) -> date:
        """The first day on which the customer goes."""
        return self.ripe_on if self.kept_until is None else max(self.ripe_on, self.kept_until + _DAY)


def start_of(
    rule: RecycleRule, facts: RecycleFacts, rules: RecycleRules, received_on: date, today: date
) -> tuple[date, Start]:
    """The latest of what there is: a missing date is never infinitely old, and received always exists.

    So what befell the customer before the holding, a decline or the end of a contract, never costs a new owner a day
    of the N (L20); nor does anything from before a change that let the clocks begin anew (P27).
    """
    dates: list[tuple[date | None, Start]] = [(received_on, Start.RECEIVED)]
    if rule in (RecycleRule.NO_FOLLOW_UP, RecycleRule.DEALT_FOLLOW_UP):
        last = effective_follow_up(facts, rules, today=today)
        dates += [(None if last is None else last.on, Start.FOLLOW_UP), (facts.created_on, Start.CREATED)]
    if rule is RecycleRule.DEALT_FOLLOW_UP:
        dates.append((facts.last_deal_on, Start.DEAL))
    elif rule is RecycleRule.DECLINE:
        dates.append((facts.declined_on, Start.DECLINE))
    elif rule is RecycleRule.CONTRACT_END:
        dates.append((facts.contract_ended_on, Start.CONTRACT_END))
    elif rule is RecycleRule.PROTECTION_ENDED:
        dates.append((last_protected_on(facts, rules), Start.PROTECTION))
    if rules.restart is not None:
        dates.append((rules.restart.on, Start.RESTART))
    known = [(day, start) for day, start in dates if day is not None]
    return max(known, key=lambda each: each[0])


def exemption_of(
    rule: RecycleRule, settings: InactivityRule, facts: RecycleFacts, rules: RecycleRules, received_on: date
) -> Exemption | None:
    """Why a rule does not run: a deal, of this holding in any case for P20 (P23), or nothing that it is about."""
    if rule is RecycleRule.DEALT_FOLLOW_UP and facts.last_deal_on is None:
        return Exemption.NOT_DEALT
    if rule is RecycleRule.DECLINE and facts.declined_on is None:
        return Exemption.NOT_DECLINING
    if rule is RecycleRule.CONTRACT_END and facts.contract_ended_on is None:
        return Exemption.NO_CONTRACT
    if rule is RecycleRule.PROTECTION_ENDED and last_protected_on(facts, rules) is None:
        return Exemption.NOT_PROTECTED
    is_met = rule is RecycleRule.NO_DEAL and facts.last_deal_on is not None and facts.last_deal_on >= received_on
    if is_met or (settings.exempts_dealt and facts.last_deal_on is not None):
        return Exemption.DEALT
    return None


def kept_until(rule: RecycleRule, settings: InactivityRule, facts: RecycleFacts, rules: RecycleRules) -> date | None:
    """The last day on which an open opportunity keeps a rule from being due; None where none does (P19, P23).

    Of this holding, whole, and for as long as its stage has advanced within the days the pool allows (L12): so what
    keeps the customer ends by itself, and the day is known ahead.
    """
    if not (settings.exempts_open_opportunity or rule is RecycleRule.NO_OPPORTUNITY):
        return None
    advances = [each.advanced_on for each in opportunities_of_holding(facts, rules) if each.is_whole]
    return max(advances) + timedelta(days=rules.opportunity_days) if advances else None


def opportunities_of_holding(facts: RecycleFacts, rules: RecycleRules) -> list[OpportunityFacts]:
    """The open opportunities of those who own the customer in this holding, begun in it."""
    held = holding(facts, rules)
    owners = {each.owner_id for each in held}
    return [
        each
        for each in facts.opportunities
        if each.owner_id in owners and (each.on is None or each.on >= held[0].began_on)
    ]


def holds(facts: RecycleFacts, rules: RecycleRules) -> Iterator[tuple[Hold, date | None]]:
    """Each hold with the first day it leaves free.

    Protection (P17) is counted from the holding's start: were it counted from each transfer, passing a customer to and
    fro would keep it for ever.
    """
    received_on = holding(facts, rules)[0].began_on
    protected = timedelta(days=rules.protection_days)
    yield Hold.PROTECTION, received_on + protected + _DAY if protected else None
    yield Hold.LOCK, facts.locked_until and facts.locked_until + _DAY
    yield Hold.REP_PROTECTION, facts.protected_until and facts.protected_until + _DAY
    yield Hold.EXTENSION, facts.extended_until and facts.extended_until + _DAY
    yield Hold.GRACE, rules.not_before
    yield Hold.POSTPONED, max(facts.postponed_on) + _DAY if facts.postponed_on else None
