"""A settlement that is being calculated: a part for each person, filled in chunk by chunk, moved when all are there.

Until then its lines stand beside those of the draft that it is to replace, which is whole and readable meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from saas.incentives.actions.settlement_rows import MASK, ROWS_AT_ONCE, delete_rows, ids_of
from saas.incentives.rules.lines import Accrual
from saas.incentives.rules.plans import Plan
from saas.incentives.rules.recorded import COLLECTION, DEAL, EMPLOYEE
from saas.incentives.rules.settling import Draft, Part
from saas.kernel import Money, minor_digits, new_id, parse_public_id, public_id, rounded, split_public_id
from saas.people import find_legal_entities_on
from saas.sealing import Keyring, Place
from tenants import current_tenant_id, current_transaction

_STATEMENT = "settlement_line"
"""A part becomes a statement with its own id, so its amounts are sealed as that one's from the beginning."""

SHARES_AT_ONCE = 2_000

_ENTER = """
INSERT INTO settlement_part (tenant_id, id, settlement_id, employee_id, share_count)
SELECT $1, fresh.id, $2, fresh.employee_id, fresh.shares
FROM unnest($3::uuid[], $4::uuid[], $5::int[]) AS fresh (id, employee_id, shares)
"""
_NEXT = """
SELECT id, employee_id FROM (
    SELECT id, employee_id, sum(share_count) OVER (ORDER BY employee_id) - share_count AS shares_before FROM (
        SELECT id, employee_id, share_count FROM settlement_part
        WHERE tenant_id = $1 AND settlement_id = $2 AND NOT is_calculated ORDER BY employee_id LIMIT $3
    ) AS next
) AS added WHERE shares_before < $4 ORDER BY employee_id
"""
_CALCULATED = "UPDATE settlement_part SET is_calculated = true WHERE tenant_id = $1 AND id = ANY ($2)"
_FILL = """
UPDATE settlement_part p SET lines = made.lines::jsonb, waiting = made.waiting::jsonb, line_count = made.line_count,
    adjustment_count = made.adjustment_count, legal_entity_id = made.entity, earned_sealed = made.earned,
    brought_sealed = made.brought, payable_sealed = made.payable, carried_sealed = made.carried,
    balances_sealed = made.balances, digest_sealed = made.digest
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::int[], $6::int[], $7::uuid[], $8::bytea[], $9::bytea[],
    $10::bytea[], $11::bytea[], $12::bytea[], $13::bytea[])
    AS made (id, lines, waiting, line_count, adjustment_count, entity, earned, brought, payable, carried, balances,
        digest)
WHERE p.tenant_id = $1 AND p.id = made.id
"""
_SEALED = """
SELECT id, line_count, adjustment_count, earned_sealed, payable_sealed, digest_sealed FROM settlement_part
WHERE tenant_id = $1 AND settlement_id = $2 AND digest_sealed IS NOT NULL ORDER BY employee_id
"""
_NEXT_MOVED = """
SELECT id FROM (
    SELECT id, employee_id, sum(line_count) OVER (ORDER BY employee_id) - line_count AS lines_before FROM (
        SELECT id, employee_id, line_count FROM settlement_part
        WHERE tenant_id = $1 AND settlement_id = $2 AND digest_sealed IS NOT NULL ORDER BY employee_id LIMIT $3
    ) AS next
) AS added WHERE lines_before < $3
"""
_MOVE_LINES = """
INSERT INTO accrual (tenant_id, settlement_id, plan_id, created_at, employee_id, id, version_number, rule, kind, stream,
    award, deal_id, collection_id, source_key, event, of_key, happened_at, happened_on, period_first, base_minor,
    amount_minor, customer_level, explanation)
SELECT $1, $2, $4, $5, p.employee_id, line.* FROM settlement_part p
CROSS JOIN LATERAL jsonb_to_recordset(p.lines) AS line (id uuid, version int, rule text, kind text, stream text,
    award text, deal uuid, collection uuid, key text, event text, of text, at timestamptz, day date, first date,
    base bigint, amount bigint, level text, explanation jsonb)
WHERE p.tenant_id = $1 AND p.id = ANY ($3)
"""
_TAKE_WAITING = """
UPDATE accrual SET settlement_id = $2
FROM settlement_part p CROSS JOIN LATERAL jsonb_array_elements_text(p.waiting) AS awaited (key)
WHERE p.tenant_id = $1 AND p.id = ANY ($3) AND accrual.tenant_id = $1 AND accrual.source_key = awaited.key
  AND accrual.kind = 'pool' AND accrual.settlement_id IS NULL
"""
_AWAITED = """
SELECT sum(jsonb_array_length(waiting))::int FROM settlement_part WHERE tenant_id = $1 AND id = ANY ($2)
"""
_MOVE_STATEMENTS = """
INSERT INTO settlement_line (tenant_id, settlement_id, created_at, amounts_masked, id, employee_id, legal_entity_id,
    line_count, earned_sealed, brought_sealed, payable_sealed, carried_sealed, balances_sealed)
SELECT $1, $2, $4, $5, id, employee_id, legal_entity_id, line_count, earned_sealed, brought_sealed, payable_sealed,
    carried_sealed, balances_sealed
FROM settlement_part WHERE tenant_id = $1 AND id = ANY ($3)
"""
_MOVED = "DELETE FROM settlement_part WHERE tenant_id = $1 AND id = ANY ($2)"


