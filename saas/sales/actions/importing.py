"""What the imports of the sales room share: whom and what rows call, and trials that leave nothing behind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from saas.customers import CustomerBook, find_customers, lock_customers
from saas.exchange import Applied, ImportContext, Row
from saas.kernel import AppError
from saas.people import StaffBook, find_staff
from saas.sales.columns import called, credited_words
from saas.sales.errors import RecordChanged, RecordInUse
from saas.sales.rules.entries import Entered
from tenants import current_transaction

T = TypeVar("T")


class _TakenBack(Exception):
    """A trial has ended."""


async def tried(work: Callable[[], Awaitable[T]]) -> T:
    """What `work` comes to, with all that it wrote taken back: a preview by the very checks of the write."""
    results: list[T] = []
    try:
        async with current_transaction().savepoint():
            results.append(await work())
            raise _TakenBack  # noqa: TRY301 (the way out of a savepoint that takes it back)
    except _TakenBack:
        return results[0]


@dataclass(frozen=True, slots=True)
class SalesDesk:
    """Customers and people as a set of rows calls them."""

    context: ImportContext
    customers: CustomerBook
    staff: StaffBook

    def refusals(self, row: Row, *people: str, needs_customer: bool = True) -> list[AppError]:
        """What is wrong with a row's customer and with the people in its columns `people`."""
        found = self.staff.refusals({column: row.text(column) for column in people})
        key, name = called(row)
        return [*found, *self.customers.refusal(key, name)] if needs_customer or key or name else found

    def customer_id(self, row: Row) -> UUID | None:
        """The row's customer; None for one that is promised only."""
        return self.customers.find(*called(row))


async def sales_desk(context: ImportContext, rows: Sequence[Row], *people: str) -> SalesDesk:
    """The desk for rows that name people in the columns `people`, and in credits; at commit it locks the customers."""
    words = [row.text(column) for row in rows for column in people]
    words += [word for row in rows for word in credited_words(row)]
    customers = await find_customers(context, [called(row) for row in rows if any(called(row))])
    if context.is_commit:
        found = (*customers.by_key.values(), *customers.by_name.values())
        await lock_customers({each for ids in found for each in ids})
    return SalesDesk(context, customers, await find_staff(context, words))


def written(rows: Iterable[Row], entered: Iterable[Entered]) -> list[tuple[Row, UUID]]:
    """Rows with their records.

    :raises AppError: one was refused after all, so the set can't be written.
    """
    return [(row, each.record_id()) for row, each in zip(rows, entered, strict=True)]


def changed_since(applied: Applied) -> AppError:
    """Why a row is not taken back: its record is another one by now."""
    return RecordChanged("sales.changed_since", {"row": applied.number})


def in_use(applied: Applied) -> AppError:
    """Why a row is not taken back: others refer to its record."""
    return RecordInUse("sales.in_use", {"row": applied.number})


def outcomes(applied: Sequence[Applied], done: Collection[UUID | None]) -> list[AppError | None]:
    """None for each row whose record is among `done`, and that it was changed for the others."""
    return [None if each.object_id in done else changed_since(each) for each in applied]


_COLUMNS = {
    "signedOn": "signed_on",
    "contractEndsOn": "contract_ends_on",
    "vatRate": "vat_rate",
    "engagedOn": "engaged_on",
    "closedOn": "closed_on",
    "receivedOn": "received_on",
    "external": "external_key",
    "periodFirst": "first",
    "periodUntil": "last",
    "occurredAt": "occurred_at",
}


def placed(error: AppError) -> AppError:
    """A refusal of the room's own checks, with the sheet's column in the place of the input's field."""
    return error.at(*(_COLUMNS.get(name, name) for name in error.field if name != "input"))
