"""What can't start says why, by which rule, and what to do; and it leaves nothing running."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from saas.servers import ServerStartError, binaries, running_servers
from saas.servers.errors import explain_failure
from tests.servers.conftest import user_process
from tests.servers.server_calls import both_stopped, sql


async def refusal(data: Path, environ: dict[str, str] | None = None, *, redis: bool = True) -> ServerStartError:
    """The error with which the servers don't start."""
    with pytest.raises(ServerStartError) as caught:
        async with running_servers(data, durable=False, redis=redis, environ=environ or {}):
            pytest.fail("started")
    return caught.value


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


@pytest.mark.parametrize(("variable", "server"), [("SAAS_PG_PORT", "PostgreSQL"), ("SAAS_REDIS_PORT", "Valkey")])
async def test_port_that_is_taken(finished_folder: Path, taken_port: int, variable: str, server: str) -> None:
    error = await refusal(finished_folder, {variable: str(taken_port)})
    assert str(error) == (
        f"{server} can't listen on 127.0.0.1:{taken_port}: the port is taken. "
        f"{variable} fixes the port; without it a free one is chosen. "
        f"Stop the program that holds the port, or change {variable}."
    )
    assert both_stopped(finished_folder)


@pytest.mark.parametrize("text", ["0", "65536", "-1", "postgres", "５４３２"])
async def test_port_that_is_none(finished_folder: Path, text: str) -> None:
    error = await refusal(finished_folder, {"SAAS_PG_PORT": text})
    assert error.fact == f"SAAS_PG_PORT is {text!r}."
    assert both_stopped(finished_folder)


async def test_fixed_ports_are_used(finished_folder: Path) -> None:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        ports = one.getsockname()[1], other.getsockname()[1]
    environ = {"SAAS_PG_PORT": str(ports[0]), "SAAS_REDIS_PORT": str(ports[1])}
    async with running_servers(finished_folder, durable=False, environ=environ) as servers:
        assert servers.superuser_url.endswith(f"@127.0.0.1:{ports[0]}/postgres")
        assert servers.redis_url.endswith(f"@127.0.0.1:{ports[1]}/0")


async def test_last_port_taken_by_another_program_is_left_to_it(data: Path, taken_port: int) -> None:
    for name in ("postgres", "valkey"):
        (data / f"{name}.port").write_text(str(taken_port))
    async with running_servers(data, durable=False) as servers:
        assert f":{taken_port}/" not in servers.superuser_url + servers.redis_url
        assert await sql(servers.superuser_url, "select 1") == 1


@pytest.mark.parametrize(("version", "age"), [("19", "newer"), ("16", "older")])
async def test_cluster_of_another_major_version(data: Path, version: str, age: str) -> None:
    (data / "postgres" / "PG_VERSION").write_text(f"{version}\n")
    error = await refusal(data)
    assert error.fact == (
        f"{data / 'postgres'} was made by PostgreSQL {version}, which is {age} than the installed 18."
    )
    assert "SAAS_PG_BIN" in error.remedy
    assert both_stopped(data)


async def test_postgres_password_that_changed(data: Path) -> None:
    (data / "postgres.password").write_text("another")
    error = await refusal(data)
    assert error.fact == f"PostgreSQL refuses the password in {data / 'postgres.password'}."
    assert both_stopped(data)


async def test_passwords_that_changed_while_the_servers_run(data: Path) -> None:
    async with user_process(data) as user:
        for name, server in (("valkey", "Valkey"), ("postgres", "PostgreSQL")):
            kept = (data / f"{name}.password").read_text()
            (data / f"{name}.password").write_text("another")
            assert (await refusal(data)).fact == f"{server} refuses the password in {data / f'{name}.password'}."
            (data / f"{name}.password").write_text(kept)
        assert await sql(user.servers.superuser_url, "select 1") == 1
        await user.leave()
    assert both_stopped(data)


