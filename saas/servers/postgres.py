"""The embedded PostgreSQL: one cluster in the data folder, on loopback, behind a password.

The server counts as ready when a connection with the password succeeds, never because a process id exists: after a
crash such an id may belong to another program.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import asyncpg

from saas.servers import errors
from saas.servers.binaries import find_postgres
from saas.servers.cluster import (
    SUPERUSER,
    PidFile,
    check_version,
    create_cluster,
    read_pid_file,
    server_environ,
    stale_pid,
)
from saas.servers.folder import secret_file, writing
from saas.servers.ports import Port
from saas.servers.privileges import Placement, place
from saas.servers.sharing import FileLock, Progress, until_free

PORT_VARIABLE = "SAAS_PG_PORT"
READY_LIMIT_SECONDS = 60.0
STOP_LIMIT_SECONDS = 30.0
_POLL_SECONDS = 0.03
_LOG_LIMIT_BYTES = 10_000_000

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
}
# First let it end its sessions and write everything; if it won't, leave at once and replay the log at the next start.
# Windows (not run) knows only the abrupt way.
if sys.platform == "win32":
    _WAYS_TO_STOP = (signal.SIGTERM,)
else:
    _WAYS_TO_STOP = (signal.SIGINT, signal.SIGQUIT)
# Commits still reach the system at once, so that a killed server loses none; only a power cut does harm.
_NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}


class _Starting(Exception):
    """The server is there, but not ready to talk."""


class Postgres:
    """The cluster of one data folder."""

    name = "PostgreSQL"
    key = "postgres"

    def __init__(self, folder: Path, *, durable: bool, environ: Mapping[str, str], progress: Progress) -> None:
        self.folder = folder
        self.port = 0
        self._durable = durable
        self._port_choice = Port(self.name, memory=folder / "postgres.port", variable=PORT_VARIABLE, environ=environ)
        self._environ = environ
        self._progress = progress
        self._secret = folder / "postgres.password"
        self._log = folder / "postgres.log"
        self._placement: Placement | None = None

    @property
    def password(self) -> str:
        """The superuser's password, from its file in the data folder."""
        return secret_file(self._secret)

    @property
    def url(self) -> str:
        """The superuser's connection to the running server."""
        return f"postgres://{SUPERUSER}:{self.password}@127.0.0.1:{self.port}/postgres"

    async def adopt_or_start(self, alive: FileLock) -> None:
        """See :class:`saas.servers.sharing.Server`."""
        placement = await asyncio.to_thread(self._settle)
        cluster = placement.home / "postgres"
        if await self._adopt(cluster, alive):
            self._progress("PostgreSQL already runs.")
            return
        if not cluster.exists():
            self._progress("Creating the PostgreSQL cluster (once).")
            await asyncio.to_thread(
                create_cluster, placement, cluster, alive, password=self.password, sync=self._durable
            )
        self._progress("Starting PostgreSQL.")
        await self._start(placement, cluster, alive)

    async def stop(self, alive: FileLock) -> None:
        """Disconnect everybody and stop; without effect when the server is gone already."""
        cluster = (await asyncio.to_thread(self._settle)).home / "postgres"
        for how in _WAYS_TO_STOP:
            told = read_pid_file(cluster)
            if told is not None and _may_live(alive):
                with suppress(ProcessLookupError):
                    os.kill(told.pid, how)
            if await until_free(alive, STOP_LIMIT_SECONDS):
                return
        raise errors.ServerStartError(
            f"PostgreSQL on {cluster} does not stop.", remedy=f"End the processes that hold {alive.path}."
        )

    def _settle(self) -> Placement:
        if self._placement is None:
            programs = find_postgres(self._environ)
            with writing(self.folder):
                self._placement = place(programs, self.folder)
            check_version(self._placement.home / "postgres", programs)
        return self._placement

    async def _adopt(self, cluster: Path, alive: FileLock) -> bool:
        """Use the server that runs on the cluster, if one does.

        While the ``alive`` lock is held some process of that server is left. It either answers, or (its main process
        was killed) its remains end within moments; so this waits for one or the other.
        """
        deadline = asyncio.get_running_loop().time() + READY_LIMIT_SECONDS
        while True:
            told = read_pid_file(cluster)
            if told is not None and told.ready and _may_live(alive):
                with suppress(_Starting):
                    await self._greet(told.port, cluster)
                    self.port = told.port
                    return True
            if alive.is_free():
                return False
            if asyncio.get_running_loop().time() > deadline:
                raise errors.not_ready(self.name, cluster, READY_LIMIT_SECONDS)
            await asyncio.sleep(_POLL_SECONDS)

    async def _greet(self, port: int, cluster: Path) -> None:
        """Prove that the server on `port` is the one on `cluster`, and ours.

        :raises _Starting: it is starting, stopping, or another cluster's.
        :raises ServerStartError: it refuses the password.
        """
        try:
            connection = await asyncpg.connect(
                host="127.0.0.1",
                port=port,
                user=SUPERUSER,
                password=self.password,
                database="postgres",
                ssl=False,
                timeout=10,
            )
        except asyncpg.InvalidPasswordError as reason:
            raise errors.wrong_password(self.name, self._secret) from reason
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as reason:
            raise _Starting from reason
        try:
            if Path(await connection.fetchval("show data_directory")) != cluster:
                raise _Starting
        finally:
            await connection.close(timeout=5)

    async def _start(self, placement: Placement, cluster: Path, alive: FileLock) -> None:
        self.port = await self._port_choice.find(
            lambda port: self._try_start(placement, cluster, alive, port), folder=cluster
        )

    async def _try_start(self, placement: Placement, cluster: Path, alive: FileLock, port: int) -> str | None:
        """Start the server on `port`: None when it answers, else what it wrote before it ended."""
        with writing(self.folder):
            placement.run_as.give(cluster)
            log = _open_log(self._log)
            began = os.fstat(log).st_size
        try:
            alive.take(shared=True)
            process = placement.run_as.popen(
                self._command(placement, cluster, port),
                log=log,
                environ=server_environ() | stale_pid(cluster),
                keep=[alive.inheritable()],
            )
        finally:
            alive.release()
            os.close(log)
        threading.Thread(target=process.wait, daemon=True, name="postgres-reaper").start()
        try:
            return await self._until_ready(process, cluster, port, began)
        except BaseException:
            process.send_signal(_WAYS_TO_STOP[-1])
            await until_free(alive, STOP_LIMIT_SECONDS)
            raise

    async def _until_ready(self, process: subprocess.Popen[bytes], cluster: Path, port: int, began: int) -> str | None:
        deadline = asyncio.get_running_loop().time() + READY_LIMIT_SECONDS
        while process.returncode is None:
            if asyncio.get_running_loop().time() > deadline:
                raise errors.not_ready(self.name, cluster, READY_LIMIT_SECONDS)
            # Before the server says so itself, another program may hold the port.
            if read_pid_file(cluster) == PidFile(process.pid, port, ready=True):
                with suppress(_Starting):
                    await self._greet(port, cluster)
                    return None
            await asyncio.sleep(_POLL_SECONDS)
        with self._log.open("rb") as log:
            log.seek(began)
            return log.read().decode(errors="replace")

    def _command(self, placement: Placement, cluster: Path, port: int) -> list[str]:
        settings = _SETTINGS | ({} if self._durable else _NOT_DURABLE) | {"port": str(port)}
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return [placement.programs.program("postgres"), "-D", str(cluster), *options]


def _may_live(alive: FileLock) -> bool:
    """Whether a server may be there: on Windows it can't hold the lock, so only its answer tells."""
    return sys.platform == "win32" or not alive.is_free()


def _open_log(path: Path) -> int:
    """The log for appending; an overlong one is put aside as ``.old`` first."""
    with suppress(FileNotFoundError):
        if path.stat().st_size > _LOG_LIMIT_BYTES:
            path.replace(path.with_suffix(".log.old"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
