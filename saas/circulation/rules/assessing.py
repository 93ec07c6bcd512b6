"""How well a rep uses what they hold, and which of it is reclaimed: the worst-used above the quota.

A customer's use is the weights of what it shows in the period, 0 to 100; a rep's utilisation is the mean of it over
the customers that are judged. Ties are broken by a digest of the assessment and the customer, never by age or id.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any
from uuid import UUID

from saas.circulation.rules.terms import AssessmentTerms, Cycle, UseMeasure
from saas.kernel import EXACT, Explanation, Money, Period, rounded
from saas.kernel.explanations import Shown


class Exemption(Enum):
    """Why a customer stays, whatever its use; the first that holds is named."""

    NEWCOMER = "newcomer"
    MARKED = "marked"
    HELD_BRIEFLY = "held_briefly"
    OPEN_OPPORTUNITY = "open_opportunity"


@dataclass(frozen=True, slots=True)
class HeldCustomer:
    """A customer of a rep. `uses` is what it showed in the period; amounts are of the period, in minor units.

    `is_marked` says that it is locked, protected or extended.
    """

    customer_id: UUID
    ownership_id: UUID
    received_on: date
    uses: frozenset[UseMeasure] = frozenset()
    deals_minor: int = 0
    collected_minor: int = 0
    last_follow_up_on: date | None = None
    is_marked: bool = False
    has_open_opportunity: bool = False


@dataclass(frozen=True, slots=True)
class Rep:
    """A person with all the customers of the pool that they hold."""

    employee_id: UUID
    department_id: UUID
    hired_on: date
    held: tuple[HeldCustomer, ...]


@dataclass(frozen=True, slots=True)
class Moving:
    """A customer that would be reclaimed; `place` is its rank among the rep's, from 1, the worst-used first."""

    customer: HeldCustomer
    use: int
    place: int
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Assessed:
    """What an assessment says of a rep. `utilisation` is a percentage, None where nothing could be judged.

    `shares` are the parts of the judged customers that show each measure, in percent; `exempt` counts what stays
    whatever its use.
    """

    rep: Rep
    judged: int
    utilisation: Decimal | None
    shares: Mapping[UseMeasure, Decimal]
    exempt: Mapping[Exemption, int]
    above_quota: int
    moving: tuple[Moving, ...]
    explanation: Explanation


def period_of(cycle: Cycle, day: date) -> Period:
    """The calendar quarter, or year, in which `day` lies."""
    return Period.of_quarter(day) if cycle is Cycle.QUARTER else Period.of_year(day.year)


def assess(
    rep: Rep, terms: AssessmentTerms, period: Period, *, assessment_id: UUID, today: date, currency: str
) -> Assessed:
    """Judge a rep. What moves is rounded down, in the rep's favour; a customer that shows everything never moves."""
    case = _Case(rep, terms, period, assessment_id, today, currency)
    return case.assessed()


