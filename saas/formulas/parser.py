"""From tokens to a tree: a parser by binding powers, which resolves names and functions as it meets them.

A missing operand or an unknown word is noted, and parsing goes on behind it; a bracket or comma out of place ends it.
Limits hold while the tree grows, never after.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import NoReturn

from saas.formulas.errors import FormulaProblem, FormulaRefused
from saas.formulas.functions import BY_NAME, CALLABLE, FORM_OF, USAGES
from saas.formulas.kinds import Kind
from saas.formulas.limits import DEPTH_MOST, MAGNITUDE, NODES_MOST, NUMBER_DIGITS, PROBLEMS_MOST
from saas.formulas.nodes import Call, Chain, Choice, Comparison, Input, Junction, Literal, Node, Unary, walked
from saas.formulas.sources import Source, Span
from saas.formulas.spelling import nearest
from saas.formulas.tokens import Token, TokenKind, plain, tokens_of
from saas.formulas.vocabulary import Vocabulary
from saas.kernel import EXACT

_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _SIGN, _PERCENT = range(1, 9)
POWERS = {"or": _OR, "and": _AND, "+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "%": _PERCENT}
POWERS |= dict.fromkeys(("=", "<>", "<", "<=", ">", ">="), _COMPARISON)
"""How tightly an operator holds what stands beside it."""

PREFIX_POWERS = {"not": _NOT, "-": _SIGN}
_TIMES = {"万": 4, "亿": 8}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?(?![\w.])")
_OPERATOR_INSIDE = re.compile("并且|或者|且|或|非")


class _Lost(Exception):
    """What follows can't be understood, or enough problems are found; those so far tell why."""


def parsed(source: Source, vocabulary: Vocabulary) -> tuple[Node, list[FormulaProblem]]:
    """The tree of a formula and what is wrong with its form and its words.

    :raises FormulaRefused: a limit is passed, it is empty, or its tokens or brackets can't be understood.
    """
    parser = _Parser(source, vocabulary)
    try:
        tree = parser.formula()
    except _Lost:
        raise FormulaRefused.of_text(parser.problems) from None
    for node, level in walked(tree):
        if level > DEPTH_MOST:
            raise FormulaRefused([source.problem("formulas.nested_too_deep", node.span, most=DEPTH_MOST)])
    return tree, parser.problems


