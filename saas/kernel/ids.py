"""Identifiers: UUIDv7 inside, a readable typed text outside.

A public id is ``<prefix>_<32 lower-case hex digits>`` (``cus_0197…``). Hex, not base32, because PostgreSQL prints
it natively: the compiled reader writes ids in SQL, and base32 there is slow (docs/adr/0006).
"""

from __future__ import annotations

import os
import re
import time
from uuid import UUID

from saas.kernel.errors import BadUserInput, WrongIdType

_SHAPE = re.compile(r"([a-z]{2,5})_([0-9a-f]{32})")


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then 74 random bits."""
    return id_at(time.time_ns() // 1_000_000)


def id_at(unix_ms: int) -> UUID:
    """A UUIDv7 for the given instant, in Unix milliseconds: imports and demonstrations keep their time order."""
    tail = int.from_bytes(os.urandom(10))
    return uuid7_from(unix_ms, tail)


def uuid7_from(unix_ms: int, tail: int) -> UUID:
    """A UUIDv7 from its parts: milliseconds and at least 74 bits of `tail`; the same parts give the same id."""
    value = (unix_ms & 0xFFFFFFFFFFFF) << 80
    value |= 0x7 << 76 | ((tail >> 62) & 0xFFF) << 64
    value |= 0b10 << 62 | (tail & 0x3FFFFFFFFFFFFFFF)
    return UUID(int=value)


def public_id(prefix: str, value: UUID) -> str:
    """The text that callers see: ``public_id("cus", id)`` is ``cus_`` and the id's 32 hex digits."""
    return f"{prefix}_{value.hex}"


def split_public_id(text: str) -> tuple[str, UUID]:
    """Prefix and UUID of a public id.

    :raises BadUserInput: the text is not of the form ``prefix_`` + 32 hex digits.
    """
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise BadUserInput("kernel.id_malformed", {"id": text[:60]})
    return match[1], UUID(int=int(match[2], 16))


def parse_public_id(text: str, *, prefix: str) -> UUID:
    """The UUID of a public id that must carry `prefix`.

    :raises BadUserInput: the text is not an id at all.
    :raises WrongIdType: it is the id of another type.
    """
    found, value = split_public_id(text)
    if found != prefix:
        raise WrongIdType("kernel.id_of_other_type", {"id": text, "expected": prefix, "found": found})
    return value
