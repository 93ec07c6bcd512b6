"""Former ownerships (归属历史) that come in sheets: who had a customer, from when to when; none that still lasts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from saas.audit import entry_values, record_many
from saas.customers.administrators import find_administrations
from saas.customers.columns import OWNERSHIP_COLUMNS, CustomerBook, find_customers
from saas.customers.errors import CustomerChanged, HistoryRefused
from saas.exchange import Applied, ImportContext, ImportKind, Row, Verdict
from saas.kernel import AppError, local_date, new_id
from saas.people import StaffBook, find_staff
from tenants import current_tenant_id, current_transaction

_KNOWN = """
SELECT customer_id, owner_id, started_on, ended_on, start_kind FROM ownership
WHERE tenant_id = $1 AND customer_id = ANY ($2) ORDER BY started_at, id
"""
_POOLS = "SELECT id, pool_id FROM customer WHERE tenant_id = $1 AND id = ANY ($2) AND pool_id = ANY ($3)"
_INSERT = """
INSERT INTO ownership (tenant_id, id, customer_id, owner_id, owner_department_id, pool_id, started_at, started_on,
    ended_at, ended_on, start_kind, end_kind, reason, operator_id)
SELECT $1, made.id, c.id, made.owner, made.department, c.pool_id, made.began, made.began_on, made.ended, made.ended_on,
    'imported', 'release', made.reason, $2
FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::timestamptz[], $8::date[], $9::timestamptz[],
    $10::date[], $11::text[]) AS made (id, customer, owner, department, began, began_on, ended, ended_on, reason)
JOIN customer c ON c.tenant_id = $1 AND c.id = made.customer
"""
_REMOVE = """
DELETE FROM ownership WHERE tenant_id = $1 AND id = ANY ($2) AND start_kind = 'imported' AND ended_on IS NOT NULL
RETURNING id
"""


class OwnershipImport(ImportKind):
    """What the product saw itself is never contradicted; of two lists that overlap, the later start counts."""

    name, title = "ownerships", {"zh-CN": "归属历史", "en": "Ownership history"}
    permission, order, columns = "customer:assign", 30, OWNERSHIP_COLUMNS

    async def plan(self, context: ImportContext, rows: Sequence[Row]) -> list[Verdict]:
        """The customer may be promised by a sheet before; its history then begins with these rows."""
        desk = await _desk(context, rows)
        return [_verdict(desk, row) for row in rows]

    async def apply(self, context: ImportContext, rows: Sequence[Row], verdicts: Sequence[Verdict]) -> list[Applied]:
        """Each is an ownership that has ended."""
        desk, zone = await _desk(context, rows), ZoneInfo(context.time_zone)
        made = []
        for row in rows:
            person = desk.staff.find(str(row.values["owner"]), column="owner")
            assert person is not None, "whoever was promised is written by now"
            period = _period(row)
            made.append(
                (
                    new_id(),
                    desk.customers.find(*_called(row)),
                    person.id,
                    person.department_id,
                    datetime.combine(period.first, time(), zone),
                    period.first,
                    datetime.combine(period.last + timedelta(days=1), time(), zone),
                    period.last,
                    row.values.get("reason"),
                )
            )
        columns = map(list, zip(*made, strict=True))
        await current_transaction().execute(_INSERT, current_tenant_id(), context.actor.account_id, *columns)
        await _tell(context, rows, made)
        return [Applied(row.number, each[0]) for row, each in zip(rows, made, strict=True)]

    async def undo(self, context: ImportContext, applied: Sequence[Applied]) -> list[AppError | None]:
        """Former ownerships are never changed, so all that are still there go."""
        ids = [each.object_id for each in applied]
        gone = {row["id"] for row in await current_transaction().fetch(_REMOVE, current_tenant_id(), ids)}
        return [
            None if each.object_id in gone else CustomerChanged("customers.changed_since", {"row": each.number})
            for each in applied
        ]


@dataclass(frozen=True, slots=True)
class _Days:
    """A former ownership's days, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class _Desk:
    context: ImportContext
    customers: CustomerBook
    staff: StaffBook
    known: Mapping[UUID, Collection[asyncpg.Record]]
    foreign: Mapping[UUID, AppError]
    """By customer, why the caller may not tell of it: others administer its pool (P01)."""


