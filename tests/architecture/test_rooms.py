"""A stranger guesses in which file of a room a thing lives; and no test waits by the clock."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import saas

ROOT = Path(saas.__file__).parent.parent
ROOMS = (
    "access",
    "analytics",
    "attendance",
    "audit",
    "circulation",
    "customers",
    "events",
    "exchange",
    "extensions",
    "identity",
    "incentives",
    "jobs",
    "onboarding",
    "payroll",
    "people",
    "reports",
    "sales",
)
LAYERS = {
    "__init__",
    "actions",
    "columns",
    "errors",
    "events",
    "hooks",
    "jobs",
    "models",
    "policies",
    "queries",
    "reads",
    "rules",
}
"""The files of a room. `actions` and `rules` may be folders, a file per subject; locales and migrations are others."""

REVIEWED = {
    "access/catalogue.py": "what a right can be about, built once at the start",
    "access/compiler.py": "the only file that knows casbin",
    "access/scopes.py": "row scopes as SQL",
    "access/table.py": "the compiled rights, all that rooms above need",
    "customers/administrators.py": "who administers a pool: a seventh subject of `queries`",
    "customers/allocation_models.py": "tables of what people bring into allocations: a second subject of `models`",
    "customers/allocation_reads.py": "how allocations are read: a fourth subject of `reads`",
    "analytics/behaviour_queries.py": "reports of how people use what they hold: a second subject of `queries`",
    "analytics/behaviour_reading.py": "facts of such reports, read and added up page by page",
    "analytics/behaviour_reports.py": "the same report reckoned by a job, stored and read",
    "analytics/behaviour_rows.py": "the same report as rows and files, for spreadsheets",
    "customers/arrival_jobs.py": "what arrives is allocated by itself: a third subject of `jobs`",
    "customers/automation.py": "who acts where a job of the product does",
    "customers/claim_queries.py": "what a claim finds out, in one statement: a second subject of `queries`",
    "customers/department_loads.py": "what limited departments hold together: another subject of `queries`",
    "customers/given_queries.py": "what allocations gave, for audits: a third subject of `queries`",
    "customers/held_queries.py": "who held customers in periods, for reports: a fourth subject of `queries`",
    "customers/ledger.py": "what a line of the public ledger says, and its digest: pure, a third subject of `rules`",
    "customers/ledger_feed.py": "new lines of the ledger for all who read on in this process: a long-lived `query`",
    "customers/ledger_queries.py": "the ledger held against the trail: a fourth subject of `queries`",
    "circulation/mails.py": "what people are told by mail: a second subject of `jobs`",
    "customers/holding_queries.py": "who holds what of a pool, for rooms above: another subject of `queries`",
    "customers/mark_models.py": "tables of what stands beside ownerships: a second subject of `models`",
    "customers/mark_reads.py": "how locks, protections and extensions are read: a third subject of `reads`",
    "customers/marks.py": "pure decisions about locks, protections and extensions: a second subject of `rules`",
    "customers/moments.py": "what few pools ask at a claim: a fourth subject of `queries`",
    "customers/nights.py": "which pools want a night's run, and the rows of runs: a fifth subject of `queries`",
    "customers/plugin_methods.py": "a plugin's method asked and checked: a second subject of `hooks`",
    "customers/pool_models.py": "tables of who decides about a pool: a third subject of `models`",
    "customers/proposal_mails.py": "what people are told by mail of proposals: a third subject of `jobs`",
    "customers/proposal_reads.py": "how proposed changes of pools are read: a fifth subject of `reads`",
    "customers/pool_reads.py": "how pools, their ledger and allocations are read: a second subject of `reads`",
    "customers/recycling_jobs.py": "the nightly recycling: a second subject of `jobs`",
    "customers/request_mails.py": "what people are told of requests by mail: a third subject of `jobs`",
    "customers/request_reads.py": "how requests for claims and assignments are read: a third subject of `reads`",
    "customers/refusals.py": "claims that were refused, counted beside them: a long-lived tally, and how it is read",
    "customers/settings.py": "a pool's typed settings, which claims, recycling and allocations go by",
    "customers/thresholds.py": "how much is assigned to a person: a third subject of `rules`",
    "events/idempotency.py": "outcomes by key, a second subject of the room",
    "events/topics.py": "what an event is: used by every room's events",
    "exchange/archives.py": "an XLSX file before it is unpacked",
    "exchange/cells.py": "what stands in a cell, and how words are read",
    "exchange/chunks.py": "a thousand rows, sealed",
    "exchange/days.py": "how days are read",
    "exchange/error_files.py": "the only file that knows xlsxwriter",
    "exchange/figures.py": "how figures are read",
    "exchange/headers.py": "where in a sheet the table is",
    "exchange/kinds.py": "what a room above gives to be imported",
    "exchange/recipes.py": "folders of other products as workbooks of ours",
    "exchange/report_files.py": "reports as files that spreadsheets open",
    "exchange/sheets.py": "files as rows of cells",
    "exchange/store.py": "where uploads wait",
    "exchange/text_files.py": "CSV: encodings and separators",
    "exchange/workbooks.py": "the only file that knows calamine",
    "extensions/host.py": "the only file that knows pluggy",
    "extensions/manifest.py": "what a plugin says of itself",
    "extensions/settings.py": "typed settings, used by plugins through the sdk",
    "extensions/tenant_plugins.py": "the value that hooks are asked with",
    "identity/authentication.py": "from a token to an actor, for the doors",
    "identity/blocklist.txt": "passwords that are known too well",
    "identity/passwords.py": "hashing, bounded",
    "identity/security_events.py": "the trail of accounts, which belong to no company",
    "identity/tokens.py": "what a token looks like and how it is kept",
    "people/persons.py": "which records of the staff are one person: a second subject of `queries`",
    "reports/kinds.py": "what a room above gives to be reckoned",
    "payroll/payslip.typ": "the page of a payslip",
    "payroll/pdf.py": "the only file that knows typst",
    "payroll/standard.py": "the structure that every company begins with",
    "jobs/bell.py": "wakes the relay, and whoever watches",
    "sales/figure_queries.py": "what customers came to in a time: a second subject of `queries`",
    "jobs/mail.py": "outgoing mail, captured",
    "jobs/periodic.py": "runs by the clock",
    "jobs/queue.py": "the only file that knows arq",
    "sales/history_queries.py": "what was done with customers, for reports: a second subject of `queries`",
}
"""Files of other names, each with its reason."""

SUBJECTS = {
    "analytics/behaviour": "how people use what they hold: pure, tallies and measures that no other rule asks",
    "analytics/fairness": "the audit of a pool's dealing against chance: pure, statistics that no other rule asks",
    "customers/allocation": "methods, draw and certificate: pure, many small files, one shipped by itself",
    "exchange/mappings": "recipes that come with the product: data, no code",
    "customers/options": "the options of a pool, a file per subject, each declared once: pure",
    "customers/recycling": "clocks, holds and the one verdict: pure",
    "payroll/rules/compiled": "forms from which payslips are written: pure, none of which another rule asks",
    "payroll/rules/v1": "the first version of the calculations, which closed runs name; the next stands beside it",
}
"""Folders of pure decisions that are too much for `rules`, or of data; their files are named by content."""

WAITS = {
    "tests/api/conftest.py": "uvicorn offers no event for having started",
    "tests/api/test_door.py": "the server begins to watch a client that leaves",
    "tests/api/toy.py": "a field that takes as long as a test says",
    "tests/cli/test_processes.py": "another process writes a file",
    "tests/jobs/cast.py": "another process writes a row",
    "tests/jobs/test_worker.py": "another process works; kills at random moments",
    "tests/scenarios/test_eight_calls.py": "a client that polls, as partners do",
    "tests/servers/conftest.py": "another process starts a server",
    "tests/tenancy/test_database.py": "a statement that outlasts its request",
}
"""Tests that wait, each for something that can't tell when it has happened."""


