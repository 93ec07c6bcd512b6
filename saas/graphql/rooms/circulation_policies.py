"""Root fields by which the policies of circulation are decided, and tried: terms as inputs, each kind with its own."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Any

import strawberry

from saas.circulation import (
    ASSESSMENT_CYCLE,
    ASSESSMENT_ROTATION,
    Cycle,
    DeclineMeasure,
    PolicyChange,
    PolicyKind,
    Rotation,
    UseMeasure,
    change_policy,
)
from saas.graphql.fields import Info, mutation
from saas.graphql.payloads import Payload, Ref, mapped, optional_enum_of, stored_text
from saas.graphql.rooms.references import placed_id
from saas.kernel import BadUserInput

MOST_SHOWN = 100


@strawberry.input(description="By what customers decline, each against its own history. Since 0.1.")
class DeclineMeasuresInput:
    """At least one."""

    deals: bool = strawberry.field(description="Deals signed a month.", default=True)
    collections: bool = strawberry.field(description="Money received a month, less refunds.", default=True)
    follow_ups: bool = strawberry.field(description="The rhythm of effective follow-ups.", default=True)


@strawberry.input(description="When customers with a deal decline; what is absent stays as it is. Since 0.1.")
class DeclineTermsInput:
    """Terms of a decline policy."""

    is_enabled: bool | None = strawberry.field(description="Whether declines are searched for.", default=None)
    measures: DeclineMeasuresInput | None = strawberry.field(description="By what, as a whole.", default=None)
    recent_months: int | None = strawberry.field(description="Closed months that are looked at, 1 to 12.", default=None)
    history_months: int | None = strawberry.field(
        description="The months before them that they stand against, 2 to 60.", default=None
    )
    fall_percent: int | None = strawberry.field(
        description="How far below its own history a figure falls, 1 to 99 percent.", default=None
    )
    least_history_months: int | None = strawberry.field(
        description="Months of history without which a customer never declines, 1 to 60.", default=None
    )
    least_events: int | None = strawberry.field(
        description="Deals, receipts or gaps between follow-ups in it without which it never does, 1 to 100.",
        default=None,
    )
    notice_days: int | None = strawberry.field(
        description="Days between the warning and the day from which recycling counts it, 0 to 365.", default=None
    )


@strawberry.input(description="How much each measure counts, in whole percent; together exactly 100. Since 0.1.")
class UseWeightsInput:
    """All four."""

    followed_up: int = strawberry.field(description="An effective follow-up in the period.")
    deals: int = strawberry.field(description="A deal signed in the period.")
    collections: int = strawberry.field(description="Money received in the period.")
    opportunities: int = strawberry.field(description="An opportunity that began, moved or ended in the period.")


@strawberry.input(description="How reps are assessed; what is absent stays as it is. Since 0.1.")
class AssessmentTermsInput:
    """Terms of an assessment policy."""

    is_enabled: bool | None = strawberry.field(description="Whether assessments may be asked for.", default=None)
    cycle: Enum | None = optional_enum_of(ASSESSMENT_CYCLE, description="How long a period is.")
    weights: UseWeightsInput | None = strawberry.field(description="The weights, as a whole.", default=None)
    quota: int | None = strawberry.field(
        description="Customers that a rep keeps in any case, 0 to 10000.", default=None
    )
    reclaim_percent: int | None = strawberry.field(
        description="How many of those above are reclaimed, 1 to 100 percent, rounded down.", default=None
    )
    cap: int | None = strawberry.field(
        description="How many a rep loses at most, 1 to 10000; null: no bound.", default=strawberry.UNSET
    )
    keeps_from_percent: int | None = strawberry.field(
        description="Utilisation from which a rep keeps all, 1 to 100 percent.", default=None
    )
    newcomer_days: int | None = strawberry.field(
        description="Days after hiring in which a rep keeps all, 0 to 1000.", default=None
    )
    least_held_days: int | None = strawberry.field(
        description="Days held by the end of the period without which a customer is not judged, 0 to 1000.",
        default=None,
    )
    open_opportunity_exempts: bool | None = strawberry.field(
        description="Whether an open opportunity keeps a customer.", default=None
    )
    notice_days: int | None = strawberry.field(
        description="Whole days between the announcement and the move, 0 to 90.", default=None
    )
    appeal_days: int | None = strawberry.field(
        description="Days in which an owner may appeal, at most those of the notice.", default=None
    )
    follow_up_saves: bool | None = strawberry.field(
        description="Whether an effective follow-up after the announcement keeps a customer.", default=None
    )
    rotation: Enum | None = optional_enum_of(ASSESSMENT_ROTATION, description="Where reclaimed customers go.")


@strawberry.input(description="The next version of a pool's policy: exactly one of the two kinds. Since 0.1.")
class CirculationPolicyUpdateInput:
    """A policy is never edited, only followed."""

    pool: strawberry.ID = strawberry.field(description="The pool (poo_…).")
    decline: DeclineTermsInput | None = strawberry.field(description="When old customers decline.", default=None)
    assessment: AssessmentTermsInput | None = strawberry.field(description="How reps are assessed.", default=None)
    valid_from: date | None = strawberry.field(
        description="First day of the new version; today when absent or past.", default=None
    )
    expected_version: int = strawberry.field(description="The newest version as it was read; 0 where there is none.")


@strawberry.type(description="The new version. Since 0.1.")
class CirculationPolicyUpdatePayload(Payload):
    """Answer of circulationPolicyUpdate."""

    policy: Ref | None = mapped("CirculationPolicy", description="The version; null when refused. Since 0.1.")


@mutation(
    requires="circulation:configure",
    description="Decide when a pool's old customers decline, or how its reps are assessed",
)
async def circulation_policy_update(
    info: Info,
    input: CirculationPolicyUpdateInput,  # noqa: A002
) -> CirculationPolicyUpdatePayload:
    kind, wanted = _wanted(input)
    pool_id = placed_id(input.pool, prefix="poo", field=("pool",))
    change = PolicyChange(pool_id, kind, wanted, valid_from=input.valid_from)
    policy_id = await change_policy(
        info.actor, change, expected_version=input.expected_version, time_zone=info.time_zone, clock=info.clock
    )
    return CirculationPolicyUpdatePayload(policy=Ref("CirculationPolicy", policy_id))


def _wanted(input: CirculationPolicyUpdateInput) -> tuple[PolicyKind, dict[str, Any]]:  # noqa: A002
    decline, assessment = input.decline, input.assessment
    if (decline is None) == (assessment is None):
        raise BadUserInput("graphql.one_policy_at_a_time").at("input")
    if decline is not None:
        return PolicyKind.DECLINE, decline_wish(decline)
    assert assessment is not None, "exactly one of the two is there"
    wanted = _given(assessment, "weights", "cycle", "rotation", "cap")
    if assessment.weights is not None:
        by_weight = assessment.weights
        wanted["weights"] = {each: getattr(by_weight, each.value) for each in UseMeasure}
    if assessment.cycle is not None:
        wanted["cycle"] = Cycle(stored_text(ASSESSMENT_CYCLE, assessment.cycle))
    if assessment.rotation is not None:
        wanted["rotation"] = Rotation(stored_text(ASSESSMENT_ROTATION, assessment.rotation))
    if assessment.cap is not strawberry.UNSET:
        wanted["cap"] = assessment.cap
    return PolicyKind.ASSESSMENT, wanted


def decline_wish(decline: DeclineTermsInput) -> dict[str, Any]:
    """The terms that an input asks for, by name."""
    wanted, by = _given(decline, "measures"), decline.measures
    if by is not None:
        wanted["measures"] = tuple(each for each in DeclineMeasure if getattr(by, each.value))
    return wanted


def _given(terms: DeclineTermsInput | AssessmentTermsInput, *but: str) -> dict[str, Any]:
    return {name: value for name, value in vars(terms).items() if name not in but and value is not None}
