"""What an installation stands on: embedded or named servers, the database roles, the migrations."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from saas.config import ConfigError, Settings
from saas.servers import running_servers
from tenants.database import DatabaseUrls
from tenants.migrate import migrate
from tenants.roles import RolesRefused, ensure_database, ensure_roles, url_for
from tenants.schema import APP, OWNER, PLATFORM, RELAY

DATABASE = "fairlead"
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Backing:
    """The servers an installation stands on. `owner_url` is empty in processes that may not migrate."""

    owner_url: str
    database: DatabaseUrls
    relay_url: str
    redis_url: str


@asynccontextmanager
async def backing(settings: Settings, *, progress: Progress | None = None) -> AsyncIterator[Backing]:
    """The servers that the settings name, or embedded ones for as long as the block lasts; roles are made where the
    owner's URL is known.

    :raises ServerStartError: an embedded server can't be had.
    :raises ConfigError: the named server's roles can't be made.
    """
    async with running_servers(
        settings.data,
        postgres=settings.wants_embedded_postgres,
        redis=settings.wants_embedded_redis,
        on_progress=progress,
    ) as servers:
        redis_url = settings.redis_url or servers.redis_url
        if settings.database_app_url:
            yield _named_backing(settings, redis_url)
        elif settings.database_url:
            yield await _derived_backing(settings.database_url, redis_url, owner=settings.database_url)
        else:
            owner = role_url(servers.superuser_url, OWNER, database=DATABASE)
            yield await _derived_backing(servers.superuser_url, redis_url, owner=owner, database=DATABASE)


def _named_backing(settings: Settings, redis_url: str) -> Backing:
    return Backing(
        owner_url=settings.database_url,
        database=DatabaseUrls(app=settings.database_app_url, platform=settings.database_platform_url),
        relay_url=settings.database_relay_url,
        redis_url=redis_url,
    )


async def _derived_backing(admin_url: str, redis_url: str, *, owner: str, database: str | None = None) -> Backing:
    """Make the roles, with passwords derived from the administrator's, and the database where it is ours to make."""
    roles = (OWNER, APP, PLATFORM, RELAY) if database else (APP, PLATFORM, RELAY)
    try:
        await ensure_roles(admin_url, {role: derived_password(admin_url, role) for role in roles})
        if database:
            await ensure_database(admin_url, database)
    except RolesRefused as refused:
        raise ConfigError(str(refused)) from refused
    return Backing(
        owner_url=owner,
        database=DatabaseUrls(
            app=role_url(admin_url, APP, database=database), platform=role_url(admin_url, PLATFORM, database=database)
        ),
        relay_url=role_url(admin_url, RELAY, database=database),
        redis_url=redis_url,
    )


def role_url(admin_url: str, role: str, *, database: str | None = None) -> str:
    """The URL of one of our roles on the administrator's server."""
    return url_for(admin_url, role=role, password=derived_password(admin_url, role), database=database)


def derived_password(admin_url: str, role: str) -> str:
    """A role's password: an HMAC under the administrator's, so that every process finds the same without storing it."""
    secret = unquote(urlsplit(admin_url).password or "")
    return hmac.new(secret.encode(), f"fairlead role {role}".encode(), hashlib.sha256).hexdigest()


async def apply_migrations(
    backing_: Backing, apps: Mapping[str, Sequence[str]], *, progress: Progress | None = None
) -> None:
    """Apply the migrations that the database lacks.

    :raises ConfigError: this process doesn't know the owner's URL.
    """
    if not backing_.owner_url:
        raise ConfigError("Migrations need the owner of the tables; set DATABASE_URL for this command.")
    await migrate(backing_.owner_url, apps, progress=progress)
