"""How an option of a pool is declared: once, beside its default; ranges, reads, inputs and texts follow from it.

A group of options is a frozen dataclass whose fields are made by `option`; `options_of` tells what they are. The kind
of an option is read off its type, so that there is nothing to keep in step.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

from saas.customers.errors import PoolRuleOutOfRange
from saas.kernel import Scalar
from saas.reads.mapping import EnumKind

T = TypeVar("T")
_OPTION = "option"
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)


class OptionKind(Enum):
    """What an option holds, which decides how it is read and given."""

    NUMBER = "number"
    SWITCH = "switch"
    CHOICE = "choice"
    CHOICES = "choices"
    TIME = "time"
    REFERENCE = "reference"
    REFERENCES = "references"
    NUMBERS = "numbers"
    WORDS = "words"
    ITEMS = "items"


@dataclass(frozen=True, slots=True)
class Declaration:
    """What `option` was told; see there."""

    number: str
    doc: str
    least: int | None
    most: int | None
    longest: int | None
    length: int | None
    choices: EnumKind | None
    reference: str | None
    is_time: bool
    is_descending: bool
    moves_due: bool


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a pool: `name` as in the settings, `api_name` as in the API; the rest as `option` was told.

    `may_be_off` says that null is a value of its own. `item` is the class of what stands in a list of items.
    """

    name: str
    kind: OptionKind
    default: Any
    may_be_off: bool
    item: type | None
    declared: Declaration

    @property
    def api_name(self) -> str:
        """As in the API."""
        return camel(self.name)

    @property
    def choices(self) -> EnumKind:
        """Of a choice or choices."""
        assert self.declared.choices is not None, f"{self.name} is no choice"
        return self.declared.choices

    @property
    def default_text(self) -> str:
        """The default as JSON."""
        return as_text(self.default)

    def faults(self, given: Any) -> Iterator[PoolRuleOutOfRange]:
        """What is out of the option's own range."""
        if given is None:
            return
        told = self.declared
        many = given if isinstance(given, tuple) else (given,)
        if told.length is not None and len(many) > told.length:
            yield out_of_range(self.name, len(many), 0, told.length)
        for at, each in enumerate(many):
            if told.least is not None and told.most is not None and not told.least <= each <= told.most:
                yield out_of_range(self.name, each, told.least, told.most)
            if told.longest is not None and not _is_word(each, told.longest, many[:at]):
                values: dict[str, Scalar] = {"word": str(each)[:60], "longest": told.longest}
                yield PoolRuleOutOfRange("customers.pool_word_refused", values, field=(self.api_name, str(at)))
            if told.is_time and not is_time(each):
                yield PoolRuleOutOfRange("customers.pool_time_malformed", {"given": each[:20]}, field=(self.api_name,))

    def normal(self, given: Any) -> Any:
        """As it is kept: words without outer spaces, numbers that have an order in that order, each once."""
        if self.kind is OptionKind.WORDS:
            return tuple(each.strip() for each in given)
        if self.kind in (OptionKind.NUMBERS, OptionKind.CHOICES, OptionKind.REFERENCES):
            return tuple(sorted(set(given), reverse=True)) if self.declared.is_descending else tuple(given)
        return given


def option(
    number: str,
    default: T,
    doc: str,
    *,
    least: int | None = None,
    most: int | None = None,
    longest: int | None = None,
    length: int | None = None,
    choices: EnumKind | None = None,
    reference: str | None = None,
    is_time: bool = False,
    is_descending: bool = False,
    moves_due: bool = False,
) -> T:
    """A field of a group of options: its number in the rule book, its default and what it means, in English.

    `least` and `most` bound a number, or each of a list; `longest` the characters of each word; `length` how many a
    list may have. `choices` are those of a text, `reference` is the prefix of an id (``"poo"``), `is_time` a text like
    "02:00". A list that `is_descending` is kept without doublets, the greatest first. An option that `moves_due` moves
    due dates: a change of it makes nothing due before the grace is over (P27).

    >>> claim_limit: int = option("P05", 10, "Claims per person and local day.", least=0, most=200)
    """
    told = Declaration(number, doc, least, most, longest, length, choices, reference, is_time, is_descending, moves_due)
    made: T = field(default=default, metadata={_OPTION: told})
    return made


def options_of(settings: type) -> Mapping[str, Option]:
    """The options among the fields of a class, by name."""
    hints = get_type_hints(settings)
    return {
        each.name: _option(each.name, hints[each.name], each.default, each.metadata[_OPTION])
        for each in fields(settings)
        if _OPTION in each.metadata
    }


def _option(name: str, hint: Any, default: Any, told: Declaration) -> Option:
    plain, may_be_off = without_none(hint)
    if get_origin(plain) is tuple:
        item: type = get_args(plain)[0]
        of = item if is_dataclass(item) else None
        return Option(name, _kind_of_list(item, told), default, may_be_off, of, told)
    return Option(name, _kind(plain, told), default, may_be_off, None, told)


def _kind(hint: Any, told: Declaration) -> OptionKind:
    if hint is bool:
        return OptionKind.SWITCH
    if hint is int:
        return OptionKind.NUMBER
    if hint is UUID:
        return OptionKind.REFERENCE
    assert hint is str, f"an option of type {hint}"
    return OptionKind.TIME if told.is_time else OptionKind.CHOICE


def _kind_of_list(item: Any, told: Declaration) -> OptionKind:
    if is_dataclass(item):
        return OptionKind.ITEMS
    if item is str:
        return OptionKind.WORDS if told.choices is None else OptionKind.CHOICES
    return OptionKind.NUMBERS if item is int else OptionKind.REFERENCES


def without_none(hint: Any) -> tuple[Any, bool]:
    """A type without None, and whether None was part of it."""
    if get_origin(hint) not in (Union, UnionType):
        return hint, False
    (plain,) = [each for each in get_args(hint) if each is not type(None)]
    return plain, True


def written(settings: Any) -> str:
    """Settings as JSON, for the database; days and ids as text."""
    return json.dumps(asdict(settings), default=str)


def is_time(given: str) -> bool:
    """Whether a text is a time of day such as "02:00"."""
    return _TIME.fullmatch(given) is not None


def as_text(value: Any) -> str:
    """The value of an option as JSON; days and ids as text."""
    return json.dumps(value, default=_plain)


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)


def from_json(hint: Any, value: Any) -> Any:
    """What `written` made JSON of, as the type that it was."""
    plain, _ = without_none(hint)
    if value is None:
        return None
    if get_origin(plain) is tuple:
        return tuple(from_json(get_args(plain)[0], each) for each in value)
    if is_dataclass(plain):
        hints = get_type_hints(plain)
        return cast("type", plain)(**{name: from_json(hints[name], each) for name, each in value.items()})
    if plain in (date, datetime):
        return plain.fromisoformat(value)
    return plain(value) if plain is UUID or (isinstance(plain, type) and issubclass(plain, Enum)) else value


def out_of_range(name: str, given: int, least: int, most: int) -> PoolRuleOutOfRange:
    """The refusal of a number, naming the option as the API does."""
    values: dict[str, Scalar] = {"given": given, "least": least, "most": most}
    return PoolRuleOutOfRange("customers.pool_rule_out_of_range", values, field=(camel(name),))


def camel(name: str) -> str:
    """A name as the API has it."""
    head, *tail = name.split("_")
    return head + "".join(part.title() for part in tail)


def _is_word(given: str, longest: int, before: tuple[str, ...]) -> bool:
    return 1 <= len(given) <= longest and given == given.strip() and given not in before
