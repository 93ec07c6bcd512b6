"""Keyset cursors: opaque text that names a list, its order, and the row it stands at.

base64url of a JSON array ``[mark, value, …, id]``: `mark` is a digest of the list and its order, so a cursor of
another list or order is refused rather than misread; values are text or null. Nothing in it is secret (it repeats
what the row's caller could order by), and nothing is believed: every value is converted before it is used.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode
from binascii import Error as MalformedBase64
from collections.abc import Hashable, Sequence
from functools import lru_cache
from uuid import UUID

import orjson

from saas.kernel import BadUserInput
from saas.reads.arguments import Convert

_LONGEST = 20_000


def mark_of(list_name: str, orders: Sequence[str]) -> str:
    """The digest of a list and its order."""
    return hashlib.sha256("|".join((list_name, *orders)).encode()).hexdigest()[:8]


def cursor_sql(mark: str, values: Sequence[str], row_id: str) -> str:
    """SQL text that prints a row's cursor; `values` are SQL texts that print each order value as text or NULL."""
    parts = "".join(f", coalesce(to_json({value})::text, 'null'), ','" for value in values)
    array = f"concat('[\"{mark}\",'{parts}, '\"', {row_id}::text, '\"]')"
    # encode() breaks its lines after 76 characters and pads: neither belongs into a cursor
    return f"translate(encode(convert_to({array}, 'UTF8'), 'base64'), E'+/=\\n', '-_')"


def cursor_values(text: object, mark: str, converts: Sequence[Convert]) -> list[object]:
    """The order values and the id (last) of a cursor of this very list and order.

    :raises BadUserInput: malformed, or of another list or order.
    """
    parts = _decode(text) if isinstance(text, str) else None
    if parts is None or parts[0] != mark or len(parts) != len(converts) + 2:
        raise BadUserInput("reads.cursor_of_other_list", {"cursor": str(text)[:60]})
    values = [None if value is None else convert(value) for value, convert in zip(parts[1:-1], converts, strict=True)]
    try:
        return [*values, UUID(parts[-1])]
    except (ValueError, TypeError, AttributeError):
        raise BadUserInput("reads.cursor_of_other_list", {"cursor": str(text)[:60]}) from None


def null_pattern(text: object) -> Hashable:
    """Which order values of a cursor are null: that much of it decides the SQL."""
    parts = _decode(text) if isinstance(text, str) else None
    return None if parts is None else tuple([value is None for value in parts[1:-1]])


@lru_cache(maxsize=4096)
def _decode(text: str) -> tuple[str | None, ...] | None:
    if len(text) > _LONGEST:
        return None
    try:
        parts = orjson.loads(urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)))
    except (ValueError, MalformedBase64):
        return None
    if not isinstance(parts, list) or len(parts) < 2:
        return None
    return tuple(parts) if all(part is None or isinstance(part, str) for part in parts) else None
