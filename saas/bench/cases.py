"""What is asked: five cases, each a GraphQL document and the values that vary from request to request.

The same document goes to the product and to the ordinary contender; the floor gets the same values as JSON on a
path of its own. Values differ per request, so that nobody can answer from memory.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from saas.bench.dataset import ANCHOR, HISTORY_DAYS, tenant_id
from saas.kernel import public_id

Values = Mapping[str, object]
VARIANTS = 400
"""How many different requests a reading case cycles through."""

CLAIMANTS = 48
RIVALS = 16
"""How many different people ask for each contested customer, at the same moment."""

LIST_DOCUMENT = """
query Customers($owner: ID!, $before: DateTime!) {
  customers(first: 50, filter: {owner: {eq: $owner}, createdAt: {lt: $before}}) {
    nodes {
      id name level createdAt
      owner { id name }
      followUps(first: 3) { nodes { kind occurredAt content } }
    }
  }
}
"""

CHILDREN_DOCUMENT = """
query KeyAccounts($level: String!, $before: DateTime!) {
  customers(first: 50, filter: {level: {eq: $level}, createdAt: {lt: $before}}) {
    nodes {
      id name
      followUps(first: 12) { nodes { id kind occurredAt content } }
    }
  }
}
"""

ONE_DOCUMENT = """
query Customer($id: ID!) {
  customer(id: $id) { id name level industry createdAt owner { id name } }
}
"""

GROUPS_DOCUMENT = """
query Diligence($since: DateTime!) {
  followUpGroups(groupBy: AUTHOR, first: 20, filter: {occurredAt: {gte: $since}}) {
    nodes { count author { id name } }
  }
}
"""

CLAIM_DOCUMENT = """
mutation Claim($customer: ID!, $key: String!) {
  customerClaim(input: {customer: {id: $customer}, idempotencyKey: $key}) {
    customer { id name owner { id name } }
    userErrors { code }
  }
}
"""


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to ask. `goal` is the least ratio to the floor, `root` the root field of the document."""

    name: str
    title: str
    document: str
    root: str
    goal: float


LIST = Case("list", "list of 50 with owner and last 3 follow-ups", LIST_DOCUMENT, "customers", 0.8)
CHILDREN = Case("children", "50 parents × 12 children", CHILDREN_DOCUMENT, "customers", 0.8)
ONE = Case("one", "one by id, with owner", ONE_DOCUMENT, "customer", 0.6)
GROUPS = Case("groups", "top-20 aggregate over 90 days", GROUPS_DOCUMENT, "followUpGroups", 0.8)
CLAIM = Case("claim", f"contended claim, {RIVALS} rivals", CLAIM_DOCUMENT, "customerClaim", 0.6)

READS = (LIST, CHILDREN, ONE, GROUPS)
CASES = (*READS, CLAIM)


@dataclass(frozen=True, slots=True)
class Population:
    """Ids of the large tenant that the cases name."""

    employees: tuple[UUID, ...]
    owned: tuple[UUID, ...]
    pooled: tuple[UUID, ...]

    @property
    def claimants(self) -> tuple[UUID, ...]:
        """The people who claim: the last of the staff, who hold the fewest customers."""
        return self.employees[-CLAIMANTS:]


async def read_population(app_url: str) -> Population:
    """The ids, in the order of their rows."""
    connection = await asyncpg.connect(app_url, timeout=10)
    try:
        async with connection.transaction():
            await connection.execute("SELECT set_config('app.tenant_id', $1, true)", str(tenant_id(1)))
            employees = await connection.fetch("SELECT id FROM employee ORDER BY number")
            owned = await connection.fetch("SELECT id FROM customer WHERE owner_id IS NOT NULL ORDER BY created_at")
            pooled = await connection.fetch("SELECT id FROM customer WHERE owner_id IS NULL ORDER BY created_at")
    finally:
        await connection.close()
    return Population(*(tuple(row["id"] for row in rows) for rows in (employees, owned, pooled)))


def reading_values(case: Case, population: Population, *, count: int = VARIANTS) -> list[Values]:
    """`count` sets of values of a reading case, the same at every run."""
    chance = random.Random(case.name)  # noqa: S311 (repeatable, not secret)
    return [_values(case, population, chance) for _ in range(count)]


def _values(case: Case, population: Population, chance: random.Random) -> Values:
    if case is LIST:
        return {"owner": public_id("emp", chance.choice(population.employees)), "before": _before(chance)}
    if case is CHILDREN:
        return {"level": "A", "before": _before(chance)}
    if case is ONE:
        return {"id": public_id("cus", chance.choice(population.owned))}
    since = ANCHOR - timedelta(days=90) + timedelta(seconds=chance.randrange(-43_200, 43_200))
    return {"since": _text(since)}


def _before(chance: random.Random) -> str:
    """An instant in the newer half of the customers' entry dates: a page of 50 lies behind it."""
    oldest = ANCHOR - timedelta(days=2 * HISTORY_DAYS)
    return _text(oldest + timedelta(seconds=chance.randrange(HISTORY_DAYS * 43_200, HISTORY_DAYS * 86_400)))


def _text(instant: datetime) -> str:
    return instant.isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Claim:
    """One person's request for one customer."""

    customer_id: UUID
    claimant: int


def claims(customers: Sequence[UUID]) -> Iterator[Claim]:
    """`RIVALS` requests in a row for each customer; every customer has other rivals than the one before."""
    for number, customer_id in enumerate(customers):
        for rival in range(RIVALS):
            yield Claim(customer_id, (number * RIVALS + rival) % CLAIMANTS)
