"""Kinds: whether each part of a tree is what its place needs. All faults of a formula are found in one pass."""

from __future__ import annotations

from decimal import Decimal

from saas.formulas.arithmetic import are_fitting_digits
from saas.formulas.errors import FormulaProblem
from saas.formulas.functions import ROUNDING
from saas.formulas.kinds import ORDERED, Kind
from saas.formulas.limits import ROUNDING_DIGITS
from saas.formulas.nodes import Call, Chain, Choice, Comparison, Input, Junction, Literal, Node, Unary
from saas.formulas.sources import Source

_NEEDED = {
    Kind.NUMBER: "formulas.number_needed",
    Kind.TEXT: "formulas.text_needed",
    Kind.DATE: "formulas.date_needed",
    Kind.BOOL: "formulas.truth_needed",
}


def checked(tree: Node, source: Source, *, result: Kind) -> list[FormulaProblem]:
    """What is wrong with the kinds in a tree that must come to `result`."""
    check = _Check(source)
    check.need(tree, result)
    return check.problems


class _Check:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[FormulaProblem] = []

    def need(self, node: Node, kind: Kind) -> None:
        """Note where `node` is of another kind; one that is not known was told of before."""
        if self._kind(node) not in (kind, None):
            self.problems.append(self.source.problem(_NEEDED[kind], node.span))

    def _kind(self, node: Node) -> Kind | None:
        match node:
            case Literal() | Input():
                return node.kind
            case Unary():
                return self._all(Kind.BOOL if node.operator == "not" else Kind.NUMBER, node.operand)
            case Chain():
                return self._all(Kind.NUMBER, node.first, *(operand for _, operand in node.steps))
            case Junction():
                return self._all(Kind.BOOL, *node.parts)
            case Comparison():
                return self._comparison(node)
            case Choice():
                self._all(Kind.BOOL, *(condition for condition, _ in node.cases))
                return self._alike((*(value for _, value in node.cases), node.otherwise), frozenset(Kind))
            case Call():
                return self._call(node)

    def _all(self, kind: Kind, *nodes: Node) -> Kind:
        for node in nodes:
            self.need(node, kind)
        return kind

    def _alike(self, nodes: tuple[Node, ...], allowed: frozenset[Kind]) -> Kind | None:
        """The one kind of all `nodes`; None where they differ or are not known."""
        known = [(node, kind) for node in nodes if (kind := self._kind(node)) is not None]
        if not known:
            return None
        first, common = known[0]
        if common not in allowed:
            self.problems.append(self.source.problem("formulas.order_needed", first.span))
            return None
        for node, kind in known[1:]:
            if kind is not common:
                other = str(self.source.values(first.span)["text"])
                self.problems.append(self.source.problem("formulas.kinds_differ", node.span, other=other))
                return None
        return common

    def _comparison(self, node: Comparison) -> Kind:
        allowed = frozenset(Kind) if node.operator in ("=", "<>") else ORDERED
        self._alike((node.left, node.right), allowed)
        return Kind.BOOL

    def _call(self, node: Call) -> Kind | None:
        function = node.function
        if function.alike:
            kind = self._alike(node.arguments, function.alike)
            return function.gives or kind
        for argument, needed in zip(node.arguments, function.takes, strict=True):
            self.need(argument, needed)
        if function.name in ROUNDING:
            self._check_digits(node.arguments[1])
        return function.gives

    def _check_digits(self, node: Node) -> None:
        """A number of digits that is written out is checked at once; another one when it is known."""
        written = node.operand if isinstance(node, Unary) and node.operator == "-" else node
        digits = written.value if isinstance(written, Literal) else None
        if isinstance(digits, Decimal) and not are_fitting_digits(digits):
            values = {"least": -ROUNDING_DIGITS, "most": ROUNDING_DIGITS}
            self.problems.append(self.source.problem("formulas.digits_unfit", node.span, **values))
