"""Repeating a call gives the first outcome: records by tenant, client and key, in the effect's own transaction.

The outcome holds ids, which are read again with the caller's present rights; refusals are not recorded. Between two
calls at once the primary key decides: the later one waits for the first to commit, gets `IdempotencyKeyTaken`, rolls
back and looks the outcome up.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson

from saas.events.errors import IdempotencyKeyMalformed, IdempotencyKeyOfOtherCall, IdempotencyKeyTaken
from saas.kernel import Actor, Clock
from tenants import BOUND, Companion, current_tenant_id, current_transaction

Outcome = dict[str, Any]
"""The payload's ids and plain values, as the door wrote them."""

KEPT = timedelta(days=7)
_COLUMNS = "SELECT operation, body_hash, outcome::text AS outcome FROM idempotency WHERE tenant_id = $1"
_LOOKUP = f"{_COLUMNS} AND client = $2 AND key = $3"

_RECORD = (
    "INSERT INTO idempotency (tenant_id, client, key, operation, body_hash, outcome, created_at)"
    " VALUES ($1, $2, $3, $4, $5, $6::text::jsonb, now())"
)
_PURGE = """
DELETE FROM idempotency WHERE tenant_id = $1 AND (client, key) IN (
    SELECT client, key FROM idempotency WHERE tenant_id = $1 AND created_at < $2 LIMIT 1000
)
"""


class IdempotencyStore:
    """The records of the current transaction's tenant."""

    async def lookup(self, actor: Actor, operation: str, key: str, body_hash: bytes) -> Outcome | None:
        """The outcome of the first call with this key, or None.

        :raises IdempotencyKeyMalformed: the key is not 1 to 100 printable characters.
        :raises IdempotencyKeyOfOtherCall: the key stands for another operation or body.
        """
        check_key(key)
        row = await current_transaction().fetchrow(_LOOKUP, current_tenant_id(), client_of(actor), key)
        if row is None:
            return None
        return _recorded_outcome(dict(row), operation=operation, key=key, body_hash=body_hash)

    def lookup_sql(self, *, client: str, key: str) -> str:
        """The look-up as a sub-select of a `bound_select`, whose ``$1`` is the tenant; `client` and `key` are SQL."""
        return f"{_COLUMNS} AND {BOUND} AND client = {client} AND key = {key}"

    def lookup_values(self, actor: Actor, key: str) -> tuple[str, str]:
        """Client and key for `lookup_sql`.

        :raises IdempotencyKeyMalformed: the key is not 1 to 100 printable characters.
        """
        check_key(key)
        return client_of(actor), key

    def outcome_in(self, row: Mapping[str, Any], operation: str, key: str, body_hash: bytes) -> Outcome | None:
        """The outcome in a row that has the columns of `lookup_sql`; they are null where nothing stands.

        :raises IdempotencyKeyOfOtherCall: the key stands for another operation or body.
        """
        if row["operation"] is None:
            return None
        return _recorded_outcome(dict(row), operation=operation, key=key, body_hash=body_hash)

    def recording(
        self, actor: Actor, operation: str, key: str, body_hash: bytes, outcome: Mapping[str, Any]
    ) -> Companion:
        """What records the outcome, in the transaction of the effect.

        It raises `IdempotencyKeyTaken` where another call with the key has committed meanwhile, or still runs: roll
        back.

        :raises IdempotencyKeyMalformed: the key is not 1 to 100 printable characters.
        """
        check_key(key)
        text = orjson.dumps(dict(outcome)).decode()
        values = (current_tenant_id(), client_of(actor), key, operation, body_hash, text)
        return Companion(_RECORD, values, taken=IdempotencyKeyTaken(key=key))


def check_key(key: str) -> None:
    """Accept an idempotency key.

    :raises IdempotencyKeyMalformed: it is not 1 to 100 printable characters.
    """
    if not 1 <= len(key) <= 100 or not key.isprintable():
        raise IdempotencyKeyMalformed(len(key))


def client_of(actor: Actor) -> str:
    """Whose key it is: the account and the application it calls from, so that nobody meets another's keys."""
    return f"{actor.account_id}:{actor.client}"


def _recorded_outcome(row: Mapping[str, Any], *, operation: str, key: str, body_hash: bytes) -> Outcome:
    if row["operation"] != operation or row["body_hash"] != body_hash:
        raise IdempotencyKeyOfOtherCall(key=key, operation=row["operation"])
    outcome: Outcome = orjson.loads(row["outcome"])
    return outcome


async def purge_idempotency(*, clock: Clock) -> int:
    """Remove at most a thousand of the tenant's records older than seven days; how many."""
    return await current_transaction().execute(_PURGE, current_tenant_id(), clock.now() - KEPT)
