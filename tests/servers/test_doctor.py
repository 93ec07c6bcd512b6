"""The doctor finds what is wrong, says so without secrets, and never raises for it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from saas.servers import Finding, diagnose, running_servers
from saas.servers.doctor import check_folder, check_python, check_queue
from saas.servers.ports import free_port
from tests.servers.server_calls import both_stopped


async def test_healthy_machine(data: Path) -> None:
    findings = await diagnose({"SAAS_DATA": str(data)})
    assert [(finding.name, finding.ok) for finding in findings] == [
        ("python", True),
        ("programs", True),
        ("data folder", True),
        ("servers", True),
    ]
    assert both_stopped(data)


async def test_named_servers_are_signed_in_to(data: Path) -> None:
    async with running_servers(data, durable=False) as servers:
        good = {"DATABASE_URL": servers.superuser_url, "REDIS_URL": servers.redis_url}
        assert [finding.ok for finding in await diagnose(good)] == [True, True, True]
        bad = {name: url.replace("@", "wrong-secret@") for name, url in good.items()}
        _, database, queue = await diagnose(bad)
        for finding in (database, queue):
            assert not finding.ok
            assert "refuses the user or password" in finding.fact
            assert "secret" not in finding.fact + finding.remedy
        missing = await diagnose({**good, "DATABASE_URL": servers.superuser_url + "x"})
        assert missing[1].fact.endswith("has no such database.")


async def test_nobody_listens() -> None:
    port = free_port()
    findings = await diagnose(
        {"DATABASE_URL": f"postgres://u:secret@127.0.0.1:{port}/d", "REDIS_URL": f"redis://:secret@127.0.0.1:{port}/0"}
    )
    assert [(finding.name, finding.ok) for finding in findings[1:]] == [("database", False), ("queue", False)]
    for finding in findings[1:]:
        assert finding.fact.startswith(f"127.0.0.1:{port}/")
        assert "can't be reached" in finding.fact
        assert "secret" not in finding.fact


@pytest.mark.parametrize("url", ["", "nonsense", "postgres://[", "postgres://h:port/d", "mysql://h/d"])
async def test_address_that_is_none(url: str) -> None:
    findings = await diagnose({"DATABASE_URL": url or "x", "REDIS_URL": url or "x"})
    assert [finding.ok for finding in findings] == [True, False, False]


async def test_other_service_is_not_taken_for_a_queue() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read(100)
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        finding = await check_queue(f"redis://127.0.0.1:{port}/0")
    assert finding.fact == f"127.0.0.1:{port}/0 answers 'HTTP/1.1 400 Bad Request'."


async def test_broken_folder_ends_the_look_at_the_servers(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    findings = await diagnose({"SAAS_DATA": str(tmp_path / "file")})
    assert [(finding.name, finding.ok) for finding in findings] == [
        ("python", True),
        ("programs", True),
        ("data folder", False),
    ]


def test_python_and_room_on_the_disk(tmp_path: Path) -> None:
    assert check_python(sys.version_info[:2]).ok
    assert check_python((3, 10)) == Finding("python", False, "Python 3.10.", "Install Python 3.11 or newer.")
    finding = check_folder(tmp_path, needed_bytes=10**18)
    assert not finding.ok
    assert "SAAS_DATA" in finding.remedy
