"""What is asked before a mutation: is the session as it was, has the key an outcome, and the mutation's own question.

All of it is one statement and so one snapshot: whoever is told that a customer is taken also learns, from the same
moment, whether it was their own earlier request that took it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from saas.graphql.fields import RootField
from saas.graphql.operation import Running
from saas.reads import FetchRow
from tenants import bound_select


class Repeated(Exception):
    """The key has an outcome already: there is nothing to foresee, only to replay."""


@dataclass(slots=True)
class Gate:
    """The gate before one idempotent mutation of a signed-in caller. `is_passed`: the session was as it should be."""

    running: Running
    root: RootField
    key: str
    body_hash: bytes
    is_passed: bool = False

    async def enter(self, fetchrow: FetchRow) -> Mapping[str, Any] | None:
        """The outcome of the first request with the key, None where there was none.

        :raises StaleSession: the session has changed; :raises AppError: the key is malformed or another call's.
        """
        _, outcome = await self._asked(fetchrow, "NULL", (self.running.signed_in().actor.tenant_id,))
        return outcome

    async def ask(self, sql: str, *values: object) -> object:
        """Answer a mutation's own question (`Ask`) outside any transaction, in the statement of the gate.

        :raises Repeated: the key has an outcome; :raises StaleSession, AppError: as `enter`.
        """
        found, outcome = await self._asked(self.running.services.database.fetchrow, f"({sql})", values)
        if outcome is not None:
            raise Repeated
        return found

    async def _asked(
        self, fetchrow: FetchRow, question: str, values: tuple[object, ...]
    ) -> tuple[object, Mapping[str, Any] | None]:
        services, session, count = self.running.services, self.running.signed_in(), len(values)
        store = services.idempotency
        sql = bound_select(
            f"{question} AS found, {services.session_stamp}(${count + 1}) AS stamp, first.*",
            joined=f"LEFT JOIN LATERAL ({store.lookup_sql(first_parameter=count + 2)} OFFSET 0) first ON true",
        )
        row = await fetchrow(sql, *values, session.session_hash, *store.lookup_values(session.actor, self.key))
        if row is None:
            raise LookupError("a gate's statement gives one row")
        self.running.check_stamp(row["stamp"])
        self.is_passed = True
        return row["found"], store.outcome_in(dict(row), self.root.name, self.key, self.body_hash)
