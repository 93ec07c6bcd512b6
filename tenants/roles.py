"""Database roles: who owns, who works, who relays; made once per server, safe to repeat."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from tenants.schema import APP, OWNER, PLATFORM, RELAY

_TIMEOUTS = {
    APP: {"statement_timeout": "5s", "lock_timeout": "3s", "idle_in_transaction_session_timeout": "30s"},
    PLATFORM: {"statement_timeout": "5s", "lock_timeout": "3s", "idle_in_transaction_session_timeout": "30s"},
    RELAY: {"statement_timeout": "5s", "lock_timeout": "3s", "idle_in_transaction_session_timeout": "30s"},
}


class RolesRefused(Exception):
    """The server doesn't let this user make the roles; the text holds the statements for someone who may."""


async def ensure_roles(admin_url: str, passwords: Mapping[str, str]) -> None:
    """Make our roles, or set their passwords anew; `passwords` maps role name to password.

    :raises RolesRefused: `admin_url` may not create roles.
    """
    connection = await asyncpg.connect(admin_url, timeout=10)
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(hashtext('fairlead.roles'))")
            for role, password in passwords.items():
                await _ensure_role(connection, role, password)
    except asyncpg.InsufficientPrivilegeError as refused:
        names = ", ".join(passwords)
        raise RolesRefused(
            f"The user of DATABASE_URL may not make the roles {names} ({refused}). Let it create roles "
            "(ALTER ROLE … CREATEROLE), or make them yourself (CREATE ROLE saas_app LOGIN PASSWORD '…', and so on) "
            "and set DATABASE_APP_URL, DATABASE_PLATFORM_URL and DATABASE_RELAY_URL."
        ) from refused
    finally:
        await connection.close()


async def _ensure_role(connection: asyncpg.Connection[asyncpg.Record], role: str, password: str) -> None:
    exists = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
    verb = "ALTER" if exists else "CREATE"
    literal = password.replace("'", "''")
    await connection.execute(
        f"{verb} ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOBYPASSRLS PASSWORD '{literal}'"
    )
    for name, value in _TIMEOUTS.get(role, {}).items():
        await connection.execute(f"ALTER ROLE {role} SET {name} = '{value}'")


async def ensure_database(admin_url: str, name: str, *, template: str | None = None) -> None:
    """Make database `name`, owned by the owner role, unless it is there; nobody else may even connect unasked."""
    connection = await asyncpg.connect(admin_url, timeout=10)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            source = f' TEMPLATE "{template}"' if template else ""
            await connection.execute(f'CREATE DATABASE "{name}" OWNER {OWNER}{source}')
            await connection.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
            await connection.execute(f'GRANT CONNECT ON DATABASE "{name}" TO {APP}, {PLATFORM}, {RELAY}')
    finally:
        await connection.close()


def url_for(url: str, *, role: str, password: str, database: str | None = None) -> str:
    """`url` with another role, and another database where one is named."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    path = f"/{quote(database)}" if database else parts.path
    return urlunsplit(parts._replace(netloc=f"{quote(role)}:{quote(password, safe='')}@{host}", path=path))
