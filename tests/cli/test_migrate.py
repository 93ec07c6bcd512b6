"""`saas migrate`: what is applied, what is pending, whose roles stay."""

from __future__ import annotations

from pathlib import Path

import asyncpg

from saas.main import installed_product
from saas.servers import Servers
from tests.cli.conftest import Administrator, Ended, MadeRoles, Operator


def every_migration() -> set[str]:
    """The migrations in the tree, as ``app.name``."""
    root = Path(__file__).resolve().parents[2]
    return {
        f"{app}.{file.stem}"
        for app, (_, package) in installed_product().model_apps.items()
        for file in root.joinpath(*package.split(".")).glob("[0-9]*.py")
    }


def test_applies_everything_once(first_migration: Ended, operator: Operator) -> None:
    assert first_migration.err == ""
    assert set(first_migration.json["applied"]) == every_migration()
    assert len(first_migration.json["applied"]) == len(every_migration())
    assert operator.saas("migrate") == Ended(0, "The database is up to date.\n", "")
    assert operator.saas("migrate", "--check") == Ended(0, "The database is up to date.\n", "")
    assert operator.saas("migrate", "--check", "--json").json == {"pending": []}


async def test_names_what_is_pending(operator: Operator, own_servers: Servers) -> None:
    base, _, _ = own_servers.superuser_url.rpartition("/")
    connection = await asyncpg.connect(own_servers.superuser_url)
    await connection.execute("CREATE DATABASE empty")
    await connection.close()
    ended = operator.saas("migrate", "--check", DATABASE_URL=f"{base}/empty")
    assert (ended.status, ended.err) == (3, "")
    assert {line.removeprefix("pending ") for line in ended.out.splitlines()} == every_migration()


def test_missing_roles_are_made(made_roles: MadeRoles) -> None:
    assert made_roles.notes == [
        "Role saas_app was made with the password of its URL.",
        "Role saas_platform was made without a known password: ALTER ROLE saas_platform PASSWORD '…'.",
        "Role saas_relay was made without a known password: ALTER ROLE saas_relay PASSWORD '…'.",
    ]
    assert made_roles.signed_in == "saas_app"


async def test_existing_roles_keep_their_passwords(
    operator: Operator, named_url: str, administrator: Administrator
) -> None:
    secrets = "SELECT rolname, rolpassword FROM pg_authid WHERE rolname LIKE 'saas%' ORDER BY 1"
    before = await administrator.fetch(secrets)
    ended = operator.saas("migrate", DATABASE_URL=named_url, SAAS_ENVIRONMENT="production")
    assert ended == Ended(0, "The database is up to date.\n", "")
    assert await administrator.fetch(secrets) == before
    assert len(before) == 4


def test_application_alone_may_not_migrate(operator: Operator) -> None:
    ended = operator.saas("migrate", DATABASE_APP_URL="postgres://a@h/d", DATABASE_PLATFORM_URL="postgres://b@h/d")
    assert ended == Ended(1, "", "saas: Migrations need the owner of the tables; set DATABASE_URL for this command.\n")
