"""Rows of settlements: what is settled so far, and a calculated draft written in the place of the one before it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import asyncpg

from saas.incentives.rules.lines import Accrual, Cause, Stream
from saas.incentives.rules.plans import Award, Plan
from saas.incentives.rules.recorded import COLLECTION, DEAL, EMPLOYEE
from saas.incentives.rules.settlements import Carried, Statement
from saas.incentives.rules.settling import Draft, Waiting
from saas.kernel import (
    Actor,
    Explanation,
    Money,
    Period,
    minor_digits,
    new_id,
    parse_public_id,
    public_id,
    rounded,
    split_public_id,
)
from saas.people import find_legal_entities_on
from saas.sealing import Keyring, Place
from tenants import current_tenant_id, current_transaction

MASK = "***"
_TABLE = "settlement_line"
_SETTLEMENTS = """
SELECT id, period_first, period_until, state, plan_hash FROM settlement
WHERE tenant_id = $1 AND plan_id = $2 ORDER BY period_first, id
"""
_SETTLED = """
SELECT a.employee_id, a.stream, a.award, a.kind, a.version_number, a.rule, a.deal_id, a.event, a.of_key, a.happened_at,
       a.happened_on, a.base_minor, a.amount_minor, a.explanation::text AS explanation
FROM accrual a JOIN settlement s ON s.tenant_id = $1 AND s.id = a.settlement_id AND s.state = 'locked'
WHERE a.tenant_id = $1 AND a.plan_id = $2 AND a.kind <> 'pool' AND a.employee_id = ANY ($3)
"""
_DRAFTED = """
SELECT source_key, amount_minor FROM accrual WHERE tenant_id = $1 AND settlement_id = $2 AND kind <> 'pool'
"""
_WAITING = """
SELECT source_key, employee_id, happened_on, amount_minor FROM accrual
WHERE tenant_id = $1 AND plan_id = $2 AND kind = 'pool' AND happened_on < $3
  AND (settlement_id IS NULL OR settlement_id = $4) ORDER BY source_key
"""
_BALANCES = "SELECT id, employee_id, balances_sealed FROM settlement_line WHERE tenant_id = $1 AND settlement_id = $2"


@dataclass(frozen=True, slots=True)
class Standing:
    """A settlement as it stands."""

    id: UUID
    period: Period
    state: str
    plan_hash: str

    @property
    def is_locked(self) -> bool:
        """Whether it is closed for good."""
        return self.state == "locked"


async def find_settlements(plan_id: UUID, *, is_locking: bool) -> list[Standing]:
    """The settlements of a plan, in order; with `is_locking` whoever would move one of them waits."""
    sql = f"{_SETTLEMENTS}{' FOR UPDATE' if is_locking else ''}"
    rows = await current_transaction().fetch(sql, current_tenant_id(), plan_id)
    return [
        Standing(row["id"], Period(row["period_first"], row["period_until"]), row["state"], row["plan_hash"])
        for row in rows
    ]


def closed_through(settlements: Sequence[Standing]) -> date | None:
    """The last cut-off of those that are locked."""
    ends = [each.period.last for each in settlements if each.is_locked and each.period.last is not None]
    return max(ends, default=None)


async def find_settled(plan_id: UUID, plan: Plan, people: Collection[str]) -> list[Accrual]:
    """The lines of people in locked settlements, as the rules made them (but for the base, kept in whole fen)."""
    ids = [parse_public_id(person, prefix=EMPLOYEE) for person in people]
    rows = await current_transaction().fetch(_SETTLED, current_tenant_id(), plan_id, ids)
    return [_accrual(row, plan) for row in rows]


def _accrual(row: asyncpg.Record, plan: Plan) -> Accrual:
    return Accrual(
        person=public_id(EMPLOYEE, row["employee_id"]),
        stream=Stream(row["stream"]),
        award=Award(row["award"]),
        cause=Cause(row["kind"]),
        plan=plan.code,
        version=row["version_number"],
        rule=row["rule"],
        deal=None if row["deal_id"] is None else public_id(DEAL, row["deal_id"]),
        event=row["event"],
        of=row["of_key"],
        at=row["happened_at"],
        on=row["happened_on"],
        base=Money.of_minor(row["base_minor"], plan.currency).amount,
        amount=Money.of_minor(row["amount_minor"], plan.currency).amount,
        currency=plan.currency,
        explanation=Explanation.of_plain(json.loads(row["explanation"])),
    )


async def find_drafted(settlement_id: UUID, plan: Plan) -> dict[str, Decimal]:
    """The amounts of a draft's lines, by their keys."""
    rows = await current_transaction().fetch(_DRAFTED, current_tenant_id(), settlement_id)
    return {row["source_key"]: Money.of_minor(row["amount_minor"], plan.currency).amount for row in rows}


