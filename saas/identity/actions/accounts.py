"""Accounts: made at a sign-up or when an invitation is accepted, and their passwords changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from saas.audit import record
from saas.identity.actions.proof import find_account, prove_password
from saas.identity.actions.sessions import EndReason, revoke_other_sessions
from saas.identity.errors import AccountAppeared, PasswordUnchanged
from saas.identity.passwords import Passwords
from saas.identity.rules import normal_email, normal_name, refuse_weak_password
from saas.identity.security_events import Origin
from saas.kernel import Actor, Clock, new_id
from tenants import Database, DatabaseRole, current_transaction

_INSERT = """
INSERT INTO platform.account (id, email, name, locale, password_hash, password_changed_at, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (email) DO NOTHING RETURNING id
"""
_EMAIL = "SELECT email FROM platform.account WHERE id = $1"
_CHANGE = """
UPDATE platform.account SET password_hash = $2, password_changed_at = $3 WHERE id = $1
"""
_RECIPIENT = "SELECT email, name, locale FROM platform.account WHERE id = $1"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Who asks to come in: an account whose password was proven, or all that is needed to make one."""

    email: str
    name: str
    account_id: UUID | None
    password_hash: str | None


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a mail is for."""

    email: str
    name: str
    locale: str


async def admit_candidate(
    database: Database,
    *,
    email: str,
    name: str,
    password: str,
    origin: Origin,
    passwords: Passwords,
    clock: Clock,
) -> Candidate:
    """Prove the password of an existing account, or check and hash that of a new one; nothing is written for a new one.

    It opens its own transactions and hashes outside them.

    :raises CredentialsRefused: the address has an account, and this is not its password.
    :raises PasswordTooWeak: a new account needs a better one.
    """
    email, name = normal_email(email), normal_name(name)
    async with database.transaction(None, role=DatabaseRole.PLATFORM):
        known = await find_account(email)
    if known is None:
        refuse_weak_password(password, email=email)
        return Candidate(email, name, None, await passwords.hash(password))
    account = await prove_password(
        database, email=email, password=password, origin=origin, passwords=passwords, clock=clock
    )
    return Candidate(email, account.name, account.id, None)


async def settle_candidate(candidate: Candidate, *, locale: str, clock: Clock) -> UUID:
    """The candidate's account, made now if it is new; in a platform transaction.

    :raises AccountAppeared: another request made an account of that address meanwhile: its password isn't proven here.
    """
    if candidate.account_id is not None:
        return candidate.account_id
    values = (new_id(), candidate.email, candidate.name, locale, candidate.password_hash, clock.now())
    account_id: UUID | None = await current_transaction().fetchval(_INSERT, *values)
    if account_id is None:
        raise AccountAppeared
    return account_id


async def change_password(
    database: Database,
    actor: Actor,
    *,
    current: str,
    new: str,
    origin: Origin,
    passwords: Passwords,
    clock: Clock,
) -> None:
    """Give the caller's account a new password; all its other sessions end.

    It opens its own transactions. Wrong attempts count as failed sign-ins do.

    :raises CredentialsRefused: `current` is not the password.
    :raises PasswordTooWeak: `new` won't do.
    :raises PasswordUnchanged: the two are one.
    """
    async with database.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        email: str = await transaction.fetchval(_EMAIL, actor.account_id)
    await prove_password(database, email=email, password=current, origin=origin, passwords=passwords, clock=clock)
    if new == current:
        raise PasswordUnchanged
    refuse_weak_password(new, email=email)
    hashed = await passwords.hash(new)
    async with database.transaction(actor.tenant_id, role=DatabaseRole.PLATFORM) as transaction:
        await transaction.execute(_CHANGE, actor.account_id, hashed, clock.now())
        await revoke_other_sessions(actor, clock=clock, reason=EndReason.PASSWORD_CHANGED)
        await record(actor, "account.password_changed", object_type="Account", object_id=actor.account_id, clock=clock)


async def find_recipient(database: Database, account_id: UUID) -> Recipient | None:
    """Whom to write to; it opens its own transaction, since jobs run as the application role."""
    async with database.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        row = await transaction.fetchrow(_RECIPIENT, account_id)
    return None if row is None else Recipient(**row)


_STAFF = """
SELECT m.employee_id, a.email, a.name, a.locale
  FROM platform.membership m JOIN platform.account a ON a.id = m.account_id
 WHERE m.tenant_id = $1 AND m.employee_id IS NOT NULL AND m.valid_from <= $2
   AND (m.valid_to IS NULL OR m.valid_to > $2) AND (m.employee_id = ANY ($3) OR $4 = ANY (m.roles))
"""


@dataclass(frozen=True, slots=True)
class StaffMember:
    """A person on the staff with an account: which roles they have, and where to write to."""

    employee_id: UUID
    roles: frozenset[str]
    recipient: Recipient


_MEMBERS = """
SELECT m.employee_id, m.roles, a.email, a.name, a.locale
  FROM platform.membership m JOIN platform.account a ON a.id = m.account_id
 WHERE m.tenant_id = $1 AND m.employee_id IS NOT NULL AND m.valid_from <= $2
   AND (m.valid_to IS NULL OR m.valid_to > $2) ORDER BY m.employee_id
"""


async def find_staff_members(database: Database, tenant_id: UUID, *, clock: Clock) -> list[StaffMember]:
    """Everybody on the staff who has an account in the company. It opens its own transaction, as jobs need it."""
    async with database.transaction(tenant_id, role=DatabaseRole.PLATFORM) as transaction:
        rows = await transaction.fetch(_MEMBERS, tenant_id, clock.now())
    return [
        StaffMember(row["employee_id"], frozenset(row["roles"]), Recipient(row["email"], row["name"], row["locale"]))
        for row in rows
    ]


async def find_staff_recipients(
    database: Database, tenant_id: UUID, *, employee_ids: Sequence[UUID], role: str, clock: Clock
) -> dict[UUID, Recipient]:
    """Where to write to people on the staff and to all who hold a role, by employee id; without an account: missing.

    It opens its own transaction, since jobs run as the application role.
    """
    async with database.transaction(tenant_id, role=DatabaseRole.PLATFORM) as transaction:
        rows = await transaction.fetch(_STAFF, tenant_id, clock.now(), list(employee_ids), role)
    return {row["employee_id"]: Recipient(row["email"], row["name"], row["locale"]) for row in rows}
