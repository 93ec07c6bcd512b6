"""The data folder: where it is, that it can be written, the secrets it keeps."""

from __future__ import annotations

import errno
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from saas.servers.errors import explain_failure, not_writable

APPLICATION = "fairlead"


def data_folder(environ: Mapping[str, str]) -> Path:
    """The folder for all files of this installation: SAAS_DATA, or one in the user's data directory.

    Without a home (unset, empty, or one that can't be written, as daemons' accounts have) it is a folder in the
    system's place for temporary files that survive a restart. The folder is not created here.
    """
    named = environ.get("SAAS_DATA", "").strip()
    if named:
        return Path(named).expanduser().absolute()
    for candidate in _user_folders(environ):
        if candidate.is_absolute() and _can_be_made(candidate):
            return candidate
    return _without_home()


def _user_folders(environ: Mapping[str, str]) -> Iterator[Path]:
    if sys.platform == "win32":
        yield Path(environ.get("LOCALAPPDATA") or environ.get("APPDATA", "")) / APPLICATION
        return
    if environ.get("XDG_DATA_HOME") and sys.platform != "darwin":
        yield Path(environ["XDG_DATA_HOME"]) / APPLICATION
    below = Path("Library/Application Support") if sys.platform == "darwin" else Path(".local/share")
    for home in (environ.get("HOME", ""), _home_of_record()):
        if home:
            yield Path(home) / below / APPLICATION


def _without_home() -> Path:
    lasting = Path("/var/tmp")  # noqa: S108 - the folder in it is ours alone, prepare_folder sees to that
    return (lasting if lasting.is_dir() else Path(tempfile.gettempdir())) / f"{APPLICATION}-{_user()}"


if sys.platform == "win32":

    def _user() -> int:
        return 0

    def _home_of_record() -> str:
        return ""
else:
    import pwd

    def _user() -> int:
        return os.getuid()

    def _home_of_record() -> str:
        with suppress(KeyError):
            return pwd.getpwuid(os.getuid()).pw_dir
        return ""


def _can_be_made(folder: Path) -> bool:
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def prepare_folder(folder: Path) -> Path:
    """Make the folder, closed to others, and prove that it can be written; gives its one true path.

    :raises ServerStartError: it can't, or it belongs to another user.
    """
    with writing(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.write_bytes(b"ok")
        probe.unlink()
    owner = folder.stat().st_uid
    if sys.platform != "win32" and os.geteuid() not in (0, owner):
        raise not_writable(folder, f"it belongs to user {owner}, this process runs as user {os.geteuid()}")
    return folder.resolve()  # two names of one folder must mean one server


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turns the refusal of a file operation into a :class:`ServerStartError` about `folder`."""
    try:
        yield
    except OSError as reason:
        if reason.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise explain_failure(str(reason), server="The program", folder=folder) from reason
        raise not_writable(folder, reason.strerror or str(reason)) from reason


def secret_file(path: Path) -> str:
    """The password kept in `path`, made at the first call; only the owner can read the file."""
    with suppress(FileNotFoundError):
        return path.read_text(encoding="ascii").strip()
    password = secrets.token_urlsafe(24)
    write_private(path, password)
    return password


def write_private(path: Path, text: str) -> None:
    """Replace a file as a whole, readable by the owner alone."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with writing(path.parent):
        try:
            draft.unlink(missing_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor, not a path
                file.write(text)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
