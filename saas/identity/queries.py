"""Reads of the identity room, in platform transactions; each names the account or the company it is for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from saas.identity.rules import OWNER
from saas.kernel import Actor
from tenants import current_transaction

PAGE_MAX = 100
"""Rows of a page; a list gives one more when asked, which tells that another page follows."""

_LIVE = "m.valid_from <= {now} AND (m.valid_to IS NULL OR m.valid_to > {now})"


@dataclass(frozen=True, slots=True)
class LiveMembership:
    """What an account is in an active company now."""

    tenant_id: UUID
    account_id: UUID
    employee_id: UUID | None
    roles: tuple[str, ...]
    locale: str


@dataclass(frozen=True, slots=True)
class Company:
    """A company of somebody's list: its name and what they are there, nothing of its data."""

    tenant_id: UUID
    name: str
    roles: tuple[str, ...]
    is_active: bool
    valid_to: datetime | None


@dataclass(frozen=True, slots=True)
class Member:
    """A person who may act in a company, or might until a short while ago."""

    account_id: UUID
    name: str
    email: str
    employee_id: UUID | None
    roles: tuple[str, ...]
    valid_from: datetime
    valid_to: datetime | None
    version: int


@dataclass(frozen=True, slots=True)
class SessionView:
    """A live session, as its owner or the company's administrator sees it."""

    id: UUID
    account_id: UUID
    account_name: str
    tenant_id: UUID
    tenant_name: str
    client: str
    address: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    is_current: bool


@dataclass(frozen=True, slots=True)
class InvitationView:
    """An open invitation."""

    id: UUID
    email: str
    roles: tuple[str, ...]
    employee_id: UUID | None
    invited_by: UUID
    created_at: datetime
    expires_at: datetime


_MEMBERSHIP = f"""
SELECT m.tenant_id, m.account_id, m.employee_id, m.roles, a.locale
  FROM platform.membership m
  JOIN platform.account a ON a.id = m.account_id
  JOIN platform.tenant t ON t.id = m.tenant_id
 WHERE m.tenant_id = $1 AND m.account_id = $2 AND t.status = 'active' AND {_LIVE.format(now="$3")}
"""
_MEMBER = f"""
SELECT m.tenant_id, m.account_id, m.employee_id, m.roles, a.locale
  FROM platform.membership m
  JOIN platform.account a ON a.id = m.account_id
  JOIN platform.tenant t ON t.id = m.tenant_id
 WHERE m.tenant_id = $1 AND t.status = 'active' AND {_LIVE.format(now="$2")}
   AND CASE WHEN $3::text IS NULL THEN $4 = ANY (m.roles) ELSE a.email = $3 END
 ORDER BY m.valid_from, m.account_id LIMIT 1
"""
_COMPANIES = f"""
SELECT m.tenant_id, t.name, m.roles, t.status = 'active' AS is_active, m.valid_to
  FROM platform.membership m JOIN platform.tenant t ON t.id = m.tenant_id
 WHERE m.account_id = $1 AND {_LIVE.format(now="$2")}
 ORDER BY m.used_at DESC NULLS LAST, m.tenant_id LIMIT {PAGE_MAX}
"""
_MEMBERS = f"""
SELECT m.account_id, a.name, a.email, m.employee_id, m.roles, m.valid_from, m.valid_to, m.version
  FROM platform.membership m JOIN platform.account a ON a.id = m.account_id
 WHERE m.tenant_id = $1 AND {_LIVE.format(now="$2")} AND ($3::uuid IS NULL OR m.account_id > $3)
 ORDER BY m.account_id LIMIT $4
"""
_SESSIONS = """
SELECT s.id, s.account_id, a.name AS account_name, s.tenant_id, t.name AS tenant_name, s.client, s.address,
       s.user_agent, s.created_at, s.last_seen_at, s.expires_at, s.id IS NOT DISTINCT FROM $2 AS is_current
  FROM platform.session s
  JOIN platform.account a ON a.id = s.account_id
  JOIN platform.tenant t ON t.id = s.tenant_id
 WHERE s.{column} = $1 AND s.revoked_at IS NULL AND s.idle_expires_at > $3 AND s.expires_at > $3
   AND ($4::uuid IS NULL OR s.id < $4)
 ORDER BY s.id DESC LIMIT $5
"""
_INVITATIONS = """
SELECT id, email, roles, employee_id, invited_by, created_at, expires_at FROM platform.invitation
 WHERE tenant_id = $1 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $2
   AND ($3::uuid IS NULL OR id < $3)
 ORDER BY id DESC LIMIT $4
"""


async def get_live_membership(*, account_id: UUID, tenant_id: UUID, now: datetime) -> LiveMembership | None:
    """The account's live membership of an active company."""
    row = await current_transaction().fetchrow(_MEMBERSHIP, tenant_id, account_id, now)
    return None if row is None else LiveMembership(**{**row, "roles": tuple(row["roles"])})


async def find_member(tenant_id: UUID, *, email: str | None, now: datetime) -> LiveMembership | None:
    """The live member with that address; without one, whoever has been an owner for the longest time."""
    row = await current_transaction().fetchrow(_MEMBER, tenant_id, now, email, OWNER)
    return None if row is None else LiveMembership(**{**row, "roles": tuple(row["roles"])})


async def list_companies(account_id: UUID, *, now: datetime) -> tuple[Company, ...]:
    """The companies of a person, the one used last first; at most 100."""
    rows = await current_transaction().fetch(_COMPANIES, account_id, now)
    return tuple(Company(**{**row, "roles": tuple(row["roles"])}) for row in rows)


async def list_members(
    actor: Actor, *, now: datetime, after: UUID | None = None, first: int = PAGE_MAX
) -> tuple[Member, ...]:
    """The people of the caller's company, by account id, a page of at most 100 after the account `after`."""
    rows = await current_transaction().fetch(_MEMBERS, actor.tenant_id, now, after, min(first, PAGE_MAX + 1))
    return tuple(Member(**{**row, "roles": tuple(row["roles"])}) for row in rows)


async def list_sessions(
    actor: Actor, *, now: datetime, after: UUID | None = None, first: int = PAGE_MAX
) -> tuple[SessionView, ...]:
    """The caller's own live sessions in all companies, newest first."""
    return await _sessions("account_id", actor.account_id, actor, now, after, first)


async def list_member_sessions(
    actor: Actor, *, now: datetime, after: UUID | None = None, first: int = PAGE_MAX
) -> tuple[SessionView, ...]:
    """All live sessions in the caller's company, newest first (permission ``session:manage``)."""
    return await _sessions("tenant_id", actor.tenant_id, actor, now, after, first)


async def _sessions(
    column: str, value: UUID, actor: Actor, now: datetime, after: UUID | None, first: int
) -> tuple[SessionView, ...]:
    sql = _SESSIONS.format(column=column)
    rows = await current_transaction().fetch(sql, value, actor.session_id, now, after, min(first, PAGE_MAX + 1))
    return tuple(SessionView(**row) for row in rows)


async def list_invitations(
    actor: Actor, *, now: datetime, after: UUID | None = None, first: int = PAGE_MAX
) -> tuple[InvitationView, ...]:
    """The open invitations of the caller's company, newest first (permission ``invitation:manage``)."""
    rows = await current_transaction().fetch(_INVITATIONS, actor.tenant_id, now, after, min(first, PAGE_MAX + 1))
    return tuple(InvitationView(**{**row, "roles": tuple(row["roles"])}) for row in rows)
