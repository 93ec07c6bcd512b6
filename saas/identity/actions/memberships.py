"""Memberships: who may act in a company, with which roles, until when. All in platform transactions.

A change raises the membership's version, and with it the stamp of every session it carries: a role given or taken,
or an end, acts with the next request.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import asyncpg

from saas.access import role_names
from saas.audit import record
from saas.identity.actions.sessions import EndReason, end_sessions, record_ends
from saas.identity.errors import (
    AlreadyMember,
    LastOwner,
    MembershipChanged,
    NotAMember,
    OwnRolesUnchangeable,
    RolesNotGrantable,
    RoleUnknown,
)
from saas.identity.rules import OWNER, normal_roles, ungrantable_roles
from saas.kernel import Actor, Clock, new_id
from tenants import current_transaction

_GRANT = """
INSERT INTO platform.membership AS m (id, tenant_id, account_id, employee_id, roles, valid_from, valid_to, granted_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (tenant_id, account_id) DO UPDATE
   SET employee_id = EXCLUDED.employee_id, roles = EXCLUDED.roles, valid_from = EXCLUDED.valid_from,
       valid_to = EXCLUDED.valid_to, granted_by = EXCLUDED.granted_by, version = m.version + 1
 WHERE m.valid_to <= EXCLUDED.valid_from
RETURNING id
"""
_LOCK_COMPANY = "SELECT pg_advisory_xact_lock(hashtextextended('membership ' || $1::text, 0))"
_MEMBER = """
SELECT id, account_id, roles, version FROM platform.membership
 WHERE tenant_id = $1 AND account_id = $2 AND (valid_to IS NULL OR valid_to > $3)
   FOR UPDATE
"""
_OTHER_OWNERS = """
SELECT count(*) FROM platform.membership
 WHERE tenant_id = $1 AND account_id <> $2 AND 'owner' = ANY(roles) AND valid_to IS NULL
"""
_END = "UPDATE platform.membership SET valid_to = greatest($2, valid_from), version = version + 1 WHERE id = $1"
_SET_ROLES = "UPDATE platform.membership SET roles = $2, version = version + 1 WHERE id = $1 RETURNING version"
_OF_EMPLOYEE = """
SELECT account_id FROM platform.membership
 WHERE tenant_id = $1 AND employee_id = $2 AND (valid_to IS NULL OR valid_to > $3)
"""
_TIE = """
UPDATE platform.membership SET employee_id = $3, version = version + 1 WHERE tenant_id = $1 AND account_id = $2
"""
_SEATS = "SELECT count(*) FROM platform.membership WHERE tenant_id = $1 AND (valid_to IS NULL OR valid_to > $2)"


async def grant_membership(
    *,
    tenant_id: UUID,
    account_id: UUID,
    email: str,
    roles: Iterable[str],
    granted_by: UUID,
    clock: Clock,
    employee_id: UUID | None = None,
    valid_to: datetime | None = None,
) -> UUID:
    """Make an account a member of the company, or one that was a member a member again.

    :raises AlreadyMember: it is one now.
    """
    values = (new_id(), tenant_id, account_id, employee_id, list(normal_roles(roles)), clock.now(), valid_to)
    membership_id: UUID | None = await current_transaction().fetchval(_GRANT, *values, granted_by)
    if membership_id is None:
        raise AlreadyMember(email)
    return membership_id


async def tie_to_employee(*, tenant_id: UUID, account_id: UUID, employee_id: UUID) -> None:
    """Say which of the company's staff the account is."""
    await current_transaction().execute(_TIE, tenant_id, account_id, employee_id)


async def count_seats(tenant_id: UUID, *, now: datetime) -> int:
    """How many people may act in the company."""
    return int(await current_transaction().fetchval(_SEATS, tenant_id, now))


async def change_roles(
    actor: Actor, *, account_id: UUID, roles: Iterable[str], expected_version: int, clock: Clock
) -> int:
    """Give a member of the caller's company other roles; the membership's new version.

    :raises OwnRolesUnchangeable: it is the caller.
    :raises RoleUnknown: the company has no role of one of the names.
    :raises RolesNotGrantable: the caller may not hand out one of the new roles, or take one of the old.
    :raises MembershipChanged: `expected_version` is not the present one.
    :raises LastOwner: the company would be left without an owner.
    """
    wanted = normal_roles(roles)
    if account_id == actor.account_id:
        raise OwnRolesUnchangeable
    member = await _lock_member(actor, account_id, clock)
    if member["version"] != expected_version:
        raise MembershipChanged(expected=expected_version, actual=member["version"])
    refuse_ungrantable(actor, {*wanted, *member["roles"]})
    await refuse_unknown_roles(actor, wanted)
    if OWNER not in wanted:
        await _keep_an_owner(actor.tenant_id, member)
    version: int = await current_transaction().fetchval(_SET_ROLES, member["id"], list(wanted))
    changes = {"roles": [", ".join(sorted(member["roles"])), ", ".join(wanted)]}
    await record(
        actor,
        "membership.roles_changed",
        object_type="Membership",
        object_id=member["id"],
        changes=changes,
        clock=clock,
    )
    return version


def refuse_ungrantable(actor: Actor, roles: Iterable[str]) -> None:
    """Nobody raises rights by handing out what they don't hold.

    :raises RolesNotGrantable: `roles` has some that only an owner hands out, and the caller is none.
    """
    refused = ungrantable_roles(actor.roles, roles)
    if refused:
        raise RolesNotGrantable(refused)


async def refuse_unknown_roles(actor: Actor, roles: Iterable[str]) -> None:
    """A name without a role gives nothing today, and whatever the role holds on the day somebody creates it.

    :raises RoleUnknown: naming the roles that the caller's company does not have, and those that it has.
    """
    known = await role_names(actor.tenant_id)
    unknown = set(roles) - known
    if unknown:
        raise RoleUnknown(unknown, known=known)


async def end_membership(actor: Actor, *, account_id: UUID, reason: str, clock: Clock) -> None:
    """End somebody's access to the caller's company, or one's own; their sessions there are over at once.

    :raises NotAMember: they are no member.
    :raises RolesNotGrantable: they hold a role that the caller may not take.
    :raises LastOwner: the company would be left without an owner.
    """
    member = await _lock_member(actor, account_id, clock)
    if account_id != actor.account_id:
        refuse_ungrantable(actor, member["roles"])
    await _keep_an_owner(actor.tenant_id, member)
    await current_transaction().execute(_END, member["id"], clock.now())
    await record(
        actor,
        "membership.ended",
        object_type="Membership",
        object_id=member["id"],
        reason=reason,
        clock=clock,
    )
    why = EndReason.MEMBERSHIP_ENDED
    ended = await end_sessions(
        "tenant_id = $3 AND account_id = $4", actor.tenant_id, account_id, reason=why, clock=clock
    )
    await record_ends(actor, ended, reason=why, clock=clock)


async def end_membership_of_employee(actor: Actor, *, employee_id: UUID, reason: str, clock: Clock) -> bool:
    """End the access of somebody who leaves the company's staff; False when they had none."""
    account_id = await current_transaction().fetchval(_OF_EMPLOYEE, actor.tenant_id, employee_id, clock.now())
    if account_id is None:
        return False
    await end_membership(actor, account_id=account_id, reason=reason, clock=clock)
    return True


async def _lock_member(actor: Actor, account_id: UUID, clock: Clock) -> asyncpg.Record:
    """The member's row, under the company's lock: two owners who remove each other must not both succeed."""
    transaction = current_transaction()
    await transaction.execute(_LOCK_COMPANY, str(actor.tenant_id))
    member = await transaction.fetchrow(_MEMBER, actor.tenant_id, account_id, clock.now())
    if member is None:
        raise NotAMember
    return member


async def _keep_an_owner(tenant_id: UUID, member: asyncpg.Record) -> None:
    if OWNER not in member["roles"]:
        return
    if not await current_transaction().fetchval(_OTHER_OWNERS, tenant_id, member["account_id"]):
        raise LastOwner
