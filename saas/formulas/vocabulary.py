"""The names that a formula may use: declared with a kind, titles and aliases, found whatever their width and case."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from saas.formulas.errors import FormulaProblem
from saas.formulas.functions import RESERVED
from saas.formulas.kinds import Kind
from saas.formulas.limits import NAME_LONGEST
from saas.formulas.sources import cut
from saas.formulas.spelling import nearest
from saas.kernel import DEFAULT_LOCALE, Localised, localised

_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")


@dataclass(frozen=True, slots=True)
class Word:
    """A declared name: letters, digits, ``_``, and dots between the parts (``deal.amount``, ``底薪``)."""

    name: str
    kind: Kind
    titles: Localised
    aliases: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Title and name, as errors call it: the title in the product's first language, where there is one."""
        title = localised(self.titles, DEFAULT_LOCALE)
        return f"{title} ({self.name})" if title else self.name


class Vocabulary:
    """All names of a formula. Names are compared without width and case; two words never share one."""

    def __init__(self, words: Iterable[Word]) -> None:
        """:raises FormulaProblem: a name is malformed, reserved, or taken by another word."""
        self.words = tuple(words)
        self._by_name: dict[str, Word] = {}
        for word in self.words:
            names = {folded(name): name for name in (word.name, *word.aliases)}
            for key, name in names.items():
                _check_name(name, key)
                if key in self._by_name:
                    values = {"name": name, "first": self._by_name[key].label, "second": word.label}
                    raise FormulaProblem("formulas.name_taken", values)
                self._by_name[key] = word

    def find(self, name: str) -> Word | None:
        """The word of that name or alias."""
        return self._by_name.get(folded(name))

    def nearest(self, name: str) -> tuple[str, ...]:
        """Known names and aliases like `name`, the nearest first, at most three."""
        return nearest(folded(name), self._by_name)

    def extended(self, words: Iterable[Word]) -> Vocabulary:
        """These words and more.

        :raises FormulaProblem: as for a new vocabulary.
        """
        return Vocabulary([*self.words, *words])


def _check_name(name: str, key: str) -> None:
    if len(name) > NAME_LONGEST or not _NAME.fullmatch(key) or not is_name(name):
        raise FormulaProblem("formulas.name_malformed", {"name": printable(name), "longest": NAME_LONGEST})
    if key in RESERVED:
        raise FormulaProblem("formulas.name_reserved", {"name": name})


def folded(name: str) -> str:
    """What names are compared by: without width (NFKC) and case."""
    return unicodedata.normalize("NFKC", name).casefold()


def is_name(text: str) -> bool:
    """Whether each part between dots is an identifier of Unicode, made of characters that can be seen."""
    return printable(text) == text and all(
        part.isidentifier() for part in unicodedata.normalize("NFKC", text).split(".")
    )


def printable(text: str) -> str:
    """A text for an error, with what can't be seen or sent written as ``U+XXXX``."""
    return cut("".join(char if is_visible(char) else f"U+{ord(char):04X}" for char in text))


def is_visible(char: str) -> bool:
    """False for controls, marks of direction, characters without width, lone surrogates, blank letters."""
    return char.isprintable() and not _BLANK.match(char)


_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Letters and marks that Unicode counts as printable, and that show nothing."""
