"""`saas bench`: the product's speed beside its floor, by the benchmarks where they are installed."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from saas.cli.failures import CommandRefused
from saas.cli.parts import (
    BENCH_ALLOCATION,
    BENCH_ALLOCATION_TABLE,
    BENCH_ERROR,
    BENCH_IMPORT,
    BENCH_IMPORT_TABLE,
    BENCH_READS,
    BENCH_TABLES,
    find_part,
)
from saas.cli.settings import settings_of_process
from saas.cli.terminal import note, say

commands = typer.Typer(no_args_is_help=True, help="Benchmarks against their floors.")


@commands.callback()
def bench() -> None:
    """Measure the product against the least that any server could do; docs/benchmarks.md keeps the figures."""


@commands.command()
def reads(
    rounds: Annotated[int, typer.Option(min=1, max=100, help="Rounds; the contenders take turns in each.")] = 5,
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
    settings = settings_of_process()
    measure, as_tables, refusal = find_part(BENCH_READS), find_part(BENCH_TABLES), find_part(BENCH_ERROR)
    try:
        figures = asyncio.run(
            measure(
                data=settings.data,
                rounds=rounds,
                seconds=seconds,
                report=note,
                is_short=short,
                database_url=settings.database_url,
            )
        )
    except refusal as refused:
        raise CommandRefused(str(refused)) from refused
    say(as_tables(figures))


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
    settings = settings_of_process()
    measure, as_table, refusal = find_part(BENCH_IMPORT), find_part(BENCH_IMPORT_TABLE), find_part(BENCH_ERROR)
    try:
        samples = asyncio.run(
            measure(
                data=settings.data,
                rows=2_000 if short else rows,
                report=note,
                database_url=settings.database_url,
            )
        )
    except refusal as refused:
        raise CommandRefused(str(refused)) from refused
    say(as_table(samples))


@commands.command()
def allocation(
    customers: Annotated[int, typer.Option(min=1_000, max=100_000, help="Customers of the pool.")] = 100_000,
    reps: Annotated[int, typer.Option(min=2, max=500, help="People who receive them.")] = 500,
    rounds: Annotated[int, typer.Option(min=1, max=100, help="Rounds; each method follows its floor.")] = 3,
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
    settings = settings_of_process()
    measure, as_table, refusal = find_part(BENCH_ALLOCATION), find_part(BENCH_ALLOCATION_TABLE), find_part(BENCH_ERROR)
    try:
        figures = asyncio.run(
            measure(
                data=settings.data,
                customers=customers,
                reps=reps,
                rounds=rounds,
                report=note,
                database_url=settings.database_url,
            )
        )
    except refusal as refused:
        raise CommandRefused(str(refused)) from refused
    say(as_table(figures))
