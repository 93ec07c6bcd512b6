"""The benchmark of allocation: product and floor give every customer, and no foreign database is ever emptied."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from saas.bench.allocation import METHODS
from saas.bench.allocation_data import TENANT, hire, put_back
from saas.bench.allocation_floor import measure_floor
from saas.bench.allocation_process import measured_in
from saas.bench.errors import ForeignDatabase
from saas.customers import Method
from saas.sealing import FileKeyProvider, Sealer
from tenants import Database
from tenants.schema import OWNER
from tests.conftest import make_tenant, role_url

CUSTOMERS = 200


@pytest.fixture
def owner_url(superuser_url: str, database_name: str) -> str:
    """The URL of the fresh database's owner."""
    return role_url(superuser_url, OWNER, database_name)


async def count(database: Database, sql: str) -> int:
    async with database.transaction(TENANT) as transaction:
        found: int = await transaction.fetchval(sql)
    return found


async def test_each_method_and_the_floor_give_every_customer(
    database: Database, owner_url: str, tmp_path: Path
) -> None:
    await hire(owner_url, reps=7)
    sealer = Sealer(FileKeyProvider(tmp_path))
    for method in map(Method, METHODS):
        await put_back(owner_url, customers=CUSTOMERS)
        assert await count(database, "SELECT count(*) FROM customer WHERE owner_id IS NOT NULL") == 0
        found = await measured_in(database, sealer, method, CUSTOMERS)
        assert found["customers_given"] == CUSTOMERS, method
        assert min(found.values()) > 0
        assert await count(database, "SELECT count(*) FROM allocation_pick WHERE state = 'given'") == CUSTOMERS
        assert await count(database, "SELECT count(*) FROM ownership WHERE ended_at IS NULL") == CUSTOMERS
    await put_back(owner_url, customers=CUSTOMERS)
    floor = await measure_floor(owner_url, customers=CUSTOMERS)
    assert min(floor.plan_seconds, floor.commit_seconds) > 0
    assert await count(database, "SELECT count(*) FROM customer WHERE owner_id IS NOT NULL") == 0


async def test_the_company_is_found_again_with_other_reps(database: Database, owner_url: str) -> None:
    for reps in (3, 5):
        await hire(owner_url, reps=reps)
        assert await count(database, "SELECT count(*) FROM employee") == reps


async def test_a_database_of_others_is_left_alone(database: Database, owner_url: str) -> None:
    await hire(owner_url, reps=3)
    await put_back(owner_url, customers=CUSTOMERS)
    await make_tenant(database, "晨光销售")
    with pytest.raises(ForeignDatabase):
        await hire(owner_url, reps=4)
    with pytest.raises(ForeignDatabase):
        await put_back(owner_url, customers=3)
    assert await count(database, "SELECT count(*) FROM customer") == CUSTOMERS
    assert await count(database, "SELECT count(*) FROM employee") == 3
    connection = await asyncpg.connect(owner_url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM platform.tenant") == 2
    finally:
        await connection.close()
