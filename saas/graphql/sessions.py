"""Sessions as the door knows them: one look-up per request, checked with the rows that it reads.

A session found once is kept by the hash of its token, together with its access table and plugins. It carries a
stamp; each statement or transaction brings the present stamp back, and where the two differ the door forgets the
session and asks again. So a revoked session, a changed role or a switched-off plugin acts at the next request, and
costs no round trip of its own. Once a minute a session is looked up anyway, so that the identity room sees that it is
in use.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from saas.access.table import AccessTable
from saas.extensions import TenantPlugins
from saas.graphql.services import Services
from saas.kernel import Actor, Unauthenticated

_SHOWN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Session:
    """A live session, with what follows from its stamp; `found_at` is when it was looked up.

    `actor` is who acts, as of that look-up: `Running.actor` is the same person in the present request.
    """

    actor: Actor
    session_hash: bytes
    stamp: str
    time_zone: str
    currency: str
    access: AccessTable
    plugins: TenantPlugins
    found_at: datetime

    @property
    def right_key(self) -> tuple[str, frozenset[str]]:
        """What decides which root fields may be asked for: sessions with equal keys may ask for the same ones."""
        return self.access.fingerprint, self.plugins.names


class Sessions:
    """The sessions of one process, at most `capacity`, the least used dropped first."""

    def __init__(self, services: Services, *, capacity: int = 10_000) -> None:
        self._services = services
        self._capacity = capacity
        self._known: OrderedDict[bytes, Session] = OrderedDict()
        self._by_session: dict[bytes, bytes] = {}

    async def find(self, token: str, *, address: str, request_id: str, client: str) -> Session:
        """The session of `token`; looked up for this request, or at most a minute ago.

        :raises Unauthenticated: there is no such session, or it has ended.
        """
        key = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._known.get(key)
        if known is None or self._services.clock.now() - known.found_at >= _SHOWN_EVERY:
            known = await self._authenticate(key, token, address=address, request_id=request_id, client=client)
        else:
            self._known.move_to_end(key)
        return known

    def forget(self, session_hash: bytes) -> None:
        """Drop a session; the next request with its token asks again."""
        key = self._by_session.pop(session_hash, None)
        if key is not None:
            self._known.pop(key, None)

    async def _authenticate(self, key: bytes, token: str, *, address: str, request_id: str, client: str) -> Session:
        services = self._services
        found = await services.sessions.authenticate(token, address=address, request_id=request_id, client=client)
        if found is None:
            self._known.pop(key, None)
            raise Unauthenticated("graphql.session_ended")
        session = Session(
            actor=found.actor,
            session_hash=found.session_hash,
            stamp=found.stamp,
            time_zone=found.time_zone,
            currency=found.currency,
            access=await services.access.table(found.actor),
            plugins=await services.plugins.enabled(found.actor.tenant_id),
            found_at=services.clock.now(),
        )
        self._known[key] = session
        self._by_session[found.session_hash] = key
        if len(self._known) > self._capacity:
            _, dropped = self._known.popitem(last=False)
            self._by_session.pop(dropped.session_hash, None)
        return session
