"""The real `saas` on servers of its own: a data folder that this run's tests of the command line share."""

from __future__ import annotations

import io
import json
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import pytest
import pytest_asyncio

from saas.cli.migrations import make_missing_roles
from saas.config import Settings
from saas.servers import Servers, running_servers
from tenants.roles import url_for

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
class Operator:
    """Someone at a shell, whose environment names the data folder."""

    process: subprocess.Popen[str]
    environ: dict[str, str] = field(default_factory=dict)

    def saas(self, *arguments: str, stdin: str = "", **environ: str) -> Ended:
        """Run a command to its end."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        command = {"arguments": arguments, "environ": {**self.environ, **environ}, "stdin": stdin}
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        return Ended(*json.loads(self.process.stdout.readline()))

    @contextmanager
    def started(self, *arguments: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
        """A command of the installed entry point that runs on; ended, if the block has not ended it."""
        command = [str(PROGRAM), *arguments]
        with subprocess.Popen(command, env={**self.environ, **environ}, stderr=subprocess.PIPE, text=True) as process:
            try:
                yield process
            finally:
                process.kill()


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


@pytest.fixture
def company(operator: Operator) -> str:
    """The id of a fresh company named 晨光销售."""
    address = f"{secrets.token_hex(6)}@example.com"
    ended = operator.saas(
        *(
            "tenant",
            "create",
            "晨光销售",
            "--owner-name",
            "陈晓",
            "--owner-email",
            address,
            "--password-stdin",
            "--json",
        ),
        stdin=f"{PASSWORD}\n",
    )
    assert (ended.status, ended.err) == (0, "")
    return str(ended.json["tenant"])


@pytest_asyncio.fixture(loop_scope="session")
async def administrator(operator: Operator, own_servers: Servers) -> AsyncIterator[Administrator]:
    """A connection to the embedded database as its superuser, whom nothing stops."""
    connection = await asyncpg.connect(own_servers.superuser_url.rpartition("/")[0] + "/fairlead")
    yield connection
    await connection.close()
