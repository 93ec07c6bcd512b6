"""`saas bench`: the product's speed beside its floor, by the benchmarks where they are installed."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from saas.cli.failures import CommandRefused
from saas.cli.parts import (
    BENCH_ERROR,
    BENCH_IMPORT,
    BENCH_IMPORT_TABLE,
    BENCH_PAYROLL,
    BENCH_PAYROLL_TABLE,
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
def payroll(
    people: Annotated[
        int, typer.Option(min=1_000, max=100_000, help="People of the large company; the small has a tenth.")
    ] = 10_000,
    rounds: Annotated[int, typer.Option(min=1, max=100, help="Rounds; product and floor take turns in each.")] = 3,
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
    settings = settings_of_process()
    measure, as_table, refusal = find_part(BENCH_PAYROLL), find_part(BENCH_PAYROLL_TABLE), find_part(BENCH_ERROR)
    try:
        figures = asyncio.run(
            measure(
                data=settings.data,
                people=people,
                rounds=rounds,
                report=note,
                database_url=settings.database_url,
            )
        )
    except refusal as refused:
        raise CommandRefused(str(refused)) from refused
    say(as_table(figures))
