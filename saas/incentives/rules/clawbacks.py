"""What a refund takes back of a paid commission (追回), as lines of its own: the original line stays as it is.

The plan's version of the original event names the method: `RECOMPUTE` is f(base before) - f(base after) over the
window of the original event; `AVERAGE_RATE` is refund x (commission / base) of that window; `ORIGINAL_LINE` is refund x
the rate that the line was paid at. Grades reduce it by whole days since the event. A refund takes back the latest
receipts first, a unit of money at most once, and never more than was paid: for the order by original line, for the
window otherwise; where releases are outstanding, never more than was released.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from saas.incentives.rules.entries import Entry
from saas.incentives.rules.exact import decimal_of, percent, plain, rounded_ratio, shown
from saas.incentives.rules.facts import Facts, Receipt, Refund, by_deal, in_order
from saas.incentives.rules.lines import Accrual, Cause
from saas.incentives.rules.plans import Clawback, Measure, Plan
from saas.incentives.rules.releases import released_at_once
from saas.incentives.rules.windows import Earned, earn, grouped, window_key
from saas.kernel import Explanation


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of one refund: which event it takes back, and which fraction of it."""

    refund: Refund
    event: str
    fraction: Fraction


@dataclass(frozen=True, slots=True)
class _Taken:
    """An amount before grades and limits, with the sentence that says how it came about."""

    amount: Decimal
    why: Explanation


def clawed_back(entries: Sequence[Entry], paid: Sequence[Accrual], facts: Facts, plan: Plan) -> Iterator[Accrual]:
    """The negative lines of all refunds, in the order of refunds."""
    pieces = [*_pieces(facts, plan)]
    touched = {piece.event for piece in pieces}
    windows = {key: window for key, window in grouped(entries, plan).items() if _events_of(window) & touched}
    desk = _Desk(windows, paid, facts, plan)
    for piece in pieces:
        yield from desk.take(piece)


def _events_of(window: Sequence[Entry]) -> set[str]:
    return {entry.event.id for entry in window}


def _pieces(facts: Facts, plan: Plan) -> Iterator[_Piece]:
    receipts, amounts = by_deal(facts.receipts), {deal.id: deal.amount for deal in facts.deals}
    left = {receipt.id: receipt.amount for receipt in facts.receipts}
    for refund in sorted(facts.refunds, key=in_order):
        if plan.measure is Measure.SIGNED:
            yield _Piece(refund, refund.deal, Fraction(refund.amount) / Fraction(amounts[refund.deal]))
        else:
            yield from _latest_first(refund, receipts[refund.deal], left)


def _latest_first(refund: Refund, receipts: list[Receipt], left: dict[str, Decimal]) -> Iterator[_Piece]:
    wanted = refund.amount
    for receipt in reversed(receipts):
        part = min(wanted, left[receipt.id]) if receipt.at <= refund.at else Decimal(0)
        if part:
            left[receipt.id] -= part
            wanted -= part
            yield _Piece(refund, receipt.id, Fraction(part) / Fraction(receipt.amount))


def _recomputes(entry: Entry) -> bool:
    return entry.version.clawback is Clawback.RECOMPUTE


