"""Sessions: begin one, refresh it, switch its company, end it.

An access token lives 30 minutes; a refresh token is good for one use and gives the next pair; a session unused for
30 minutes, or 12 hours old, is over. Sessions are never deleted here, only revoked, with a reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from uuid import UUID

from saas.audit import record
from saas.identity.errors import NotAMember, SessionNotFound, SessionOver
from saas.identity.queries import LiveMembership, get_live_membership
from saas.identity.rules import ACCESS_LIFETIME, IDLE_LIFETIME, SESSION_LIFETIME
from saas.identity.security_events import Origin
from saas.identity.tokens import TokenKind, new_token, token_hash
from saas.kernel import Actor, Clock, new_id
from tenants import current_transaction


class EndReason(Enum):
    """Why a session ended before its time."""

    SIGNED_OUT = "signed_out"
    SWITCHED = "switched_company"
    REVOKED = "revoked"
    REVOKED_BY_COMPANY = "revoked_by_company"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a reason, not a password
    REFRESH_REUSED = "refresh_reused"
    MEMBERSHIP_ENDED = "membership_ended"


@dataclass(frozen=True, slots=True)
class SessionTokens:
    """A session as its client gets to know it: the only time that its tokens are shown."""

    session_id: UUID
    account_id: UUID
    tenant_id: UUID
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    access_expires_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A new session and the actor that it stands for."""

    tokens: SessionTokens
    actor: Actor


_INSERT_SESSION = """
INSERT INTO platform.session (id, account_id, tenant_id, token_hash, access_expires_at, idle_seconds, idle_expires_at,
                              expires_at, created_at, last_seen_at, client, address, user_agent, rotated_from)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11, $12, $13)
"""
_INSERT_REFRESH = """
INSERT INTO platform.refresh_token (id, session_id, token_hash, created_at) VALUES ($1, $2, $3, $4)
"""
_USED = "UPDATE platform.membership SET used_at = $3 WHERE tenant_id = $1 AND account_id = $2"
_END = """
UPDATE platform.session SET revoked_at = $1, revoked_reason = $2
 WHERE revoked_at IS NULL AND {condition}
RETURNING id, tenant_id, expires_at
"""


async def open_session(
    *,
    account_id: UUID,
    tenant_id: UUID,
    origin: Origin,
    clock: Clock,
    until: datetime | None = None,
    rotated_from: UUID | None = None,
) -> OpenedSession:
    """Begin a session, in a platform transaction bound to the company; `until` bounds one that continues another.

    :raises NotAMember: the account has no live membership of an active company of that id.
    """
    now = clock.now()
    membership = await get_live_membership(account_id=account_id, tenant_id=tenant_id, now=now)
    if membership is None:
        raise NotAMember
    tokens = _new_tokens(account_id, tenant_id, now, until or now + SESSION_LIFETIME)
    await _insert_session(tokens, origin, now, rotated_from)
    await insert_refresh_token(tokens.session_id, tokens.refresh_token, now)
    await current_transaction().execute(_USED, tenant_id, account_id, now)
    return OpenedSession(tokens, actor_of(membership, session_id=tokens.session_id, origin=origin))


def _new_tokens(account_id: UUID, tenant_id: UUID, now: datetime, until: datetime) -> SessionTokens:
    return SessionTokens(
        session_id=new_id(),
        account_id=account_id,
        tenant_id=tenant_id,
        access_token=new_token(TokenKind.SESSION),
        refresh_token=new_token(TokenKind.REFRESH),
        access_expires_at=min(now + ACCESS_LIFETIME, until),
        expires_at=until,
    )


async def _insert_session(tokens: SessionTokens, origin: Origin, now: datetime, rotated_from: UUID | None) -> None:
    await current_transaction().execute(
        _INSERT_SESSION,
        tokens.session_id,
        tokens.account_id,
        tokens.tenant_id,
        token_hash(tokens.access_token, TokenKind.SESSION),
        tokens.access_expires_at,
        int(IDLE_LIFETIME.total_seconds()),
        min(now + IDLE_LIFETIME, tokens.expires_at),
        tokens.expires_at,
        now,
        origin.client,
        origin.address,
        origin.user_agent,
        rotated_from,
    )


async def insert_refresh_token(session_id: UUID, token: str, now: datetime, *, token_id: UUID | None = None) -> None:
    """Store the hash of a session's next refresh token."""
    await current_transaction().execute(
        _INSERT_REFRESH, token_id or new_id(), session_id, token_hash(token, TokenKind.REFRESH), now
    )