def _called(row: Row) -> tuple[str | None, str | None]:
    return row.text("customer_key"), row.text("customer")


def _period(row: Row) -> _Days:
    first, last = row.day("started_on"), row.day("ended_on")
    assert first is not None, "a required column"
    assert last is not None, "a required column"
    return _Days(first, last)


async def _desk(context: ImportContext, rows: Sequence[Row]) -> _Desk:
    customers = await find_customers(context, [_called(row) for row in rows])
    staff = await find_staff(context, [str(row.values["owner"]) for row in rows])
    ids = {each for found in (*customers.by_key.values(), *customers.by_name.values()) for each in found}
    known: dict[UUID, list[asyncpg.Record]] = {}
    for row in await current_transaction().fetch(_KNOWN, current_tenant_id(), list(ids)):
        known.setdefault(row["customer_id"], []).append(row)
    return _Desk(context, customers, staff, known, await _foreign(context, ids))


async def _foreign(context: ImportContext, customer_ids: Collection[UUID]) -> dict[UUID, AppError]:
    found = await find_administrations()
    refusals = {pool_id: refusal for pool_id, each in found.items() if (refusal := each.refusal(context.actor))}
    if not refusals:
        return {}
    rows = await current_transaction().fetch(_POOLS, current_tenant_id(), list(customer_ids), list(refusals))
    return {row["id"]: refusals[row["pool_id"]] for row in rows}


def _verdict(desk: _Desk, row: Row) -> Verdict:
    refusals = [*desk.customers.refusal(*_called(row)), *desk.staff.refusals({"owner": str(row.values["owner"])})]
    refusals += _out_of_order(desk, _period(row))
    if refusals:
        return Verdict.refused(*refusals)
    customer_id = desk.customers.find(*_called(row))
    foreign = desk.foreign.get(customer_id) if customer_id else None
    if foreign is not None:
        return Verdict.refused(foreign.at("customer"))
    owner_id = desk.staff.id_of(str(row.values["owner"]), column="owner")
    days = _period(row)
    for each in desk.known.get(customer_id, ()) if customer_id else ():
        if (each["owner_id"], each["started_on"], each["ended_on"]) == (owner_id, days.first, days.last):
            return Verdict.unchanged("")
        if each["start_kind"] != "imported" and _overlap(each, days):
            values = {"first": each["started_on"].isoformat(), "last": str(each["ended_on"] or "—")}
            return Verdict.refused(HistoryRefused("customers.history_overlaps", values, field=("started_on",)))
    return Verdict.new()


def _out_of_order(desk: _Desk, days: _Days) -> list[AppError]:
    today = local_date(desk.context.clock.now(), desk.context.time_zone)
    if days.first <= days.last <= today:
        return []
    values = {"first": days.first.isoformat(), "last": days.last.isoformat(), "today": today.isoformat()}
    return [HistoryRefused("customers.history_out_of_order", values, field=("ended_on",))]


def _overlap(known: asyncpg.Record, days: _Days) -> bool:
    """Whether both owned it on some whole day: on the day of a change it belongs to both."""
    return known["started_on"] < days.last and (known["ended_on"] is None or days.first < known["ended_on"])


async def _tell(context: ImportContext, rows: Sequence[Row], made: Sequence[tuple[object, ...]]) -> None:
    await record_many(
        [
            entry_values(
                context.actor,
                "customer.history_imported",
                object_type="Customer",
                object_id=UUID(str(each[1])),
                changes={"owner": [None, str(each[2])], "from": [None, str(each[5])], "until": [None, str(each[7])]},
                clock=context.clock,
            )
            for each in made
        ]
    )
