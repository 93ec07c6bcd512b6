"""A statement that travels with another: what must be written beside an effect costs no trip of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

import asyncpg

from tenants.database import current_transaction

_PARAMETER = re.compile(r"\$(\d+)")


class Companion:
    """An INSERT of a transaction that goes along with the next SELECT, as a WITH part of it, or else by itself.

    `taken` is raised where its row stands already, or another transaction is about to write it.
    """

    def __init__(self, sql: str, values: Sequence[object], *, taken: Exception) -> None:
        self._sql = sql
        self._values = values
        self._taken = taken
        self._is_sent = False

    async def fetchrow(self, sql: str, *values: object) -> asyncpg.Record | None:
        """As `Transaction.fetchrow` of the current one; the first call takes the INSERT along.

        :raises ValueError: `sql` is no plain SELECT.
        """
        if self._is_sent:
            return await current_transaction().fetchrow(sql, *values)
        self._is_sent = True
        with self._refused_if_taken():
            return await current_transaction().fetchrow(_together(self._sql, sql, len(values)), *values, *self._values)

    async def send(self) -> None:
        """Run the INSERT by itself, if no statement has taken it along."""
        if self._is_sent:
            return
        self._is_sent = True
        with self._refused_if_taken():
            await current_transaction().execute(self._sql, *self._values)

    @contextmanager
    def _refused_if_taken(self) -> Iterator[None]:
        try:
            yield
        except (asyncpg.UniqueViolationError, asyncpg.LockNotAvailableError):
            raise self._taken from None


@lru_cache(maxsize=500)
def _together(insert: str, select: str, taken: int) -> str:
    """One statement of both, the parameters of the INSERT after the `taken` ones of the SELECT."""
    if not select.lstrip().startswith("SELECT"):
        raise ValueError("only a plain SELECT takes an INSERT along")
    shifted = _PARAMETER.sub(lambda found: f"${int(found[1]) + taken}", insert)
    return f"WITH companion AS ({shifted}) {select}"
