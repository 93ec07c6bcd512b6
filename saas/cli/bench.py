"""`saas bench`: the product's speed beside its floor, by the benchmarks where they are installed."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from saas.cli.failures import CommandRefused
from saas.cli.parts import (
    BENCH_ALLOCATION,
    BENCH_ALLOCATION_TABLE,
    BENCH_ERROR,
    BENCH_IMPORT,
    BENCH_IMPORT_TABLE,
    BENCH_PAYROLL,
    BENCH_PAYROLL_TABLE,
    BENCH_POOL,
    BENCH_POOL_SIZES,
    BENCH_POOL_TABLE,
    BENCH_READS,
    BENCH_TABLES,
    find_part,
)
from saas.cli.settings import settings_of_process
from saas.cli.terminal import note, say

commands = typer.Typer(no_args_is_help=True, help="Benchmarks against their floors.")

Rounds = Annotated[int, typer.Option(min=1, max=100, help="Rounds; product and floor take turns in each.")]


@commands.callback()
def bench() -> None:
    """Measure the product against the least that any server could do; docs/benchmarks.md keeps the figures."""


@commands.command()
def reads(
    rounds: Rounds = 5,
    seconds: Annotated[float, typer.Option(min=0.1, max=60, help="Length of one measurement.")] = 3.0,
    short: Annotated[bool, typer.Option("--short", help="Few rows, one short round: does everything answer?")] = False,
) -> None:
    """Measure reads and claims against their floor.

    The contenders: bare SQL, this product with everything on, and the same schema executed the ordinary way. Fills a
    database of its own below SAAS_DATA the first time (or the empty one of DATABASE_URL), which takes minutes. Needs
    an otherwise idle machine; prints the tables of docs/benchmarks.md.

    \b
    Examples:
      saas bench reads
      saas bench reads --rounds 9 --seconds 5
      saas bench reads --short
    """
    rounds, seconds = (1, 0.5) if short else (rounds, seconds)
    _measure(BENCH_READS, BENCH_TABLES, rounds=rounds, seconds=seconds, is_short=short)


@commands.command("import")
def import_(
    rows: Annotated[
        int, typer.Option(min=1_000, max=1_000_000, help="Rows of the large file; the small has a tenth.")
    ] = 100_000,
    short: Annotated[bool, typer.Option("--short", help="2,000 rows: does everything run?")] = False,
) -> None:
    """Measure an import of customers beside a bare COPY of the same file, and its memory.

    Each size runs in a process of its own, into a company of its own. Needs an otherwise idle machine; prints the
    table of docs/benchmarks.md.

    \b
    Examples:
      saas bench import
      saas bench import --rows 30000
      saas bench import --short
    """
    _measure(BENCH_IMPORT, BENCH_IMPORT_TABLE, rows=2_000 if short else rows)


@commands.command()
def allocation(
    customers: Annotated[int, typer.Option(min=1_000, max=100_000, help="Customers of the pool.")] = 100_000,
    reps: Annotated[int, typer.Option(min=2, max=500, help="People who receive them.")] = 500,
    rounds: Rounds = 3,
    short: Annotated[bool, typer.Option("--short", help="2,000 customers, 20 reps, one round: does it run?")] = False,
) -> None:
    """Measure allocations of a whole pool by each method, beside the bare loop and bulk writes.

    Each allocation is planned and committed in a process of its own, right after the floor; a tenth of the customers
    once more, for the memory. Needs an otherwise idle machine; prints the tables of docs/benchmarks.md.

    \b
    Examples:
      saas bench allocation
      saas bench allocation --customers 20000 --reps 100 --rounds 1
      saas bench allocation --short
    """
    customers, reps, rounds = (2_000, 20, 1) if short else (customers, reps, rounds)
    _measure(BENCH_ALLOCATION, BENCH_ALLOCATION_TABLE, customers=customers, reps=reps, rounds=rounds)


@commands.command()
def payroll(
    people: Annotated[
        int, typer.Option(min=1_000, max=100_000, help="People of the large company; the small has a tenth.")
    ] = 10_000,
    rounds: Rounds = 3,
    short: Annotated[bool, typer.Option("--short", help="200 people, one round: does everything run?")] = False,
) -> None:
    """Measure a month's payslips beside bare arithmetic, sealing and COPY.

    The product freezes, computes and stores them by its own jobs, in one worker process and in two; every payslip is
    compared with the amounts found by hand. Needs an otherwise idle machine; prints the tables of docs/benchmarks.md.

    \b
    Examples:
      saas bench payroll
      saas bench payroll --people 2000 --rounds 5
      saas bench payroll --short
    """
    people, rounds = (200, 1) if short else (people, rounds)
    _measure(BENCH_PAYROLL, BENCH_PAYROLL_TABLE, people=people, rounds=rounds)


@commands.command()
def pool(
    customers: Annotated[
        int, typer.Option(min=1_000, max=10_000_000, help="Customers of the company; each hundredth is due.")
    ] = 1_000_000,
    large: Annotated[
        int, typer.Option(min=1_000, max=100_000_000, help="Customers of the large company; no more are due.")
    ] = 10_000_000,
    reps: Annotated[int, typer.Option(min=50, max=500, help="People who own them.")] = 500,
    seconds: Annotated[float, typer.Option(min=0.1, max=600, help="Length of a rush of claims.")] = 30.0,
    rounds: Rounds = 3,
    short: Annotated[bool, typer.Option("--short", help="1,000 customers, a short rush: does everything run?")] = False,
) -> None:
    """Measure a night of recycling, a rush of claims and the verification of a draw.

    Nights run beside hand-written SQL that writes the same rows, claims beside the bare conditional UPDATE. Ten
    million customers take about 25 GB of disk and most of an hour to fill; the rows are gone afterwards. Needs an
    otherwise idle machine; prints the tables of docs/benchmarks.md.

    \b
    Examples:
      saas bench pool
      saas bench pool --customers 200000 --large 2000000 --seconds 10
      saas bench pool --short
    """
    if short:
        customers, large, reps, seconds, rounds = 1_000, 2_000, 50, 0.5, 1
    sizes = find_part(BENCH_POOL_SIZES)(customers, large, reps, 1_000 if short else 100_000, seconds)
    _measure(BENCH_POOL, BENCH_POOL_TABLE, sizes=sizes, rounds=rounds)


def _measure(measure: str, as_table: str, **options: Any) -> None:
    """Run a benchmark in its data folder and print its tables.

    :raises CommandRefused: it could not be measured, or a contender answered something else.
    """
    settings = settings_of_process()
    run, tables, refusal = find_part(measure), find_part(as_table), find_part(BENCH_ERROR)
    try:
        figures = asyncio.run(run(data=settings.data, report=note, database_url=settings.database_url, **options))
    except refusal as refused:
        raise CommandRefused(str(refused)) from refused
    say(tables(figures))
