"""Root fields about settlements and bonus pools: previewed, stored, reviewed, approved by a second person, closed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import Enum

import strawberry

from saas.graphql.fields import Info, mutation
from saas.graphql.payloads import IdempotentPayload, Ref, mapped
from saas.graphql.render_inputs import described_enum, nullable
from saas.graphql.rooms.references import optional_id, placed_id
from saas.incentives import (
    Calculation,
    Leavers,
    Member,
    NewPool,
    PoolTerms,
    approve_pool,
    approve_settlement,
    calculate_period,
    calculate_pool,
    discard_settlement,
    lock_settlement,
    preview_period,
    submit_settlement,
)
from saas.sealing import Keyring, Sealer

PLAN, SETTLEMENT, POOL_RUN, DEPARTMENT, EMPLOYEE = "pln", "stl", "bpr", "dep", "emp"

RunMode = described_enum(
    "RunMode",
    "Whether a calculation is stored. Since 0.1.",
    {
        "PREVIEW": "Nothing is stored; the answer tells what would be. Since 0.1.",
        "COMMIT": "It is stored; where a planHash is named, only if it still comes to that. Since 0.1.",
    },
)
PoolLeavers = described_enum(
    "PoolLeavers",
    "What becomes of the part of somebody who has left. Since 0.1.",
    {
        "TO_POOL": "The others divide it. Since 0.1.",
        "TO_COMPANY": "It is not paid out. Since 0.1.",
        "PAID": "It is paid. Since 0.1.",
    },
)


def _hash_of(mode: Enum, plan_hash: str | None) -> str | None:
    """The hash that a commit names, which is no result's where it names none; None for a preview."""
    return None if mode.name == "PREVIEW" else plan_hash or ""


async def _keyring(info: Info) -> Keyring:
    return await info.room(Sealer).keyring(info.actor.tenant_id)


@strawberry.input(description="Which period of which plan. Since 0.1.")
class SettlementCalculateInput:
    """A preview and then the commit that names it; or the commit at once, since review and approval follow."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key calculates once.")
    plan: strawberry.ID = strawberry.field(description="The plan (pln_…).")
    day: date = strawberry.field(description="A day of the period.")
    mode: Enum = strawberry.field(description="Preview or commit.", graphql_type=RunMode)
    plan_hash: str | None = strawberry.field(
        description="Of a commit: the preview's planHash; it fails if it comes to anything else. Absent: whatever it "
        "comes to is stored, for review.",
        default=None,
    )


@strawberry.type(description="What a period comes to: of a preview here, of a commit in the settlement. Since 0.1.")
class SettlementCalculatePayload(IdempotentPayload):
    """Answer of settlementCalculate."""

    settlement: Ref | None = mapped(
        "Settlement",
        description="Of a commit: the settlement. While its state is CALCULATING a job works it out; ask for it again "
        "until that is CALCULATED, or FAILED. Since 0.1.",
    )
    plan_hash: str | None = strawberry.field(
        description="Of a preview, as all that follows: what a commit names. Since 0.1.", default=None
    )
    people: int | None = strawberry.field(description="How many people get a statement. Since 0.1.", default=None)
    lines: int | None = strawberry.field(description="How many lines there are. Since 0.1.", default=None)
    adjustments: int | None = strawberry.field(
        description="How many of them change settled ones. Since 0.1.", default=None
    )
    earned: Decimal | None = strawberry.field(
        description="What all lines add up to; null for fewer than five people. Since 0.1.", default=None
    )
    payable: Decimal | None = strawberry.field(
        description="What is paid out in all; null for fewer than five people. Since 0.1.", default=None
    )
    new_lines: int | None = strawberry.field(
        description="Lines that the stored draft does not have. Since 0.1.", default=None
    )
    changed_lines: int | None = strawberry.field(
        description="Lines with another amount than in the stored draft. Since 0.1.", default=None
    )
    gone_lines: int | None = strawberry.field(
        description="Lines of the stored draft that are no longer there. Since 0.1.", default=None
    )


@mutation(
    requires="settlement:calculate",
    idempotent=True,
    description="Preview what a plan pays for a period (结算), up to 5,000 shares of deals; or have a job calculate it "
    "for any number, as a draft",
)
async def settlement_calculate(info: Info, input: SettlementCalculateInput) -> SettlementCalculatePayload:  # noqa: A002
    plan_id = placed_id(input.plan, prefix=PLAN, field=("plan",))
    if input.mode.name == "PREVIEW":
        return _previewed(await preview_period(plan_id=plan_id, day=input.day, keyring=await _keyring(info)))
    settlement_id = await calculate_period(
        info.actor,
        plan_id=plan_id,
        day=input.day,
        plan_hash=input.plan_hash,
        time_zone=info.time_zone,
        clock=info.clock,
    )
    return SettlementCalculatePayload(settlement=Ref("Settlement", settlement_id))


def _previewed(done: Calculation) -> SettlementCalculatePayload:
    return SettlementCalculatePayload(
        plan_hash=done.plan_hash,
        people=done.people,
        lines=done.lines,
        adjustments=done.adjustments,
        earned=done.earned,
        payable=done.payable,
        new_lines=done.differences.new,
        changed_lines=done.differences.changed,
        gone_lines=done.differences.gone,
    )


@strawberry.input(description="Which settlement, by its result. Since 0.1.")
class SettlementInput:
    """The hash names just what was looked at."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key does it once.")
    settlement: strawberry.ID = strawberry.field(description="The settlement (stl_…).")
    plan_hash: str = strawberry.field(description="Its planHash.")


