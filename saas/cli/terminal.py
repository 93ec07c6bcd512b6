"""What an operator sees: results on stdout, progress on stderr and only on a terminal; JSON where it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated
from uuid import UUID

import orjson
import typer
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def say(text: str) -> None:
    """A line of the result, on stdout."""
    typer.echo(text)


def note(text: str) -> None:
    """A line beside the result, on stderr."""
    typer.echo(text, err=True)


def say_json(value: object) -> None:
    """The result as JSON: UTF-8, indented, times in UTC."""
    say(orjson.dumps(value, default=_text, option=orjson.OPT_INDENT_2).decode())


def _text(value: object) -> str:
    """The database driver's ids are of its own subclass, which the serialiser does not know."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def say_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Aligned columns, whole values (a cut id is of no use); Chinese characters take two places."""
    lines = [head, *rows]
    widths = [max(cell_len(line[place]) for line in lines) for place in range(len(head))]
    for line in lines:
        cells = [text + " " * (width - cell_len(text)) for text, width in zip(line, widths, strict=True)]
        say("  ".join(cells).rstrip())


@contextmanager
def spinner(title: str) -> Iterator[Callable[[str], None]]:
    """Shows that work of unknown length goes on; the block may tell its present step."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _unseen
        return
    with console.status(title) as status:
        yield status.update


@contextmanager
def bar(title: str) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar; the block tells it what is being done, how much of it is done, of how much."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=None)

        def tell(what: str, done: int, total: int) -> None:
            progress.update(task, description=what, completed=done, total=total)

        yield tell


def _unseen(_: str) -> None:
    """Nobody watches."""