class _Desk:
    """What has been taken back so far: refunds of one window depend on those before them."""

    def __init__(
        self, windows: Mapping[Hashable, list[Entry]], paid: Sequence[Accrual], facts: Facts, plan: Plan
    ) -> None:
        self._plan, self._targets = plan, facts.targets_by_person()
        self._paid: dict[Hashable, list[Accrual]] = defaultdict(list)
        for accrual in paid:
            self._paid[accrual.of, accrual.person, accrual.stream, accrual.award].append(accrual)
        self._windows = windows
        self._first = {key: earn(window, plan, self._targets) for key, window in windows.items()}
        self._by_event: dict[str, list[Earned]] = defaultdict(list)
        for window in self._first.values():
            for line in window:
                self._by_event[line.entry.event.id].append(line)
        self._recomputing = {key for key, window in windows.items() if any(map(_recomputes, window))}
        self._totals: dict[Hashable, Decimal] = {}
        self._gone: dict[str, Fraction] = defaultdict(Fraction)
        self._clawed: dict[Hashable, Decimal] = defaultdict(Decimal)

    def take(self, piece: _Piece) -> Iterator[Accrual]:
        """The lines of one piece: one for each person and award that the event was paid to."""
        lines = self._by_event.get(piece.event, [])
        gone = self._gone[piece.event]
        self._gone[piece.event] = gone + piece.fraction
        for line in lines:
            yield self._line(line, piece, self._taken(line, piece, gone, *self._recomputed(line)))

    def _recomputed(self, line: Earned) -> tuple[Decimal, Decimal]:
        """What the line's window came to until now, and what it comes to with this piece gone too.

        Asked for every piece of a window in which any event is recomputed: a version with another method may be among
        them. Windows without one are left out.
        """
        key = window_key(line.entry, self._plan)
        if key not in self._recomputing:
            return Decimal(0), Decimal(0)
        before = self._totals.get(key)
        kept = [self._kept(entry) for entry in self._windows[key]]
        after = sum((each.amount for each in earn(kept, self._plan, self._targets)), Decimal(0))
        self._totals[key] = after
        return (self._paid_in_window(line)[0] if before is None else before), after

    def _kept(self, entry: Entry) -> Entry:
        gone = self._gone.get(entry.event.id)
        return entry if gone is None else entry.keeping(1 - gone)

    def _taken(self, line: Earned, piece: _Piece, gone: Fraction, before: Decimal, after: Decimal) -> _Taken:
        base = line.entry.base * piece.fraction
        if _recomputes(line.entry):
            values = {"before": str(before), "after": str(after), "base": shown(base)}
            return _Taken(before - after, Explanation("incentives.clawback_recomputed", values))
        if line.entry.version.clawback is Clawback.ORIGINAL_LINE:
            amount_paid = Fraction(line.amount)
            until = rounded_ratio(amount_paid * (gone + piece.fraction), self._plan.digits)
            since = rounded_ratio(amount_paid * gone, self._plan.digits)
            values = {"paid": str(line.amount), "base": shown(line.entry.base), "back": shown(base)}
            return _Taken(until - since, Explanation("incentives.clawback_of_line", values))
        paid, whole = self._paid_in_window(line)
        amount = rounded_ratio(base * Fraction(paid) / whole, self._plan.digits) if whole else Decimal(0)
        values = {"paid": str(paid), "base": shown(whole), "back": shown(base)}
        return _Taken(amount, Explanation("incentives.clawback_averaged", values))

    def _paid_in_window(self, line: Earned) -> tuple[Decimal, Fraction]:
        window = self._first[window_key(line.entry, self._plan)]
        return sum((e.amount for e in window), Decimal(0)), sum((e.entry.base for e in window), Fraction(0))

    def _line(self, line: Earned, piece: _Piece, taken: _Taken) -> Accrual:
        days = (piece.refund.on - line.entry.event.on).days
        share = line.entry.version.clawed_share(days)
        wanted = rounded_ratio(Fraction(taken.amount) * Fraction(share), self._plan.digits)
        most = self._most(line, piece)
        amount = min(wanted, most)
        for scope in self._scopes(line):
            self._clawed[scope] += amount
        parts = [taken.why]
        if share != 1:
            parts.append(Explanation("incentives.clawback_graded", {"days": days, "share": percent(share)}))
        if amount != wanted:
            parts.append(Explanation("incentives.clawback_limited", {"wanted": str(wanted), "most": str(most)}))
        return self._accrual(line, piece, -amount, tuple(parts))

    def _scopes(self, line: Earned) -> tuple[Hashable, Hashable]:
        entry = line.entry
        of_line = ("line", entry.event.id, entry.person, entry.stream, entry.award)
        return of_line, window_key(entry, self._plan)

    def _most(self, line: Earned, piece: _Piece) -> Decimal:
        """What was paid and has not been taken back yet."""
        of_line, of_window = self._scopes(line)
        if not released_at_once(self._plan):
            return self._released(line, piece) - self._clawed[of_line]
        if line.entry.version.clawback is Clawback.ORIGINAL_LINE:
            return line.amount - self._clawed[of_line]
        return self._paid_in_window(line)[0] - self._clawed[of_window]

    def _released(self, line: Earned, piece: _Piece) -> Decimal:
        entry = line.entry
        paid = self._paid.get((entry.event.id, entry.person, entry.stream, entry.award), [])
        return sum((each.amount for each in paid if each.at <= piece.refund.at), Decimal(0))

    def _accrual(self, line: Earned, piece: _Piece, amount: Decimal, parts: tuple[Explanation, ...]) -> Accrual:
        entry, refund = line.entry, piece.refund
        values = {"deal": refund.deal, "refund": plain(refund.amount), "on": refund.on.isoformat(), "of": piece.event}
        return Accrual(
            person=entry.person,
            stream=entry.stream,
            award=entry.award,
            cause=Cause.CLAWED_BACK,
            plan=self._plan.code,
            version=entry.version.number,
            rule=entry.rule.code,
            deal=refund.deal,
            event=refund.id,
            of=piece.event,
            at=refund.at,
            on=refund.on,
            base=decimal_of(-entry.base * piece.fraction),
            amount=amount,
            currency=self._plan.currency,
            explanation=Explanation(
                "incentives.clawback_line", values, amount=str(amount), source=refund.id, parts=parts
            ),
        )
