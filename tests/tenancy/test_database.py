"""The gate: one tenant per transaction, nothing without one, nothing left behind on a connection."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from saas.kernel import Unavailable
from saas.main import MODEL_APPS
from tenants import Database, DatabaseRole, NoTransaction, Tenant, current_tenant_id, current_transaction
from tenants.migrate import missing_migrations
from tenants.pool import ConnectionPool
from tenants.schema import APP
from tests.conftest import role_url

TENANT_SETTING = "SELECT current_setting('app.tenant_id', true)"


async def test_transaction_binds_its_tenant_and_leaves_none_behind(database: Database, tenant_id: UUID) -> None:
    async with database.transaction(tenant_id) as transaction:
        assert await transaction.fetchval(TENANT_SETTING) == str(tenant_id)
        assert current_tenant_id() == tenant_id
    row = await database.fetchrow(TENANT_SETTING)
    assert row is not None
    assert row[0] in (None, "")
    with pytest.raises(NoTransaction):
        current_transaction()


async def test_app_role_may_not_begin_without_a_tenant(database: Database) -> None:
    with pytest.raises(NoTransaction):
        async with database.transaction(None):
            pass


async def test_models_need_an_open_transaction(database: Database, tenant_id: UUID) -> None:
    with pytest.raises(NoTransaction):
        await Tenant.get(id=tenant_id)
    async with database.transaction(None, role=DatabaseRole.PLATFORM):
        assert (await Tenant.get(id=tenant_id)).name == "晨光销售"


async def test_error_rolls_back_and_connection_is_lent_again(database: Database, tenant_id: UUID) -> None:
    with pytest.raises(RuntimeError):
        async with database.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
            await transaction.execute("UPDATE platform.tenant SET name = 'x' WHERE id = $1", tenant_id)
            raise RuntimeError
    async with database.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        assert await transaction.fetchval("SELECT name FROM platform.tenant WHERE id = $1", tenant_id) == "晨光销售"


async def test_a_part_may_fail_alone(database: Database, tenant_id: UUID) -> None:
    update = "UPDATE platform.tenant SET name = $2 WHERE id = $1"
    async with database.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        async with transaction.savepoint():
            await transaction.execute(update, tenant_id, "kept")
            with pytest.raises(RuntimeError):
                async with transaction.savepoint():
                    await transaction.execute(update, tenant_id, "lost")
                    raise RuntimeError
        assert await transaction.fetchval("SELECT name FROM platform.tenant WHERE id = $1", tenant_id) == "kept"
    async with database.transaction(None, role=DatabaseRole.PLATFORM):
        assert (await Tenant.get(id=tenant_id)).name == "kept"


async def test_many_tasks_share_few_connections_without_mixing_tenants(
    database: Database, tenant_id: UUID, other_tenant_id: UUID
) -> None:
    async def seen(own: UUID) -> bool:
        async with database.transaction(own) as transaction:
            return bool(await transaction.fetchval(TENANT_SETTING) == str(own))

    answers = await asyncio.gather(*(seen(tenant_id if n % 2 else other_tenant_id) for n in range(200)))
    assert answers == [True] * 200


async def test_cancelled_operation_gives_its_slot_back(database: Database, tenant_id: UUID) -> None:
    async def long() -> None:
        async with database.transaction(tenant_id) as transaction:
            await transaction.fetchval("SELECT pg_sleep(4)")

    tasks = [asyncio.create_task(long()) for _ in range(30)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    async with database.transaction(tenant_id) as transaction:
        assert await transaction.fetchval("SELECT 1") == 1


async def test_after_commit_runs_only_after_commit(database: Database, tenant_id: UUID) -> None:
    ran: list[str] = []

    async def note() -> None:
        ran.append("committed")

    with pytest.raises(RuntimeError):
        async with database.transaction(tenant_id) as transaction:
            transaction.after_commit(note)
            raise RuntimeError
    assert ran == []
    async with database.transaction(tenant_id) as transaction:
        transaction.after_commit(note)
        assert ran == []
    assert ran == ["committed"]


async def test_afterwards_runs_in_a_transaction_of_its_own_whatever_became_of_the_first(
    database: Database, tenant_id: UUID
) -> None:
    transactions: list[tuple[UUID | None, DatabaseRole, bool]] = []

    async def note() -> None:
        now = current_transaction()
        transactions.append((now.tenant_id, now.role, now is ended))

    with pytest.raises(RuntimeError, match="refused"):
        async with database.transaction(None, role=DatabaseRole.PLATFORM) as ended:
            await ended.bind_tenant(tenant_id)
            ended.afterwards(note)
            raise RuntimeError("refused")
    async with database.transaction(tenant_id) as ended:
        ended.afterwards(note)
        assert len(transactions) == 1
    assert transactions == [(tenant_id, DatabaseRole.PLATFORM, False), (tenant_id, DatabaseRole.APP, False)]


async def test_afterwards_keeps_what_the_rollback_takes_and_its_failure_is_told(
    database: Database, tenant_id: UUID
) -> None:
    async def rename() -> None:
        await current_transaction().execute("UPDATE platform.tenant SET name = '晚' WHERE id = $1", tenant_id)

    async def fail() -> None:
        raise LookupError("not recorded")

    with pytest.raises(RuntimeError):
        async with database.transaction(tenant_id, role=DatabaseRole.PLATFORM) as transaction:
            await transaction.execute("UPDATE platform.tenant SET name = '早' WHERE id = $1", tenant_id)
            transaction.afterwards(rename)
            raise RuntimeError
    with pytest.raises(LookupError, match="not recorded"):
        async with database.transaction(tenant_id, role=DatabaseRole.PLATFORM) as transaction:
            assert await transaction.fetchval("SELECT name FROM platform.tenant WHERE id = $1", tenant_id) == "晚"
            transaction.afterwards(fail)
            raise RuntimeError
    with pytest.raises(asyncio.CancelledError):
        async with database.transaction(tenant_id, role=DatabaseRole.PLATFORM) as transaction:
            transaction.afterwards(fail)
            raise asyncio.CancelledError


async def test_server_that_does_not_answer_is_unavailable() -> None:
    from tenants import DatabaseUrls

    nowhere = "postgres://nobody:x@127.0.0.1:1/none"
    gate = Database(DatabaseUrls(app=nowhere, platform=nowhere))
    with pytest.raises(Unavailable) as refused:
        await gate.fetchrow("SELECT 1")
    assert refused.value.key == "tenants.database_unreachable"


async def test_process_without_the_owner_knows_which_migrations_are_missing(database: Database) -> None:
    assert await missing_migrations(database, MODEL_APPS) == []
    tomorrow = {**MODEL_APPS, "tomorrow": ("saas.people.models", "saas.people.migrations")}
    missing = ["tomorrow.0001_people", "tomorrow.0002_manager", "tomorrow.0003_leave"]
    assert await missing_migrations(database, tomorrow) == missing


async def test_whoever_is_cancelled_when_woken_wakes_the_next(superuser_url: str, database_name: str) -> None:
    """The only connection comes back and wakes a waiter that is cancelled in the same moment: the next one gets it."""
    pool = ConnectionPool(role_url(superuser_url, APP, database_name), size=1, wait_seconds=5)
    connection = await pool.acquire()
    first, second = (asyncio.ensure_future(pool.acquire()) for _ in range(2))
    await asyncio.sleep(0)
    pool.release(connection)
    first.cancel()
    async with asyncio.timeout(2):
        assert await second is connection
    with pytest.raises(asyncio.CancelledError):
        await first
    pool.release(connection)
    await pool.close()


async def test_waiting_for_a_connection_ends_with_the_time_it_may_take(superuser_url: str, database_name: str) -> None:
    pool = ConnectionPool(role_url(superuser_url, APP, database_name), size=1, wait_seconds=0.05)
    connection = await pool.acquire()
    with pytest.raises(Unavailable, match=r"tenants\.database_busy"):
        await pool.acquire()
    pool.release(connection)
    assert await pool.acquire() is connection
    pool.release(connection)
    await pool.close()
