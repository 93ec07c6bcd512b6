"""The files of a PostgreSQL cluster: making them whole or not at all, and reading what a server left in them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from saas.servers import errors
from saas.servers.binaries import PostgresPrograms
from saas.servers.folder import write_private, writing
from saas.servers.privileges import Placement
from saas.servers.sharing import FileLock

SUPERUSER = "postgres"


@dataclass(frozen=True, slots=True)
class PidFile:
    """What postmaster.pid says; it may be left over from a server that is gone."""

    pid: int
    port: int
    ready: bool = False


def read_pid_file(cluster: Path) -> PidFile | None:
    """Lines 1, 4 and 8 of postmaster.pid; None when there is none, or it is being written."""
    with suppress(FileNotFoundError, IndexError, ValueError):
        lines = (cluster / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
        return PidFile(pid=int(lines[0]), port=int(lines[3]), ready=[line.strip() for line in lines[7:8]] == ["ready"])
    return None


def create_cluster(placement: Placement, cluster: Path, alive: FileLock, *, password: str, sync: bool) -> None:
    """Make the cluster beside its final place and move it there whole: a crash leaves none, not half of one.

    The program at work holds `alive`, so that a start after our own death waits until it has ended.

    :raises ServerStartError: the disk is full, or the folder can't be written.
    """
    draft = cluster.with_name("postgres.new")
    word = cluster.with_name("postgres.new.password")
    alive.take(shared=True)
    try:
        with writing(cluster.parent):
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(mode=0o700)
            write_private(word, password)
            placement.run_as.give(draft)
            placement.run_as.give(word)
        done = _initdb(placement, draft, word, alive, sync=sync)
        if done.returncode != 0:
            raise errors.explain_failure(done.stdout, server="PostgreSQL", folder=cluster)
        draft.rename(cluster)
    finally:
        word.unlink(missing_ok=True)
        shutil.rmtree(draft, ignore_errors=True)
        alive.release()


def _initdb(
    placement: Placement, draft: Path, word: Path, alive: FileLock, *, sync: bool
) -> subprocess.CompletedProcess[str]:
    run_as = placement.run_as
    command = [
        *run_as.prefix,
        placement.programs.program("initdb"),
        *("-D", str(draft), "-U", SUPERUSER, "-E", "UTF8", "--locale=C.UTF-8"),
        *("--auth=scram-sha-256", f"--pwfile={word}"),
        *_builtin_locale(placement.programs),
        *(() if sync else ("--no-sync",)),
    ]
    return subprocess.run(  # noqa: S603 - built here from our own words
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        env=server_environ(),
        cwd=draft,
        pass_fds=() if sys.platform == "win32" else (alive.inheritable(),),
        user=run_as.user,
        group=run_as.group,
        extra_groups=None if run_as.user is None else [],
    )


def _builtin_locale(programs: PostgresPrograms) -> tuple[str, ...]:
    """PostgreSQL 17 brought an order of its own, equal on every system."""
    return ("--locale-provider=builtin", "--builtin-locale=C.UTF-8") if programs.major >= 17 else ()


def server_environ() -> dict[str, str]:
    """The machine's locale and time zone must not reach the cluster; nor must PG… variables."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C.UTF-8", "TZ": "UTC"}


def check_version(cluster: Path, programs: PostgresPrograms) -> None:
    """Refuse a cluster that these programs can't open.

    :raises ServerStartError: it was made by another major version.
    """
    with suppress(FileNotFoundError):
        found = int((cluster / "PG_VERSION").read_text(encoding="ascii").split(".")[0])
        if found != programs.major:
            raise errors.wrong_major(cluster, found=found, ours=programs.major)


def stale_pid(cluster: Path) -> dict[str, str]:
    """Lets the server pass over a postmaster.pid whose id now belongs to another program.

    PostgreSQL refuses to start when the id exists. Nobody holds the ``alive`` lock here, so it is not our server's; the
    variable is the one by which pg_ctl tells a server its grandparent, an id that it must not take for a rival.
    """
    told = read_pid_file(cluster)
    if told is None or _is_postgres(told.pid):
        return {}
    return {"PG_GRANDPARENT_PID": str(told.pid)}


def _is_postgres(pid: int) -> bool:
    """Whether a process of that id is a PostgreSQL (one started by hand holds no lock of ours)."""
    with suppress(OSError):
        return b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
    return False
