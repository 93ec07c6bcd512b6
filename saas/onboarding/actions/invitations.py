"""Accepting an invitation: with a new account, with the address's own, or with the one that is signed in."""

from __future__ import annotations

from uuid import UUID

from saas.audit import record
from saas.identity import (
    OpenInvitation,
    Origin,
    Passwords,
    SessionTokens,
    actor_in,
    admit_candidate,
    find_open_invitation,
    open_session,
    refuse_other_address,
    settle_candidate,
    use_invitation,
)
from saas.kernel import Actor, Clock
from saas.people import link_account
from tenants import Database, DatabaseRole, current_transaction


async def accept_invitation(
    database: Database,
    *,
    token: str,
    name: str,
    password: str,
    origin: Origin,
    passwords: Passwords,
    clock: Clock,
) -> SessionTokens:
    """Come into a company with the invited address's account, made now if it is new, and begin a session there.

    It opens its own transactions.

    :raises InvitationNotValid: no open invitation has this token.
    :raises CredentialsRefused: the address has an account, and this is not its password.
    :raises PasswordTooWeak: a new account needs a better one.
    :raises TenantQuotaExceeded: the company has no seat left.
    """
    async with database.transaction(None, role=DatabaseRole.PLATFORM):
        email = (await find_open_invitation(token, clock=clock)).email
    candidate = await admit_candidate(
        database, email=email, name=name, password=password, origin=origin, passwords=passwords, clock=clock
    )
    async with database.transaction(None, role=DatabaseRole.PLATFORM):
        invitation = await find_open_invitation(token, clock=clock, lock=True)
        account_id = await settle_candidate(candidate, locale=invitation.locale, clock=clock)
        await _come_in(_guest(account_id, invitation, origin), invitation, clock)
        opened = await open_session(account_id=account_id, tenant_id=invitation.tenant_id, origin=origin, clock=clock)
        await record(
            opened.actor, "session.started", object_type="Session", object_id=opened.tokens.session_id, clock=clock
        )
    return opened.tokens


async def join_company(actor: Actor, *, token: str, clock: Clock) -> UUID:
    """Accept an invitation with the account that is signed in; the company's id, to be switched to.

    It runs in a platform transaction bound to the caller's present company, and leaves it so.

    :raises InvitationNotValid: no open invitation has this token.
    :raises InvitationForAnother: it is for another address.
    """
    invitation = await find_open_invitation(token, clock=clock, lock=True)
    await refuse_other_address(actor, invitation)
    await _come_in(actor_in(actor, invitation.tenant_id), invitation, clock)
    await current_transaction().bind_tenant(actor.tenant_id)
    return invitation.tenant_id


async def _come_in(guest: Actor, invitation: OpenInvitation, clock: Clock) -> None:
    await current_transaction().bind_tenant(invitation.tenant_id)
    await use_invitation(guest, invitation, clock=clock)
    if invitation.employee_id is not None:
        await link_account(invitation.employee_id, guest.account_id)


def _guest(account_id: UUID, invitation: OpenInvitation, origin: Origin) -> Actor:
    """Who accepts, before there is a session."""
    return Actor(
        tenant_id=invitation.tenant_id,
        account_id=account_id,
        employee_id=invitation.employee_id,
        roles=frozenset(),
        locale=invitation.locale,
        client=origin.client,
        address=origin.address,
        request_id=origin.request_id,
    )