async def enter_people(settlement_id: UUID, shares: Mapping[str, int]) -> None:
    """Whom a settlement is to be calculated for, with how many shares of deals each has: an empty part for each."""
    ids = ids_of(shares)
    columns = ([new_id() for _ in ids], ids, [*shares.values()])
    await current_transaction().execute(_ENTER, current_tenant_id(), settlement_id, *columns)


async def next_people(settlement_id: UUID, *, most: int) -> dict[str, UUID]:
    """At most so many people who are not calculated yet, in the order of their ids, with their parts.

    Fewer where they have many shares of deals, and always one: a chunk is to end long before its job would be given up.
    """
    rows = await current_transaction().fetch(_NEXT, current_tenant_id(), settlement_id, most, SHARES_AT_ONCE)
    return {public_id(EMPLOYEE, row["employee_id"]): row["id"] for row in rows}


async def mark_calculated(parts: Mapping[str, UUID]) -> None:
    """That nothing more is to be done about people."""
    await current_transaction().execute(_CALCULATED, current_tenant_id(), [*parts.values()])


async def fill_parts(
    parts: Mapping[str, UUID], draft: Draft, levels: Mapping[str, str | None], *, plan: Plan, keyring: Keyring
) -> None:
    """What was worked out for people; `levels` are those that customers had, by deal."""
    if not draft.parts:
        return
    people = {part.statement.person: parse_public_id(part.statement.person, prefix=EMPLOYEE) for part in draft.parts}
    entities = await find_legal_entities_on([*people.values()], day=draft.parts[0].statement.cut_off)
    rows = [
        _row(parts[part.statement.person], part, entities[people[part.statement.person]], plan, levels, keyring)
        for part in draft.parts
    ]
    await current_transaction().execute(_FILL, current_tenant_id(), *map(list, zip(*rows, strict=True)))


def _row(
    part_id: UUID, part: Part, entity_id: UUID, plan: Plan, levels: Mapping[str, str | None], keyring: Keyring
) -> tuple[object, ...]:
    statement = part.statement
    texts = {
        "earned_sealed": str(statement.earned),
        "brought_sealed": str(sum((left.amount for left in statement.brought), Decimal(0))),
        "payable_sealed": str(statement.payout),
        "carried_sealed": str(sum((left.amount for left in statement.carried), Decimal(0))),
        "balances_sealed": json.dumps([[left.since.isoformat(), str(left.amount)] for left in statement.carried]),
        "digest_sealed": part.digest,
    }
    return (
        part_id,
        json.dumps([_line(line, plan, levels) for line in part.accruals], ensure_ascii=False),
        json.dumps([line.key for line in part.waiting], ensure_ascii=False),
        len(part.accruals) + len(part.waiting),
        part.adjustment_count,
        entity_id,
        *(keyring.seal("pay", Place(_STATEMENT, column, part_id), text) for column, text in texts.items()),
    )


