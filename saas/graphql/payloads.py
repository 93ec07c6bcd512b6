"""What mutations answer with: references to mapped objects, user errors, and whether it was a replay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol
from uuid import UUID

import strawberry

from saas.graphql.errors import hint_of, shown
from saas.graphql.render_inputs import described_enum
from saas.kernel import Catalogue, ErrorCode, Scalar
from saas.reads.mapping import EnumKind


@dataclass(frozen=True, slots=True)
class Ref:
    """An object of a mapped type, by its id: the compiled reader reads it, with the caller's present rights."""

    type_name: str
    id: UUID


MAPPED = "saas.mapped"
"""Metadata key of a field that holds references."""


def mapped(type_name: str, *, description: str, many: bool = False) -> Any:
    """A field of a payload that holds a `Ref` (or None), or with `many` a list of them.

    >>> customer: Ref | None = mapped("Customer", description="The claimed customer. Since 0.1.")
    """
    default: dict[str, Any] = {"default_factory": list} if many else {"default": None}
    return strawberry.field(description=description, metadata={MAPPED: (type_name, many)}, **default)


ENUM = "saas.enum"
"""Metadata key of an input field that holds a value of a mapped enum."""


OPTIONAL = "saas.optional"


def enum_of(kind: EnumKind, *, description: str) -> Any:
    """An input field of a mapped enum; `stored_text` gives what its column holds.

    >>> kind: Enum = enum_of(FOLLOW_UP_KIND, description="How.")
    """
    return strawberry.field(description=description, metadata={ENUM: kind.name})


def optional_enum_of(kind: EnumKind, *, description: str) -> Any:
    """As `enum_of`, of a field that may be absent, and then is None."""
    return strawberry.field(description=description, metadata={ENUM: kind.name, OPTIONAL: True}, default=None)


def stored_text(kind: EnumKind, value: Enum) -> str:
    """The text that a column of `kind` stores for an input's value."""
    return kind.values[value.name][0]


_CODES: dict[ErrorCode, str] = {
    ErrorCode.UNAUTHENTICATED: "No session, or one that has ended.",
    ErrorCode.FORBIDDEN: "The caller lacks a permission.",
    ErrorCode.FIELD_FORBIDDEN: "The caller may not read or use a field.",
    ErrorCode.NOT_FOUND: "Missing, or not visible to the caller.",
    ErrorCode.BAD_USER_INPUT: "A value that can't be taken.",
    ErrorCode.WRONG_ID_TYPE: "The id of another type.",
    ErrorCode.CONFLICT: "Somebody else was there first.",
    ErrorCode.LIMIT_REACHED: "A limit of the company's own rules is used up.",
    ErrorCode.RULE_REFUSED: "A rule says no.",
    ErrorCode.STALE_VERSION: "The object has changed since it was read.",
    ErrorCode.PLAN_CHANGED: "An input of the plan has changed since its preview.",
    ErrorCode.IDEMPOTENCY_KEY_REUSED: "The idempotency key stands already for another input.",
    ErrorCode.QUOTA_EXCEEDED: "The company's subscription holds no more of this.",
    ErrorCode.INVALID_CREDENTIALS: "Unknown account or wrong password.",
    ErrorCode.LOCKED_OUT: "Too many failures; wait.",
    ErrorCode.THROTTLED: "The caller's budget is used up; wait.",
    ErrorCode.GRAPHQL_PARSE_FAILED: "The text is no GraphQL document.",
    ErrorCode.GRAPHQL_VALIDATION_FAILED: "The document does not fit the schema.",
    ErrorCode.LIMIT_EXCEEDED: "The request is larger than a published limit.",
    ErrorCode.PERSISTED_QUERY_NOT_FOUND: "No registered document has this hash.",
    ErrorCode.UNAVAILABLE: "A part the product needs does not answer.",
    ErrorCode.TIMEOUT: "The request took longer than it may.",
    ErrorCode.INTERNAL: "A fault of the product; the request id finds it in the log.",
}

GraphQLErrorCode = described_enum(
    "ErrorCode",
    "Every code of an error, whether in userErrors or at the top level. Since 0.1.",
    {code.value: f"{text} Since 0.1." for code, text in _CODES.items()},
)


@strawberry.type(description="A placeholder's value in an error's sentence. Since 0.1.")
class ErrorArgument:
    """Name and value of a placeholder."""

    name: str = strawberry.field(description="The placeholder's name. Since 0.1.")
    value: str | None = strawberry.field(description="Its value as text. Since 0.1.")


@strawberry.type(description="Why an input was refused; nothing was changed. Since 0.1.")
class UserError:
    """A refusal that the caller can act on."""

    code: str = strawberry.field(
        description="What kind of refusal; never translated. Since 0.1.", graphql_type=GraphQLErrorCode
    )
    field: list[str] | None = strawberry.field(
        description="The input field at fault, from the argument down, with row indices in bulk. Since 0.1.",
    )
    message: str = strawberry.field(description="The fact, in the caller's language. Since 0.1.")
    message_key: str = strawberry.field(description="The sentence's key in the catalogue. Since 0.1.")
    args: list[ErrorArgument] = strawberry.field(description="The values in the sentence. Since 0.1.")
    hint: str | None = strawberry.field(description="The remedy, where there is one. Since 0.1.")


@strawberry.type
class Payload:
    """Base of every payload; nullable results stand beside `user_errors`."""

    user_errors: list[UserError] = strawberry.field(
        description="Why the input was refused; empty on success. Since 0.1.", default_factory=list
    )


@strawberry.type
class IdempotentPayload(Payload):
    """Base of the payload of a mutation with an idempotency key."""

    replayed: bool = strawberry.field(
        description="Whether an earlier request with the same key had done this already. Since 0.1.", default=False
    )


class Refusal(Protocol):
    """What an `AppError` tells; one that a job met may be kept as plain values."""

    @property
    def code(self) -> ErrorCode: ...
    @property
    def key(self) -> str: ...
    @property
    def values(self) -> Mapping[str, Scalar]: ...
    @property
    def field(self) -> tuple[str, ...]: ...


def user_error(error: Refusal, *, catalogue: Catalogue, locale: str) -> UserError:
    """A refusal in the caller's language."""
    args: Mapping[str, object] = {name: shown(value) for name, value in error.values.items()}
    return UserError(
        code=error.code.value,
        field=list(error.field) or None,
        message=catalogue.text(locale, error.key, args),
        message_key=error.key,
        args=error_arguments(args),
        hint=hint_of(catalogue, locale, error.key, args),
    )


def error_arguments(values: Mapping[str, object]) -> list[ErrorArgument]:
    """The values of a sentence, as texts."""
    return [ErrorArgument(name=name, value=None if value is None else str(value)) for name, value in values.items()]
