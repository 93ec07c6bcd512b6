"""`saas payroll …`: does a run still come out as it was paid?"""

from __future__ import annotations

import asyncio
from typing import Annotated
from uuid import UUID

import typer

from saas.cli.failures import FAILED
from saas.cli.installation import opened_installation
from saas.cli.terminal import AsJson, say, say_json, spinner
from saas.kernel import AppError, parse_public_id, public_id
from saas.payroll import Replay, replay_run
from tenants import DatabaseRole, get_tenant

RUN, PAYSLIP, EMPLOYEE = "prn", "psl", "emp"

commands = typer.Typer(no_args_is_help=True, help="Payroll: replay a run.")


@commands.callback()
def _payroll() -> None:
    """Payroll, as an operator or an auditor proves it."""


@commands.command()
def replay(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's id (prn_…).")],
    tenant: Annotated[UUID, typer.Option(help="The company's id.")],
    as_json: AsJson = False,
) -> None:
    """Compute every payslip of a run again, from what it froze, and compare the bytes; exit 1 if any differs.

    Nothing is written, and no amount is shown: a difference is named by the payslip and the places in it.

    \b
    Example:
      saas payroll replay prn_01a0… --tenant 01a0…
    """
    found = asyncio.run(_replay(_run_id(run), tenant))
    if as_json:
        say_json(_as_json(found))
    else:
        say(f"{found.compared} payslips computed again, {len(found.differences)} differences.")
        for each in found.differences:
            person = public_id(EMPLOYEE, each.employee_id)
            say(f"{public_id(PAYSLIP, each.payslip_id)} of {person}: {', '.join(each.places)}")
    if found.differences:
        raise typer.Exit(FAILED)


def _run_id(text: str) -> UUID:
    try:
        return parse_public_id(text, prefix=RUN)
    except AppError as wrong:
        raise typer.BadParameter(f"{text} is no id of a payroll run (prn_…)") from wrong


async def _replay(run_id: UUID, tenant_id: UUID) -> Replay:
    async with opened_installation() as installation:
        async with installation.database.transaction(None, role=DatabaseRole.PLATFORM):
            await get_tenant(tenant_id)
        keyring = await installation.sealer.keyring(tenant_id)
        with spinner("Replaying"):
            async with installation.database.transaction(tenant_id, isolation="REPEATABLE READ"):
                return await replay_run(run_id, host=installation.product.host, keyring=keyring)


def _as_json(found: Replay) -> dict[str, object]:
    differences = [
        {
            "payslip": public_id(PAYSLIP, each.payslip_id),
            "employee": public_id(EMPLOYEE, each.employee_id),
            "places": list(each.places),
        }
        for each in found.differences
    ]
    return {"compared": found.compared, "differences": differences}
