"""Computing a run: payslips chunk by chunk from frozen inputs, then totals and the plan's hash.

Whatever changes what would be paid (inputs frozen anew, an exclusion) makes a draft of the run again, and the same job
makes totals and hash anew.

Chunks of one run are computed side by side: each claims people whom no other holds, and whoever finds that nobody is
left makes the totals.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
import orjson

from saas.audit import record
from saas.events import emit_many
from saas.extensions import PluginHost
from saas.kernel import Actor, Clock, Money, new_id
from saas.payroll.actions.freezing import freeze_again
from saas.payroll.actions.machinery import Machinery, Machines
from saas.payroll.actions.sources import CommissionSource
from saas.payroll.errors import PayInputRefused, RunNotFound
from saas.payroll.events import PAYSLIPS_AWAITED
from saas.payroll.queries import Run, get_run, present_plan_hash
from saas.payroll.rules.outcomes import Outcome
from saas.payroll.rules.runs import RunStage, RunState, clean_reason, unique_accounts
from saas.payroll.rules.totals import Counted, Payee, Total, Totals
from saas.sealing import Keyring, Place
from tenants import current_tenant_id, current_transaction

REFREEZE_MOST = 100
CHAINS = 4
"""Chains of chunks in which a run is computed: one worker computes a chunk while it stores another, two share them."""

_WITHOUT_PAUSE = 5
"""People whose payslips are computed while nothing else of the process has its turn: a few milliseconds."""

_TOTALS_AT_ONCE = 200

# OFFSET 0: each person is looked up by the whole key. As a join over a table that was never analyzed, each would be
# compared with all payslips of the run.
_NOT_COMPUTED = """
FROM payroll_input i
WHERE i.tenant_id = $1 AND i.run_id = $2 AND NOT EXISTS (
    SELECT FROM payslip s WHERE s.tenant_id = $1 AND s.run_id = $2 AND s.employee_id = i.employee_id OFFSET 0
)
"""
_CLAIM = f"""
SELECT i.id, i.employee_id {_NOT_COMPUTED} AND i.employee_id > $4
ORDER BY i.employee_id LIMIT $3 FOR NO KEY UPDATE OF i SKIP LOCKED
"""
# A claim may come just after another chunk's commit that its statement does not see yet; the next statement does.
_CLAIMED = f"""
SELECT i.id, i.employment_id, i.employee_id, i.department_id, i.structure_version_id, i.inputs_sealed, i.failure
{_NOT_COMPUTED} AND i.id = ANY($3::uuid[]) ORDER BY i.employee_id
"""
_IS_LEFT = f"SELECT EXISTS (SELECT {_NOT_COMPUTED})"
_INSERT = """
INSERT INTO payslip (tenant_id, id, run_id, employment_id, employee_id, legal_entity_id, department_id, month, state,
    failure, document_sealed, amounts_sealed, digest, computed_at)
SELECT $1, id, $2, employment_id, employee_id, $3, department_id, $4, state, failure, sealed, amounts, digest, $5
FROM unnest($6::uuid[], $7::uuid[], $8::uuid[], $9::uuid[], $10::text[], $11::text[], $12::bytea[], $13::bytea[],
    $14::text[]) AS fresh (id, employment_id, employee_id, department_id, state, failure, sealed, amounts, digest)
"""
_BEGIN = """
UPDATE payroll_run SET state = 'draft', stage = 'computing', plan_hash = NULL, computed_by = $3,
    prepared_by = $4::text::jsonb, submitted_at = NULL, submitted_by = NULL
WHERE tenant_id = $1 AND id = $2
"""
_ADVANCE = "UPDATE payroll_run SET computed = computed + $3 WHERE tenant_id = $1 AND id = $2"
# Whoever has the row now sees to the end by itself, or asks for the chunk that does.
_TAKE_TURN = """
SELECT true FROM payroll_run WHERE tenant_id = $1 AND id = $2 AND state = 'draft' AND stage = 'computing'
FOR NO KEY UPDATE SKIP LOCKED
"""
_PAID = """
SELECT id, employee_id, department_id, amounts_sealed,
       CASE WHEN amounts_sealed IS NULL THEN document_sealed END AS document_sealed
FROM payslip
WHERE tenant_id = $1 AND run_id = $2 AND state = 'ok' AND employee_id > $3 ORDER BY employee_id LIMIT $4
"""
_INSERT_TOTALS = """
INSERT INTO payroll_total (tenant_id, id, run_id, dimension, key, measure, people, amount_minor)
SELECT $1, id, $2, dimension, key, measure, people, amount_minor
FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::int[], $8::bigint[])
  AS fresh (id, dimension, key, measure, people, amount_minor)
