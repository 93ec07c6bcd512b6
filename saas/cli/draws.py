"""`saas draw …`: verify a certificate, with the one file that outsiders verify with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from saas.cli.failures import FAILED
from saas.cli.terminal import AsJson, say, say_json
from saas.customers.allocation import Finding, verify_certificate

commands = typer.Typer(no_args_is_help=True, help="Draws of customers: verify a certificate.")


@commands.callback()
def draws() -> None:
    """Draws of customers: verify a certificate. docs/draws.md says what that proves."""


@commands.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A certificate, or one person's extract.", exists=True, dir_okay=False)],
    commitment: Annotated[str, typer.Option(help="The digest that was published before the draw.")] = "",
    picks_root: Annotated[str, typer.Option(help="The root of the picks that was published after it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Recompute everything that a certificate says; exit 1 where something does not fit. It needs no database.

    \b
    Example:
      saas draw verify certificate.json --commitment 5f1c… --picks-root 90ab…
    """
    findings = verify_certificate(file.read_bytes(), commitment=commitment or None, picks_root=picks_root or None)
    _tell(findings, as_json=as_json)
    if findings:
        raise typer.Exit(FAILED)


def _tell(findings: list[Finding], *, as_json: bool) -> None:
    if as_json:
        say_json([{"path": each.path, "fact": each.fact} for each in findings])
        return
    for each in findings:
        say(f"{each.path}: {each.fact}")
    if not findings:
        say("Everything fits.")
