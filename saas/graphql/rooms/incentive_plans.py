"""Root fields about plans: saved, tried and published; who takes part in them, and in which stages deals are."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import strawberry

from saas.access import require
from saas.graphql.fields import Info, mutation, query
from saas.graphql.payloads import IdempotentPayload, Ref, mapped
from saas.graphql.render import ExplanationLine
from saas.graphql.rooms.deals import DealRef, deal_id_of
from saas.graphql.rooms.explanations import told
from saas.graphql.rooms.incentive_inputs import PlanInput, plan_of
from saas.graphql.rooms.references import optional_id, placed_id
from saas.incentives import (
    NewParticipant,
    NewStage,
    add_participant,
    end_participation,
    named,
    publish_plan,
    reach_stage,
    save_plan,
    try_rules,
)
from saas.kernel import minor_digits, parse_public_id, rounded

PLAN, PARTICIPANT, COLLECTION = "pln", "par", "col"
TRIAL_LINES = 500


@strawberry.input(description="A draft of a plan's version. Since 0.1.")
class IncentivePlanSaveInput(PlanInput):
    """Of a new plan, or the next version of one that is there."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key saves once.")
    plan: strawberry.ID | None = strawberry.field(description="The plan (pln_…); a new one when absent.", default=None)
    expected_hash: str | None = strawberry.field(
        description="The contentHash of the draft that is replaced; null where there is none.", default=None
    )
    publishes: bool = strawberry.field(
        description="Whether it is put in force at once, as incentivePlanPublish does; needs that verb too.",
        default=False,
    )
    reason: str = strawberry.field(
        description="Of one put in force: why it may begin in the past (the written consent).", default=""
    )


@strawberry.type(description="The plan with its draft. Since 0.1.")
class IncentivePlanSavePayload(IdempotentPayload):
    """Answer of incentivePlanSave."""

    plan: Ref | None = mapped("IncentivePlan", description="The plan; null when refused. Since 0.1.")
    version: Ref | None = mapped("IncentivePlanVersion", description="The draft; null when refused. Since 0.1.")
    content_hash: str | None = strawberry.field(description="What publishing names. Since 0.1.", default=None)


@mutation(
    requires="incentive_plan:write",
    idempotent=True,
    description="Save the draft of a plan (激励方案), checked as a whole: everything that is wrong is told at once",
)
async def incentive_plan_save(info: Info, input: IncentivePlanSaveInput) -> IncentivePlanSavePayload:  # noqa: A002
    saved = await save_plan(
        info.actor,
        plan_of(input, info.currency),
        plan_id=optional_id(input.plan, prefix=PLAN, field=("plan",)),
        expected_hash=input.expected_hash,
        clock=info.clock,
    )
    if input.publishes:
        require(info.rights, "incentive_plan:publish")
        await publish_plan(
            info.actor,
            plan_id=saved.plan_id,
            content_hash=saved.content_hash,
            reason=input.reason,
            time_zone=info.time_zone,
            clock=info.clock,
        )
    return IncentivePlanSavePayload(
        plan=Ref("IncentivePlan", saved.plan_id),
        version=Ref("IncentivePlanVersion", saved.version_id),
        content_hash=saved.content_hash,
    )


@strawberry.input(description="Which draft to publish. Since 0.1.")
class IncentivePlanPublishInput:
    """The hash names just what was read."""

    plan: strawberry.ID = strawberry.field(description="The plan (pln_…).")
    content_hash: str = strawberry.field(description="The draft's contentHash.")
    reason: str = strawberry.field(
        description="Why it may begin in the past (the written consent); at most 500 characters.", default=""
    )
    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key publishes once.")


@strawberry.type(description="The plan with its new version. Since 0.1.")
class IncentivePlanPublishPayload(IdempotentPayload):
    """Answer of incentivePlanPublish."""

    plan: Ref | None = mapped("IncentivePlan", description="The plan; null when refused. Since 0.1.")


@mutation(
    requires="incentive_plan:publish",
    idempotent=True,
    description="Put a draft in force, never in a period that is settled",
)
async def incentive_plan_publish(info: Info, input: IncentivePlanPublishInput) -> IncentivePlanPublishPayload:  # noqa: A002
    plan_id = await publish_plan(
        info.actor,
        plan_id=placed_id(input.plan, prefix=PLAN, field=("plan",)),
        content_hash=input.content_hash,
        reason=input.reason,
        time_zone=info.time_zone,
        clock=info.clock,
    )
    return IncentivePlanPublishPayload(plan=Ref("IncentivePlan", plan_id))


@strawberry.input(description="A plan and the deals to try it on. Since 0.1.")
class IncentiveTrialInput(PlanInput):
    """Nothing of it is stored."""

    deals: list[strawberry.ID] = strawberry.field(description="1 to 50 deals (dea_…) that the caller may see.")


@strawberry.type(description="A line that a deal would have earned. Since 0.1.")
class TrialLine:
    """Nobody has it."""

    employee: Ref | None = mapped("Employee", description="Whose it would be. Since 0.1.")
    deal: Ref | None = mapped("Deal", description="The deal; null for limits of periods. Since 0.1.")
    rule: str = strawberry.field(description="The code of the rule that was chosen. Since 0.1.")
    happened_on: date = strawberry.field(description="The day of what it comes of. Since 0.1.")
    amount: Decimal = strawberry.field(description="What it would be. Since 0.1.")
    explanation: list[ExplanationLine] = strawberry.field(description="Why, at most 500 sentences. Since 0.1.")


