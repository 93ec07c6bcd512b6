"""`saas schema`: the GraphQL schema as text, held against the committed files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

import saas
from saas.cli.failures import FAILED
from saas.cli.schema_changes import breaking_changes, difference, extension
from saas.cli.terminal import note, say
from saas.extensions import PluginHost, installed_plugins
from saas.main import HOOKS, Product

CORE = "schema.graphql"
MARK = "BREAKING:"
_CLONE = Path(saas.__file__).resolve().parents[1]

Folder = Annotated[
    Path, typer.Option(help="Folder of schema.graphql.", show_default="that of the package", file_okay=False)
]


def schema(
    check: Annotated[bool, typer.Option("--check", help="Exit 1 where committed files differ from the code.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Write the files instead of printing.")] = False,
    folder: Folder = _CLONE,
) -> None:
    """Print the GraphQL schema, or compare it.

    schema.graphql holds the core; plugins/NAME/schema.graphql what a plugin adds. --write refuses a change that
    breaks clients (a field gone, a type changed, an argument newly required) unless CHANGELOG.md carries a line with
    "BREAKING:" that says how to upgrade.

    \b
    Examples:
      saas schema > schema.graphql
      saas schema --write
      saas schema --check    # in CI: exit 1 and a diff
    """
    if check and write:
        raise typer.BadParameter("--check and --write exclude each other")
    texts = schema_texts()
    if check:
        _check(folder, texts)
    elif write:
        _write(folder, texts)
    else:
        for text in texts.values():
            say(text.rstrip("\n"))


def schema_texts() -> dict[str, str]:
    """The schema from the code: file name below the clone → its text; the core first, then each plugin's addition."""
    core = _printed({})
    texts = {CORE: core}
    for name, plugin in sorted(installed_plugins().items()):
        manifest = PluginHost(HOOKS, {name: plugin}).manifest(name)
        if manifest.reads is not None and manifest.package.startswith("plugins."):
            texts[f"{manifest.package.replace('.', '/')}/{CORE}"] = extension(core, _printed({name: plugin}))
    return texts


def _printed(plugins: Mapping[str, object]) -> str:
    return Product(PluginHost(HOOKS, plugins)).schema.print()


def _check(folder: Path, texts: dict[str, str]) -> None:
    differing = 0
    for name, text in texts.items():
        lines = difference(_committed(folder / name), text, name=name)
        differing += bool(lines)
        for line in lines:
            say(line)
    if differing:
        note("saas: The committed schema is not what the code says. Run `saas schema --write` and review the change.")
        raise typer.Exit(FAILED)
    note(f"{', '.join(texts)}: as the code says.")


def _write(folder: Path, texts: dict[str, str]) -> None:
    broken = breaking_changes(_committed(folder / CORE), texts[CORE])
    if broken and not _is_announced(folder / "CHANGELOG.md"):
        for change in broken:
            say(change)
        note(f"saas: These changes break clients. Announce them in CHANGELOG.md with a line that carries {MARK!r}.")
        raise typer.Exit(FAILED)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
        note(f"{name} is written.")


def _committed(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _is_announced(changelog: Path) -> bool:
    """Whether the newest release's section carries the mark: an older one's announced older changes."""
    sections = _committed(changelog).split("\n## ")
    return len(sections) > 1 and MARK in sections[1]
