"""Every direct dependency has its reason in the decision record, and the record names no other."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RECORD = ROOT / "docs" / "adr" / "0008-dependencies.md"


def declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    return {re.split(r"[\[<>=!;~ ]", requirement, maxsplit=1)[0].lower() for requirement in wanted}


def recorded() -> set[str]:
    rows = [line for line in RECORD.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][2:]
    cells = (row.split("|")[1].replace("*development:*", "") for row in rows)
    return {name.strip() for cell in cells for name in cell.split(",")}


def test_each_dependency_has_its_reason() -> None:
    assert recorded() == declared()
