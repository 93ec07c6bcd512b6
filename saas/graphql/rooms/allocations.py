"""Root fields about allocations: plan, commit, cancel; why a customer went where it did; certificates of draws."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import Annotated

import strawberry

from saas.customers import (
    DrawCertificate,
    OnChange,
    PluginMethods,
    cancel_allocation,
    commit_allocation,
    draw_certificate,
    explain_allocation,
    list_allocation_problems,
    own_certificate,
    plan_allocation,
)
from saas.extensions import PluginHost
from saas.graphql.fields import Info, mutation, query
from saas.graphql.payloads import (
    IdempotentPayload,
    Payload,
    Ref,
    UserError,
    mapped,
    user_error,
)
from saas.graphql.render import ExplanationLine
from saas.graphql.render_inputs import described_enum
from saas.graphql.rooms.allocation_wishes import AllocationPlanInput, wish_of
from saas.graphql.rooms.customers import CustomerRef, customer_id_of
from saas.graphql.rooms.explanations import told
from saas.graphql.rooms.references import optional_id, placed_id
from saas.kernel import Catalogue, InputProblem
from saas.sealing import Sealer


@strawberry.type(description="The plan. Since 0.1.")
class AllocationPlanPayload(IdempotentPayload):
    """Answer of allocationPlan."""

    allocation: Ref | None = mapped("Allocation", description="The plan; null when refused. Since 0.1.")


@mutation(
    requires="pool:allocate",
    idempotent=True,
    description=(
        "Freeze people and customers and show where they would go; a draw publishes its commitment instead. Up to 2,000"
        " customers are PLANNED in the answer; of more it is PLANNING, and becomes PLANNED, or FAILED, in a minute"
    ),
)
async def allocation_plan(info: Info, input: AllocationPlanInput) -> AllocationPlanPayload:  # noqa: A002
    wish = await wish_of(input)
    keyring = await info.room(Sealer).keyring(info.actor.tenant_id)
    allocation_id = await plan_allocation(
        info.actor,
        wish,
        keyring=keyring,
        time_zone=info.time_zone,
        clock=info.clock,
        plugins=PluginMethods(info.room(PluginHost), info.plugins),
    )
    return AllocationPlanPayload(allocation=Ref("Allocation", allocation_id))


AllocationOnChange = described_enum(
    "AllocationOnChange",
    "What a commit does where customers or people have changed since the plan. Since 0.1.",
    {
        "REFUSE": "Give nothing. Since 0.1.",
        "SKIP": "Leave those out and give the others. Since 0.1.",
    },
)


@strawberry.input(description="Which plan to commit. Since 0.1.")
class AllocationCommitInput:
    """What was shown is what is given."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key commits once.")
    allocation: strawberry.ID = strawberry.field(description="The plan (alc_…).")
    plan_hash: str = strawberry.field(description="Its planHash, as it was read.")
    on_change: Enum = strawberry.field(
        description="What to do where customers or people have changed.", graphql_type=AllocationOnChange
    )
    seed_value: str | None = strawberry.field(
        description="Of a draw with a public seed: its value, written as its source says.", default=None
    )


@strawberry.type(description="The committed allocation. Since 0.1.")
class AllocationCommitPayload(IdempotentPayload):
    """Answer of allocationCommit."""

    allocation: Ref | None = mapped("Allocation", description="The allocation; null when refused. Since 0.1.")


@mutation(
    requires="pool:allocate",
    idempotent=True,
    description=(
        "Give what was planned; each customer and person is looked at once more, and a draw is drawn. Up to 2,000"
        " customers are COMMITTED in the answer; of more it is COMMITTING, and becomes COMMITTED in a few minutes, or"
        " PLANNED again with its problems"
    ),
)
async def allocation_commit(info: Info, input: AllocationCommitInput) -> AllocationCommitPayload:  # noqa: A002
    allocation_id = placed_id(input.allocation, prefix="alc", field=("allocation",))
    await commit_allocation(
        info.actor,
        allocation_id=allocation_id,
        plan_hash=input.plan_hash,
        on_change=OnChange[input.on_change.name],
        seed_value=input.seed_value,
        keyring=await info.room(Sealer).keyring(info.actor.tenant_id),
        time_zone=info.time_zone,
        clock=info.clock,
    )
    return AllocationCommitPayload(allocation=Ref("Allocation", allocation_id))


