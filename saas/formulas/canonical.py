"""A tree as text in the one canonical form: canonical names, English words, no bracket that is not needed.

Parsing the text gives the same tree, so equal trees have equal texts: what is hashed, and what is shown.
"""

from __future__ import annotations

from decimal import Decimal

from saas.formulas.kinds import Kind, shown
from saas.formulas.nodes import Call, Chain, Choice, Comparison, Input, Junction, Literal, Node, Unary
from saas.formulas.parser import POWERS, PREFIX_POWERS

_ATOM = max(POWERS.values()) + 1


def canonical(node: Node) -> str:
    """The text of a tree."""
    match node:
        case Literal():
            return _literal(node)
        case Input():
            return node.name
        case Unary(operator="%"):
            return f"{_within(node.operand, POWERS['%'] - 1)}%"
        case Unary():
            space = " " if node.operator == "not" else ""
            return f"{node.operator}{space}{_within(node.operand, PREFIX_POWERS[node.operator] - 1)}"
        case Chain():
            power = POWERS[node.steps[0][0]]
            steps = (f" {operator} {_within(operand, power)}" for operator, operand in node.steps)
            return _within(node.first, power) + "".join(steps)
        case Junction():
            return f" {node.operator} ".join(_within(part, POWERS[node.operator]) for part in node.parts)
        case Comparison():
            power = POWERS[node.operator]
            return f"{_within(node.left, power)} {node.operator} {_within(node.right, power)}"
        case Choice():
            parts = [part for case in node.cases for part in case]
            return _called("if", (*parts, node.otherwise))
        case Call():
            return _called(node.function.name, node.arguments)


def _within(node: Node, power: int) -> str:
    """The text of an operand, in brackets unless it holds together more tightly than `power`."""
    text = canonical(node)
    return text if _power(node) > power else f"({text})"


def _power(node: Node) -> int:
    match node:
        case Unary(operator="%"):
            return POWERS["%"]
        case Unary():
            return PREFIX_POWERS[node.operator]
        case Chain():
            return POWERS[node.steps[0][0]]
        case Junction() | Comparison():
            return POWERS[node.operator]
        case _:
            return _ATOM


def _called(name: str, arguments: tuple[Node, ...]) -> str:
    return f"{name}({', '.join(canonical(argument) for argument in arguments)})"


def _literal(node: Literal) -> str:
    value = node.value
    if isinstance(value, str):
        doubled = value.replace('"', '""')
        return f'"{doubled}"'
    if isinstance(value, Decimal):
        text = shown(value)
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f'date("{shown(value)}")' if node.kind is Kind.DATE else shown(value)
