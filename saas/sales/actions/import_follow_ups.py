"""Follow-ups that come in sheets: what people did for customers before the product was used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from saas.access import require
from saas.audit import entry_values, record_many
from saas.customers import note_follow_ups, restore_last_follow_ups, settle_due
from saas.events import emit_many
from saas.exchange import Applied, ImportContext, ImportKind, Row, Verdict
from saas.kernel import AppError, local_date, new_id
from saas.sales.actions.importing import SalesDesk, outcomes, placed, sales_desk
from saas.sales.columns import FOLLOW_UP_COLUMNS
from saas.sales.events import FOLLOW_UP_RECORDED
from saas.sales.queries import find_activity
from saas.sales.rules.follow_ups import clean_content, happened_at
from tenants import current_tenant_id, current_transaction

OTHERS_PERMISSION = "customer:assign"
"""Needed to enter what somebody else did."""

_KNOWN = """
SELECT f.id, f.customer_id, f.author_id, f.kind, f.content, f.occurred_at
FROM follow_up f JOIN unnest($2::uuid[], $3::timestamptz[]) AS asked (customer, at)
    ON f.customer_id = asked.customer AND f.occurred_at = asked.at
WHERE f.tenant_id = $1
"""
_INSERT = """
INSERT INTO follow_up (tenant_id, id, customer_id, author_id, kind, content, occurred_at, occurred_on, created_at)
SELECT $1, made.*, $2 FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::timestamptz[],
    $9::date[]) AS made
"""
_REMOVE = "DELETE FROM follow_up WHERE tenant_id = $1 AND id = ANY ($2) RETURNING id, customer_id"
_LAST = """
SELECT customer_id, author_id, max(occurred_at) AS at FROM follow_up
WHERE tenant_id = $1 AND customer_id = ANY ($2) GROUP BY customer_id, author_id
"""


class FollowUpImport(ImportKind):
    """A follow-up is known by all its values: the same one again changes nothing."""

    name, title = "follow_ups", {"zh-CN": "跟进", "en": "Follow-ups"}
    permission, order, columns = "follow_up:create", 40, FOLLOW_UP_COLUMNS

    async def plan(self, context: ImportContext, rows: Sequence[Row]) -> list[Verdict]:
        """Customer and author may be promised by sheets before."""
        desk = await sales_desk(context, rows, "author")
        values: list[_Values | AppError] = [_values(desk, row) for row in rows]
        if any(isinstance(each, _Values) and each.author_id != context.actor.employee_id for each in values):
            require(context.access, OTHERS_PERMISSION)
        known = await _known([each for each in values if isinstance(each, _Values)])
        return [_verdict(desk, row, each, known) for row, each in zip(rows, values, strict=True)]

    async def apply(self, context: ImportContext, rows: Sequence[Row], verdicts: Sequence[Verdict]) -> list[Applied]:
        """Where the author owns the customer, its last follow-up is noted too."""
        desk = await sales_desk(context, rows, "author")
        made: list[tuple[UUID, _Values]] = []
        for row in rows:
            values = _values(desk, row)
            if isinstance(values, AppError):
                raise values
            made.append((new_id(), values))
        await _insert(context, made)
        await note_follow_ups([(each.customer_id, each.author_id, each.occurred_at) for _, each in made])
        await _settle(context, [each.customer_id for _, each in made if each.customer_id is not None])
        await _tell(context, made)
        return [Applied(row.number, follow_up_id) for row, (follow_up_id, _) in zip(rows, made, strict=True)]

    async def undo(self, context: ImportContext, applied: Sequence[Applied]) -> list[AppError | None]:
        """Follow-ups are never changed, so all that are still there go."""
        fetch, tenant_id = current_transaction().fetch, current_tenant_id()
        gone = await fetch(_REMOVE, tenant_id, [each.object_id for each in applied])
        customers = list({row["customer_id"] for row in gone})
        last = await fetch(_LAST, tenant_id, customers)
        await restore_last_follow_ups(customers, {(row["customer_id"], row["author_id"]): row["at"] for row in last})
        await _settle(context, customers)
        return outcomes(applied, {row["id"] for row in gone})


@dataclass(frozen=True, slots=True)
class _Values:
    """A follow-up as it is stored; the ids of what is promised only are missing."""

    customer_id: UUID | None
    author_id: UUID | None
    kind: str
    content: str
    occurred_at: datetime


def _values(desk: SalesDesk, row: Row) -> _Values | AppError:
    at = row.values["occurred_at"]
    assert isinstance(at, datetime), "a required column of moments"
    zone, now = ZoneInfo(desk.context.time_zone), desk.context.clock.now()
    try:
        return _Values(
            desk.customer_id(row),
            desk.staff.id_of(row.text("author"), column="author"),
            row.text("kind") or "note",
            clean_content(str(row.values["content"])),
            happened_at(at.replace(tzinfo=zone), now=now),
        )
    except AppError as refused:
        return refused


Known = Mapping[tuple[object, ...], UUID]


async def _known(values: Sequence[_Values]) -> Known:
    there = [each for each in values if each.customer_id is not None and each.author_id is not None]
    rows = await current_transaction().fetch(
        _KNOWN, current_tenant_id(), [each.customer_id for each in there], [each.occurred_at for each in there]
    )
    return {tuple(row[name] for name in _Values.__slots__): row["id"] for row in rows}


def _verdict(desk: SalesDesk, row: Row, values: _Values | AppError, known: Known) -> Verdict:
    refusals = desk.refusals(row, "author")
    if isinstance(values, AppError):
        return Verdict.refused(*(refusals or [placed(values)]))
    is_there = tuple(getattr(values, name) for name in _Values.__slots__) in known
    return Verdict.unchanged("") if is_there else Verdict.new()


async def _insert(context: ImportContext, made: Sequence[tuple[UUID, _Values]]) -> None:
    rows = [
        (
            follow_up_id,
            each.customer_id,
            each.author_id,
            each.kind,
            each.content,
            each.occurred_at,
            local_date(each.occurred_at, context.time_zone),
        )
        for follow_up_id, each in made
    ]
    columns = map(list, zip(*rows, strict=True))
    await current_transaction().execute(_INSERT, current_tenant_id(), context.clock.now(), *columns)


async def _settle(context: ImportContext, customer_ids: Sequence[UUID]) -> None:
    """Follow-ups that count move the day on which their customer goes back to the pool."""
    today = local_date(context.clock.now(), context.time_zone)
    await settle_due(customer_ids, activity=find_activity, time_zone=context.time_zone, today=today)


async def _tell(context: ImportContext, made: Sequence[tuple[UUID, _Values]]) -> None:
    await record_many(
        [
            entry_values(
                context.actor,
                "follow_up.created",
                object_type="FollowUp",
                object_id=follow_up_id,
                clock=context.clock,
            )
            for follow_up_id, _ in made
        ]
    )
    await emit_many(
        FOLLOW_UP_RECORDED,
        [{"follow_up_id": str(follow_up_id), "customer_id": str(each.customer_id)} for follow_up_id, each in made],
    )
