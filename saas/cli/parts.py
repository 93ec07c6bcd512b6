"""Parts that one command alone needs, found when it runs.

By name, for two reasons: `saas tenant list` should not wait for the whole schema to be built, and a server process
is told by name what to serve. An image may also leave a part out (the benchmarks).
"""

from __future__ import annotations

import pkgutil
from typing import Any

from saas.cli.failures import CommandRefused

WEB_APP = "saas.main:web_app"
"""``() -> ASGI application``. Reads its settings from the environment; opens and closes its services by lifespan."""

WORKER_SERVICES = "saas.main:worker_services"
"""``(Settings, Backing) -> async context manager of WorkerServices``."""

SCHEMA_TEXT = "saas.main:schema_text"
"""``(names of plugins) -> the schema's text``, sorted: the core alone, or with those plugins."""

DEMO_STORY = "saas.demo.story:tell_story"
"""``async (Settings, Backing, *, say, progress)``: `say` takes a line, `progress` (what, done, of how many)."""

BENCH_READS = "saas.bench:bench_reads"
"""``async (*, data, rounds, seconds, report)``."""


def find_part(place: str) -> Any:
    """The object of that name.

    :raises CommandRefused: this installation lacks it.
    """
    try:
        return pkgutil.resolve_name(place)
    except (ModuleNotFoundError, AttributeError) as missing:
        if isinstance(missing, ModuleNotFoundError) and not place.startswith(str(missing.name)):
            raise  # the part is there, and something that it needs is not
        raise CommandRefused(
            f"This installation lacks {place.partition(':')[0]}.", "Install the whole package, or run from a clone."
        ) from missing
