"""What is asked before a mutation: is the session as it was, has the key an outcome, and the mutation's own question.

All of it is one statement and so one snapshot: whoever is told that a customer is taken also learns, from the same
moment, whether it was their own earlier request that took it. Rivals who ask in the same moment share the statement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from saas.graphql.fields import RootField
from saas.graphql.gathering import Gathering
from saas.graphql.operation import Running
from saas.reads import FetchRow
from tenants import Question, bound_select


class Repeated(Exception):
    """The key has an outcome already: there is nothing to foresee, only to replay."""


@dataclass(slots=True)
class Gate:
    """The gate before one idempotent mutation of a signed-in caller. `is_passed`: the session was as it should be."""

    running: Running
    root: RootField
    key: str
    body_hash: bytes
    gathering: Gathering
    is_passed: bool = False

    async def enter(self, fetchrow: FetchRow) -> Mapping[str, Any] | None:
        """The outcome of the first request with the key, None where there was none.

        :raises StaleSession: the session has changed; :raises AppError: the key is malformed or another call's.
        """
        services = self.running.services
        sql = _entering(services.session_stamp, services.idempotency.lookup_sql(client="$3", key="$4"))
        row = await fetchrow(sql, *self._about_caller())
        if row is None:
            raise LookupError("a gate's statement gives one row")
        return self._passed(dict(row))

    async def ask(self, question: Question, *values: object) -> object:
        """Answer a mutation's own question (`Ask`) outside any transaction, in the statement of the gate.

        :raises Repeated: the key has an outcome; :raises StaleSession, AppError: as `enter`.
        """
        services = self.running.services
        lookup = services.idempotency.lookup_sql(client="asked.client", key="asked.key")
        sql = _asking(services.session_stamp, lookup, question)
        row = await self.gathering.fetchrow(sql, *self._about_caller(), *values)
        if self._passed(dict(row)) is not None:
            raise Repeated
        return row["found"]

    def _about_caller(self) -> tuple[Any, ...]:
        """Tenant, session, client and key: the parameters that both statements begin with."""
        session, store = self.running.signed_in(), self.running.services.idempotency
        return session.actor.tenant_id, session.session_hash, *store.lookup_values(self.running.actor, self.key)

    def _passed(self, row: Mapping[str, Any]) -> Mapping[str, Any] | None:
        self.running.check_stamp(row["stamp"])
        self.is_passed = True
        store = self.running.services.idempotency
        return store.outcome_in(row, self.root.name, self.key, self.body_hash)


@lru_cache(maxsize=8)
def _entering(stamp: str, lookup: str) -> str:
    return bound_select(f"{stamp}($2) AS stamp, first.*", joined=f"LEFT JOIN LATERAL ({lookup} OFFSET 0) first ON true")


@lru_cache(maxsize=256)
def _asking(stamp: str, lookup: str, question: Question) -> str:
    own = [f"v{place}" for place in range(1, len(question.kinds) + 1)]
    arrays = [f"${place}::{kind}[]" for place, kind in enumerate(("bytea", "text", "text", *question.kinds), start=2)]
    names = ", ".join(("session_hash", "client", "key", *own, "place"))
    joined = f"""
        CROSS JOIN LATERAL unnest({", ".join(arrays)}) WITH ORDINALITY AS asked({names})
        LEFT JOIN LATERAL ({lookup} OFFSET 0) first ON true
        ORDER BY asked.place
    """
    return bound_select(f"({question.sql}) AS found, {stamp}(asked.session_hash) AS stamp, first.*", joined=joined)
