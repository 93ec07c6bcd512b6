"""Opening a run (算薪批次): versions are pinned, and jobs freeze the inputs of everybody employed in the period."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

import orjson

from saas.audit import record
from saas.events import emit
from saas.extensions import PluginHost, enabled_plugins
from saas.incentives import require_calculated
from saas.kernel import Actor, Clock, Period, month_of, new_id
from saas.payroll.actions.computing import await_payslips
from saas.payroll.errors import PayInputRefused, PeriodClosed, RunUnderWay
from saas.payroll.events import INPUTS_AWAITED
from saas.payroll.hooks import ChosenPack, choose_pack, pins_of
from saas.payroll.queries import get_run, require_legal_entity
from saas.payroll.rules.plans import RunPins
from saas.payroll.rules.runs import RunStage, RunState, clean_reason, pay_month, weekdays
from saas.payroll.rules.versions import NEWEST
from tenants import current_tenant_id, current_transaction, get_tenant_facts

_ENTER_PERIOD = """
INSERT INTO pay_period (tenant_id, id, legal_entity_id, month, first_on, until_on, pays_on, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant_id, legal_entity_id, month) DO NOTHING
"""
_PERIOD = "SELECT id, state FROM pay_period WHERE tenant_id = $1 AND legal_entity_id = $2 AND month = $3 FOR UPDATE"
_PAYS_ON = "UPDATE pay_period SET pays_on = $3 WHERE tenant_id = $1 AND id = $2"
_COUNT = """
SELECT count(DISTINCT employee_id) FROM employment
WHERE tenant_id = $1 AND legal_entity_id = $2 AND valid_from < $4 AND (valid_to IS NULL OR valid_to > $3)
"""
_INSERT = """
INSERT INTO payroll_run (tenant_id, id, pay_period_id, legal_entity_id, calculation, pack, pack_version,
    pack_calculation, pack_settings, pack_rows, pay_days, currency, people, opened_at, opened_by, prepared_by,
    takes_open_settlements, computes_at_once)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::jsonb, $10::text::jsonb, $11::text::jsonb, $12, $13, $14, $15,
    $16::text::jsonb, $17, $18)
