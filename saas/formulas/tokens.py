"""From text to tokens: full-width characters and Chinese operators understood, everything invisible refused.

Characters are exchanged one for one, so that every place is a place in the text as it was written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import islice

from saas.formulas.errors import FormulaProblem, FormulaRefused
from saas.formulas.functions import OPERATOR_OF, TRUTH_OF
from saas.formulas.limits import PROBLEMS_MOST, TEXT_LONGEST, TOKENS_MOST
from saas.formulas.sources import Source, Span
from saas.formulas.vocabulary import folded, is_visible, printable


class TokenKind(Enum):
    """What a token is. `OPERATOR` holds signs and brackets as well as ``and or not``."""

    NUMBER = "NUMBER"
    TEXT = "TEXT"
    TRUTH = "TRUTH"
    NAME = "NAME"
    OPERATOR = "OPERATOR"
    END = "END"


@dataclass(frozen=True, slots=True)
class Token:
    """`text` is the plain form: a sign without width, an operator word in English, a name as it is compared."""

    kind: TokenKind
    text: str
    span: Span


_PLAIN = {0xFF01 + offset: chr(0x21 + offset) for offset in range(94)}
_PLAIN |= {ord("×"): "*", ord("÷"): "/", ord("−"): "-"}
_SIGNS = {"≥": ">=", "≤": "<=", "≠": "<>", "==": "=", "!=": "<>"}
_LINE_ENDS = frozenset("\t\r\n")

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    | (?P<NUMBER>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)[万亿]?)(?P<runs_on>[\w.]*)
    | (?P<NAME>[^\W\d]\w*(?:\.[^\W\d]\w*)*)
    | (?P<TEXT>"(?:[^"\r\n]|"")*"|[“”][^“”\r\n]*[“”])
    | (?P<unclosed>["“”])
    | (?P<OPERATOR><=|>=|<>|!=|==|[-+*/%(),<>=\[\]≥≤≠])
    | (?P<unknown>.)""",
    re.VERBOSE | re.DOTALL,
)
_JOINED_OPERATOR = re.compile("并且|或者|且|或")
"""``5000且工龄``: behind a number these need no space, as no name can begin there."""


def tokens_of(source: Source) -> list[Token]:
    """The tokens of a text, with an END behind them.

    :raises FormulaRefused: too long, too many tokens, or characters that belong to no token; all of these at once.
    """
    check_length(source, most=TEXT_LONGEST)
    problems = list(islice(_invisible(source), PROBLEMS_MOST))
    tokens: list[Token] = []
    if not problems:
        for found in _read(plain(source.text), source):
            if isinstance(found, Token):
                tokens.append(found)
            else:
                problems.append(found)
            if len(problems) == PROBLEMS_MOST:
                break
            if len(tokens) > TOKENS_MOST:
                raise FormulaRefused([source.problem("formulas.too_many_tokens", tokens[-1].span, most=TOKENS_MOST)])
    if problems:
        raise FormulaRefused(problems)
    end = len(source.text)
    return [*tokens, Token(TokenKind.END, "", Span(end, end))]


def plain(text: str) -> str:
    """The text, of the same length, with plain signs, brackets, digits and spaces."""
    return "".join(" " if unicodedata.category(char) == "Zs" else char for char in text.translate(_PLAIN))


def check_length(source: Source, *, most: int) -> None:
    """:raises FormulaRefused: the text is longer than `most` characters."""
    length = len(source.text)
    if length > most:
        raise FormulaRefused([source.problem("formulas.text_too_long", Span(0, 0), length=length, most=most)])


def _invisible(source: Source) -> Iterator[FormulaProblem]:
    for offset, char in enumerate(source.text):
        if not is_visible(char) and char not in _LINE_ENDS and unicodedata.category(char) != "Zs":
            yield source.problem("formulas.character_invisible", Span(offset, offset + 1), text=printable(char))


def _read(text: str, source: Source) -> Iterator[Token | FormulaProblem]:
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        assert found is not None
        joined = _JOINED_OPERATOR.match(found["runs_on"] or "")
        if joined is not None:
            start = found.end("NUMBER")
            position = start + joined.end()
            yield Token(TokenKind.NUMBER, found["NUMBER"], Span(found.start(), start))
            yield _word(joined[0], Span(start, position))
            continue
        position = found.end()
        if found.lastgroup != "space":
            yield _token(found, source)


def _token(found: re.Match[str], source: Source) -> Token | FormulaProblem:
    span, text = Span(*found.span()), found[0]
    match found.lastgroup:
        case "runs_on" if found["runs_on"]:
            return source.problem("formulas.number_malformed", span)
        case "runs_on":
            return Token(TokenKind.NUMBER, text, span)
        case "TEXT":
            return Token(TokenKind.TEXT, _content(source.text[span.start + 1 : span.end - 1], text[0]), span)
        case "NAME":
            return _word(text, span)
        case "OPERATOR":
            return Token(TokenKind.OPERATOR, _SIGNS.get(text, text), span)
        case "unclosed":
            return source.problem("formulas.text_unclosed", span)
        case _:
            return source.problem("formulas.character_unknown", span)


def _word(text: str, span: Span) -> Token:
    name = folded(text)
    if name in OPERATOR_OF:
        return Token(TokenKind.OPERATOR, OPERATOR_OF[name], span)
    if name in TRUTH_OF:
        return Token(TokenKind.TRUTH, "true" if TRUTH_OF[name] else "false", span)
    return Token(TokenKind.NAME, name, span)


def _content(text: str, quote: str) -> str:
    """What stands between quotes; a doubled straight quote is one."""
    return re.sub('["＂]{2}', '"', text) if quote == '"' else text
