"""Who takes part in a plan, and in which stages deals are: facts of plans that nobody else keeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from saas.access import AccessTable
from saas.audit import record
from saas.incentives.errors import ParticipantNotFound, ParticipationRefused, StageExists, StageRefused
from saas.incentives.queries import get_plan
from saas.kernel import Actor, Clock, local_date, new_id
from saas.people import get_department, get_employee
from saas.sales import find_visible_deals
from saas.sales.errors import DealNotFound
from tenants import current_tenant_id, current_transaction

STAGE_MAX = 40
_INSERT = """
INSERT INTO incentive_participant (tenant_id, id, plan_id, employee_id, department_id, valid_from, valid_to, known_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_PARTICIPANT = """
SELECT plan_id, valid_from, valid_to FROM incentive_participant WHERE tenant_id = $1 AND id = $2 FOR UPDATE
"""
_END = "UPDATE incentive_participant SET valid_to = $3 WHERE tenant_id = $1 AND id = $2"
_REACH = """
INSERT INTO deal_stage (tenant_id, id, deal_id, collection_id, stage, reached_on, known_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING
"""
_COLLECTED = """
SELECT deal_id FROM collection WHERE tenant_id = $1 AND id = $2 AND kind = 'collection'
  AND reverses_id IS NULL AND reversed_by_id IS NULL
"""


@dataclass(frozen=True, slots=True)
class NewParticipant:
    """A person, or a department with all below it, from a day up to, and not including, another one."""

    employee_id: UUID | None
    department_id: UUID | None
    first: date
    until: date | None = None


async def add_participant(actor: Actor, *, plan_id: UUID, new: NewParticipant, clock: Clock) -> UUID:
    """Let somebody take part in a plan; what it makes due in settled periods comes as adjustments.

    :raises PlanNotFound: there is no such plan.
    :raises ParticipationRefused: not just one of person and department, or not a day.
    :raises EmployeeNotFound, DepartmentNotFound: this company has none such.
    """
    plan = await get_plan(plan_id, is_locking=True)
    if (new.employee_id is None) == (new.department_id is None):
        raise ParticipationRefused("incentives.participant_of_one", field=("employee",))
    if new.until is not None and new.until <= new.first:
        values = {"first": new.first.isoformat(), "until": new.until.isoformat()}
        raise ParticipationRefused("incentives.participation_empty", values, field=("validTo",))
    if new.employee_id is not None:
        await get_employee(new.employee_id)
    if new.department_id is not None:
        await get_department(new.department_id)
    participant_id = new_id()
    await current_transaction().execute(
        _INSERT,
        current_tenant_id(),
        participant_id,
        plan.id,
        new.employee_id,
        new.department_id,
        new.first,
        new.until,
        clock.now(),
    )
    await record(
        actor,
        "incentive_plan.participant_added",
        object_type="IncentivePlan",
        object_id=plan.id,
        changes={"participant": [None, str(new.employee_id or new.department_id)]},
        clock=clock,
    )
    return participant_id


async def end_participation(actor: Actor, *, participant_id: UUID, until: date, clock: Clock) -> UUID:
    """Let a participation end on a day, the first one that it does not hold; the plan it was in.

    :raises ParticipantNotFound: there is none such.
    :raises ParticipationRefused: it would hold no day.
    """
    row = await current_transaction().fetchrow(_PARTICIPANT, current_tenant_id(), participant_id)
    if row is None:
        raise ParticipantNotFound("incentives.participant_not_found", field=("participant",))
    if until <= row["valid_from"]:
        values = {"first": row["valid_from"].isoformat(), "until": until.isoformat()}
        raise ParticipationRefused("incentives.participation_empty", values, field=("validTo",))
    await current_transaction().execute(_END, current_tenant_id(), participant_id, until)
    before = row["valid_to"]
    await record(
        actor,
        "incentive_plan.participation_ended",
        object_type="IncentivePlan",
        object_id=row["plan_id"],
        changes={"valid_to": [None if before is None else before.isoformat(), until.isoformat()]},
        clock=clock,
    )
    plan_id: UUID = row["plan_id"]
    return plan_id


@dataclass(frozen=True, slots=True)
class NewStage:
    """A stage that a deal reached on a day; with a collection, what that was asked for (a deposit)."""

    deal_id: UUID
    collection_id: UUID | None
    stage: str
    reached_on: date


async def reach_stage(actor: Actor, new: NewStage, *, access: AccessTable, time_zone: str, clock: Clock) -> UUID:
    """Note the stage of a deal, or of a collection of it: rules ask for it, and releases by stage wait for it.

    :raises DealNotFound: missing, another company's, or not visible.
    :raises StageRefused: no name, a day that has not come, a collection of another deal.
    :raises StageExists: it was noted already; of several at once one is.
    """
    stage = " ".join(new.stage.split())
    if not stage or len(stage) > STAGE_MAX:
        raise StageRefused("incentives.stage_malformed", {"stage": stage[:60], "longest": STAGE_MAX}, field=("stage",))
    if new.reached_on > local_date(clock.now(), time_zone):
        raise StageRefused("incentives.stage_in_the_future", {"on": new.reached_on.isoformat()}, field=("reachedOn",))
    if new.deal_id not in await find_visible_deals(actor, access, [new.deal_id]):
        raise DealNotFound("sales.deal_not_found", field=("deal",))
    if new.collection_id is not None:
        found = await current_transaction().fetchval(_COLLECTED, current_tenant_id(), new.collection_id)
        if found != new.deal_id:
            raise StageRefused("incentives.collection_of_other_deal", field=("collection",))
    return await _note(actor, new, stage, clock=clock)


async def _note(actor: Actor, new: NewStage, stage: str, *, clock: Clock) -> UUID:
    stage_id = new_id()
    made = await current_transaction().execute(
        _REACH, current_tenant_id(), stage_id, new.deal_id, new.collection_id, stage, new.reached_on, clock.now()
    )
    if not made:
        raise StageExists("incentives.stage_exists", {"stage": stage}, field=("stage",))
    await record(
        actor,
        "deal.stage_reached",
        object_type="Deal",
        object_id=new.deal_id,
        changes={"stage": [None, stage]},
        clock=clock,
    )
    return stage_id
