"""The public ledger (公示) of pools as it grows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self
from uuid import UUID

import strawberry

from saas.customers import LedgerFeed, LedgerReader, ledger_place
from saas.graphql.fields import Info, Source, subscription
from saas.kernel import parse_public_id

PoolId = Annotated[
    strawberry.ID | None, strawberry.argument(description="Lines of this pool alone; else of all. Since 0.1.")
]
After = Annotated[
    strawberry.ID | None,
    strawberry.argument(
        description="Id of the last line received: what was written behind it comes first, then what is new. Without "
        "it, what is new. Since 0.1."
    ),
]


class _Lines:
    """A reader of the ledger, as a source of the ids of its lines."""

    def __init__(self, reader: LedgerReader) -> None:
        self._reader = reader

    async def __aenter__(self) -> Self:
        await self._reader.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._reader.__aexit__(*error)

    async def next(self, most: int) -> Sequence[UUID]:
        """The ids of the next lines."""
        return [line.id for line in await self._reader.next(most)]


@subscription(
    description="Each line of the public ledger (公示) that the caller may see, once it is final, in the order in which"
    " lines become final, which is the same for everybody; fields are hidden as in poolLedger",
    gives="PoolEvent",
    since="0.1",
)
async def pool_ledger_line(info: Info, pool: PoolId = None, after: After = None) -> Source:
    """Follow the ledger."""
    place = await ledger_place(None if after is None else parse_public_id(after, prefix="pev"))
    pool_id = None if pool is None else parse_public_id(pool, prefix="poo")
    return _Lines(info.room(LedgerFeed).reader(info.actor.tenant_id, place, pool_id=pool_id))
