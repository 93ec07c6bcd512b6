"""Explanations in the reader's language: a tree as lines, each with its depth."""

from __future__ import annotations

from typing import Annotated

import strawberry

from saas.graphql.fields import Info, query
from saas.graphql.rooms.references import placed_id
from saas.incentives import explain_accrual
from saas.kernel import Catalogue, Explanation

LINES_MAX = 500


@strawberry.type(description="A sentence of an explanation. Since 0.1.")
class ExplanationLine:
    """Deeper lines explain the one above them."""

    depth: int = strawberry.field(description="0 for the whole, one more for each level of reasons. Since 0.1.")
    text: str = strawberry.field(description="The sentence, in the caller's language. Since 0.1.")
    amount: str | None = strawberry.field(
        description="What it comes to, a decimal text, where it comes to an amount. Since 0.1."
    )
    key: str = strawberry.field(description="The sentence's key in the catalogue; never translated. Since 0.1.")
    source: str | None = strawberry.field(description="The id of the record it rests on. Since 0.1.")


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
