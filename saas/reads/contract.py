"""What goes into the reader and what comes out: the caller, the result, and the interface to sealed values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple, Protocol
from uuid import UUID

import asyncpg

from saas.access.table import AccessTable
from saas.kernel import Actor, ErrorCode, Scalar

FetchRow = Callable[..., Awaitable[asyncpg.Record | None]]
"""``await fetchrow(sql, *values)``: `Database.fetchrow`, or `Transaction.fetchrow` inside a transaction."""


class OpenRow(Protocol):
    """One tenant's keys, ready to open values and to compute blind indexes without waiting."""

    def __call__(self, data_class: str, table: str, column: str, row_id: UUID, sealed: bytes) -> str:
        """The plain text of one sealed value.

        :raises AppError: it can't be opened (moved, tampered with, or its key destroyed).
        """
        ...

    def blind_index(self, data_class: str, field: str, text: str) -> bytes:
        """The digest that stands in the index column of a sealed field; `field` names it as ``Customer.phone``.

        :raises BadUserInput: the text can't be a value of that field.
        """
        ...


class Caller(NamedTuple):
    """Who reads, with which rights, and when.

    `today` is the tenant's day. `session_hash` asks for the session's present stamp beside the rows; None where
    nobody's session stands behind the read (jobs, tests). `max_page` is the largest ``first`` or ``last``.
    `currency` is the tenant's, which every amount is in.
    """

    actor: Actor
    access: AccessTable
    now: datetime
    today: date
    session_hash: bytes | None = None
    plugins: frozenset[str] = frozenset()
    max_page: int = 100
    currency: str = "CNY"


@dataclass(frozen=True, slots=True)
class ReadError:
    """A refused or failed part of an answer; the place it belongs to holds null.

    A field that is refused in all rows, or whose arguments are bad, is reported once: `path` leads to it, or to the
    first list above it (a path beyond would need positions, and say the same thing for each); ``args["selection"]``
    holds all response keys down to the field. What is refused in some rows only is reported at its exact places.
    `field` is the mapped field (``Customer.phone``) where there is one, for ``extensions.field``.
    """

    code: ErrorCode
    key: str
    args: Mapping[str, Scalar]
    path: tuple[str | int, ...]
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A sealed value that was opened for this answer: the audit of reads follows from it."""

    type_name: str
    field: str
    row_id: UUID


class Viewed(NamedTuple):
    """A row that was asked for by its id, of those whose type has that counted (`Veil.counted`)."""

    type_name: str
    row_id: UUID


@dataclass(slots=True)
class ReadResult:
    """Finished JSON per response key (or per id, from `Reader.run_object`), and what has to be said about it.

    `stamp` is what the session check returned with the rows: None when it was not asked for, or when the session
    is not live any more.
    """

    values: dict[str, bytes] = field(default_factory=dict)
    errors: list[ReadError] = field(default_factory=list)
    stamp: str | None = None
    opened: list[Opened] = field(default_factory=list)
    viewed: list[Viewed] = field(default_factory=list)


class Opener(Protocol):
    """How the reader comes to a tenant's keys; `saas.sealing` stands behind it."""

    async def prepare(self, tenant_id: UUID) -> OpenRow:
        """The tenant's keys; called only for plans that open or look for sealed values."""
        ...
