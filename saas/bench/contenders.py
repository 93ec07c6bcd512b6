"""Who competes: each contender is a process of its own behind a URL, and what is seen of it from outside."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import IO

from saas.bench.errors import ContenderFailed
from saas.bench.machine import cpu_seconds, resident_bytes

URL_VARIABLE = "SAAS_BENCH_DATABASE"
POOL_VARIABLE = "SAAS_BENCH_POOL"
START_LIMIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Contender:
    """A web application: uvicorn's factory `app`, with `environment` beside the benchmark's own; `http` is how it
    speaks HTTP: uvicorn's own protocol, or what the application is served with."""

    name: str
    title: str
    app: str
    http: str = "httptools"
    environment: Mapping[str, str] = field(default_factory=dict)


FLOOR = Contender("floor", "bare Starlette + asyncpg, one hand-written statement", "saas.bench.floor:create_app")
PRODUCT = Contender(
    "product", "Fairlead, everything on", "saas.bench.product:create_app", http="saas.web.protocol:OneWriteProtocol"
)
ORDINARY = Contender("ordinary", "plain Strawberry + Tortoise with prefetch", "saas.bench.ordinary:create_app")


@dataclass(frozen=True, slots=True)
class Running:
    """A contender that answers on `port` of the loopback address."""

    contender: Contender
    port: int
    pid: int

    def cpu_seconds(self) -> float | None:
        """Processor time used so far; None where the system has no /proc."""
        return cpu_seconds(self.pid)

    def resident_bytes(self) -> int | None:
        """Memory in use; None where the system has no /proc."""
        return resident_bytes(self.pid)


@asynccontextmanager
async def serving(contender: Contender, environment: Mapping[str, str]) -> AsyncIterator[Running]:
    """Run a contender in one uvicorn worker until the block ends.

    :raises ContenderFailed: it does not serve within a minute.
    """
    port = _free_port()
    with TemporaryFile() as output:
        process = await asyncio.create_subprocess_exec(
            *_command(contender, port),
            env={**os.environ, **environment, **contender.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            await _until_serving(contender, process, port, output)
            yield Running(contender, port, process.pid)
        finally:
            await _stop(process)


def _command(contender: Contender, port: int) -> Sequence[str]:
    options = {"--host": "127.0.0.1", "--port": str(port), "--http": contender.http, "--log-level": "warning"}
    loop = "asyncio" if sys.platform == "win32" else "uvloop"
    arguments = [text for pair in {**options, "--loop": loop}.items() for text in pair]
    return [sys.executable, "-m", "uvicorn", contender.app, "--factory", "--no-access-log", *arguments]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _until_serving(
    contender: Contender, process: asyncio.subprocess.Process, port: int, output: IO[bytes]
) -> None:
    try:
        async with asyncio.timeout(START_LIMIT_SECONDS):
            while not await _answers(port):
                if process.returncode is not None:
                    raise ContenderFailed(contender.name, _last_words(output))
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise ContenderFailed(contender.name, _last_words(output)) from None


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


def _last_words(output: IO[bytes]) -> str:
    output.seek(0)
    return output.read()[-2000:].decode(errors="replace").strip()


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
