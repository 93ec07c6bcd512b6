"""Sign-in and refresh: what turns a password, or a refresh token, into a session's tokens.

Both open their own transactions: what they note of a failure must stay although the caller is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import asyncpg

from saas.audit import record
from saas.identity.actions.proof import prove_password
from saas.identity.actions.sessions import (
    EndReason,
    SessionTokens,
    end_sessions,
    insert_refresh_token,
    open_session,
    record_ends,
)
from saas.identity.errors import NoCompany, NotAMember, RefreshJustUsed, RefreshReused, SessionOver
from saas.identity.passwords import Passwords
from saas.identity.queries import Company, list_companies
from saas.identity.rules import ACCESS_LIFETIME, RefreshVerdict, judge_refresh
from saas.identity.security_events import Origin, SecurityEventKind, note_security_event
from saas.identity.tokens import TokenKind, new_token, token_hash
from saas.kernel import Actor, AppError, Clock, new_id
from tenants import Database, DatabaseRole, TenantSuspended, Transaction


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session was begun; `companies` are those that the person can switch to, the present one among them."""

    tokens: SessionTokens
    companies: tuple[Company, ...]


SignInOutcome: TypeAlias = SignedIn
"""What a right password leads to; a second factor will make this a union."""


async def sign_in(
    database: Database,
    *,
    email: str,
    password: str,
    origin: Origin,
    passwords: Passwords,
    clock: Clock,
    tenant_id: UUID | None = None,
) -> SignInOutcome:
    """Begin a session in the company `tenant_id`, or in the one the person used last.

    :raises CredentialsRefused: unknown address or wrong password.
    :raises SignInLocked: too many failures.
    :raises NoCompany: the person belongs to none.
    :raises TenantSuspended: all their companies are suspended.
    """
    account = await prove_password(
        database, email=email, password=password, origin=origin, passwords=passwords, clock=clock
    )
    async with database.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        companies = await list_companies(account.id, now=clock.now())
        chosen = _choose(companies, tenant_id)
        await transaction.bind_tenant(chosen)
        opened = await open_session(account_id=account.id, tenant_id=chosen, origin=origin, clock=clock)
        await record(
            opened.actor, "session.started", object_type="Session", object_id=opened.tokens.session_id, clock=clock
        )
    return SignedIn(opened.tokens, companies)


def _choose(companies: tuple[Company, ...], wanted: UUID | None) -> UUID:
    """The company to begin in: the wanted one, else the first active one of the list."""
    eligible = [company for company in companies if wanted in (None, company.tenant_id)]
    for company in eligible:
        if company.is_active:
            return company.tenant_id
    if eligible:
        raise TenantSuspended("identity.company_suspended", {"company": eligible[0].name})
    raise NoCompany if wanted is None else NotAMember


_PRESENTED = """
SELECT r.id, r.session_id, r.used_at, s.account_id, s.tenant_id, s.expires_at,
       s.revoked_at IS NULL AND s.idle_expires_at > $2 AND s.expires_at > $2 AND t.status = 'active'
       AND (m.valid_to IS NULL OR m.valid_to > $2) AS is_live
  FROM platform.refresh_token r
  JOIN platform.session s ON s.id = r.session_id
  JOIN platform.membership m ON m.tenant_id = s.tenant_id AND m.account_id = s.account_id
  JOIN platform.tenant t ON t.id = s.tenant_id
 WHERE r.token_hash = $1
   FOR UPDATE OF r, s
"""
_SPEND = "UPDATE platform.refresh_token SET used_at = $2, replaced_by = $3 WHERE id = $1"
_EXTEND = """
UPDATE platform.session
   SET token_hash = $2, access_expires_at = $3, last_seen_at = $4::timestamptz,
       idle_expires_at = $4::timestamptz + make_interval(secs => idle_seconds)
 WHERE id = $1
"""


async def refresh_session(database: Database, *, refresh_token: str, origin: Origin, clock: Clock) -> SessionTokens:
    """The next tokens of a session; the presented ones are spent.

    Only hashes are stored, so a lost answer can't be repeated: within ten seconds that is said plainly and nothing
    else happens; later, a spent token ends the session, since one of its two users stole it.

    :raises SessionOver: no such token, or its session has ended.
    :raises RefreshJustUsed: spent less than ten seconds ago.
    :raises RefreshReused: spent before that.
    """
    hashed = token_hash(refresh_token, TokenKind.REFRESH)
    if hashed is None:
        raise SessionOver
    async with database.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        outcome = await _spend(transaction, hashed, origin, clock)
    if isinstance(outcome, AppError):
        raise outcome
    return outcome


async def _spend(
    transaction: Transaction, hashed: bytes, origin: Origin, clock: Clock
) -> SessionTokens | SessionOver | RefreshJustUsed | RefreshReused:
    """The next tokens, or the refusal, which the caller raises once this transaction has committed."""
    now = clock.now()
    row = await transaction.fetchrow(_PRESENTED, hashed, now)
    if row is None or not row["is_live"]:
        return SessionOver()
    match judge_refresh(row["used_at"], now=now):
        case RefreshVerdict.GOOD:
            return await _extend(transaction, row, now)
        case RefreshVerdict.JUST_USED:
            return RefreshJustUsed()
        case RefreshVerdict.REUSED:
            await _end_stolen(transaction, row, origin, clock)
            return RefreshReused()


async def _extend(transaction: Transaction, row: asyncpg.Record, now: datetime) -> SessionTokens:
    tokens = SessionTokens(
        session_id=row["session_id"],
        account_id=row["account_id"],
        tenant_id=row["tenant_id"],
        access_token=new_token(TokenKind.SESSION),
        refresh_token=new_token(TokenKind.REFRESH),
        access_expires_at=min(now + ACCESS_LIFETIME, row["expires_at"]),
        expires_at=row["expires_at"],
    )
    successor = new_id()
    await transaction.execute(_SPEND, row["id"], now, successor)
    await insert_refresh_token(tokens.session_id, tokens.refresh_token, now, token_id=successor)
    hashed = token_hash(tokens.access_token, TokenKind.SESSION)
    await transaction.execute(_EXTEND, tokens.session_id, hashed, tokens.access_expires_at, now)
    return tokens


async def _end_stolen(transaction: Transaction, row: asyncpg.Record, origin: Origin, clock: Clock) -> None:
    ended = await end_sessions("id = $3", row["session_id"], reason=EndReason.REFRESH_REUSED, clock=clock)
    await note_security_event(
        SecurityEventKind.REFRESH_REUSED, origin=origin, account_id=row["account_id"], email=None, now=clock.now()
    )
    actor = Actor(
        tenant_id=row["tenant_id"],
        account_id=row["account_id"],
        employee_id=None,
        roles=frozenset(),
        session_id=row["session_id"],
        client=origin.client,
        address=origin.address,
        request_id=origin.request_id,
    )
    await record_ends(actor, ended, reason=EndReason.REFRESH_REUSED, clock=clock)
