"""The help: every command explains itself, its options, and shows an example; the front page is quick and true."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from saas.cli import TOPICS, command_line
from tests.cli.conftest import PROGRAM, Operator

OPTIONS = {
    "serve": {"--host", "--port", "--workers", "--migrate", "--worker", "--no-worker"},
    "worker": {"--check"},
    "migrate": {"--check", "--json"},
    "schema": {"--check", "--write", "--folder"},
    "doctor": {"--json"},
    "demo": {"--serve", "--data", "--port"},
    "tenant list": {"--json"},
    "tenant create": {"--owner-name", "--owner-email", "--preset", "--password-stdin", "--key", "--json"},
    "tenant suspend": {"--reason", "--operator"},
    "tenant resume": {"--reason", "--operator"},
    "tenant export": {"--reason", "--operator", "--json"},
    "pool recycle": {"--tenant", "--dry-run", "--json"},
    "pool verify-ledger": {"--tenant", "--heads", "--json"},
    "draw verify": {"--commitment", "--picks-root", "--json"},
    "plugin list": {"--json"},
    "audit verify": {"--tenant", "--all", "--file", "--heads", "--json"},
    "audit export": set(),
    "payroll replay": {"--tenant", "--json"},
    "bench reads": {"--rounds", "--seconds", "--short"},
    "bench import": {"--rows", "--short"},
    "bench allocation": {"--customers", "--reps", "--rounds", "--short"},
    "bench payroll": {"--people", "--rounds", "--short"},
    "import": {"--tenant", "--commit", "--preview", "--mode", "--mapping", "--as", "--errors", "--json"},
    "import-crm": {"--tenant", "--commit", "--preview", "--mapping", "--mode", "--as", "--errors", "--json"},
}


def walked(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every command that does something, with its words."""
    for name, part in command.commands.items():
        words = f"{path} {name}".strip()
        if hasattr(part, "commands"):
            yield from walked(part, words)
        else:
            yield words, part


@pytest.fixture(scope="module")
def commands() -> dict[str, Any]:
    """Every command by its words."""
    return dict(walked(typer.main.get_command(command_line("*"))))


def test_every_command_and_its_options(commands: dict[str, Any]) -> None:
    found = {
        words: {
            option
            for parameter in command.params
            for option in (*parameter.opts, *parameter.secondary_opts)
            if option.startswith("--")
        }
        for words, command in commands.items()
    }
    assert found == OPTIONS


def test_every_option_and_argument_is_explained(commands: dict[str, Any]) -> None:
    dumb = [
        (words, parameter.name)
        for words, command in commands.items()
        for parameter in command.params
        if not parameter.help
    ]
    assert dumb == []


def test_every_command_shows_an_example(commands: dict[str, Any]) -> None:
    assert [words for words, command in commands.items() if f"\n  saas {words}" not in command.help] == []


def test_front_page_says_what_the_commands_say(commands: dict[str, Any]) -> None:
    told = {words: command.help.splitlines()[0] for words, command in commands.items() if " " not in words}
    assert told == {word: TOPICS[word][1] for word in told}


def test_help_of_a_command_as_installed() -> None:
    done = subprocess.run([PROGRAM, "worker", "--help"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: saas worker [OPTIONS]\n\n  Run background jobs until Ctrl-C or SIGTERM.\n")
    assert "--check" in done.stdout


def test_front_page_imports_no_room() -> None:
    script = "import sys, saas.cli; saas.cli.run(['--help']); sys.exit('saas.main' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.partition("Commands:\n")[2].splitlines()] == list(TOPICS)


def test_no_command_is_a_question_for_help(bare_operator: Operator) -> None:
    ended = bare_operator.saas()
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("Usage: saas [OPTIONS] COMMAND [ARGS]...\n")


def test_unknown_command(bare_operator: Operator) -> None:
    ended = bare_operator.saas("migrat")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err == "saas: No such command 'migrat'. Did you mean 'migrate'? `saas --help` shows how.\n"


def test_version(bare_operator: Operator) -> None:
    assert bare_operator.saas("--version").out == "fairlead 0.1.0\n"
