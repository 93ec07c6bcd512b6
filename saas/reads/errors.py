"""Refusals of the reader."""

from __future__ import annotations

from saas.access.table import AccessTable
from saas.kernel import AppError, BadUserInput, ErrorCode, FieldForbidden, LimitExceeded


class UnknownField(AppError):
    """A field of a plugin that the company has not enabled: it fails as a field that does not exist."""

    code = ErrorCode.GRAPHQL_VALIDATION_FAILED


class ValueBroken(AppError):
    """A sealed value that can't be opened; says nothing of the value."""


def field_forbidden(key: str, permission: str, access: AccessTable) -> FieldForbidden:
    """A refused field or use of one, with who could grant it."""
    grantors = ", ".join(access.who_grants(permission)) or None
    return FieldForbidden(key, {"permission": permission, "grantors": grantors})


def bad_input(key: str, **values: str | int | None) -> BadUserInput:
    """An argument that the reader can't take."""
    return BadUserInput(key, values)


def too_large(most: int) -> LimitExceeded:
    """A selection that would become an unreasonable statement."""
    return LimitExceeded("reads.selection_too_large", {"most": most})