async def test_server_started_by_hand_on_the_same_cluster(data: Path) -> None:
    async with user_process(data) as user:
        for part in ("start", "use", "alive"):
            (data / f"postgres.{part}").unlink()  # as if that server were none of ours
        error = await refusal(data, redis=False)
        assert error.fact == f"PostgreSQL says that another server already runs on {data / 'postgres'}."
        assert await sql(user.servers.superuser_url, "select 1") == 1
        await user.kill()
    os.kill(int((data / "postgres" / "postmaster.pid").read_text().split()[0]), 2)
    async with running_servers(data, postgres=False):
        pass  # adopts the Valkey that the killed process left, and stops it


async def test_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    error = await refusal(tmp_path / "data")
    assert error.fact == f"The data folder {tmp_path / 'data'} can't be used: File exists."


async def test_no_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "POSTGRES_WHEELS", ("no_such_wheel",))
    monkeypatch.setattr(binaries, "_system_folders", list)
    error = await refusal(tmp_path / "data")
    assert error.fact == "No PostgreSQL program was found."
    assert both_stopped(tmp_path / "data")


async def test_named_folder_without_programs(tmp_path: Path) -> None:
    error = await refusal(tmp_path / "data", {"SAAS_PG_BIN": str(tmp_path)})
    assert error.fact == f"{tmp_path} holds no PostgreSQL programs."


async def test_programs_that_are_too_old_or_do_not_run(tmp_path: Path) -> None:
    for name in ("postgres", "initdb"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 15.8'\n")
        (tmp_path / name).chmod(0o755)
    error = await refusal(tmp_path / "data", {"SAAS_PG_BIN": str(tmp_path)})
    assert error.fact == f"{tmp_path} holds PostgreSQL 15."
    (tmp_path / "postgres").write_text("#!/bin/sh\nexit 127\n")
    error = await refusal(tmp_path / "data", {"SAAS_PG_BIN": str(tmp_path)})
    assert error.fact.startswith(f"{tmp_path / 'postgres'} does not run here:")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB, a quarter of what a cluster takes."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root may mount a small file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


async def test_full_disk_at_creation_leaves_nothing_behind(small_disk: Path) -> None:
    error = await refusal(small_disk / "data")
    assert error.fact == (
        f"PostgreSQL could not write to {small_disk / 'data' / 'postgres'}: the disk (or the quota) is full."
    )
    assert not (small_disk / "data" / "postgres").exists()
    assert not (small_disk / "data" / "postgres.new").exists()
    assert shutil.disk_usage(small_disk).used < 100_000
    assert both_stopped(small_disk / "data")


@pytest.mark.parametrize(
    ("output", "fact"),
    [
        (
            'FATAL:  could not write lock file "postmaster.pid": No space left on device',
            "PostgreSQL could not write to /d: the disk (or the quota) is full.",
        ),
        (
            "The directory was initialized by PostgreSQL version 19, which is not compatible with this version 18.6.",
            "/d was made by PostgreSQL 19, which is newer than the installed 18.",
        ),
        (
            'FATAL:  could not open file "/d/global/pg_control": Permission denied',
            'The data folder /d can\'t be used: FATAL:  could not open file "/d/global/pg_control": Permission denied.',
        ),
        (
            "LOG:  starting\nFATAL:  could not map anonymous shared memory: Cannot allocate\nHINT:  smaller",
            "PostgreSQL was refused its shared memory: FATAL:  could not map anonymous shared memory: Cannot allocate",
        ),
        ("", "PostgreSQL did not start on /d: it wrote nothing"),
        (
            "LOG:  starting\nPANIC:  could not locate a valid checkpoint record\nLOG:  end",
            "PostgreSQL did not start on /d: PANIC:  could not locate a valid checkpoint record",
        ),
    ],
)
def test_output_of_a_failed_server_is_explained(output: str, fact: str) -> None:
    error = explain_failure(output, server="PostgreSQL", folder=Path("/d"))
    assert error.fact == fact
    assert error.remedy