@dataclass(frozen=True, slots=True)
class _Case:
    rep: Rep
    terms: AssessmentTerms
    period: Period
    assessment_id: UUID
    today: date
    currency: str

    def assessed(self) -> Assessed:
        exemptions = {each.customer_id: self._exemption(each) for each in self.rep.held}
        judged = [each for each in self.rep.held if not self._is_brief(each)]
        shares = {measure: _share(judged, measure) for measure in UseMeasure}
        utilisation = _mean([self._use(each) for each in judged])
        above = max(0, len(self.rep.held) - self.terms.quota)
        free = [each for each in judged if exemptions[each.customer_id] is None and self._use(each) < 100]
        count = self._count(above, utilisation)
        worst = sorted(free, key=self._rank)[:count]
        exempt = Counter(each for each in exemptions.values() if each is not None)
        return Assessed(
            rep=self.rep,
            judged=len(judged),
            utilisation=utilisation,
            shares=shares,
            exempt=exempt,
            above_quota=above,
            moving=tuple(self._moving(each, place) for place, each in enumerate(worst, 1)),
            explanation=self._told(len(judged), utilisation, shares, exempt, above, len(worst)),
        )

    def _exemption(self, customer: HeldCustomer) -> Exemption | None:
        return next(self._exemptions(customer), None)

    def _exemptions(self, customer: HeldCustomer) -> Iterator[Exemption]:
        if (self.today - self.rep.hired_on).days < self.terms.newcomer_days:
            yield Exemption.NEWCOMER
        if customer.is_marked:
            yield Exemption.MARKED
        if self._is_brief(customer):
            yield Exemption.HELD_BRIEFLY
        if self.terms.open_opportunity_exempts and customer.has_open_opportunity:
            yield Exemption.OPEN_OPPORTUNITY

    def _is_brief(self, customer: HeldCustomer) -> bool:
        """Whether the holding is too short within the period to be judged by it."""
        assert self.period.until is not None, "a period of an assessment has an end"
        return (self.period.until - customer.received_on).days < max(1, self.terms.least_held_days)

    def _use(self, customer: HeldCustomer) -> int:
        return sum(self.terms.weights.get(measure, 0) for measure in customer.uses)

    def _rank(self, customer: HeldCustomer) -> tuple[object, ...]:
        """Least used first; then by what it earned, and how long ago it was followed up."""
        told = f"{self.assessment_id}:{customer.customer_id}"
        draw = hashlib.sha256(told.encode()).digest()
        last = customer.last_follow_up_on or date.min
        return self._use(customer), customer.collected_minor, customer.deals_minor, last, draw

    def _count(self, above: int, utilisation: Decimal | None) -> int:
        if utilisation is None or utilisation >= self.terms.keeps_from_percent:
            return 0
        wanted = above * self.terms.reclaim_percent // 100
        return wanted if self.terms.cap is None else min(wanted, self.terms.cap)

    def _moving(self, customer: HeldCustomer, place: int) -> Moving:
        use = self._use(customer)
        parts = tuple(
            replace(_SHOWN[measure] if measure in customer.uses else _MISSED[measure], args={"percent": percent})
            for measure, percent in sorted(self.terms.weights.items(), key=lambda each: _ORDER[each[0]])
            if percent
        )
        earned = Explanation(
            "circulation.line_earned",
            {"deals": self._amount(customer.deals_minor), "collected": self._amount(customer.collected_minor)},
        )
        args: dict[str, Shown] = {"place": place, "use": use, "quota": self.terms.quota}
        return Moving(customer, use, place, Explanation("circulation.line_worst_used", args, parts=(*parts, earned)))

    def _amount(self, minor: int) -> str:
        return str(Money.of_minor(minor, self.currency).amount)

    def _told(
        self,
        judged: int,
        utilisation: Decimal | None,
        shares: Mapping[UseMeasure, Decimal],
        exempt: Mapping[Exemption, int],
        above: int,
        moving: int,
    ) -> Explanation:
        of_measures = tuple(
            replace(_SHARES[measure], args={"share": str(shares[measure]), "weight": self.terms.weights[measure]})
            for measure in UseMeasure
            if self.terms.weights.get(measure)
        )
        kept = tuple(replace(_EXEMPT[each], args={"count": exempt[each]}) for each in Exemption if exempt.get(each))
        used = Explanation("circulation.person_nothing_judged")
        if utilisation is not None:
            args: dict[str, Shown] = {"utilisation": str(utilisation), "judged": judged}
            used = Explanation("circulation.person_utilisation", args, parts=of_measures)
        quota = Explanation(
            "circulation.person_above_quota",
            {
                "held": len(self.rep.held),
                "quota": self.terms.quota,
                "above": above,
                "percent": self.terms.reclaim_percent,
            },
        )
        return Explanation("circulation.person_moving", {"moving": moving}, parts=(used, quota, *kept))


_ORDER: Mapping[UseMeasure, int] = MappingProxyType({measure: place for place, measure in enumerate(UseMeasure)})
_SHOWN: Mapping[UseMeasure, Explanation] = MappingProxyType(
    {
        UseMeasure.FOLLOWED_UP: Explanation("circulation.shows_followed_up"),
        UseMeasure.DEALS: Explanation("circulation.shows_deals"),
        UseMeasure.COLLECTIONS: Explanation("circulation.shows_collections"),
        UseMeasure.OPPORTUNITIES: Explanation("circulation.shows_opportunities"),
    }
)
_MISSED: Mapping[UseMeasure, Explanation] = MappingProxyType(
    {
        UseMeasure.FOLLOWED_UP: Explanation("circulation.lacks_followed_up"),
        UseMeasure.DEALS: Explanation("circulation.lacks_deals"),
        UseMeasure.COLLECTIONS: Explanation("circulation.lacks_collections"),
        UseMeasure.OPPORTUNITIES: Explanation("circulation.lacks_opportunities"),
    }
)
_SHARES: Mapping[UseMeasure, Explanation] = MappingProxyType(
    {
        UseMeasure.FOLLOWED_UP: Explanation("circulation.share_followed_up"),
        UseMeasure.DEALS: Explanation("circulation.share_deals"),
        UseMeasure.COLLECTIONS: Explanation("circulation.share_collections"),
        UseMeasure.OPPORTUNITIES: Explanation("circulation.share_opportunities"),
    }
)
_EXEMPT: Mapping[Exemption, Explanation] = MappingProxyType(
    {
        Exemption.NEWCOMER: Explanation("circulation.exempt_newcomer"),
        Exemption.MARKED: Explanation("circulation.exempt_marked"),
        Exemption.HELD_BRIEFLY: Explanation("circulation.exempt_held_briefly"),
        Exemption.OPEN_OPPORTUNITY: Explanation("circulation.exempt_open_opportunity"),
    }
)


def _share(judged: Sequence[HeldCustomer], measure: UseMeasure) -> Decimal:
    shown = sum(measure in each.uses for each in judged)
    return rounded(EXACT.divide(Decimal(100 * shown), Decimal(len(judged))), 2) if judged else Decimal("0.00")


def _mean(uses: Sequence[int]) -> Decimal | None:
    return rounded(EXACT.divide(Decimal(sum(uses)), Decimal(len(uses))), 2) if uses else None


def plan_hash(frozen: Mapping[str, Any]) -> str:
    """SHA-256 of everything that was previewed, whatever the order of its keys."""
    text = json.dumps(frozen, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
