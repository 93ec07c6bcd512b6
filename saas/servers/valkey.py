"""The embedded Valkey: the job queue's memory, in the data folder, on loopback, behind a password.

Spoken to in its own protocol with a few lines here, so that starting a server needs no client library. Run on Linux;
macOS has the same program. Windows has none that can be shared, so REDIS_URL is needed there.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from saas.servers import errors
from saas.servers.binaries import find_valkey
from saas.servers.folder import secret_file, write_private, writing
from saas.servers.ports import Port
from saas.servers.privileges import RunAs
from saas.servers.sharing import FileLock, Progress, until_free

PORT_VARIABLE = "SAAS_REDIS_PORT"
READY_LIMIT_SECONDS = 30.0
STOP_LIMIT_SECONDS = 30.0
_POLL_SECONDS = 0.02
_READY = "Ready to accept connections"


class _Starting(Exception):
    """The server does not answer yet, or it is another one."""


class Valkey:
    """The Valkey of one data folder."""

    name = "Valkey"
    key = "valkey"

    def __init__(self, folder: Path, *, durable: bool, environ: Mapping[str, str], progress: Progress) -> None:
        self.folder = folder
        self.port = 0
        self._durable = durable
        self._port_choice = Port(self.name, memory=folder / "valkey.port", variable=PORT_VARIABLE, environ=environ)
        self._progress = progress
        self._store = folder / "valkey"
        self._secret = folder / "valkey.password"
        self._log = folder / "valkey.log"

    @property
    def password(self) -> str:
        """The server's password, from its file in the data folder."""
        return secret_file(self._secret)

    @property
    def url(self) -> str:
        """The connection to the running server."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    async def adopt_or_start(self, alive: FileLock) -> None:
        """See :class:`saas.servers.sharing.Server`."""
        if await self._adopt(alive):
            self._progress("Valkey already runs.")
            return
        self._progress("Starting Valkey.")
        with writing(self.folder):
            self._store.mkdir(mode=0o700, exist_ok=True)
        await self._start(alive)

    async def stop(self, alive: FileLock) -> None:
        """Write everything to disk and stop; without effect when the server is gone already."""
        with suppress(_Starting, OSError):
            await self._say(self._port_choice.last() or self.port, "SHUTDOWN")
        if not await until_free(alive, STOP_LIMIT_SECONDS):
            raise errors.ServerStartError(
                f"Valkey on {self._store} does not stop.", remedy=f"End the process that holds {alive.path}."
            )

    async def _adopt(self, alive: FileLock) -> bool:
        """Use the server that runs here, if one does: while the ``alive`` lock is held, it answers or it ends."""
        deadline = asyncio.get_running_loop().time() + READY_LIMIT_SECONDS
        while not alive.is_free():
            port = self._port_choice.last()
            if port is not None:
                with suppress(_Starting, OSError):
                    await self._greet(port)
                    self.port = port
                    return True
            if asyncio.get_running_loop().time() > deadline:
                raise errors.not_ready(self.name, self._store, READY_LIMIT_SECONDS)
            await asyncio.sleep(_POLL_SECONDS)
        return False

    async def _greet(self, port: int) -> None:
        """Prove that the server on `port` takes our password.

        :raises _Starting: it is starting or stopping.
        :raises ServerStartError: it refuses the password.
        """
        answer = await self._say(port, "PING")
        if answer == "+PONG":
            return
        if answer.startswith(("-WRONGPASS", "-NOAUTH")):
            raise errors.wrong_password(self.name, self._secret)
        raise _Starting(answer)

    async def _say(self, port: int, command: str) -> str:
        """The answer to one command after signing in; the refusal instead, if that fails."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for words in (f"AUTH {self.password}", command):
                writer.write(f"{words}\r\n".encode())
                await writer.drain()
                answer = (await asyncio.wait_for(reader.readline(), 5)).decode(errors="replace").strip()
                if answer.startswith("-"):
                    break
        except TimeoutError as reason:
            raise _Starting from reason
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
        return answer

    async def _start(self, alive: FileLock) -> None:
        program = find_valkey()
        self.port = await self._port_choice.find(lambda port: self._try_start(program, alive, port), folder=self._store)

    async def _try_start(self, program: Path, alive: FileLock, port: int) -> str | None:
        """Start the server on `port`: None when it answers, else what it wrote before it ended."""
        settings = self.folder / "valkey.conf"
        with writing(self.folder):
            write_private(settings, self._settings(port))
            log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        try:
            alive.take(shared=True)
            process = RunAs().popen(
                [str(program), str(settings)],
                log=log,
                environ={**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
                keep=[alive.inheritable()],
            )
        finally:
            alive.release()
            os.close(log)
        threading.Thread(target=process.wait, daemon=True, name="valkey-reaper").start()
        try:
            return await self._until_ready(process, port)
        except BaseException:
            process.terminate()
            await until_free(alive, STOP_LIMIT_SECONDS)
            raise

    async def _until_ready(self, process: subprocess.Popen[bytes], port: int) -> str | None:
        deadline = asyncio.get_running_loop().time() + READY_LIMIT_SECONDS
        while process.returncode is None:
            # Before it says so itself, another program may hold the port, and would be shown the password.
            if _READY in self._output():
                with suppress(_Starting, OSError):
                    await self._greet(port)
                    return None
            if asyncio.get_running_loop().time() > deadline:
                raise errors.not_ready(self.name, self._store, READY_LIMIT_SECONDS)
            await asyncio.sleep(_POLL_SECONDS)
        return self._output()

    def _output(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def _settings(self, port: int) -> str:
        """The settings go through a private file: on the command line everybody could read the password."""
        return "\n".join(
            [
                "bind 127.0.0.1",
                f"port {port}",
                f"dir {_quoted(self._store)}",
                f"requirepass {self.password}",
                'save ""',
                "appendonly yes",
                f"appendfsync {'everysec' if self._durable else 'no'}",
                "maxmemory-policy noeviction",
                "daemonize no",
                "",
            ]
        )


def _quoted(path: Path) -> str:
    """A path as the settings file wants it, whatever characters it holds."""
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
