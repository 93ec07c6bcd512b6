"""Explanations in the reader's language: a tree as lines, each with its depth."""

from __future__ import annotations

from typing import Annotated

import strawberry

from saas.graphql.fields import Info, query
from saas.graphql.render import ExplanationLine
from saas.graphql.rooms.references import placed_id
from saas.incentives import explain_accrual
from saas.kernel import Catalogue, Explanation

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
