"""What the identity room forgets: sessions long over, and failures that count no more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from saas.identity.rules import FAILURES_FORGOTTEN_AFTER
from saas.kernel import Clock
from tenants import current_transaction

SESSION_KEPT = timedelta(days=30)
"""After its end a session can still be looked into for so long; that it was, stays in the audit trail."""

_PURGE_SESSIONS = """
DELETE FROM platform.session WHERE id IN (
    SELECT id FROM platform.session WHERE expires_at < $1 ORDER BY id LIMIT 1000)
"""
_PURGE_FAILURES = """
DELETE FROM platform.sign_in_throttle WHERE subject IN (
    SELECT subject FROM platform.sign_in_throttle
     WHERE failed_at < $1 AND (locked_until IS NULL OR locked_until < $1) LIMIT 1000
       FOR UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows went."""

    sessions: int
    failures: int

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to purge now."""
        return max(self.sessions, self.failures) < 1000


async def purge_identity(*, clock: Clock) -> Purged:
    """Remove at most a thousand sessions and a thousand counts of failures, in a platform transaction."""
    transaction, now = current_transaction(), clock.now()
    return Purged(
        sessions=await transaction.execute(_PURGE_SESSIONS, now - SESSION_KEPT),
        failures=await transaction.execute(_PURGE_FAILURES, now - FAILURES_FORGOTTEN_AFTER),
    )
