"""What the tests of the servers ask of them, over the wire."""

from __future__ import annotations

from pathlib import Path

import asyncpg
from redis.asyncio import Redis

from saas.servers.sharing import FileLock


async def sql(url: str, statement: str) -> object:
    """The first value of a statement, on a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def put(url: str, key: str, value: str) -> None:
    """Store a text in Valkey; the answer comes after the append-only file has it."""
    async with Redis.from_url(url) as client:
        await client.set(key, value)


async def get(url: str, key: str) -> bytes | None:
    """A text from Valkey."""
    async with Redis.from_url(url) as client:
        found: bytes | None = await client.get(key)
        return found


def postgres_pid(data: Path) -> int:
    """The process id of the running server."""
    return int((data / "postgres" / "postmaster.pid").read_text().split()[0])


async def valkey_pid(url: str) -> int:
    """The process id of the running server."""
    async with Redis.from_url(url) as client:
        return int((await client.info("server"))["process_id"])


def both_stopped(data: Path) -> bool:
    """Whether no process of either server is left."""
    return all(FileLock(data / f"{name}.alive").is_free() for name in ("postgres", "valkey"))