class _Parser:
    def __init__(self, source: Source, vocabulary: Vocabulary) -> None:
        self.source = source
        self.vocabulary = vocabulary
        self.problems: list[FormulaProblem] = []
        self._tokens = tokens_of(source)
        self._at = 0
        self._depth = 0
        self._nodes = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._at]

    @property
    def _ends(self) -> bool:
        return self._token.kind is TokenKind.END

    def formula(self) -> Node:
        """The whole text; an ``=`` before it is allowed, as in a cell of a spreadsheet."""
        if self._is("="):
            self._at += 1
        if self._ends:
            self._note("formulas.empty", self._token.span)
            raise _Lost
        tree = self._expression()
        if not self._ends:
            self._lose("formulas.bracket_unopened" if self._is(")") else "formulas.operator_missing")
        return tree

    def _is(self, operator: str) -> bool:
        return self._token.kind is TokenKind.OPERATOR and self._token.text == operator

    def _next(self) -> Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _note(self, key: str, span: Span, **values: str | int) -> None:
        self.problems.append(self.source.problem(key, span, **values))
        if len(self.problems) == PROBLEMS_MOST:
            raise _Lost

    def _lose(self, key: str) -> NoReturn:
        is_comma = self._is(",")
        if not is_comma or not self._note_grouped():
            self._note("formulas.comma_outside_call" if is_comma else key, self._token.span)
        raise _Lost

    def _note_grouped(self) -> bool:
        """Whether the comma here stands inside a number (``1,000.50``); notes it."""
        before = self._tokens[self._at - 1].span
        found = _GROUPED.match(plain(self.source.text), before.start)
        if found is None or before.end != self._token.span.start:
            return False
        self._note("formulas.thousands_separator", Span(*found.span()), plain=found[0].replace(",", ""))
        return True

    def _made(self, node: Node) -> Node:
        self._nodes += 1
        if self._nodes > NODES_MOST:
            raise FormulaRefused([self.source.problem("formulas.too_many_nodes", node.span, most=NODES_MOST)])
        return node

    def _expression(self, power: int = 0) -> Node:
        self._depth += 1
        if self._depth > DEPTH_MOST:
            raise FormulaRefused([self.source.problem("formulas.nested_too_deep", self._token.span, most=DEPTH_MOST)])
        node = self._prefix()
        while self._token.kind is TokenKind.OPERATOR and POWERS.get(self._token.text, 0) > power:
            node = self._made(self._infix(node, POWERS[self._token.text]))
        self._depth -= 1
        return node

    def _infix(self, left: Node, power: int) -> Node:
        if power == _PERCENT:
            return Unary("%", left, Span(left.span.start, self._next().span.end))
        if power == _COMPARISON:
            return self._comparison(left)
        steps = []
        while self._token.kind is TokenKind.OPERATOR and POWERS.get(self._token.text) == power:
            operator = self._next().text
            steps.append((operator, self._expression(power)))
        span = Span(left.span.start, steps[-1][1].span.end)
        if power in (_SUM, _PRODUCT):
            return Chain(left, tuple(steps), span)
        return Junction(steps[0][0], (left, *(part for _, part in steps)), span)

    def _comparison(self, left: Node) -> Node:
        operator = self._next().text
        right = self._expression(_COMPARISON)
        while self._token.kind is TokenKind.OPERATOR and POWERS.get(self._token.text) == _COMPARISON:
            self._note("formulas.comparison_chained", self._next().span)
            self._expression(_COMPARISON)
        return Comparison(operator, left, right, Span(left.span.start, right.span.end))

    def _prefix(self) -> Node:
        token = self._token
        match token.kind:
            case TokenKind.NUMBER:
                return self._made(Literal(self._number(self._next()), Kind.NUMBER, token.span))
            case TokenKind.TEXT:
                return self._made(Literal(self._next().text, Kind.TEXT, token.span))
            case TokenKind.TRUTH:
                return self._made(Literal(self._next().text == "true", Kind.BOOL, token.span))
            case TokenKind.NAME:
                return self._made(self._name(self._next()))
        if token.text in PREFIX_POWERS:
            operand = self._at_prefix(token.text)
            return self._made(Unary(token.text, operand, Span(token.span.start, operand.span.end)))
        if token.text in ("and", "or") and self._tokens[self._at + 1].text == "(":
            return self._made(self._joined(self._next()))
        if token.text == "(":
            return self._bracket()
        return self._missing(token)

    def _at_prefix(self, operator: str) -> Node:
        self._at += 1
        return self._expression(PREFIX_POWERS[operator])

    def _missing(self, token: Token) -> Node:
        if token.kind is TokenKind.END:
            self._note("formulas.ends_early", token.span)
        else:
            self._note("formulas.operand_missing", token.span)
        return self._made(Input("", None, Span(token.span.start, token.span.start)))

    def _bracket(self) -> Node:
        opened = self._next()
        node = self._expression()
        return replace(node, span=Span(opened.span.start, self._closed(opened)))

    def _closed(self, opened: Token) -> int:
        """Where the bracket that `opened` ends."""
        if self._ends:
            self._note("formulas.bracket_unclosed", opened.span)
            raise _Lost
        if not self._is(")"):
            self._lose("formulas.operator_missing")
        return self._next().span.end

    def _number(self, token: Token) -> Decimal:
        digits = token.text.rstrip("万亿")
        number = Decimal(digits).scaleb(_TIMES.get(token.text[-1], 0), EXACT)
        if len(digits.replace(".", "")) > NUMBER_DIGITS or number >= MAGNITUDE:
            self._note("formulas.number_too_large", token.span, digits=NUMBER_DIGITS)
        return number

    def _name(self, token: Token) -> Node:
        if self._is("("):
            return self._call(token)
        word = self.vocabulary.find(token.text)
        if word is not None:
            return Input(word.name, word.kind, token.span)
        self._note_unknown(token)
        return Input("", None, token.span)

    def _note_unknown(self, token: Token) -> None:
        near = self.vocabulary.nearest(token.text)
        operator = _OPERATOR_INSIDE.search(token.text)
        parts = [part for part in _OPERATOR_INSIDE.split(token.text) if part]
        if token.text in BY_NAME or token.text in FORM_OF:
            self._note("formulas.function_without_brackets", token.span)
        elif operator and all(self.vocabulary.find(part) for part in parts):
            self._note("formulas.words_joined", token.span, operator=operator[0])
        elif near:
            self._note("formulas.word_misspelt", token.span, nearest=", ".join(near))
        else:
            self._note("formulas.word_unknown", token.span)

    def _call(self, token: Token) -> Node:
        form = FORM_OF.get(token.text)
        if form == "date":
            return self._date(token)
        arguments, span = self._arguments(token)
        if form == "if":
            return self._choice(arguments, span)
        function = BY_NAME.get(token.text)
        if function is None:
            self._note_unknown_function(token)
            return Input("", None, span)
        if not function.takes_count(len(arguments)):
            return self._miscounted(arguments, span, function.usage)
        return Call(function, arguments, span)

    def _note_unknown_function(self, token: Token) -> None:
        near = nearest(token.text, CALLABLE)
        if self.vocabulary.find(token.text):
            self._note("formulas.word_called", token.span)
        elif near:
            self._note("formulas.function_misspelt", token.span, nearest=", ".join(near))
        else:
            self._note("formulas.function_unknown", token.span)

    def _arguments(self, token: Token) -> tuple[tuple[Node, ...], Span]:
        opened = self._next()
        arguments = []
        while not self._is(")"):
            arguments.append(self._expression())
            if not self._is(","):
                break
            following = self._tokens[self._at + 1]
            if re.match("0[0-9]", following.text) and self._note_grouped():
                raise _Lost
            self._at += 1
            if self._is(")"):
                self._missing(self._token)
        return tuple(arguments), Span(token.span.start, self._closed(opened))

    def _miscounted(self, arguments: tuple[Node, ...], span: Span, usage: str) -> Node:
        self._note("formulas.argument_count", span, given=len(arguments), usage=usage)
        return Input("", None, span)

    def _choice(self, arguments: tuple[Node, ...], span: Span) -> Node:
        if len(arguments) < 3 or len(arguments) % 2 == 0:
            return self._miscounted(arguments, span, USAGES["if"])
        return Choice(tuple(zip(arguments[:-1:2], arguments[1::2], strict=True)), arguments[-1], span)

    def _joined(self, token: Token) -> Node:
        arguments, span = self._arguments(token)
        if len(arguments) < 2:
            return self._miscounted(arguments, span, USAGES[token.text])
        return Junction(token.text, arguments, span)

    def _date(self, token: Token) -> Node:
        arguments, span = self._arguments(token)
        written = arguments[0] if len(arguments) == 1 else None
        if not isinstance(written, Literal) or not isinstance(written.value, str):
            return self._miscounted(arguments, span, USAGES["date"])
        day = day_of(written.value)
        if day is None:
            self._note("formulas.date_malformed", written.span)
            return Input("", Kind.DATE, span)
        return Literal(day, Kind.DATE, span)


def day_of(text: str) -> date | None:
    """The day of ``YYYY-MM-DD``; None where it is none."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None