@strawberry.input(description="Which plan to drop. Since 0.1.")
class AllocationCancelInput:
    """A plan that nobody committed."""

    allocation: strawberry.ID = strawberry.field(description="The plan (alc_…).")


@strawberry.type(description="The dropped plan. Since 0.1.")
class AllocationCancelPayload(Payload):
    """Answer of allocationCancel."""

    allocation: Ref | None = mapped("Allocation", description="The allocation; null when refused. Since 0.1.")


@mutation(
    requires="pool:allocate",
    description="Drop a plan, also one that is being made or has failed; the commitment of a draw stays published",
)
async def allocation_cancel(info: Info, input: AllocationCancelInput) -> AllocationCancelPayload:  # noqa: A002
    allocation_id = placed_id(input.allocation, prefix="alc", field=("allocation",))
    await cancel_allocation(info.actor, allocation_id=allocation_id, clock=info.clock)
    return AllocationCancelPayload(allocation=Ref("Allocation", allocation_id))


Allocation = Annotated[strawberry.ID, strawberry.argument(description="The allocation (alc_…). Since 0.1.")]


@query(
    requires="pool:allocate",
    description="Why a plan of many customers could not be made, or was not given when it was committed, or what a"
    " pool could not allocate by itself; else empty; at most 1,000 problems",
)
async def allocation_problems(info: Info, allocation: Allocation) -> list[UserError]:
    found = await list_allocation_problems(
        info.actor, allocation_id=placed_id(allocation, prefix="alc", field=("allocation",)), access=info.rights
    )
    catalogue = info.room(Catalogue)
    return [user_error(_placed(each), catalogue=catalogue, locale=info.locale) for each in found]


def _placed(problem: InputProblem) -> InputProblem:
    """With its field from the mutation's argument down, as a refusal in the mutation's answer has it."""
    return replace(problem, field=("input", *problem.field)) if problem.field else problem


@strawberry.type(description="Why an allocation decided as it did. Since 0.1.")
class AllocationExplanation:
    """For one customer."""

    lines: list[ExplanationLine] = strawberry.field(
        description="What was decided and its grounds, in reading order: at most 500 lines. Since 0.1."
    )


@query(
    signed_in=True,
    description="Why a customer went where it did, or why not to a person; without pool:allocate about oneself only",
)
async def allocation_explanation(
    info: Info,
    allocation: Allocation,
    customer: Annotated[CustomerRef, strawberry.argument(description="The customer. Since 0.1.")],
    employee: Annotated[
        strawberry.ID | None,
        strawberry.argument(description="Why (not) to this person (emp_…); why to its owner when absent. Since 0.1."),
    ] = None,
) -> AllocationExplanation:
    explanation = await explain_allocation(
        info.actor,
        allocation_id=placed_id(allocation, prefix="alc", field=("allocation",)),
        customer_id=await customer_id_of(customer),
        employee_id=optional_id(employee, prefix="emp", field=("employee",)),
        access=info.rights,
    )
    return AllocationExplanation(lines=told(info, explanation))


@strawberry.type(description="A draw's certificate, or one person's part of it (docs/draws.md). Since 0.1.")
class DrawCertificateView:
    """To be kept as a file and verified with it."""

    certificate: str = strawberry.field(description="The JSON, byte for byte. Since 0.1.")
    commitment: str = strawberry.field(description="The digest that was published before the draw. Since 0.1.")
    picks_root: str = strawberry.field(description="The root of the picks, published after it. Since 0.1.")


@query(
    requires="allocation:audit",
    description="The whole certificate of a draw, for auditors: everybody's weight and picks",
)
async def allocation_certificate(info: Info, allocation: Allocation) -> DrawCertificateView:
    allocation_id = placed_id(allocation, prefix="alc", field=("allocation",))
    return _view(await draw_certificate(info.actor, allocation_id=allocation_id, access=info.rights))


@query(signed_in=True, description="The caller's own part of a draw's certificate, with proofs, and nobody else's")
async def own_allocation_certificate(info: Info, allocation: Allocation) -> DrawCertificateView:
    allocation_id = placed_id(allocation, prefix="alc", field=("allocation",))
    return _view(await own_certificate(info.actor, allocation_id=allocation_id, access=info.rights))


def _view(found: DrawCertificate) -> DrawCertificateView:
    return DrawCertificateView(certificate=found.certificate, commitment=found.commitment, picks_root=found.picks_root)