@strawberry.type(description="The settlement. Since 0.1.")
class SettlementPayload(IdempotentPayload):
    """Answer of settlementSubmit, settlementApprove and settlementLock."""

    settlement: Ref | None = mapped("Settlement", description="The settlement; null when refused. Since 0.1.")


@mutation(requires="settlement:calculate", idempotent=True, description="Hand a calculated settlement to its reviewers")
async def settlement_submit(info: Info, input: SettlementInput) -> SettlementPayload:  # noqa: A002
    settlement_id = placed_id(input.settlement, prefix=SETTLEMENT, field=("settlement",))
    await submit_settlement(info.actor, settlement_id=settlement_id, plan_hash=input.plan_hash, clock=info.clock)
    return SettlementPayload(settlement=Ref("Settlement", settlement_id))


@mutation(
    requires="settlement:approve",
    idempotent=True,
    description="Approve a settlement in review, as somebody else than its calculator; totals are checked to the fen",
)
async def settlement_approve(info: Info, input: SettlementInput) -> SettlementPayload:  # noqa: A002
    settlement_id = placed_id(input.settlement, prefix=SETTLEMENT, field=("settlement",))
    await approve_settlement(
        info.actor,
        settlement_id=settlement_id,
        plan_hash=input.plan_hash,
        keyring=await _keyring(info),
        clock=info.clock,
    )
    return SettlementPayload(settlement=Ref("Settlement", settlement_id))


@mutation(
    requires="settlement:lock",
    idempotent=True,
    description="Close an approved settlement for good (封账): its people see their statements, payroll may pay them",
)
async def settlement_lock(info: Info, input: SettlementInput) -> SettlementPayload:  # noqa: A002
    settlement_id = placed_id(input.settlement, prefix=SETTLEMENT, field=("settlement",))
    await lock_settlement(info.actor, settlement_id=settlement_id, plan_hash=input.plan_hash, clock=info.clock)
    return SettlementPayload(settlement=Ref("Settlement", settlement_id))


@strawberry.input(description="Which settlement to take away, and why. Since 0.1.")
class SettlementDiscardInput:
    """Not one that is locked."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key does it once.")
    settlement: strawberry.ID = strawberry.field(description="The settlement (stl_…).")
    reason: str = strawberry.field(description="Why, 1 to 500 characters; it stands in the audit trail.")


@strawberry.type(description="The settlement is gone, and its period open again. Since 0.1.")
class SettlementDiscardPayload(IdempotentPayload):
    """Answer of settlementDiscard."""

    settlement_id: str | None = strawberry.field(
        description="The settlement that was taken away; null when refused. Since 0.1.", default=None
    )


@mutation(
    requires="settlement:calculate",
    idempotent=True,
    description="Take away a settlement that is not locked, so that its period is calculated anew",
)
async def settlement_discard(info: Info, input: SettlementDiscardInput) -> SettlementDiscardPayload:  # noqa: A002
    settlement_id = placed_id(input.settlement, prefix=SETTLEMENT, field=("settlement",))
    await discard_settlement(info.actor, settlement_id=settlement_id, reason=input.reason, clock=info.clock)
    return SettlementDiscardPayload(settlement_id=str(input.settlement))


@strawberry.input(description="A member of a bonus pool, with the factors of its key. Since 0.1.")
class PoolMemberInput:
    """Key = weight × performance × time."""

    employee: strawberry.ID = strawberry.field(description="The person (emp_…).")
    weight: Decimal = strawberry.field(description="Weight of the position, from 0 on.")
    performance: Decimal = strawberry.field(description="Factor of performance, from 0 on.", default=Decimal(1))
    time: Decimal = strawberry.field(description="Factor of time worked, from 0 on.", default=Decimal(1))
    has_left: bool = strawberry.field(description="Whether the person has left.", default=False)


@strawberry.input(description="A bonus pool: what funds it, and who divides it. Since 0.1.")
class BonusPoolCalculateInput:
    """Pool = share × max(0, result − hurdle)."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key calculates once.")
    plan: strawberry.ID = strawberry.field(description="The plan that pays it (pln_…).")
    title: str = strawberry.field(description="Name, 1 to 100 characters, unique in plan and period.")
    period_first: date = strawberry.field(description="The first day of what is achieved.")
    period_until: date = strawberry.field(description="The first day after it.")
    department: strawberry.ID | None = strawberry.field(
        description="Whose result (dep_…), with all below it; the company's when absent.", default=None
    )
    share: Decimal = strawberry.field(description='A fraction such as "0.1".')
    hurdle: Decimal = strawberry.field(description="What must be exceeded.")
    floor: Decimal | None = strawberry.field(description="The least the pool holds.", default=None)
    cap: Decimal | None = strawberry.field(description="The most the pool holds.", default=None)
    reserve_share: Decimal = strawberry.field(description="The fraction of the pool kept back.", default=Decimal(0))
    leavers: Enum | None = strawberry.field(
        description="What becomes of leavers' parts; to the pool when absent.",
        graphql_type=nullable(PoolLeavers),
        default=None,
    )
    members: list[PoolMemberInput] = strawberry.field(
        description="1 to 500; their order settles who gets a fen that is left over."
    )
    mode: Enum = strawberry.field(description="Preview or commit.", graphql_type=RunMode)
    plan_hash: str | None = strawberry.field(description="Of a commit: the preview's planHash.", default=None)


