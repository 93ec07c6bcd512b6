"""What a set of imported customers is judged by: the staff, the pools, what is there already, what is held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from saas.customers.actions.customer_rows import StoredCustomer, count_held, find_alike
from saas.customers.actions.duplicates import ImportDuplicates, lock_for_import
from saas.customers.actions.import_departments import DepartmentHoldings, open_departments
from saas.customers.administrators import Administration, find_administrations
from saas.customers.columns import CUSTOMERS, SYSTEM
from saas.customers.errors import PoolNotFound
from saas.customers.queries import Pool, count_customers, list_pools
from saas.customers.rules import match_key
from saas.exchange import ImportContext, Row
from saas.kernel import local_date
from saas.people import StaffBook, find_staff
from saas.people.queries import NamedPerson
from tenants import QuotaKind, find_quota, lock_quota

HELD_BY = "held by "
"""Begins the token of a row that will give a customer to the person it names."""


@dataclass(frozen=True, slots=True)
class _Alike:
    """The customers that rows are like, by what they have in common."""

    by_key: Mapping[tuple[str | None, str | None], StoredCustomer]
    by_name: Mapping[str, StoredCustomer]
    by_phone: Mapping[bytes | None, StoredCustomer]
    indexes: Mapping[str, bytes]
    """The blind index of each number that a row has: it takes longer than to look it up here."""


@dataclass(slots=True)
class CustomerRoom:
    """How many customers the company's plan holds, and how many there are, with those that rows will add."""

    limit: int
    used: int


@dataclass(slots=True)
class Holdings:
    """How many customers people hold that count, by the rules of each pool, and how many rows give them in addition.

    Who is promised only is counted by what the rows call them.
    """

    counted: Mapping[tuple[UUID, UUID], int] = field(default_factory=dict)
    given: Counter[UUID | str] = field(default_factory=Counter)
    departments: DepartmentHoldings = field(default_factory=DepartmentHoldings)

    def give(self, called: UUID | str, customers: int = 1) -> None:
        """Count what rows give to somebody."""
        self.given[called] += customers
        self.departments.give(called, customers)

    def of(self, pool: Pool, called: UUID | str) -> int:
        """What somebody holds by the rules of the pool."""
        counted = self.counted.get((pool.id, called), 0) if isinstance(called, UUID) else 0
        return counted + self.given[called]


@dataclass(slots=True)
class ImportDesk:
    """What a set of rows is judged by; `held` counts customers by owner, and `room` all of them, as rows are judged;
    there is no `room` where the company's plan has no limit."""

    context: ImportContext
    pools: Mapping[str, Pool]
    book: StaffBook
    alike: _Alike
    duplicates: ImportDuplicates = field(default_factory=ImportDuplicates)
    held: Holdings = field(default_factory=Holdings)
    room: CustomerRoom | None = None
    administrations: Mapping[UUID, Administration] = field(default_factory=dict)

    @property
    def today(self) -> date:
        return local_date(self.context.clock.now(), self.context.time_zone)

    def phone_index_of(self, row: Row) -> bytes | None:
        """The blind index of the row's phone number, None without one."""
        number = row.text("phone")
        return self.alike.indexes[number] if number else None

    def pool_of(self, row: Row) -> Pool:
        """The pool that a row names, by default the company's first.

        :raises PoolNotFound: there is none of that name.
        """
        wanted = row.values.get("pool")
        if wanted is None:
            return next(iter(self.pools.values()))
        found = self.pools.get(str(wanted))
        if found is None:
            known = "、".join(self.pools)
            raise PoolNotFound("customers.pool_unknown", {"pool": str(wanted), "known": known}, field=("pool",))
        return found


async def open_desk(context: ImportContext, rows: Sequence[Row]) -> ImportDesk:
    """All that judges these rows; in a commit, locked."""
    if context.is_commit:
        await lock_for_import()
    book = await find_staff(context, [row.text("owner") for row in rows])
    pools = await list_pools()
    held = await _held(context, book, pools)
    return ImportDesk(
        context,
        pools,
        book,
        await find_alike_rows(context, rows),
        await ImportDuplicates.of_today(context),
        held,
        await _room(context),
        await find_administrations(),
    )


async def find_alike_rows(context: ImportContext, rows: Sequence[Row]) -> _Alike:
    """The customers that are there already, by key, name and phone number."""
    if not rows:
        return _Alike({}, {}, {}, {})
    numbers = dict.fromkeys(number for row in rows if (number := row.text("phone")))
    indexes = {number: context.keyring.blind_index("customer.phone", number) for number in numbers}
    alike = await find_alike(
        context,
        keys=[(system_of(row), key) for row in rows if (key := row.text("external_key"))],
        names=[match_key(str(row.values["name"])) for row in rows],
        phones=list(indexes.values()),
    )
    return _Alike(
        {(each.values.external_system, each.values.external_key): each for each in alike if each.values.external_key},
        {each.values.match_key: each for each in reversed(alike)},
        {each.values.phone_index: each for each in reversed(alike) if each.values.phone_index},
        indexes,
    )


async def _held(context: ImportContext, book: StaffBook, pools: Mapping[str, Pool]) -> Holdings:
    """What the named people and their departments hold, with what earlier rows will give them."""
    people = {person.id: person for person in (*book.by_number.values(), *_named(book))}
    held = Holdings(await count_held(sorted(people), is_locking=context.is_commit))
    held.departments = await open_departments(context, pools.values(), sorted(people), sorted(book.promised))
    if not people and not book.promised:
        return held
    pledged = await context.promises.pledged(CUSTOMERS)
    calls = {word: person.id for person in people.values() for word in (person.name, person.number)}
    for token, rows in pledged.items():
        if token.startswith(HELD_BY):
            word = token.removeprefix(HELD_BY)
            held.give(calls.get(word, word), rows)
    return held


def _named(book: StaffBook) -> list[NamedPerson]:
    return [people[0] for people in map(list, book.by_name.values()) if len(people) == 1]


async def _room(context: ImportContext) -> CustomerRoom | None:
    limit = await find_quota(QuotaKind.CUSTOMERS)
    if limit is None:
        return None
    if context.is_commit:
        await lock_quota(QuotaKind.CUSTOMERS)
    pledged = await context.promises.pledged(CUSTOMERS)
    return CustomerRoom(limit, await count_customers() + sum(pledged.values()))


def system_of(row: Row) -> str:
    """The other system that the row's key is of."""
    return row.text("external_system") or SYSTEM
