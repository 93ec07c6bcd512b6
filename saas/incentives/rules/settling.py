"""What a settlement takes: new lines, what late facts change in settled ones, parts of pools; and its one hash.

The hash covers every line with its explanation, which holds the inputs, and every balance: two calculations with the
same hash would pay the same people the same amounts for the same reasons. It is made of a digest for each person, so
that whoever calculates people apart comes to the same.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TypeVar

from saas.incentives.errors import SettlementRefused
from saas.incentives.rules.accruals import adjustments
from saas.incentives.rules.lines import Accrual, Cause
from saas.incentives.rules.plans import Plan
from saas.incentives.rules.settlements import Carried, Statement, settle
from saas.kernel import Period

SUMS_FROM = 5
"""Of fewer people a sum would tell what somebody gets: it is not shown (design, settled questions)."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A line that is there already and in no settlement yet: a part of a pool."""

    key: str
    person: str
    on: date
    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Part:
    """What a settlement has of one person: the lines and the statement they add up to."""

    statement: Statement
    accruals: tuple[Accrual, ...]
    waiting: tuple[Waiting, ...]

    @property
    def adjustment_count(self) -> int:
        """How many lines change settled ones."""
        return sum(line.cause is Cause.ADJUSTED for line in self.accruals)

    @property
    def digest(self) -> str:
        """SHA-256 over every line with its reasons, and over the balances."""
        covered = {
            "person": self.statement.person,
            "lines": [[line.key, str(line.amount), line.explanation.plain()] for line in self.accruals],
            "waiting": [[line.key, str(line.amount)] for line in self.waiting],
            "payout": str(self.statement.payout),
            "brought": [[left.since.isoformat(), str(left.amount)] for left in self.statement.brought],
        }
        return hashed(covered)


@dataclass(frozen=True, slots=True)
class Draft:
    """A settlement as it would be: a part for each person who has a line or a balance, in the order of their ids."""

    plan_code: str
    period: Period
    parts: tuple[Part, ...]

    @property
    def statements(self) -> tuple[Statement, ...]:
        """What each person gets."""
        return tuple(part.statement for part in self.parts)

    @property
    def accruals(self) -> tuple[Accrual, ...]:
        """All lines that are new, person by person."""
        return tuple(line for part in self.parts for line in part.accruals)

    @property
    def line_count(self) -> int:
        """How many lines it takes, parts of pools among them."""
        return sum(len(part.accruals) + len(part.waiting) for part in self.parts)

    @property
    def adjustment_count(self) -> int:
        """How many lines change settled ones."""
        return sum(part.adjustment_count for part in self.parts)

    @property
    def earned(self) -> Decimal | None:
        """What all lines add up to; None for so few people that it is not shown."""
        return shown_sum([statement.earned for statement in self.statements])

    @property
    def payable(self) -> Decimal | None:
        """What is paid out in all; None for so few people that it is not shown."""
        return shown_sum([statement.payout for statement in self.statements])

    @property
    def plan_hash(self) -> str:
        """What approval names."""
        return result_hash(self.plan_code, self.period, [part.digest for part in self.parts])


def shown_sum(amounts: Sequence[Decimal]) -> Decimal | None:
    """The sum of an amount for each person; None for so few people that it is not shown."""
    return sum(amounts, Decimal(0)) if len(amounts) >= SUMS_FROM else None


def result_hash(plan_code: str, period: Period, digests: Sequence[str]) -> str:
    """The one hash of a settlement, from the digests of its parts in the order of people's ids."""
    return hashed({"plan": plan_code, "period": period.first.isoformat(), "parts": [*digests]})


@dataclass(frozen=True, slots=True)
class Differences:
    """How a calculation differs from the one that is stored: numbers of lines."""

    new: int
    changed: int
    gone: int


def periods_through(plan: Plan, period: Period) -> list[Period]:
    """The plan's periods from its first day to `period`, in order."""
    found = [plan.cycle.period_of(plan.versions[0].effective.first)] if plan.versions else []
    while found and found[-1].until is not None and found[-1].first < period.first:
        found.append(plan.cycle.period_of(found[-1].until))
    return [each for each in found if each.first <= period.first]


def due_lines(
    recomputed: Iterable[Accrual], settled: Iterable[Accrual], *, closed_through: date | None, period: Period
) -> list[Accrual]:
    """The lines that are in no settlement: those after the last cut-off, and what late facts change in those before.

    `settled` are the stored lines of locked settlements, `closed_through` is the last cut-off of them.
    """
    lines = [*recomputed]
    if closed_through is None:
        return lines
    again = [line for line in lines if line.on <= closed_through]
    at = datetime.combine(period.first, time(tzinfo=UTC))
    late = adjustments(again, settled, on=period.first, at=at)
    return [*(line for line in lines if line.on > closed_through), *late]


def draft(
    plan: Plan,
    lines: Iterable[Accrual],
    waiting: Iterable[Waiting],
    brought: Mapping[str, Sequence[Carried]],
    *,
    period: Period,
) -> Draft:
    """The settlement of a period, whatever the order of the lines, and for whichever people at once.

    :raises SettlementRefused: a line twice.
    """
    assert period.last is not None
    new, others = [*lines], [*waiting]
    accruals = _by_person(sorted(new, key=lambda line: (line.place, line.key)))
    pooled = _by_person(sorted(others, key=lambda line: line.key))
    statements = settle(
        [*new, *others],
        currency=plan.currency,
        cut_off=period.last,
        brought=brought,
    )
    parts = (
        Part(
            statement,
            tuple(accruals.get(statement.person, ())),
            tuple(pooled.get(statement.person, ())),
        )
        for statement in statements
    )
    return Draft(plan.code, period, tuple(parts))


Line = TypeVar("Line", Accrual, Waiting)


def _by_person(lines: Iterable[Line]) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        found[line.person].append(line)
    return found


def hashed(value: object) -> str:
    """SHA-256, in hex, of the one JSON text of a value."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def differences(drafted: Iterable[Accrual], stored: Mapping[str, Decimal]) -> Differences:
    """Against the amounts of a stored draft, by their keys."""
    now = {line.key: line.amount for line in drafted}
    return Differences(
        new=len(now.keys() - stored.keys()),
        changed=sum(key in stored and stored[key] != amount for key, amount in now.items()),
        gone=len(stored.keys() - now.keys()),
    )


def check_totals(lines: Decimal, statements: Iterable[tuple[Decimal, Decimal, Decimal, Decimal]]) -> None:
    """Refuse a settlement whose statements are not its lines; each is (earned, brought, payable, carried).

    :raises SettlementRefused: they differ, be it by a fen.
    """
    whole = [*statements]
    earned = sum((each[0] for each in whole), Decimal(0))
    is_balanced = all(earned_ + brought == payable + carried for earned_, brought, payable, carried in whole)
    if earned != lines or not is_balanced:
        raise SettlementRefused("incentives.totals_apart", {"lines": str(lines), "statements": str(earned)})
