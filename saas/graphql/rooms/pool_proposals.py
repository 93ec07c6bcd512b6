"""Root fields by which changes of pools are proposed, looked at, decided and taken back (P49, L28)."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import strawberry

from saas.customers import PoolChange, PoolProposals, dry_run_proposal
from saas.graphql.fields import Info, mutation, query
from saas.graphql.payloads import IdempotentPayload, Ref, mapped
from saas.graphql.rooms.pool_dry_runs import PoolDryRun, shown_dry_run
from saas.graphql.rooms.pool_options import options_in, takes_options
from saas.graphql.rooms.references import placed_id
from saas.sales import find_activity


def _proposals(info: Info) -> PoolProposals:
    return PoolProposals(info.actor, info.time_zone, info.clock)


@strawberry.type(description="What became of the proposal. Since 0.1.")
class CustomerPoolProposalPayload(IdempotentPayload):
    """Answer of the mutations on proposals."""

    proposal: Ref | None = mapped("PoolProposal", description="The proposal; null when refused. Since 0.1.")


@strawberry.input(description="New rules of a pool that a second person decides about. Since 0.1.")
@takes_options
class CustomerPoolProposalCreateInput:
    """What is absent stays as it is."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key proposes once.")
    pool: strawberry.ID = strawberry.field(description="The pool (poo_…).")
    reason: str = strawberry.field(description="Why, 1 to 200 characters; who decides reads it.")
    valid_from: date | None = strawberry.field(
        description="First day of the new settings; the day of approval when absent or past by then.", default=None
    )
    expected_version: int = strawberry.field(description="The pool's version as it was read.")


@mutation(
    requires="pool:configure",
    idempotent=True,
    description="Propose a change of a pool that a second person decides about; nothing changes until it is approved",
)
async def customer_pool_proposal_create(
    info: Info,
    input: CustomerPoolProposalCreateInput,  # noqa: A002
) -> CustomerPoolProposalPayload:
    proposal_id = await _proposals(info).propose(
        pool_id=placed_id(input.pool, prefix="poo", field=("pool",)),
        change=PoolChange(settings=options_in(input), valid_from=input.valid_from),
        expected_version=input.expected_version,
        reason=input.reason,
    )
    return CustomerPoolProposalPayload(proposal=Ref("PoolProposal", proposal_id))


@strawberry.input(description="What is decided about a proposed change. Since 0.1.")
class CustomerPoolProposalDecideInput:
    """A proposal that waits, of somebody else."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key decides once.")
    proposal: strawberry.ID = strawberry.field(description="The proposal (ppo_…); not one's own.")
    is_approved: bool = strawberry.field(description="True: the settings are changed now; false: refused.")
    expected_version: int = strawberry.field(
        description="The pool's version as it was read with the proposal; only an approval asks for it."
    )
    reason: str = strawberry.field(description="Why, 1 to 200 characters; who proposed it reads it.")


@mutation(
    requires="pool:configure",
    idempotent=True,
    description="Approve or refuse a change that somebody else proposed; approved, it is checked again and begins "
    "today at the earliest, its grace counts from then, and other proposals for the pool lapse",
)
async def customer_pool_proposal_decide(
    info: Info,
    input: CustomerPoolProposalDecideInput,  # noqa: A002
) -> CustomerPoolProposalPayload:
    proposal_id = await _proposals(info).decide(
        proposal_id=placed_id(input.proposal, prefix="ppo", field=("proposal",)),
        is_approved=input.is_approved,
        expected_version=input.expected_version,
        reason=input.reason,
    )
    return CustomerPoolProposalPayload(proposal=Ref("PoolProposal", proposal_id))


@strawberry.input(description="Which proposal to take back, and why. Since 0.1.")
class CustomerPoolProposalWithdrawInput:
    """One's own proposal."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key takes back once.")
    proposal: strawberry.ID = strawberry.field(description="The proposal (ppo_…).")
    reason: str = strawberry.field(description="Why, 1 to 200 characters.")


@mutation(requires="pool:configure", idempotent=True, description="Take one's own proposal back while it waits")
async def customer_pool_proposal_withdraw(
    info: Info,
    input: CustomerPoolProposalWithdrawInput,  # noqa: A002
) -> CustomerPoolProposalPayload:
    given = placed_id(input.proposal, prefix="ppo", field=("proposal",))
    proposal_id = await _proposals(info).withdraw(proposal_id=given, reason=input.reason)
    return CustomerPoolProposalPayload(proposal=Ref("PoolProposal", proposal_id))


@query(
    requires="pool:configure",
    description="What a proposal that waits would do to the pool's owned customers, at most 10000, were it approved "
    "today",
)
async def customer_pool_proposal_dry_run(
    info: Info,
    proposal: Annotated[strawberry.ID, strawberry.argument(description="The proposal (ppo_…). Since 0.1.")],
    on: Annotated[
        date | None,
        strawberry.argument(
            description="By which day; the first one on which the change can take a customer when absent. Since 0.1."
        ),
    ] = None,
) -> PoolDryRun:
    found = await dry_run_proposal(
        placed_id(proposal, prefix="ppo", field=("proposal",)),
        on=on,
        activity=find_activity,
        time_zone=info.time_zone,
        today=info.today,
    )
    return shown_dry_run(found.told())
