"""What a line of the public ledger says, as one text, and the digest by which the audit trail is bound to it.

Each line's digest stands in an entry of the trail that was written in the same transaction (`LEDGER` among its
`changes`), and the trail is chained: so a line that was changed, removed or invented afterwards shows. Pure.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import orjson

LEDGER = "ledger"
"""The member of an entry's `changes` that holds the lines it is bound to, as `packed` writes them."""

_CANONICAL = orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z
_ID_BYTES, _LINE_BYTES = 16, 48


@dataclass(frozen=True, slots=True)
class WrittenLine:
    """A line as the table holds it; `explanation` is the tree's plain form."""

    id: UUID
    pool_id: UUID
    customer_id: UUID | None
    kind: str
    happened_at: datetime
    happened_on: date
    operator_id: UUID | None
    employee_id: UUID | None = None
    former_owner_id: UUID | None = None
    reason: str | None = None
    rule: str | None = None
    allocation_id: UUID | None = None
    settings_version: int | None = None
    explanation: Mapping[str, Any] | None = None

    def digest(self) -> bytes:
        """SHA-256 of everything that the line says: of JSON with sorted keys, in UTF-8, without spaces."""
        said = {
            "allocation": self.allocation_id,
            "customer": self.customer_id,
            "employee": self.employee_id,
            "explanation": self.explanation,
            "formerOwner": self.former_owner_id,
            "happenedAt": self.happened_at.astimezone(UTC),
            "happenedOn": self.happened_on,
            "id": self.id,
            "kind": self.kind,
            "operator": self.operator_id,
            "pool": self.pool_id,
            "reason": self.reason,
            "rule": self.rule,
            "settingsVersion": self.settings_version,
        }
        return hashlib.sha256(orjson.dumps(said, default=str, option=_CANONICAL)).digest()


def packed(lines: Iterable[WrittenLine]) -> str:
    """Ids and digests of lines, 48 bytes each, in base64: what an entry of the trail holds of them."""
    return base64.b64encode(b"".join([line.id.bytes + line.digest() for line in lines])).decode("ascii")


def unpacked(text: str) -> Iterator[tuple[UUID, bytes]]:
    """Id and digest of each line that an entry is bound to.

    :raises ValueError: no entry of ours looks like this.
    """
    held = base64.b64decode(text, validate=True)
    if len(held) % _LINE_BYTES:
        raise ValueError(f"not whole lines: {len(held)} bytes")
    for start in range(0, len(held), _LINE_BYTES):
        yield UUID(bytes=held[start : start + _ID_BYTES]), held[start + _ID_BYTES : start + _LINE_BYTES]
