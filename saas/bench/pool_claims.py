"""Fifty reps claim at random from a thousand customers, by the product's action and by the bare conditional UPDATE.

What was claimed comes back to the pool a moment later, so that it can be claimed again. In the end all is counted
against what the database holds: who won, who was refused and why, and that nobody took what another one had.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from uuid import UUID

import asyncpg

from saas.access import AccessTable
from saas.bench.allocation_data import TENANT, ZONE, bind, read_reps
from saas.bench.errors import BenchError, WrongWinners
from saas.customers import ClaimFacts, claim_customer
from saas.kernel import Actor, AppError, SystemClock, new_id
from tenants import Database

WON = "won"
TAKEN = "taken"
_SWEEP_SECONDS = 0.1
_RIGHTS = AccessTable("rep", scopes={"Customer": frozenset({"self", "pool"})})
_CLAIM = """
UPDATE customer SET owner_id = $2, owner_department_id = $4, status = 'owned', version = version + 1
WHERE tenant_id = $1 AND id = $3 AND owner_id IS NULL
"""
_SWEEP = (
    """
    UPDATE customer SET owner_id = NULL, owner_department_id = NULL, status = 'pooled', received_on = NULL,
        due_on = NULL, due_rule = NULL, settings_version = NULL, version = version + 1
    WHERE owner_id IS NOT NULL
    """,
    """
    UPDATE ownership o SET ended_at = clock_timestamp(), ended_on = started_on, end_kind = 'release'
    FROM customer c WHERE o.ended_at IS NULL AND c.id = o.customer_id AND c.owner_id IS NULL
    """,
    "DELETE FROM claim_count",
)
_COUNTED = """
SELECT c.id, c.version - 1 AS changes, (c.owner_id IS NOT NULL)::int AS is_owned,
    (SELECT count(*) FROM ownership o WHERE o.customer_id = c.id) AS ownerships,
    (SELECT count(*) FROM ownership o WHERE o.customer_id = c.id AND o.ended_at IS NULL) AS open
