"""Two companies in one database, the product's reader over them, and the oracle over the rows of one."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType

import asyncpg
import pytest_asyncio
from graphql import build_schema

from saas.access.compiler import Compiler
from saas.access.policies import DEFAULT_POLICY
from saas.access.table import ALLOWED, MASKED, AccessTable, FieldAccess, FieldRight
from saas.graphql.schema import ApiSchema
from saas.graphql.schema import build_schema as build_api_schema
from saas.kernel import AppError
from saas.main import BLIND_INDEXES, ROOM_READS, Product, installed_product
from saas.reads import Reader, Registry
from saas.reads.mapping import ReadType, RoomReads, Sealed
from saas.sealing import FileKeyProvider, Keyring, SealedOpener, Sealer, normalise_phone
from saas.sealing.sealer import Place
from tenants import Database, DatabaseUrls
from tenants.roles import ensure_database
from tenants.schema import APP, PLATFORM
from tests.conftest import drop_database, role_url
from tests.differential.dataset import Company, company, insert, select
from tests.differential.judgement import Row, Semantics
from tests.differential.oracle import Oracle
from tests.differential.semantics import EXPRESSIONS, SCOPES
from tests.differential.stage import Role, Stage

COMPANY, NEIGHBOUR = company(1), company(2)


def covered(reads: RoomReads) -> RoomReads:
    """What of a room's reads the company in memory has rows for; types without any would only dilute the documents."""

    def has_target(of: object) -> bool:
        target = getattr(of, "target", None)
        return target is None or target in SCOPES

    return replace(
        reads,
        types=tuple(
            replace(each, fields=tuple(filter(has_target, each.fields))) for each in reads.types if each.name in SCOPES
        ),
        roots=tuple(filter(has_target, reads.roots)),
        extends={name: tuple(filter(has_target, of)) for name, of in reads.extends.items() if name in SCOPES},
    )


class CoveredProduct(Product):
    """The product with the covered reads alone."""

    @cached_property
    def registry(self) -> Registry:
        return Registry([covered(each) for each in (*ROOM_READS, *self.host.reads)])

    @cached_property
    def schema(self) -> ApiSchema:
        return build_api_schema(self.registry, ())


PRODUCT = CoveredProduct(installed_product().host)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage(superuser_url: str, template: str, tmp_path_factory: object) -> AsyncIterator[Stage]:
    """One database for all comparisons: they only read."""
    name = f"differential_{secrets.token_hex(6)}"
    await ensure_database(superuser_url, name, template=template)
    sealer = Sealer(FileKeyProvider(tmp_path_factory.mktemp("keys")))  # type: ignore[attr-defined]
    keyring = await sealer.keyring(COMPANY.tenant_id)
    connection = await asyncpg.connect(superuser_url, database=name)
    await insert(connection, COMPANY, keyring)
    await insert(connection, NEIGHBOUR, await sealer.keyring(NEIGHBOUR.tenant_id))
    tables = await select(connection, COMPANY.tenant_id, sorted(COMPANY.tables))
    await connection.close()
    urls = DatabaseUrls(app=role_url(superuser_url, APP, name), platform=role_url(superuser_url, PLATFORM, name))
    database = Database(urls, size=2)
    yield Stage(
        database,
        COMPANY.tenant_id,
        PRODUCT.registry,
        Reader(PRODUCT.registry, PRODUCT.version, opener=SealedOpener(sealer, BLIND_INDEXES)),
        PRODUCT.schema.graphql,
        Oracle(build_schema(PRODUCT.schema.print())),
        semantics(PRODUCT, COMPANY, keyring),
        tables,
    )
    await database.close()
    await drop_database(superuser_url, name)


def semantics(product: Product, rows: Company, keyring: Keyring) -> Semantics:
    """The rooms' meaning in Python, and sealed values opened with the company's real keys."""

    def opened(read_type: ReadType, of: Sealed, row: Row) -> str | None:
        try:
            return keyring.open(Place(read_type.table, of.sealed_column, row["id"]), row[of.sealed_column])
        except AppError:
            return None

    def looked_up(read_type: ReadType, of: Sealed, row: Row) -> str | None:
        return rows.phones.get(row["id"])

    return Semantics(product.registry, SCOPES, EXPRESSIONS, opened, looked_up, normalise_phone)


def roles() -> dict[str, Role]:
    """Default roles, and one table in which every kind of right is mixed."""
    compiler = Compiler(PRODUCT.rights)
    staff = COMPANY.tables["employee"]
    seats = {"owner": None, "hr_admin": 4, "sales_manager": 1, "rep": 2, "auditor": None}
    found = {
        name: Role(
            name,
            compiler.compile(DEFAULT_POLICY, roles=frozenset({name}), domain=str(COMPANY.tenant_id)),
            None if seat is None else staff[seat]["id"],
        )
        for name, seat in seats.items()
    }
    found["mixed"] = Role("mixed", _mixed(found["owner"].access), staff[2]["id"])
    return found


def _mixed(full: AccessTable) -> AccessTable:
    """Every third field read in some rows only, some denied, some masked, some not to be used.

    Of phone numbers, the masked form is read in rows of its own, beside the value or alone.
    """
    fields: dict[str, FieldRight] = {}
    for at, name in enumerate(sorted(full.fields)):
        type_name = name.partition(".")[0]
        known = sorted(SCOPES[type_name])
        scopes = frozenset({known[at % len(known)]} if known else ())
        fields[name] = ALLOWED
        if at % 3 == 1 and scopes:
            fields[name] = FieldRight(FieldAccess.ROWS, scopes)
        elif at % 11 == 3:
            fields[name] = FieldRight(FieldAccess.DENY)
        elif at % 13 == 5:
            fields[name] = MASKED
    fields["Customer.phone"] = FieldRight(FieldAccess.ROWS, frozenset({"department"}))
    fields["Customer.phone.masked"] = FieldRight(FieldAccess.ROWS, frozenset({"pool"}))
    fields["Employee.phone"] = FieldRight(FieldAccess.DENY)
    fields["Employee.phone.masked"] = FieldRight(FieldAccess.ROWS, frozenset({"self"}))
    usable = {name for at, name in enumerate(sorted(full.usable)) if at % 7}
    scopes_of: Mapping[str, frozenset[str]] = {
        **full.scopes,
        "Customer": frozenset({"pool", "self", "department"}),
        "FollowUp": frozenset({"owned", "self"}),
        "Ownership": frozenset({"department"}),
    }
    return replace(
        full,
        fingerprint="mixed",
        fields=MappingProxyType(fields),
        usable=frozenset(usable),
        scopes=MappingProxyType(dict(scopes_of)),
    )
