"""The public ledger is bound to the audit trail: whoever touches a line afterwards is found, and the line is named."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from tortoise.migrations.operations import RunSQL

import saas
from saas.customers import LedgerTampering, LedgerVerdict, create_pool, move_customers, verify_ledger
from saas.kernel import Actor, public_id
from tests.staging import ZONE, Company

MIGRATION = import_module("saas.customers.migrations.0010_bound_ledger").Migration
LINES = "SELECT id FROM pool_event WHERE kind = $1 ORDER BY id"


async def verdict(company: Company) -> LedgerVerdict:
    async with company.database.transaction(company.tenant_id, isolation="REPEATABLE READ"):
        return await verify_ledger()


async def as_superuser(company: Company, superuser_url: str, sql: str, *values: object) -> None:
    """What no role of the product may do."""
    name = await company.value("SELECT current_database()")
    connection = await asyncpg.connect(superuser_url.rpartition("/")[0] + f"/{name}")
    try:
        await connection.execute(sql, *values)
    finally:
        await connection.close()


@pytest.fixture
async def written(company: Company) -> UUID:
    """A claim, a release and a bulk move, six lines in all; the id of the claim's."""
    rep: Actor = await company.hire("1001")
    customers = [await company.enter(name) for name in ("蓝海", "北辰", "远帆", "海川")]
    await company.claim(rep, customers[0])
    await company.release(rep, customers[0], reason="号码已停用")
    other = await company.within(
        lambda: create_pool(company.founder, name="华东公海", time_zone=ZONE, clock=company.clock)
    )
    moved = await company.within(
        lambda: move_customers(
            company.founder, from_pool_id=company.pool_id, to_pool_id=other, time_zone=ZONE, clock=company.clock
        )
    )
    assert moved == 4
    ((claimed,),) = await company.rows(LINES, "claimed")
    return UUID(str(claimed))


async def test_an_untouched_ledger_is_intact(company: Company, written: UUID) -> None:
    assert await verdict(company) == LedgerVerdict(bound=6, unbound=0, bound_from=None, wrong=())
    entries = await company.rows(
        "SELECT action, changes ? 'ledger' FROM audit_entry"
        " WHERE action LIKE 'customer.%ed' OR action LIKE 'pool_ledger%' ORDER BY 1, 2"
    )
    assert [action for action, is_bound in entries if is_bound] == [
        "customer.claimed",
        "pool_ledger.written",
        "pool_ledger.written",
    ]


COLUMNS = {
    "kind": "kind = 'transferred'",
    "pool_id": "pool_id = (SELECT id FROM customer_pool WHERE name = '华东公海' AND tenant_id = $2)",
    "customer_id": "customer_id = NULL",
    "employee_id": "employee_id = NULL",
    "former_owner_id": "former_owner_id = employee_id",
    "operator_id": "operator_id = NULL",
    "happened_at": "happened_at = happened_at + interval '1 microsecond'",
    "happened_on": "happened_on = happened_on - 1",
    "reason": "reason = '老板同意'",
    "rule": "rule = 'no_deal'",
    "settings_version": "settings_version = 9",
    "explanation": 'explanation = \'{"key": "x"}\'',
}


@pytest.mark.parametrize("column", COLUMNS)
async def test_a_changed_line_is_named(company: Company, superuser_url: str, written: UUID, column: str) -> None:
    sql = f"UPDATE pool_event SET {COLUMNS[column]} WHERE id = $1 AND tenant_id = $2"
    await as_superuser(company, superuser_url, sql, written, company.tenant_id)
    (wrong,) = (await verdict(company)).wrong
    assert (wrong.tampering, wrong.line_id) == (LedgerTampering.CHANGED_LINE, written)
    assert public_id("pev", written) in wrong.detail


async def test_a_removed_line_is_named(company: Company, superuser_url: str, written: UUID) -> None:
    moved = [row[0] for row in await company.rows(LINES, "moved")]
    await as_superuser(company, superuser_url, "DELETE FROM pool_event WHERE id = ANY ($1)", [written, moved[2]])
    found = {(each.tampering, each.line_id) for each in (await verdict(company)).wrong}
    assert found == {(LedgerTampering.REMOVED_LINE, written), (LedgerTampering.REMOVED_LINE, moved[2])}


COPY = """
INSERT INTO pool_event (tenant_id, id, pool_id, customer_id, kind, employee_id, operator_id, happened_at, happened_on)
SELECT tenant_id, $2, pool_id, customer_id, kind, employee_id, operator_id, happened_at, happened_on
FROM pool_event WHERE id = $1
"""


async def test_an_invented_line_is_named_though_another_was_removed(
    company: Company, superuser_url: str, written: UUID
) -> None:
    invented = UUID(int=written.int + 1)
    await as_superuser(company, superuser_url, COPY, written, invented)
    await as_superuser(company, superuser_url, "DELETE FROM pool_event WHERE id = $1", written)
    found = {(each.tampering, each.line_id) for each in (await verdict(company)).wrong}
    assert found == {(LedgerTampering.REMOVED_LINE, written), (LedgerTampering.INVENTED_LINE, invented)}


BEGUN = """
INSERT INTO audit_entry (tenant_id, id, at, account_id, client, address, request_id, action, object_type, changes,
    reason, outcome)
SELECT $1, $2, now(), $1, 'migration', '', '', 'pool_ledger.begun', 'PoolEvent', '{"unbound": [null, 1]}', '', 'done'
"""


async def test_lines_from_before_are_counted_and_a_backdated_one_shows(
    company: Company, superuser_url: str, written: UUID
) -> None:
    older = UUID(int=written.int + 1)
    await as_superuser(company, superuser_url, COPY, written, older)
    await as_superuser(company, superuser_url, BEGUN, company.tenant_id, UUID(int=written.int + 2))
    found = await verdict(company)
    assert (found.bound, found.unbound, found.is_intact) == (6, 1, True)
    assert found.bound_from is not None
    await as_superuser(company, superuser_url, COPY, written, UUID(int=written.int + 3))
    (wrong,) = (await verdict(company)).wrong
    assert (wrong.tampering, wrong.line_id) == (LedgerTampering.UNBOUND_COUNT, None)
    assert wrong.detail == "1 lines are from before the trail was bound to them, and 2 such lines are there"


async def test_every_column_of_a_line_is_in_its_digest(company: Company, written: UUID) -> None:
    columns = await company.rows(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'pool_event'::regclass AND attnum > 0 AND NOT attisdropped"
    )
    covered = {*COLUMNS, "id", "tenant_id", "allocation_id", "xid"}
    assert {name for (name,) in columns} == covered


def test_lines_are_written_in_two_places_which_bind_them() -> None:
    folder = Path(saas.__file__).parent
    product = (file for file in folder.rglob("*.py") if "bench" not in file.parts)  # a floor binds nothing
    writing = {str(file.relative_to(folder)) for file in product if "INSERT INTO pool_event" in file.read_text()}
    assert writing == {"customers/actions/ledger.py", "customers/actions/claiming.py"}


async def test_the_migration_counts_the_lines_from_before(company: Company, superuser_url: str, written: UUID) -> None:
    counting = next(each for each in MIGRATION.operations if isinstance(each, RunSQL) and "begun" in str(each.sql))
    for statement in counting.sql:
        await as_superuser(company, superuser_url, str(statement))
    entries = await company.rows(
        "SELECT object_type, changes::text, account_id, substr(id::text, 15, 1) FROM audit_entry WHERE action = $1",
        "pool_ledger.begun",
    )
    assert entries == [("PoolEvent", '{"unbound": [null, 6]}', UUID(int=0), "7")]
