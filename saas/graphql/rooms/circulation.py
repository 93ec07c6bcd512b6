"""Root fields of circulation: assessments with their appeals, and why customers decline or are reclaimed."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import strawberry

from saas.circulation import (
    AssessmentWish,
    announce_assessment,
    ask_to_move,
    cancel_assessment,
    create_assessment,
    decide_appeal,
    explain_decline,
    explain_line,
    explain_person,
    file_appeal,
)
from saas.graphql.fields import Info, mutation, query
from saas.graphql.payloads import IdempotentPayload, Ref, mapped
from saas.graphql.render import ExplanationLine
from saas.graphql.rooms.explanations import told
from saas.graphql.rooms.references import placed_id
from saas.kernel import BadUserInput

MOST_RECEIVERS = 500


@strawberry.input(description="What to assess. Since 0.1.")
class AssessmentCreateInput:
    """A pool over a period that is over."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key gives the same draft.")
    pool: strawberry.ID = strawberry.field(description="The pool (poo_…).")
    day: date = strawberry.field(description="A day of the period.")
    receivers: list[strawberry.ID] | None = strawberry.field(
        description="The people (emp_…) whom customers may be given to, at most 500; all who are assessed when absent.",
        default=None,
    )


@strawberry.type(description="The assessment. Since 0.1.")
class AssessmentPayload(IdempotentPayload):
    """Answer of the mutations on assessments."""

    assessment: Ref | None = mapped("Assessment", description="The assessment; null when refused. Since 0.1.")


@mutation(
    requires="assessment:run",
    idempotent=True,
    description="Ask for the draft of an assessment: a job works out every customer that would move; nothing moves yet",
)
async def assessment_create(info: Info, input: AssessmentCreateInput) -> AssessmentPayload:  # noqa: A002
    receivers = input.receivers
    if receivers is not None and len(receivers) > MOST_RECEIVERS:
        given = {"given": len(receivers), "most": MOST_RECEIVERS}
        raise BadUserInput("graphql.list_too_long", given, field=("receivers",))
    wish = AssessmentWish(
        pool_id=placed_id(input.pool, prefix="poo", field=("pool",)),
        day=input.day,
        receivers=None
        if receivers is None
        else [placed_id(each, prefix="emp", field=("receivers", str(at))) for at, each in enumerate(receivers)],
    )
    assessment_id = await create_assessment(info.actor, wish, time_zone=info.time_zone, clock=info.clock)
    return AssessmentPayload(assessment=Ref("Assessment", assessment_id))


@strawberry.input(description="Which draft to announce, by what was previewed. Since 0.1.")
class AssessmentAnnounceInput:
    """The hash names just what was looked at."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key announces once.")
    assessment: strawberry.ID = strawberry.field(description="The draft (asm_…).")
    plan_hash: str = strawberry.field(description="Its planHash.")


@mutation(
    requires="assessment:run",
    idempotent=True,
    description="Announce just what was previewed: owners and managers are told, and the notice runs",
)
async def assessment_announce(info: Info, input: AssessmentAnnounceInput) -> AssessmentPayload:  # noqa: A002
    assessment_id = await announce_assessment(
        info.actor,
        assessment_id=placed_id(input.assessment, prefix="asm", field=("assessment",)),
        plan_hash=input.plan_hash,
        access=info.rights,
        time_zone=info.time_zone,
        clock=info.clock,
    )
    return AssessmentPayload(assessment=Ref("Assessment", assessment_id))


@strawberry.input(description="Which assessment to drop, and why. Since 0.1.")
class AssessmentCancelInput:
    """One of which nothing has moved."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key cancels once.")
    assessment: strawberry.ID = strawberry.field(description="The assessment (asm_…).")
    reason: str = strawberry.field(description="Why; it stands in the trail.")


@mutation(requires="assessment:run", idempotent=True, description="Drop an assessment before any customer has moved")
async def assessment_cancel(info: Info, input: AssessmentCancelInput) -> AssessmentPayload:  # noqa: A002
    assessment_id = await cancel_assessment(
        info.actor,
        assessment_id=placed_id(input.assessment, prefix="asm", field=("assessment",)),
        reason=input.reason,
        access=info.rights,
        clock=info.clock,
    )
    return AssessmentPayload(assessment=Ref("Assessment", assessment_id))


