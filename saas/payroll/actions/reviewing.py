"""From a computed run to published payslips: review, approval by a second person, lock, publication."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from saas.audit import record
from saas.events import emit
from saas.kernel import Actor, Clock, new_id, parse_public_id
from saas.payroll.actions.freezing import PAY_ITEM
from saas.payroll.actions.sources import CommissionSource
from saas.payroll.errors import PlanStale
from saas.payroll.events import PAYSLIPS_PUBLISHED
from saas.payroll.queries import Run, get_run, present_plan_hash
from saas.payroll.rules.runs import RunState, clean_reason, may_approve
from saas.sealing import Keyring, Place
from tenants import current_tenant_id, current_transaction

_AT_ONCE = 500
_NOBODY = UUID(int=0)

_SUBMIT = """
UPDATE payroll_run SET state = 'in_review', submitted_at = $3, submitted_by = $4 WHERE tenant_id = $1 AND id = $2
"""
_SEND_BACK = "UPDATE payroll_run SET state = 'computed', reason = $3 WHERE tenant_id = $1 AND id = $2"
_APPROVE = """
UPDATE payroll_run SET state = 'approved', approved_at = $3, approved_by = $4 WHERE tenant_id = $1 AND id = $2
"""
_LOCK = "UPDATE payroll_run SET state = 'locked', locked_at = $3, locked_by = $4 WHERE tenant_id = $1 AND id = $2"
_CLOSE = "UPDATE pay_period SET state = 'closed' WHERE tenant_id = $1 AND id = $2"
_PUBLISH = "UPDATE payroll_run SET state = 'published', published_at = $3 WHERE tenant_id = $1 AND id = $2"
_SHOW = "UPDATE payslip SET published_at = $3 WHERE tenant_id = $1 AND run_id = $2 AND state = 'ok'"
_PAID = """
SELECT s.id, s.employee_id, s.document_sealed, s.digest, y.id AS year_id
FROM payslip s LEFT JOIN year_to_date y ON y.tenant_id = s.tenant_id AND y.legal_entity_id = s.legal_entity_id
    AND y.employee_id = s.employee_id AND y.tax_year = $3
WHERE s.tenant_id = $1 AND s.run_id = $2 AND s.state = 'ok' AND s.employee_id > $4 ORDER BY s.employee_id LIMIT $5
"""
_KEEP_YEARS = """
INSERT INTO year_to_date (tenant_id, id, legal_entity_id, employee_id, tax_year, document_sealed, run_id, known_at)
SELECT $1, id, $2, employee_id, $3, sealed, $4, $5 FROM unnest($6::uuid[], $7::uuid[], $8::bytea[])
    AS fresh (id, employee_id, sealed)
