"""Fills a signed-up company with the demonstration's people, customers and history, in one transaction.

Bulk rows go in by ``INSERT … SELECT FROM unnest`` (COPY is refused under row-level security), through the same
sealing as everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import TypeVar
from uuid import UUID

from saas.customers import match_key
from saas.demo.company import ZONE, DemoCompany
from saas.kernel import new_id
from saas.people import SealedPhone, name_key, person_name_key, seal_phone
from saas.sealing import Keyring
from tenants import Transaction

Progress = Callable[[str, int, int], None]
"""Told what is being written, how much of it, of how much."""

CHUNK = 1000
Row = TypeVar("Row")


async def is_filled(transaction: Transaction) -> bool:
    """Whether the company has its customers already."""
    return bool(await transaction.fetchval("SELECT EXISTS (SELECT FROM customer)"))


async def fill_company(
    transaction: Transaction, company: DemoCompany, *, operator_id: UUID, keyring: Keyring, progress: Progress
) -> None:
    """Write everything of `company` into the transaction's tenant; `operator_id` is the account that stands as
    the operator of the ownerships."""
    await _departments(transaction, company)
    await _employees(transaction, company, keyring)
    await _customers(transaction, company, keyring, progress)
    await _ownerships(transaction, company, operator_id)
    await _follow_ups(transaction, company, progress)


async def _departments(transaction: Transaction, company: DemoCompany) -> None:
    root: UUID = await transaction.fetchval("SELECT id FROM department WHERE parent_id IS NULL")
    ids = {department.name: department.id for department in company.departments}
    parents = [ids[each.parent] if each.parent else root for each in company.departments]
    await _insert(
        transaction,
        "department (id, parent_id, name, name_key, created_at)",
        "uuid[], uuid[], text[], text[], timestamptz[]",
        [each.id for each in company.departments],
        parents,
        [each.name for each in company.departments],
        [name_key(each.name) for each in company.departments],
        [_morning(company.today)] * len(parents),
    )
    above: dict[UUID, list[UUID]] = {root: [root]}
    pairs: list[tuple[UUID, UUID, int]] = []
    for department, parent in zip(company.departments, parents, strict=True):
        above[department.id] = [department.id, *above[parent]]
        pairs += [(ancestor, department.id, depth) for depth, ancestor in enumerate(above[department.id])]
    await _insert(
        transaction,
        "department_closure (ancestor_id, descendant_id, depth)",
        "uuid[], uuid[], int[]",
        *(list(column) for column in zip(*pairs, strict=True)),
    )


async def _employees(transaction: Transaction, company: DemoCompany, keyring: Keyring) -> None:
    entity: UUID = await transaction.fetchval("SELECT id FROM legal_entity ORDER BY id LIMIT 1")
    departments = {department.name: department.id for department in company.departments}
    people = company.employees
    sealed = [seal_phone(each.phone, keyring=keyring, table="employee", row_id=each.id) for each in people]
    places = [departments[each.department] for each in people]
    await _insert(
        transaction,
        "employee (id, number, name, name_key, department_id, legal_entity_id, position, hired_on, phone_sealed,"
        " phone_masked, phone_index, created_at)",
        "uuid[], text[], text[], text[], uuid[], uuid[], text[], date[], bytea[], text[], bytea[], timestamptz[]",
        [each.id for each in people],
        [each.number for each in people],
        [each.name for each in people],
        [person_name_key(each.name) for each in people],
        places,
        [entity] * len(people),
        [each.position for each in people],
        [each.hired_on for each in people],
        *_phone_columns(sealed),
        [_morning(each.hired_on) for each in people],
    )
    await _insert(
        transaction,
        "employment (id, employee_id, legal_entity_id, department_id, position, valid_from, known_at)",
        "uuid[], uuid[], uuid[], uuid[], text[], date[], timestamptz[]",
        [new_id() for _ in people],
        [each.id for each in people],
        [entity] * len(people),
        places,
        [each.position for each in people],
        [each.hired_on for each in people],
        [_morning(each.hired_on) for each in people],
    )


async def _customers(transaction: Transaction, company: DemoCompany, keyring: Keyring, progress: Progress) -> None:
    pool: UUID = await transaction.fetchval("SELECT id FROM customer_pool WHERE is_default")
    departments = {department.name: department.id for department in company.departments}
    last = _last_follow_ups(company)
    done = 0
    for chunk in _chunks(company.customers):
        sealed = [seal_phone(each.phone, keyring=keyring, table="customer", row_id=each.id) for each in chunk]
        owners = [company.sales[each.owner] if each.owner is not None else None for each in chunk]
        await _insert(
            transaction,
            "customer (id, pool_id, name, name_key, match_key, short_name, industry, level, source, district_code,"
            " district_name, contact_name, phone_sealed, phone_masked, phone_index, status, owner_id,"
            " owner_department_id, received_on, last_follow_up_at, created_at)",
            "uuid[], uuid[], text[], text[], text[], text[], text[], text[], text[], text[], text[], text[], bytea[],"
            " text[], bytea[], text[], uuid[], uuid[], date[], timestamptz[], timestamptz[]",
            [each.id for each in chunk],
            [pool] * len(chunk),
            [each.name for each in chunk],
            [name_key(each.name) for each in chunk],
            [match_key(each.name) for each in chunk],
            [each.short_name for each in chunk],
            [each.industry for each in chunk],
            [each.level for each in chunk],
            [each.source for each in chunk],
            [each.district_code for each in chunk],
            [each.district_name for each in chunk],
            [each.contact_name for each in chunk],
            *_phone_columns(sealed),
            ["owned" if owner else "pooled" for owner in owners],
            [owner.id if owner else None for owner in owners],
            [departments[owner.department] if owner else None for owner in owners],
            [each.received_on for each in chunk],
            [last.get(each.id) for each in chunk],
            [each.created_at for each in chunk],
        )
        done += len(chunk)
        progress("customers", done, len(company.customers))


def _last_follow_ups(company: DemoCompany) -> dict[UUID, datetime]:
    last: dict[UUID, datetime] = {}
    for follow_up in company.follow_ups:
        customer = company.customers[follow_up.customer].id
        last[customer] = max(last.get(customer, follow_up.occurred_at), follow_up.occurred_at)
    return last


async def _ownerships(transaction: Transaction, company: DemoCompany, operator_id: UUID) -> None:
    departments = {department.name: department.id for department in company.departments}
    pool: UUID = await transaction.fetchval("SELECT id FROM customer_pool WHERE is_default")
    owned = [
        (each, company.sales[each.owner], each.received_on) for each in company.customers if each.owner is not None
    ]
    rows = [
        (new_id(), customer.id, owner.id, departments[owner.department], pool, _morning(on), on, "claim", operator_id)
        for customer, owner, on in owned
        if on is not None
    ]
    for chunk in _chunks(rows):
        await _insert(
            transaction,
            "ownership (id, customer_id, owner_id, owner_department_id, pool_id, started_at, started_on, start_kind,"
            " operator_id)",
            "uuid[], uuid[], uuid[], uuid[], uuid[], timestamptz[], date[], text[], uuid[]",
            *(list(column) for column in zip(*chunk, strict=True)),
        )


async def _follow_ups(transaction: Transaction, company: DemoCompany, progress: Progress) -> None:
    done = 0
    for chunk in _chunks(company.follow_ups):
        await _insert(
            transaction,
            "follow_up (id, customer_id, author_id, kind, content, occurred_at, occurred_on, created_at)",
            "uuid[], uuid[], uuid[], text[], text[], timestamptz[], date[], timestamptz[]",
            [each.id for each in chunk],
            [company.customers[each.customer].id for each in chunk],
            [company.sales[each.author].id for each in chunk],
            [each.kind for each in chunk],
            [each.content for each in chunk],
            [each.occurred_at for each in chunk],
            [each.occurred_at.date() for each in chunk],
            [each.occurred_at for each in chunk],
        )
        done += len(chunk)
        progress("follow-ups", done, len(company.follow_ups))


async def _insert(transaction: Transaction, target: str, types: str, *columns: Sequence[object]) -> None:
    """Rows from columns; the tenant is the transaction's."""
    table, _, names = target.partition(" ")
    arrays = ", ".join(f"${n}::{kind.strip()}" for n, kind in enumerate(types.split(","), start=2))
    await transaction.execute(
        f"INSERT INTO {table} (tenant_id, {names.strip('()')}) SELECT $1, * FROM unnest({arrays})",
        transaction.tenant_id,
        *columns,
    )


def _phone_columns(sealed: Iterable[SealedPhone]) -> tuple[list[object], list[object], list[object]]:
    rows = list(sealed)
    return [row.sealed for row in rows], [row.masked for row in rows], [row.index for row in rows]


def _chunks(rows: Sequence[Row]) -> Iterable[Sequence[Row]]:
    return (rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK))


def _morning(on: date) -> datetime:
    return datetime.combine(on, time(0), ZONE) + timedelta(minutes=30)