async def find_waiting(plan_id: UUID, plan: Plan, period: Period, *, draft_id: UUID | None) -> list[Waiting]:
    """Parts of pools that no settlement has taken, but perhaps the draft that is calculated again."""
    rows = await current_transaction().fetch(_WAITING, current_tenant_id(), plan_id, period.until, draft_id)
    return [
        Waiting(
            row["source_key"],
            public_id(EMPLOYEE, row["employee_id"]),
            row["happened_on"],
            plan.currency,
            Money.of_minor(row["amount_minor"], plan.currency).amount,
        )
        for row in rows
    ]


async def find_balances(settlement_id: UUID, keyring: Keyring) -> dict[str, list[Carried]]:
    """What each person carried out of a settlement."""
    found: dict[str, list[Carried]] = {}
    for row in await current_transaction().fetch(_BALANCES, current_tenant_id(), settlement_id):
        text = keyring.open(Place(_TABLE, "balances_sealed", row["id"]), row["balances_sealed"])
        carried = [Carried(date.fromisoformat(since), Decimal(amount)) for since, amount in json.loads(text)]
        if carried:
            found[public_id(EMPLOYEE, row["employee_id"])] = carried
    return found


_FREE_WAITING = """
UPDATE accrual SET settlement_id = NULL WHERE tenant_id = $1 AND settlement_id = $2 AND kind = 'pool'
"""
_DELETE_LINES = "DELETE FROM accrual WHERE tenant_id = $1 AND settlement_id = $2"
_DELETE_STATEMENTS = "DELETE FROM settlement_line WHERE tenant_id = $1 AND settlement_id = $2"
_DELETE = "DELETE FROM settlement WHERE tenant_id = $1 AND id = $2"


async def delete_draft(settlement_id: UUID) -> None:
    """Take a settlement that is not locked away, with its lines; parts of pools wait again."""
    for sql in (_FREE_WAITING, _DELETE_LINES, _DELETE_STATEMENTS, _DELETE):
        await current_transaction().execute(sql, current_tenant_id(), settlement_id)


_INSERT = """
INSERT INTO settlement (tenant_id, id, plan_id, period_first, period_until, state, plan_hash, people_count, line_count,
    adjustment_count, earned_minor, payable_minor, calculated_at, calculator_account_id, calculator_id)
VALUES ($1, $2, $3, $4, $5, 'calculated', $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (tenant_id, plan_id, period_first) DO NOTHING
"""


async def insert_settlement(actor: Actor, plan_id: UUID, plan: Plan, draft: Draft, *, at: datetime) -> UUID | None:
    """The settlement of a draft, without its lines; None where the period has one."""
    settlement_id = new_id()
    made = await current_transaction().execute(
        _INSERT,
        current_tenant_id(),
        settlement_id,
        plan_id,
        draft.period.first,
        draft.period.until,
        draft.plan_hash,
        len(draft.statements),
        len(draft.accruals) + len(draft.waiting),
        draft.adjustment_count,
        None if draft.earned is None else _minor(draft.earned, plan),
        None if draft.payable is None else _minor(draft.payable, plan),
        at,
        actor.account_id,
        actor.employee_id,
    )
    return settlement_id if made else None


_INSERT_LINES = """
INSERT INTO accrual (tenant_id, settlement_id, plan_id, created_at, id, version_number, rule, kind, stream, award,
    employee_id, deal_id, collection_id, source_key, event, of_key, happened_at, happened_on, period_first, base_minor,
    amount_minor, customer_level, explanation)
SELECT $1, $2, $3, $4, line.id, line.version, line.rule, line.kind, line.stream, line.award, line.employee, line.deal,
    line.collection, line.source_key, line.event, line.of_key, line.at, line.day, line.first, line.base, line.amount,
    line.level, line.explanation::jsonb
FROM unnest($5::uuid[], $6::int[], $7::text[], $8::text[], $9::text[], $10::text[], $11::uuid[], $12::uuid[],
    $13::uuid[], $14::text[], $15::text[], $16::text[], $17::timestamptz[], $18::date[], $19::date[], $20::bigint[],
    $21::bigint[], $22::text[], $23::text[])
    AS line (id, version, rule, kind, stream, award, employee, deal, collection, source_key, event, of_key, at, day,
        first, base, amount, level, explanation)
"""
_TAKE_WAITING = """
UPDATE accrual SET settlement_id = $2
WHERE tenant_id = $1 AND source_key = ANY ($3) AND kind = 'pool' AND settlement_id IS NULL
"""


