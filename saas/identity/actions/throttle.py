"""Soft lock-out: every attempt counts as a failure until it has proven right.

Counting first and checking the password after means that twenty attempts at once are twenty counted attempts,
of which only those below the threshold are checked at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from saas.identity.errors import SignInLocked
from saas.identity.rules import FAILURES_FORGOTTEN_AFTER, Throttled, lock_time
from saas.identity.tokens import digest
from tenants import current_transaction

_COUNT = """
INSERT INTO platform.sign_in_throttle AS throttle (subject, failures, failed_at) VALUES ($1, 1, $2)
ON CONFLICT (subject) DO UPDATE
   SET failures = CASE WHEN throttle.failed_at < $3 THEN 1 ELSE throttle.failures + 1 END, failed_at = $2
 WHERE throttle.locked_until IS NULL OR throttle.locked_until <= $2
RETURNING failures
"""
_LOCK = "UPDATE platform.sign_in_throttle SET locked_until = $2 WHERE subject = $1"
_LOCKED_UNTIL = "SELECT locked_until FROM platform.sign_in_throttle WHERE subject = $1"
_FORGET = "DELETE FROM platform.sign_in_throttle WHERE subject = ANY($1::text[])"
_TAKE_BACK = """
UPDATE platform.sign_in_throttle
   SET failures = greatest(failures - 1, 0), locked_until = CASE WHEN $2 THEN NULL ELSE locked_until END
 WHERE subject = $1
"""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A counted attempt; `locks` are the kinds whose lock it set off, unless it proves right."""

    subjects: dict[Throttled, str]
    locks: frozenset[Throttled]


async def count_attempt(*, email: str, address: str, now: datetime) -> Attempt:
    """Count an attempt, in a platform transaction; a refused one must roll back, so that it isn't counted.

    :raises SignInLocked: the address's account, from here or at all, or this place, is locked.
    """
    subjects = {
        Throttled.ACCOUNT_FROM_ADDRESS: digest("account from address", email, address),
        Throttled.ACCOUNT: digest("account", email),
        Throttled.ADDRESS: digest("address", address),
    }
    locks = [kind for kind, subject in subjects.items() if await _count(kind, subject, now)]
    return Attempt(subjects, frozenset(locks))


async def _count(kind: Throttled, subject: str, now: datetime) -> bool:
    transaction = current_transaction()
    failures = await transaction.fetchval(_COUNT, subject, now, now - FAILURES_FORGOTTEN_AFTER)
    if failures is None:
        raise SignInLocked(await transaction.fetchval(_LOCKED_UNTIL, subject))
    delay = lock_time(kind, failures)
    if delay is not None:
        await transaction.execute(_LOCK, subject, now + delay)
    return delay is not None


async def forget_attempt(attempt: Attempt) -> None:
    """The attempt proved right: the account's failures are forgotten, the place's count is as it was before."""
    transaction = current_transaction()
    of_account = [attempt.subjects[Throttled.ACCOUNT_FROM_ADDRESS], attempt.subjects[Throttled.ACCOUNT]]
    await transaction.execute(_FORGET, of_account)
    await transaction.execute(_TAKE_BACK, attempt.subjects[Throttled.ADDRESS], Throttled.ADDRESS in attempt.locks)
