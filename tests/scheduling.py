"""How workers share the tests: what is dear to begin is begun once, and what takes longest comes first.

A file goes to one worker, for its fixtures' sake, and so does each folder of `TOGETHER`. All other order is chance's.
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER = ("tests/cli", "tests/differential", "tests/api/rooms", "tests/servers", "tests/chart")
"""Folders whose fixtures cost seconds: servers of their own, the product behind HTTP, an oracle over a company."""

FIRST = (
    "tests/cli",
    "tests/scenarios/test_demo.py",
    "tests/scenarios/test_crm_year.py",
    "tests/differential",
    "tests/api/rooms",
    "tests/rooms/test_bench.py",
    "tests/servers",
    "tests/scenarios/test_imported_sales.py",
    "tests/scenarios/test_eight_calls.py",
)
"""The longest, in this order: begun at the end, they would leave the other workers idle."""


class ByUnits(LoadScopeScheduling):  # type: ignore[misc]
    """Gives a free worker the next unit."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)


def unit_of(nodeid: str) -> str:
    """The folder or file whose tests one worker takes."""
    file = nodeid.partition("::")[0]
    return next((folder for folder in TOGETHER if file.startswith(f"{folder}/")), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """Share by units, unless another way was asked for."""
    if config.getvalue("dist") != "load":
        return None
    config.option.loadscopereorder = False  # the order of the collection, not the largest number of tests
    return ByUnits(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest, before what chance has ordered."""
    items.sort(key=lambda item: _place(unit_of(item.nodeid)))


def _place(unit: str) -> int:
    return FIRST.index(unit) if unit in FIRST else len(FIRST)
