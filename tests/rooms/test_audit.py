"""The trail: written with the business write or not at all, linked in order, exported and verified."""

from __future__ import annotations

import asyncio
import importlib.util
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from saas.audit import (
    HeadLog,
    OpenedFields,
    Tampering,
    Verdict,
    chain,
    entry_values,
    export,
    insert_entry_sql,
    keyed_digest,
    read_head,
    record,
    record_reads,
    verify,
    verify_lines,
)
from saas.audit.rules import Head
from saas.kernel import Actor, FrozenClock, SystemClock, new_id
from tenants import Database

ACTOR_ACCOUNT, CUSTOMER = new_id(), new_id()


def actor_of(tenant_id: UUID, employee_id: UUID | None = None) -> Actor:
    return Actor(
        tenant_id=tenant_id,
        account_id=ACTOR_ACCOUNT,
        employee_id=employee_id,
        roles=frozenset({"rep"}),
        client="web",
        address="203.0.113.9",
        request_id="req-1",
    )


@pytest_asyncio.fixture(loop_scope="session")
async def superuser(superuser_url: str, database_name: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Somebody who may do anything to the rows: row-level security and missing grants don't stop them."""
    url = urlunsplit(urlsplit(superuser_url)._replace(path=f"/{database_name}"))
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


async def write(database: Database, tenant_id: UUID, count: int, *, first: int = 1) -> None:
    """`count` transactions with one entry each, whose reasons are numbered."""
    for number in range(first, first + count):
        async with database.transaction(tenant_id):
            await record(
                actor_of(tenant_id),
                "customer.claimed",
                object_type="Customer",
                object_id=CUSTOMER,
                changes={"owner": [None, "张伟"], "level": ["A", "B"]},
                reason=f"no {number}",
                clock=SystemClock(),
            )


async def link(database: Database, tenant_id: UUID, count: int, *, batch: int = 5_000) -> None:
    """Chain until `count` more are linked: what runs in other databases of the server holds the line back too."""
    linked = 0
    async with asyncio.timeout(20):
        while linked < count:
            linked += await chain(database, tenant_id, clock=SystemClock(), batch=batch)
    assert linked == count


async def verdict_of(database: Database, tenant_id: UUID, heads: list[Head] | None = None) -> Verdict:
    async with database.transaction(tenant_id, isolation="REPEATABLE READ"):
        return await verify(heads or [], clock=SystemClock())


async def lines_of(database: Database, tenant_id: UUID) -> list[str]:
    async with database.transaction(tenant_id):
        return [line async for line in export(clock=SystemClock())]


async def test_entry_says_who_what_and_from_where(database: Database, tenant_id: UUID, clock: FrozenClock) -> None:
    async with database.transaction(tenant_id) as transaction:
        await record(
            actor_of(tenant_id),
            "customer.claimed",
            object_type="Customer",
            object_id=CUSTOMER,
            changes={"owner": [None, "张伟"]},
            reason="公海领取",
            clock=clock,
        )
        row = await transaction.fetchrow("SELECT * FROM audit_entry")
    assert row is not None
    assert json.loads(row["changes"]) == {"owner": [None, "张伟"]}
    assert (row["tenant_id"], row["account_id"], row["at"]) == (tenant_id, ACTOR_ACCOUNT, clock.now())
    assert (row["action"], row["object_type"], row["object_id"]) == ("customer.claimed", "Customer", CUSTOMER)
    assert (row["client"], row["address"], row["request_id"]) == ("web", "203.0.113.9", "req-1")
    assert (row["reason"], row["outcome"]) == ("公海领取", "done")


async def test_entry_that_cannot_be_written_fails_the_business_write(database: Database, tenant_id: UUID) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        async with database.transaction(tenant_id) as transaction:
            await transaction.execute(
                "INSERT INTO audit_entry (tenant_id, id, at, account_id, client, address, request_id, action,"
                " object_type, changes, reason, outcome)"
                " VALUES ($1, $2, now(), $2, '', '', '', 'business write', '', '{}', '', 'done')",
                tenant_id,
                new_id(),
            )
            await record(
                actor_of(tenant_id), "x", object_type="X", object_id=None, outcome="perhaps", clock=SystemClock()
            )
    async with database.transaction(tenant_id) as transaction:
        assert await transaction.fetchval("SELECT count(*) FROM audit_entry") == 0


async def test_too_long_a_client_name_does_not_fail_the_write(database: Database, tenant_id: UUID) -> None:
    loud = Actor(tenant_id, ACTOR_ACCOUNT, None, frozenset(), client="x" * 500, address="y" * 500, request_id="z" * 500)
    async with database.transaction(tenant_id) as transaction:
        await record(loud, "session.started", object_type="Session", object_id=None, clock=SystemClock())
        row = await transaction.fetchrow("SELECT client, address, request_id FROM audit_entry")
    assert row is not None
    assert tuple(row) == ("x" * 40, "y" * 64, "z" * 64)


async def test_entry_folds_into_a_statement_and_is_written_only_for_its_rows(
    database: Database, tenant_id: UUID
) -> None:
    values = entry_values(
        actor_of(tenant_id), "customer.claimed", object_type="Customer", object_id=CUSTOMER, clock=SystemClock()
    )
    entry = insert_entry_sql(first_parameter=2, source="claimed")
    sql = f"WITH claimed AS (SELECT 1 WHERE $1), noted AS ({entry}) SELECT count(*) FROM claimed"
    async with database.transaction(tenant_id) as transaction:
        assert await transaction.fetchval(sql, False, *values) == 0
        assert await transaction.fetchval("SELECT count(*) FROM audit_entry") == 0
        assert await transaction.fetchval(sql, True, *values) == 1
        assert await transaction.fetchval("SELECT count(*) FROM audit_entry") == 1


async def test_reads_of_personal_fields_are_recorded_unless_ones_own(database: Database, tenant_id: UUID) -> None:
    own, other = new_id(), new_id()
    opened = [
        OpenedFields("Employee", own, ("phone",)),
        OpenedFields("Employee", other, ("phone", "email")),
        OpenedFields("Customer", own, ("phone",)),
    ]
    async with database.transaction(tenant_id) as transaction:
        assert await record_reads(actor_of(tenant_id, own), opened, clock=SystemClock()) == 2
        rows = await transaction.fetch("SELECT * FROM audit_entry ORDER BY object_type")
        assert await record_reads(actor_of(tenant_id, own), opened[:1], clock=SystemClock()) == 0
    assert [(row["action"], row["object_type"], row["object_id"]) for row in rows] == [
        ("personal.read", "Customer", own),
        ("personal.read", "Employee", other),
    ]
    assert json.loads(rows[1]["changes"]) == {"phone": None, "email": None}


async def test_application_role_can_neither_change_entries_nor_link_them(database: Database, tenant_id: UUID) -> None:
    await write(database, tenant_id, 1)
    await link(database, tenant_id, 1)
    forbidden = (
        "UPDATE audit_entry SET reason = 'x'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "UPDATE audit_link SET seq = 9",
        "DELETE FROM audit_link",
        "TRUNCATE audit_link",
        "INSERT INTO audit_link SELECT * FROM audit_link",
    )
    for statement in forbidden:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.transaction(tenant_id) as transaction:
                await transaction.execute(statement)
    assert await verdict_of(database, tenant_id) == await verdict_of(database, tenant_id)
    assert (await verdict_of(database, tenant_id)).links == 1


async def test_chain_links_each_entry_once_in_order_and_again_nothing(database: Database, tenant_id: UUID) -> None:
    await write(database, tenant_id, 7)
    await link(database, tenant_id, 7, batch=3)
    assert await chain(database, tenant_id, clock=SystemClock()) == 0
    await write(database, tenant_id, 2, first=8)
    await link(database, tenant_id, 2)
    lines = [json.loads(line) for line in await lines_of(database, tenant_id)]
    assert [line["seq"] for line in lines[1:]] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert [line["entry"]["reason"] for line in lines[1:]] == [f"no {number}" for number in range(1, 10)]
    verdict = await verdict_of(database, tenant_id)
    assert (verdict.is_intact, verdict.links, verdict.head) == (True, 9, lines[-1]["hash"])


async def test_each_tenant_has_a_chain_of_its_own(database: Database, tenant_id: UUID, other_tenant_id: UUID) -> None:
    await write(database, tenant_id, 2)
    await write(database, other_tenant_id, 1)
    await link(database, other_tenant_id, 1)
    await link(database, tenant_id, 2)
    assert (await verdict_of(database, other_tenant_id)).links == 1
    assert (await verdict_of(database, tenant_id)).links == 2


async def test_entry_of_an_open_transaction_waits_and_nothing_behind_it_is_linked(
    database: Database, tenant_id: UUID
) -> None:
    async with database.transaction(tenant_id):
        await record(actor_of(tenant_id), "slow", object_type="X", object_id=None, reason="slow", clock=SystemClock())
        await asyncio.create_task(write(database, tenant_id, 1))
        assert await asyncio.create_task(chain(database, tenant_id, clock=SystemClock())) == 0
    await link(database, tenant_id, 2)
    lines = [json.loads(line) for line in await lines_of(database, tenant_id)]
    assert [line["entry"]["reason"] for line in lines[1:]] == ["slow", "no 1"]


async def test_chain_goes_on_after_a_dump_was_restored_into_another_server(
    database: Database, tenant_id: UUID, superuser: asyncpg.Connection[asyncpg.Record]
) -> None:
    await write(database, tenant_id, 3)
    await link(database, tenant_id, 3)
    await write(database, tenant_id, 1, first=4)
    await superuser.execute("UPDATE audit_entry SET xid = xid + 1000000000000")
    await superuser.execute("UPDATE audit_link SET xid = xid + 1000000000000")
    await link(database, tenant_id, 1)
    await write(database, tenant_id, 2, first=5)
    await link(database, tenant_id, 2)
    await write(database, tenant_id, 1, first=7)
    await link(database, tenant_id, 1)
    verdict = await verdict_of(database, tenant_id)
    assert (verdict.is_intact, verdict.links) == (True, 7)


SWAP_ENTRIES = """
UPDATE audit_entry e SET reason = CASE e.reason WHEN 'no 4' THEN 'no 5' ELSE 'no 4' END
WHERE e.reason IN ('no 4', 'no 5')
"""
SWAP_LINKS = [
    "UPDATE audit_link SET seq = -4 WHERE seq = 4",
    "UPDATE audit_link SET seq = 4 WHERE seq = 5",
    "UPDATE audit_link SET seq = 5 WHERE seq = -4",
]
FORGED = """
INSERT INTO audit_entry
SELECT (jsonb_populate_record(e, jsonb_build_object('id', gen_random_uuid(), 'reason', 'forged'))).*
FROM audit_entry e WHERE reason = 'no 4'
"""
LINK_BEFORE_FIRST = """
INSERT INTO audit_link (tenant_id, id, seq, xid, previous, hash, linked_at)
SELECT tenant_id, gen_random_uuid(), 0, xid, previous, hash, linked_at FROM audit_link WHERE seq = 1
"""
TAMPERINGS = {
    "a value changed": (["UPDATE audit_entry SET reason = 'x' WHERE reason = 'no 4'"], Tampering.CHANGED_ENTRY, 4),
    "who changed": (["UPDATE audit_entry SET account_id = id WHERE reason = 'no 4'"], Tampering.CHANGED_ENTRY, 4),
    "when changed": (
        ["UPDATE audit_entry SET at = at + interval '1 microsecond' WHERE reason = 'no 4'"],
        Tampering.CHANGED_ENTRY,
        4,
    ),
    "entry deleted": (["DELETE FROM audit_entry WHERE reason = 'no 4'"], Tampering.REMOVED_ENTRY, 4),
    "link deleted": (["DELETE FROM audit_link WHERE seq = 4"], Tampering.REMOVED_LINK, 4),
    "first link deleted": (["DELETE FROM audit_link WHERE seq = 1"], Tampering.REMOVED_LINK, 1),
    "entry and link deleted": (
        ["DELETE FROM audit_entry WHERE reason = 'no 4'", "DELETE FROM audit_link WHERE seq = 4"],
        Tampering.REMOVED_LINK,
        4,
    ),
    "deleted and renumbered": (
        [
            "DELETE FROM audit_entry WHERE reason = 'no 4'",
            "DELETE FROM audit_link WHERE seq = 4",
            *(f"UPDATE audit_link SET seq = {seq - 1} WHERE seq = {seq}" for seq in (5, 6, 7, 8)),
        ],
        Tampering.REORDERED,
        4,
    ),
    "entries swapped": ([SWAP_ENTRIES], Tampering.CHANGED_ENTRY, 4),
    "links swapped": (SWAP_LINKS, Tampering.REORDERED, 4),
    "forged among the old": ([FORGED], Tampering.UNLINKED, None),
    "link put before the first": (
        [LINK_BEFORE_FIRST],
        Tampering.REORDERED,
        0,
    ),
    "tail cut": (
        ["DELETE FROM audit_entry WHERE reason IN ('no 7', 'no 8')", "DELETE FROM audit_link WHERE seq > 6"],
        Tampering.CUT_TAIL,
        7,
    ),
    "all truncated": (["TRUNCATE audit_entry, audit_link"], Tampering.CUT_TAIL, 1),
}


@pytest.mark.parametrize("name", TAMPERINGS)
async def test_tampering_is_found_and_named(
    name: str,
    database: Database,
    tenant_id: UUID,
    superuser: asyncpg.Connection[asyncpg.Record],
) -> None:
    statements, tampering, seq = TAMPERINGS[name]
    await write(database, tenant_id, 8)
    await link(database, tenant_id, 8)
    found = await read_head(database, tenant_id, clock=SystemClock())
    assert found is not None
    assert (await verdict_of(database, tenant_id, [found])).is_intact
    for statement in statements:
        await superuser.execute(statement)
    verdict = await verdict_of(database, tenant_id, [found])
    assert (verdict.tampering, verdict.seq) == (tampering, seq), verdict.detail


async def test_chain_rewritten_as_a_whole_differs_from_the_published_head(
    database: Database, tenant_id: UUID, superuser: asyncpg.Connection[asyncpg.Record]
) -> None:
    await write(database, tenant_id, 4)
    await link(database, tenant_id, 4)
    found = await read_head(database, tenant_id, clock=SystemClock())
    assert found is not None
    await superuser.execute("UPDATE audit_entry SET reason = 'nothing to see' WHERE reason = 'no 2'")
    await superuser.execute("TRUNCATE audit_link")
    await link(database, tenant_id, 4)
    assert (await verdict_of(database, tenant_id)).is_intact
    verdict = await verdict_of(database, tenant_id, [found])
    assert (verdict.tampering, verdict.seq) == (Tampering.REWRITTEN, 4)


async def test_old_entry_without_a_link_is_named_once_it_is_due(
    database: Database, tenant_id: UUID, clock: FrozenClock
) -> None:
    await write(database, tenant_id, 1)
    moment = SystemClock().now()
    async with database.transaction(tenant_id):
        assert (await verify(clock=FrozenClock(moment))).is_intact
        late = await verify(clock=FrozenClock(moment + timedelta(minutes=11)))
    assert late.tampering is Tampering.UNLINKED


async def test_export_verifies_offline_with_the_standard_library_alone(database: Database, tenant_id: UUID) -> None:
    await write(database, tenant_id, 5)
    await link(database, tenant_id, 5)
    found = await read_head(database, tenant_id, clock=SystemClock())
    assert found is not None
    lines = await lines_of(database, tenant_id)
    program = (
        "import importlib.util, json, sys\n"
        "spec = importlib.util.spec_from_file_location('rules', sys.argv[1])\n"
        "rules = importlib.util.module_from_spec(spec); sys.modules['rules'] = rules; spec.loader.exec_module(rules)\n"
        "verdict = rules.verify_lines(sys.stdin)\n"
        "print(verdict.is_intact, verdict.links)\n"
    )
    rules = importlib.util.find_spec("saas.audit.rules")
    assert rules is not None
    assert rules.origin is not None
    process = await asyncio.create_subprocess_exec(
        "python3",
        "-I",
        "-S",
        "-c",
        program,
        rules.origin,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate("\n".join(lines).encode())
    assert output.decode().split() == ["True", "5"]
    assert verify_lines(lines, [found]).is_intact
    assert verify_lines(lines[:-1], [found]).tampering is Tampering.CUT_TAIL
    assert verify_lines([*lines[:2], *lines[3:]]).tampering is Tampering.REMOVED_LINK
    assert verify_lines([line.replace("no 3", "no 9") for line in lines]).tampering is Tampering.CHANGED_ENTRY
    with pytest.raises(ValueError):
        verify_lines(lines[1:])


async def test_heads_are_published_when_they_move(database: Database, tenant_id: UUID, tmp_path: Path) -> None:
    log, november = HeadLog(tmp_path / "audit"), datetime.fromisoformat("2026-11-23T02:00:00+00:00")
    assert await read_head(database, tenant_id, clock=SystemClock()) is None
    await write(database, tenant_id, 2)
    await link(database, tenant_id, 2)
    first = await read_head(database, tenant_id, clock=SystemClock())
    assert first is not None
    assert log.publish([first], at=november) == 1
    assert log.publish([first], at=november) == 0
    with (tmp_path / "audit" / "heads-202611.jsonl").open("a") as file:
        file.write('{"tenant":"cut off by a cra')
    await write(database, tenant_id, 1, first=3)
    await link(database, tenant_id, 1)
    second = await read_head(database, tenant_id, clock=SystemClock())
    assert second is not None
    assert log.publish([second], at=november + timedelta(days=30)) == 1
    assert log.publish([first], at=november) == 1
    assert [head.seq for head in HeadLog(tmp_path / "audit").read()] == [2, 2, 3]
    assert (await verdict_of(database, tenant_id, log.read())).is_intact


def test_keyed_digest_tells_equal_values_and_nothing_else() -> None:
    assert keyed_digest(b"k" * 32, "13800138000") == keyed_digest(b"k" * 32, "13800138000")
    assert keyed_digest(b"k" * 32, "13800138000") != keyed_digest(b"l" * 32, "13800138000")
    assert "13800138000" not in keyed_digest(b"k" * 32, "13800138000")
