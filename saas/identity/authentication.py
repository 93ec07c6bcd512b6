"""From a presented access token to the actor that it stands for, without the platform role.

The answer carries a stamp. A door may keep the answer by token hash as long as ``platform.session_stamp`` (which
its reads ask in the same statement) returns that stamp: any end of the session, change of the membership or change
of the company changes it at once. Once a minute it differs on purpose, so that the session is seen to be used.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from saas.identity.tokens import TokenKind, token_hash
from saas.kernel import Actor, Clock
from tenants import Database

_LOOKUP = """
SELECT session_id, account_id, tenant_id, employee_id, roles, locale, time_zone, currency, stamp, unseen
  FROM platform.session_lookup($1, $2)
"""
_TOUCH = "SELECT platform.session_touch($1, $2)"
SESSION_STAMP_SQL = "platform.session_stamp({token_hash}, {at})"
"""What a reading statement asks beside its rows; leave `at` out for the database's own clock."""


@dataclass(frozen=True, slots=True)
class Authenticated:
    """A checked session."""

    actor: Actor
    session_hash: bytes
    stamp: str
    time_zone: str
    currency: str


class SessionAuthenticator:
    """Checks access tokens; it keeps nothing itself."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def authenticate(
        self, token: str, *, address: str, request_id: str, client: str = "web"
    ) -> Authenticated | None:
        """The actor of a live session; None for any other token, whatever is wrong with it.

        A session not seen for a minute is marked as seen, which prolongs its idle time.
        """
        session_hash = token_hash(token, TokenKind.SESSION)
        if session_hash is None:
            return None
        now = self._clock.now()
        row = await self._database.fetchrow(_LOOKUP, session_hash, now)
        if row is None:
            return None
        if row["unseen"]:
            await self._database.fetchrow(_TOUCH, session_hash, now)
        actor = _actor(row, address=address, request_id=request_id, client=client)
        return Authenticated(actor, session_hash, row["stamp"], row["time_zone"], row["currency"])


def _actor(row: asyncpg.Record, *, address: str, request_id: str, client: str) -> Actor:
    return Actor(
        tenant_id=_uuid(row["tenant_id"]),
        account_id=_uuid(row["account_id"]),
        employee_id=None if row["employee_id"] is None else _uuid(row["employee_id"]),
        roles=frozenset(row["roles"]),
        locale=row["locale"],
        session_id=_uuid(row["session_id"]),
        client=client,
        address=address,
        request_id=request_id,
    )


def _uuid(value: UUID) -> UUID:
    """asyncpg's own UUID class costs a conversion at each comparison with a plain one; the actor holds plain ones."""
    return UUID(int=value.int)
