"""`saas`, the operator's door: every command, and one sentence for whatever ends one early. It holds no rules."""

from __future__ import annotations

import sys
import warnings
from importlib.metadata import version
from typing import Annotated

import typer

from saas.cli import audit, doctor, migrations, plugins, schema, serving, showing, tenants
from saas.cli.failures import report
from saas.cli.terminal import say

__all__ = ["app", "main"]

app = typer.Typer(
    name="saas",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # they print local variables, and some are secrets
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
_DEBUG = "--debug"


def _version(is_asked: bool) -> None:
    if is_asked:
        say(f"fairlead {version('fairlead')}")
        raise typer.Exit


@app.callback()
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


app.command()(serving.serve)
app.command()(serving.worker)
app.command()(migrations.migrate)
app.command()(schema.schema)
app.command()(doctor.doctor)
app.command()(showing.demo)
app.add_typer(tenants.commands, name="tenant")
app.add_typer(plugins.commands, name="plugin")
app.add_typer(audit.commands, name="audit")
app.add_typer(showing.commands, name="bench")


def main() -> None:
    """The entry point: run the command of this process's arguments and leave with its exit status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; its exit status. Whatever it raises becomes a sentence on stderr."""
    debug = _DEBUG in arguments
    warnings.filterwarnings("ignore", message="Module .* has no models", category=RuntimeWarning)
    try:
        status = app([each for each in arguments if each != _DEBUG], standalone_mode=False)
    except (Exception, KeyboardInterrupt) as error:  # the door: below it nothing is caught so widely
        return report(error, debug=debug)
    return status if isinstance(status, int) else 0