@strawberry.input(description="Which assessment to carry out. Since 0.1.")
class AssessmentCarryOutInput:
    """One whose notice is over."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key asks once.")
    assessment: strawberry.ID = strawberry.field(description="The assessment (asm_…).")


@mutation(
    requires="assessment:run",
    idempotent=True,
    description="Have an assessment carried out now whose notice is over; without it a job does so within the hour",
)
async def assessment_carry_out(info: Info, input: AssessmentCarryOutInput) -> AssessmentPayload:  # noqa: A002
    assessment_id = await ask_to_move(
        info.actor,
        assessment_id=placed_id(input.assessment, prefix="asm", field=("assessment",)),
        access=info.rights,
        time_zone=info.time_zone,
        clock=info.clock,
    )
    return AssessmentPayload(assessment=Ref("Assessment", assessment_id))


@strawberry.input(description="For which customer to appeal, and why. Since 0.1.")
class AssessmentAppealInput:
    """One's own."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key appeals once.")
    line: strawberry.ID = strawberry.field(description="The customer of the assessment (asc_…).")
    reason: str = strawberry.field(description="Why it should stay, 1 to 200 characters.")


@strawberry.type(description="The customer of the assessment. Since 0.1.")
class AssessmentCustomerPayload(IdempotentPayload):
    """Answer of assessmentAppeal and assessmentDecide."""

    line: Ref | None = mapped("AssessmentCustomer", description="The customer; null when refused. Since 0.1.")


@mutation(
    requires="assessment:appeal",
    idempotent=True,
    description="Appeal for a customer of one's own; it stays until somebody else has decided",
)
async def assessment_appeal(info: Info, input: AssessmentAppealInput) -> AssessmentCustomerPayload:  # noqa: A002
    line_id = await file_appeal(
        info.actor,
        line_id=placed_id(input.line, prefix="asc", field=("line",)),
        reason=input.reason,
        access=info.rights,
        time_zone=info.time_zone,
        clock=info.clock,
    )
    return AssessmentCustomerPayload(line=Ref("AssessmentCustomer", line_id))


@strawberry.input(description="What is decided about an appeal. Since 0.1.")
class AssessmentDecideInput:
    """Not one's own."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key decides once.")
    line: strawberry.ID = strawberry.field(description="The customer of the assessment (asc_…).")
    is_granted: bool = strawberry.field(description="True: the customer stays; false: it moves.")
    reason: str = strawberry.field(description="Why, 1 to 200 characters; the owner reads it.")


@mutation(requires="assessment:decide", idempotent=True, description="Grant or refuse an appeal of somebody else")
async def assessment_decide(info: Info, input: AssessmentDecideInput) -> AssessmentCustomerPayload:  # noqa: A002
    line_id = await decide_appeal(
        info.actor,
        line_id=placed_id(input.line, prefix="asc", field=("line",)),
        is_granted=input.is_granted,
        reason=input.reason,
        access=info.rights,
        clock=info.clock,
    )
    return AssessmentCustomerPayload(line=Ref("AssessmentCustomer", line_id))


_DeclineId = Annotated[strawberry.ID, strawberry.argument(description="The finding (cde_…). Since 0.1.")]
_LineId = Annotated[strawberry.ID, strawberry.argument(description="The customer (asc_…). Since 0.1.")]
_PersonId = Annotated[strawberry.ID, strawberry.argument(description="The rep's line (asp_…). Since 0.1.")]


@query(
    signed_in=True, description="Why a customer declines, with the figures of before and after; at most 500 sentences"
)
async def decline_explanation(info: Info, id: _DeclineId) -> list[ExplanationLine]:  # noqa: A002
    decline_id = placed_id(id, prefix="cde", field=("id",))
    return told(info, await explain_decline(info.actor, info.rights, decline_id=decline_id))


@query(
    signed_in=True,
    description="Why an assessment reclaims a customer: what it showed and what it earned; at most 500 sentences",
)
async def assessment_explanation(info: Info, id: _LineId) -> list[ExplanationLine]:  # noqa: A002
    line_id = placed_id(id, prefix="asc", field=("id",))
    return told(info, await explain_line(info.actor, info.rights, line_id=line_id))


@query(
    signed_in=True,
    description="How well a rep uses what they hold, and what an assessment reclaims of it; at most 500 sentences",
)
async def utilisation_explanation(info: Info, id: _PersonId) -> list[ExplanationLine]:  # noqa: A002
    person_id = placed_id(id, prefix="asp", field=("id",))
    return told(info, await explain_person(info.actor, info.rights, person_id=person_id))