async def insert_lines(
    settlement_id: UUID, plan_id: UUID, plan: Plan, draft: Draft, levels: Mapping[str, str | None], *, at: datetime
) -> None:
    """The draft's lines, and the parts of pools that it takes; `levels` are those that customers had, by deal."""
    rows = [_line(line, plan, levels) for line in draft.accruals]
    if rows:
        columns = map(list, zip(*rows, strict=True))
        await current_transaction().execute(_INSERT_LINES, current_tenant_id(), settlement_id, plan_id, at, *columns)
    keys = [line.key for line in draft.waiting]
    taken = await current_transaction().execute(_TAKE_WAITING, current_tenant_id(), settlement_id, keys)
    assert taken == len(keys), "the plan is locked, so nobody else takes parts of its pools"


def _line(line: Accrual, plan: Plan, levels: Mapping[str, str | None]) -> tuple[object, ...]:
    return (
        new_id(),
        line.version,
        line.rule,
        line.cause.value,
        line.stream.value,
        line.award.value,
        parse_public_id(line.person, prefix=EMPLOYEE),
        None if line.deal is None else parse_public_id(line.deal, prefix=DEAL),
        _collection_of(line.event),
        line.key,
        line.event,
        line.of,
        line.at,
        line.on,
        plan.cycle.period_of(line.on).first,
        _minor(rounded(line.base, minor_digits(plan.currency)), plan),
        _minor(line.amount, plan),
        None if line.deal is None else levels.get(line.deal),
        json.dumps(line.explanation.plain(), ensure_ascii=False),
    )


def _collection_of(event: str) -> UUID | None:
    """The collection that an event is; signings, stages, cancellations and limits of periods are none."""
    if not event.startswith(f"{COLLECTION}_"):
        return None
    return split_public_id(event)[1]


def _minor(amount: Decimal, plan: Plan) -> int:
    return Money(plan.currency, amount).minor


_INSERT_STATEMENTS = """
INSERT INTO settlement_line (tenant_id, settlement_id, created_at, amounts_masked, id, employee_id, legal_entity_id,
    line_count, earned_sealed, brought_sealed, payable_sealed, carried_sealed, balances_sealed)
SELECT $1, $2, $3, $4, made.* FROM unnest($5::uuid[], $6::uuid[], $7::uuid[], $8::int[], $9::bytea[], $10::bytea[],
    $11::bytea[], $12::bytea[], $13::bytea[]) AS made
"""


async def insert_statements(settlement_id: UUID, draft: Draft, keyring: Keyring, *, at: datetime) -> None:
    """A sealed statement for each person."""
    if not draft.statements:
        return
    people = {each.person: parse_public_id(each.person, prefix=EMPLOYEE) for each in draft.statements}
    last = draft.statements[0].cut_off
    entities = await find_legal_entities_on([*people.values()], day=last)
    rows = [_statement(each, people[each.person], entities[people[each.person]], keyring) for each in draft.statements]
    columns = map(list, zip(*rows, strict=True))
    await current_transaction().execute(_INSERT_STATEMENTS, current_tenant_id(), settlement_id, at, MASK, *columns)


def _statement(statement: Statement, employee_id: UUID, entity_id: UUID, keyring: Keyring) -> tuple[object, ...]:
    row_id = new_id()
    balances = json.dumps([[left.since.isoformat(), str(left.amount)] for left in statement.carried])
    texts = {
        "earned_sealed": str(statement.earned),
        "brought_sealed": str(sum((left.amount for left in statement.brought), Decimal(0))),
        "payable_sealed": str(statement.payout),
        "carried_sealed": str(sum((left.amount for left in statement.carried), Decimal(0))),
        "balances_sealed": balances,
    }
    sealed = [keyring.seal("pay", Place(_TABLE, column, row_id), text) for column, text in texts.items()]
    return (row_id, employee_id, entity_id, len(statement.lines), *sealed)
