"""Opaque tokens: 128 random bits behind a prefix that secret scanners know; only hashes are kept.

A fast hash is right here: a random 128-bit value can't be guessed from it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from enum import Enum


class TokenKind(Enum):
    """What a token opens; the value is its prefix."""

    SESSION = "fs"
    REFRESH = "fr"
    INVITATION = "fi"


_SHAPE = re.compile(r"(f[sri])_[A-Za-z0-9_-]{22}")


def new_token(kind: TokenKind) -> str:
    """A fresh token; it is shown once and never stored."""
    return f"{kind.value}_{secrets.token_urlsafe(16)}"


def token_hash(token: str, kind: TokenKind) -> bytes | None:
    """What is stored of `token` (SHA-256); None when it is no token of that kind, so that nobody need look it up."""
    shape = _SHAPE.fullmatch(token)
    if shape is None or shape[1] != kind.value:
        return None
    return hashlib.sha256(token.encode("ascii")).digest()


def digest(*parts: str) -> str:
    """A key for what must be compared but not read: hex SHA-256 of the parts."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
