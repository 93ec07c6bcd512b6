"""A checked tree as a Python function, compiled once: no text of a tenant's is ever evaluated.

The function is made of the few `ast` nodes that this module builds; it knows the names of its own namespace only, and
no builtins. It says that something failed, not where: `tracing` walks the tree again to tell.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from types import CodeType, FunctionType
from typing import Any

from saas.formulas.arithmetic import BOUNDED, HIGHEST, LOWEST, OPERATIONS, percent
from saas.formulas.kinds import Kind, Value
from saas.formulas.nodes import Call, Chain, Choice, Comparison, Input, Junction, Literal, Node, Unary

Reader = Callable[[str], Value | None]
Program = Callable[[Reader], Value]
PathProgram = Callable[[Reader], tuple[Value, int]]

_PLACE = {"lineno": 1, "col_offset": 0, "end_lineno": 1, "end_col_offset": 0}
_COMPARISONS: Mapping[str, type[ast.cmpop]] = {
    "=": ast.Eq,
    "<>": ast.NotEq,
    "<": ast.Lt,
    "<=": ast.LtE,
    ">": ast.Gt,
    ">=": ast.GtE,
}
_CALLED = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide"}
_BEHIND_FIRST = ast.Slice(ast.Constant(1, None, **_PLACE), None, None, **_PLACE)
_LONG_CHAIN = 16
"""Chains longer than this are computed one step after the other, so that the code does not nest as deep."""


class UnreadableInput(ArithmeticError):
    """An input is missing, of another type, or beyond the limit."""


def _unreadable() -> Value:
    raise UnreadableInput


def compiled(tree: Node, *, result: Kind) -> Program:
    """The function of a checked tree: takes a reader of inputs by canonical name and gives the value.

    It raises ArithmeticError where there is none. A number is never a negative zero.
    """
    emitter = _Emitter()
    program: Program = emitter.function(emitter.emit_result(tree, result))
    return program


def compiled_with_path(tree: Node, *, result: Kind) -> PathProgram:
    """The same function, which gives the path that it took as well: a 1, then a bit for each condition on the way, in
    the order in which they were decided."""
    emitter = _PathEmitter()
    value = emitter.emit_result(tree, result)
    steps = [_kept("path", _fixed(1)), value, _load("path")]
    both = ast.Subscript(ast.Tuple(steps, ast.Load(), **_PLACE), _BEHIND_FIRST, ast.Load(), **_PLACE)
    program: PathProgram = emitter.function(both)
    return program


def _call(name: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(_load(name), list(arguments), [], **_PLACE)


def _load(name: str) -> ast.Name:
    return ast.Name(name, ast.Load(), **_PLACE)


def _fixed(value: str | int) -> ast.expr:
    return ast.Constant(value, None, **_PLACE)


def _kept(name: str, value: ast.expr) -> ast.expr:
    return ast.NamedExpr(ast.Name(name, ast.Store(), **_PLACE), value, **_PLACE)


def _compare(left: ast.expr, *steps: tuple[ast.cmpop, ast.expr]) -> ast.expr:
    operators, operands = [operator for operator, _ in steps], [operand for _, operand in steps]
    return ast.Compare(left, operators, operands, **_PLACE)


class _Emitter:
    def __init__(self) -> None:
        self.namespace: dict[str, Any] = {
            "__builtins__": {},
            "type": type,
            "unreadable": _unreadable,
            "lowest": LOWEST,
            "highest": HIGHEST,
            "plus": BOUNDED.plus,
            "minus": BOUNDED.minus,
            "percent": percent,
            **{_CALLED[sign]: operation for sign, operation in OPERATIONS.items()},
            **{kind.name: kind.type for kind in Kind},
        }
        self._kept = 0

    def function(self, body: ast.expr) -> Any:
        """The function of one reader whose value is `body`."""
        arguments = ast.arguments([], [ast.arg("read", None, None, **_PLACE)], None, [], [], None, [])
        code = compile(ast.Expression(ast.Lambda(arguments, body, **_PLACE)), "<formula>", "eval")
        (inner,) = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
        return FunctionType(inner, self.namespace)

    def emit_result(self, tree: Node, result: Kind) -> ast.expr:
        """The expression of a whole tree; a number in its normal form."""
        body = self.emit(tree)
        return _call("plus", body) if result is Kind.NUMBER else body

    def emit(self, node: Node) -> ast.expr:
        """The expression of a node."""
        match node:
            case Literal():
                return self._constant(node.value)
            case Input():
                return self._input(node)
            case Unary():
                return self._unary(node)
            case Chain():
                return self._chain(node)
            case Junction():
                joined = ast.And() if node.operator == "and" else ast.Or()
                return ast.BoolOp(joined, [self._condition(part) for part in node.parts], **_PLACE)
            case Comparison():
                return _compare(self.emit(node.left), (_COMPARISONS[node.operator](), self.emit(node.right)))
            case Choice():
                return self._choice(node)
            case Call():
                self.namespace[f"f_{node.function.name}"] = node.function.apply
                return _call(f"f_{node.function.name}", *map(self.emit, node.arguments))

    def _fresh(self, prefix: str) -> str:
        self._kept += 1
        return f"{prefix}{self._kept}"

    def _constant(self, value: Value) -> ast.expr:
        name = self._fresh("constant")
        self.namespace[name] = value
        return _load(name)

    def _input(self, node: Input) -> ast.expr:
        """Read, and give it on only where it is a value of its kind, within the limit."""
        assert node.kind is not None
        name = self._fresh("input")
        reading = _kept(name, _call("read", _fixed(node.name)))
        fits = _compare(_call("type", reading), (ast.Is(), _load(node.kind.name)))
        if node.kind is Kind.NUMBER:
            bounded = _compare(_load("lowest"), (ast.Lt(), _load(name)), (ast.Lt(), _load("highest")))
            fits = ast.BoolOp(ast.And(), [fits, bounded], **_PLACE)
        return ast.IfExp(fits, _load(name), _call("unreadable"), **_PLACE)

    def _unary(self, node: Unary) -> ast.expr:
        operand = self.emit(node.operand)
        if node.operator == "not":
            return ast.UnaryOp(ast.Not(), operand, **_PLACE)
        name = "minus" if node.operator == "-" else "percent"
        if isinstance(node.operand, Literal):
            return self._constant(self.namespace[name](node.operand.value))
        return _call(name, operand)

    def _chain(self, node: Chain) -> ast.expr:
        value = self.emit(node.first)
        if len(node.steps) > _LONG_CHAIN:
            return self._long_chain(value, node.steps)
        for operator, operand in node.steps:
            value = _call(_CALLED[operator], value, self.emit(operand))
        return value

    def _long_chain(self, value: ast.expr, steps: Sequence[tuple[str, Node]]) -> ast.expr:
        """``(t := first, t := add(t, …), …)[-1]``."""
        name = self._fresh("chain")
        lines = [_kept(name, value)]
        lines += [_kept(name, _call(_CALLED[sign], _load(name), self.emit(operand))) for sign, operand in steps]
        return ast.Subscript(ast.Tuple(lines, ast.Load(), **_PLACE), _fixed(-1), ast.Load(), **_PLACE)

    def _choice(self, node: Choice) -> ast.expr:
        value = self.emit(node.otherwise)
        for condition, chosen in reversed(node.cases):
            value = ast.IfExp(self._condition(condition), self.emit(chosen), value, **_PLACE)
        return value

    def _condition(self, node: Node) -> ast.expr:
        """A truth that decides the way."""
        return self.emit(node)


class _PathEmitter(_Emitter):
    """Notes each decision: ``(path := condition + path * 2) & 1``."""

    def _condition(self, node: Node) -> ast.expr:
        # The condition stands first, for what is decided within it is noted before it.
        doubled = ast.BinOp(_load("path"), ast.Mult(), _fixed(2), **_PLACE)
        noted = _kept("path", ast.BinOp(self.emit(node), ast.Add(), doubled, **_PLACE))
        return ast.BinOp(noted, ast.BitAnd(), _fixed(1), **_PLACE)
