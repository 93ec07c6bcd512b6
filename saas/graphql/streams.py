"""Subscriptions while they run: each event is read in a transaction of its own, with the rights of that moment.

A subscription holds a place in what it follows and the session it began with. Before it tells anything the session's
stamp is compared in the same snapshot as the objects are read in: who was signed out, lost the membership or the right
is told nothing more, and why.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from uuid import UUID

from graphql import FieldNode

from saas.graphql.answer import Answer
from saas.graphql.budget import Budget
from saas.graphql.errors import Fault, RequestRefused, TimedOut
from saas.graphql.fields import RootField, Source
from saas.graphql.guard import guarded
from saas.graphql.operation import Running, StaleSession, budget_key
from saas.graphql.sessions import Sessions
from saas.kernel import LimitExceeded, Scalar, Unauthenticated

EVENTS_AT_ONCE = 50
"""Objects that are read in one transaction, and then sent one after the other."""


class Streams:
    """The subscriptions of one process."""

    def __init__(self, sessions: Sessions, budget: Budget) -> None:
        self._sessions, self._budget = sessions, budget
        self._of_person: Counter[UUID] = Counter()

    async def answers(self, running: Running, opening: Answer) -> AsyncGenerator[Answer, None]:
        """An answer for each event that the caller may see, like `opening` in all but what it tells and costs.

        :raises RequestRefused: a right is missing, or was lost; :raises Unauthenticated: the session has ended.
        :raises LimitExceeded: the person has too many subscriptions; :raises AppError: the resolver refuses.
        """
        running = self._admitted(await self._present(running))
        with self._seat(running):
            stream = _Stream.of(running)
            async with await stream.open() as source:
                while True:
                    ids = await source.next(EVENTS_AT_ONCE)
                    told = await self._afford(stream.running, len(ids), opening)
                    for text, faults in await self._read(stream, ids):
                        yield replace(told, parts={stream.key: text}, faults=faults)

    async def _read(self, stream: _Stream, ids: Sequence[UUID]) -> list[tuple[bytes, list[Fault]]]:
        try:
            return await stream.read(ids)
        except StaleSession:
            stream.running = self._admitted(await self._looked_up(stream.running))
        try:
            return await stream.read(ids)
        except StaleSession as error:
            raise Unauthenticated("graphql.session_ended") from error

    async def _present(self, running: Running) -> Running:
        """The operation with its session as it is now, where there is one."""
        if running.session is None:
            return running
        try:
            await running.check_session(running.services.database.fetchrow)
        except StaleSession:
            return await self._looked_up(running)
        return running

    async def _looked_up(self, running: Running) -> Running:
        request = running.request
        self._sessions.forget(running.signed_in().session_hash)
        found = await self._sessions.find(
            request.token or "", address=request.address, request_id=request.request_id, client=request.client
        )
        return running.with_session(found)

    def _admitted(self, running: Running) -> Running:
        permitted, refused = guarded(running, running.roots())
        if not permitted:
            raise RequestRefused(*refused)
        return running

    @contextmanager
    def _seat(self, running: Running) -> Iterator[None]:
        """A person has so many subscriptions in a process, whatever the number of sockets."""
        account_id, most = running.actor.account_id, running.services.limits.subscriptions
        if self._of_person[account_id] >= most:
            values: dict[str, Scalar] = {"limit": "subscriptions", "allowed": most, "found": most + 1}
            raise LimitExceeded("graphql.limit_exceeded", values)
        self._of_person[account_id] += 1
        try:
            yield
        finally:
            self._of_person[account_id] -= 1
            if not self._of_person[account_id]:
                del self._of_person[account_id]

    async def _afford(self, running: Running, events: int, opening: Answer) -> Answer:
        """Wait until the caller's budget has the points: an event costs as a query for it would."""
        caller, points = budget_key(running.request, running.session), running.operation.points(running.values)
        while True:
            charge = await self._budget.take(caller, min(events * points, running.services.limits.bucket))
            if charge.granted:
                return replace(opening, requested=points, actual=points, charge=charge)
            await asyncio.sleep(charge.retry_after)


@dataclass(slots=True)
class _Stream:
    """One subscription; `running` has the session as it was last found."""

    running: Running
    root: RootField
    key: str
    nodes: list[FieldNode]

    @classmethod
    def of(cls, running: Running) -> _Stream:
        ((key, nodes),) = running.roots().items()
        return cls(running, running.services.schema.subscriptions[nodes[0].name.value], key, nodes)

    async def open(self) -> Source:
        """Ask the resolver, in a transaction."""
        running = self.running
        _, arguments = running.arguments(self.root, self.nodes[0])
        async with running.services.database.transaction(running.signed_in().actor.tenant_id):
            source: Source = await self.root.resolve(running.info(), **arguments)
        return source

    async def read(self, ids: Sequence[UUID]) -> list[tuple[bytes, list[Fault]]]:
        """The objects that the caller may see now, as JSON, each with what is refused of it.

        :raises StaleSession: the session has changed; nothing was read.
        """
        running, type_name = self.running, self.root.gives
        assert type_name is not None, "a subscription says what it gives"
        seconds, tenant_id = running.services.limits.seconds, running.signed_in().actor.tenant_id
        try:
            async with (
                asyncio.timeout(seconds),
                running.services.database.transaction(tenant_id, isolation="REPEATABLE READ") as transaction,
            ):
                await running.check_session(transaction.fetchrow)
                return await running.read_each(type_name, ids, self.nodes, (self.key,), transaction)
        except TimeoutError as error:
            raise TimedOut("graphql.request_timeout", {"seconds": f"{seconds:g}"}) from error