def files_of(room: str) -> Iterator[str]:
    folder = ROOT / "saas" / room
    for path in folder.rglob("*"):
        inner = path.relative_to(folder)
        if (
            path.is_file()
            and "__pycache__" not in inner.parts
            and inner.parts[0] not in {"fonts", "locales", "migrations"}
        ):
            yield str(Path(room, inner))


def test_rooms_hold_the_files_that_every_room_holds() -> None:
    others = {
        name
        for room in ROOMS
        for name in files_of(room)
        if not (name.endswith(".py") and Path(name).parts[1].removesuffix(".py") in LAYERS)
        and str(Path(name).parent) not in SUBJECTS
    }
    assert others == set(REVIEWED)


@pytest.mark.parametrize("room", ROOMS)
def test_only_actions_rules_and_reviewed_subjects_are_split_into_files(room: str) -> None:
    folders = {Path(*Path(name).parts[1:-1]) for name in files_of(room) if len(Path(name).parts) > 2}
    assert folders - {Path("actions"), Path("rules")} == {
        Path(each).relative_to(room) for each in SUBJECTS if Path(each).parts[0] == room
    }


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_it_is_for_and_lists_its_names(room: str) -> None:
    tree = ast.parse((ROOT / "saas" / room / "__init__.py").read_text(encoding="utf-8"))
    assert len((ast.get_docstring(tree) or "").split()) >= 8
    assigned = [node for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)]
    (names,) = [ast.literal_eval(node.value) for node in assigned if node.targets[0].id == "__all__"]  # type: ignore[attr-defined]
    assert names
    assert len(set(names)) == len(names)


def test_tests_wait_for_events_not_for_time() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").rglob("*.py")
        if any(map(_sleeps, ast.walk(ast.parse(path.read_text(encoding="utf-8")))))
    }
    assert found == set(WAITS)


def _sleeps(node: ast.AST) -> bool:
    """A call of ``sleep``, or a statement that has PostgreSQL sleep; ``sleep(0)`` only lets other tasks go on."""
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        is_yield = bool(node.args) and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0
        return name == "sleep" and not is_yield
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and "pg_" + "sleep(" in node.value


def test_nothing_is_printed_but_by_the_command_line() -> None:
    printing = {
        str(path.relative_to(ROOT))
        for folder in ("saas", "tenants", "plugins")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert printing == set()
