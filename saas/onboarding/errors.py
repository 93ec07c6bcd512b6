"""Refusals of a sign-up."""

from __future__ import annotations

from saas.kernel import BadUserInput, IdempotencyKeyReused


class SignUpKeyMalformed(BadUserInput):
    """Not an idempotency key."""

    def __init__(self) -> None:
        super().__init__("onboarding.key_malformed", field=("idempotencyKey",))


class SignUpKeyReused(IdempotencyKeyReused):
    """The key stands for another sign-up."""

    def __init__(self) -> None:
        super().__init__("onboarding.key_reused", field=("idempotencyKey",))
