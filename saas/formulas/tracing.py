"""Evaluation step by step, over the tree: what was read, which cases were taken, and where it failed.

It gives the same values as the compiled function, from the same operations, and takes some fifty times as long: for
explanations and failures only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, DivisionByZero, InvalidOperation
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from saas.formulas.arithmetic import BOUNDED, HIGHEST, LOWEST, OPERATIONS, DigitsOutOfRange, percent
from saas.formulas.errors import FormulaFailed
from saas.formulas.kinds import Kind, Value, shown
from saas.formulas.limits import MAGNITUDE_DIGITS, ROUNDING_DIGITS
from saas.formulas.nodes import Call, Chain, Choice, Comparison, Input, Junction, Literal, Node, Unary, walked
from saas.formulas.sources import Source, Span, cut
from saas.formulas.templates import as_operand
from saas.formulas.vocabulary import Word
from saas.kernel import Explanation, Scalar

_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {"=": eq, "<>": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
_UNARY: Mapping[str, Callable[[Any], Value]] = {"-": BOUNDED.minus, "%": percent, "not": lambda truth: not truth}


class Trace:
    """One evaluation of a tree for one set of inputs."""

    def __init__(self, source: Source, words: Mapping[str, Word], inputs: Mapping[str, Value | None]) -> None:
        self._source = source
        self._words = words
        self._inputs = inputs
        self.read: dict[str, Value] = {}
        self.branches: list[Explanation] = []

    def value(self, node: Node) -> Any:
        """The value of a node.

        :raises FormulaFailed: there is none; the error names the innermost part at fault, with its values.
        """
        match node:
            case Literal():
                return node.value
            case Input():
                return self._read(node)
            case Unary():
                return self._step(_UNARY[node.operator], node, node.span, self.value(node.operand))
            case Chain():
                return self._chain(node)
            case Junction():
                decides = node.operator == "or"
                return decides if any(self._decided(part) is decides for part in node.parts) else not decides
            case Comparison():
                return self._compared(node, self.value(node.left), self.value(node.right))
            case Choice():
                return self._choice(node)
            case Call():
                return self._step(node.function.apply, node, node.span, *map(self.value, node.arguments))

    def filled(self, node: Node, span: Span | None = None) -> str:
        """A part of the formula as it was written, with the values put in for the names that were read."""
        start, end = span or node.span
        pieces, at = [], start
        for inner, _ in walked(node):
            if isinstance(inner, Input) and inner.name in self.read and inner.span.end <= end:
                pieces += [self._source.text[at : inner.span.start], self._operand(inner.name)]
                at = inner.span.end
        return "".join((*pieces, self._source.text[at:end]))

    def _operand(self, name: str) -> str:
        return as_operand(self.read[name])

    def _decided(self, condition: Node) -> bool:
        """Which way a condition leads."""
        return bool(self.value(condition))

    def _compared(self, node: Comparison, left: Value, right: Value) -> bool:
        return _COMPARED[node.operator](left, right)

    def _read(self, node: Input) -> Value:
        assert node.kind is not None
        value = self._inputs.get(node.name)
        name = self._words[node.name].label
        if value is None:
            raise FormulaFailed("formulas.input_missing", self._source.values(node.span, name=name))
        if type(value) is not node.kind.type:
            found = type(value).__name__
            raise FormulaFailed("formulas.input_of_other_type", self._source.values(node.span, name=name, found=found))
        if node.kind is Kind.NUMBER and not is_bounded(value):
            values = self._source.values(node.span, name=name, value=cut(str(value)), digits=MAGNITUDE_DIGITS)
            raise FormulaFailed("formulas.input_too_large", values)
        self.read[node.name] = value
        return value

    def _chain(self, node: Chain) -> Any:
        result = self.value(node.first)
        for operator, operand in node.steps:
            span = Span(node.span.start, operand.span.end)
            result = self._step(OPERATIONS[operator], node, span, result, self.value(operand))
        return result

    def _step(self, operation: Callable[..., Any], node: Node, span: Span, *operands: Value) -> Any:
        try:
            return operation(*operands)
        except DigitsOutOfRange:
            values: dict[str, Scalar] = {
                "given": shown(operands[1]),
                "least": -ROUNDING_DIGITS,
                "most": ROUNDING_DIGITS,
            }
            raise self._failed("formulas.digits_out_of_range", node, span, **values) from None
        except (DivisionByZero, InvalidOperation):
            # Bounded operands leave one invalid operation: nought by nought.
            raise self._failed("formulas.division_by_zero", node, span) from None
        except ArithmeticError:
            raise self._failed("formulas.result_too_large", node, span, digits=MAGNITUDE_DIGITS) from None

    def _failed(self, key: str, node: Node, span: Span, **more: Scalar) -> FormulaFailed:
        return FormulaFailed(key, self._source.values(span, filled=cut(self.filled(node, span)), **more))

    def _choice(self, node: Choice) -> Any:
        passed: list[Explanation] = []
        for condition, chosen in node.cases:
            holds = self._decided(condition)
            args = {"condition": self._written(condition), "filled": self.filled(condition)}
            if holds:
                args["value"] = self._written(chosen)
                self.branches.append(Explanation("formulas.case_applies", args, parts=tuple(passed)))
                return self.value(chosen)
            passed.append(Explanation("formulas.case_passed_over", args))
        args = {"value": self._written(node.otherwise)}
        self.branches.append(Explanation("formulas.no_case_applies", args, parts=tuple(passed)))
        return self.value(node.otherwise)

    def _written(self, node: Node) -> str:
        return self._source.text[node.span.start : node.span.end]


def is_bounded(value: Value) -> bool:
    """Whether a number is one, and below the limit."""
    return isinstance(value, Decimal) and value.is_finite() and LOWEST < value < HIGHEST
