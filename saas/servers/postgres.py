"""The embedded PostgreSQL: one cluster in the data folder, on loopback, behind a password.

The server counts as ready when a connection with the password succeeds, never because a process id exists: after a
crash such an id may belong to another program.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from saas.servers import errors
from saas.servers.binaries import PostgresPrograms, find_postgres
from saas.servers.folder import asked_port, free_port, secret_file, write_private, writing
from saas.servers.privileges import Placement, place
from saas.servers.sharing import FileLock, Progress

SUPERUSER = "postgres"
PORT_VARIABLE = "SAAS_PG_PORT"
READY_LIMIT_SECONDS = 60.0
STOP_LIMIT_SECONDS = 30.0
_PORT_ATTEMPTS = 5
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
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class _Starting(Exception):
    """The server is there, but not ready to talk."""


@dataclass(frozen=True, slots=True)
class _PidFile:
    """What postmaster.pid says; it may be left over from a server that is gone."""

    pid: int
    port: int


class Postgres:
    """The cluster of one data folder."""

    name = "PostgreSQL"
    key = "postgres"

    def __init__(self, folder: Path, *, durable: bool, environ: Mapping[str, str], progress: Progress) -> None:
        self.folder = folder
        self.port = 0
        self._durable = durable
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
            await asyncio.to_thread(self._create, placement, cluster)
        self._progress("Starting PostgreSQL.")
        await self._start(placement, cluster, alive)

    async def stop(self, alive: FileLock) -> None:
        """Disconnect everybody and stop; without effect when the server is gone already."""
        cluster = (await asyncio.to_thread(self._settle)).home / "postgres"
        for how, limit in ((signal.SIGINT, STOP_LIMIT_SECONDS), (_immediate(), STOP_LIMIT_SECONDS)):
            told = _read_pid_file(cluster)
            if told is None or alive.is_free():
                return
            with suppress(ProcessLookupError):
                os.kill(told.pid, how)
            if await _until_free(alive, limit):
                return
        raise errors.ServerStartError(
            f"PostgreSQL on {cluster} does not stop.", remedy=f"End the processes that hold {alive.path}."
        )

    def _settle(self) -> Placement:
        if self._placement is None:
            programs = find_postgres(self._environ)
            with writing(self.folder):
                self._placement = place(programs, self.folder)
            _check_version(self._placement.home / "postgres", programs)
        return self._placement

    async def _adopt(self, cluster: Path, alive: FileLock) -> bool:
        """Use the server that runs on the cluster, if one does.

        While the ``alive`` lock is held some process of that server is left. It either answers, or (its main process
        was killed) its remains end within moments; so this waits for one or the other.
        """
        deadline = asyncio.get_running_loop().time() + READY_LIMIT_SECONDS
        while True:
            told = _read_pid_file(cluster)
            held = not alive.is_free()
            if told is not None and (held or sys.platform == "win32"):
                try:
                    await self._greet(told.port, cluster)
                except (_Starting, OSError):
                    pass
                except asyncpg.InvalidPasswordError as reason:
                    raise errors.wrong_password(self.name, self._secret) from reason
                else:
                    self.port = told.port
                    return True
            if not held:
                return False
            if asyncio.get_running_loop().time() > deadline:
                raise errors.not_ready(self.name, cluster, READY_LIMIT_SECONDS)
            await asyncio.sleep(_POLL_SECONDS)

    async def _greet(self, port: int, cluster: Path) -> None:
        """Prove that the server on `port` is the one on `cluster`, and ours.

        :raises _Starting: it is starting, stopping, or another cluster's.
        """
        try:
            connection = await asyncpg.connect(
                host="127.0.0.1", port=port, user=SUPERUSER, password=self.password, database="postgres", timeout=10
            )
        except (asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError, TimeoutError) as reason:
            raise _Starting from reason
        try:
            if Path(await connection.fetchval("show data_directory")) != cluster:
                raise _Starting
        finally:
            await connection.close(timeout=5)

    def _create(self, placement: Placement, cluster: Path) -> None:
        """Make the cluster beside its final place and move it there whole: a crash leaves none, not half of one."""
        draft = cluster.with_name("postgres.new")
        word = cluster.with_name("postgres.new.password")
        with writing(cluster.parent):
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(mode=0o700)
            placement.run_as.give(draft)
            write_private(word, self.password)
            placement.run_as.give(word)
        try:
            done = self._initdb(placement, draft, word)
            if done.returncode != 0:
                raise errors.explain_failure(done.stdout, server=self.name, folder=cluster)
            draft.rename(cluster)
        finally:
            word.unlink(missing_ok=True)
            shutil.rmtree(draft, ignore_errors=True)

    def _initdb(self, placement: Placement, draft: Path, word: Path) -> subprocess.CompletedProcess[str]:
        run_as = placement.run_as
        command = [
            *run_as.prefix,
            placement.programs.program("initdb"),
            *("-D", str(draft), "-U", SUPERUSER, "-E", "UTF8", "--locale=C.UTF-8"),
            *("--auth=scram-sha-256", f"--pwfile={word}"),
            *_builtin_locale(placement.programs),
            *(() if self._durable else ("--no-sync",)),
        ]
        return subprocess.run(  # noqa: S603 - built here from our own words
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            env=self._server_environ(),
            user=run_as.user,
            group=run_as.group,
            extra_groups=None if run_as.user is None else [],
        )

    async def _start(self, placement: Placement, cluster: Path, alive: FileLock) -> None:
        fixed = asked_port(self._environ, PORT_VARIABLE)
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            port = fixed or free_port()
            output = await self._try_start(placement, cluster, alive, port)
            if output is None:
                self.port = port
                return
            if fixed and errors.lost_port(output):
                raise errors.port_refused(self.name, fixed, PORT_VARIABLE)
            if attempt == _PORT_ATTEMPTS or not errors.lost_port(output):
                raise errors.explain_failure(output, server=self.name, folder=cluster)

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
                environ=self._server_environ() | _stale_pid(cluster),
                keep=[alive.inheritable()],
            )
        finally:
            alive.release()
            os.close(log)
        threading.Thread(target=process.wait, daemon=True, name="postgres-reaper").start()
        try:
            return await self._until_ready(process, cluster, port, began)
        except BaseException:
            process.send_signal(_immediate())
            raise

    async def _until_ready(self, process: subprocess.Popen[bytes], cluster: Path, port: int, began: int) -> str | None:
        deadline = asyncio.get_running_loop().time() + READY_LIMIT_SECONDS
        while process.returncode is None:
            if asyncio.get_running_loop().time() > deadline:
                raise errors.not_ready(self.name, cluster, READY_LIMIT_SECONDS)
            try:
                await self._greet(port, cluster)
            except (_Starting, OSError):
                await asyncio.sleep(_POLL_SECONDS)
            except asyncpg.InvalidPasswordError as reason:
                if _holds_port(cluster, process.pid, port):
                    raise errors.wrong_password(self.name, self._secret) from reason
                await asyncio.sleep(_POLL_SECONDS)  # another program's server won the port; ours is about to end
            else:
                return None
        with self._log.open("rb") as log:
            log.seek(began)
            return log.read().decode(errors="replace")

    def _command(self, placement: Placement, cluster: Path, port: int) -> list[str]:
        settings = _SETTINGS | ({} if self._durable else _NOT_DURABLE) | {"port": str(port)}
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return [placement.programs.program("postgres"), "-D", str(cluster), *options]

    def _server_environ(self) -> dict[str, str]:
        """The machine's locale and time zone must not reach the cluster; nor must PG… variables."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}
        return kept | {"LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _builtin_locale(programs: PostgresPrograms) -> tuple[str, ...]:
    """PostgreSQL 17 brought an order of its own, equal on every system."""
    return ("--locale-provider=builtin", "--builtin-locale=C.UTF-8") if programs.major >= 17 else ()


def _check_version(cluster: Path, programs: PostgresPrograms) -> None:
    with suppress(FileNotFoundError):
        found = int((cluster / "PG_VERSION").read_text(encoding="ascii").split(".")[0])
        if found != programs.major:
            raise errors.wrong_major(cluster, found=found, ours=programs.major)


def _read_pid_file(cluster: Path) -> _PidFile | None:
    """Lines 1 and 4 of postmaster.pid; None when there is none, or it is being written."""
    with suppress(FileNotFoundError, IndexError, ValueError):
        lines = (cluster / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
        return _PidFile(pid=int(lines[0]), port=int(lines[3]))
    return None


def _holds_port(cluster: Path, pid: int, port: int) -> bool:
    return _read_pid_file(cluster) == _PidFile(pid, port)


def _stale_pid(cluster: Path) -> dict[str, str]:
    """Lets the server pass over a postmaster.pid whose id now belongs to another program.

    PostgreSQL refuses to start when the id exists. Nobody holds the ``alive`` lock here, so it is not our server's; the
    variable is the one by which pg_ctl tells a server its grandparent, an id that it must not take for a rival.
    """
    told = _read_pid_file(cluster)
    if told is None or _is_postgres(told.pid):
        return {}
    return {"PG_GRANDPARENT_PID": str(told.pid)}


def _is_postgres(pid: int) -> bool:
    """Whether a process of that id is a PostgreSQL (one started by hand holds no lock of ours)."""
    with suppress(OSError):
        return b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
    return False


def _immediate() -> signal.Signals:
    """The signal for leaving at once; the log is replayed at the next start."""
    return signal.SIGTERM if sys.platform == "win32" else signal.SIGQUIT


async def _until_free(alive: FileLock, limit_seconds: float) -> bool:
    deadline = asyncio.get_running_loop().time() + limit_seconds
    while not alive.is_free():
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(_POLL_SECONDS)
    return True


def _open_log(path: Path) -> int:
    """The log for appending; an overlong one is put aside as ``.old`` first."""
    with suppress(FileNotFoundError):
        if path.stat().st_size > _LOG_LIMIT_BYTES:
            path.replace(path.with_suffix(".log.old"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