ON CONFLICT (tenant_id, legal_entity_id, employee_id, tax_year)
DO UPDATE SET document_sealed = EXCLUDED.document_sealed, run_id = EXCLUDED.run_id, known_at = EXCLUDED.known_at
"""
_PAY_ITEMS = "UPDATE pay_item SET run_id = $2 WHERE tenant_id = $1 AND id = ANY($3::uuid[])"


async def submit_run(actor: Actor, *, run_id: UUID, clock: Clock) -> None:
    """Put a computed run before the person who approves it (permission ``payroll:run``).

    :raises RunNotFound: there is none; :raises RunNotReady: it is not computed.
    :raises PayslipsUnresolved: payslips failed, and are neither put right nor excluded.
    """
    run = (await get_run(run_id, lock=True)).facts
    run.require(RunState.COMPUTED, step="submit")
    run.require_resolved()
    await current_transaction().execute(_SUBMIT, current_tenant_id(), run_id, clock.now(), actor.account_id)
    await _record(actor, "submitted", run_id, clock=clock, plan=run.plan_hash)


async def send_back_run(actor: Actor, *, run_id: UUID, reason: str, clock: Clock) -> None:
    """Give a run back to whoever prepared it, with what is to be put right (permission ``payroll:approve``).

    :raises RunNotFound: there is none; :raises RunNotReady: it is not in review.
    """
    reason = clean_reason(reason)
    run = (await get_run(run_id, lock=True)).facts
    run.require(RunState.IN_REVIEW, step="send_back")
    await current_transaction().execute(_SEND_BACK, current_tenant_id(), run_id, reason)
    await _record(actor, "sent_back", run_id, clock=clock, reason=reason)


async def approve_run(
    actor: Actor, *, run_id: UUID, agreed: str, keyring: Keyring, commission: CommissionSource, clock: Clock
) -> None:
    """Approve just what was previewed (permission ``payroll:approve``): the plan whose hash is `agreed`.

    Pay always takes two people.

    :raises RunNotFound: there is none; :raises RunNotReady: it is not in review.
    :raises OwnRun: the approver opened, computed or changed it.
    :raises PayslipsUnresolved: payslips have failed.
    :raises PlanStale: the hash is not that of the run as it is, input by input.
    :raises PayrollRefused: it took in commission that is not locked yet.
    """
    run = await get_run(run_id, lock=True)
    present = await present_plan_hash(run)
    may_approve(run.facts, account_id=actor.account_id, plan_hash=agreed, present_hash=present)
    if run.takes_open_settlements:
        await commission.require_locked(await _settled_sources(run, keyring))
    await current_transaction().execute(_APPROVE, current_tenant_id(), run_id, clock.now(), actor.account_id)
    await _record(actor, "approved", run_id, clock=clock, plan=present)


async def _settled_sources(run: Run, keyring: Keyring) -> list[str]:
    """The public ids of the commission that the payslips pay."""
    transaction, tenant_id, passed = current_transaction(), current_tenant_id(), _NOBODY
    found: list[str] = []
    while rows := await transaction.fetch(_PAID, tenant_id, run.id, run.pays_on.year, passed, _AT_ONCE):
        found += [source for row in rows for source in _sources(_opened(row, keyring)) if not _is_item(source)]
        passed = rows[-1]["employee_id"]
    return found


def _sources(document: dict[str, Any]) -> list[str]:
    return [source for line in document["lines"] for source in line["sources"]]


def _is_item(source: str) -> bool:
    return source.startswith(f"{PAY_ITEM}_")


async def lock_run(actor: Actor, *, run_id: UUID, keyring: Keyring, commission: CommissionSource, clock: Clock) -> None:
    """Close an approved run and its period for good (permission ``payroll:run``): the year goes on from here.

    :raises RunNotFound: there is none; :raises RunNotReady: it is not approved.
    :raises PlanStale: a payslip is not the one that was approved.
    """
    run = await get_run(run_id, lock=True)
    run.facts.require(RunState.APPROVED, step="lock")
    transaction, tenant_id, now = current_transaction(), current_tenant_id(), clock.now()
    if await present_plan_hash(run) != run.facts.plan_hash:
        raise PlanStale("payroll.payslip_changed", {"run": str(run_id)})
    sources = await _keep_years(run, keyring, at=now)
    items = [parse_public_id(each, prefix=PAY_ITEM) for each in sources if _is_item(each)]
    await transaction.execute(_PAY_ITEMS, tenant_id, run_id, items)
    settled = [each for each in sources if not _is_item(each)]
    await commission.mark_paid(actor, settled, run_id=run_id, clock=clock)
    await transaction.execute(_LOCK, tenant_id, run_id, now, actor.account_id)
    await transaction.execute(_CLOSE, tenant_id, run.pay_period_id)
    await _record(actor, "locked", run_id, clock=clock, plan=run.facts.plan_hash)


async def _keep_years(run: Run, keyring: Keyring, *, at: datetime) -> list[str]:
    """Keep what packs cumulated, person by person; the public ids of all records that the payslips pay."""
    transaction, tenant_id, passed = current_transaction(), current_tenant_id(), _NOBODY
    sources: list[str] = []
    while rows := await transaction.fetch(_PAID, tenant_id, run.id, run.pays_on.year, passed, _AT_ONCE):
        documents = [_opened(row, keyring) for row in rows]
        sources += [source for document in documents for source in _sources(document)]
        fresh = [
            _year_row(row, document, keyring)
            for row, document in zip(rows, documents, strict=True)
            if document["yearToDate"] is not None
        ]
        if fresh:
            common = (tenant_id, run.legal_entity_id, run.pays_on.year, run.id, at)
            await transaction.execute(_KEEP_YEARS, *common, *map(list, zip(*fresh, strict=True)))
        passed = rows[-1]["employee_id"]
    return sources


def _opened(row: asyncpg.Record, keyring: Keyring) -> dict[str, Any]:
    """A payslip's document, which must be the one that was approved."""
    text = keyring.open(Place("payslip", "document_sealed", row["id"]), row["document_sealed"])
    if keyring.digest(text) != row["digest"]:
        raise PlanStale("payroll.payslip_changed", {"run": str(row["id"])})
    document: dict[str, Any] = orjson.loads(text)
    return document


def _year_row(row: asyncpg.Record, document: dict[str, Any], keyring: Keyring) -> tuple[object, ...]:
    row_id = row["year_id"] or new_id()
    text = orjson.dumps(document["yearToDate"], option=orjson.OPT_SORT_KEYS).decode()
    return row_id, row["employee_id"], keyring.seal("pay", Place("year_to_date", "document_sealed", row_id), text)


async def publish_run(actor: Actor, *, run_id: UUID, clock: Clock) -> None:
    """Let everybody read their own payslip of a locked run (permission ``payroll:run``).

    :raises RunNotFound: there is none; :raises RunNotReady: it is not locked.
    """
    run = (await get_run(run_id, lock=True)).facts
    run.require(RunState.LOCKED, step="publish")
    transaction, tenant_id, now = current_transaction(), current_tenant_id(), clock.now()
    await transaction.execute(_PUBLISH, tenant_id, run_id, now)
    await transaction.execute(_SHOW, tenant_id, run_id, now)
    await _record(actor, "published", run_id, clock=clock)
    await emit(PAYSLIPS_PUBLISHED, {"run_id": str(run_id)})


async def _record(
    actor: Actor, step: str, run_id: UUID, *, clock: Clock, plan: str | None = None, reason: str = ""
) -> None:
    changes: dict[str, Sequence[str | None]] = {} if plan is None else {"planHash": [None, plan]}
    await record(
        actor,
        f"payroll_run.{step}",
        object_type="PayrollRun",
        object_id=run_id,
        changes=changes,
        reason=reason,
        clock=clock,
    )
