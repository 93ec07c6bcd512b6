"""Parts that a command needs only once it runs, by name.

For the whole product takes seconds to import, and neither `--help` nor a probe should wait for it; a server process
is told by name what to serve; and an image may leave a part out (the benchmarks).
"""

from __future__ import annotations

import pkgutil
from typing import Any

from saas.cli.failures import CommandRefused

WEB_PROCESS = "saas.cli.processes:web_application"
WEB_PROCESS_WITH_WORKER = "saas.cli.processes:web_application_with_worker"
SERVE_WEB = "saas.cli.processes:serve_web"
HELD_SERVERS = "saas.cli.installation:held_servers"
WORK = "saas.cli.processes:work"

BENCH_READS = "saas.bench.running:bench_reads"
BENCH_IMPORT = "saas.bench.imports:bench_import"
BENCH_IMPORT_TABLE = "saas.bench.imports:as_table"
BENCH_ALLOCATION = "saas.bench.allocation:bench_allocation"
BENCH_ALLOCATION_TABLE = "saas.bench.allocation:as_table"
BENCH_PAYROLL = "saas.bench.payroll:bench_payroll"
BENCH_PAYROLL_TABLE = "saas.bench.payroll:as_table"
BENCH_POOL = "saas.bench.pool:bench_pool"
BENCH_POOL_SIZES = "saas.bench.pool:PoolSizes"
BENCH_POOL_TABLE = "saas.bench.pool_figures:as_table"
BENCH_TABLES = "saas.bench.figures:as_markdown"
BENCH_ERROR = "saas.bench.errors:BenchError"


def find_part(place: str) -> Any:
    """The object of that name.

    :raises CommandRefused: this installation lacks it.
    """
    try:
        return pkgutil.resolve_name(place)
    except (ModuleNotFoundError, AttributeError) as missing:
        module = place.partition(":")[0]
        if isinstance(missing, ModuleNotFoundError) and not module.startswith(str(missing.name)):
            raise  # the part is there, and something that it needs is not
        raise CommandRefused(
            f"This installation lacks {module}.", "Install the whole package, or run from a clone."
        ) from missing
