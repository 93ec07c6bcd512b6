"""The database's own catalogue: every table with a tenant's data ends at the tenant, whoever asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypeAlias
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from saas.kernel import new_id
from saas.main import installed_product
from saas.reads.mapping import Column
from tenants import Database
from tenants.schema import APP, OWNER, PLATFORM, RELAY, row_security
from tests.conftest import role_url
from tests.staging import Company

UNSCOPED = {"tortoise_migrations"}
"""Tables of the schema public without a tenant: the migration tool's own."""

PLATFORM_TABLES = {
    "account",
    "invitation",
    "membership",
    "periodic_job",
    "refresh_token",
    "security_event",
    "session",
    "sign_in_throttle",
    "sign_up_key",
    "tenant",
    "tenant_event",
}
"""Data that belongs to no tenant, reviewed: people worldwide and their sessions, the directory, the scheduler."""

EXTRA_POLICIES = {
    ("outbox", "relay_select", "r", RELAY, "true", None),
    ("outbox", "relay_update", "w", RELAY, "true", "true"),
}
"""The one exception: the relay hands on events of all tenants; column grants leave it no payload."""

INDEXES_WITHOUT_TENANT: dict[str, str] = {}
"""Indexes that don't begin with tenant_id, each with the reason; none so far."""

DEFINER_FUNCTIONS = {
    "platform.session_lookup",
    "platform.session_stamp",
    "platform.session_touch",
    "platform.tenant_facts",
}
"""Functions that run as the owner: how the application role learns whose session a token is, and nothing else."""

OWNERS_VIEWS = {"platform.presented_session"}
"""Views that read as the owner, reviewed: the stamp of the one session whose hash the reader has set."""

WORKERS = (APP, PLATFORM, RELAY)
_TABLES = """
    SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, pg_get_userbyid(c.relowner) AS owner,
           a.attnotnull, format_type(a.atttypid, NULL) AS kind
    FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
"""
_NULLABLE = """
    SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attnotnull
"""
_POLICIES = """
    SELECT c.relname, p.polname, p.polcmd::text AS command, p.polpermissive AS permissive,
           coalesce((SELECT string_agg(pg_get_userbyid(r), ',') FROM unnest(p.polroles) r WHERE r <> 0), '') AS roles,
           pg_get_expr(p.polqual, p.polrelid) AS qualifies, pg_get_expr(p.polwithcheck, p.polrelid) AS checks
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
"""
_INDEXES = """
    SELECT c.relname, i.relname AS index, x.indisprimary,
           (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = x.indkey[0]) AS first
    FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
    WHERE c.relnamespace = 'public'::regnamespace
"""
_FOREIGN_KEYS = """
    SELECT c.relname, k.conname, f.relname AS target,
           ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS n (number, place)
                 JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = n.number ORDER BY place) AS columns,
           ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS n (number, place)
                 JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = n.number ORDER BY place) AS targets
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class f ON f.oid = k.confrelid
    WHERE k.contype = 'f' AND c.relnamespace = 'public'::regnamespace
"""
_OURS = """
    SELECT n.nspname || '.' || p.proname AS name, p.prosecdef, p.proleakproof, p.proconfig,
           pg_get_userbyid(p.proowner) AS owner, has_function_privilege('public', p.oid, 'EXECUTE') AS for_all
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_temp%'
"""


@pytest_asyncio.fixture(loop_scope="session")
async def catalogue(superuser_url: str, template: str) -> AsyncIterator[Catalogue]:
    """The owner's view of the migrated database, in a transaction that rolls back."""
    connection = await asyncpg.connect(role_url(superuser_url, OWNER, template))
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


Catalogue: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


async def tenant_tables(catalogue: Catalogue) -> set[str]:
    """The tables of the schema public that hold a tenant's data."""
    return {row["relname"] for row in await catalogue.fetch(_TABLES)} - UNSCOPED


async def test_every_table_has_a_tenant_and_forces_row_security(catalogue: Catalogue) -> None:
    rows = [row for row in await catalogue.fetch(_TABLES) if row["relname"] not in UNSCOPED]
    assert len(rows) >= 16
    expected = (True, True, OWNER, True, "uuid")
    found = {
        row["relname"]: (
            row["relrowsecurity"],
            row["relforcerowsecurity"],
            row["owner"],
            row["attnotnull"],
            row["kind"],
        )
        for row in rows
    }
    assert found == dict.fromkeys(found, expected)


async def test_columns_that_come_with_their_type_hold_no_null(catalogue: Catalogue) -> None:
    """The reader writes them without looking: a null would be no JSON, and the schema promises that there is none."""
    rows = await catalogue.fetch(_NULLABLE)
    nullable = {(row["relname"], row["attname"]) for row in rows}
    promised = [
        (read_type.table, field.column)
        for read_type in installed_product().registry.types.values()
        for field in read_type.fields
        if isinstance(field, Column) and field.structural
    ]
    assert len(promised) > 40
    assert [each for each in promised if each in nullable] == []


