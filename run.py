#!/usr/bin/env python3
"""Runs Fairlead from a fresh clone: makes the locked environment at the first call, then hands over.

    python3 run.py demo            a demonstration company, end to end
    python3 run.py serve           the API
    python3 run.py test [ARGS]     the tests (arguments go to pytest)
    python3 run.py COMMAND [ARGS]  any other command of `saas`

Needs Python 3.11 or newer and, the first time, a package index; uv is used if installed, else brought into .boot.
Standard library only, and written so that an older Python can still read it and say what is missing.
"""

# ruff: noqa: S603, S606 - the commands are built here, from our own words and the caller's
from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

OLDEST_PYTHON = (3, 11)
UV_VERSION = "0.13.9"
ROOT = Path(__file__).resolve().parent
BOOT = ROOT / ".boot"
VENV = ROOT / ".venv"
PROGRAMS = "Scripts" if os.name == "nt" else "bin"
EXTENSION = ".exe" if os.name == "nt" else ""
LOCKS = {"runtime": "requirements.lock", "dev": "requirements-dev.lock"}


class Refusal(Exception):
    """Something is missing; the text says what and what to do."""


def main(arguments: list[str]) -> int:
    """Prepare the environment and become the command; returns only with an exit status of failure or help."""
    if not arguments or arguments[0] in ("-h", "--help"):
        say(str(__doc__))
        return 0 if arguments else 2
    try:
        check_python()
        testing = arguments[0] == "test"
        prepare("dev" if testing else "runtime")
        return hand_over(arguments, testing)
    except Refusal as refusal:
        say(str(refusal))
        return 1


def check_python() -> None:
    if sys.version_info < OLDEST_PYTHON:
        raise Refusal(
            f"Fairlead needs Python 3.11 or newer, this is {sys.version.split()[0]} ({sys.executable}): "
            "run `python3.11 run.py …` or install a newer Python."
        )


def prepare(kind: str) -> None:
    """Bring .venv to what the lock says; without effect, uv or network when it is so already."""
    if any(stamp(each).is_file() and stamp(each).read_text() == fingerprint(each) for each in (kind, "dev")):
        return
    say(f"Preparing {VENV.name} from {LOCKS[kind]} (once, takes half a minute with a fast line).")
    for each in LOCKS:
        stamp(each).unlink(missing_ok=True)
    environ = settings()
    uv = find_uv(environ)
    python = program("python")
    if not runs_here(python):
        step([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)], environ)
    install = [uv, "pip", "install", "--quiet", "--python", str(python)]
    step([*install, "--require-hashes", "--requirement", str(ROOT / LOCKS[kind])], environ)
    step([*install, "--no-deps", "--no-build-isolation", "--reinstall", "--editable", str(ROOT)], environ)
    stamp(kind).write_text(fingerprint(kind))


def stamp(kind: str) -> Path:
    """The file that says which lock the environment was made from."""
    return VENV / f".lock-{kind}"


def fingerprint(kind: str) -> str:
    """Changes with the lock, the project's metadata, the interpreter and the place of the clone."""
    digest = hashlib.sha256()
    for file in (LOCKS[kind], "pyproject.toml"):
        digest.update((ROOT / file).read_bytes())
    digest.update(repr((str(ROOT), sys.version_info[:2])).encode())
    return digest.hexdigest()


def program(name: str) -> Path:
    return VENV / PROGRAMS / (name + EXTENSION)


def runs_here(python: Path) -> bool:
    """Whether the environment's interpreter works and is of our version (it may have been removed since)."""
    if not python.exists():
        return False
    told = subprocess.run(
        [str(python), "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True, check=False
    )
    return told.stdout.split() == [str(part) for part in sys.version_info[:2]]


def settings() -> dict[str, str]:
    """The environment for pip and uv: without a home that can be written, their caches go into the clone."""
    environ = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONHOME")}
    home = environ.get("HOME", "")
    if os.name != "nt" and not (Path(home).is_absolute() and os.access(home, os.W_OK)):
        environ["HOME"] = str(BOOT / "home")
        Path(environ["HOME"]).mkdir(parents=True, exist_ok=True)
    if has_system_certificates():
        environ.setdefault("UV_SYSTEM_CERTS", "1")
    return environ


def has_system_certificates() -> bool:
    """Whether the system says whom to trust: firms add their own authority there, which uv's built-in list lacks."""
    if sys.platform in ("win32", "darwin"):
        return True
    paths = ssl.get_default_verify_paths()
    return bool(paths.cafile or (paths.capath and any(Path(paths.capath).iterdir())))


def find_uv(environ: dict[str, str]) -> str:
    """uv from PATH, or our own copy, brought once."""
    own = BOOT / PROGRAMS / ("uv" + EXTENSION)
    if shutil.which("uv"):
        return "uv"
    if not own.is_file():
        say(f"Bringing uv {UV_VERSION} into {BOOT.name} (once).")
        bring_uv(environ)
    return str(own)


def bring_uv(environ: dict[str, str]) -> None:
    """A virtual environment of its own, because systems forbid pip to touch their Python (PEP 668)."""
    package = f"uv=={UV_VERSION}"
    python = str(BOOT / PROGRAMS / ("python" + EXTENSION))
    quiet = ["install", "--quiet", "--disable-pip-version-check", package]
    if importlib.util.find_spec("ensurepip"):
        step([sys.executable, "-m", "venv", str(BOOT)], environ)
        step([python, "-m", "pip", *quiet], environ)
    elif importlib.util.find_spec("pip"):
        step([sys.executable, "-m", "venv", "--without-pip", str(BOOT)], environ)
        step([sys.executable, "-m", "pip", "--python", python, *quiet], environ)
    else:
        raise Refusal(
            f"{sys.executable} has neither pip nor ensurepip: install uv (https://docs.astral.sh/uv) or your system's "
            "package for them (Debian and Ubuntu: `apt install python3-venv`), and run this again."
        )


def step(command: list[str], environ: dict[str, str]) -> None:
    try:
        done = subprocess.run(command, env=environ, cwd=str(ROOT), check=False)
    except OSError as reason:
        raise Refusal(f"`{command[0]}` can't be started: {reason}.") from reason
    if done.returncode != 0:
        raise Refusal(
            f"`{' '.join(command[:4])} …` ended with status {done.returncode}, its reason stands above: the first run "
            "needs a package index (UV_DEFAULT_INDEX and PIP_INDEX_URL name another one) and about 300 MB of disk."
        )


def hand_over(arguments: list[str], testing: bool) -> int:
    """Become the command, so that signals and the exit status are its own."""
    if testing:
        os.chdir(ROOT)
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # some thirty processes would each compile every module
        command = [str(program("python")), "-m", "pytest", *arguments[1:]]
    else:
        command = [str(program("saas")), *arguments]
    if os.name == "nt":
        return subprocess.call(command)
    sys.stdout.flush()
    return os.execv(command[0], command)


def say(text: str) -> None:
    sys.stderr.write(text.strip() + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
