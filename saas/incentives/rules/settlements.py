"""Settlements (结算): what a person gets of lines not settled yet, and what is carried.

A settlement takes every line up to its cut-off that is neither held nor waiting for its condition. It never goes below
0: what is left over is carried with the day it dates from, and the oldest is recovered first. That a line is in one
settlement only is kept by whoever stores settlements; `reconcile` proves it over all of them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from saas.incentives.errors import SettlementRefused
from saas.kernel import Explanation


class Payable(Protocol):
    """What a settlement takes: an accrual, a part of a pool, an award."""

    @property
    def key(self) -> str: ...
    @property
    def person(self) -> str: ...
    @property
    def on(self) -> date: ...
    @property
    def currency(self) -> str: ...
    @property
    def amount(self) -> Decimal: ...


@dataclass(frozen=True, slots=True)
class Carried:
    """What a person still owes the plan; `amount` is below 0, `since` the cut-off that left it over."""

    since: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Statement:
    """A person's settlement: `earned` + `brought` = `payout` + `carried`."""

    person: str
    currency: str
    cut_off: date
    lines: tuple[Payable, ...]
    earned: Decimal
    brought: tuple[Carried, ...]
    payout: Decimal
    carried: tuple[Carried, ...]
    explanation: Explanation


def settle(
    lines: Iterable[Payable],
    *,
    currency: str,
    cut_off: date,
    brought: Mapping[str, Sequence[Carried]] | None = None,
    held: Collection[str] = (),
) -> tuple[Statement, ...]:
    """A statement for each person who has a line or a balance, in the order of their names.

    `lines` are not settled yet; those after `cut_off` (the last day that counts) and those whose key is `held` wait.

    :raises SettlementRefused: lines in another currency, or a line twice.
    """
    due = sorted(
        (line for line in lines if line.on <= cut_off and line.key not in held), key=lambda line: (line.on, line.key)
    )
    _check_lines(due, currency)
    balances = {person: tuple(balance) for person, balance in (brought or {}).items() if balance}
    by_person: dict[str, list[Payable]] = defaultdict(list)
    for line in due:
        by_person[line.person].append(line)
    return tuple(
        _statement(person, by_person.get(person, []), balances.get(person, ()), currency, cut_off)
        for person in sorted(by_person.keys() | balances.keys())
    )


def _check_lines(lines: Sequence[Payable], currency: str) -> None:
    for line in lines:
        if line.currency != currency:
            values = {"line": line.key, "currency": line.currency, "expected": currency}
            raise SettlementRefused("incentives.currencies_mixed", values)
    for key, count in Counter(line.key for line in lines).items():
        if count > 1:
            raise SettlementRefused("incentives.line_twice", {"line": key, "count": count})


def _statement(
    person: str, lines: Sequence[Payable], brought: tuple[Carried, ...], currency: str, cut_off: date
) -> Statement:
    earned = sum((line.amount for line in lines), Decimal(0))
    debt = sum((carried.amount for carried in brought), Decimal(0))
    payout = max(Decimal(0), earned + debt)
    carried = _carry(brought, earned, cut_off)
    values: dict[str, str | int] = {
        "person": person,
        "cut_off": cut_off.isoformat(),
        "count": len(lines),
        "earned": str(earned),
        "brought": str(debt),
        "carried": str(sum((left.amount for left in carried), Decimal(0))),
    }
    why = Explanation("incentives.statement", values, amount=str(payout))
    return Statement(person, currency, cut_off, tuple(lines), earned, brought, payout, carried, why)


def _carry(brought: tuple[Carried, ...], earned: Decimal, cut_off: date) -> tuple[Carried, ...]:
    """The debts that are left: the oldest is recovered first, a new one comes last."""
    if earned < 0:
        return (*brought, Carried(cut_off, earned))
    left: list[Carried] = []
    for debt in sorted(brought, key=lambda debt: debt.since):
        recovered = min(earned, -debt.amount)
        earned -= recovered
        if debt.amount + recovered:
            left.append(Carried(debt.since, debt.amount + recovered))
    return tuple(left)


@dataclass(frozen=True, slots=True)
class Buckets:
    """Where everything that a person earned is: `earned` is the sum of the others."""

    earned: Decimal
    pending: Decimal
    held: Decimal
    waiting: Decimal
    paid: Decimal
    carried: Decimal


def reconcile(
    lines: Iterable[Payable],
    statements: Sequence[Statement],
    *,
    held: Collection[str] = (),
    paid_through: date | None = None,
) -> Buckets:
    """The buckets of one person over all lines and all statements to date, in the order of their cut-offs.

    Pending is what no statement has taken; statements with a cut-off up to `paid_through` are paid, later ones wait for
    payroll.

    :raises SettlementRefused: a line stands in two statements, a statement has a line that is not among `lines`, or
        the sum is not what was earned.
    """
    known = {line.key: line.amount for line in lines}
    settled = Counter(line.key for statement in statements for line in statement.lines)
    for key, count in settled.items():
        if count > 1 or key not in known:
            raise SettlementRefused("incentives.line_not_once", {"line": key, "count": count if key in known else 0})
    open_lines = {key: amount for key, amount in known.items() if key not in settled}
    paid = [s.payout for s in statements if paid_through is not None and s.cut_off <= paid_through]
    buckets = Buckets(
        earned=_sum(known.values()),
        pending=_sum(amount for key, amount in open_lines.items() if key not in held),
        held=_sum(amount for key, amount in open_lines.items() if key in held),
        waiting=_sum(s.payout for s in statements) - _sum(paid),
        paid=_sum(paid),
        carried=_sum(left.amount for left in statements[-1].carried) if statements else Decimal(0),
    )
    parts = buckets.pending + buckets.held + buckets.waiting + buckets.paid + buckets.carried
    if parts != buckets.earned:
        raise SettlementRefused("incentives.buckets_apart", {"earned": str(buckets.earned), "parts": str(parts)})
    return buckets


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))
