"""The real `saas` on servers of its own: a data folder that this run's tests of the command line share."""

from __future__ import annotations

import io
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO, TypeAlias

import asyncpg
import pytest
import pytest_asyncio

from saas.cli.migrations import make_missing_roles
from saas.config import Settings
from saas.kernel import SystemClock
from saas.servers import Servers, running_servers
from tenants import Database, DatabaseUrls
from tenants.roles import url_for
from tests.companies import found

PROGRAM = Path(sys.executable).with_name("saas")
Administrator: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
PASSWORD = "correct-horse-battery"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


@dataclass
class Running:
    """A command that runs on."""

    operator: Operator
    pid: int
    stderr: TextIO
    status: int | None = None

    def stopped(self, number: signal.Signals) -> int:
        """The exit status after a signal."""
        if self.status is None:
            os.kill(self.pid, number)
            self.status = int(self.operator.ask({"ended": self.pid}))
        return self.status


@dataclass
class Operator:
    """Someone at a shell, whose environment names the data folder."""

    process: subprocess.Popen[str]
    environ: dict[str, str] = field(default_factory=dict)

    def ask(self, command: Mapping[str, object]) -> Any:
        """What the process that forks the commands answers."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def saas(self, *arguments: str, stdin: str = "", **environ: str) -> Ended:
        """Run a command to its end."""
        return Ended(*self.ask({"arguments": arguments, "environ": {**self.environ, **environ}, "stdin": stdin}))

    @contextmanager
    def started(self, *arguments: str, pipe: Path, is_installed: bool = False) -> Iterator[Running]:
        """A command that runs on; ended, if the block has not ended it.

        :param pipe: where its stderr is made; :param is_installed: run the entry point, which imports for itself.
        """
        os.mkfifo(pipe)
        program = str(PROGRAM) if is_installed else None
        command = {"arguments": arguments, "environ": self.environ, "stderr": str(pipe), "program": program}
        pid = self.ask(command)
        with pipe.open() as stderr:
            running = Running(self, pid, stderr)
            try:
                yield running
            finally:
                running.stopped(signal.SIGKILL)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def own_servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    """Servers that no other test uses, because commands make roles and set their passwords."""
    async with running_servers(tmp_path_factory.mktemp("cli") / "data", durable=False) as running:
        yield running


@pytest.fixture(scope="session")
def bare_operator(own_servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """An operator whose servers hold nothing yet."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path_factory.mktemp("home")),
        "USER": "mei",
        "LOGNAME": "mei",
        "LANG": "C.UTF-8",
        "COLUMNS": "120",
        "SAAS_DATA": str(own_servers.data),
    }
    with operator_of(environ) as operator:
        yield operator


@contextmanager
def operator_of(environ: dict[str, str]) -> Iterator[Operator]:
    """An operator whose shell has that environment."""
    source = Path(__file__).with_name("preloaded.py")
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, str(source)], stdin=pipe, stdout=pipe, text=True) as process:
        yield Operator(process, environ)
        assert process.stdin is not None
        process.stdin.close()


@dataclass(frozen=True)
class MadeRoles:
    """What was said when the roles were made on a server without any, and who could sign in then."""

    notes: list[str]
    signed_in: str


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def made_roles(own_servers: Servers) -> MadeRoles:
    """The first thing that happens on the servers, once a run."""
    admin_url, told = own_servers.superuser_url, io.StringIO()
    app_url = url_for(admin_url, role="saas_app", password="our own")
    settings = Settings(data=own_servers.data, database_url=admin_url, database_app_url=app_url)
    with redirect_stderr(told):
        await make_missing_roles(admin_url, settings)
    connection = await asyncpg.connect(app_url)
    signed_in = await connection.fetchval("SELECT current_user")
    await connection.close()
    return MadeRoles(told.getvalue().splitlines(), signed_in)


@pytest.fixture(scope="session")
def first_migration(bare_operator: Operator, made_roles: MadeRoles) -> Ended:
    """`saas migrate` on the embedded server, the first time."""
    return bare_operator.saas("migrate", "--json")


@pytest.fixture(scope="session")
def operator(bare_operator: Operator, first_migration: Ended) -> Operator:
    """An operator of a migrated, embedded installation."""
    assert first_migration.status == 0
    return bare_operator


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def named_url(operator: Operator, own_servers: Servers) -> str:
    """The owner's URL of a migrated database that the operator made and names."""
    connection = await asyncpg.connect(own_servers.superuser_url)
    try:
        await connection.execute("CREATE DATABASE named TEMPLATE fairlead")
    finally:
        await connection.close()
    return own_servers.superuser_url.rpartition("/")[0] + "/named"


@pytest_asyncio.fixture(loop_scope="session")
async def directory(operator: Operator, own_servers: Servers) -> AsyncIterator[Database]:
    """The gate to the embedded database."""
    url = own_servers.superuser_url.rpartition("/")[0] + "/fairlead"
    gate = Database(DatabaseUrls(app=url, platform=url), size=1, platform_size=1)
    yield gate
    await gate.close()


@pytest_asyncio.fixture(loop_scope="session")
async def company(directory: Database) -> str:
    """The id of a fresh company named 晨光销售."""
    address = f"{secrets.token_hex(6)}@example.com"
    return str((await found(directory, SystemClock(), owner_name="陈晓", email=address)).tenant_id)


@pytest_asyncio.fixture(loop_scope="session")
async def administrator(operator: Operator, own_servers: Servers) -> AsyncIterator[Administrator]:
    """A connection to the embedded database as its superuser, whom nothing stops."""
    connection = await asyncpg.connect(own_servers.superuser_url.rpartition("/")[0] + "/fairlead")
    yield connection
    await connection.close()
