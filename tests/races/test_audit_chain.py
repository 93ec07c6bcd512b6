"""Twenty writers and three chainers at once: no entry linked twice, none left out, no gap."""

from __future__ import annotations

import asyncio
from uuid import UUID

from saas.audit import chain, record, verify
from saas.kernel import Actor, SystemClock, new_id
from tenants import Database


async def test_chain_has_neither_gap_nor_double_under_concurrent_writers(database: Database, tenant_id: UUID) -> None:
    writing = True

    async def write(number: int) -> None:
        actor = Actor(tenant_id, new_id(), None, frozenset(), request_id=str(number))
        for _ in range(10):
            async with database.transaction(tenant_id):
                await record(actor, "customer.claimed", object_type="Customer", object_id=None, clock=SystemClock())
                await record(actor, "customer.released", object_type="Customer", object_id=None, clock=SystemClock())

    async def keep_linking() -> int:
        linked = 0
        while writing:
            linked += await chain(database, tenant_id, clock=SystemClock(), batch=7)
            await asyncio.sleep(0)
        return linked

    linking = [asyncio.create_task(keep_linking()) for _ in range(3)]
    await asyncio.gather(*(write(number) for number in range(20)))
    writing = False
    linked = sum(await asyncio.gather(*linking))
    async with asyncio.timeout(20):
        while linked < 400:  # what runs in other databases of the server holds the line back too
            linked += await chain(database, tenant_id, clock=SystemClock())
    assert linked == 400
    async with database.transaction(tenant_id) as transaction:
        verdict = await verify(clock=SystemClock())
        assert (verdict.is_intact, verdict.links) == (True, 400)
        row = await transaction.fetchrow("SELECT min(seq), max(seq), count(*), count(DISTINCT id) FROM audit_link")
    assert row is not None
    assert tuple(row) == (1, 400, 400, 400)
