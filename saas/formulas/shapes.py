"""How a formula is explained, but for the values: known once for each path through its cases.

A formula that is evaluated for a thousand people is explained in a few ways. `PathFormula.evaluate` tells the path with
the value, and `PathFormula.shape` makes the explanation of a path with marks (`saas.kernel.mark`) in the places of the
values, which are then filled in without walking the tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from saas.formulas.compiling import compiled_with_path
from saas.formulas.formula import Formula
from saas.formulas.kinds import Kind, Value
from saas.formulas.nodes import Comparison, Input, Node
from saas.formulas.sources import Source, Span
from saas.formulas.tracing import Trace
from saas.kernel import Explanation, mark

RESULT = "="
"""The mark of what a formula comes to."""

OPERAND = "("
"""Before a name, in the mark of its value in the place of the name: negative numbers stand in brackets there."""


class PathFormula:
    """A formula that comes to a number, evaluated with its path."""

    def __init__(self, formula: Formula) -> None:
        assert formula.result is Kind.NUMBER, "paths are told of numbers only"
        self.formula = formula
        self._run = compiled_with_path(formula.tree, result=formula.result)

    def evaluate(self, values: Mapping[str, Value | None]) -> tuple[Any, int]:
        """The value for one set of inputs, and the path by which it was found.

        :raises ArithmeticError: there is none; `Formula.evaluate` says why.
        """
        return self._run(values.get)

    def shape(self, path: int) -> Explanation:
        """What `Formula.explain` gives wherever the evaluation takes this path, with marks for the values.

        The marks are `RESULT`, the name of an input for its value as it is shown, and the same behind `OPERAND`.
        """
        formula = self.formula
        walk = _Walk(Source(formula.text), formula.words, decisions_of(path))
        walk.value(formula.tree)
        return formula.explanation(
            read={name: mark(name) for name in formula.inputs if name in walk.read},
            filled=walk.filled(formula.tree),
            branches=walk.branches,
            result=mark(RESULT),
        )


def decisions_of(path: int) -> Iterator[bool]:
    """The decisions of a path, in their order: the bits behind its leading 1."""
    return (digit == "1" for digit in f"{path:b}"[1:])


class _Walk(Trace):
    """Goes the way that an evaluation took and notes what a trace of it notes, without its values."""

    def __init__(self, source: Source, words: Mapping[str, Any], decisions: Iterator[bool]) -> None:
        super().__init__(source, words, {})
        self._decisions = decisions

    def _read(self, node: Input) -> Value:
        self.read[node.name] = mark(node.name)
        return self.read[node.name]

    def _operand(self, name: str) -> str:
        return mark(OPERAND + name)

    def _decided(self, condition: Node) -> bool:
        self.value(condition)
        return next(self._decisions)

    def _compared(self, node: Comparison, left: Value, right: Value) -> bool:
        return False

    def _step(self, operation: Callable[..., Any], node: Node, span: Span, *operands: Value) -> Any:
        return None
