"""`saas schema`: printed, compared, written; and no client is broken in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from saas.cli.schema_changes import breaking_changes, difference, extension
from saas.main import installed_product
from tests.cli.conftest import Ended, Operator

CORE = '''
type Query {
  """A customer."""
  customer(id: ID!): Customer
}

type Customer {
  name: String
  level: Level
}

enum Level {
  A
}
'''


@pytest.fixture(scope="module")
def printed() -> str:
    """What the product has."""
    return installed_product().schema.print()


def test_printed_is_what_the_product_has(operator: Operator, printed: str) -> None:
    assert operator.saas("schema") == Ended(0, printed, "")


def test_written_then_equal(operator: Operator, printed: str, tmp_path: Path) -> None:
    assert operator.saas("schema", "--write", "--folder", str(tmp_path)) == Ended(0, "", "schema.graphql is written.\n")
    assert (tmp_path / "schema.graphql").read_text() == printed
    assert operator.saas("schema", "--check", "--folder", str(tmp_path)) == Ended(
        0, "", "schema.graphql: as the code says.\n"
    )


def test_drift_is_shown_as_a_diff(operator: Operator, printed: str, tmp_path: Path) -> None:
    (tmp_path / "schema.graphql").write_text(
        printed.replace("enum AuditOutcome", "enum AuditResult") + "type Extra { a: Int }\n"
    )
    ended = operator.saas("schema", "--check", "--folder", str(tmp_path))
    assert ended.status == 1
    assert ended.out.startswith("--- schema.graphql (committed)\n+++ schema.graphql (code)\n@@ ")
    assert "\n-type Extra { a: Int }\n" in ended.out
    assert ended.err == (
        "saas: The committed schema is not what the code says. Run `saas schema --write` and review the change.\n"
    )


def test_a_breaking_change_needs_its_line_in_the_changelog(operator: Operator, printed: str, tmp_path: Path) -> None:
    committed, changelog = tmp_path / "schema.graphql", tmp_path / "CHANGELOG.md"
    before = printed + '\n"Gone."\ntype Extra {\n  a: ID\n}\n'
    committed.write_text(before)
    changelog.write_text("# Changelog\n\n## 0.2.0\n\nNews.\n\n## 0.1.0\n\nBREAKING: older, announced then.\n")
    write = ("schema", "--write", "--folder", str(tmp_path))
    assert operator.saas(*write) == Ended(
        1,
        "TYPE_REMOVED: Extra was removed.\n",
        "saas: These changes break clients. Announce them in CHANGELOG.md with a line that carries 'BREAKING:'.\n",
    )
    assert committed.read_text() == before
    changelog.write_text(changelog.read_text().replace("News.", "BREAKING: Extra is gone; ask for Customer."))
    assert operator.saas(*write) == Ended(0, "", "schema.graphql is written.\n")
    assert committed.read_text() == printed


def test_check_or_write(operator: Operator) -> None:
    assert operator.saas("schema", "--check", "--write") == Ended(
        2, "", "saas: Invalid value: --check and --write exclude each other. `saas schema --help` shows how.\n"
    )


def test_breaking_changes_are_named() -> None:
    assert breaking_changes(CORE, CORE) == []
    assert breaking_changes("", CORE) == []
    assert breaking_changes(CORE, CORE.replace("  name: String\n", "")) == [
        "FIELD_REMOVED: Field Customer.name was removed."
    ]
    assert breaking_changes(CORE, CORE.replace("name: String", "name: String\n  phone: String")) == []


def test_difference_is_a_diff() -> None:
    assert difference("a\nb\n", "a\nb\n", name="f") == []
    assert difference("a\nb\n", "a\nc\n", name="f") == [
        "--- f (committed)",
        "+++ f (code)",
        "@@ -1,2 +1,2 @@",
        " a",
        "-b",
        "+c",
    ]


def test_what_a_plugin_adds() -> None:
    full = CORE.replace("  level: Level\n", "  level: Level\n  area: Area\n").replace("  A\n", "  A\n  B\n")
    full += "\ntype Area {\n  name: String\n}\n"
    assert extension(CORE, full) == (
        "extend type Customer {\n  area: Area\n}\n\nextend enum Level {\n  B\n}\n\ntype Area {\n  name: String\n}\n"
    )
    assert extension(CORE, CORE) == "\n"
