"""What an allocation answers afterwards: why this customer went there, why not to me, and the certificates of a draw.

Everything follows from what was stored. A pick is explained by a few look-ups, whatever the number of customers. One's
own part of a large certificate takes seconds: it is cut out in a thread, for one who asks at a time, so that others
neither wait nor lose their connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import TypeVar
from uuid import UUID

import asyncpg

from saas.access import AccessTable, require, scope_predicate
from saas.customers.actions.frozen_rosters import roster_about
from saas.customers.actions.problems import restored_problems
from saas.customers.actions.tallies import find_unit, pick_facts
from saas.customers.actions.wishes import is_large
from saas.customers.allocation import PickFacts, Roster, explain_passed_over, explain_pick, extract
from saas.customers.errors import AllocationNotFound, AnswersBusy, NotDrawnYet
from saas.customers.policies import ALLOCATION_SCOPES
from saas.kernel import Actor, Explanation, InputProblem
from tenants import current_tenant_id, current_transaction

ALLOCATE = "pool:allocate"
_LARGE = asyncio.Lock()
_EXPLAINED_FROM = """
a.roster IS NOT NULL AS is_planned, a.roster->>'seed' IS NOT NULL AS is_dealt, a.shares::text AS shares, p.shows_names
"""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class DrawCertificate:
    """A certificate as text, with what was published before and after the draw."""

    certificate: str
    commitment: str
    picks_root: str


async def explain_allocation(
    actor: Actor, *, allocation_id: UUID, customer_id: UUID, employee_id: UUID | None, access: AccessTable
) -> Explanation:
    """Why a customer went where it did, or why not to `employee_id`.

    Whoever may allocate asks about everybody; others about themselves, and colleagues are named if the pool says so.

    :raises AllocationNotFound: missing or not visible; or the customer, or the person, does not stand on its roster.
    :raises NotDrawnYet: where it goes is not decided.
    :raises PermissionMissing: somebody else is asked about.
    """
    row = await _found(actor, allocation_id, access, _EXPLAINED_FROM)
    if not row["is_planned"]:
        raise NotDrawnYet("customers.allocation_unplanned", field=("allocation",))
    if not access.may(ALLOCATE) and (employee_id is None or employee_id != actor.employee_id):
        require(access, ALLOCATE)
    if not row["is_dealt"]:
        raise NotDrawnYet("customers.not_drawn_yet", field=("allocation",))
    unit = await find_unit(allocation_id, customer_id)
    roster = await roster_about(allocation_id, unit)
    if not access.may(ALLOCATE) and not row["shows_names"]:
        roster = _nameless(roster, actor.employee_id)
    try:
        facts = await pick_facts(roster, unit, customer_id, shares=row["shares"])
        return await asyncio.to_thread(_explained, roster, facts, employee_id)
    except KeyError:
        raise AllocationNotFound("customers.not_on_roster", field=("customer",)) from None


def _explained(roster: Roster, facts: PickFacts, employee_id: UUID | None) -> Explanation:
    """For five hundred people this takes some milliseconds."""
    if employee_id is None:
        return explain_pick(roster, facts)
    return explain_passed_over(roster, facts, employee_id=employee_id)


async def _beside(work: Callable[[], _T], *, customers: int) -> _T:
    """In a thread; about a large allocation one at a time, and until it ends, even where nobody waits for it any more.

    :raises AnswersBusy: it is large, and another is at work.
    """
    if not is_large(customers):
        return await asyncio.to_thread(work)
    if _LARGE.locked():
        raise AnswersBusy("customers.allocation_answers_busy", field=("allocation",))
    await _LARGE.acquire()
    return await asyncio.shield(asyncio.create_task(_alone(work)))


async def _alone(work: Callable[[], _T]) -> _T:
    try:
        return await asyncio.to_thread(work)
    finally:
        _LARGE.release()


def _nameless(roster: Roster, asking: UUID | None) -> Roster:
    """The roster with numbers for names, but the asking person's own."""
    people = (
        each if each.employee_id == asking else replace(each, name=f"#{number}")
        for number, each in enumerate(roster.candidates, start=1)
    )
    overflow = roster.overflow
    if overflow is not None and overflow.employee_id != asking:
        overflow = replace(overflow, name="#0")
    return replace(roster, candidates=tuple(people), overflow=overflow)


async def _found(actor: Actor, allocation_id: UUID, access: AccessTable, columns: str) -> asyncpg.Record:
    """The columns of the allocation ``a`` and its pool ``p``."""
    sql = _visible(access.visible("Allocation"), columns)
    row = await current_transaction().fetchrow(sql, current_tenant_id(), actor.employee_id, allocation_id)
    if row is None:
        raise AllocationNotFound("customers.allocation_not_found", field=("allocation",))
    return row


@lru_cache(maxsize=64)
def _visible(scopes: frozenset[str], columns: str) -> str:
    visible = scope_predicate(ALLOCATION_SCOPES, scopes, alias="a", tenant="$1", employee="me.id")
    return f"""
        SELECT {columns}
        FROM pool_allocation a CROSS JOIN (SELECT $2::uuid AS id) me
        JOIN customer_pool p ON p.tenant_id = $1 AND p.id = a.pool_id
        WHERE a.tenant_id = $1 AND a.id = $3 AND {visible}
    """


async def list_allocation_problems(actor: Actor, *, allocation_id: UUID, access: AccessTable) -> list[InputProblem]:
    """Why a job could not make the plan, or did not give what was planned (permission ``pool:allocate``); else empty.

    :raises AllocationNotFound: missing or not visible.
    """
    found = (await _found(actor, allocation_id, access, "a.problems::text AS problems"))["problems"]
    return [] if found is None else restored_problems(found)


async def draw_certificate(actor: Actor, *, allocation_id: UUID, access: AccessTable) -> DrawCertificate:
    """The whole certificate of a draw, for auditors (permission ``pool:allocate``): everybody's weight and picks.

    :raises AllocationNotFound: missing or not visible.
    :raises NotDrawnYet: it is no draw, or not committed.
    """
    return _shown(await _drawn(actor, allocation_id, access))


async def own_certificate(actor: Actor, *, allocation_id: UUID, access: AccessTable) -> DrawCertificate:
    """The caller's own part of a draw's certificate, with proofs; nobody else's.

    :raises AllocationNotFound: missing or not visible.
    :raises NotDrawnYet: it is no draw, or not committed.
    :raises NotInDraw: the caller stood on no roster of it.
    :raises AnswersBusy: it is large, and somebody else asks about a large one.
    """
    mine = actor.employee_id or UUID(int=0)
    row = await _drawn(actor, allocation_id, access)
    taking = partial(extract, row["certificate"].encode("ascii"), mine)
    return _shown(row, (await _beside(taking, customers=row["customers"])).decode("ascii"))


async def _drawn(actor: Actor, allocation_id: UUID, access: AccessTable) -> asyncpg.Record:
    row = await _found(actor, allocation_id, access, "a.certificate, a.commitment, a.picks_root, a.customers")
    if row["certificate"] is None:
        raise NotDrawnYet("customers.not_drawn_yet", field=("allocation",))
    return row


def _shown(row: asyncpg.Record, part: str | None = None) -> DrawCertificate:
    return DrawCertificate(part or row["certificate"], row["commitment"], row["picks_root"])
