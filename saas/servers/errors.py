"""Why a server could not be started, in sentences an operator can act on."""

from __future__ import annotations

import re
from pathlib import Path


class ServerStartError(Exception):
    """An embedded server (or the named one) can't be used.

    The message is the fact with its values, the rule behind it, and the remedy: one sentence each. It is for a
    person at a terminal, so it carries no traceback and no password.
    """

    def __init__(self, fact: str, *, rule: str = "", remedy: str) -> None:
        super().__init__(" ".join(part for part in (fact, rule, remedy) if part))
        self.fact = fact
        self.rule = rule
        self.remedy = remedy


_PORT_TAKEN = re.compile(r"Address already in use|could not create any TCP/IP sockets|Could not create server TCP")
_DISK_FULL = re.compile(r"No space left on device|Disk quota exceeded|File too large", re.IGNORECASE)
_OTHER_MAJOR = re.compile(r"initialized by PostgreSQL version (\d+)[^,]*, which is not compatible .*? (\d+)")
_LOCK_FILE = re.compile(r'lock file "[^"]*" already exists')
_MEMORY = re.compile(r"could not create shared memory segment|Cannot allocate memory|could not map anonymous shared")
_PERMISSION = re.compile(r"Permission denied|Read-only file system|Operation not permitted", re.IGNORECASE)
_BROKEN_AOF = re.compile(r"Bad file format reading the append only file|AOF .* is (?:corrupt|truncated)", re.IGNORECASE)


def lost_port(output: str) -> bool:
    """Whether a server's output says that another process holds its port."""
    return _PORT_TAKEN.search(output) is not None


def explain_failure(output: str, *, server: str, folder: Path) -> ServerStartError:
    """What a server's own output means for the operator; `output` is what it wrote before it gave up."""
    major = _OTHER_MAJOR.search(output)
    if major:
        return wrong_major(folder, found=int(major[1]), ours=int(major[2]))
    if _DISK_FULL.search(output):
        return ServerStartError(
            f"{server} could not write to {folder}: the disk (or the quota) is full.",
            rule="Nothing half written is kept.",
            remedy="Free some space, or name another folder with SAAS_DATA, and start again.",
        )
    if _LOCK_FILE.search(output):
        return ServerStartError(
            f"{server} says that another server already runs on {folder}.",
            rule="One data folder serves one server.",
            remedy="Stop that server, or name another folder with SAAS_DATA.",
        )
    if _BROKEN_AOF.search(output):
        return ServerStartError(
            f"{server} can't read its append-only file in {folder}.",
            rule="The queue is rebuilt from PostgreSQL, so nothing in it is the only copy.",
            remedy=f"Move {folder} away and start again.",
        )
    if _PERMISSION.search(output):
        return not_writable(folder, _last_line(output))
    if _MEMORY.search(output):
        return ServerStartError(
            f"{server} was refused its shared memory: {_last_line(output)}",
            rule="It needs about 200 MB.",
            remedy="Give the machine or container more memory.",
        )
    return ServerStartError(
        f"{server} did not start on {folder}: {_last_line(output) or 'it wrote nothing'}",
        remedy="Read its log in the data folder; `saas doctor` checks the usual causes.",
    )


def wrong_major(folder: Path, *, found: int, ours: int) -> ServerStartError:
    """The cluster was made by another major version of PostgreSQL."""
    remedy = (
        f"Start it with the binaries of version {found} (SAAS_PG_BIN names their folder), or dump it there with "
        "pg_dumpall and load it into an empty SAAS_DATA."
    )
    age = "newer" if found > ours else "older"
    return ServerStartError(
        f"{folder} was made by PostgreSQL {found}, which is {age} than the installed {ours}.",
        rule="A PostgreSQL server opens clusters of its own major version only.",
        remedy=remedy,
    )


def not_writable(folder: Path, reason: str) -> ServerStartError:
    """The data folder can't be written by this user."""
    return ServerStartError(
        f"The data folder {folder} can't be used: {reason}.",
        rule="The servers keep their files there and nobody else may read them.",
        remedy="Give this user the folder, or name another one with SAAS_DATA.",
    )


def port_refused(server: str, port: int, variable: str) -> ServerStartError:
    """The port is taken (or reserved), and it was asked for, or every other one was taken too."""
    return ServerStartError(
        f"{server} can't listen on 127.0.0.1:{port}: the port is taken.",
        rule=f"{variable} fixes the port; without it a free one is chosen.",
        remedy=f"Stop the program that holds the port, or change {variable}.",
    )


def wrong_password(server: str, secret: Path) -> ServerStartError:
    """The server runs, but refuses the password that the data folder holds."""
    return ServerStartError(
        f"{server} refuses the password in {secret}.",
        rule="The password was set when the server was made, and the file must not change afterwards.",
        remedy="Put the original file back, or move the data folder away to begin with an empty one.",
    )


def not_ready(server: str, folder: Path, seconds: float) -> ServerStartError:
    """The server runs, but has not answered in time."""
    return ServerStartError(
        f"{server} on {folder} has not answered for {seconds:.0f} seconds.",
        rule="After a crash it may still be reading its log.",
        remedy="Wait and start again; if it stays so, read its log in the data folder.",
    )


def _last_line(output: str) -> str:
    """The line that tells most: the last FATAL, PANIC or error, else the last one."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"FATAL|PANIC|[Ee]rror|denied", line)]
    return ([*lines, *telling] or [""])[-1]