async def test_every_table_has_the_one_policy(catalogue: Catalogue) -> None:
    predicate = await as_stored(catalogue)
    rows = await catalogue.fetch(_POLICIES)
    ordinary = {row["relname"]: row for row in rows if row["polname"] == "tenant"}
    assert set(ordinary) == await tenant_tables(catalogue)
    for row in ordinary.values():
        assert (row["command"], row["permissive"], row["roles"]) == ("*", True, ""), row["relname"]
        assert (row["qualifies"], row["checks"]) == (predicate, predicate), row["relname"]
    extra = {
        (row["relname"], row["polname"], row["command"], row["roles"], row["qualifies"], row["checks"])
        for row in rows
        if row["polname"] != "tenant"
    }
    assert extra == EXTRA_POLICIES


async def as_stored(catalogue: Catalogue) -> str:
    """`TENANT_PREDICATE`, as this server prints a policy back."""
    await catalogue.execute("CREATE TABLE probe (tenant_id uuid)")
    for statement in row_security("probe"):
        await catalogue.execute(statement)
    stored: str = await catalogue.fetchval(
        "SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polrelid = 'probe'::regclass"
    )
    await catalogue.execute("DROP TABLE probe")
    return stored


async def test_every_key_and_index_begins_with_the_tenant(catalogue: Catalogue) -> None:
    rows = [row for row in await catalogue.fetch(_INDEXES) if row["relname"] not in UNSCOPED]
    astray = {row["index"] for row in rows if row["first"] != "tenant_id"}
    assert astray == set(INDEXES_WITHOUT_TENANT)
    assert {row["relname"] for row in rows if row["indisprimary"]} == await tenant_tables(catalogue)


async def test_no_foreign_key_crosses_tenants(catalogue: Catalogue) -> None:
    rows = await catalogue.fetch(_FOREIGN_KEYS)
    assert len(rows) >= 15
    for row in rows:
        assert row["columns"][0] == "tenant_id", row["conname"]
        assert row["targets"][0] == "tenant_id", row["conname"]
        assert len(row["columns"]) >= 2, row["conname"]


async def test_tables_of_no_tenant_are_reviewed(catalogue: Catalogue) -> None:
    rows = await catalogue.fetch(
        "SELECT nspname, relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE relkind IN ('r', 'p', 'f') AND nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
    )
    assert {row["nspname"] for row in rows} == {"public", "platform"}
    assert {row["relname"] for row in rows if row["nspname"] == "platform"} == PLATFORM_TABLES


async def test_nothing_copies_rows_past_row_security(catalogue: Catalogue) -> None:
    """Materialised views would, and plain views of the owner read without the caller's policies: those are reviewed."""
    rows = await catalogue.fetch(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind = 'm' OR (c.relkind = 'v' AND n.nspname IN ('public', 'platform')"
        " AND NOT coalesce('security_invoker=true' = ANY (c.reloptions), false))"
    )
    assert {row["oid"] for row in rows} == OWNERS_VIEWS


async def test_functions_are_the_callers_or_reviewed(catalogue: Catalogue) -> None:
    rows = await catalogue.fetch(_OURS)
    assert "public.claimant_load" in {row["name"] for row in rows}
    for row in rows:
        assert row["owner"] == OWNER, row["name"]
        assert not row["proleakproof"], row["name"]
        assert not row["for_all"], row["name"]
    definers = {row["name"]: row["proconfig"] or [] for row in rows if row["prosecdef"]}
    assert set(definers) == DEFINER_FUNCTIONS
    for name, settings in definers.items():
        assert any(setting.startswith("search_path=") for setting in settings), name
        assert not any("public" in setting for setting in settings), name


async def test_working_roles_can_not_get_round_row_security(catalogue: Catalogue) -> None:
    rows = await catalogue.fetch(
        "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolinherit"
        " FROM pg_roles WHERE rolname = ANY ($1)",
        [OWNER, *WORKERS],
    )
    assert {tuple(row)[1:] for row in rows} == {(False,) * 6}
    assert len(rows) == 4
    memberships = await catalogue.fetch(
        "SELECT m.roleid::regrole::text, m.member::regrole::text FROM pg_auth_members m"
        " WHERE m.member = ANY ($1::text[]::regrole[]) OR m.roleid = ANY ($1::text[]::regrole[])",
        [OWNER, *WORKERS],
    )
    assert {tuple(row) for row in memberships if row[1] in WORKERS} == set()


async def test_working_roles_own_nothing(catalogue: Catalogue) -> None:
    owned = await catalogue.fetch(
        "SELECT oid::regclass::text FROM pg_class WHERE pg_get_userbyid(relowner) = ANY ($1)"
        " UNION ALL SELECT oid::regprocedure::text FROM pg_proc WHERE pg_get_userbyid(proowner) = ANY ($1)"
        " UNION ALL SELECT nspname FROM pg_namespace WHERE pg_get_userbyid(nspowner) = ANY ($1)",
        list(WORKERS),
    )
    assert owned == []


async def test_working_roles_have_no_right_that_ignores_row_security(catalogue: Catalogue) -> None:
    rows = await catalogue.fetch(
        "SELECT c.oid::regclass::text, r, p FROM pg_class c, unnest($1::text[]) r,"
        " unnest(ARRAY['TRUNCATE', 'REFERENCES', 'TRIGGER']) p"
        " WHERE c.relkind IN ('r', 'p') AND c.relnamespace IN ('public'::regnamespace, 'platform'::regnamespace)"
        " AND has_table_privilege(r, c.oid, p)",
        list(WORKERS),
    )
    assert rows == []
    for role in WORKERS:
        for schema in ("public", "platform"):
            assert not await catalogue.fetchval("SELECT has_schema_privilege($1, $2, 'CREATE')", role, schema)
        for right in ("CREATE", "TEMPORARY"):
            assert not await catalogue.fetchval(
                "SELECT has_database_privilege($1, current_database(), $2)", role, right
            )


async def test_the_application_role_does_not_reach_the_platform(catalogue: Catalogue) -> None:
    tables = await catalogue.fetch(
        "SELECT c.oid::regclass::text FROM pg_class c WHERE c.relnamespace = 'platform'::regnamespace"
        " AND c.relkind = 'r' AND (has_table_privilege($1, c.oid, 'SELECT, INSERT, UPDATE, DELETE')"
        " OR has_any_column_privilege($1, c.oid, 'SELECT, INSERT, UPDATE'))",
        APP,
    )
    assert tables == []


@pytest.mark.parametrize("role", [OWNER, PLATFORM, RELAY, "postgres"])
async def test_the_application_role_can_not_become_another(company: Company, role: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await company.run(f"SET ROLE {role}")
    with pytest.raises(asyncpg.PostgresError):
        await company.run(f"SET SESSION AUTHORIZATION {role}")


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE customer DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE customer NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON customer",
        "TRUNCATE customer",
        "SELECT * FROM platform.tenant",
        "UPDATE audit_entry SET reason = 'x'",
        "DELETE FROM audit_entry",
        "CREATE TABLE mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "COPY customer TO PROGRAM 'cat'",
    ],
)
async def test_the_application_role_is_refused(company: Company, statement: str) -> None:
    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedTableError)):
        await company.run(statement)


