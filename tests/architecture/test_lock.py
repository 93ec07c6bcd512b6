"""The three places that hold the locked versions agree, and none of them names a host."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")


def entries(name: str) -> dict[str, list[str]]:
    """The requirements of a lock, each with its hashes."""
    found: dict[str, list[str]] = {}
    current = ""
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        text = line.removesuffix("\\").strip()
        if line.startswith(" "):
            found[current].append(text)
        elif text and not text.startswith("#"):
            current = text
            found[current] = []
    return found


def project() -> dict[str, dict[str, object]]:
    parsed: dict[str, dict[str, object]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return parsed


def test_uv_is_held_to_the_versions_of_the_lock() -> None:
    tool: dict[str, dict[str, object]] = project()["tool"]  # type: ignore[assignment]
    assert tool["uv"]["constraint-dependencies"] == list(entries("requirements-dev.lock"))


def test_tests_run_on_the_versions_that_run() -> None:
    versions = {line.split(" ;")[0] for line in entries("requirements-dev.lock")}
    assert {line.split(" ;")[0] for line in entries("requirements.lock")} <= versions


@pytest.mark.parametrize("name", LOCKS)
def test_every_entry_is_an_exact_version_with_hashes(name: str) -> None:
    for requirement, hashes in entries(name).items():
        assert re.match(r"[a-z0-9-]+==[0-9][^ ]*( ; .+)?$", requirement), requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", each) for each in hashes), requirement


@pytest.mark.parametrize("name", [*LOCKS, "pyproject.toml"])
def test_no_host_and_no_folder_is_named(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.findall(r"\w+://\S*|index-url|find-links|(?<![\w.])/(?:home|root|tmp|opt|work)/\S*", text)


def test_direct_dependencies_are_locked() -> None:
    declared: list[str] = project()["project"]["dependencies"]  # type: ignore[assignment]
    names = {re.split(r"[\[<>=; ]", line)[0] for line in declared}
    assert names <= {line.split("==")[0] for line in entries("requirements.lock")}
