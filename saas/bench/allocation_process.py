"""One allocation in a process of its own: `python -m saas.bench.allocation_process METHOD CUSTOMERS` prints its
seconds and its memory.
"""

from __future__ import annotations

import asyncio
import os
import sys
from time import perf_counter
from uuid import UUID

import orjson

from saas.backing import backing
from saas.bench.allocation_data import CLOCK, TENANT, ZONE, attainment_of, read_reps, weight_of
from saas.bench.machine import peak_bytes, resident_bytes
from saas.config import read_settings
from saas.customers import (
    COMMIT_AWAITED,
    PLAN_AWAITED,
    AllocationWish,
    MatchPlan,
    Method,
    OnChange,
    Participant,
    PerformancePlan,
    commit_allocation,
    plan_allocation,
)
from saas.customers.jobs import AllocationJobs
from saas.events import Event, EventTopic, Handler
from saas.kernel import Actor, Period, new_id
from saas.main import installed_product, opened
from saas.sealing import Sealer
from tenants import Database

_ACTOR = Actor(TENANT, account_id=new_id(), employee_id=None, roles=frozenset({"owner"}), client="bench")


async def measured(method: Method, customers: int) -> dict[str, float]:
    """Open the product that the environment names, and measure one allocation in it."""
    settings, product = read_settings(os.environ), installed_product()
    async with backing(settings) as servers, opened(product, settings, servers, clock=CLOCK) as installation:
        return await measured_in(installation.database, installation.sealer, method, customers)


async def measured_in(database: Database, sealer: Sealer, method: Method, customers: int) -> dict[str, float]:
    """Plan and commit an allocation of all the pool's customers, and tell what that took."""
    wish = await _wish(database, method, customers)
    await sealer.keyring(TENANT)  # from its file, once: what follows finds it
    before = resident_bytes(os.getpid()) or 0
    began = perf_counter()
    allocation_id = await _planned(database, wish, sealer)
    planned = perf_counter()
    await _committed(database, allocation_id, sealer)
    committed = perf_counter()
    return {
        "plan_seconds": planned - began,
        "commit_seconds": committed - planned,
        "memory_before": before,
        "memory_peak": peak_bytes(os.getpid()) or 0,
        "customers_given": await _owned(database),
    }


async def _wish(database: Database, method: Method, customers: int) -> AllocationWish:
    async with database.transaction(TENANT) as transaction:
        reps = await read_reps(transaction.connection)
        pool_id = await transaction.fetchval("SELECT id FROM customer_pool")
    people = [
        Participant(each, weight=weight_of(place), attainment=attainment_of(place)) for place, each in enumerate(reps)
    ]
    return AllocationWish(
        pool_id=pool_id,
        method=method,
        people=people,
        take=customers,
        plan=PerformancePlan(Period.of_month("2026-10")),
        match=MatchPlan() if method is Method.MATCH else None,
    )


async def _planned(database: Database, wish: AllocationWish, sealer: Sealer) -> UUID:
    keyring = await sealer.keyring(TENANT)
    async with database.transaction(TENANT):
        allocation_id = await plan_allocation(_ACTOR, wish, keyring=keyring, time_zone=ZONE, clock=CLOCK)
    await _worked(database, PLAN_AWAITED, allocation_id, AllocationJobs(sealer, CLOCK).deal)
    return allocation_id


async def _committed(database: Database, allocation_id: UUID, sealer: Sealer) -> None:
    keyring = await sealer.keyring(TENANT)
    async with database.transaction(TENANT) as transaction:
        plan_hash = await transaction.fetchval("SELECT plan_hash FROM pool_allocation WHERE id = $1", allocation_id)
        await commit_allocation(
            _ACTOR,
            allocation_id=allocation_id,
            plan_hash=plan_hash,
            on_change=OnChange.REFUSE,
            keyring=keyring,
            time_zone=ZONE,
            clock=CLOCK,
        )
    await _worked(database, COMMIT_AWAITED, allocation_id, AllocationJobs(sealer, CLOCK).give)


async def _worked(database: Database, topic: EventTopic, allocation_id: UUID, handler: Handler) -> None:
    """What the worker does where the request left the work to it; nothing where it did not."""
    event = Event(new_id(), TENANT, topic, {"allocation_id": str(allocation_id)}, CLOCK.now(), 1)
    async with database.transaction(TENANT):
        await handler(event)


async def _owned(database: Database) -> int:
    async with database.transaction(TENANT) as transaction:
        owned: int = await transaction.fetchval("SELECT count(*) FROM customer WHERE owner_id IS NOT NULL")
    return owned


if __name__ == "__main__":
    sys.stdout.write(orjson.dumps(asyncio.run(measured(Method(sys.argv[1]), int(sys.argv[2])))).decode())