def actor_of(membership: LiveMembership, *, session_id: UUID, origin: Origin) -> Actor:
    """The actor that a session of this membership stands for."""
    return Actor(
        tenant_id=membership.tenant_id,
        account_id=membership.account_id,
        employee_id=membership.employee_id,
        roles=frozenset(membership.roles),
        locale=membership.locale,
        session_id=session_id,
        client=origin.client,
        address=origin.address,
        request_id=origin.request_id,
    )


async def switch_company(actor: Actor, *, tenant_id: UUID, origin: Origin, clock: Clock) -> OpenedSession:
    """Trade the session for one of the same person in another company; the old one is over, its end stays as it was.

    :raises NotAMember: no live membership of an active company there.
    :raises SessionOver: the session ended meanwhile.
    """
    transaction = current_transaction()
    ended = await end_sessions("id = $3", actor.session_id, reason=EndReason.SWITCHED, clock=clock)
    if not ended:
        raise SessionOver
    opened = await open_session(
        account_id=actor.account_id,
        tenant_id=tenant_id,
        origin=origin,
        clock=clock,
        until=ended[0].expires_at,
        rotated_from=actor.session_id,
    )
    await record_ends(actor, ended, reason=EndReason.SWITCHED, clock=clock)
    await transaction.bind_tenant(tenant_id)
    await record(
        opened.actor, "session.started", object_type="Session", object_id=opened.tokens.session_id, clock=clock
    )
    await transaction.bind_tenant(actor.tenant_id)
    return opened


async def sign_out(actor: Actor, *, clock: Clock) -> None:
    """End the caller's session; a second time is no error."""
    ended = await end_sessions("id = $3", actor.session_id, reason=EndReason.SIGNED_OUT, clock=clock)
    await record_ends(actor, ended, reason=EndReason.SIGNED_OUT, clock=clock)


async def revoke_session(actor: Actor, *, session_id: UUID, clock: Clock) -> None:
    """End one of the caller's own sessions, in whichever company.

    :raises SessionNotFound: it isn't the caller's, or has ended.
    """
    await _revoke("id = $3 AND account_id = $4", session_id, actor.account_id, actor=actor, clock=clock)


async def revoke_member_session(actor: Actor, *, session_id: UUID, clock: Clock) -> None:
    """End a session of somebody else in the caller's company (permission ``session:manage``).

    :raises SessionNotFound: it belongs to another company, or has ended.
    """
    await _revoke(
        "id = $3 AND tenant_id = $4",
        session_id,
        actor.tenant_id,
        actor=actor,
        clock=clock,
        reason=EndReason.REVOKED_BY_COMPANY,
    )


async def revoke_other_sessions(actor: Actor, *, clock: Clock, reason: EndReason = EndReason.REVOKED) -> int:
    """End all sessions of the caller but the present one; how many there were."""
    ended = await end_sessions(
        "account_id = $3 AND id IS DISTINCT FROM $4", actor.account_id, actor.session_id, reason=reason, clock=clock
    )
    await record_ends(actor, ended, reason=reason, clock=clock)
    return len(ended)


async def _revoke(
    condition: str, *values: object, actor: Actor, clock: Clock, reason: EndReason = EndReason.REVOKED
) -> None:
    ended = await end_sessions(condition, *values, reason=reason, clock=clock)
    if not ended:
        raise SessionNotFound
    await record_ends(actor, ended, reason=reason, clock=clock)


@dataclass(frozen=True, slots=True)
class EndedSession:
    """A session that was live until now."""

    id: UUID
    tenant_id: UUID
    expires_at: datetime


async def end_sessions(condition: str, *values: object, reason: EndReason, clock: Clock) -> tuple[EndedSession, ...]:
    """Revoke the live sessions that fit `condition`, whose values are ``$3`` and on."""
    rows = await current_transaction().fetch(_END.format(condition=condition), clock.now(), reason.value, *values)
    return tuple(EndedSession(**row) for row in rows)


async def record_ends(actor: Actor, ended: Sequence[EndedSession], *, reason: EndReason, clock: Clock) -> None:
    """Write each end into the trail of the company that the session was in, which need not be the actor's."""
    transaction = current_transaction()
    for session in sorted(ended, key=lambda session: session.tenant_id):
        await transaction.bind_tenant(session.tenant_id)
        await record(
            actor_in(actor, session.tenant_id),
            "session.ended",
            object_type="Session",
            object_id=session.id,
            reason=reason.value,
            clock=clock,
        )
    await transaction.bind_tenant(actor.tenant_id)


def actor_in(actor: Actor, tenant_id: UUID) -> Actor:
    """The same person as another company's trail knows them: its roles and staff number are none of that company's."""
    if tenant_id == actor.tenant_id:
        return actor
    return replace(actor, tenant_id=tenant_id, employee_id=None, roles=frozenset())
