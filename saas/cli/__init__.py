"""`saas`, the operator's door: every command, and one sentence for whatever ends one early. It holds no rules."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from saas.cli.failures import report
from saas.cli.parts import find_part
from saas.cli.terminal import say

__all__ = ["TOPICS", "command_line", "main", "run"]

TOPICS = {
    "serve": ("saas.cli.serving:serve", "Serve the GraphQL API until Ctrl-C or SIGTERM."),
    "worker": ("saas.cli.serving:worker", "Run background jobs until Ctrl-C or SIGTERM."),
    "migrate": ("saas.cli.migrations:migrate", "Apply the migrations that the database lacks."),
    "schema": ("saas.cli.schema:schema", "Print the GraphQL schema, or compare it."),
    "doctor": ("saas.cli.doctor:doctor", "Look at everything the installation needs."),
    "demo": ("saas.cli.demo:demo", "Show the product with a believable company."),
    "tenant": ("saas.cli.tenants:commands", "Companies: list, create, suspend, resume, export."),
    "pool": ("saas.cli.pools:commands", "Customer pools: recycle what is due."),
    "draw": ("saas.cli.draws:commands", "Draws of customers: verify a certificate."),
    "import": ("saas.cli.importing:import_", "Preview or commit a sheet of a company's own."),
    "import-crm": ("saas.cli.importing:import_crm", "Bring in what another product exported to a folder."),
    "plugin": ("saas.cli.plugins:commands", "Plugins: list what is installed."),
    "audit": ("saas.cli.audit:commands", "The audit trail: verify it, export it."),
    "payroll": ("saas.cli.payroll:commands", "Payroll: replay a run from what it froze."),
    "bench": ("saas.cli.bench:commands", "Benchmarks against their floors."),
}
"""First word → where its command (or group of commands) stands, and its line in the help. Only the word that is used
is imported: the whole product takes seconds."""

_DEBUG = "--debug"
_COMPLETION = "_SAAS_COMPLETE"


def _version(is_asked: bool) -> None:
    if is_asked:
        say(f"fairlead {version('fairlead')}")
        raise typer.Exit


def _saas(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    _debug: Annotated[bool, typer.Option(_DEBUG, help="Where a command fails, show the trace too.")] = False,
) -> None:
    """Fairlead: customers, performance and pay of sales teams, for many companies.

    Without DATABASE_URL and REDIS_URL the servers are embedded and keep their data in SAAS_DATA (default: a folder
    in the user's data directory).

    \b
    Exit status: 0 done; 1 refused or failed, the reason on stderr; 2 wrong usage; 3 migrations pending
      (migrate --check); 130 interrupted.
    """


def command_line(word: str) -> typer.Typer:
    """The command line, with the topic `word` whole and the others as lines of the help; "*" is all of them."""
    app = typer.Typer(
        name="saas",
        no_args_is_help=True,
        pretty_exceptions_enable=False,  # they print local variables, and some are secrets
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    )
    app.callback()(_saas)
    for name, (place, summary) in TOPICS.items():
        part = find_part(place) if word in (name, "*") else _unused
        if isinstance(part, typer.Typer):
            app.add_typer(part, name=name, help=summary)
        else:
            app.command(name, help=summary if part is _unused else None)(part)
    return app


def _unused() -> None:
    """Stands for a topic in the help."""


def main() -> None:
    """The entry point: run the command of this process's arguments and leave with its exit status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; its exit status. Whatever it raises becomes a sentence on stderr."""
    debug, rest = _DEBUG in arguments, [each for each in arguments if each != _DEBUG]
    try:
        word = "*" if _COMPLETION in os.environ else next((each for each in rest if not each.startswith("-")), "")
        status = command_line(word)(rest, prog_name="saas", standalone_mode=False)
    except (Exception, KeyboardInterrupt) as error:  # the door: below it nothing is caught so widely
        return report(error, debug=debug)
    return status if isinstance(status, int) else 0
