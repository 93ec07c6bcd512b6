"""The benchmark of the pool: product and floors take the same customers, claims add up, a certificate fits."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import asyncpg
import pytest

from saas.bench.errors import BenchError, ForeignDatabase, WrongWinners
from saas.bench.pool_claims import WON, measure_claims
from saas.bench.pool_data import TENANT, add_owned, add_pooled, empty, found, put_back
from saas.bench.pool_draw import measure_verification
from saas.bench.pool_floor import measure_night
from saas.bench.pool_process import measured_in
from tenants import Database, DatabaseUrls
from tenants.schema import APP, OWNER, PLATFORM
from tests.conftest import make_tenant, role_url

REPS, CUSTOMERS = 5, 600
STATE = """
SELECT c.name, c.status, c.owner_id, c.due_on, c.due_rule, o.ended_on, o.end_kind, o.reason FROM customer c
JOIN ownership o ON o.tenant_id = c.tenant_id AND o.customer_id = c.id ORDER BY c.name
"""
WRITTEN = """
SELECT e.kind, e.former_owner_id, e.happened_at, e.happened_on, e.rule, e.settings_version, e.explanation::text,
    a.action, a.at, a.changes::text, a.client
FROM pool_event e JOIN audit_entry a ON a.object_id = e.customer_id ORDER BY e.customer_id
"""
TOLD = "SELECT topic, payload::text FROM outbox WHERE topic = 'customers.customer_recycled' ORDER BY payload::text"


@pytest.fixture
def owner_url(superuser_url: str, database_name: str) -> str:
    """The URL of the fresh database's owner."""
    return role_url(superuser_url, OWNER, database_name)


@pytest.fixture
def urls(superuser_url: str, database_name: str) -> DatabaseUrls:
    """The URLs of its working roles."""
    return DatabaseUrls(*(role_url(superuser_url, role, database_name) for role in (APP, PLATFORM)))


async def rows(database: Database, sql: str) -> list[tuple[object, ...]]:
    async with database.transaction(TENANT) as transaction:
        return [tuple(row) for row in await transaction.fetch(sql)]


async def test_the_floor_writes_what_the_product_writes(database: Database, owner_url: str, urls: DatabaseUrls) -> None:
    await found(owner_url, reps=REPS)
    await add_owned(owner_url, after=0, until=CUSTOMERS, due_until=400, reps=REPS)
    untouched = await rows(database, STATE)
    product = await measured_in(database, owner_url)
    after, written, told = [await rows(database, sql) for sql in (STATE, WRITTEN, TOLD)]
    assert (product.recycled, Counter(row[1] for row in after)) == (4, {"owned": CUSTOMERS - 4, "pooled": 4})
    assert len(written) == len(told) == 4
    await put_back(owner_url, due_until=400, reps=REPS)
    assert await rows(database, STATE) == untouched
    floor = await measure_night(urls, owner_url, is_whole=True)
    assert floor.recycled == 4
    assert [await rows(database, sql) for sql in (STATE, WRITTEN, TOLD)] == [after, written, told]
    await put_back(owner_url, due_until=400, reps=REPS)
    bare = await measure_night(urls, owner_url, is_whole=False)
    assert (bare.recycled, await rows(database, STATE), await rows(database, WRITTEN)) == (4, after, [])
    await empty(owner_url)
    assert await rows(database, STATE) == []


async def test_no_more_are_due_in_a_larger_company(database: Database, owner_url: str) -> None:
    await found(owner_url, reps=REPS)
    await add_owned(owner_url, after=0, until=300, due_until=300, reps=REPS)
    await add_owned(owner_url, after=300, until=900, due_until=300, reps=REPS)
    assert (await measured_in(database, owner_url)).recycled == 3


async def test_claims_add_up(database: Database, owner_url: str) -> None:
    await found(owner_url, reps=REPS)
    await add_pooled(owner_url, customers=10)
    for is_bare in (True, False):
        sample = await measure_claims(database, owner_url, is_bare=is_bare, reps=REPS, seconds=0.4)
        assert sample.outcomes[WON] > 0
        assert set(sample.outcomes) <= {WON, "taken" if is_bare else "customers.already_owned"}
        assert sample.answers_per_second >= sample.per_second > 0


async def test_a_customer_with_two_owners_is_found_out(database: Database, owner_url: str) -> None:
    """Were the statement not conditional, the database would hold more changes than were answered."""
    await found(owner_url, reps=REPS)
    await add_pooled(owner_url, customers=1)
    await measure_claims(database, owner_url, is_bare=True, reps=1, seconds=0.1)
    connection = await asyncpg.connect(owner_url)
    await connection.execute(
        "CREATE FUNCTION twice() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.version := NEW.version + 1; RETURN NEW; END $$;"
        "CREATE TRIGGER twice BEFORE UPDATE ON customer FOR EACH ROW WHEN (NEW.status = 'owned')"
        " EXECUTE FUNCTION twice()"
    )
    await connection.close()
    with pytest.raises(WrongWinners):
        await measure_claims(database, owner_url, is_bare=False, reps=1, seconds=0.1)


async def test_a_certificate_is_verified_by_a_file_alone(tmp_path: Path) -> None:
    sample = await measure_verification(tmp_path, customers=50, reps=5)
    assert (sample.customers, sample.size) == (50, (tmp_path / "certificate.json").stat().st_size)
    assert sample.seconds > 0


async def test_a_database_of_others_is_left_alone(database: Database, owner_url: str) -> None:
    await make_tenant(database, "晨光销售")
    with pytest.raises(ForeignDatabase):
        await found(owner_url, reps=REPS)
    assert issubclass(ForeignDatabase, BenchError)
