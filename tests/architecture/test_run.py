"""run.py on machines that lack something: an old Python, pip, a home; and when it has nothing to do."""

from __future__ import annotations

import ast
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "run.py"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """run.py as a module whose clone is an empty folder with locks."""
    spec = importlib.util.spec_from_file_location("run", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, place in (("ROOT", tmp_path), ("BOOT", tmp_path / ".boot"), ("VENV", tmp_path / ".venv")):
        monkeypatch.setattr(module, name, place)
    for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        (tmp_path / name).write_text(name)
    (tmp_path / ".venv").mkdir()
    return module


@pytest.fixture
def steps(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would have run."""
    taken: list[list[str]] = []
    monkeypatch.setattr(run, "step", lambda command, _: taken.append(command))
    monkeypatch.setattr(run, "find_uv", lambda _: "uv")
    return taken


def test_an_old_python_can_read_it() -> None:
    ast.parse(SOURCE.read_text(encoding="utf-8"), feature_version=(3, 7))


def test_an_old_python_is_told_so(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "OLDEST_PYTHON", (99, 1))
    assert run.main(["demo"]) == 1
    assert capsys.readouterr().err.startswith("Fairlead needs Python 3.11 or newer, this is ")


def test_help_without_a_command(run: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main([]) == 2
    assert run.main(["--help"]) == 0
    assert "python3 run.py demo" in capsys.readouterr().err


def test_neither_pip_nor_ensurepip(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(run.Refusal, match="apt install python3-venv"):
        run.bring_uv({})


@pytest.mark.parametrize("home", [None, "", "relative", "/dev/null/home"])
def test_without_a_home_caches_go_into_the_clone(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, home: str | None
) -> None:
    monkeypatch.delenv("HOME") if home is None else monkeypatch.setenv("HOME", home)
    assert run.settings()["HOME"] == str(run.BOOT / "home")
    assert (run.BOOT / "home").is_dir()


def test_demo_installs_what_runs_and_then_nothing(run: ModuleType, steps: list[list[str]]) -> None:
    run.prepare("runtime")
    assert [command[1:3] for command in steps] == [["venv", "--quiet"], ["pip", "install"], ["pip", "install"]]
    assert steps[1][-3:] == ["--require-hashes", "--requirement", str(run.ROOT / "requirements.lock")]
    steps.clear()
    run.prepare("runtime")
    assert steps == []


def test_environment_for_tests_serves_the_demo_too(run: ModuleType, steps: list[list[str]]) -> None:
    run.prepare("dev")
    steps.clear()
    run.prepare("runtime")
    assert steps == []


def test_changed_lock_is_installed(run: ModuleType, steps: list[list[str]]) -> None:
    run.prepare("runtime")
    (run.ROOT / "requirements.lock").write_text("newer")
    steps.clear()
    run.prepare("runtime")
    assert len(steps) == 3


def test_failed_step_leaves_no_stamp(run: ModuleType, steps: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    run.prepare("dev")
    run.prepare("runtime")
    (run.ROOT / "pyproject.toml").write_text("newer")

    def fail(command: list[str], _: dict[str, str]) -> None:
        raise run.Refusal(command[0])

    monkeypatch.setattr(run, "step", fail)
    with pytest.raises(run.Refusal):
        run.prepare("dev")
    assert not run.stamp("dev").exists()
    assert not run.stamp("runtime").exists()


def test_failed_step_is_named(run: ModuleType) -> None:
    with pytest.raises(run.Refusal, match="ended with status 3"):
        run.step([sys.executable, "-c", "raise SystemExit(3)"], dict(os.environ))
    with pytest.raises(run.Refusal, match="can't be started"):
        run.step(["no-such-program"], dict(os.environ))
