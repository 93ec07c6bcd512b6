"""Why a settlement could not be calculated: refusals kept by key and values, told in the language of whoever reads."""

from __future__ import annotations

import json
from collections.abc import Iterable
from uuid import UUID

import asyncpg

from saas.incentives.errors import SettlementNotFound
from saas.kernel import AppError, Problem, new_id
from tenants import current_tenant_id, current_transaction

PROBLEMS_TOLD = 100
"""How many are kept: with so many, more would not be read before these are put right."""

_KNOWN = "SELECT key, args::text AS args FROM settlement_problem WHERE tenant_id = $1 AND settlement_id = $2"
_INSERT = """
INSERT INTO settlement_problem (tenant_id, id, settlement_id, place, key, args)
SELECT $1, fresh.id, $2, fresh.place, fresh.key, fresh.args::jsonb
FROM unnest($3::uuid[], $4::int[], $5::text[], $6::text[]) AS fresh (id, place, key, args)
"""


async def add_problems(settlement_id: UUID, problems: Iterable[AppError]) -> int:
    """Keep problems that are not known yet, up to a hundred; how many there are then.

    People who share a deal are calculated apart, and each finds what is wrong with it.
    """
    rows = await current_transaction().fetch(_KNOWN, current_tenant_id(), settlement_id)
    known = [_problem(row) for row in rows]
    fresh: list[tuple[UUID, int, str, str]] = []
    for each in problems:
        problem = Problem(each.key, each.values)
        if problem not in known and len(known) < PROBLEMS_TOLD:
            fresh.append((new_id(), len(known), each.key, json.dumps(each.values, ensure_ascii=False)))
            known.append(problem)
    if fresh:
        columns = map(list, zip(*fresh, strict=True))
        await current_transaction().execute(_INSERT, current_tenant_id(), settlement_id, *columns)
    return len(known)


_SETTLEMENT = "SELECT true FROM settlement WHERE tenant_id = $1 AND id = $2"
_PROBLEMS = """
SELECT key, args::text AS args FROM settlement_problem WHERE tenant_id = $1 AND settlement_id = $2 ORDER BY place
"""


async def find_problems(settlement_id: UUID) -> list[Problem]:
    """What kept a settlement from being calculated, in the order found; nothing of one that has not failed.

    :raises SettlementNotFound: there is none such.
    """
    transaction, tenant_id = current_transaction(), current_tenant_id()
    if not await transaction.fetchval(_SETTLEMENT, tenant_id, settlement_id):
        raise SettlementNotFound("incentives.settlement_not_found", field=("settlement",))
    rows = await transaction.fetch(_PROBLEMS, tenant_id, settlement_id)
    return [_problem(row) for row in rows]


def _problem(row: asyncpg.Record) -> Problem:
    return Problem(row["key"], json.loads(row["args"]))
