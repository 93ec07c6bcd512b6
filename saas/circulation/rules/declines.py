"""Which old customers decline, each against its own history; a customer with too little of it never does.

Money is compared by closed calendar months, follow-ups by their rhythm: the median gap between effective ones against
the silence since the last. Nothing here reads a clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import median
from types import MappingProxyType
from uuid import UUID

from saas.circulation.rules.terms import DeclineMeasure, DeclineTerms
from saas.kernel import EXACT, Explanation, Money, Period, rounded

FIGURE_DIGITS = 6


@dataclass(frozen=True, slots=True)
class MonthFigure:
    """What a month came to: how many deals (or receipts), and their amount in minor units, refunds taken off."""

    count: int
    minor: int


@dataclass(frozen=True, slots=True)
class CustomerHistory:
    """What is known of a customer; `received_on` is where the present holding began.

    Figures are by the first day of their month; a month without one came to nothing. `known_from` is the day of its
    first deal. `follow_up_days` are the days of effective follow-ups, rising, each once.
    """

    customer_id: UUID
    received_on: date
    known_from: date | None
    deals: Mapping[date, MonthFigure] = field(default_factory=dict)
    collections: Mapping[date, MonthFigure] = field(default_factory=dict)
    follow_up_days: Sequence[date] = ()


@dataclass(frozen=True, slots=True)
class Decline:
    """A figure that has fallen: of a month in money, or in days of the rhythm (`before` the gap, `after` the silence).

    `since_on` is the first day on which it stood so.
    """

    measure: DeclineMeasure
    since_on: date
    before: Decimal
    after: Decimal
    explanation: Explanation


def months_before(day: date, months: int) -> date:
    """The first day of the month so many months before that of `day`."""
    whole = day.year * 12 + day.month - 1 - months
    return date(whole // 12, whole % 12 + 1, 1)


def looked_at(terms: DeclineTerms, *, today: date) -> Period:
    """The closed months that are compared, history and recent ones together."""
    return Period(months_before(today, terms.recent_months + terms.history_months), today.replace(day=1))


def find_declines(
    history: CustomerHistory,
    terms: DeclineTerms,
    *,
    today: date,
    currency: str,
    known: Mapping[DeclineMeasure, Decimal] = MappingProxyType({}),
) -> tuple[Decline, ...]:
    """The measures by which the customer declines today.

    `known` holds the figure of before of declines that were found earlier: these last until the figure is back above
    that, though low months have become history meanwhile.
    """
    judge = _Judge(history, terms, today, currency)
    found = (judge.decline(measure, known.get(measure)) for measure in terms.measures)
    return tuple(each for each in found if each is not None)


_SENTENCES: Mapping[DeclineMeasure, Explanation] = MappingProxyType(
    {
        DeclineMeasure.DEALS: Explanation("circulation.decline_deals"),
        DeclineMeasure.COLLECTIONS: Explanation("circulation.decline_collections"),
        DeclineMeasure.FOLLOW_UPS: Explanation("circulation.decline_follow_ups"),
    }
)


@dataclass(frozen=True, slots=True)
class _Judge:
    history: CustomerHistory
    terms: DeclineTerms
    today: date
    currency: str

    def decline(self, measure: DeclineMeasure, known: Decimal | None) -> Decline | None:
        if measure is DeclineMeasure.FOLLOW_UPS:
            return self._rhythm(known)
        figures = self.history.deals if measure is DeclineMeasure.DEALS else self.history.collections
        return self._money(measure, figures, known)

    def _money(
        self, measure: DeclineMeasure, figures: Mapping[date, MonthFigure], known: Decimal | None
    ) -> Decline | None:
        """The months of the recent window belong to the present holding: nobody answers for a former owner's."""
        month, terms = self.today.replace(day=1), self.terms
        recent_first = months_before(month, terms.recent_months)
        if self.history.received_on > recent_first:
            return None
        before = known if known is not None else self._money_before(figures, recent_first)
        if before is None:
            return None
        after = _average(figures, recent_first, month)
        if before <= 0 or after * 100 > before * (100 - terms.fall_percent):
            return None
        args = {"before": self._shown(before), "after": self._shown(after), "recent": str(terms.recent_months)}
        return self._told(measure, month, before, after, args)

    def _money_before(self, figures: Mapping[date, MonthFigure], recent_first: date) -> Decimal | None:
        """The monthly average of the history, from the customer's first month on; None where there is too little."""
        if self.history.known_from is None:
            return None
        first = max(months_before(recent_first, self.terms.history_months), self.history.known_from.replace(day=1))
        events = sum(each.count for month, each in figures.items() if first <= month < recent_first)
        if _months(first, recent_first) < self.terms.least_history_months or events < self.terms.least_events:
            return None
        return _average(figures, first, recent_first)

    def _rhythm(self, known: Decimal | None) -> Decline | None:
        """A new owner's silence begins with the holding: follow-ups from before it never count against anybody."""
        days, terms = self.history.follow_up_days, self.terms
        gap = known if known is not None else self._gap(days)
        if gap is None or not days:
            return None
        last = max(days[-1], self.history.received_on)
        silence = (self.today - last).days
        longest = EXACT.divide(gap * 100, Decimal(100 - terms.fall_percent))
        if silence < longest:
            return None
        since_on = last + timedelta(days=int(longest.to_integral_value("ROUND_CEILING")))
        args = {"before": _trimmed(gap), "after": str(silence), "last": last.isoformat()}
        return self._told(DeclineMeasure.FOLLOW_UPS, since_on, gap, Decimal(silence), args)

    def _gap(self, days: Sequence[date]) -> Decimal | None:
        first = looked_at(self.terms, today=self.today).first
        within = [day for day in days if day >= first]
        gaps = [(after - before).days for before, after in pairwise(within)]
        if len(gaps) < self.terms.least_events:
            return None
        if _months(within[0].replace(day=1), self.today.replace(day=1)) < self.terms.least_history_months:
            return None
        return Decimal(median(map(Decimal, gaps)))

    def _shown(self, minor: Decimal) -> str:
        return str(Money.of_minor(int(rounded(minor, 0)), self.currency).amount)

    def _told(
        self, measure: DeclineMeasure, since_on: date, before: Decimal, after: Decimal, args: Mapping[str, str]
    ) -> Decline:
        sentence = replace(_SENTENCES[measure], args={**args, "percent": str(self.terms.fall_percent)})
        whole = Explanation("circulation.declining_since", {"since": since_on.isoformat()}, parts=(sentence,))
        return Decline(measure, since_on, before, after, whole)


def _average(figures: Mapping[date, MonthFigure], first: date, until: date) -> Decimal:
    """Minor units a month, in the months from `first` to before `until`."""
    whole = sum(each.minor for month, each in figures.items() if first <= month < until)
    return rounded(EXACT.divide(Decimal(whole), Decimal(_months(first, until))), FIGURE_DIGITS)


def _months(first: date, until: date) -> int:
    """How many whole months lie between two first days of months; 0 where the later one comes first."""
    return max(0, (until.year - first.year) * 12 + until.month - first.month)


def _trimmed(days: Decimal) -> str:
    return str(days.quantize(Decimal(1)) if days == days.to_integral_value() else days.normalize())
