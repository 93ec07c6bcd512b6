"""`saas pool …`: the nightly recycling of a company's customers, by hand or as a rehearsal."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer

from saas.cli.failures import operator_locale
from saas.cli.installation import opened_installation
from saas.cli.terminal import AsJson, note, say, say_json, spinner
from saas.customers import Foreseen, RecycleReport
from saas.kernel import Catalogue, public_id
from saas.main import recycling_run
from tenants import DatabaseRole, get_tenant

commands = typer.Typer(no_args_is_help=True, help="Customer pools: recycle what is due.")


@commands.callback()
def pools() -> None:
    """Customer pools: recycle what is due. The worker does it each night by itself."""


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
    if report.missed_days:
        note(f"{report.missed_days} days before had no run; what was due on them was done now.")
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
