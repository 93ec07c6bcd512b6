"""Sealed documents: what a selection takes out of one, compiled once and applied to each that is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode

from saas.kernel import Catalogue, Explanation, localised
from saas.reads.mapping import EnumKind, Member, Members, SealedDocument, Told

EXPLANATION_LINE = "ExplanationLine"
"""The type of one line of an explanation: ``depth``, ``text``, ``amount``, ``key``, ``source``."""

Project = Callable[[Mapping[str, Any]], Any]
"""Takes the selected part out of a parsed document, as JSON values by response key."""

Below = Callable[[str, Sequence[FieldNode]], Mapping[str, Sequence[FieldNode]]]
"""The fields selected on a type below merged fields, by response key."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """In which language a plan tells what has to be told."""

    catalogue: Catalogue
    locale: str


def projection(field: SealedDocument, nodes: Sequence[FieldNode], below: Below, spoken: Spoken) -> Project:
    """What the selection below `nodes` takes out of a document of this field."""
    return _object(field.type_name, field.members, nodes, below, spoken)


def _object(
    type_name: str, members: Sequence[Member | Members], nodes: Sequence[FieldNode], below: Below, spoken: Spoken
) -> Project:
    by_name = {member.name: member for member in members}
    parts = {
        key: _part(type_name, by_name.get(group[0].name.value), group, below, spoken)
        for key, group in below(type_name, nodes).items()
    }
    return lambda document: {key: part(document) for key, part in parts.items()}


def _part(
    type_name: str, member: Member | Members | None, nodes: Sequence[FieldNode], below: Below, spoken: Spoken
) -> Project:
    if member is None:
        return lambda _: type_name  # valid documents select nothing else that is no member: __typename
    if isinstance(member, Members):
        each = _object(member.type_name, member.members, nodes, below, spoken)
        return lambda document: _listed(document.get(member.key), each)
    if member.kind is Told.EXPLANATION:
        names = {key: group[0].name.value for key, group in below(EXPLANATION_LINE, nodes).items()}
        return lambda document: _explained(document.get(member.key), names, spoken)
    return lambda document: _value(member, document, spoken)


def _listed(items: Sequence[Mapping[str, Any]] | None, each: Project) -> list[Any] | None:
    return None if items is None else [each(item) for item in items]


def _value(member: Member, document: Mapping[str, Any], spoken: Spoken) -> Any:
    found = document.get(member.key) if member.key else document
    if found is None:
        return None
    if member.kind is Told.TITLE:
        return localised(found, spoken.locale)
    if member.kind is Told.SENTENCE:
        return spoken.catalogue.text(spoken.locale, found["key"], found["args"])
    if isinstance(member.kind, EnumKind):
        return next(name for name, (stored, _) in member.kind.values.items() if stored == found)
    return found


def _explained(plain: Mapping[str, Any] | None, names: Mapping[str, str], spoken: Spoken) -> list[Any] | None:
    if plain is None:
        return None
    return [{key: line.get(name, EXPLANATION_LINE) for key, name in names.items()} for line in _lines(plain, 0, spoken)]


def _lines(plain: Mapping[str, Any], depth: int, spoken: Spoken) -> Iterator[dict[str, Any]]:
    """The nodes of an explanation in reading order."""
    node = Explanation.of_plain({**plain, "parts": ()})
    yield {
        "depth": depth,
        "text": node.sentence(spoken.catalogue, spoken.locale),
        "amount": node.amount,
        "key": node.key,
        "source": node.source,
    }
    for part in plain.get("parts", ()):
        yield from _lines(part, depth + 1, spoken)
