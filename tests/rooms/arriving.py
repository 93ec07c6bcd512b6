"""A pool that allocates what arrives, for the tests of rooms and races: its settings, and a worker that does it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from saas.customers import ARRIVALS_AWAITED, ARRIVALS_GATHERED, ArrivalJobs
from saas.customers.actions.arrivals import FindClaimants
from saas.customers.events import CUSTOMER_CREATED, CUSTOMER_RECYCLED, CUSTOMER_RELEASED, CUSTOMERS_MOVED
from saas.events import Delivery, Handlers
from saas.jobs import RetryPolicy
from saas.kernel import Actor
from tests.payroll_stage import KeptSealer
from tests.rooms.allocation_stage import employee, staff
from tests.staging import Company

HEARD = (CUSTOMER_CREATED, CUSTOMER_RELEASED, CUSTOMER_RECYCLED, CUSTOMERS_MOVED, ARRIVALS_AWAITED, ARRIVALS_GATHERED)
ALLOCATIONS = "SELECT state, method, customers, given, skipped, unplaced FROM pool_allocation ORDER BY created_at, id"
OWNERS = "SELECT id, owner_id FROM customer WHERE owner_id IS NOT NULL"


class Worker:
    """Hears of arrivals as the product's worker does; `claimants` finds who may claim by their role, else everybody."""

    def __init__(self, company: Company, claimants: FindClaimants | None = None, *, attempts: int = 8) -> None:
        self._company, self._retry = company, RetryPolicy(max_attempts=attempts)
        self._handlers = Handlers(HEARD)
        jobs = ArrivalJobs(KeptSealer(company), claimants or self._everybody, company.clock)  # type: ignore[arg-type]
        jobs.listen(self._handlers)

    async def _everybody(self) -> list[UUID]:
        return [UUID(str(each)) for (each,) in await self._company.rows("SELECT id FROM employee")]

    async def due(self) -> list[tuple[str, str, int]]:
        """The messages that are due: those that are due at once, and those whose time has come."""
        rows = await self._company.rows(
            "SELECT id, attempts FROM outbox WHERE topic = ANY ($1) AND (due_at = created_at OR due_at <= $2)"
            " ORDER BY created_at, id",
            list(HEARD),
            self._company.clock.now(),
        )
        return [(str(self._company.tenant_id), str(event_id), int(str(attempts))) for event_id, attempts in rows]

    async def deliver(self, message: tuple[str, str, int]) -> None:
        """Each in a task of its own, as several workers would."""
        delivery = Delivery(self._company.database, self._handlers, retry=self._retry, clock=self._company.clock)
        await delivery(*message)
        if delivery.long_run is not None:
            await asyncio.wait({delivery.long_run})

    async def work(self) -> None:
        """All that is due, and what follows from it at once."""
        while messages := await self.due():
            for message in messages:
                await self.deliver(message)

    async def gather(self) -> None:
        """What has arrived is allocated, some seconds later."""
        await self.work()
        self._company.clock.advance(timedelta(seconds=5))
        await self.work()


async def automatic(company: Company, count: int = 2, **more: Any) -> list[Actor]:
    """A pool whose only members are so many people, and that allocates what arrives."""
    people = await staff(company, count)
    await only_members(company, people)
    await company.configure(**{"arrival_method": "flexible", **more})
    return people


async def only_members(company: Company, people: Sequence[Actor]) -> None:
    """Nobody else receives."""
    for each in people:
        await company.run(
            "INSERT INTO pool_member (tenant_id, pool_id, employee_id) VALUES ($1, $2, $3)",
            company.tenant_id,
            company.pool_id,
            employee(each),
        )


async def owners(company: Company) -> dict[object, object]:
    """Who owns what."""
    return dict(await company.rows(OWNERS))  # type: ignore[arg-type]
