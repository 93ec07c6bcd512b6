"""A data folder per test, copied from one made once, and processes that use it as `saas` would."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from saas.servers import Servers, running_servers

_USER = """
import asyncio, json, sys
from pathlib import Path
from saas.servers import running_servers

async def use():
    async with running_servers(Path(sys.argv[1]), durable=False) as servers:
        print(json.dumps([servers.superuser_url, servers.redis_url]), flush=True)
        await asyncio.to_thread(sys.stdin.readline)

asyncio.run(use())
"""


@pytest.fixture(scope="session")
def finished_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose servers ran once and were stopped."""
    data = tmp_path_factory.mktemp("servers") / "data"

    async def run_once() -> None:
        async with running_servers(data, durable=False):
            pass

    with asyncio.Runner() as runner:
        runner.run(run_once())
    return data


@pytest.fixture
def data(finished_folder: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of that folder, for one test."""
    folder = tmp_path / "data"
    shutil.copytree(finished_folder, folder)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@dataclass
class UserProcess:
    """Another process that uses the servers until it is told to leave."""

    process: asyncio.subprocess.Process
    servers: Servers

    async def leave(self) -> None:
        """Let it end in order."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert await self.process.wait() == 0

    async def kill(self) -> None:
        """End it as the kernel would, without any last word."""
        self.process.kill()
        await self.process.wait()


async def start_user(data: Path) -> asyncio.subprocess.Process:
    """Begin such a process; the servers are not there yet."""
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(sys.executable, "-c", _USER, str(data), stdin=pipe, stdout=pipe)


async def appears(file: Path) -> None:
    """Wait until another process has made the file."""
    async with asyncio.timeout(30):
        while not file.exists():  # noqa: ASYNC110, ASYNC240 - the other process has no other way to tell
            await asyncio.sleep(0.001)


@asynccontextmanager
async def user_process(data: Path) -> AsyncIterator[UserProcess]:
    """A process of its own that uses the servers of `data`."""
    process = await start_user(data)
    try:
        assert process.stdout is not None
        database, queue = json.loads(await process.stdout.readline())
        yield UserProcess(process, Servers(superuser_url=database, redis_url=queue, data=data))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
