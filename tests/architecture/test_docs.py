"""What the documents name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "helm" / "README.md"])
PLACE = re.compile(r"`((?:saas|tenants|plugins|tests|docs|helm|\.ci)/[\w./*-]+)`")
ABSENT = {"saas/payroll", "plugins/<name>/schema.graphql"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_place_it_names_exists(document: Path) -> None:
    named = {match.rstrip("/.") for match in PLACE.findall(document.read_text(encoding="utf-8"))}
    missing = [place for place in sorted(named - ABSENT) if not list(ROOT.glob(place))]
    assert missing == []


def test_first_queries_of_the_readme_fit_the_schema() -> None:
    schema = build_schema((ROOT / "schema.graphql").read_text(encoding="utf-8"))
    documents = re.findall(r'"query": "(.+?)"[,}]', (ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(documents) == 3
    assert [validate(schema, parse(document)) for document in documents] == [[], [], []]


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs" / "adr").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("record", sorted((ROOT / "docs" / "adr").glob("*.md")), ids=lambda path: path.stem)
def test_each_decision_names_what_enforces_it_and_stays_short(record: Path) -> None:
    text = record.read_text(encoding="utf-8")
    assert "**Decision" in text
    assert "Enforced by" in text
    assert len(text.splitlines()) <= 60
