"""What a job was refused, kept with the allocation as the caller would have been told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from saas.kernel import AppError, AppErrors, ErrorCode, Scalar

MOST = 1_000
"""Problems that are kept: two of each person, where everybody's entry is wrong."""


@dataclass(frozen=True, slots=True)
class AllocationProblem:
    """A refusal: as an `AppError` of its code would tell it, `field` being a path in the input of whoever asked."""

    code: ErrorCode
    key: str
    values: Mapping[str, Scalar]
    field: tuple[str, ...]

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> AllocationProblem:
        """The problem that was kept."""
        return cls(ErrorCode(plain["code"]), plain["key"], plain["args"], tuple(plain["field"]))


def plain_problems(refusal: AppError | AppErrors) -> str:
    """One refusal, or the first of several found at once, as JSON."""
    return json.dumps([_plain(each) for each in islice(_each(refusal), MOST)], ensure_ascii=False)


def _each(refusal: AppError | AppErrors) -> Iterator[AppError]:
    if isinstance(refusal, AppErrors):
        yield from refusal.errors
    else:
        yield refusal


def _plain(refusal: AppError) -> dict[str, Any]:
    return {
        "code": refusal.code.value,
        "key": refusal.key,
        "args": refusal.values,
        "field": list(refusal.field),
    }
