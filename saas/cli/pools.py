"""`saas pool …`: the nightly recycling of a company's customers, by hand or as a rehearsal; their ledger verified."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from saas.audit import Head, HeadLog, Verdict
from saas.audit import verify as verify_chain
from saas.cli.failures import FAILED, operator_locale
from saas.cli.installation import opened_installation
from saas.cli.settings import settings_of_process
from saas.cli.terminal import AsJson, note, say, say_json, spinner
from saas.customers import Foreseen, LedgerVerdict, RecycleReport
from saas.customers import verify_ledger as verify_bound_lines
from saas.kernel import Catalogue, public_id
from saas.main import recycling_run
from tenants import DatabaseRole, get_tenant

commands = typer.Typer(no_args_is_help=True, help="Customer pools: recycle what is due, verify the ledger.")


@commands.callback()
def pools() -> None:
    """Customer pools: recycle what is due (the worker does it each night by itself), verify the public ledger."""


@commands.command()
def recycle(
    tenant: Annotated[UUID, typer.Option(help="The company's id, as `saas tenant list` shows it.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done, and why.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take back what a rule says is due today, and warn of what is near; repeating it changes nothing.

    \b
    Examples:
      saas pool recycle --tenant 01a0… --dry-run
      saas pool recycle --tenant 01a0… --json
    """
    if dry_run:
        asyncio.run(_rehearse(tenant, as_json=as_json))
        return
    report = asyncio.run(_recycle(tenant))
    if as_json:
        say_json(asdict(report))
        return
    say(
        f"{report.ran_on}: {report.recycled} recycled, {report.warned} warned, {report.postponed} postponed, "
        f"{report.failed} failed."
    )
    for customer_id, what in report.failures:
        note(f"{public_id('cus', customer_id)}: {what}")


async def _recycle(tenant_id: UUID) -> RecycleReport:
    async with opened_installation() as installation:
        async with installation.database.transaction(None, role=DatabaseRole.PLATFORM):
            tenant = await get_tenant(tenant_id)
        with spinner("Recycling"):
            return await recycling_run(installation.database, tenant, installation.clock).run()


async def _rehearse(tenant_id: UUID, *, as_json: bool) -> None:
    async with opened_installation() as installation:
        async with installation.database.transaction(None, role=DatabaseRole.PLATFORM):
            tenant = await get_tenant(tenant_id)
        with spinner("Looking"):
            run = recycling_run(installation.database, tenant, installation.clock)
            found = [each async for each in run.foresee()]
        catalogue = installation.product.catalogue
        if as_json:
            say_json([_as_json(each) for each in found])
            return
        for each in found:
            for line in _lines(each, catalogue):
                say(line)
        say(f"{len(found)} customers.")


@commands.command()
def verify_ledger(
    tenant: Annotated[UUID, typer.Option(help="The company's id, as `saas tenant list` shows it.")],
    heads: Annotated[
        Path | None, typer.Option(help="Folder of published heads.", show_default="SAAS_DATA/audit", file_okay=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hold a company's public ledger against its audit trail, and name each line that is not as it was written.

    The trail itself is verified first, as `saas audit verify` does: a ledger is as good as the trail that it is bound
    to. Exit 1 if anything is wrong.

    \b
    Examples:
      saas pool verify-ledger --tenant 01a0…
      saas pool verify-ledger --tenant 01a0… --heads /mnt/locked/heads --json
    """
    published = HeadLog(heads or settings_of_process().data / "audit").read()
    trail, ledger = asyncio.run(_verify(tenant, published))
    if as_json:
        say_json(_verdict_json(trail, ledger))
    else:
        for line in _verdict_lines(trail, ledger):
            say(line)
    if not (trail.is_intact and ledger.is_intact):
        raise typer.Exit(FAILED)


async def _verify(tenant_id: UUID, published: Sequence[Head]) -> tuple[Verdict, LedgerVerdict]:
    async with opened_installation() as installation:
        async with installation.database.transaction(None, role=DatabaseRole.PLATFORM):
            await get_tenant(tenant_id)
        with spinner("Verifying"):
            async with installation.database.transaction(tenant_id, isolation="REPEATABLE READ"):
                return await verify_chain(published, clock=installation.clock), await verify_bound_lines()


def _verdict_lines(trail: Verdict, ledger: LedgerVerdict) -> Iterator[str]:
    if trail.is_intact:
        yield f"The trail is intact, {trail.links} links."
    else:
        yield f"The trail is NOT INTACT, {trail.tampering}: {trail.detail}."
    if ledger.bound_from is None:
        yield f"{ledger.bound} lines are bound to it: all there are."
    else:
        yield f"{ledger.bound} lines are bound to it; {ledger.unbound} from before {ledger.bound_from} are not."
    if ledger.is_intact:
        yield "The ledger is intact."
    for wrong in ledger.wrong:
        yield f"NOT INTACT, {wrong.tampering}: {wrong.detail}."


def _verdict_json(trail: Verdict, ledger: LedgerVerdict) -> dict[str, object]:
    return {
        "trail": {"intact": trail.is_intact, "links": trail.links, "tampering": trail.tampering},
        "intact": ledger.is_intact,
        "bound": ledger.bound,
        "unbound": ledger.unbound,
        "bound_from": ledger.bound_from,
        "wrong": [
            {
                "tampering": each.tampering,
                "line": None if each.line_id is None else public_id("pev", each.line_id),
                "detail": each.detail,
            }
            for each in ledger.wrong
        ],
    }


def _lines(foreseen: Foreseen, catalogue: Catalogue) -> Iterator[str]:
    yield f"{public_id('cus', foreseen.customer.customer_id)}  {_act(foreseen)}"
    for depth, sentence, _ in foreseen.verdict.explanation.lines(catalogue, operator_locale(os.environ), 1):
        yield "  " * depth + sentence


def _act(foreseen: Foreseen) -> str:
    verdict = foreseen.verdict
    return verdict.action.value if verdict.reminder is None else f"warn ({verdict.reminder} days before)"


def _as_json(foreseen: Foreseen) -> dict[str, object]:
    verdict = foreseen.verdict
    return {
        "customer": public_id("cus", foreseen.customer.customer_id),
        "action": verdict.action.value,
        "reminder": verdict.reminder,
        "due_on": verdict.due_on,
        "days_left": verdict.days_left,
        "explanation": verdict.explanation.plain(),
    }
