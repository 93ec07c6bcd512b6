"""What the doors need from the rest of the product, injected: `saas.main` wires the real ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol
from uuid import UUID

from saas.access.table import AccessTable
from saas.extensions import TenantPlugins
from saas.graphql.documents import ListedDocuments, TrustedDocuments
from saas.graphql.limits import Limits
from saas.graphql.schema import ApiSchema
from saas.kernel import Actor, Catalogue, Clock
from saas.reads import Opened, Reader, Viewed
from tenants import Companion, Database


class Authenticated(Protocol):
    """A live session: who acts, its key, and a stamp that changes with whatever the session must notice."""

    @property
    def actor(self) -> Actor: ...
    @property
    def session_hash(self) -> bytes: ...
    @property
    def stamp(self) -> str: ...
    @property
    def time_zone(self) -> str: ...
    @property
    def currency(self) -> str: ...


class SessionAuthenticator(Protocol):
    """From a token to who acts."""

    async def authenticate(self, token: str, *, address: str, request_id: str, client: str) -> Authenticated | None:
        """The live session of `token`; None where there is none (unknown, ended, revoked)."""
        ...


class AccessTables(Protocol):
    """From a role set to its compiled rights."""

    async def table(self, actor: Actor) -> AccessTable:
        """The actor's rights as of now."""
        ...


class EnabledPlugins(Protocol):
    """Which plugins a tenant has switched on."""

    async def enabled(self, tenant_id: UUID) -> TenantPlugins:
        """They and their settings, as of the tenant's day."""
        ...


class IdempotencyStore(Protocol):
    """Outcomes by idempotency key, in the current transaction, or looked up within a statement of the door's."""

    async def lookup(self, actor: Actor, operation: str, key: str, body_hash: bytes) -> Mapping[str, Any] | None:
        """The outcome of the first call; None where there was none.

        :raises IdempotencyKeyReused: the key stands for another operation or body.
        """
        ...

    def lookup_sql(self, *, client: str, key: str) -> str:
        """The look-up as a sub-select of a `bound_select`: columns operation, body_hash and outcome. `client` and `key`
        are SQL expressions of text."""
        ...

    def lookup_values(self, actor: Actor, key: str) -> tuple[str, str]:
        """Client and key for `lookup_sql`.

        :raises AppError: no key can look like this.
        """
        ...

    def outcome_in(
        self, row: Mapping[str, Any], operation: str, key: str, body_hash: bytes
    ) -> Mapping[str, Any] | None:
        """What `lookup` says, from a row with the columns of `lookup_sql`, null where nothing stands.

        :raises IdempotencyKeyReused: the key stands for another operation or body.
        """
        ...

    def recording(
        self, actor: Actor, operation: str, key: str, body_hash: bytes, outcome: Mapping[str, Any]
    ) -> Companion:
        """What records the outcome, in the transaction of the effect.

        Its error where another call with the key has committed meanwhile, or still runs.
        """
        ...


ReadAudit = Callable[[Actor, Sequence[Opened]], Awaitable[None]]
"""Writes who opened which sealed values, in the current transaction."""

ViewCount = Callable[[Actor, Sequence[Viewed], date], Awaitable[None]]
"""Counts rows that were asked for by their ids, on the tenant's day, in a transaction of its own; refuses, by an
`AppError`, where they are too many: what was read then does not leave."""

ReadinessCheck = Callable[[], Awaitable[None]]
"""Returns when the part answers; raises when it does not."""


@dataclass(frozen=True)
class Services:
    """Everything the doors use.

    `rooms` holds what root fields may ask for by type (`Info.room`). `session_stamp` names the SQL function that
    returns the present stamp of a session hash. `redis` is a ``redis.asyncio.Redis`` or None. `readiness` are the
    checks of /readyz.
    """

    database: Database
    reader: Reader
    schema: ApiSchema
    catalogue: Catalogue
    clock: Clock
    sessions: SessionAuthenticator
    access: AccessTables
    plugins: EnabledPlugins
    idempotency: IdempotencyStore
    limits: Limits = field(default_factory=Limits)
    redis: Any = None
    trusted_documents: TrustedDocuments = field(default_factory=ListedDocuments)
    require_trusted_documents: bool = False
    rooms: Mapping[type, object] = field(default_factory=dict)
    audit_reads: ReadAudit | None = None
    count_views: ViewCount | None = None
    session_stamp: str = "platform.session_stamp"
    readiness: Mapping[str, ReadinessCheck] = field(default_factory=dict)
    serve_graphiql: bool = True
