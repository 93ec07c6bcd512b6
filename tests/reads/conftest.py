"""Toy tables with the rows of two tenants, and a reader over them."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from saas.kernel import new_id
from saas.reads import Caller, Reader, ReadResult
from saas.reads.explain import pretend_large
from tenants import Database, DatabaseUrls
from tenants.roles import ensure_database
from tenants.schema import APP, OWNER, PLATFORM, TenantIndex, TenantTable
from tests.conftest import drop_database, role_url
from tests.reads.toys import INDEXES, REGISTRY, TABLES, ToyOpener, caller_of, data_of, read, row_id, seal

NAMES = ["晨光", '远山 "引号"', "back\\slash", "tab\there", "晨曦", "Zeta", "alpha", "é", "𝄞 clef", "bell\x07\x01here"]


@dataclass
class Toys:
    """A tenant with ten shops, another with three, and who reads them."""

    database: Database
    tenant_id: UUID
    other_tenant_id: UUID
    reader: Reader
    opener: ToyOpener
    app_url: str

    def caller(self, access: Any = None, **more: Any) -> Caller:
        return caller_of(self.tenant_id, access, **more)

    async def result(
        self,
        text: str,
        *,
        access: Any = None,
        caller: Caller | None = None,
        fetchrow: Any = None,
        **variables: object,
    ) -> ReadResult:
        fetchrow = fetchrow or self.database.fetchrow
        return await read(self.reader, caller or self.caller(access), fetchrow, text, **variables)

    async def data(self, text: str, **more: Any) -> dict[str, Any]:
        result = await self.result(text, **more)
        assert result.errors == []
        return data_of(result)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def toys(superuser_url: str, template: str) -> AsyncIterator[Toys]:
    """One database for all tests of the reader: they only read (the one that writes takes its row away again)."""
    name = f"test_reads_{secrets.token_hex(6)}"
    await ensure_database(superuser_url, name, template=template)
    app, platform = (role_url(superuser_url, role, name) for role in (APP, PLATFORM))
    await make_tables(role_url(superuser_url, OWNER, name))
    database = Database(DatabaseUrls(app=app, platform=platform))
    tenant_id, other_tenant_id = new_id(), new_id()
    await fill(database, tenant_id, 10, base=0)
    await fill(database, other_tenant_id, 3, base=100)
    opener = ToyOpener()
    yield Toys(database, tenant_id, other_tenant_id, Reader(REGISTRY, "1", opener=opener), opener, app)
    await database.close()
    await drop_database(superuser_url, name)


@pytest.fixture(autouse=True)
def fresh_reader(toys: Toys) -> None:
    """No plan and no opened value of an earlier test is left."""
    toys.opener.prepared.clear()
    toys.reader = Reader(REGISTRY, "1", opener=toys.opener)


async def make_tables(owner_url: str) -> None:
    """The toy tables, protected and indexed as a room's migrations would."""
    owner = await asyncpg.connect(owner_url)
    await owner.execute(TABLES)
    for table, indexes in INDEXES.items():
        for statement in TenantTable(table).sql:
            await owner.execute(statement)
        for number, columns in enumerate(indexes):
            await owner.execute(TenantIndex(table, f"{table}_{number}", columns).sql)
    await pretend_large(owner, REGISTRY)
    await owner.close()


async def fill(database: Database, tenant_id: UUID, shops: int, *, base: int) -> None:
    """Shops 0…: every third without keeper, every fourth without most values; notes 0, 1, 2, 3, 0 … per shop."""
    async with database.transaction(tenant_id) as transaction:
        for number in range(2):
            await transaction.execute(
                "INSERT INTO toy_keeper VALUES ($1, $2, $3)",
                row_id(2, base + number),
                tenant_id,
                f"keeper {base + number}",
            )
        for number in range(shops):
            await transaction.execute(
                "INSERT INTO toy_shop VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17)",
                *shop_row(tenant_id, number, base),
            )
            for note in range(number % 4):
                await transaction.execute(
                    "INSERT INTO toy_note VALUES ($1,$2,$3,$4,$5,$6,$7)",
                    row_id(3, base + number * 10 + note),
                    tenant_id,
                    f"note {note} on {number}",
                    datetime(2026, 11, 1, 8, tzinfo=UTC) + timedelta(hours=note, microseconds=note * 500),
                    row_id(1, base + number),
                    ("Shop", "Keeper", None)[note],
                    (row_id(1, base + number), row_id(2, base), None)[note],
                )


def shop_row(tenant_id: UUID, number: int, base: int) -> tuple[object, ...]:
    """One shop's values, in the order of its columns."""
    shop, bare = row_id(1, base + number), number % 4 == 3
    phone = f"1380013{base + number:04}"
    index = ToyOpener().blind_index("personal", "Shop.phone", phone)
    return (
        shop,
        tenant_id,
        NAMES[number],
        None if bare else f"n{number % 3}",
        None if bare else ("open", "shut")[number % 2],
        None if bare else "AB"[number % 2],
        None if bare else number,
        None if bare else Decimal(f"{number}.50"),
        None if bare else Decimal(1000 + number),
        None if bare else number % 2 == 0,
        None if bare else date(2026, 1, 1) + timedelta(days=number // 2),
        None if bare else datetime(2026, 5, 1, tzinfo=UTC) + timedelta(seconds=number // 2),
        None if bare else seal(shop, phone),
        None if bare else f"138****{base + number:04}",
        None if bare else index,
        None if number % 3 == 2 else row_id(2, base + number % 2),
        None if bare else number * 1050 - 2000,
    )
