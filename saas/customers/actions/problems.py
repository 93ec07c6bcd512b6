"""What a job was refused, kept with the allocation as the caller would have been told."""

from __future__ import annotations

import json

from saas.kernel import AppError, AppErrors, InputProblem, refusals_of

MOST = 1_000
"""Problems that are kept: two of each person, where everybody's entry is wrong."""


def problems_text(refusal: AppError | AppErrors) -> str:
    """One refusal, or the first of several found at once, as JSON."""
    return json.dumps([InputProblem.of(each).plain() for each in refusals_of(refusal)[:MOST]], ensure_ascii=False)


def restored_problems(text: str) -> list[InputProblem]:
    """The problems that were kept."""
    return [InputProblem.of_plain(each) for each in json.loads(text)]