FROM customer c
"""

_Attempt = Callable[[UUID, UUID], Awaitable[str]]
"""By rep and customer: `WON`, or the name of the refusal."""


@dataclass(frozen=True, slots=True)
class ClaimSample:
    """Attempts by one contender in so many seconds: how many won, and how many were refused, by refusal."""

    contender: str
    seconds: float
    outcomes: Counter[str]

    @property
    def per_second(self) -> float:
        """Customers claimed in a second."""
        return self.outcomes[WON] / self.seconds

    @property
    def answers_per_second(self) -> float:
        """Claims answered in a second, refusals too."""
        return self.outcomes.total() / self.seconds


async def measure_claims(
    database: Database, owner_url: str, *, is_bare: bool, reps: int, seconds: float
) -> ClaimSample:
    """Let the first `reps` people claim for so long, each one after another.

    :raises WrongWinners: a customer had two owners at once, or what was answered is not what the database holds.
    """
    owner = await asyncpg.connect(owner_url, timeout=10)
    try:
        cast = await _cast(owner, reps)
        contest = _Contest(database, cast, is_bare=is_bare)
        outcomes = await contest.held(owner, seconds=seconds)
        if not is_bare:
            await _require_sound(owner, contest.won, outcomes)
    finally:
        await owner.close()
    return ClaimSample("bare" if is_bare else "product", contest.took, outcomes)


@dataclass(frozen=True, slots=True)
class _Cast:
    people: Sequence[UUID]
    customers: Sequence[UUID]
    department_id: UUID


async def _cast(owner: asyncpg.Connection[asyncpg.Record], reps: int) -> _Cast:
    """The people and the customers, as if nobody had ever claimed one."""
    async with owner.transaction():
        await bind(owner)
        await owner.execute("TRUNCATE ownership, claim_count, pool_event, audit_entry, audit_link, outbox CASCADE")
        await owner.execute(
            "UPDATE customer SET owner_id = NULL, owner_department_id = NULL, status = 'pooled', received_on = NULL,"
            " due_on = NULL, due_rule = NULL, settings_version = NULL, version = 1"
        )
        customers = [row["id"] for row in await owner.fetch("SELECT id FROM customer ORDER BY id")]
        people, department_id = await read_reps(owner), await owner.fetchval("SELECT id FROM department")
    await owner.execute("VACUUM (ANALYZE) customer, ownership, pool_event, audit_entry, outbox")
    return _Cast(people[:reps], customers, department_id)


class _Contest:
    """Many people who claim at once."""

    def __init__(self, database: Database, cast: _Cast, *, is_bare: bool) -> None:
        self._database, self._cast = database, cast
        self._attempt: _Attempt = self._update if is_bare else self._claim
        self._is_over = asyncio.Event()
        self.won: Counter[UUID] = Counter()
        self.took = 0.0

    async def held(self, owner: asyncpg.Connection[asyncpg.Record], *, seconds: float) -> Counter[str]:
        """Everybody claims until the time is over, while what was claimed comes back."""
        began = perf_counter()
        sweeping = asyncio.create_task(self._sweep(owner))
        claiming = [asyncio.create_task(self._go_on(each, number)) for number, each in enumerate(self._cast.people)]
        await asyncio.sleep(seconds)
        self._is_over.set()
        found = await asyncio.gather(*claiming)
        self.took = perf_counter() - began
        await sweeping
        return sum(found, Counter())

    async def _go_on(self, rep: UUID, number: int) -> Counter[str]:
        chance, outcomes = random.Random(number), Counter[str]()  # noqa: S311 (repeatable, not secret)
        while not self._is_over.is_set():
            customer_id = chance.choice(self._cast.customers)
            outcome = await self._attempt(rep, customer_id)
            outcomes[outcome] += 1
            self.won[customer_id] += outcome == WON
        return outcomes

    async def _claim(self, rep: UUID, customer_id: UUID) -> str:
        actor = Actor(TENANT, account_id=new_id(), employee_id=rep, roles=frozenset({"rep"}), client="bench")
        try:
            async with self._database.transaction(TENANT):
                await claim_customer(
                    actor,
                    customer_id=customer_id,
                    access=_RIGHTS,
                    guard=_agreeing,
                    time_zone=ZONE,
                    clock=SystemClock(),
                )
        except AppError as refusal:
            return refusal.key
        return WON

    async def _update(self, rep: UUID, customer_id: UUID) -> str:
        async with self._database.transaction(TENANT) as transaction:
            won = await transaction.execute(_CLAIM, TENANT, rep, customer_id, self._cast.department_id)
        return WON if won else TAKEN

    async def _sweep(self, owner: asyncpg.Connection[asyncpg.Record]) -> None:
        while not self._is_over.is_set():
            await asyncio.sleep(_SWEEP_SECONDS)
            async with owner.transaction():
                await bind(owner)
                for statement in _SWEEP:
                    await owner.execute(statement)


def _agreeing(facts: ClaimFacts) -> None:
    """No plugin has a say."""


async def _require_sound(owner: asyncpg.Connection[asyncpg.Record], won: Counter[UUID], outcomes: Counter[str]) -> None:
    """Each win opened one ownership, and every second change of owner was a return to the pool."""
    async with owner.transaction():
        await bind(owner)
        rows = await owner.fetch(_COUNTED)
    for row in rows:
        wins = won[row["id"]]
        returns = row["changes"] - wins
        if row["ownerships"] != wins or row["open"] != row["is_owned"] or wins - returns != row["is_owned"]:
            raise WrongWinners(f"Customer {row['id']} was won {wins} times; the database holds {dict(row)}.")
    if sum(won.values()) != outcomes[WON]:
        raise BenchError("Wins of customers and of people are not the same; a claim was counted twice or never.")
