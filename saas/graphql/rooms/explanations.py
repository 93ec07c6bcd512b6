"""Explanations of decisions, as lines in the caller's language."""

from __future__ import annotations

import strawberry

from saas.graphql.fields import Info
from saas.kernel import Catalogue, Explanation


@strawberry.type(description="A sentence of an explanation. Since 0.1.")
class ExplanationLine:
    """In reading order; deeper lines explain the one above."""

    depth: int = strawberry.field(description="0 for what was decided, more for its grounds. Since 0.1.")
    text: str = strawberry.field(description="The sentence, in the caller's language. Since 0.1.")
    key: str = strawberry.field(description="The sentence's key in the catalogue. Since 0.1.")


def lines_of(info: Info, explanation: Explanation, depth: int = 0) -> list[ExplanationLine]:
    """The whole tree."""
    text = explanation.sentence(info.room(Catalogue), info.locale)
    below = [line for part in explanation.parts for line in lines_of(info, part, depth + 1)]
    return [ExplanationLine(depth=depth, text=text, key=explanation.key), *below]
