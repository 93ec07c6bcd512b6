"""`saas plugin …`: what is installed, and that it can be used."""

from __future__ import annotations

import os

import typer

from saas.cli.failures import operator_locale
from saas.cli.terminal import AsJson, note, say_json, say_table
from saas.main import installed_product

commands = typer.Typer(no_args_is_help=True, help="Plugins: list what is installed.")


@commands.callback()
def plugins() -> None:
    """Plugins: list what is installed. A company enables them for itself, over the API."""


@commands.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the installed plugins: name, version, plugin API, title. One that can't be used is an error.

    \b
    Examples:
      saas plugin list
      saas plugin list --json
    """
    manifests = installed_product().host.manifests
    if as_json:
        say_json(
            [
                {
                    "name": each.name,
                    "version": each.version,
                    "api": each.api,
                    "title": dict(each.title),
                    "permissions": list(each.permissions),
                    "settings": each.settings.model_json_schema(),
                }
                for each in manifests.values()
            ]
        )
    elif manifests:
        locale = operator_locale(os.environ)
        rows = [[each.name, each.version, each.api, each.title[locale]] for each in manifests.values()]
        say_table(["name", "version", "api", "title"], rows)
    else:
        note("No plugin is installed; docs/plugins.md says how to write one.")
