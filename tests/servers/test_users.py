"""The servers run for root with and without user namespaces, in closed folders, and for a plain user."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from saas.servers import privileges, running_servers
from tests.servers.server_calls import both_stopped, postgres_pid, sql

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")

_START = """
import asyncio, sys
from pathlib import Path
import asyncpg
from saas.servers import data_folder, running_servers

async def start():
    async with running_servers(data_folder({"SAAS_DATA": sys.argv[1]}), durable=False) as servers:
        connection = await asyncpg.connect(servers.superuser_url)
        print(await connection.fetchval("select 6 * 7"))
        await connection.close()

asyncio.run(start())
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp", prefix="fairlead-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def owner_of(pid: int) -> int:
    """The user that a process runs as."""
    return Path(f"/proc/{pid}").stat().st_uid


@pytest.mark.skipif(not privileges._namespace_allowed(), reason="the kernel grants no user namespace")
async def test_root_in_a_closed_folder_keeps_its_files(data: Path) -> None:
    async with running_servers(data, durable=False, redis=False) as servers:
        assert await sql(servers.superuser_url, "select 1") == 1
        assert (data / "postgres" / "PG_VERSION").stat().st_uid == 0


async def test_root_without_namespaces_becomes_nobody(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder closed to `nobody`, as root's home is, the cluster goes to the system's own place."""
    nobody = pwd.getpwnam("nobody").pw_uid
    monkeypatch.setattr(privileges, "_namespace_allowed", lambda: False)
    monkeypatch.setattr(privileges, "_SYSTEM_STATE", open_folder / "state")
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    for answer in (1, 2):
        async with running_servers(closed / "data", durable=False, redis=False) as servers:
            assert await sql(servers.superuser_url, f"select {answer}") == answer
            (cluster,) = (open_folder / "state").glob("*/postgres")
            assert owner_of(int((cluster / "postmaster.pid").read_text().split()[0])) == nobody
            assert not (closed / "data" / "postgres").exists()
    assert both_stopped(closed / "data")


async def test_cluster_survives_the_loss_of_namespaces(
    finished_folder: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that `nobody` may enter is used in place: its files change hands, and back."""
    data = open_folder / "data"
    shutil.copytree(finished_folder, data)
    data.chmod(0o711)
    monkeypatch.setattr(privileges, "_SYSTEM_STATE", open_folder / "state")
    for allowed, owner in ((False, pwd.getpwnam("nobody").pw_uid), (True, 0)):
        monkeypatch.setattr(privileges, "_namespace_allowed", lambda allowed=allowed: allowed)
        async with running_servers(data, durable=False, redis=False) as servers:
            assert await sql(servers.superuser_url, "select 1") == 1
            assert owner_of(postgres_pid(data)) == owner
            assert (data / "postgres" / "PG_VERSION").stat().st_uid == owner


def test_plain_user(open_folder: Path) -> None:
    os.chown(open_folder, pwd.getpwnam("nobody").pw_uid, -1)
    told = subprocess.run(
        [_interpreter(), "-c", _START, str(open_folder / "data")],
        user="nobody",
        extra_groups=[],
        env=_environ(),
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.stdout, told.stderr) == ("42\n", "")
    assert both_stopped(open_folder / "data")


def _environ() -> dict[str, str]:
    root = Path(privileges.__file__).parents[2]
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": os.pathsep.join([str(root), *sys.path])}


def _interpreter() -> str:
    """A Python of our version that another user may run, with the same packages."""
    for candidate in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        probe = [candidate, "-c", "import asyncpg, saas.servers"]
        try:
            done = subprocess.run(
                probe, user="nobody", extra_groups=[], env=_environ(), cwd="/", capture_output=True, check=False
            )
        except OSError:
            continue
        if done.returncode == 0:
            return candidate
    pytest.skip("no interpreter and packages that another user may read")
