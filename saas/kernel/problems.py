"""Problems: what a job was refused, kept as plain values, to be told later in the language of whoever reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from saas.kernel.errors import AppError, AppErrors, ErrorCode, Scalar


@dataclass(frozen=True, slots=True)
class Problem:
    """Why work could not be done: the sentence of `key` with its `values`, as the refusal had them."""

    key: str
    values: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class InputProblem(Problem):
    """A problem that is told as its refusal would have been; `field` is a path in the input of whoever asked."""

    code: ErrorCode
    field: tuple[str, ...]

    @classmethod
    def of(cls, refusal: AppError) -> InputProblem:
        """What is kept of a refusal."""
        return cls(refusal.key, refusal.values, refusal.code, refusal.field)

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {"code": self.code.value, "key": self.key, "args": dict(self.values), "field": list(self.field)}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> InputProblem:
        """The problem that `plain` described."""
        return cls(plain["key"], plain["args"], ErrorCode(plain["code"]), tuple(plain["field"]))


def refusals_of(refusal: AppError | AppErrors) -> tuple[AppError, ...]:
    """One refusal, or all that were found in one pass."""
    return refusal.errors if isinstance(refusal, AppErrors) else (refusal,)