"""
_COUNTS = """
SELECT count(*) AS computed, count(*) FILTER (WHERE state = 'failed') AS failed,
       count(*) FILTER (WHERE state = 'excluded') AS excluded
FROM payslip WHERE tenant_id = $1 AND run_id = $2
"""
_FINISH = """
UPDATE payroll_run SET state = 'computed', stage = 'done', plan_hash = $3, computed_at = $4, computed = $5, failed = $6,
    excluded = $7, people = $5
WHERE tenant_id = $1 AND id = $2
"""
_EXCLUDE = """
UPDATE payslip SET state = 'excluded', exclusion = $4 WHERE tenant_id = $1 AND run_id = $2 AND employee_id = $3
  AND state <> 'excluded' RETURNING id
"""
NOBODY = UUID(int=0)


async def compute_run(actor: Actor, *, run_id: UUID, clock: Clock) -> None:
    """Have the payslips of a run computed that are not yet (permission ``payroll:run``).

    :raises RunNotFound: there is none; :raises RunNotReady: it is not a draft whose inputs are all frozen.
    """
    run = await get_run(run_id, lock=True)
    run.facts.require(RunState.DRAFT, step="compute")
    run.facts.require_stage(RunStage.FROZEN, step="compute")
    await _begin(actor, run)
    await record(actor, "payroll_run.computing_begun", object_type="PayrollRun", object_id=run_id, clock=clock)


async def _begin(actor: Actor, run: Run) -> None:
    """A draft again, prepared by one more person; the job does the rest."""
    prepared = unique_accounts([str(each) for each in run.facts.prepared_by], actor.account_id)
    await current_transaction().execute(
        _BEGIN, current_tenant_id(), run.id, actor.account_id, orjson.dumps(prepared).decode()
    )
    await await_payslips(run.id)


async def await_payslips(run_id: UUID) -> None:
    """Have the jobs begin, or go on, to compute a run."""
    await emit_many(PAYSLIPS_AWAITED, [{"run_id": str(run_id)}] * CHAINS)


async def exclude_from_run(actor: Actor, *, run_id: UUID, employee_id: UUID, reason: str, clock: Clock) -> None:
    """Leave a person out of a run, for a reason (permission ``payroll:run``); totals and plan are made anew.

    :raises RunNotFound: there is no such run, or the person has no payslip to be left out of it.
    :raises RunNotReady: the run is not computed.
    """
    reason = clean_reason(reason)
    run = await get_run(run_id, lock=True)
    run.facts.require(RunState.COMPUTED, step="exclude")
    excluded = await current_transaction().fetchval(_EXCLUDE, current_tenant_id(), run_id, employee_id, reason)
    if excluded is None:
        raise RunNotFound("payroll.not_in_run", field=("employeeId",))
    await _begin(actor, run)
    await record(
        actor,
        "payroll_run.person_excluded",
        object_type="Payslip",
        object_id=excluded,
        changes={"state": [None, "excluded"]},
        reason=reason,
        clock=clock,
    )


async def refreeze_inputs(
    actor: Actor,
    *,
    run_id: UUID,
    employee_ids: Sequence[UUID],
    keyring: Keyring,
    commission: CommissionSource,
    clock: Clock,
) -> None:
    """Freeze the inputs of some people anew, after they were put right (permission ``payroll:run``), and compute again.

    :raises PayInputRefused: more than 100 people.
    :raises RunNotFound: there is no such run, or none of them is employed there in its period.
    :raises RunNotReady: the run is not computed.
    """
    if len(employee_ids) > REFREEZE_MOST:
        values = {"given": len(employee_ids), "most": REFREEZE_MOST}
        raise PayInputRefused("payroll.too_many_people", values, field=("employeeIds",))
    run = await get_run(run_id, lock=True)
    run.facts.require(RunState.COMPUTED, step="refreeze")
    at = clock.now()
    found = await freeze_again(run, employee_ids, keyring=keyring, commission=commission, at=at)
    if not found:
        raise RunNotFound("payroll.not_in_run", field=("employeeIds",))
    await _begin(actor, run)
    await record(
        actor,
        "payroll_run.inputs_refrozen",
        object_type="PayrollRun",
        object_id=run_id,
        changes={"people": [None, found]},
        clock=clock,
    )


@dataclass(frozen=True, slots=True)
class Claimed:
    """How many people a chunk claimed, and the last of them: where its chain looks on, so that it does not pass again
    by all who are computed."""

    count: int
    last: UUID


async def compute_next(
    run: Run, *, most: int, after: UUID, host: PluginHost, machines: Machines, keyring: Keyring, at: datetime
) -> Claimed:
    """Claim at most so many people of a run who have no payslip yet, and compute theirs; first those behind `after`."""
    transaction, tenant_id = current_transaction(), current_tenant_id()
    await transaction.plan_by_index()
    found = await transaction.fetch(_CLAIM, tenant_id, run.id, most, after)
    if len(found) < most and after != NOBODY:
        found = await transaction.fetch(_CLAIM, tenant_id, run.id, most, NOBODY)
    claimed = [row["id"] for row in found]
    rows = await transaction.fetch(_CLAIMED, tenant_id, run.id, claimed) if claimed else []
    if rows:
        versions = {row["structure_version_id"] for row in rows} - {None}
        machinery = await machines.of_run(run, versions, host)
        async with machines.turn:
            fresh = await _payslip_rows(rows, machinery, keyring)
        common = (tenant_id, run.id, run.legal_entity_id, run.month, at)
        await transaction.execute(_INSERT, *common, *map(list, zip(*fresh, strict=True)))
        await transaction.execute(_ADVANCE, tenant_id, run.id, len(rows))
    return Claimed(len(claimed), found[-1]["employee_id"] if found else NOBODY)


async def _payslip_rows(
    rows: Sequence[asyncpg.Record], machinery: Machinery, keyring: Keyring
) -> list[tuple[object, ...]]:
    """Not in a thread: Python computes in one of them at a time, and handing over only costs. But with pauses, in which
    other chunks are stored and free the run's row."""
    fresh: list[tuple[object, ...]] = []
    for first in range(0, len(rows), _WITHOUT_PAUSE):
        part = rows[first : first + _WITHOUT_PAUSE]
        fresh += [_payslip_row(row, machinery.written(row, keyring), keyring) for row in part]
        await asyncio.sleep(0)
    return fresh


