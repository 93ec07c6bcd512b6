"""Proving that somebody knows an account's password: the one place where it is checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from saas.identity.actions.throttle import Attempt, count_attempt, forget_attempt
from saas.identity.errors import CredentialsRefused
from saas.identity.passwords import Passwords
from saas.identity.rules import normal_email
from saas.identity.security_events import Origin, SecurityEventKind, note_security_event
from saas.identity.tokens import digest
from saas.kernel import Clock
from tenants import Database, DatabaseRole, current_transaction

_FIND = "SELECT id, email, name, locale, password_hash FROM platform.account WHERE email = $1"
_RENEW = "UPDATE platform.account SET password_hash = $2 WHERE id = $1 AND password_hash = $3"


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """An account of the directory."""

    id: UUID
    email: str
    name: str
    locale: str
    password_hash: str = field(repr=False)


async def find_account(email: str) -> KnownAccount | None:
    """The account of a (normal) e-mail address, in a platform transaction."""
    row = await current_transaction().fetchrow(_FIND, email)
    return None if row is None else KnownAccount(**row)


async def prove_password(
    database: Database, *, email: str, password: str, origin: Origin, passwords: Passwords, clock: Clock
) -> KnownAccount:
    """The account whose password this is.

    It opens its own transactions, since a failure must be counted though the caller's work is refused, and since
    no connection should wait while a hash is computed. An unknown address costs the same work as a known one.

    :raises CredentialsRefused: unknown address or wrong password.
    :raises SignInLocked: too many failures before.
    """
    email = normal_email(email)
    async with passwords.one_at_a_time(digest(email, origin.address)):
        return await _attempt(database, email, password, origin, passwords, clock.now())


async def _attempt(
    database: Database, email: str, password: str, origin: Origin, passwords: Passwords, now: datetime
) -> KnownAccount:
    async with database.transaction(None, role=DatabaseRole.PLATFORM):
        attempt = await count_attempt(email=email, address=origin.address, now=now)
        account = await find_account(email)
    verdict = await passwords.verify(account.password_hash if account else None, password)
    if account is None or not verdict.is_right:
        await _note_failure(database, attempt, account, email=email, origin=origin, now=now)
        raise CredentialsRefused
    renewed = await passwords.hash(password) if verdict.is_outdated else None
    async with database.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        await forget_attempt(attempt)
        if renewed is not None:
            await transaction.execute(_RENEW, account.id, renewed, account.password_hash)
    return account


async def _note_failure(
    database: Database,
    attempt: Attempt,
    account: KnownAccount | None,
    *,
    email: str,
    origin: Origin,
    now: datetime,
) -> None:
    kinds = [SecurityEventKind.SIGN_IN_FAILED]
    if attempt.locks:
        kinds.append(SecurityEventKind.LOCKED_OUT)
    async with database.transaction(None, role=DatabaseRole.PLATFORM):
        for kind in kinds:
            await note_security_event(
                kind, origin=origin, account_id=account.id if account else None, email=email, now=now
            )
