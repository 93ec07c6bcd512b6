"""`saas` with its imports already done: forks a child for each command, so that thirty of them take seconds.

Reads a command per line from stdin (arguments, environment, standard input), answers with a line (exit status, stdout,
stderr). A command that runs on names a pipe for its stderr instead of an input, and is answered with its process id;
a later line waits for its end. The child runs what the entry point runs; the entry point itself has tests of its own.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import pkgutil
import signal
import sys
import tempfile
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import saas.cli
from saas.cli.parts import find_part
from saas.main import installed_product
from tenants.orm import bind_models, unbind_models


def main() -> None:
    preload()
    gc.freeze()  # no child looks through what all of them share
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()


def preload() -> None:
    """What a command brings in only when it runs: its topic, the plugins, every room's migrations and tables."""
    for place, _ in saas.cli.TOPICS.values():
        find_part(place)
    import_module("saas.cli.processes")
    apps = installed_product().model_apps
    for _, migrations in apps.values():
        for module in pkgutil.iter_modules(import_module(migrations).__path__, f"{migrations}."):
            import_module(module.name)
    asyncio.run(bind_once(apps))


async def bind_once(apps: Mapping[str, tuple[str, str]]) -> None:
    """The ORM reckons each table's filters at the first time; the command still has to bind them for itself."""
    await bind_models(apps)
    await unbind_models()


def answer(command: dict[str, Any]) -> Any:
    if "ended" in command:
        return os.waitstatus_to_exitcode(os.waitpid(command["ended"], 0)[1])
    return begin(command) if "stderr" in command else carry_out(command)


def begin(command: dict[str, Any]) -> int:
    """A command that runs on, in the installed program where that is named; after five minutes it is ended."""
    child = os.fork()
    if child == 0:
        signal.alarm(300)
        nowhere = os.open(os.devnull, os.O_RDWR)
        told = os.open(command["stderr"], os.O_WRONLY)
        if command["program"]:
            take(nowhere, nowhere, told)
            os.execve(command["program"], [command["program"], *command["arguments"]], command["environ"])
        run_as_child(command, nowhere, nowhere, told)
    return child


def carry_out(command: dict[str, Any]) -> list[Any]:
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(command["stdin"].encode())
        given.seek(0)
        child = os.fork()
        if child == 0:
            run_as_child(command, given.fileno(), out.fileno(), err.fileno())
        _, status = os.waitpid(child, 0)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
        return [os.waitstatus_to_exitcode(status), *texts]


def take(*files: int) -> None:
    """Let them be the standard input, output and error."""
    for place, source in enumerate(files):
        os.dup2(source, place)


def run_as_child(command: dict[str, Any], given: int, out: int, err: int) -> None:
    status = 99
    try:
        take(given, out, err)
        os.environ.clear()
        os.environ.update(command["environ"])
        status = saas.cli.run(command["arguments"])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
