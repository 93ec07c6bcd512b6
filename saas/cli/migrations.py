"""`saas migrate`: bring the database to this version, or tell what it lacks."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated
from urllib.parse import unquote, urlsplit

import asyncpg
import typer

from saas.cli.settings import settings_of_process
from saas.cli.terminal import AsJson, bar, note, say, say_json, spinner
from saas.config import ConfigError, Settings
from saas.main import backing, installed_product
from tenants.migrate import migrate as apply_migrations
from tenants.migrate import pending_migrations
from tenants.roles import ensure_roles
from tenants.schema import APP, PLATFORM, RELAY

PENDING = 3


def migrate(
    check: Annotated[bool, typer.Option("--check", help="Apply nothing; list what is pending, exit 3 if any.")] = False,
    as_json: AsJson = False,
) -> None:
    """Apply the migrations that the database lacks.

    Safe to run twice at once. Needs the owner's DATABASE_URL alone, or none for the embedded server. Roles that the
    application connects as (saas_app, saas_platform, saas_relay) are made where they are missing; those that exist
    keep their passwords.

    \b
    Examples:
      saas migrate
      saas migrate --check || echo "not up to date"
      DATABASE_URL=postgres://owner:…@db/fairlead saas migrate

    \b
    Environment: DATABASE_URL; DATABASE_APP_URL, DATABASE_PLATFORM_URL, DATABASE_RELAY_URL (passwords of roles that
      are made), SAAS_DATA
    """
    names = asyncio.run(_pending() if check else _migrate())
    if as_json:
        say_json({"pending" if check else "applied": names})
    else:
        _tell(names, check=check)
    if check and names:
        raise typer.Exit(PENDING)


def _tell(names: list[str], *, check: bool) -> None:
    verb = "pending" if check else "applied"
    for name in names:
        say(f"{verb} {name}")
    if not names:
        say("The database is up to date.")


async def _pending() -> list[str]:
    async with _owner_url(settings_of_process()) as url:
        await _existing_roles(url)  # the ORM takes a server that refuses it for one without any migration
        return await pending_migrations(url, installed_product().model_apps)


async def _migrate() -> list[str]:
    settings, apps = settings_of_process(), installed_product().model_apps
    async with _owner_url(settings) as url:
        if settings.database_url:
            await make_missing_roles(url, settings)
        total, applied = len(await pending_migrations(url, apps)), dict[str, None]()
        with bar("Migrating") as progress:

            def begun_or_done(name: str) -> None:
                applied[name] = None
                progress(name, len(applied), max(total, len(applied)))

            await apply_migrations(url, apps, progress=begun_or_done)
        return list(applied)


@asynccontextmanager
async def _owner_url(settings: Settings) -> AsyncIterator[str]:
    """The owner's address: the named one, or that of the embedded server while the block lasts."""
    if settings.database_url:
        yield settings.database_url
        return
    if settings.database_app_url:
        raise ConfigError("Migrations need the owner of the tables; set DATABASE_URL for this command.")
    async with AsyncExitStack() as stack:
        with spinner("Starting the servers") as step:
            stands_on = await stack.enter_async_context(backing(settings, progress=step))
        yield stands_on.owner_url


async def make_missing_roles(owner_url: str, settings: Settings) -> None:
    """Make the application's roles that the server lacks.

    With the password of the role's own URL where one is set; else with one that nobody knows, to be replaced: by
    `ALTER ROLE … PASSWORD`, or by `saas serve` where it derives them.

    :raises RolesRefused: roles are missing and this user may not make any.
    """
    urls = {
        APP: settings.database_app_url,
        PLATFORM: settings.database_platform_url,
        RELAY: settings.database_relay_url,
    }
    missing = set(urls) - await _existing_roles(owner_url)
    if not missing:
        return
    passwords = {role: unquote(urlsplit(urls[role]).password or "") for role in urls if role in missing}
    await ensure_roles(owner_url, {role: told or secrets.token_urlsafe(24) for role, told in passwords.items()})
    for role, told in passwords.items():
        rest = "with the password of its URL" if told else f"without a known password: ALTER ROLE {role} PASSWORD '…'"
        note(f"Role {role} was made {rest}.")


async def _existing_roles(owner_url: str) -> set[str]:
    connection = await asyncpg.connect(owner_url, timeout=10)
    try:
        return {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
    finally:
        await connection.close()