def _line(line: Accrual, plan: Plan, levels: Mapping[str, str | None]) -> dict[str, Any]:
    """A line as the statement that moves it reads it."""
    collection = _collection_of(line.event)
    return {
        "id": str(new_id()),
        "version": line.version,
        "rule": line.rule,
        "kind": line.cause.value,
        "stream": line.stream.value,
        "award": line.award.value,
        "deal": None if line.deal is None else str(parse_public_id(line.deal, prefix=DEAL)),
        "collection": None if collection is None else str(collection),
        "key": line.key,
        "event": line.event,
        "of": line.of,
        "at": line.at.isoformat(),
        "day": line.on.isoformat(),
        "first": plan.cycle.period_of(line.on).first.isoformat(),
        "base": _minor(rounded(line.base, minor_digits(plan.currency)), plan),
        "amount": _minor(line.amount, plan),
        "level": None if line.deal is None else levels.get(line.deal),
        "explanation": line.explanation.plain(),
    }


def _collection_of(event: str) -> UUID | None:
    """The collection that an event is; signings, stages, cancellations and limits of periods are none."""
    if not event.startswith(f"{COLLECTION}_"):
        return None
    return split_public_id(event)[1]


def _minor(amount: Decimal, plan: Plan) -> int:
    return Money(plan.currency, amount).minor


@dataclass(frozen=True, slots=True)
class Gathered:
    """What all parts of a settlement come to: a digest and amounts for each person, in the order of their ids."""

    digests: Sequence[str]
    earned: Sequence[Decimal]
    payable: Sequence[Decimal]
    line_count: int
    adjustment_count: int


async def gather(settlement_id: UUID, keyring: Keyring) -> Gathered:
    """The parts of people who have a statement, without their lines."""
    rows = await current_transaction().fetch(_SEALED, current_tenant_id(), settlement_id)

    def opened(column: str) -> list[str]:
        return [keyring.open(Place(_STATEMENT, column, row["id"]), row[column]) for row in rows]

    return Gathered(
        digests=opened("digest_sealed"),
        earned=[Decimal(text) for text in opened("earned_sealed")],
        payable=[Decimal(text) for text in opened("payable_sealed")],
        line_count=sum(row["line_count"] for row in rows),
        adjustment_count=sum(row["adjustment_count"] for row in rows),
    )


async def move_parts(settlement_id: UUID, plan_id: UUID, *, at: datetime) -> None:
    """Let parts become accruals and statements, and take the parts of pools that they count."""
    transaction, tenant_id = current_transaction(), current_tenant_id()
    while rows := await transaction.fetch(_NEXT_MOVED, tenant_id, settlement_id, ROWS_AT_ONCE):
        moved = [row["id"] for row in rows]
        await transaction.execute(_MOVE_LINES, tenant_id, settlement_id, moved, plan_id, at)
        taken = await transaction.execute(_TAKE_WAITING, tenant_id, settlement_id, moved)
        awaited = await transaction.fetchval(_AWAITED, tenant_id, moved)
        assert taken == awaited, "the plan is locked, so nobody else takes parts of its pools"
        await transaction.execute(_MOVE_STATEMENTS, tenant_id, settlement_id, moved, at, MASK)
        await transaction.execute(_MOVED, tenant_id, moved)
    await delete_parts(settlement_id)


async def delete_parts(settlement_id: UUID) -> None:
    """Take away what was calculated so far."""
    await delete_rows("settlement_part", settlement_id)
