"""Texts of which most is the same every time: written once with marks in the places of values, then filled.

A mark is a name between two characters of Unicode's private use, so a tree of explanations or any other JSON can be
made by the very code that makes the real one, with marks for its values, and be cut at them afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter

_OPEN, _WHOLE, _CLOSE = "\ue000", "\ue001", "\ue002"
_MARKS = re.compile(f'"{_WHOLE}(?P<whole>[^{_CLOSE}]*){_CLOSE}"|{_OPEN}(?P<part>[^{_CLOSE}]*){_CLOSE}')


def mark(name: str) -> str:
    """What stands, in a text, for the value `name`; it needs no escaping where the text is JSON."""
    return f"{_OPEN}{name}{_CLOSE}"


def json_mark(name: str) -> str:
    """What stands, as a text of its own in JSON, for a whole value `name` that is JSON already."""
    return f"{_WHOLE}{name}{_CLOSE}"


def may_be_mistaken(text: str) -> bool:
    """Whether a text that somebody wrote holds characters of marks, and so can't be part of a form."""
    return any(character in text for character in (_OPEN, _WHOLE, _CLOSE))


def utf8_letters(text: str) -> str:
    """The UTF-8 of a text with a letter for each byte. Such texts are joined by copying bytes, whatever their script,
    and `.encode("latin-1")` gives the UTF-8 of the whole.

    :raises UnicodeEncodeError: half of a pair of surrogates, which UTF-8 can't hold.
    """
    return text if text.isascii() else text.encode().decode("latin-1")


class TextForm:
    """A text cut at its marks, and kept as `utf8_letters`."""

    __slots__ = ("_chosen", "_names", "_pieces")

    def __init__(self, text: str) -> None:
        self._pieces: list[str] = []
        self._names: list[str] = []
        end = 0
        for found in _MARKS.finditer(text):
            self._pieces += (utf8_letters(text[end : found.start()]), "")
            self._names.append(found["part"] if found["whole"] is None else found["whole"])
            end = found.end()
        self._pieces.append(utf8_letters(text[end:]))
        self._chosen = _chooser(self._names)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its marks, in the order in which they stand; one may come again."""
        return tuple(self._names)

    def filled(self, values: Mapping[str, str]) -> str:
        """The text with values in the places of its marks, all of it as `utf8_letters`.

        :raises KeyError: a value is missing.
        """
        pieces = self._pieces.copy()
        pieces[1::2] = self._chosen(values)
        return "".join(pieces)


def _chooser(names: Sequence[str]) -> Callable[[Mapping[str, str]], tuple[str, ...]]:
    """What takes the values of some names out of a mapping, all at once."""
    match names:
        case []:
            return lambda _: ()
        case [name]:
            return lambda values: (values[name],)
        case _:
            return itemgetter(*names)
