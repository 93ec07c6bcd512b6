"""Kept refusals: a problem comes back from JSON as the refusal was, one by one, in the order found."""

from __future__ import annotations

import json

import pytest

from saas.kernel import AppError, AppErrors, BadUserInput, ErrorCode, InputProblem, RuleRefused, refusals_of

LIMIT = RuleRefused("customers.limit", {"limit": 5, "name": "李雷", "is_full": True, "since": None})
MISSING = BadUserInput("customers.missing", field=("people", "3", "employee"))


def test_a_refusal_comes_back_from_json() -> None:
    for refusal in (LIMIT, MISSING):
        problem = InputProblem.of(refusal)
        assert InputProblem.of_plain(json.loads(json.dumps(problem.plain()))) == problem
        told = (problem.code, problem.key, problem.values, problem.field)
        assert told == (refusal.code, refusal.key, refusal.values, refusal.field)


def test_it_is_kept_under_the_names_that_rows_have() -> None:
    assert InputProblem.of(MISSING).plain() == {
        "code": "BAD_USER_INPUT",
        "key": "customers.missing",
        "args": {},
        "field": ["people", "3", "employee"],
    }
    assert InputProblem.of(LIMIT).code is ErrorCode.RULE_REFUSED


@pytest.mark.parametrize(("refusal", "found"), [(LIMIT, (LIMIT,)), (AppErrors([MISSING, LIMIT]), (MISSING, LIMIT))])
def test_one_refusal_and_several_are_told_alike(refusal: AppError | AppErrors, found: tuple[AppError, ...]) -> None:
    assert refusals_of(refusal) == found