ON CONFLICT (tenant_id, legal_entity_id) WHERE state NOT IN ('locked', 'published', 'cancelled') DO NOTHING
"""
_CANCEL = """
UPDATE payroll_run SET state = 'cancelled', cancelled_at = $3, reason = $4 WHERE tenant_id = $1 AND id = $2
"""


async def open_run(
    actor: Actor,
    *,
    legal_entity_id: UUID,
    month: str,
    pays_on: date,
    takes_open_settlements: bool = False,
    computes_at_once: bool = False,
    host: PluginHost,
    clock: Clock,
) -> UUID:
    """Open the run of a legal entity's month (permission ``payroll:run``); jobs then freeze everybody's inputs, and
    compute the payslips where that is asked for.

    What becomes known later does not change the run: it is listed there as arrived since. Commission of settlements
    that are not locked is taken in where that is asked for; the run is not approved before they are.

    :raises PayInputRefused: no month, paid before it begins, or nobody is employed there in it.
    :raises LegalEntityNotFound: this company has none of that id.
    :raises PeriodClosed: a run of the period is locked already.
    :raises PayrollRefused: commission that is not locked is asked for while a settlement of it is being calculated.
    :raises RunUnderWay: the legal entity has a run that is neither locked nor cancelled; amounts of the year follow on.
    :raises RuleRefused: the country pack can't answer for the period; :raises PackMissing: two packs would.
    """
    period, now = pay_month(month, pays_on), clock.now()
    last = period.last
    assert last is not None, "months end"
    await require_legal_entity(legal_entity_id)
    if takes_open_settlements:
        await require_calculated(before=last + timedelta(days=1))
    period_id = await _open_period(legal_entity_id, period, pays_on=pays_on, at=now)
    enabled = await enabled_plugins(host, on=last)
    chosen = choose_pack(host, enabled, period=period, legal_entity_id=legal_entity_id)
    pins = pins_of(host, enabled, chosen, calculation=NEWEST)
    people = await _count_employed(legal_entity_id, period)
    run_id = new_id()
    ways = (takes_open_settlements, computes_at_once)
    await _insert(
        run_id, period_id, legal_entity_id, pins, chosen, period, ways, people=people, by=actor.account_id, at=now
    )
    await record(
        actor,
        "payroll_run.opened",
        object_type="PayrollRun",
        object_id=run_id,
        changes={"month": [None, month], "paysOn": [None, pays_on.isoformat()], "people": [None, people]},
        clock=clock,
    )
    await emit(INPUTS_AWAITED, {"run_id": str(run_id)})
    return run_id


async def _open_period(legal_entity_id: UUID, period: Period, *, pays_on: date, at: datetime) -> UUID:
    transaction, tenant_id, month = current_transaction(), current_tenant_id(), month_of(period.first)
    days = (period.first, period.until, pays_on)
    await transaction.execute(_ENTER_PERIOD, tenant_id, new_id(), legal_entity_id, month, *days, at)
    row = await transaction.fetchrow(_PERIOD, tenant_id, legal_entity_id, month)
    assert row is not None, "it was there, or has just been entered"
    if row["state"] == "closed":
        raise PeriodClosed("payroll.period_closed", {"month": month}, field=("month",))
    await transaction.execute(_PAYS_ON, tenant_id, row["id"], pays_on)
    period_id: UUID = row["id"]
    return period_id


async def _count_employed(legal_entity_id: UUID, period: Period) -> int:
    people: int = await current_transaction().fetchval(
        _COUNT, current_tenant_id(), legal_entity_id, period.first, period.until
    )
    if not people:
        raise PayInputRefused("payroll.nobody_employed", {"month": month_of(period.first)}, field=("month",))
    return people


async def _insert(
    run_id: UUID,
    period_id: UUID,
    legal_entity_id: UUID,
    pins: RunPins,
    chosen: ChosenPack | None,
    period: Period,
    ways: tuple[bool, bool],
    *,
    people: int,
    by: UUID,
    at: datetime,
) -> None:
    pay_days = chosen.terms.pay_days if chosen else weekdays(period)
    rows = list(chosen.terms.rows) if chosen else []
    currency = (await get_tenant_facts()).currency
    is_alone = await current_transaction().execute(
        _INSERT,
        current_tenant_id(),
        run_id,
        period_id,
        legal_entity_id,
        pins.calculation,
        pins.pack,
        pins.pack_version,
        pins.pack_calculation,
        None if pins.pack_settings is None else _json(pins.pack_settings),
        _json(rows),
        _json([day.isoformat() for day in pay_days]),
        currency,
        people,
        at,
        by,
        _json([str(by)]),
        *ways,
    )
    if not is_alone:
        raise RunUnderWay("payroll.run_under_way", {"month": month_of(period.first)})


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


async def resume_run(actor: Actor, *, run_id: UUID, clock: Clock) -> None:
    """Let the jobs of a run go on where they stopped (permission ``payroll:run``); repeating it changes nothing.

    :raises RunNotFound: there is none; :raises RunNotReady: nothing of it waits for a job.
    """
    run = (await get_run(run_id, lock=True)).facts
    run.require(RunState.DRAFT, step="resume")
    run.require_stage(RunStage.FREEZING, RunStage.COMPUTING, step="resume")
    await record(actor, "payroll_run.resumed", object_type="PayrollRun", object_id=run_id, clock=clock)
    if run.stage is RunStage.FREEZING:
        await emit(INPUTS_AWAITED, {"run_id": str(run_id)})
    else:
        await await_payslips(run_id)


async def cancel_run(actor: Actor, *, run_id: UUID, reason: str, clock: Clock) -> None:
    """Give a run up that is not locked; its jobs stop with the chunk that they are at. The period stays open.

    :raises RunNotFound: there is none; :raises RunNotReady: it is locked, published or cancelled.
    """
    reason = clean_reason(reason)
    run = (await get_run(run_id, lock=True)).facts
    run.require(RunState.DRAFT, RunState.COMPUTED, RunState.IN_REVIEW, RunState.APPROVED, step="cancel")
    await current_transaction().execute(_CANCEL, current_tenant_id(), run_id, clock.now(), reason)
    await record(
        actor,
        "payroll_run.cancelled",
        object_type="PayrollRun",
        object_id=run_id,
        changes={"state": [run.state.value, RunState.CANCELLED.value]},
        reason=reason,
        clock=clock,
    )
