"""Explanations in the reader's language: a tree as lines, each with its depth; and why a settlement came to nothing."""

from __future__ import annotations

from typing import Annotated

import strawberry

from saas.graphql.errors import hint_of
from saas.graphql.fields import Info, query
from saas.graphql.payloads import ErrorArgument, error_arguments
from saas.graphql.render import ExplanationLine
from saas.graphql.rooms.references import placed_id
from saas.incentives import explain_accrual, find_problems
from saas.kernel import Catalogue, Explanation, Problem

LINES_MAX = 500


def told(info: Info, explanation: Explanation) -> list[ExplanationLine]:
    """The tree in reading order, at most 500 lines."""
    return _lines(explanation, info.room(Catalogue), info.locale, 0)[:LINES_MAX]


def _lines(node: Explanation, catalogue: Catalogue, locale: str, depth: int) -> list[ExplanationLine]:
    text = node.sentence(catalogue, locale)
    whole = [ExplanationLine(depth=depth, text=text, amount=node.amount, key=node.key, source=node.source)]
    for part in node.parts:
        whole += _lines(part, catalogue, locale, depth + 1)
    return whole


_AccrualId = Annotated[strawberry.ID, strawberry.argument(description="The accrual (acl_…). Since 0.1.")]


@query(
    signed_in=True,
    description="Why an accrual comes to its amount, for whoever may read that: order, credit, version, rule, formula "
    "with numbers, rounding, rejected rules; at most 500 sentences",
)
async def accrual_explanation(info: Info, id: _AccrualId) -> list[ExplanationLine]:  # noqa: A002
    accrual_id = placed_id(id, prefix="acl", field=("id",))
    return told(info, await explain_accrual(info.actor, info.rights, accrual_id=accrual_id))


@strawberry.type(description="Why a settlement could not be calculated. Since 0.1.")
class SettlementProblem:
    """A fact that no line may rest on, or what changed meanwhile."""

    message: str = strawberry.field(description="The fact, in the caller's language. Since 0.1.")
    message_key: str = strawberry.field(description="The sentence's key in the catalogue. Since 0.1.")
    args: list[ErrorArgument] = strawberry.field(description="The values in the sentence, at most 20. Since 0.1.")
    hint: str | None = strawberry.field(description="The remedy, where there is one. Since 0.1.")


_SettlementId = Annotated[strawberry.ID, strawberry.argument(description="The settlement (stl_…). Since 0.1.")]


@query(
    requires="settlement:calculate",
    description="Why a settlement has FAILED: at most 100 problems, in the order found; empty in any other state",
)
async def settlement_problems(info: Info, settlement: _SettlementId) -> list[SettlementProblem]:
    settlement_id = placed_id(settlement, prefix="stl", field=("settlement",))
    return [_problem(each, info.room(Catalogue), info.locale) for each in await find_problems(settlement_id)]


def _problem(problem: Problem, catalogue: Catalogue, locale: str) -> SettlementProblem:
    return SettlementProblem(
        message=catalogue.text(locale, problem.key, problem.values),
        message_key=problem.key,
        args=error_arguments(problem.values),
        hint=hint_of(catalogue, locale, problem.key, problem.values),
    )