def _payslip_row(row: asyncpg.Record, outcome: Outcome, keyring: Keyring) -> tuple[object, ...]:
    row_id = new_id()
    sealed = keyring.seal("pay", Place("payslip", "document_sealed", row_id), outcome.data)
    place = Place("payslip", "amounts_sealed", row_id)
    amounts = None if outcome.counted is None else keyring.seal("pay", place, outcome.counted)
    ids = (row_id, row["employment_id"], row["employee_id"], row["department_id"])
    return (*ids, outcome.state.value, outcome.failure, sealed, amounts, keyring.digest(outcome.data))


async def finish_computing(run: Run, *, keyring: Keyring, at: datetime) -> None:
    """Add up the payslips that are paid and hash the plan: the run is computed. Nothing where a payslip is missing.

    Chunks that end at once take turns at the run's row, so the last of them sees the payslips of all.
    """
    transaction, tenant_id = current_transaction(), current_tenant_id()
    has_turn = await transaction.fetchval(_TAKE_TURN, tenant_id, run.id)
    if not has_turn or await transaction.fetchval(_IS_LEFT, tenant_id, run.id):
        return
    await transaction.execute("DELETE FROM payroll_total WHERE tenant_id = $1 AND run_id = $2", tenant_id, run.id)
    totals = await _totals(run, keyring)
    if totals:
        rows = [_total_row(total, run.currency) for total in totals]
        await transaction.execute(_INSERT_TOTALS, tenant_id, run.id, *map(list, zip(*rows, strict=True)))
    hashed = await present_plan_hash(run)
    counts = await transaction.fetchrow(_COUNTS, tenant_id, run.id)
    assert counts is not None, "an aggregate has a row"
    await transaction.execute(_FINISH, tenant_id, run.id, hashed, at, *counts)


async def _totals(run: Run, keyring: Keyring) -> Sequence[Total]:
    totals, passed = Totals(), NOBODY
    while rows := await current_transaction().fetch(_PAID, current_tenant_id(), run.id, passed, _TOTALS_AT_ONCE):
        _add_up(totals, rows, run.legal_entity_id, keyring)
        passed = rows[-1]["employee_id"]
    return totals.shown()


def _add_up(totals: Totals, rows: Sequence[asyncpg.Record], legal_entity_id: UUID, keyring: Keyring) -> None:
    for row in rows:
        totals.add(Payee(row["employee_id"], legal_entity_id, row["department_id"]), _counted(row, keyring))


def _counted(row: asyncpg.Record, keyring: Keyring) -> Counted:
    """A payslip's amounts; those of one that was computed before they were kept apart are in its document."""
    if row["amounts_sealed"] is not None:
        return Counted.of_text(keyring.open(Place("payslip", "amounts_sealed", row["id"]), row["amounts_sealed"]))
    text = keyring.open(Place("payslip", "document_sealed", row["id"]), row["document_sealed"])
    return Counted.of_document(orjson.loads(text))


def _total_row(total: Total, currency: str) -> tuple[object, ...]:
    minor = None if total.amount is None else Money(currency, total.amount).minor
    return (new_id(), total.dimension.value, total.key, total.measure.value, total.people, minor)
