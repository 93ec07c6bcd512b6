"""Invitations: the one way into an existing company. The token is shown once, to the inviter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from saas.audit import record
from saas.identity.actions.memberships import (
    count_seats,
    grant_membership,
    refuse_ungrantable,
    refuse_unknown_roles,
)
from saas.identity.errors import (
    AccessUntilPast,
    AlreadyMember,
    InvitationForAnother,
    InvitationNotValid,
    InvitationOpen,
)
from saas.identity.rules import INVITATION_LIFETIME, normal_email, normal_roles
from saas.identity.tokens import TokenKind, new_token, token_hash
from saas.kernel import Actor, Clock, new_id
from tenants import QuotaKind, check_quota, current_transaction, lock_quota

_CLOSE_EXPIRED = """
UPDATE platform.invitation SET revoked_at = expires_at
 WHERE tenant_id = $1 AND email = $2 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at <= $3
"""
_INSERT = """
INSERT INTO platform.invitation (id, tenant_id, token_hash, email, roles, employee_id, invited_by, access_until,
                                 created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (tenant_id, email) WHERE accepted_at IS NULL AND revoked_at IS NULL DO NOTHING
RETURNING id
"""
_IS_MEMBER = """
SELECT true FROM platform.membership m JOIN platform.account a ON a.id = m.account_id
 WHERE m.tenant_id = $1 AND a.email = $2 AND (m.valid_to IS NULL OR m.valid_to > $3)
"""
_REVOKE = """
UPDATE platform.invitation SET revoked_at = $3
 WHERE id = $1 AND tenant_id = $2 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $3
RETURNING id
"""
_OPEN = """
SELECT i.id, i.tenant_id, i.email, i.roles, i.employee_id, i.invited_by, i.access_until, t.locale
  FROM platform.invitation i JOIN platform.tenant t ON t.id = i.tenant_id
 WHERE i.token_hash = $1 AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > $2
   AND t.status = 'active'
"""
_ACCEPT = "UPDATE platform.invitation SET accepted_at = $2, accepted_by = $3 WHERE id = $1"
_EMAIL = "SELECT email FROM platform.account WHERE id = $1"


@dataclass(frozen=True, slots=True)
class Invited:
    """A new invitation; whoever holds `token` and proves the address's password may come in."""

    id: UUID
    email: str
    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """An invitation that may be accepted now; `locale` is the company's."""

    id: UUID
    tenant_id: UUID
    email: str
    roles: tuple[str, ...]
    employee_id: UUID | None
    invited_by: UUID
    access_until: datetime | None
    locale: str


async def create_invitation(
    actor: Actor,
    *,
    email: str,
    roles: Iterable[str],
    clock: Clock,
    employee_id: UUID | None = None,
    access_until: datetime | None = None,
) -> Invited:
    """Invite an address into the caller's company for seven days (permission ``employee:invite``).

    `employee_id` ties the membership to somebody on the staff; `access_until` bounds it, as for a consultant.

    :raises RolesNotGrantable: the caller may not hand out one of the roles.
    :raises RoleUnknown: the company has no role of one of the names.
    :raises AccessUntilPast: `access_until` is not after now.
    :raises AlreadyMember: the person is one already.
    :raises InvitationOpen: an open invitation for the address exists: revoke it first.
    """
    email, names, now = normal_email(email), normal_roles(roles), clock.now()
    refuse_ungrantable(actor, names)
    await refuse_unknown_roles(actor, names)
    if access_until is not None and access_until <= now:
        raise AccessUntilPast(access_until)
    transaction = current_transaction()
    if await transaction.fetchval(_IS_MEMBER, actor.tenant_id, email, now):
        raise AlreadyMember(email)
    await transaction.execute(_CLOSE_EXPIRED, actor.tenant_id, email, now)
    invited = Invited(new_id(), email, new_token(TokenKind.INVITATION), now + INVITATION_LIFETIME)
    hashed = token_hash(invited.token, TokenKind.INVITATION)
    values = (list(names), employee_id, actor.account_id, access_until, now, invited.expires_at)
    if not await transaction.fetchval(_INSERT, invited.id, actor.tenant_id, hashed, email, *values):
        raise InvitationOpen(email)
    await record(
        actor,
        "invitation.created",
        object_type="Invitation",
        object_id=invited.id,
        changes={"roles": [None, ", ".join(names)]},
        clock=clock,
    )
    return invited


async def revoke_invitation(actor: Actor, *, invitation_id: UUID, clock: Clock) -> None:
    """Withdraw an open invitation of the caller's company (permission ``invitation:manage``).

    :raises InvitationNotValid: there is none open of that id.
    """
    values = (invitation_id, actor.tenant_id, clock.now())
    if not await current_transaction().fetchval(_REVOKE, *values):
        raise InvitationNotValid
    await record(actor, "invitation.revoked", object_type="Invitation", object_id=invitation_id, clock=clock)


async def find_open_invitation(token: str, *, clock: Clock, lock: bool = False) -> OpenInvitation:
    """The open invitation into an active company that has this token, in a platform transaction.

    :param lock: keep others from using it until the transaction ends.
    :raises InvitationNotValid: there is none.
    """
    hashed = token_hash(token, TokenKind.INVITATION)
    if hashed is None:
        raise InvitationNotValid
    row = await current_transaction().fetchrow(_OPEN + "FOR UPDATE OF i" if lock else _OPEN, hashed, clock.now())
    if row is None:
        raise InvitationNotValid
    return OpenInvitation(**{**row, "roles": tuple(row["roles"])})


async def use_invitation(actor: Actor, invitation: OpenInvitation, *, clock: Clock) -> None:
    """Make the actor's account a member as the locked invitation says, and write it into the company's trail.

    The transaction is bound to the invitation's company, and so is `actor`.

    :raises TenantQuotaExceeded: the company has no seat left.
    :raises AlreadyMember: the account is a member already.
    """
    tenant_id, now = invitation.tenant_id, clock.now()
    await lock_quota(QuotaKind.SEATS)
    await check_quota(QuotaKind.SEATS, used=await count_seats(tenant_id, now=now))
    membership_id = await grant_membership(
        tenant_id=tenant_id,
        account_id=actor.account_id,
        email=invitation.email,
        roles=invitation.roles,
        granted_by=invitation.invited_by,
        employee_id=invitation.employee_id,
        valid_to=invitation.access_until,
        clock=clock,
    )
    await current_transaction().execute(_ACCEPT, invitation.id, now, actor.account_id)
    await record(actor, "invitation.accepted", object_type="Invitation", object_id=invitation.id, clock=clock)
    await record(
        actor,
        "membership.granted",
        object_type="Membership",
        object_id=membership_id,
        changes={"roles": [None, ", ".join(invitation.roles)]},
        clock=clock,
    )


async def refuse_other_address(actor: Actor, invitation: OpenInvitation) -> None:
    """An invitation is for one address.

    :raises InvitationForAnother: the actor's account has another.
    """
    if await current_transaction().fetchval(_EMAIL, actor.account_id) != invitation.email:
        raise InvitationForAnother
