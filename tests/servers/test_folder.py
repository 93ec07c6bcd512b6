"""Where the data folder is, whatever the environment lacks, and who may read what is in it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from saas.servers import ServerStartError, data_folder, folder
from saas.servers.folder import prepare_folder, secret_file


def test_named_folder_comes_first(tmp_path: Path) -> None:
    assert data_folder({"SAAS_DATA": str(tmp_path / "d"), "HOME": str(tmp_path)}) == tmp_path / "d"


def test_relative_folder_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert data_folder({"SAAS_DATA": "d"}) == tmp_path / "d"


def test_home_and_xdg(tmp_path: Path) -> None:
    assert data_folder({"SAAS_DATA": " ", "HOME": str(tmp_path)}) == tmp_path / ".local/share/fairlead"
    assert data_folder({"XDG_DATA_HOME": str(tmp_path), "HOME": "/x"}) == tmp_path / "fairlead"


@pytest.mark.parametrize("environ", [{}, {"HOME": ""}, {"HOME": "relative"}, {"XDG_DATA_HOME": "relative"}])
def test_without_a_home_the_account_s_own_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> None:
    monkeypatch.setattr(folder, "_home_of_record", lambda: str(tmp_path))
    assert data_folder(environ) == tmp_path / ".local/share/fairlead"


def test_account_without_any_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "_home_of_record", lambda: "/dev/null")
    assert data_folder({"HOME": ""}) == Path(f"/var/tmp/fairlead-{os.getuid()}")


def test_folder_and_secrets_are_closed_to_others(tmp_path: Path) -> None:
    path = prepare_folder(tmp_path / "a" / "b")
    word = secret_file(path / "word")
    assert len(word) == 32
    assert secret_file(path / "word") == word
    assert stat.S_IMODE((path / "word").stat().st_mode) == 0o600
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert sorted(path.iterdir()) == [path / "word"]


def test_read_only_place_is_refused() -> None:
    with pytest.raises(ServerStartError, match=r"^The data folder /proc/fairlead can't be used: .* SAAS_DATA\.$"):
        prepare_folder(Path("/proc/fairlead"))
