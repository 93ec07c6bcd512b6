"""Formulas cut at their names, so that values are put in without walking the tree.

Only a formula that reads all its names whatever their values are has a template: one without cases, ``and`` and ``or``.
The others are traced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from saas.formulas.kinds import Value, shown
from saas.formulas.nodes import Choice, Input, Junction, Node, walked


@dataclass(frozen=True, slots=True)
class Template:
    """`pieces` are texts with the name behind each; `tail` is what follows the last name."""

    pieces: tuple[tuple[str, str], ...]
    tail: str

    def filled(self, values: Mapping[str, Any]) -> str:
        """The formula as it was written, with the values put in."""
        written = [text + as_operand(values[name]) for text, name in self.pieces]
        return "".join((*written, self.tail))


def template_of(text: str, tree: Node) -> Template | None:
    """The template of a formula; None for one that is to be traced."""
    nodes = [node for node, _ in walked(tree)]
    if any(isinstance(node, Choice | Junction) for node in nodes):
        return None
    pieces, (at, end) = [], tree.span
    for node in nodes:
        if isinstance(node, Input):
            pieces.append((text[at : node.span.start], node.name))
            at = node.span.end
    return Template(tuple(pieces), text[at:end])


def as_operand(value: Value) -> str:
    """A value in the place of its name: a negative number in brackets."""
    text = shown(value)
    return f"({text})" if text.startswith("-") else text
