"""`saas doctor`: everything that an installation needs, looked at in the order in which one would mend it."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path

import asyncpg
import typer
from tortoise.exceptions import BaseORMException

from saas.cli.failures import FAILED, explain
from saas.cli.settings import settings_of_process
from saas.cli.terminal import AsJson, say, say_json, spinner
from saas.config import ConfigError, Settings
from saas.kernel import AppError, new_id
from saas.main import backing, installed_product
from saas.sealing import FileKeyProvider
from saas.servers import Finding, ServerStartError, diagnose
from tenants.migrate import pending_migrations
from tenants.roles import RolesRefused

_FAULTS = (AppError, ConfigError, ServerStartError, RolesRefused, asyncpg.PostgresError, BaseORMException, OSError)


def doctor(as_json: AsJson = False) -> None:
    """Look at everything the installation needs.

    Settings, Python, programs, data folder, servers, migrations, plugins, master key; and what to do where one is
    not right. Embedded servers are started and stopped again, named ones are signed in to; nothing in them is
    changed. Exit 1 if anything is wrong.

    \b
    Examples:
      saas doctor
      saas doctor --json
    """
    with spinner("Looking"):
        findings = asyncio.run(examine())
    if as_json:
        say_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            _tell(finding)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(FAILED)


def _tell(finding: Finding) -> None:
    say(f"{'ok   ' if finding.ok else 'WRONG'}  {finding.name:<12} {finding.fact}")
    if finding.remedy:
        say(f"{'':<20}{finding.remedy}")


async def examine() -> list[Finding]:
    """All findings; a fault found is one of them."""
    try:
        settings = settings_of_process()
    except ConfigError as refused:
        return [Finding("settings", False, str(refused))]
    findings = [Finding("settings", True, _kind(settings)), *await diagnose(_environ_of(settings))]
    if all(finding.ok for finding in findings):
        findings.append(await _looked_at("migrations", lambda: _migrations(settings)))
    findings.append(await _looked_at("plugins", _plugins))
    findings.append(await _looked_at("master key", lambda: _master_key(settings)))
    return findings


def _kind(settings: Settings) -> str:
    database = "embedded" if settings.wants_embedded_postgres else "named"
    queue = "embedded" if settings.wants_embedded_redis else "named"
    return f"{settings.environment}; PostgreSQL {database}, Redis {queue}; data in {settings.data}."


def _environ_of(settings: Settings) -> dict[str, str]:
    """The environment for the servers' own look: a process that knows the application's URL alone is judged by it."""
    return {**os.environ, "DATABASE_URL": settings.database_url or settings.database_app_url}


async def _looked_at(name: str, look: Callable[[], Awaitable[Finding]]) -> Finding:
    try:
        return await look()
    except _FAULTS as fault:
        fact, remedy = explain(fault)
        return Finding(name, False, fact, remedy)


async def _migrations(settings: Settings) -> Finding:
    apps = installed_product().model_apps
    if settings.database_url:
        pending = await pending_migrations(settings.database_url, apps)
    elif settings.wants_embedded_postgres:
        async with backing(settings) as stands_on:
            pending = await pending_migrations(stands_on.owner_url, apps)
    else:
        return Finding("migrations", True, "Not looked at: only the owner's DATABASE_URL shows them.")
    if not pending:
        return Finding("migrations", True, "The database is up to date.")
    if settings.wants_embedded_postgres:
        return Finding("migrations", True, f"{len(pending)} pending; the next start applies them.")
    return Finding("migrations", False, f"{len(pending)} pending, the first is {pending[0]}.", "Run `saas migrate`.")


async def _plugins() -> Finding:
    names = ", ".join(f"{each.name} {each.version}" for each in installed_product().host.manifests.values())
    return Finding("plugins", True, f"{names or 'None'} installed.")


async def _master_key(settings: Settings) -> Finding:
    path = Path(settings.master_key_file) if settings.master_key_file else settings.data / "master.key"
    if not path.exists():
        if settings.is_production or settings.master_key_file:
            return Finding("master key", False, f"{path} is missing.", "Restore it, or mount the secret that holds it.")
        return Finding("master key", True, f"{path} is made with the first sealed value.")
    # Keys of a tenant that never was, in a folder that goes at once: all that is tried is the master key.
    with tempfile.TemporaryDirectory() as folder:
        FileKeyProvider(Path(folder), master_key_file=path).tenant_keys(new_id())
    return Finding("master key", True, f"{path} can be used.")
