"""Allocations of many customers: a commit reads each pick a fixed number of times, whatever is known of them, and an
explanation a fixed number of picks, however many there are.
"""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from saas.bench.allocation_data import CLOCK, TENANT, ZONE, hire, put_back, read_reps
from saas.customers import (
    AllocationWish,
    Given,
    Method,
    OnChange,
    Participant,
    commit_allocation,
    explain_allocation,
    plan_allocation,
)
from saas.customers.actions import giving, tallies
from saas.kernel import Actor, new_id
from saas.sealing import FileKeyProvider, Keyring, Sealer
from tenants import Database
from tenants.schema import OWNER
from tests.conftest import role_url
from tests.rooms.allocation_stage import MANAGER

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
    await put_back_all(role_url(superuser_url, OWNER, database_name))
    keyring = await Sealer(FileKeyProvider(tmp_path)).keyring(TENANT)
    allocation_id, plan_hash = await planned(database, method, keyring)
    async with database.transaction(TENANT) as transaction:
        before = await transaction.fetchval(READ)
        given = await committed(allocation_id, plan_hash, keyring)
        read = await transaction.fetchval(READ) - before
    assert given is not None
    assert (len(given.places), given.skipped) == (CUSTOMERS - CUSTOMERS // 100, 0)
    assert CUSTOMERS <= read <= 3 * CUSTOMERS


@pytest.mark.parametrize("method", [Method.FLEXIBLE, Method.DRAW])
async def test_an_explanation_reads_no_more_picks_than_lie_behind_a_tally(
    database: Database,
    superuser_url: str,
    database_name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    method: Method,
) -> None:
    monkeypatch.setattr(tallies, "EVERY", CHUNK)
    owner_url = role_url(superuser_url, OWNER, database_name)
    await put_back_all(owner_url)
    keyring = await Sealer(FileKeyProvider(tmp_path)).keyring(TENANT)
    allocation_id, plan_hash = await planned(database, method, keyring)
    async with database.transaction(TENANT):
        await committed(allocation_id, plan_hash, keyring)
    owner = await asyncpg.connect(owner_url)
    await owner.execute("ANALYZE allocation_pick")  # as the database does by itself within a minute
    await owner.close()
    async with database.transaction(TENANT) as transaction:
        customers = await transaction.fetch("SELECT customer_id FROM allocation_pick ORDER BY place, customer_id")
        for customer in [*customers[:3], *customers[-3:]]:
            before = await transaction.fetchval(READ)
            told = await explain_allocation(
                ACTOR, allocation_id=allocation_id, customer_id=customer[0], employee_id=None, access=MANAGER
            )
            assert told.key == f"customers.allocated_{method.value}"
            assert await transaction.fetchval(READ) - before <= CHUNK + 3


async def put_back_all(owner_url: str) -> None:
    await hire(owner_url, reps=7)
    await put_back(owner_url, customers=CUSTOMERS)


async def planned(database: Database, method: Method, keyring: Keyring) -> tuple[UUID, str]:
    """The plan of all customers, and its hash."""
    async with database.transaction(TENANT) as transaction:
        people = [Participant(each) for each in await read_reps(transaction.connection)]
        pool_id = await transaction.fetchval("SELECT id FROM customer_pool")
        wish = AllocationWish(pool_id=pool_id, method=method, people=people, take=CUSTOMERS)
        allocation_id = await plan_allocation(ACTOR, wish, keyring=keyring, time_zone=ZONE, clock=CLOCK)
        return allocation_id, await transaction.fetchval("SELECT plan_hash FROM pool_allocation")


async def committed(allocation_id: UUID, plan_hash: str, keyring: Keyring) -> Given | None:
    return await commit_allocation(
        ACTOR,
        allocation_id=allocation_id,
        plan_hash=plan_hash,
        on_change=OnChange.REFUSE,
        keyring=keyring,
        time_zone=ZONE,
        clock=CLOCK,
    )
