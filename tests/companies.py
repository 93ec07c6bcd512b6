"""Companies that signed up and people who signed in, for the tests of every room."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest_asyncio

from plugins import realty
from saas.customers.hooks import CustomerHooks
from saas.extensions import PluginHost
from saas.identity import Authenticated, HashCost, Origin, Passwords, SessionAuthenticator, SignedIn, sign_in
from saas.kernel import Actor, Clock
from saas.onboarding import CompanySignedUp, sign_up_company
from tenants import Database, DatabaseRole
from tests.conftest import gate_to
from tests.copies import Copies

PASSWORD = "correct horse battery"
HOST = PluginHost([CustomerHooks], {"realty": realty})
HERE = Origin(address="203.0.113.7", client="web", user_agent="Firefox", request_id="req-1")


PLATFORM_TABLES = (
    "account",
    "invitation",
    "membership",
    "refresh_token",
    "security_event",
    "session",
    "sign_in_throttle",
    "sign_up_key",
    "tenant",
    "tenant_event",
)


@pytest_asyncio.fixture(loop_scope="session")
async def directory(superuser_url: str, copies: Copies) -> AsyncIterator[Database]:
    """The gate to a database without a company or an account, for tests that look at the whole directory."""
    name = await copies.lend()
    gate = gate_to(superuser_url, name)
    yield gate
    await gate.close()
    await copies.take_back(name)


def cheap_passwords() -> Passwords:
    """Passwords whose hashes cost next to nothing."""
    return Passwords(HashCost(memory_kib=8, passes=1))


async def found(
    database: Database,
    clock: Clock,
    *,
    company: str = "晨光销售",
    owner_name: str = "李明",
    email: str = "li@chenguang.cn",
    password: str = PASSWORD,
    preset: str = "general",
    currency: str = "CNY",
    key: str | None = None,
    passwords: Passwords | None = None,
) -> CompanySignedUp:
    """Sign up a company."""
    return await sign_up_company(
        database,
        company=company,
        owner_name=owner_name,
        email=email,
        password=password,
        preset=preset,
        currency=currency,
        idempotency_key=key or f"key-of-{email}",
        origin=HERE,
        passwords=passwords or cheap_passwords(),
        host=HOST,
        clock=clock,
    )


async def enter(
    database: Database,
    clock: Clock,
    *,
    email: str = "li@chenguang.cn",
    password: str = PASSWORD,
    origin: Origin = HERE,
    passwords: Passwords | None = None,
    tenant_id: UUID | None = None,
) -> SignedIn:
    """Sign somebody in."""
    return await sign_in(
        database,
        email=email,
        password=password,
        origin=origin,
        passwords=passwords or cheap_passwords(),
        clock=clock,
        tenant_id=tenant_id,
    )


async def check(database: Database, clock: Clock, token: str) -> Authenticated | None:
    """What a presented access token is worth."""
    return await SessionAuthenticator(database, clock).authenticate(token, address=HERE.address, request_id="req-2")


async def actor_of(database: Database, clock: Clock, token: str) -> Actor:
    """The actor of a live session."""
    authenticated = await check(database, clock, token)
    assert authenticated is not None
    return authenticated.actor


async def platform_rows(database: Database, sql: str, *values: object) -> list[asyncpg.Record]:
    """Rows of the schema ``platform``."""
    async with database.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        return await transaction.fetch(sql, *values)


async def trail(database: Database, tenant_id: UUID) -> list[str]:
    """The actions in a company's audit trail, sorted by name: entries of one millisecond have no order."""
    async with database.transaction(tenant_id) as transaction:
        rows = await transaction.fetch("SELECT action FROM audit_entry WHERE tenant_id = $1 ORDER BY action", tenant_id)
    return [row["action"] for row in rows]
