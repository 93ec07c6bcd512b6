"""What `saas doctor` looks at: whether this machine can run the product, and what to do where it can't."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncpg

from saas.servers.binaries import OLDEST_POSTGRES, find_postgres, find_valkey
from saas.servers.errors import ServerStartError
from saas.servers.folder import data_folder, prepare_folder
from saas.servers.running import running_servers

OLDEST_PYTHON = (3, 11)
NEEDED_BYTES = 500_000_000
_ANSWER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; the remedy is empty where nothing is wrong."""

    name: str
    ok: bool
    fact: str
    remedy: str = ""


async def diagnose(environ: Mapping[str, str]) -> list[Finding]:
    """Look at everything the product needs, in the order in which one would mend it. Never raises for a fault found.

    Embedded servers are really started (or adopted) and stopped again; named ones are really signed in to.
    """
    database, queue = environ.get("DATABASE_URL", ""), environ.get("REDIS_URL", "")
    findings = [check_python(sys.version_info[:2])]
    if not (database and queue):
        folder = check_folder(data_folder(environ))
        findings += [check_programs(environ, postgres=not database, redis=not queue), folder]
        if all(finding.ok for finding in findings):
            findings.append(await _check_embedded(environ, postgres=not database, redis=not queue))
    if database:
        findings.append(await check_database(database))
    if queue:
        findings.append(await check_queue(queue))
    return findings


def check_python(version: tuple[int, int]) -> Finding:
    """Whether the interpreter is new enough."""
    told, needed = (".".join(map(str, each)) for each in (version, OLDEST_PYTHON))
    ok = version >= OLDEST_PYTHON
    return Finding("python", ok, f"Python {told}.", "" if ok else f"Install Python {needed} or newer.")


def check_programs(environ: Mapping[str, str], *, postgres: bool, redis: bool) -> Finding:
    """Whether the embedded servers' programs are there and run."""
    found = []
    try:
        if postgres:
            programs = find_postgres(environ)
            found.append(f"PostgreSQL {programs.major} in {programs.folder}")
        if redis:
            found.append(f"Valkey in {find_valkey().parent}")
    except ServerStartError as refusal:
        return _refused("programs", refusal)
    return Finding("programs", True, f"{'; '.join(found)}.")


def check_folder(folder: Path, *, needed_bytes: int = NEEDED_BYTES) -> Finding:
    """Whether the data folder can be written and its disk has room."""
    try:
        prepare_folder(folder)
    except ServerStartError as refusal:
        return _refused("data folder", refusal)
    free = shutil.disk_usage(folder).free
    fact = f"{folder} can be written; {free // 1_000_000} MB are free."
    if free < needed_bytes:
        remedy = f"Free at least {needed_bytes // 1_000_000} MB, or name another folder with SAAS_DATA."
        return Finding("data folder", False, fact, remedy)
    return Finding("data folder", True, fact)


async def _check_embedded(environ: Mapping[str, str], *, postgres: bool, redis: bool) -> Finding:
    steps: list[str] = []
    try:
        async with running_servers(
            data_folder(environ), postgres=postgres, redis=redis, on_progress=steps.append, environ=environ
        ):
            return Finding("servers", True, f"The embedded servers answer. {' '.join(steps)}")
    except ServerStartError as refusal:
        return _refused("servers", refusal)


async def check_database(url: str) -> Finding:
    """Whether the server of DATABASE_URL takes us and is new enough. Passwords are never repeated."""
    where = _without_secret(url)
    try:
        connection = await asyncpg.connect(url, timeout=_ANSWER_SECONDS)
    except asyncpg.InvalidAuthorizationSpecificationError:
        return Finding("database", False, f"{where} refuses the user or password.", "Correct DATABASE_URL.")
    except asyncpg.InvalidCatalogNameError:
        return Finding("database", False, f"{where} has no such database.", "Create it, or correct DATABASE_URL.")
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as reason:
        return Finding("database", False, f"{where} can't be reached: {_told(reason)}.", _REACH.format("DATABASE_URL"))
    try:
        major = connection.get_server_version().major
    finally:
        await connection.close(timeout=_ANSWER_SECONDS)
    if major < OLDEST_POSTGRES:
        remedy = f"Upgrade the server to PostgreSQL {OLDEST_POSTGRES} or newer."
        return Finding("database", False, f"{where} is PostgreSQL {major}.", remedy)
    return Finding("database", True, f"{where} answers: PostgreSQL {major}.")


async def check_queue(url: str) -> Finding:
    """Whether the server of REDIS_URL takes us. Passwords are never repeated."""
    where = _without_secret(url)
    try:
        answer = await asyncio.wait_for(_ping(url), _ANSWER_SECONDS)
    except (OSError, ValueError) as reason:
        return Finding("queue", False, f"{where} can't be reached: {_told(reason)}.", _REACH.format("REDIS_URL"))
    if answer.startswith(("-WRONGPASS", "-NOAUTH", "-NOPERM", "-ERR AUTH")):
        return Finding("queue", False, f"{where} refuses the user or password.", "Correct REDIS_URL.")
    if answer != "+PONG":
        return Finding("queue", False, f"{where} answers {answer[:60]!r}.", "Name a Redis or Valkey server.")
    return Finding("queue", True, f"{where} answers.")


_REACH = "Start that server, open the way to it, or correct {}."


async def _ping(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss"):
        raise ValueError(f"{parts.scheme or 'no'} scheme; it must be redis or rediss")
    secure = ssl.create_default_context() if parts.scheme == "rediss" else None
    reader, writer = await asyncio.open_connection(parts.hostname or "localhost", parts.port or 6379, ssl=secure)
    words = [word for word in (parts.username, parts.password) if word]
    answer = ""
    try:
        for command in ([["AUTH", *map(unquote, words)]] if words else []) + [["PING"]]:
            writer.write(_spoken(command))
            await writer.drain()
            answer = (await reader.readline()).decode(errors="replace").strip()
            if answer.startswith("-"):
                break
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    return answer


def _spoken(words: list[str]) -> bytes:
    """A command in the server's protocol: an array of strings, each with its length in bytes."""
    parts = [word.encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def _without_secret(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port or "default"
    except ValueError:
        return "The address"
    return f"{parts.hostname or 'localhost'}:{port}{parts.path}"


def _told(reason: Exception) -> str:
    if isinstance(reason, TimeoutError):
        return f"no answer within {_ANSWER_SECONDS:.0f} seconds"
    return getattr(reason, "strerror", None) or str(reason) or type(reason).__name__


def _refused(name: str, refusal: ServerStartError) -> Finding:
    return Finding(name, False, " ".join(filter(None, (refusal.fact, refusal.rule))), refusal.remedy)