@strawberry.type(description="What a pool comes to. Since 0.1.")
class BonusPoolCalculatePayload(IdempotentPayload):
    """Answer of bonusPoolCalculate."""

    pool_run: Ref | None = mapped("BonusPoolRun", description="The pool; null of a preview. Since 0.1.")
    plan_hash: str | None = strawberry.field(description="What a commit names. Since 0.1.", default=None)
    result: Decimal | None = strawberry.field(description="What was achieved. Since 0.1.", default=None)
    pool: Decimal | None = strawberry.field(description="What the pool holds. Since 0.1.", default=None)
    reserve: Decimal | None = strawberry.field(description="What of it is kept back. Since 0.1.", default=None)
    to_company: Decimal | None = strawberry.field(
        description="Leavers' parts that are not paid out. Since 0.1.", default=None
    )
    parts: list[Decimal] = strawberry.field(
        description="What each member gets, in the order of the input. Since 0.1.", default_factory=list
    )


@mutation(
    requires="bonus_pool:calculate",
    idempotent=True,
    description="Fund and divide a bonus pool (奖金池), and store it if it still is what was seen",
)
async def bonus_pool_calculate(info: Info, input: BonusPoolCalculateInput) -> BonusPoolCalculatePayload:  # noqa: A002
    done = await calculate_pool(
        info.actor, _pool(input), plan_hash=_hash_of(input.mode, input.plan_hash), clock=info.clock
    )
    return BonusPoolCalculatePayload(
        pool_run=None if done.run_id is None else Ref("BonusPoolRun", done.run_id),
        plan_hash=done.plan_hash,
        result=done.result,
        pool=done.funding.pool,
        reserve=done.funding.reserve,
        to_company=done.distribution.to_company,
        parts=[part.amount for part in done.distribution.parts],
    )


def _pool(given: BonusPoolCalculateInput) -> NewPool:
    return NewPool(
        plan_id=placed_id(given.plan, prefix=PLAN, field=("plan",)),
        title=given.title,
        first=given.period_first,
        until=given.period_until,
        department_id=optional_id(given.department, prefix=DEPARTMENT, field=("department",)),
        terms=PoolTerms(given.share, given.hurdle, given.floor, given.cap, given.reserve_share),
        members=[
            Member(str(each.employee), each.weight, each.performance, each.time, each.has_left)
            for each in given.members
        ],
        leavers=Leavers.TO_POOL if given.leavers is None else Leavers[given.leavers.name],
    )


@strawberry.input(description="Which pool to approve, by its result. Since 0.1.")
class BonusPoolApproveInput:
    """The hash names just what was looked at."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key approves once.")
    pool_run: strawberry.ID = strawberry.field(description="The pool (bpr_…).")
    plan_hash: str = strawberry.field(description="Its planHash.")


@strawberry.type(description="The pool, whose parts wait for the plan's next settlement. Since 0.1.")
class BonusPoolApprovePayload(IdempotentPayload):
    """Answer of bonusPoolApprove."""

    pool_run: Ref | None = mapped("BonusPoolRun", description="The pool; null when refused. Since 0.1.")


@mutation(
    requires="bonus_pool:approve",
    idempotent=True,
    description="Approve a bonus pool, as somebody else than who divided it",
)
async def bonus_pool_approve(info: Info, input: BonusPoolApproveInput) -> BonusPoolApprovePayload:  # noqa: A002
    run_id = placed_id(input.pool_run, prefix=POOL_RUN, field=("poolRun",))
    await approve_pool(info.actor, run_id=run_id, plan_hash=input.plan_hash, clock=info.clock)
    return BonusPoolApprovePayload(pool_run=Ref("BonusPoolRun", run_id))
