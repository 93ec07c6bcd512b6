"""What must hold before and after a measurement: equal answers, and exactly one winner per customer."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from saas.bench.cases import CLAIM, READS, RIVALS, Claim, Population, reading_values
from saas.bench.dataset import tenant_id
from saas.bench.errors import AnswersDiffer, WrongWinners
from saas.bench.load import Outcome
from saas.bench.targets import Target, ask, comparable

SAMPLES = 5
"""How many requests of each case are compared."""


async def require_equal_answers(targets: Sequence[Target], population: Population) -> None:
    """Ask every contender the same, and compare what it answers to what the first one (the floor) does.

    :raises AnswersDiffer: one answers something else, or nothing.
    """
    floor = targets[0]
    for case in READS:
        for values in reading_values(case, population, count=SAMPLES):
            expected = comparable(floor.answer(case, await ask(floor, floor.reading(case, values))))
            if not expected:
                raise AnswersDiffer(case.name, floor.running.contender.name, "something", _short(expected))
            for target in targets[1:]:
                found = comparable(target.answer(case, await ask(target, target.reading(case, values))))
                if found != expected:
                    name = target.running.contender.name
                    raise AnswersDiffer(case.name, name, *_first_difference(expected, found))


async def require_equal_claims(targets: Sequence[Target], population: Population) -> None:
    """Let two people claim the same customer at each contender, a customer each: the first gets it, the second is
    refused.

    :raises AnswersDiffer: it goes otherwise.
    """
    for target, customer_id in zip(targets, population.pooled, strict=False):
        name = target.running.contender.name
        owner = population.claimants[0]
        won = target.answer(CLAIM, await ask(target, target.claiming(Claim(customer_id, 0))))
        found = (won.get("customer") or {}).get("owner", {}).get("id")
        if found != f"emp_{owner.hex}":
            raise AnswersDiffer(CLAIM.name, name, f"the claimant emp_{owner.hex} as owner", _short(won))
        lost = target.answer(CLAIM, await ask(target, target.claiming(Claim(customer_id, 1))))
        if lost.get("customer") or not lost.get("userErrors"):
            raise AnswersDiffer(CLAIM.name, name, "a refusal of the second", _short(lost))


async def require_one_winner(app_url: str, outcome: Outcome, sent: Sequence[Claim], population: Population) -> None:
    """Every customer that all its rivals asked for has exactly one winner: the one whom the database names.

    :raises WrongWinners: a customer has none or two, or another owner.
    """
    winners = Counter(sent[number].customer_id for number in outcome.won)
    complete = [sent[first].customer_id for first in range(0, outcome.requests - RIVALS + 1, RIVALS)]
    wrong = [customer_id for customer_id in complete if winners[customer_id] != 1]
    if wrong or any(count != 1 for count in winners.values()):
        raise WrongWinners(f"Of {len(complete)} contested customers {len(wrong)} had not exactly one winner.")
    expected = {sent[number].customer_id: population.claimants[sent[number].claimant] for number in outcome.won}
    owners = await _owners(app_url, list(expected))
    if owners != expected:
        raise WrongWinners(f"The database names other owners than the answers did: {_difference(expected, owners)}")


async def _owners(app_url: str, customers: Sequence[UUID]) -> dict[UUID, UUID]:
    connection = await asyncpg.connect(app_url, timeout=10)
    try:
        async with connection.transaction():
            await connection.execute("SELECT set_config('app.tenant_id', $1, true)", str(tenant_id(1)))
            rows = await connection.fetch("SELECT id, owner_id FROM customer WHERE id = ANY($1::uuid[])", customers)
    finally:
        await connection.close()
    return {row["id"]: row["owner_id"] for row in rows}


def _difference(expected: dict[UUID, UUID], found: dict[UUID, UUID]) -> str:
    key = next(key for key in expected if found.get(key) != expected[key])
    return f"customer {key}: {found.get(key)}, not {expected[key]}"


def _first_difference(expected: Any, found: Any, path: str = "") -> tuple[str, str]:
    if isinstance(expected, dict) and isinstance(found, dict) and expected.keys() == found.keys():
        for key in expected:
            if expected[key] != found[key]:
                return _first_difference(expected[key], found[key], f"{path}.{key}")
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (one, other) in enumerate(zip(expected, found, strict=True)):
            if one != other:
                return _first_difference(one, other, f"{path}[{index}]")
    return f"{path} {_short(expected)}", f"{path} {_short(found)}"


def _short(answer: Any) -> str:
    return json.dumps(answer, ensure_ascii=False)[:300]
