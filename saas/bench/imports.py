"""`saas bench import`: a list of customers brought in whole, beside a bare COPY of the same file.

The import does all that one does: the file is stored, read, sealed, parsed, compared, planned, and committed in
chunks with pinyin keys, blind indexes, duplicate check, trail and events, under row-level security. COPY parses the
same CSV into a table of text columns without row-level security, keys or indexes. Each size runs in a process of its
own, which tells its peak of memory.
"""

from __future__ import annotations

import asyncio
import csv
import os
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import asyncpg
import orjson

from saas.backing import Backing, backing
from saas.bench.errors import BenchError
from saas.bench.machine import describe_machine
from saas.config import Settings
from saas.main import bring_up_to_date, installed_product

Progress = Callable[[str], None]
MEMORY_GOAL = 1.20
"""The peak of memory at the large size is at most this many times that at the small one."""

HEADER = ("客户编号", "客户名称", "行业", "客户级别", "客户来源", "省份", "城市", "联系人", "手机")
_WORDS = ("华信", "远山", "晨光", "恒达", "东岳", "江南", "新元", "博雅", "金桥", "海川", "天工", "瑞丰")
_TRADES = ("建材", "物流", "医药", "软件", "零售", "能源", "食品", "装备")
_PLACES = (("上海市", "上海市"), ("广东省", "深圳市"), ("浙江省", "杭州市"), ("四川省", "成都市"), ("江苏省", "苏州市"))
_COPY_TABLE = "bench_copy"


@dataclass(frozen=True, slots=True)
class ImportSample:
    """One size: seconds of its parts, and bytes of memory before and at the peak."""

    rows: int
    copy_seconds: float
    preview_seconds: float
    commit_seconds: float
    memory_before: int
    memory_peak: int


async def bench_import(
    *, data: Path, rows: int = 100_000, report: Progress, database_url: str = ""
) -> list[ImportSample]:
    """Import a tenth of `rows`, then `rows`, each into a company of its own.

    Servers live in a folder of their own below `data`, or in the empty database that `database_url` names.

    :raises BenchError: an import did not end as it should.
    """
    folder = data / "bench" / "import"
    settings = Settings(data=folder, database_url=database_url)
    async with backing(settings, progress=report) as servers:
        await bring_up_to_date(installed_product(), servers)
        samples = []
        for size in (rows // 10, rows):
            path = folder / f"customers-{size}.csv"
            write_customers(path, size)
            report(f"Copying {size:,} rows")
            copied = await _copy(servers, path)
            report(f"Importing {size:,} rows")
            samples.append(await _imported(servers, settings.data, path, size, copied))
        report(f"Measured on {describe_machine()}")
        return samples


def write_customers(path: Path, rows: int) -> None:
    """A list of customers; the same size gives the same bytes."""
    chance = random.Random(rows)  # noqa: S311 (a benchmark's rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number in range(rows):
            place, town = chance.choice(_PLACES)
            name = f"{town[:2]}{chance.choice(_WORDS)}{chance.choice(_TRADES)}{number:06}有限公司"
            writer.writerow(
                (
                    f"C{number:06}",
                    name,
                    chance.choice(_TRADES),
                    chance.choice("ABC"),
                    chance.choice(("展会", "转介绍", "官网")),
                    place,
                    town,
                    chance.choice(("赵经理", "钱总", "孙主任")),
                    f"13{number:09}",
                )
            )


async def _copy(servers: Backing, path: Path) -> float:
    connection = await asyncpg.connect(servers.owner_url)
    try:
        columns = ", ".join(f"c{place} text" for place in range(len(HEADER)))
        await connection.execute(f"DROP TABLE IF EXISTS {_COPY_TABLE}; CREATE TABLE {_COPY_TABLE} ({columns})")
        began = perf_counter()
        await connection.copy_to_table(_COPY_TABLE, source=path, format="csv", header=True)
        took = perf_counter() - began
        await connection.execute(f"DROP TABLE {_COPY_TABLE}")
    finally:
        await connection.close()
    return took


async def _imported(servers: Backing, data: Path, path: Path, rows: int, copied: float) -> ImportSample:
    environment = {
        **os.environ,
        "SAAS_DATA": str(data),
        "DATABASE_URL": servers.owner_url,
        "DATABASE_APP_URL": servers.database.app,
        "DATABASE_PLATFORM_URL": servers.database.platform,
        "DATABASE_RELAY_URL": servers.relay_url,
        "REDIS_URL": servers.redis_url,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "saas.bench.import_process",
        str(path),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    if process.returncode != 0:
        raise BenchError(f"the import of {rows:,} rows ended with status {process.returncode}, its reason stands above")
    found = orjson.loads(out)
    if found["applied"] != rows:
        raise BenchError(f"{found['applied']:,} of {rows:,} rows were written")
    del found["applied"]
    return ImportSample(rows, copied, **found)


def as_table(samples: Sequence[ImportSample]) -> str:
    """The figures as a table of docs/benchmarks.md, and whether memory keeps to its goal."""
    lines = [
        "| rows | COPY rows/s | preview rows/s | commit rows/s | commit × COPY | memory before MiB | peak MiB |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for each in samples:
        copied, commit = each.rows / each.copy_seconds, each.rows / each.commit_seconds
        lines.append(
            f"| {each.rows:,} | {copied:,.0f} | {each.rows / each.preview_seconds:,.0f} | {commit:,.0f}"
            f" | {commit / copied:.4f} | {each.memory_before / 2**20:.0f} | {each.memory_peak / 2**20:.0f} |"
        )
    growth = samples[-1].memory_peak / samples[0].memory_peak
    verdict = "kept" if growth <= MEMORY_GOAL else "missed"
    lines += ["", f"Peak of memory at ten times the rows: × {growth:.2f}; goal at most × {MEMORY_GOAL:.2f}: {verdict}."]
    return "\n".join(lines)
