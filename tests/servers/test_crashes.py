"""After `kill -9` of a server the next start finds everything as it was committed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from saas.servers import running_servers
from tests.servers.conftest import appears, start_user
from tests.servers.server_calls import both_stopped, get, postgres_pid, put, sql, valkey_pid


async def test_killed_postgres_starts_again_with_its_data(data: Path) -> None:
    async with running_servers(data, durable=False, redis=False) as before:
        await sql(before.superuser_url, "create table kept as select 42 as answer")
        os.kill(postgres_pid(data), signal.SIGKILL)
        # The killed server's other processes are still ending: this start has to wait for them.
        async with running_servers(data, durable=False, redis=False) as after:
            assert await sql(after.superuser_url, "select answer from kept") == 42
        assert await sql(before.superuser_url, "select 1") == 1, "the survivor's address leads to the new server"
    assert both_stopped(data)


async def test_killed_valkey_starts_again_with_its_data(data: Path) -> None:
    async with running_servers(data, postgres=False) as before:
        await put(before.redis_url, "job", "42")
        os.kill(await valkey_pid(before.redis_url), signal.SIGKILL)
        async with running_servers(data, postgres=False) as after:
            assert await get(after.redis_url, "job") == b"42"
        assert before.redis_url == after.redis_url, "the survivor's address leads to the new server"
    assert both_stopped(data)


async def test_pid_file_of_another_program_does_not_stop_the_start(data: Path) -> None:
    with subprocess.Popen(  # noqa: ASYNC220 - starting it takes no time
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE
    ) as other:
        pid_file = data / "postgres" / "postmaster.pid"
        pid_file.write_text(f"{other.pid}\n{data / 'postgres'}\n1700000000\n1\n\n127.0.0.1\n\n")
        async with running_servers(data, durable=False, redis=False) as servers:
            assert await sql(servers.superuser_url, "select 1") == 1
            assert postgres_pid(data) != other.pid
        assert other.poll() is None
        other.communicate(b"\n")


async def test_half_written_pid_file_does_not_stop_the_start(data: Path) -> None:
    (data / "postgres" / "postmaster.pid").write_text("999999\n")
    async with running_servers(data, durable=False, redis=False) as servers:
        assert await sql(servers.superuser_url, "select 1") == 1


async def test_interrupted_creation_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "postgres.new").mkdir()
    (tmp_path / "postgres.new" / "PG_VERSION").write_text("18\n")
    async with running_servers(tmp_path, durable=False, redis=False) as servers:
        assert await sql(servers.superuser_url, "select 1") == 1
    assert not (tmp_path / "postgres.new").exists()
    assert not (tmp_path / "postgres.new.password").exists()


async def test_killed_while_creating(tmp_path: Path) -> None:
    """The orphaned program that was making the cluster and the next start don't get in each other's way."""
    draft = tmp_path / "postgres.new" / "PG_VERSION"
    process = await start_user(tmp_path)
    await appears(draft)
    process.kill()
    await process.wait()
    assert draft.exists()
    async with running_servers(tmp_path, durable=False, redis=False) as servers:
        assert await sql(servers.superuser_url, "select 1") == 1
    assert both_stopped(tmp_path)


async def test_killed_while_starting(data: Path) -> None:
    """A server whose starter died before it was ready is adopted."""
    process = await start_user(data)
    await appears(data / "postgres" / "postmaster.pid")
    process.kill()
    await process.wait()
    async with running_servers(data, durable=False) as servers:
        assert await sql(servers.superuser_url, "select 1") == 1
    assert both_stopped(data)
