"""A commit in many chunks: each pick is read a fixed number of times, however many there are and whatever is known of
them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from saas.bench.allocation_data import CLOCK, TENANT, ZONE, hire, put_back, read_reps
from saas.customers import AllocationWish, Method, OnChange, Participant, commit_allocation, plan_allocation
from saas.customers.actions import giving
from saas.kernel import Actor, new_id
from saas.sealing import FileKeyProvider, Sealer
from tenants import Database
from tenants.schema import OWNER
from tests.conftest import role_url

CUSTOMERS, CHUNK = 400, 20
ACTOR = Actor(TENANT, account_id=new_id(), employee_id=None, roles=frozenset({"owner"}))
READ = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'allocation_pick'"


@pytest.mark.parametrize("method", [Method.FLEXIBLE, Method.DRAW])
async def test_a_pick_is_read_a_fixed_number_of_times(
    database: Database,
    superuser_url: str,
    database_name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    method: Method,
) -> None:
    monkeypatch.setattr(giving, "CHUNK", CHUNK)
    owner_url = role_url(superuser_url, OWNER, database_name)
    await hire(owner_url, reps=7)
    await put_back(owner_url, customers=CUSTOMERS)
    keyring = await Sealer(FileKeyProvider(tmp_path)).keyring(TENANT)
    async with database.transaction(TENANT) as transaction:
        people = [Participant(each) for each in await read_reps(transaction.connection)]
        pool_id = await transaction.fetchval("SELECT id FROM customer_pool")
        wish = AllocationWish(pool_id=pool_id, method=method, people=people, take=CUSTOMERS)
        allocation_id = await plan_allocation(ACTOR, wish, keyring=keyring, time_zone=ZONE, clock=CLOCK)
        plan_hash = await transaction.fetchval("SELECT plan_hash FROM pool_allocation")
    async with database.transaction(TENANT) as transaction:
        before = await transaction.fetchval(READ)
        given = await commit_allocation(
            ACTOR,
            allocation_id=allocation_id,
            plan_hash=plan_hash,
            on_change=OnChange.REFUSE,
            keyring=keyring,
            time_zone=ZONE,
            clock=CLOCK,
        )
        read = await transaction.fetchval(READ) - before
    assert given is not None
    assert (len(given.places), given.skipped) == (CUSTOMERS - CUSTOMERS // 100, 0)
    assert CUSTOMERS <= read <= 3 * CUSTOMERS