@query(
    requires="incentive_plan:write",
    description="What deals would have earned up to today by rules that are not saved, as if always in force; "
    "at most 500 lines",
)
async def incentive_trial(info: Info, input: IncentiveTrialInput) -> list[TrialLine]:  # noqa: A002
    currency = info.currency
    lines = await try_rules(
        info.actor,
        plan_of(input, currency),
        deal_ids=[placed_id(each, prefix="dea", field=("deals", str(at))) for at, each in enumerate(input.deals)],
        access=info.rights,
        today=info.today,
    )
    explained = await named(line.explanation for line in lines[:TRIAL_LINES])
    return [
        TrialLine(
            employee=Ref("Employee", parse_public_id(line.person, prefix="emp")),
            deal=None if line.deal is None else Ref("Deal", parse_public_id(line.deal, prefix="dea")),
            rule=line.rule,
            happened_on=line.on,
            amount=rounded(line.amount, minor_digits(currency)),
            explanation=told(info, why),
        )
        for line, why in zip(lines, explained, strict=False)
    ]


@strawberry.input(description="Who is to take part in a plan. Since 0.1.")
class IncentiveParticipantAddInput:
    """A person, or a department with all below it."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key adds once.")
    plan: strawberry.ID = strawberry.field(description="The plan (pln_…).")
    employee: strawberry.ID | None = strawberry.field(description="The person (emp_…).", default=None)
    department: strawberry.ID | None = strawberry.field(description="Or the department (dep_…).", default=None)
    valid_from: date = strawberry.field(description="The first day.")
    valid_to: date | None = strawberry.field(description="The first day after; an open end when absent.", default=None)


@strawberry.type(description="The participation. Since 0.1.")
class IncentiveParticipantPayload(IdempotentPayload):
    """Answer of incentiveParticipantAdd and incentiveParticipantEnd."""

    participant: Ref | None = mapped(
        "IncentiveParticipant", description="The participation; null when refused. Since 0.1."
    )


@mutation(
    requires="incentive_plan:write",
    idempotent=True,
    description="Let somebody take part in a plan; a plan without participants is everybody's",
)
async def incentive_participant_add(
    info: Info,
    input: IncentiveParticipantAddInput,  # noqa: A002
) -> IncentiveParticipantPayload:
    new = NewParticipant(
        optional_id(input.employee, prefix="emp", field=("employee",)),
        optional_id(input.department, prefix="dep", field=("department",)),
        input.valid_from,
        input.valid_to,
    )
    plan_id = placed_id(input.plan, prefix=PLAN, field=("plan",))
    participant_id = await add_participant(info.actor, plan_id=plan_id, new=new, clock=info.clock)
    return IncentiveParticipantPayload(participant=Ref("IncentiveParticipant", participant_id))


@strawberry.input(description="When a participation ends. Since 0.1.")
class IncentiveParticipantEndInput:
    """The rows before stay as they are."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key ends once.")
    participant: strawberry.ID = strawberry.field(description="The participation (par_…).")
    valid_to: date = strawberry.field(description="The first day without it.")


@mutation(requires="incentive_plan:write", idempotent=True, description="Let a participation end on a day")
async def incentive_participant_end(
    info: Info,
    input: IncentiveParticipantEndInput,  # noqa: A002
) -> IncentiveParticipantPayload:
    participant_id = placed_id(input.participant, prefix=PARTICIPANT, field=("participant",))
    await end_participation(info.actor, participant_id=participant_id, until=input.valid_to, clock=info.clock)
    return IncentiveParticipantPayload(participant=Ref("IncentiveParticipant", participant_id))


@strawberry.input(description="A stage that a deal reached. Since 0.1.")
class DealStageReachInput:
    """With a collection, the stage that this was asked for."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key notes once.")
    deal: DealRef = strawberry.field(description="The deal.")
    collection: strawberry.ID | None = strawberry.field(description="A collection of it (col_…).", default=None)
    stage: str = strawberry.field(description="The stage's name, as plans have it, 1 to 40 characters.")
    reached_on: date = strawberry.field(description="The day; not in the future.")


@strawberry.type(description="The stage. Since 0.1.")
class DealStageReachPayload(IdempotentPayload):
    """Answer of dealStageReach."""

    stage: Ref | None = mapped("DealStage", description="The stage; null when refused. Since 0.1.")


@mutation(requires="deal:stage", idempotent=True, description="Note the stage of its contract that a deal reached")
async def deal_stage_reach(info: Info, input: DealStageReachInput) -> DealStageReachPayload:  # noqa: A002
    new = NewStage(
        await deal_id_of(input.deal),
        optional_id(input.collection, prefix=COLLECTION, field=("collection",)),
        input.stage,
        input.reached_on,
    )
    stage_id = await reach_stage(info.actor, new, access=info.rights, time_zone=info.time_zone, clock=info.clock)
    return DealStageReachPayload(stage=Ref("DealStage", stage_id))
