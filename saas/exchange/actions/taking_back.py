"""What the kinds' undo has in common: rows of a set are taken back together, or, where one of them is in use, alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import asyncpg

from saas.exchange.kinds import Applied
from saas.kernel import AppError
from tenants import current_transaction

TakeBack = Callable[[Sequence[Applied]], Awaitable[set[int]]]
"""Takes rows back by one statement or a few; the numbers of those that it found unchanged."""


async def take_back(
    applied: Sequence[Applied],
    way: TakeBack,
    *,
    changed: Callable[[Applied], AppError],
    in_use: Callable[[Applied], AppError],
) -> list[AppError | None]:
    """For each row None, or why it stays: `changed` since, or `in_use` by records that came after it."""
    try:
        async with current_transaction().savepoint():
            done = await way(applied)
    except asyncpg.ForeignKeyViolationError:
        if len(applied) == 1:
            return [in_use(applied[0])]
        return [(await take_back([each], way, changed=changed, in_use=in_use))[0] for each in applied]
    return [None if each.number in done else changed(each) for each in applied]
