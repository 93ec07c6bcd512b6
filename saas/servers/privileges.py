"""Running PostgreSQL for root, which it refuses to serve.

Preferred is a user namespace in which root appears as another user: the files stay root's, nothing is copied and no
account is made. Where the kernel refuses one (Docker's default profile), the server runs as `nobody` on a folder
that `nobody` can reach. Neither is needed, nor tried, for other users.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from pathlib import Path

from saas.servers.binaries import PostgresPrograms

_NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
_SYSTEM_STATE = Path("/var/lib/fairlead")


@dataclass(frozen=True, slots=True)
class RunAs:
    """How a program is started: words put before its command, and the user and group to become."""

    prefix: tuple[str, ...] = ()
    user: int | None = None
    group: int | None = None

    def popen(
        self, command: Sequence[str], *, log: int, environ: Mapping[str, str], keep: Sequence[int] = ()
    ) -> subprocess.Popen[bytes]:
        """Start the program in a session of its own, so that neither Ctrl-C nor our end reaches it."""
        return subprocess.Popen(  # noqa: S603 - commands are built here, no shell reads them
            [*self.prefix, *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=dict(environ),
            start_new_session=True,
            user=self.user,
            group=self.group,
            extra_groups=None if self.user is None else [],
            pass_fds=() if sys.platform == "win32" else tuple(keep),
        )

    def give(self, path: Path) -> None:
        """Make `path`, and what is in it, belong to the user the program runs as."""
        if sys.platform == "win32" or os.geteuid() != 0:
            return
        user, group = self.user or 0, self.group or 0
        if path.stat().st_uid == user:
            return
        for place in (path, *path.rglob("*")):
            os.chown(place, user, group, follow_symlinks=False)


@dataclass(frozen=True, slots=True)
class Placement:
    """Which programs run, as whom, and in which folder the cluster lies."""

    programs: PostgresPrograms
    run_as: RunAs
    home: Path


def place(programs: PostgresPrograms, data: Path) -> Placement:
    """Settle how this user may run PostgreSQL on `data`."""
    if sys.platform == "win32" or os.geteuid() != 0 or _namespace_allowed():
        namespace = _NAMESPACE if sys.platform != "win32" and os.geteuid() == 0 else ()
        return Placement(programs, RunAs(namespace), data)
    return _as_nobody(programs, data)


@cache
def _namespace_allowed() -> bool:
    if shutil.which(_NAMESPACE[0]) is None:
        return False
    return subprocess.run([*_NAMESPACE, "true"], capture_output=True, check=False).returncode == 0  # noqa: S603


if sys.platform == "win32":

    def _as_nobody(programs: PostgresPrograms, data: Path) -> Placement:
        return Placement(programs, RunAs(), data)
else:
    import pwd

    def _as_nobody(programs: PostgresPrograms, data: Path) -> Placement:
        account = pwd.getpwnam("nobody")
        run_as = RunAs(user=account.pw_uid, group=account.pw_gid)
        if not _runs([programs.program("postgres"), "--version"], run_as):
            programs = _readable_copy(programs)
        home = data
        if not _runs(["test", "-x", str(data)], replace(run_as)):
            # Its parents are closed to others, as /root is. Opening them is not ours to do.
            home = _SYSTEM_STATE / sha256(os.fsencode(data)).hexdigest()[:12]
            home.mkdir(parents=True, exist_ok=True, mode=0o755)
        return Placement(programs, run_as, home)


def _runs(command: Sequence[str], run_as: RunAs) -> bool:
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, check=False, user=run_as.user, group=run_as.group, extra_groups=[], cwd="/"
        )
    except OSError:
        return False
    return done.returncode == 0


def _readable_copy(programs: PostgresPrograms) -> PostgresPrograms:
    """A copy of the wheel outside a closed folder; its ``.libs`` sibling goes along, the programs load from there.

    It lies under a folder that only root can write, so nobody else can put a program in its place.
    """
    wheel = programs.wheel or programs.folder.parent
    target = _SYSTEM_STATE / f"programs-{programs.major}-{sha256(os.fsencode(wheel)).hexdigest()[:12]}"
    inside = programs.folder.relative_to(wheel)
    copy = replace(programs, folder=target / wheel.name / inside, wheel=target / wheel.name)
    if not target.is_dir():
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        draft.mkdir(parents=True, mode=0o755)
        for source in (wheel, wheel.with_name(f"{wheel.name}.libs")):
            if source.is_dir():
                shutil.copytree(source, draft / source.name, symlinks=True)
        draft.rename(target)
    return copy
