"""Why an amount or a decision is as it is: a tree of sentences with their values, in no language yet.

Calculations make explanations beside their results and store them with these; a reader's language is chosen when
they are shown. A sentence stands in the locales of its room, as the sentences of errors do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import NoneType
from typing import Any

from saas.kernel.messages import DEFAULT_LOCALE, Catalogue

Localised = Mapping[str, str]
"""A text that its author wrote in several languages, by locale (a component's title)."""

Shown = str | int | Localised | None
"""A value in a sentence. Amounts and rates are texts of digits, days are ``YYYY-MM-DD``."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One node. `key` names its sentence, `args` the values in it; `amount` is what the node comes to, as a text of
    digits, where it comes to an amount; `source` is the public id of the record it rests on; `parts` explain it.
    """

    key: str
    args: Mapping[str, Shown] = field(default_factory=dict)
    amount: str | None = None
    source: str | None = None
    parts: tuple[Explanation, ...] = ()

    def plain(self) -> dict[str, Any]:
        """As JSON holds it; absent members are left out, so that equal trees give equal bytes."""
        plain: dict[str, Any] = {"key": self.key}
        if self.args:
            plain["args"] = {name: v if type(v) in _BARE else _plain_value(v) for name, v in self.args.items()}
        if self.amount is not None:
            plain["amount"] = self.amount
        if self.source is not None:
            plain["source"] = self.source
        if self.parts:
            plain["parts"] = [part.plain() for part in self.parts]
        return plain

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Explanation:
        """From what `plain` gave."""
        parts = tuple(cls.of_plain(part) for part in plain.get("parts", ()))
        return cls(plain["key"], plain.get("args", {}), plain.get("amount"), plain.get("source"), parts)

    def sentence(self, catalogue: Catalogue, locale: str) -> str:
        """The node's own sentence; long numbers in it are shortened (`readable`)."""
        return catalogue.text(locale, self.key, {name: _told(value, locale) for name, value in self.args.items()})

    def lines(self, catalogue: Catalogue, locale: str, depth: int = 0) -> Iterator[tuple[int, str, str | None]]:
        """Depth, sentence and amount of this node and all below it, in reading order."""
        yield depth, self.sentence(catalogue, locale), self.amount
        for part in self.parts:
            yield from part.lines(catalogue, locale, depth + 1)


_BARE = frozenset({str, int, NoneType, dict})
"""What JSON holds as it is; looked at first, because a payslip has hundreds of values."""


def _plain_value(value: Shown) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


def _told(value: Shown, locale: str) -> str | int | None:
    found = localised(value, locale)
    return readable(found) if type(found) is str else found


_LONG_NUMBER = re.compile(r"(?<![A-Za-z0-9_.])([0-9]+\.[0-9]{6})([0-9]+)(?![A-Za-z0-9_]|\.[0-9])")
"""A number with more than six digits behind the point: in groups what is shown of it, and what is cut off."""


def readable(text: str) -> str:
    """A text whose numbers have at most six digits behind the point; where digits that are not 0 were cut off, a ``…``
    stands for them. For people alone: what is stored and calculated with stays as it is.

    >>> readable("128000 / 21.75 = 5885.057471264367816")
    '128000 / 21.75 = 5885.057471…'
    """
    return _LONG_NUMBER.sub(_cut, text) if "." in text else text


def _cut(number: re.Match[str]) -> str:
    kept, rest = number.groups()
    return f"{kept}…" if rest.strip("0") else kept


def localised(value: Shown, locale: str) -> str | int | None:
    """A value as it is shown in `locale`: a text of several languages in that one, else in the first there is."""
    if not isinstance(value, Mapping):
        return value
    return value.get(locale) or value.get(DEFAULT_LOCALE) or next(iter(value.values()), "")
