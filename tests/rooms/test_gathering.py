"""Questions asked in one moment go as one statement, each gets its own row, and none is lost with another's request."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from saas.graphql.gathering import MOST_TOGETHER, Gathering
from tenants import Database

SHARED = 1000
ASK = """
SELECT $1::int + asked.number AS found, count(*) OVER () AS together
FROM unnest($2::int[]) WITH ORDINALITY AS asked(number, place) ORDER BY asked.place
"""


async def test_each_gets_its_own_row_of_the_one_statement(database: Database) -> None:
    gathering = Gathering(database)
    rows = await asyncio.gather(*(gathering.fetchrow(ASK, SHARED, number) for number in range(20)))
    assert [(row["found"], row["together"]) for row in rows] == [(1000 + number, 20) for number in range(20)]


async def test_what_is_asked_later_or_of_another_tenant_goes_apart(database: Database) -> None:
    gathering = Gathering(database)
    one, other = await asyncio.gather(gathering.fetchrow(ASK, SHARED, 1), gathering.fetchrow(ASK, 7, 1))
    later = await gathering.fetchrow(ASK, SHARED, 1)
    assert [tuple(row) for row in (one, other, later)] == [(1001, 1), (8, 1), (1001, 1)]


async def test_a_statement_takes_so_many_and_no_more(database: Database) -> None:
    gathering = Gathering(database)
    rows = await asyncio.gather(*(gathering.fetchrow(ASK, SHARED, number) for number in range(MOST_TOGETHER + 5)))
    assert [row["found"] for row in rows] == [1000 + number for number in range(MOST_TOGETHER + 5)]
    assert [row["together"] for row in rows] == [MOST_TOGETHER] * MOST_TOGETHER + [5] * 5


async def test_a_request_given_up_takes_nobody_with_it(database: Database) -> None:
    gathering = Gathering(database)
    asking = [asyncio.ensure_future(gathering.fetchrow(ASK, SHARED, number)) for number in range(3)]
    await asyncio.sleep(0)
    asking[1].cancel()
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(found[1], asyncio.CancelledError)
    assert [row["found"] for row in (found[0], found[2])] == [1000, 1002]  # type: ignore[index]


async def test_a_failed_statement_fails_for_all_who_asked(database: Database) -> None:
    gathering = Gathering(database)
    divided = "SELECT $1::int / asked.number AS found FROM unnest($2::int[]) AS asked(number)"
    found = await asyncio.gather(*(gathering.fetchrow(divided, 1, number) for number in (1, 0)), return_exceptions=True)
    assert [type(each) for each in found] == [asyncpg.DivisionByZeroError] * 2
    with pytest.raises(asyncpg.DivisionByZeroError):
        await gathering.fetchrow(divided, 1, 0)
