"""What the machine says of its processes: processor time and memory, from /proc where there is one."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

import asyncpg

_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def cpu_seconds(pid: int) -> float | None:
    """User and system time of a process; None where it is gone or the system has no /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_bytes(pid: int) -> int | None:
    """Memory in use by a process; None where it is gone or the system has no /proc."""
    return _memory(pid, "VmRSS:")


def peak_bytes(pid: int) -> int | None:
    """The most memory that a process ever used; None where it is gone or the system has no /proc.

    Not `resource.getrusage`: a process inherits that figure from the one that started it.
    """
    return _memory(pid, "VmHWM:")


def _memory(pid: int, name: str) -> int | None:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name)), None)


def describe_machine() -> str:
    """Its kind: processors and memory, no names."""
    memory = ""
    if hasattr(os, "sysconf"):
        memory = f", {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
    return f"{os.cpu_count()} cores{memory}"


class PostgresProcesses:
    """The processes of a PostgreSQL server on this machine; of a remote one nothing is known."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def __aenter__(self) -> PostgresProcesses:
        self._connection = await asyncpg.connect(self._url, timeout=10)
        self._is_local = await self._connection.fetchval("SELECT inet_server_addr() <<= '127.0.0.0/8'::inet")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connection.close()

    async def cpu(self) -> dict[int, float]:
        """Processor seconds of each of the server's processes; empty where they can't be seen."""
        if not self._is_local:
            return {}
        rows = await self._connection.fetch("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        seconds = {row["pid"]: cpu_seconds(row["pid"]) for row in rows}
        return {pid: value for pid, value in seconds.items() if value is not None}


def spent(before: dict[int, float], after: dict[int, float]) -> float | None:
    """Processor seconds between two readings, of the processes that lived through both; None where none is seen."""
    both = before.keys() & after.keys()
    return sum(after[pid] - before[pid] for pid in both) if both else None
