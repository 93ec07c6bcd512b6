"""What an allocation answers afterwards: why this customer went there, why not to me, and the certificates of a draw.

Everything follows from what was stored: the roster is brought back and dealt again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from uuid import UUID

import asyncpg

from saas.access import AccessTable, require, scope_predicate
from saas.customers.actions.problems import AllocationProblem
from saas.customers.actions.rosters import PICKS, restored_roster
from saas.customers.allocation import Roster, allocate, explain_passed_over, explain_pick, extract
from saas.customers.errors import AllocationNotFound, NotDrawnYet
from saas.customers.policies import ALLOCATION_SCOPES
from saas.kernel import Actor, Explanation
from tenants import current_tenant_id, current_transaction

ALLOCATE = "pool:allocate"


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
    roster, shows_names = await _roster(actor, allocation_id, access)
    if not access.may(ALLOCATE):
        if employee_id is None or employee_id != actor.employee_id:
            require(access, ALLOCATE)
        roster = roster if shows_names else _nameless(roster, actor.employee_id)
    if roster.seed is None:
        raise NotDrawnYet("customers.not_drawn_yet", field=("allocation",))
    try:
        return await asyncio.to_thread(_explained, roster, customer_id, employee_id)
    except KeyError:
        raise AllocationNotFound("customers.not_on_roster", field=("customer",)) from None


def _explained(roster: Roster, customer_id: UUID, employee_id: UUID | None) -> Explanation:
    """In a thread: dealing many customers again takes seconds, in which others go on."""
    allocation = allocate(roster)
    if employee_id is None:
        return explain_pick(roster, allocation, customer_id)
    return explain_passed_over(roster, allocation, customer_id, employee_id=employee_id)


def _nameless(roster: Roster, asking: UUID | None) -> Roster:
    """The roster with numbers for names, but the asking person's own."""
    people = (
        each if each.employee_id == asking else replace(each, name=f"#{number}")
        for number, each in enumerate(roster.candidates, start=1)
    )
    return replace(roster, candidates=tuple(people))


async def _roster(actor: Actor, allocation_id: UUID, access: AccessTable) -> tuple[Roster, bool]:
    row = await _found(actor, allocation_id, access)
    if row["roster"] is None:
        raise NotDrawnYet("customers.allocation_unplanned", field=("allocation",))
    picks = await current_transaction().fetch(PICKS, current_tenant_id(), allocation_id)
    return restored_roster(allocation_id, row["roster"], picks).roster, row["shows_names"]


async def _found(actor: Actor, allocation_id: UUID, access: AccessTable) -> asyncpg.Record:
    sql = _visible(access.visible("Allocation"))
    row = await current_transaction().fetchrow(sql, current_tenant_id(), actor.employee_id, allocation_id)
    if row is None:
        raise AllocationNotFound("customers.allocation_not_found", field=("allocation",))
    return row


@lru_cache(maxsize=64)
def _visible(scopes: frozenset[str]) -> str:
    visible = scope_predicate(ALLOCATION_SCOPES, scopes, alias="a", tenant="$1", employee="me.id")
    return f"""
        SELECT a.roster::text AS roster, a.certificate, a.commitment, a.picks_root, a.problems::text AS problems,
               p.shows_names
        FROM pool_allocation a CROSS JOIN (SELECT $2::uuid AS id) me
        JOIN customer_pool p ON p.tenant_id = $1 AND p.id = a.pool_id
        WHERE a.tenant_id = $1 AND a.id = $3 AND {visible}
    """


async def list_allocation_problems(
    actor: Actor, *, allocation_id: UUID, access: AccessTable
) -> list[AllocationProblem]:
    """Why a job could not make the plan, or did not give what was planned (permission ``pool:allocate``); else empty.

    :raises AllocationNotFound: missing or not visible.
    """
    found = (await _found(actor, allocation_id, access))["problems"]
    return [] if found is None else [AllocationProblem.of_plain(each) for each in json.loads(found)]


async def draw_certificate(actor: Actor, *, allocation_id: UUID, access: AccessTable) -> DrawCertificate:
    """The whole certificate of a draw, for auditors (permission ``pool:allocate``): everybody's weight and picks.

    :raises AllocationNotFound: missing or not visible.
    :raises NotDrawnYet: it is no draw, or not committed.
    """
    return await _certificate(actor, allocation_id, access, lambda whole: whole)


async def own_certificate(actor: Actor, *, allocation_id: UUID, access: AccessTable) -> DrawCertificate:
    """The caller's own part of a draw's certificate, with proofs; nobody else's.

    :raises AllocationNotFound: missing or not visible.
    :raises NotDrawnYet: it is no draw, or not committed.
    :raises NotInDraw: the caller stood on no roster of it.
    """
    mine = actor.employee_id or UUID(int=0)
    return await _certificate(actor, allocation_id, access, lambda whole: extract(whole, mine))


async def _certificate(
    actor: Actor, allocation_id: UUID, access: AccessTable, part: Callable[[bytes], bytes]
) -> DrawCertificate:
    row = await _found(actor, allocation_id, access)
    if row["certificate"] is None:
        raise NotDrawnYet("customers.not_drawn_yet", field=("allocation",))
    shown = await asyncio.to_thread(part, row["certificate"].encode("ascii"))
    return DrawCertificate(shown.decode("ascii"), row["commitment"], row["picks_root"])
