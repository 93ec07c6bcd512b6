"""Errors as callers see them: one shape, a registered code, the sentence in their language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import structlog
from graphql import GraphQLError

from saas.graphql.scalars import ScalarRefused
from saas.kernel import AppError, Catalogue, Conflict, ErrorCode, Scalar

Path = tuple[str | int, ...]
INTERNAL_KEY = "graphql.internal"
_KEPT_FROM_CALLERS = {ErrorCode.INTERNAL: INTERNAL_KEY, ErrorCode.UNAVAILABLE: "graphql.unavailable"}
log = structlog.get_logger("saas.graphql")


class UnknownDocument(AppError):
    """No registered document has this hash."""

    code: ClassVar[ErrorCode] = ErrorCode.PERSISTED_QUERY_NOT_FOUND


class TimedOut(AppError):
    """The request took longer than it may."""

    code: ClassVar[ErrorCode] = ErrorCode.TIMEOUT


class RowsInUse(Conflict):
    """Somebody else holds what the change needs for longer than a request waits."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One top-level error before it is put into words."""

    code: ErrorCode
    key: str
    args: Mapping[str, object] = field(default_factory=dict)
    path: Path = ()
    locations: tuple[tuple[int, int], ...] = ()
    extensions: Mapping[str, object] = field(default_factory=dict)


class RequestRefused(Exception):
    """Nothing of the request runs; the faults say why."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(", ".join(fault.code.value for fault in faults))
        self.faults = faults


def fault_of(error: AppError, path: Path = ()) -> Fault:
    """An AppError as a top-level error at `path`; its own input field, if any, goes to ``extensions.field``.

    What a fault of ours, or a part that is away, has to say goes to the log: it may name hosts and reasons.
    """
    if error.code in _KEPT_FROM_CALLERS:
        log.error("fault", code=error.code.value, key=error.key, place=list(path))
        return Fault(error.code, _KEPT_FROM_CALLERS[error.code], path=path)
    extensions = {"field": list(error.field)} if error.field else {}
    return Fault(error.code, error.key, error.values, path, extensions=extensions)


def internal(path: Path = ()) -> Fault:
    """The constant fault that stands for whatever was not foreseen."""
    return Fault(ErrorCode.INTERNAL, INTERNAL_KEY, path=path)


def fault_of_document(error: GraphQLError, code: ErrorCode, key: str) -> Fault:
    """A fault that graphql-core found in a document or in its variables; its sentences are in English."""
    locations = tuple((at.line, at.column) for at in error.locations or ())
    if isinstance(error, ScalarRefused) or isinstance(error.original_error, ScalarRefused):
        code, key = ErrorCode.BAD_USER_INPUT, "graphql.value_refused"
    return Fault(code, key, {"reason": error.message}, locations=locations)


def render(fault: Fault, *, catalogue: Catalogue, locale: str, request_id: str) -> dict[str, object]:
    """The error's JSON object; arguments of the sentence stay readable in ``extensions.args``."""
    args: Mapping[str, Scalar] = {name: shown(value) for name, value in fault.args.items()}
    extensions: dict[str, object] = {
        "code": fault.code.value,
        "requestId": request_id,
        "messageKey": fault.key,
        **({"args": args} if args else {}),
        **fault.extensions,
    }
    if (hint := hint_of(catalogue, locale, fault.key, args)) is not None:
        extensions["hint"] = hint
    answer: dict[str, object] = {"message": catalogue.text(locale, fault.key, args)}
    if fault.locations:
        answer["locations"] = [{"line": line, "column": column} for line, column in fault.locations]
    if fault.path:
        answer["path"] = list(fault.path)
    answer["extensions"] = extensions
    return answer


def hint_of(catalogue: Catalogue, locale: str, key: str, args: Mapping[str, object]) -> str | None:
    """The remedy that the catalogue holds for `key`, if any."""
    remedy = f"{key}.hint"
    if catalogue.has(locale, remedy) or catalogue.has("en", remedy):
        return catalogue.text(locale, remedy, args)
    return None


def shown(value: object) -> Scalar:
    """An argument of a sentence as JSON can carry it."""
    if value is None or isinstance(value, str | int | bool):
        return value
    return ", ".join(str(part) for part in value) if isinstance(value, list | tuple) else str(value)
