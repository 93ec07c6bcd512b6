"""Pure decisions of a sign-up: what an idempotency key is, and when two requests are the same one."""

from __future__ import annotations

import hashlib
import json
import re

from saas.onboarding.errors import SignUpKeyMalformed

_KEY = re.compile(r"[\x21-\x7e]{8,100}")


def check_key(key: str) -> str:
    """The key, if it is 8 to 100 printable ASCII characters without spaces.

    :raises SignUpKeyMalformed: it is not.
    """
    if _KEY.fullmatch(key) is None:
        raise SignUpKeyMalformed
    return key


def body_hash(*, company: str, owner_name: str, email: str, preset: str, currency: str) -> bytes:
    """What a repeated sign-up must have in common with the first (SHA-256).

    The password is not in it: a fast hash of it must not lie anywhere. A repetition proves it against the
    account instead.
    """
    body = json.dumps([company.strip(), owner_name.strip(), email, preset, currency], ensure_ascii=False)
    return hashlib.sha256(body.encode()).digest()
