"""`saas tenant …`: companies in the directory, as an operator lists, makes, suspends, resumes and exports them."""

from __future__ import annotations

import asyncio
import getpass
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from saas.cli.failures import CommandRefused
from saas.cli.installation import opened_installation
from saas.cli.terminal import AsJson, say, say_json, say_table, spinner
from saas.identity import Origin
from saas.kernel import new_id
from saas.main import every_tenant
from saas.onboarding import CompanySignedUp, sign_up_company
from tenants import (
    PRESETS,
    DatabaseRole,
    ExportManifest,
    TenantSummary,
    export_tenant,
    get_tenant,
    resume_tenant,
    suspend_tenant,
)

commands = typer.Typer(no_args_is_help=True, help="Companies: list, create, suspend, resume, export.")

TenantId = Annotated[UUID, typer.Argument(metavar="TENANT", help="The company's id, as `saas tenant list` shows it.")]
Reason = Annotated[str, typer.Option(help="Why; kept with the step.", show_default=False)]


def _user() -> str:
    """The operator's name where none is given: the system's, or none in a container without accounts."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "operator"


Operator = Annotated[
    str, typer.Option(default_factory=_user, help="Who does it; kept with the step.", show_default="your user name")
]


@commands.command("list")
def list_(as_json: AsJson = False) -> None:
    """List all companies, in order of creation.

    \b
    Examples:
      saas tenant list
      saas tenant list --json
    """
    found = asyncio.run(_all_tenants())
    if as_json:
        say_json([_as_json(tenant) for tenant in found])
        return
    rows = [[str(each.id), each.name, each.status.value, each.preset, f"{each.created_at:%Y-%m-%d}"] for each in found]
    say_table(["id", "name", "status", "preset", "created"], rows)


def _as_json(tenant: TenantSummary) -> dict[str, object]:
    return {**asdict(tenant), "status": tenant.status.value}


async def _all_tenants() -> list[TenantSummary]:
    async with opened_installation() as installation:
        return await every_tenant(installation.database)


@commands.command()
def create(
    name: Annotated[str, typer.Argument(help="The company's name.")],
    owner_name: Annotated[str, typer.Option(help="The owner's name.")],
    owner_email: Annotated[str, typer.Option(help="The owner's address, with which they sign in.")],
    preset: Annotated[str, typer.Option(help=f"What it begins with: {', '.join(PRESETS)}.")] = "general",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the owner's password from the first line of stdin.")
    ] = False,
    key: Annotated[str, typer.Option(help="Repeating the command with the same key makes no second company.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a company with its owner, as signing up does.

    The owner's password is asked for, or read from stdin; it is never an argument, because others can read those.
    An owner who has an account already keeps it, and gives its password.

    \b
    Examples:
      saas tenant create 晨光销售 --owner-name 陈晓 --owner-email chen@example.com --preset realty
      saas tenant create 晨光销售 --owner-name 陈晓 --owner-email chen@example.com --password-stdin < secret
    """
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else _asked_password()
    made = asyncio.run(_create(name, owner_name, owner_email, password, preset, key or str(new_id())))
    if as_json:
        say_json({"tenant": made.tenant_id, "owner": made.account_id, "replayed": made.replayed})
    else:
        was = "was there already" if made.replayed else "is made"
        say(f"{name} {was}: {made.tenant_id}. {owner_email} signs in as its owner.")


def _asked_password() -> str:
    if not sys.stdin.isatty():
        raise CommandRefused(
            "The owner's password is asked for on a terminal, and this is none.", "--password-stdin reads it."
        )
    return str(typer.prompt("Owner's password", hide_input=True, confirmation_prompt=True))


async def _create(name: str, owner_name: str, email: str, password: str, preset: str, key: str) -> CompanySignedUp:
    async with opened_installation() as installation:
        return await sign_up_company(
            installation.database,
            company=name,
            owner_name=owner_name,
            email=email,
            password=password,
            preset=preset,
            idempotency_key=key,
            origin=Origin(client="cli"),
            passwords=installation.passwords,
            host=installation.product.host,
            clock=installation.clock,
        )


@commands.command()
def suspend(tenant: TenantId, reason: Reason, operator: Operator) -> None:
    """Stop a company: its sessions end with their next request, nobody signs in, its data stays.

    \b
    Example:
      saas tenant suspend 01a0… --reason "invoice 4711 unpaid"
    """
    say(f"{asyncio.run(_set(tenant, reason, operator, is_suspended=True))} is suspended.")


@commands.command()
def resume(tenant: TenantId, reason: Reason, operator: Operator) -> None:
    """Let a suspended company work again.

    \b
    Example:
      saas tenant resume 01a0… --reason "invoice 4711 paid"
    """
    say(f"{asyncio.run(_set(tenant, reason, operator, is_suspended=False))} is active.")


async def _set(tenant_id: UUID, reason: str, operator: str, *, is_suspended: bool) -> str:
    step = suspend_tenant if is_suspended else resume_tenant
    async with opened_installation() as opened, opened.database.transaction(None, role=DatabaseRole.PLATFORM):
        await step(tenant_id, operator=operator, reason=reason, clock=opened.clock)
        return (await get_tenant(tenant_id)).name


@commands.command()
def export(
    tenant: TenantId,
    folder: Annotated[Path, typer.Argument(help="Where to write; a new or empty folder.")],
    reason: Reason,
    operator: Operator,
    as_json: AsJson = False,
) -> None:
    """Write all of a company's rows: a file of JSON lines per table, and manifest.json with counts and digests.

    Everything is read in one snapshot; sealed values stay sealed. The manifest comes last: a folder without one is an
    export that did not finish.

    \b
    Example:
      saas tenant export 01a0… ./export --reason "request of the owner, 2026-11-20"
    """
    manifest = asyncio.run(_export(tenant, folder, reason, operator))
    if as_json:
        say_json(asdict(manifest))
        return
    rows = sum(table.rows for table in manifest.tables)
    say(f"{manifest.company}: {rows} rows of {len(manifest.tables)} tables are in {folder}.")


async def _export(tenant_id: UUID, folder: Path, reason: str, operator: str) -> ExportManifest:
    async with opened_installation() as installation:
        with spinner("Exporting"):
            return await export_tenant(
                installation.database,
                tenant_id,
                folder=folder,
                operator=operator,
                reason=reason,
                clock=installation.clock,
            )
