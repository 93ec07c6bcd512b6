"""Short ways to sell in a test's company: every call is a transaction of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from saas.access import AccessTable
from saas.kernel import Actor
from saas.sales import (
    CreditPart,
    Entered,
    NewCollection,
    NewDeal,
    NewOpportunity,
    NewTarget,
    cancel_deal,
    enter_collections,
    enter_deal,
    enter_deals,
    enter_opportunities,
    enter_opportunity,
    move_opportunity,
    record_collection,
    record_refund,
    set_credits,
    set_target,
    set_targets,
)
from tests.staging import ALL, REP, ZONE, Company

TODAY = date(2026, 11, 23)


@dataclass(frozen=True)
class Sales:
    """The sales room of a company, for one caller."""

    company: Company
    actor: Actor
    access: AccessTable = field(default=ALL)
    currency: str = "CNY"

    def acting(self, actor: Actor, access: AccessTable = REP) -> Sales:
        """The same company, somebody else."""
        return replace(self, actor=actor, access=access)

    @property
    def _rules(self) -> dict[str, Any]:
        return {"access": self.access, "currency": self.currency, "time_zone": ZONE, "clock": self.company.clock}

    async def deal(self, customer_id: UUID, number: str = "D-1", amount: str = "1000.00", **more: Any) -> UUID:
        """A deal of today, or of ``signed_on``."""
        new = NewDeal(customer_id, number, more.pop("signed_on", TODAY), Decimal(amount), **more)
        return await self.company.within(lambda: enter_deal(self.actor, new, **self._rules))

    async def deals(self, rows: Sequence[NewDeal], **more: Any) -> list[Entered]:
        """Many deals."""
        return await self.company.within(lambda: enter_deals(self.actor, rows, **self._rules, **more))

    async def entering(self, rows: Sequence[NewDeal]) -> list[Entered]:
        """Many deals, in the transaction that is open."""
        return await enter_deals(self.actor, rows, **self._rules)

    async def credit(self, deal_id: UUID, *parts: tuple[UUID | None, str], version: int = 1) -> UUID:
        """Other credits."""
        shares = [CreditPart(person or UUID(int=0), Decimal(share)) for person, share in parts]
        return await self.company.within(
            lambda: set_credits(
                self.actor,
                deal_id=deal_id,
                parts=shares,
                expected_version=version,
                access=self.access,
                clock=self.company.clock,
            )
        )

    async def cancel(self, deal_id: UUID, *, version: int = 1, reason: str = "客户取消") -> UUID:
        """The end of a deal."""
        return await self.company.within(
            lambda: cancel_deal(self.actor, deal_id=deal_id, reason=reason, expected_version=version, **self._rules)
        )

    async def collect(self, deal_id: UUID, amount: str, *, on: date = TODAY, **more: Any) -> UUID:
        """Money that came in."""
        new = NewCollection(deal_id, "collection", on, Decimal(amount), **more)
        return await self.company.within(lambda: record_collection(self.actor, new, **self._rules))

    async def refund(self, deal_id: UUID, amount: str, *, on: date = TODAY, **more: Any) -> UUID:
        """Money that was paid back."""
        new = NewCollection(deal_id, "refund", on, Decimal(amount), **more)
        return await self.company.within(lambda: record_refund(self.actor, new, **self._rules))

    async def collections(self, rows: Sequence[NewCollection]) -> list[Entered]:
        """Many collections and refunds."""
        return await self.company.within(lambda: enter_collections(self.actor, rows, **self._rules))

    async def opportunity(self, stage: str = "engaging", **more: Any) -> UUID:
        """An opportunity."""
        new = NewOpportunity(stage, **more)
        return await self.company.within(lambda: enter_opportunity(self.actor, new, **self._rules))

    async def opportunities(self, rows: Sequence[NewOpportunity]) -> list[Entered]:
        """Many opportunities."""
        return await self.company.within(lambda: enter_opportunities(self.actor, rows, **self._rules))

    async def move(self, opportunity_id: UUID, stage: str, *, on: date | None = None, version: int = 1) -> UUID:
        """An opportunity to another stage."""
        return await self.company.within(
            lambda: move_opportunity(
                self.actor,
                opportunity_id=opportunity_id,
                stage=stage,
                closed_on=on,
                expected_version=version,
                access=self.access,
                time_zone=ZONE,
                clock=self.company.clock,
            )
        )

    async def target(self, new: NewTarget, *, version: int | None = None) -> UUID:
        """A target."""
        return await self.company.within(
            lambda: set_target(
                self.actor,
                new,
                expected_version=version,
                currency=self.currency,
                time_zone=ZONE,
                clock=self.company.clock,
            )
        )

    async def targets(self, rows: Sequence[NewTarget]) -> list[Entered]:
        """Many targets."""
        return await self.company.within(
            lambda: set_targets(self.actor, rows, currency=self.currency, time_zone=ZONE, clock=self.company.clock)
        )

    async def lines(self) -> list[tuple[object, ...]]:
        """Metric, person, day, amount and newness of all lines, the smallest amounts of a day first."""
        return await self.company.rows(
            "SELECT metric, employee_id, happened_on, amount_minor, is_new_customer FROM performance_line"
            " ORDER BY metric, happened_on, amount_minor, employee_id"
        )

    async def sums(self) -> list[tuple[object, ...]]:
        """Metric, person, day, newness and sum, where it is not 0."""
        return await self.company.rows(
            "SELECT metric, employee_id, happened_on, is_new_customer, sum(amount_minor)::bigint FROM performance_line"
            " GROUP BY 1, 2, 3, 4 HAVING sum(amount_minor) <> 0 ORDER BY 1, 3, 2, 4"
        )
