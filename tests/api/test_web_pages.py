"""The pages around the endpoint: health, readiness, GraphiQL without the internet."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from saas.web.graphiql import STATIC
from tests.api.conftest import Api, serve


async def ready() -> None:
    """A part that answers."""


async def broken() -> None:
    raise OSError("password=secret")


async def silent() -> None:
    await asyncio.Event().wait()


async def test_health_asks_nobody(api: Api) -> None:
    response = await api.client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "alive"})


async def test_ready_when_all_parts_are(api: Api) -> None:
    services = replace(api.services, readiness={"database": ready, "redis": ready})
    async with serve(services) as client:
        response = await client.get("/readyz")
    expected = {"status": "ready", "parts": {"database": "ready", "redis": "ready"}}
    assert (response.status_code, response.json()) == (200, expected)


async def test_not_ready_within_a_second_and_without_reasons(api: Api, capfd: pytest.CaptureFixture[str]) -> None:
    services = replace(api.services, readiness={"database": broken, "redis": silent, "migrations": ready})
    async with serve(services) as client:
        response = await client.get("/readyz")
    parts = {"database": "failed", "redis": "slow", "migrations": "ready"}
    assert (response.status_code, response.json()) == (503, {"status": "not ready", "parts": parts})
    assert "secret" not in response.text + capfd.readouterr().out


async def test_unknown_page(api: Api) -> None:
    assert (await api.client.get("/nowhere")).status_code == 404
    assert (await api.client.get("/graphiql/../../app.py")).status_code == 404
    assert (await api.client.get("/graphiql/%2e%2e/%2e%2e/app.py")).status_code == 404


async def test_graphiql_is_served_from_its_own_files_alone(api: Api) -> None:
    page = await api.client.get("/graphiql/")
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
    linked = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert sorted(linked) == [
        "data:,",
        "graphiql.min.css",
        "graphiql.min.js",
        "page.css",
        "page.js",
        "react-dom.production.min.js",
        "react.production.min.js",
    ]
    for name in linked[1:]:
        response = await api.client.get(f"/graphiql/{name}")
        assert response.status_code == 200
        assert response.content == (STATIC / name).read_bytes()


async def test_graphiql_can_be_switched_off(api: Api) -> None:
    async with serve(replace(api.services, serve_graphiql=False)) as client:
        assert (await client.get("/graphiql/")).status_code == 404


def test_manifest_names_every_foreign_file_with_version_and_licence() -> None:
    packages = json.loads((STATIC / "manifest.json").read_text(encoding="utf-8"))["packages"]
    named = {name for package in packages for name in (*package["files"], package["licenceFile"])}
    own = {"index.html", "page.css", "page.js", "manifest.json"}
    assert {path.name for path in STATIC.iterdir()} == named | own
    assert all(package["version"] and package["licence"] for package in packages)


async def test_graphiql_runs_a_query_in_a_browser(api: Api, tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",  # no calls to its maker's hosts
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={tmp_path}",
        "--virtual-time-budget=8000",
    ]
    process = await asyncio.create_subprocess_exec(
        chromium,
        *options,
        "--dump-dom",
        f"{api.client.base_url}/graphiql/",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaints = await process.communicate()
    assert b"graphiql-container" in printed, complaints[-2000:]
    assert b"Content Security Policy" not in complaints
