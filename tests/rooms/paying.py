"""Short ways to plan, calculate and settle in a test's company: every call is a transaction of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from saas.events import Event
from saas.incentives import (
    CALCULATION_AWAITED,
    Accrual,
    Calculation,
    Flat,
    Measure,
    Member,
    Moment,
    NewParticipant,
    NewPool,
    NewStage,
    Plan,
    PlanVersion,
    PoolCalculation,
    PoolTerms,
    Release,
    Rule,
    SavedDraft,
    SettledCommission,
    Tiers,
    add_participant,
    approve_pool,
    approve_settlement,
    calculate_period,
    calculate_pool,
    discard_settlement,
    find_problems,
    lock_settlement,
    preview_period,
    publish_plan,
    reach_stage,
    save_plan,
    settled_commission,
    submit_settlement,
    take_into_payroll,
    try_rules,
)
from saas.incentives.actions.calculating import CHUNK
from saas.incentives.jobs import SettlementJobs
from saas.kernel import Actor, Period, Problem, new_id, public_id
from tenants import current_transaction
from tests.payroll_stage import KeptSealer
from tests.rooms.selling import Sales
from tests.staging import ALL, ZONE, Company

MARCH, APRIL, MAY = (Period.of_month(f"2026-{month}") for month in ("03", "04", "05"))


d = Decimal
SINCE = Period(date(2026, 1, 1))
FLAT = Rule("all", "全部", Flat(d("0.03")))
LADDER = Tiers((d(1000), d(2000)), (d("0.03"), d("0.05"), d("0.08")))


def a_plan(*rules: Rule, since: Period = SINCE, terms: dict[str, Any] | None = None, **version: Any) -> Plan:
    """Collected amounts with VAT, 3 % unless rules are given."""
    versions = (PlanVersion(1, since, rules or (FLAT,), **version),)
    return Plan("sales", "销售提成", versions, **({"with_vat": True} | (terms or {})))


def signed(release: Release, **version: Any) -> Plan:
    """Signed amounts."""
    terms: dict[str, Any] = {"measure": Measure.SIGNED, "anchor": Moment.SIGNING, "release": release}
    return a_plan(terms=terms, **version)


def person(employee_id: UUID | None) -> str:
    """How rules and explanations name somebody."""
    assert employee_id is not None
    return public_id("emp", employee_id)


@dataclass(frozen=True)
class Stored:
    """A settlement as it stands; sums are in fen, `problems` those of one that has failed."""

    settlement_id: UUID
    state: str
    plan_hash: str
    people: int
    lines: int
    adjustments: int
    earned: int | None
    payable: int | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Paying:
    """The incentives room of a company; `author` writes and calculates, `second` publishes and approves."""

    company: Company
    author: Actor
    second: Actor

    @classmethod
    def of(cls, company: Company) -> Paying:
        """With the founder as author, and an outsider as the second person."""
        outsider = replace(company.founder, account_id=new_id(), employee_id=None)
        return cls(company, company.founder, outsider)

    async def save(
        self, plan: Plan, *, plan_id: UUID | None = None, expected: str | None = None, actor: Actor | None = None
    ) -> SavedDraft:
        """Save a draft."""
        return await self.company.within(
            lambda: save_plan(
                actor or self.author, plan, plan_id=plan_id, expected_hash=expected, clock=self.company.clock
            )
        )

    async def publish(self, draft: SavedDraft, *, reason: str = "双方书面同意", actor: Actor | None = None) -> UUID:
        """Put a draft in force."""
        return await self.company.within(
            lambda: publish_plan(
                actor or self.second,
                plan_id=draft.plan_id,
                content_hash=draft.content_hash,
                reason=reason,
                time_zone=ZONE,
                clock=self.company.clock,
            )
        )

    async def in_force(self, plan: Plan) -> UUID:
        """A plan whose one version holds."""
        return await self.publish(await self.save(plan))

    async def join(self, plan_id: UUID, **who: Any) -> UUID:
        """A participant."""
        new = NewParticipant(who.get("employee_id"), who.get("department_id"), who["first"], who.get("until"))
        return await self.company.within(
            lambda: add_participant(self.author, plan_id=plan_id, new=new, clock=self.company.clock)
        )

    async def stage(self, deal_id: UUID, stage: str, on: date, collection_id: UUID | None = None) -> UUID:
        """A stage that a deal reached."""
        new = NewStage(deal_id, collection_id, stage, on)
        return await self.company.within(
            lambda: reach_stage(self.author, new, access=ALL, time_zone=ZONE, clock=self.company.clock)
        )

    async def calculation(self, plan_id: UUID, period: Period, **more: Any) -> Calculation:
        """What a period comes to; nothing is stored."""
        keyring = self.company.keyring
        return await self.company.within(
            lambda: preview_period(plan_id=plan_id, day=period.first, keyring=keyring, **more)
        )

    async def begin(
        self, plan_id: UUID, period: Period, plan_hash: str | None = None, *, actor: Actor | None = None
    ) -> UUID:
        """A settlement that waits for the job."""
        return await self.company.within(
            lambda: calculate_period(
                actor or self.author,
                plan_id=plan_id,
                day=period.first,
                plan_hash=plan_hash,
                time_zone=ZONE,
                clock=self.company.clock,
            )
        )

    async def work(self, *, most: int | None = None, chunk: int = CHUNK) -> int:
        """Deliver what waits for the job, or at most so many events; how many there were."""
        delivered = 0
        while (most is None or delivered < most) and (event := await self.next_event()) is not None:
            await self.deliver(event, chunk=chunk)
            delivered += 1
        return delivered

    async def next_event(self) -> Event | None:
        """What the job is to do next."""
        rows = await self.company.rows(
            "SELECT id, payload::text FROM outbox WHERE tenant_id = $1 AND done_at IS NULL AND topic = $2"
            " ORDER BY created_at, id LIMIT 1",
            self.company.tenant_id,
            str(CALCULATION_AWAITED),
        )
        for event_id, payload in rows:
            assert isinstance(event_id, UUID)
            plain = json.loads(str(payload))
            return Event(event_id, self.company.tenant_id, CALCULATION_AWAITED, plain, self.company.clock.now(), 1)
        return None

    async def deliver(self, event: Event, *, chunk: int = CHUNK) -> None:
        """Run the job, and mark its event done in its transaction."""

        async def run() -> None:
            await self.jobs(chunk=chunk).calculate(event)
            await current_transaction().execute(
                "UPDATE outbox SET done_at = now(), due_at = NULL WHERE id = $1", event.id
            )

        await self.company.within(run)

    def jobs(self, *, chunk: int = CHUNK) -> SettlementJobs:
        """The job of this company."""
        return SettlementJobs(KeptSealer(self.company), self.company.clock, chunk)  # type: ignore[arg-type]

    async def stored_problems(self, settlement_id: UUID) -> tuple[Problem, ...]:
        """Why a settlement has failed."""
        return tuple(await self.company.within(lambda: find_problems(settlement_id)))

    async def commit(self, plan_id: UUID, period: Period, plan_hash: str | None = None, **more: Any) -> Stored:
        """A settlement as the job leaves it."""
        chunk = more.pop("chunk", CHUNK)
        settlement_id = await self.begin(plan_id, period, plan_hash, **more)
        await self.work(chunk=chunk)
        return await self.stored(settlement_id)

    async def stored(self, settlement_id: UUID) -> Stored:
        """A settlement as it stands."""
        (row,) = await self.company.rows(
            "SELECT id, state, coalesce(plan_hash, ''), people_count, line_count, adjustment_count, earned_minor,"
            " payable_minor FROM settlement WHERE id = $1",
            settlement_id,
        )
        whole: tuple[Any, ...] = (*row, await self.stored_problems(settlement_id))
        return Stored(*whole)

    async def calculated(self, plan_id: UUID, period: Period) -> Stored:
        """A period previewed and stored."""
        preview = await self.calculation(plan_id, period)
        done = await self.commit(plan_id, period, preview.plan_hash)
        assert (done.state, done.plan_hash) == ("calculated", preview.plan_hash), done.problems
        return done

    async def submit(self, done: Stored) -> UUID:
        """Hand it to review."""
        return await self.company.within(
            lambda: submit_settlement(
                self.author, settlement_id=done.settlement_id, plan_hash=done.plan_hash, clock=self.company.clock
            )
        )

    async def approve(self, done: Stored, *, actor: Actor | None = None) -> UUID:
        """Approve it."""
        return await self.company.within(
            lambda: approve_settlement(
                actor or self.second,
                settlement_id=done.settlement_id,
                plan_hash=done.plan_hash,
                keyring=self.company.keyring,
                clock=self.company.clock,
            )
        )

    async def lock(self, done: Stored) -> UUID:
        """Close it."""
        return await self.company.within(
            lambda: lock_settlement(
                self.second, settlement_id=done.settlement_id, plan_hash=done.plan_hash, clock=self.company.clock
            )
        )

    async def discard(self, done: Stored, *, reason: str = "漏录回款") -> UUID:
        """Take it away."""
        return await self.company.within(
            lambda: discard_settlement(
                self.author, settlement_id=done.settlement_id, reason=reason, clock=self.company.clock
            )
        )

    async def settled(self, plan_id: UUID, period: Period) -> Stored:
        """A period from preview to lock."""
        done = await self.calculated(plan_id, period)
        await self.submit(done)
        await self.approve(done)
        await self.lock(done)
        return done

    async def pool(
        self, plan_id: UUID, terms: PoolTerms, members: Sequence[Member], plan_hash: str | None = None, **more: Any
    ) -> PoolCalculation:
        """A pool of April, or of `days`."""
        first, until = more.get("days", (APRIL.first, MAY.first))
        new = NewPool(plan_id, more.get("title", "奖金池"), first, until, None, terms, members)
        return await self.company.within(
            lambda: calculate_pool(self.author, new, plan_hash=plan_hash, clock=self.company.clock)
        )

    async def approve_pool(self, done: PoolCalculation, *, actor: Actor | None = None) -> UUID:
        """Approve a pool."""
        run_id = done.run_id
        assert run_id is not None
        return await self.company.within(
            lambda: approve_pool(
                actor or self.second, run_id=run_id, plan_hash=done.plan_hash, clock=self.company.clock
            )
        )

    async def trial(self, plan: Plan, *deal_ids: UUID) -> list[Accrual]:
        """What deals would have earned."""
        return await self.company.within(
            lambda: try_rules(self.author, plan, deal_ids=deal_ids, access=ALL, today=self.company.clock.now().date())
        )

    async def owed(self, employment_id: UUID, period: Period, run_id: UUID) -> list[SettledCommission]:
        """What payroll is offered."""
        return await self.company.within(
            lambda: settled_commission([employment_id], period=period, run_id=run_id, keyring=self.company.keyring)
        )

    async def pay(self, run_id: UUID, *statement_ids: UUID) -> None:
        """Note the run that pays statements."""
        await self.company.within(
            lambda: take_into_payroll(self.author, statement_ids, run_id=run_id, clock=self.company.clock)
        )

    async def lines(self, *, of: UUID | None = None) -> list[tuple[object, ...]]:
        """Person, kind, day and amount in fen of all lines, or of those of a settlement."""
        return await self.company.rows(
            "SELECT employee_id, kind, happened_on, amount_minor FROM accrual"
            " WHERE $1::uuid IS NULL OR settlement_id = $1 ORDER BY happened_on, amount_minor, employee_id",
            of,
        )


async def customer(company: Company, keeper: Actor, name: str = "晨光") -> UUID:
    """A customer that has been the keeper's since 2025."""
    customer_id = await company.enter(name, keeper=keeper)
    await company.run("UPDATE customer SET created_at = '2025-01-01'")
    await company.run("UPDATE ownership SET started_at = '2025-01-01', started_on = '2025-01-01'")
    return customer_id


async def collected(
    company: Company, sales: Sales, keeper: Actor, amount: str = "1000.00", on: date = date(2026, 3, 10), **more: str
) -> UUID:
    """A deal that was signed and collected on a day."""
    known = await company.value("SELECT id FROM customer WHERE owner_id = $1", keeper.employee_id)
    customer_id = known if isinstance(known, UUID) else await customer(company, keeper, more.pop("name", "晨光"))
    number = more.pop("number", f"D-{new_id().hex[-8:]}")
    more.pop("name", None)
    deal_id = await sales.deal(customer_id, number, amount, signed_on=on, **more)
    await sales.collect(deal_id, amount, on=on)
    return deal_id
