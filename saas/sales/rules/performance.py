"""Performance lines (业绩): what a deal's amounts come to per person, and how written lines are put right.

Lines are never edited. Where what is due differs from what stands, the whole line is reversed and the right one
written beside it, both under the day of what happened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from saas.sales.rules.collections import CollectionKind
from saas.sales.rules.credits import Credit, split

SIGNED, COLLECTED, REFUNDED = "signed", "collected", "refunded"


class LineKey(NamedTuple):
    """What a line is about; what is due and what stands are compared under it."""

    metric: str
    collection_id: UUID | None
    employee_id: UUID
    department_id: UUID
    happened_on: date
    is_new_customer: bool


Lines = Mapping[LineKey, int]
"""Smallest units by key; negative for refunds and reversals."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Money received for the deal, or paid back."""

    id: UUID
    kind: CollectionKind
    received_on: date
    amount_minor: int


@dataclass(frozen=True, slots=True)
class CreditedDeal:
    """A deal with all that its lines follow from.

    `is_new_customer`: it is of the first day on which the customer signed any deal that stands.
    """

    amount_minor: int
    signed_on: date
    cancelled_on: date | None
    is_new_customer: bool
    credits: Sequence[Credit]
    receipts: Sequence[Receipt] = ()


def lines_due(deal: CreditedDeal) -> dict[LineKey, int]:
    """Everything that the deal's lines must come to.

    A cancellation counts against the day it happened on: what was signed before stays in its own period.
    """
    due: dict[LineKey, int] = {}
    events: list[tuple[str, UUID | None, date, int]] = [(SIGNED, None, deal.signed_on, deal.amount_minor)]
    if deal.cancelled_on is not None:
        events.append((SIGNED, None, deal.cancelled_on, -deal.amount_minor))
    for receipt in deal.receipts:
        metric, sign = (REFUNDED, -1) if receipt.kind == "refund" else (COLLECTED, 1)
        events.append((metric, receipt.id, receipt.received_on, sign * receipt.amount_minor))
    shares = [credit.share for credit in deal.credits]
    for metric, collection_id, day, amount in events:
        for credit, part in zip(deal.credits, split(amount, shares), strict=True):
            key = LineKey(metric, collection_id, credit.employee_id, credit.department_id, day, deal.is_new_customer)
            due[key] = due.get(key, 0) + part
    return due


def corrections(stands: Lines, due: Lines) -> Iterator[tuple[LineKey, int]]:
    """The lines to write so that what stands becomes what is due: reversals first, then what replaces them."""
    wrong = [key for key in {**stands, **due} if stands.get(key, 0) != due.get(key, 0)]
    for lines, sign in ((stands, -1), (due, 1)):
        for key in wrong:
            if lines.get(key, 0):
                yield key, sign * lines[key]
