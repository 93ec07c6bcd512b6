"""`saas audit …`: an untouched trail is intact, a touched one is not, and an auditor needs the export alone."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio

from saas.audit import chain
from saas.kernel import SystemClock
from tenants import Database
from tests.cli.conftest import Administrator, Ended, Operator

HEADLESS = "No published heads were found: a cut tail can't be noticed without them.\n"


@pytest_asyncio.fixture(loop_scope="session")
async def chained(company: str, directory: Database) -> str:
    """The id of a company whose four entries are linked, as the worker links them."""
    assert await chain(directory, UUID(company), clock=SystemClock()) == 4
    return company


@pytest.fixture
def no_heads(tmp_path: Path) -> tuple[str, str]:
    """Heads are looked for where nobody publishes any: a worker of another test may have, in the data folder."""
    return "--heads", str(tmp_path / "heads")


def test_untouched(operator: Operator, chained: str, no_heads: tuple[str, str]) -> None:
    ended = operator.saas("audit", "verify", "--tenant", chained, *no_heads)
    assert ended == Ended(0, f"晨光销售 ({chained}): intact, 4 links.\n", HEADLESS)


async def test_touched_by_an_administrator(operator: Operator, chained: str, administrator: Administrator) -> None:
    entry = await administrator.fetchrow(
        "UPDATE audit_entry SET reason = 'nothing happened' WHERE tenant_id = $1 AND action = 'company.signed_up'"
        " RETURNING id",
        UUID(chained),
    )
    assert entry is not None
    ended = operator.saas("audit", "verify", "--tenant", chained, "--json")
    (verdict,) = ended.json
    assert (ended.status, ended.err) == (1, "")
    assert (verdict["intact"], verdict["tampering"]) == (False, "changed_entry")
    assert verdict["detail"] == f"entry {entry['id']} is not what was linked"
    everyone = operator.saas("audit", "verify", "--all")
    assert everyone.status == 1
    assert (
        f"晨光销售 ({chained}): NOT INTACT, changed_entry at link {verdict['seq']}: {verdict['detail']}.\n"
        in everyone.out
    )


def test_an_export_is_verified_without_the_database(
    operator: Operator, chained: str, tmp_path: Path, no_heads: tuple[str, str]
) -> None:
    file, away = tmp_path / "trail.jsonl", {"DATABASE_URL": "postgres://nobody@192.0.2.1/none"}
    assert operator.saas("audit", "export", chained, str(file)) == Ended(0, f"4 links are in {file}.\n", "")
    assert operator.saas("audit", "verify", "--file", str(file), *no_heads, **away) == Ended(
        0, f"{file}: intact, 4 links.\n", HEADLESS
    )
    file.write_text(file.read_text().replace('"reason":""', '"reason":"x"', 1))
    touched = operator.saas("audit", "verify", "--file", str(file), *no_heads, **away)
    assert touched.status == 1
    assert touched.out.startswith(f"{file}: NOT INTACT, changed_entry at link 1: entry ")


def test_a_cut_tail_shows_against_published_heads(operator: Operator, chained: str, tmp_path: Path) -> None:
    file, heads = tmp_path / "trail.jsonl", tmp_path / "heads"
    operator.saas("audit", "export", chained, str(file))
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:-1]))
    heads.mkdir()
    (heads / "heads-202611.jsonl").write_text(
        f'{{"at":"2026-11-23T02:00:00.000000Z","hash":"{"0" * 64}","seq":4,"tenant":"{chained}"}}\n'
    )
    assert operator.saas("audit", "verify", "--file", str(file), "--heads", str(heads)) == Ended(
        1, f"{file}: NOT INTACT, cut_tail at link 4: a head with 4 links was published, 3 are left.\n", ""
    )


def test_no_export_at_all(operator: Operator, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text('{"format": "mine"}\n')
    assert operator.saas("audit", "verify", "--file", str(file)) == Ended(
        1,
        "",
        f"saas: {file} is no whole export of a trail (not an export of the format fairlead-audit-1). "
        "`saas audit export` writes one.\n",
    )


def test_an_export_overwrites_nothing(operator: Operator, chained: str, tmp_path: Path) -> None:
    file = tmp_path / "trail.jsonl"
    file.write_text("mine")
    ended = operator.saas("audit", "export", chained, str(file))
    assert ended == Ended(
        1, "", f"saas: {file} can't be used: File exists. Name another place, or give this user the right to it.\n"
    )
    assert file.read_text() == "mine"


def test_what_to_verify_is_said_once(operator: Operator) -> None:
    for arguments in ([], ["--all", "--tenant", "01a0ffff-0000-7000-8000-000000000000"]):
        assert operator.saas("audit", "verify", *arguments) == Ended(
            2,
            "",
            "saas: Invalid value: one of --tenant, --all and --file says what to verify. "
            "`saas audit verify --help` shows how.\n",
        )


def test_unknown_company(operator: Operator) -> None:
    ended = operator.saas("audit", "verify", "--tenant", "01a0ffff-0000-7000-8000-000000000000")
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith("saas: There is no company 01a0ffff-0000-7000-8000-000000000000.")
