"""Rows of settlements: what is settled of a plan so far, and what is calculated of it now."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

import asyncpg

from saas.incentives.rules.lines import Accrual, Cause, Stream
from saas.incentives.rules.plans import Award, Plan
from saas.incentives.rules.recorded import DEAL, EMPLOYEE
from saas.incentives.rules.settlements import Carried
from saas.incentives.rules.settling import Waiting
from saas.kernel import (
    Explanation,
    Money,
    Period,
    parse_public_id,
    public_id,
)
from saas.sealing import Keyring, Place
from tenants import current_tenant_id, current_transaction

MASK = "***"
_TABLE = "settlement_line"
_SETTLEMENTS = """
SELECT id, period_first, period_until, state, plan_hash FROM settlement
WHERE tenant_id = $1 AND plan_id = $2 AND state NOT IN ('calculating', 'failed') ORDER BY period_first, id
"""
_ATTEMPTS = """
SELECT id, period_first, state FROM settlement
WHERE tenant_id = $1 AND plan_id = $2 AND state IN ('calculating', 'failed') ORDER BY period_first, id
"""
_AWAITED = """
SELECT id, plan_id, period_first, expected_hash, basis_hash, calculator_account_id, calculator_id FROM settlement
WHERE tenant_id = $1 AND id = $2 AND state = 'calculating'
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
  AND (settlement_id IS NULL OR settlement_id = $4) AND employee_id = ANY ($5) ORDER BY source_key
"""
_BALANCES = """
SELECT id, employee_id, balances_sealed FROM settlement_line
WHERE tenant_id = $1 AND settlement_id = $2 AND employee_id = ANY ($3)
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """A settlement as it stands, once it is calculated."""

    id: UUID
    period: Period
    state: str
    plan_hash: str

    @property
    def is_locked(self) -> bool:
        """Whether it is closed for good."""
        return self.state == "locked"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A settlement that is being calculated, or that could not be."""

    id: UUID
    period_first: date
    is_running: bool


async def find_attempts(plan_id: UUID) -> list[Attempt]:
    """What is calculated of a plan now, or has failed, in order; nobody who works on them is waited for."""
    rows = await current_transaction().fetch(_ATTEMPTS, current_tenant_id(), plan_id)
    return [Attempt(row["id"], row["period_first"], row["state"] == "calculating") for row in rows]


async def find_settlements(plan_id: UUID, *, is_locking: bool = False) -> list[Standing]:
    """The settlements of a plan that are calculated, in order; with `is_locking` whoever would move one waits."""
    sql = f"{_SETTLEMENTS}{' FOR UPDATE' if is_locking else ''}"
    rows = await current_transaction().fetch(sql, current_tenant_id(), plan_id)
    return [
        Standing(row["id"], Period(row["period_first"], row["period_until"]), row["state"], row["plan_hash"])
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class AwaitedSettlement:
    """A settlement that is being calculated. `expected_hash` is the result that is wanted, `basis_hash` of the rules
    that it goes by; the account and the person on the staff are those who asked."""

    id: UUID
    plan_id: UUID
    period_first: date
    expected_hash: str | None
    basis_hash: str
    account_id: UUID
    employee_id: UUID | None


async def find_awaited(settlement_id: UUID, *, is_locking: bool = False) -> AwaitedSettlement | None:
    """A settlement if it is being calculated; with `is_locking` it is not discarded meanwhile."""
    sql = f"{_AWAITED}{' FOR UPDATE' if is_locking else ''}"
    row = await current_transaction().fetchrow(sql, current_tenant_id(), settlement_id)
    return None if row is None else AwaitedSettlement(*row)


def closed_through(settlements: Sequence[Standing]) -> date | None:
    """The last cut-off of those that are locked."""
    ends = [each.period.last for each in settlements if each.is_locked and each.period.last is not None]
    return max(ends, default=None)


def ids_of(people: Iterable[str]) -> list[UUID]:
    """People's ids as tables hold them."""
    return [parse_public_id(person, prefix=EMPLOYEE) for person in people]


async def find_settled(plan_id: UUID, plan: Plan, people: Collection[str]) -> list[Accrual]:
    """The lines of people in locked settlements, as the rules made them (but for the base, kept in whole fen)."""
    rows = await current_transaction().fetch(_SETTLED, current_tenant_id(), plan_id, ids_of(people))
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


async def find_waiting(
    plan_id: UUID, plan: Plan, period: Period, *, people: Collection[str], draft_id: UUID | None
) -> list[Waiting]:
    """People's parts of pools that no settlement has taken, but perhaps the draft that is calculated again."""
    transaction, ids = current_transaction(), ids_of(people)
    rows = await transaction.fetch(_WAITING, current_tenant_id(), plan_id, period.until, draft_id, ids)
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


async def find_balances(settlement_id: UUID, keyring: Keyring, *, people: Collection[str]) -> dict[str, list[Carried]]:
    """What each of the people carried out of a settlement."""
    found: dict[str, list[Carried]] = {}
    for row in await current_transaction().fetch(_BALANCES, current_tenant_id(), settlement_id, ids_of(people)):
        text = keyring.open(Place(_TABLE, "balances_sealed", row["id"]), row["balances_sealed"])
        carried = [Carried(date.fromisoformat(since), Decimal(amount)) for since, amount in json.loads(text)]
        if carried:
            found[public_id(EMPLOYEE, row["employee_id"])] = carried
    return found


_FREE_WAITING = """
UPDATE accrual SET settlement_id = NULL WHERE tenant_id = $1 AND settlement_id = $2 AND kind = 'pool'
"""
ROWS_AT_ONCE = 2_000
"""Rows that one statement writes or deletes: far from the seconds that a statement may take."""

_OF_SETTLEMENT = ("accrual", "settlement_line", "settlement_part", "settlement_problem")
_DELETE = "DELETE FROM settlement WHERE tenant_id = $1 AND id = $2"


async def delete_draft(settlement_id: UUID) -> None:
    """Take a settlement that is not locked away, with all that is calculated of it; parts of pools wait again."""
    await current_transaction().execute(_FREE_WAITING, current_tenant_id(), settlement_id)
    for table in _OF_SETTLEMENT:
        await delete_rows(table, settlement_id)
    await current_transaction().execute(_DELETE, current_tenant_id(), settlement_id)


async def delete_rows(table: str, settlement_id: UUID) -> None:
    """Take all rows of a settlement out of a table, so many at once."""
    chosen = f"SELECT id FROM {table} WHERE tenant_id = $1 AND settlement_id = $2 LIMIT {ROWS_AT_ONCE}"
    sql = f"DELETE FROM {table} WHERE tenant_id = $1 AND id IN ({chosen})"
    while await current_transaction().execute(sql, current_tenant_id(), settlement_id) == ROWS_AT_ONCE:
        pass
