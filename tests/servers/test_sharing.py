"""One instance for several processes: the first starts it, the others adopt it, the last stops it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from saas.servers import ServerStartError, running_servers, sharing
from saas.servers.sharing import FileLock
from tests.servers.conftest import user_process
from tests.servers.server_calls import both_stopped, get, put, sql


async def test_servers_start_and_stop_with_their_only_user(data: Path) -> None:
    steps: list[str] = []
    async with running_servers(data, durable=False, on_progress=steps.append) as servers:
        assert await sql(servers.superuser_url, "select 6 * 7") == 42
        assert await sql(servers.superuser_url, "show server_encoding") == "UTF8"
        assert await sql(servers.superuser_url, "select datcollate from pg_database limit 1") == "C.UTF-8"
        assert await sql(servers.superuser_url, "show timezone") == "UTC"
        assert await sql(servers.superuser_url, "show listen_addresses") == "127.0.0.1"
        await put(servers.redis_url, "greeting", "hello")
        assert await get(servers.redis_url, "greeting") == b"hello"
        assert not both_stopped(data)
    assert both_stopped(data)
    assert steps == ["Starting PostgreSQL.", "Starting Valkey."]


async def test_second_process_adopts_and_the_last_one_stops(data: Path) -> None:
    async with user_process(data) as first:
        steps: list[str] = []
        async with running_servers(data, on_progress=steps.append) as second:
            assert (second.superuser_url, second.redis_url) == (first.servers.superuser_url, first.servers.redis_url)
            assert steps == ["PostgreSQL already runs.", "Valkey already runs."]
            await first.leave()
            assert await sql(second.superuser_url, "select 1") == 1
            await put(second.redis_url, "k", "v")
        assert both_stopped(data)


async def test_five_at_once_share_one_instance(finished_folder: Path) -> None:
    async def address() -> tuple[str, str]:
        async with running_servers(finished_folder, durable=False) as servers:
            await gate.wait()
            return servers.superuser_url, servers.redis_url

    gate = asyncio.Barrier(5)
    assert len(set(await asyncio.gather(*(address() for _ in range(5))))) == 1
    assert both_stopped(finished_folder)


async def test_killed_user_leaves_servers_that_the_next_one_adopts_and_stops(data: Path) -> None:
    async with user_process(data) as first:
        await put(first.servers.redis_url, "kept", "yes")
        await first.kill()
    assert not both_stopped(data)
    async with running_servers(data) as servers:
        assert servers.superuser_url == first.servers.superuser_url
        assert servers.redis_url == first.servers.redis_url
        assert await get(servers.redis_url, "kept") == b"yes"
    assert both_stopped(data)


async def test_two_names_of_one_folder_mean_one_server(data: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(data)
    async with running_servers(data, redis=False) as one, running_servers(tmp_path / "link", redis=False) as other:
        assert one.superuser_url == other.superuser_url


async def test_only_what_is_asked_for_is_started(finished_folder: Path) -> None:
    async with running_servers(finished_folder, postgres=False) as servers:
        assert servers.superuser_url == ""
        assert FileLock(finished_folder / "postgres.alive").is_free()
        assert not FileLock(finished_folder / "valkey.alive").is_free()


async def test_cancelled_user_stops_the_servers(finished_folder: Path) -> None:
    inside = asyncio.Event()

    async def use() -> None:
        async with running_servers(finished_folder, durable=False):
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(use())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert both_stopped(finished_folder)


async def test_a_hanging_starter_is_named_after_the_limit(
    finished_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "START_LIMIT_SECONDS", 0.1)
    lock = FileLock(finished_folder / "postgres.start")
    assert lock.take()
    with pytest.raises(ServerStartError, match=r"postgres\.start.*End the hanging `saas` process"):
        async with running_servers(finished_folder):
            pytest.fail("started beside another starter")
    lock.release()
    assert both_stopped(finished_folder)


def test_locks_exclude_each_other(tmp_path: Path) -> None:
    first, second, third = (FileLock(tmp_path / "lock") for _ in range(3))
    assert first.take(shared=True)
    assert second.take(shared=True)
    assert not third.take()
    first.release()
    assert not third.take()
    second.release()
    assert third.take()
    assert not first.take(shared=True)
    third.release()
