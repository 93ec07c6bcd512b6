"""The one error style: a registered code, a message key with its values, the field at fault, a hint.

Rooms raise (or return) an :class:`AppError`; the doors turn it into a ``UserError`` or a top-level error,
as the code's carrier says, in the caller's language. Nothing below the doors formats a sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import ClassVar


class Carrier(Enum):
    """Where an error travels in an answer."""

    USER_ERRORS = "userErrors"
    TOP_LEVEL = "errors"


class ErrorCode(Enum):
    """The registry of codes of the whole product; codes are never translated."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    FIELD_FORBIDDEN = "FIELD_FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    WRONG_ID_TYPE = "WRONG_ID_TYPE"
    CONFLICT = "CONFLICT"
    LIMIT_REACHED = "LIMIT_REACHED"
    RULE_REFUSED = "RULE_REFUSED"
    STALE_VERSION = "STALE_VERSION"
    PLAN_CHANGED = "PLAN_CHANGED"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    INVALID_CREDENTIALS = "INVALID_CREDENTIALS"
    LOCKED_OUT = "LOCKED_OUT"
    THROTTLED = "THROTTLED"
    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    UNAVAILABLE = "UNAVAILABLE"
    TIMEOUT = "TIMEOUT"
    INTERNAL = "INTERNAL"

    @property
    def carrier(self) -> Carrier:
        """Input and business faults travel in ``userErrors``; rights, limits and faults at the top level."""
        return Carrier.USER_ERRORS if self in _IN_USER_ERRORS else Carrier.TOP_LEVEL


_IN_USER_ERRORS = frozenset(
    {
        ErrorCode.NOT_FOUND,
        ErrorCode.BAD_USER_INPUT,
        ErrorCode.WRONG_ID_TYPE,
        ErrorCode.CONFLICT,
        ErrorCode.LIMIT_REACHED,
        ErrorCode.RULE_REFUSED,
        ErrorCode.STALE_VERSION,
        ErrorCode.PLAN_CHANGED,
        ErrorCode.IDEMPOTENCY_KEY_REUSED,
        ErrorCode.QUOTA_EXCEEDED,
        ErrorCode.INVALID_CREDENTIALS,
        ErrorCode.LOCKED_OUT,
    }
)

Scalar = str | int | bool | None


class AppError(Exception):
    """A refusal or fault that the caller may know of.

    `key` names the message in the locales (``room.fact``), with `args` for its placeholders; the hint (the
    remedy), where there is one, is the same key with ``.hint`` behind it. `field` is the path of the input
    field at fault, in GraphQL names.
    """

    code: ClassVar[ErrorCode] = ErrorCode.INTERNAL

    def __init__(self, key: str, args: Mapping[str, Scalar] | None = None, *, field: tuple[str, ...] = ()) -> None:
        super().__init__(key, dict(args or {}))
        self.key = key
        self.values: dict[str, Scalar] = dict(args or {})
        self.field = field

    def at(self, *path: str) -> AppError:
        """The same error, placed at an input field."""
        self.field = path
        return self

    def __str__(self) -> str:
        return f"{self.code.value} {self.key} {self.values}"


class AppErrors(Exception):
    """Several refusals found in one pass over an input; the doors report all of them at once."""

    def __init__(self, errors: Iterable[AppError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(str(error) for error in self.errors))


class Unauthenticated(AppError):
    """No session, or one that has ended."""

    code = ErrorCode.UNAUTHENTICATED


class Forbidden(AppError):
    """The caller lacks a permission; `args` holds ``permission`` and ``grantors``."""

    code = ErrorCode.FORBIDDEN


class FieldForbidden(AppError):
    """The caller may not read (or not use) a field; `args` holds ``permission`` and ``grantors``."""

    code = ErrorCode.FIELD_FORBIDDEN


class NotFound(AppError):
    """Missing, in another tenant, or not visible: the three are one."""

    code = ErrorCode.NOT_FOUND


class BadUserInput(AppError):
    """A value that the product can't take."""

    code = ErrorCode.BAD_USER_INPUT


class WrongIdType(AppError):
    """The id of another type."""

    code = ErrorCode.WRONG_ID_TYPE


class Conflict(AppError):
    """Somebody else was there first."""

    code = ErrorCode.CONFLICT


class LimitReached(AppError):
    """A limit of the tenant's own rules is used up."""

    code = ErrorCode.LIMIT_REACHED


class RuleRefused(AppError):
    """A rule (the product's or a plugin's) says no; the message names it."""

    code = ErrorCode.RULE_REFUSED


class StaleVersion(AppError):
    """``expectedVersion`` is not the present one; `args` holds ``expected`` and ``actual``."""

    code = ErrorCode.STALE_VERSION


class IdempotencyKeyReused(AppError):
    """The key stands already for another body."""

    code = ErrorCode.IDEMPOTENCY_KEY_REUSED


class QuotaExceeded(AppError):
    """The tenant's plan holds no more of this."""

    code = ErrorCode.QUOTA_EXCEEDED


class InvalidCredentials(AppError):
    """Unknown account or wrong password: the two are one."""

    code = ErrorCode.INVALID_CREDENTIALS


class LockedOut(AppError):
    """Too many failures; `args` holds ``until``."""

    code = ErrorCode.LOCKED_OUT


class Throttled(AppError):
    """The budget is used up; `args` holds ``retry_after`` in seconds."""

    code = ErrorCode.THROTTLED


class LimitExceeded(AppError):
    """The document or request is larger than a published limit."""

    code = ErrorCode.LIMIT_EXCEEDED


class Unavailable(AppError):
    """A part the product needs does not answer."""

    code = ErrorCode.UNAVAILABLE