async def test_row_security_can_be_demanded_never_switched_off(company: Company) -> None:
    """With row_security off PostgreSQL refuses the statement; it never answers with all rows."""
    async with company.database.transaction(company.tenant_id) as transaction:
        await transaction.execute("SET LOCAL row_security = off")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await transaction.fetch("SELECT * FROM customer")


@pytest.mark.parametrize("setting", [None, "", "missing"])
async def test_without_a_tenant_there_are_no_rows(
    company: Company, shared_database: Database, setting: str | None
) -> None:
    await company.enter("晨光")
    text = str(new_id()) if setting == "missing" else setting
    async with shared_database.transaction(company.tenant_id) as transaction:
        tables = await transaction.fetch(
            "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'"
            " AND has_table_privilege(c.oid, 'SELECT')"
        )
        assert await transaction.fetchval("SELECT count(*) FROM customer") == 1
        if text is None:
            await transaction.execute("RESET app.tenant_id")
        else:
            await transaction.fetchval("SELECT set_config('app.tenant_id', $1, true)", text)
        counts = {row[0]: await transaction.fetchval(f'SELECT count(*) FROM "{row[0]}"') for row in tables}
    assert len(counts) >= 16
    assert {table for table, count in counts.items() if count} == UNSCOPED


async def test_a_row_can_be_neither_made_for_nor_moved_to_another_tenant(
    company: Company, other_company: Company
) -> None:
    before = await company.everything(), await other_company.everything()
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await company.run(
            "INSERT INTO legal_entity (tenant_id, id, name, created_at) VALUES ($1, $2, 'x', now())",
            other_company.tenant_id,
            new_id(),
        )
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await company.run("UPDATE customer_pool SET tenant_id = $1", other_company.tenant_id)
    assert await company.run("DELETE FROM employee WHERE tenant_id = $1", other_company.tenant_id) == 0
    assert (await company.everything(), await other_company.everything()) == before


@pytest.mark.parametrize(
    ("table", "column", "target"),
    [
        ("employee", "department_id", "department"),
        ("customer", "pool_id", "customer_pool"),
        ("customer", "owner_id", "employee"),
        ("ownership", "customer_id", "customer"),
        ("department", "parent_id", "department"),
    ],
)
async def test_no_row_points_at_another_tenants(
    company: Company, other_company: Company, table: str, column: str, target: str
) -> None:
    for each in (company, other_company):
        await each.enter("晨光", keeper=await each.hire("0002"))
    foreign: object = await other_company.value(f"SELECT id FROM {target} LIMIT 1")
    assert isinstance(foreign, UUID)
    assert await company.value(f"SELECT count(*) FROM {target} WHERE id = $1", foreign) == 0
    with pytest.raises(asyncpg.ForeignKeyViolationError, match=f"{table}_{column}_fkey"):
        await company.run(f"UPDATE {table} SET {column} = $1", foreign)
