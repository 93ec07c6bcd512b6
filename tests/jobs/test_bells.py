"""The bell of what people watch: heard in every process, by company, and silence without Redis."""

from __future__ import annotations

import asyncio
from uuid import UUID

from saas.jobs import RedisCompanyBell
from saas.kernel import new_id
from saas.servers import Servers


async def test_it_tells_each_process_for_which_companies_it_was_rung(servers: Servers) -> None:
    ringing, ears = RedisCompanyBell(servers.redis_url), [RedisCompanyBell(servers.redis_url) for _ in range(2)]
    wanted = {new_id(), new_id()}
    for ear in ears:
        await ear.wait(0.01)  # it listens from now on
    for tenant_id in wanted:
        await ringing.ring_for(tenant_id)
        await ringing.ring_for(tenant_id)
    async with asyncio.timeout(20):
        for ear in ears:
            heard: set[UUID] = set()
            while not heard >= wanted:
                heard |= await ear.wait(1.0)
            assert wanted <= heard
    for bell in (ringing, *ears):
        await bell.close()


async def test_without_redis_nothing_is_heard_and_nobody_fails() -> None:
    bell = RedisCompanyBell("redis://127.0.0.1:1")
    await bell.ring_for(new_id())
    assert await bell.wait(0.01) == frozenset()
    await bell.close()
