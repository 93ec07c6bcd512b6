"""`saas audit …`: is the trail what was written? In the database, or in an export without it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from saas.audit import Head, HeadLog, Verdict, verify_lines
from saas.audit import export as export_chain
from saas.audit import verify as verify_chain
from saas.cli.failures import FAILED, CommandRefused
from saas.cli.installation import opened_installation
from saas.cli.settings import settings_of_process
from saas.cli.terminal import AsJson, bar, note, say, say_json, spinner
from saas.main import Installation, every_tenant
from tenants import DatabaseRole, TenantSummary, get_tenant

commands = typer.Typer(no_args_is_help=True, help="The audit trail: verify it, export it.")


@commands.command()
def verify(
    tenant: Annotated[UUID | None, typer.Option(help="Verify one company's trail.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Verify every company's trail.")] = False,
    file: Annotated[Path | None, typer.Option(help="Verify an export; needs no database.", exists=True)] = None,
    heads: Annotated[
        Path | None, typer.Option(help="Folder of published heads.", show_default="SAAS_DATA/audit", file_okay=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Walk a trail's hash chain and name the first thing that is wrong with it; exit 1 if anything is.

    Published heads, kept where the database's administrators don't write, are what a cut tail or a chain rewritten
    as a whole is noticed by.

    \b
    Examples:
      saas audit verify --all
      saas audit verify --tenant 01a0… --heads /mnt/locked/heads
      saas audit verify --file trail.jsonl --heads ./heads --json
    """
    if [tenant is not None, every, file is not None].count(True) != 1:
        raise typer.BadParameter("one of --tenant, --all and --file says what to verify")
    published = HeadLog(heads or settings_of_process().data / "audit").read()
    found = [_verify_file(file, published)] if file else asyncio.run(_verify_tenants(tenant, published))
    _tell(found, is_headless=not published, as_json=as_json)
    if not all(verdict.is_intact for _, verdict in found):
        raise typer.Exit(FAILED)


def _tell(found: Sequence[tuple[str, Verdict]], *, is_headless: bool, as_json: bool) -> None:
    if as_json:
        say_json([_as_json(name, verdict) for name, verdict in found])
        return
    for name, verdict in found:
        say(f"{name}: {_sentence(verdict)}")
    if is_headless:
        note("No published heads were found: a cut tail can't be noticed without them.")


def _sentence(verdict: Verdict) -> str:
    if verdict.is_intact:
        return f"intact, {verdict.links} links."
    place = f" at link {verdict.seq}" if verdict.seq is not None else ""
    return f"NOT INTACT, {verdict.tampering}{place}: {verdict.detail}."


def _as_json(name: str, verdict: Verdict) -> dict[str, object]:
    return {
        "trail": name,
        "intact": verdict.is_intact,
        "links": verdict.links,
        "head": verdict.head,
        "tampering": verdict.tampering,
        "seq": verdict.seq,
        "detail": verdict.detail,
    }


def _verify_file(file: Path, heads: Sequence[Head]) -> tuple[str, Verdict]:
    try:
        with file.open(encoding="utf-8") as lines:
            return str(file), verify_lines(lines, heads)
    except (ValueError, KeyError, TypeError) as refused:
        raise CommandRefused(
            f"{file} is no whole export of a trail ({refused}).", "`saas audit export` writes one."
        ) from refused


async def _verify_tenants(tenant_id: UUID | None, heads: Sequence[Head]) -> list[tuple[str, Verdict]]:
    async with opened_installation() as installation:
        tenants = await _named(installation, tenant_id)
        found = []
        with bar("Verifying") as progress:
            for place, tenant in enumerate(tenants):
                progress(tenant.name, place, len(tenants))
                async with installation.database.transaction(tenant.id, isolation="REPEATABLE READ"):
                    verdict = await verify_chain(heads, clock=installation.clock)
                found.append((f"{tenant.name} ({tenant.id})", verdict))
        return found


async def _named(installation: Installation, tenant_id: UUID | None) -> list[TenantSummary]:
    """One company, or all of them.

    :raises TenantNotFound: no company has that id.
    """
    if tenant_id is None:
        return await every_tenant(installation.database)
    async with installation.database.transaction(None, role=DatabaseRole.PLATFORM):
        return [await get_tenant(tenant_id)]


@commands.command()
def export(
    tenant: Annotated[UUID, typer.Argument(metavar="TENANT", help="The company's id.")],
    file: Annotated[Path, typer.Argument(help="Where to write; it must not exist.", dir_okay=False)],
) -> None:
    """Write a company's trail as JSON lines, for an auditor who has neither the product nor the database.

    \b
    Example:
      saas audit export 01a0… trail.jsonl && saas audit verify --file trail.jsonl
    """
    say(f"{asyncio.run(_export(tenant, file))} links are in {file}.")


async def _export(tenant_id: UUID, file: Path) -> int:
    links = -1  # the first line is the header
    async with opened_installation() as installation:
        await _named(installation, tenant_id)
        out = await asyncio.to_thread(file.open, "x", encoding="utf-8")
        with out, spinner("Exporting"):
            async with installation.database.transaction(tenant_id, isolation="REPEATABLE READ"):
                async for line in export_chain(clock=installation.clock):
                    out.write(f"{line}\n")
                    links += 1
    return links
