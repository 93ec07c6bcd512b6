"""Where a request came from, and the record of what happened before a company was known.

A tenant's audit trail needs a tenant; a failed sign-in has none. What was typed as an address is kept as a digest:
people type passwords there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from saas.identity.tokens import digest
from saas.kernel import new_id
from tenants import current_transaction

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_INSERT = """
INSERT INTO platform.security_event (id, at, kind, account_id, email_digest, client, address, request_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from, as the door saw it; cut to what the tables hold."""

    address: str = ""
    client: str = "web"
    user_agent: str = ""
    request_id: str = ""

    def __post_init__(self) -> None:
        for name, longest in (("address", 64), ("client", 50), ("user_agent", 200), ("request_id", 64)):
            object.__setattr__(self, name, _UNPRINTABLE.sub("", getattr(self, name))[:longest])


class SecurityEventKind(Enum):
    """What happened."""

    SIGN_IN_FAILED = "sign_in_failed"
    LOCKED_OUT = "locked_out"
    REFRESH_REUSED = "refresh_reused"


async def note_security_event(
    kind: SecurityEventKind, *, origin: Origin, account_id: UUID | None, email: str | None, now: datetime
) -> None:
    """Write it down, in a platform transaction; the table can't be changed afterwards."""
    email_digest = None if email is None else bytes.fromhex(digest("email", email))
    await current_transaction().execute(
        _INSERT,
        new_id(),
        now,
        kind.value,
        account_id,
        email_digest,
        origin.client,
        origin.address,
        origin.request_id,
    )
