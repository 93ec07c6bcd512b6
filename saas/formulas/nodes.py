"""The tree of a formula: frozen values that compare by what they mean, not by where they stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from saas.formulas.functions import Function
from saas.formulas.kinds import Kind, Value
from saas.formulas.sources import Span


@dataclass(frozen=True, slots=True)
class Literal:
    """A written number (never negative), text, day or truth."""

    value: Value
    kind: Kind
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Input:
    """A declared name, in its canonical form. `kind` None: unknown or missing, a problem tells which."""

    name: str
    kind: Kind | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """``-`` or ``not`` before the operand, or ``%`` behind it."""

    operator: str
    operand: Node
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Chain:
    """A sum (``+ -``) or a product (``* /``): the first operand, then each operator with its operand."""

    first: Node
    steps: tuple[tuple[str, Node], ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Junction:
    """Two or more truths joined by ``and`` or ``or``; the first that decides ends it."""

    operator: str
    parts: tuple[Node, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    """``= <> < <= > >=``."""

    operator: str
    left: Node
    right: Node
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Choice:
    """``if``: the value of the first case whose condition holds, else `otherwise`."""

    cases: tuple[tuple[Node, Node], ...]
    otherwise: Node
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A listed function with its arguments."""

    function: Function
    arguments: tuple[Node, ...]
    span: Span = field(compare=False)


Node = Literal | Input | Unary | Chain | Junction | Comparison | Choice | Call


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below, in reading order."""
    match node:
        case Literal() | Input():
            return ()
        case Unary():
            return (node.operand,)
        case Chain():
            return (node.first, *(operand for _, operand in node.steps))
        case Junction():
            return node.parts
        case Comparison():
            return (node.left, node.right)
        case Choice():
            return (*(part for case in node.cases for part in case), node.otherwise)
        case Call():
            return node.arguments


def walked(root: Node) -> Iterator[tuple[Node, int]]:
    """Every node with its level (the root's is 1), in reading order; without recursion."""
    waiting = [(root, 1)]
    while waiting:
        node, level = waiting.pop()
        yield node, level
        waiting.extend((child, level + 1) for child in reversed(children(node)))


def inputs_of(root: Node) -> tuple[str, ...]:
    """The names that a tree reads, each once, in the order they are first met."""
    return tuple(dict.fromkeys(node.name for node, _ in walked(root) if isinstance(node, Input)))
