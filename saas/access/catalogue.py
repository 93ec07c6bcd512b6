"""What rights can be about: every readable field with its data class, every verb, every type's row scopes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from saas.access.errors import PayNeedsTwo, UnknownObject
from saas.access.rules import EVERY_ROW, Action, Effect, PolicyLine
from saas.kernel import BadUserInput

FieldCatalogue = Iterable[tuple[str, str, str, bool]]
"""(type, field, data class, structural) of every readable field; data classes as in `saas.reads.mapping`."""

_BY_WILDCARD = frozenset({"public", "internal"})
_EVERY_ROW_ONLY = frozenset({EVERY_ROW})
_BY_TWO = frozenset({"pay", "secret"})


class AccessCatalogue:
    """All that a policy line may name, built once at the start from the rooms' and plugins' declarations.

    :param fields: every readable field; structural ones come with the right to see their type.
    :param permissions: every verb (``customer:claim``).
    :param scopes: the row scopes that each type defines.
    """

    def __init__(
        self, fields: FieldCatalogue, *, permissions: Iterable[str], scopes: Mapping[str, Iterable[str]]
    ) -> None:
        self.permissions = frozenset(permissions)
        self._scopes = {name: frozenset(found) | {EVERY_ROW} for name, found in scopes.items()}
        self._classes: dict[str, str] = {}
        self._structural: dict[str, list[str]] = {}
        self._fields_of: dict[str, list[str]] = {name: [] for name in self._scopes}
        for type_name, field_name, data_class, structural in fields:
            path = f"{type_name}.{field_name}"
            self._classes[path] = data_class
            self._fields_of.setdefault(type_name, []).append(path)
            if structural:
                self._structural.setdefault(type_name, []).append(path)

    @property
    def types(self) -> Iterable[str]:
        """Every type whose rows can be seen."""
        return self._fields_of.keys()

    @property
    def fields(self) -> Iterable[str]:
        """Every ``Type.field``."""
        return self._classes.keys()

    def structural(self, type_name: str) -> Iterable[str]:
        """The fields that come with seeing the type."""
        return self._structural.get(type_name, ())

    def is_grantable_alone(self, object_: str) -> bool:
        """Whether one person may give rights on it: not on pay and secrets."""
        return self._classes.get(object_) not in _BY_TWO

    def expand(self, line: PolicyLine) -> Iterator[PolicyLine]:
        """The line as lines on single objects: a wildcard becomes fields, what is implied is spelled out.

        An allowing wildcard covers public and internal fields only; a denying one covers every field. Who is denied
        even the masked form is denied the full one. Fields and scopes that are not installed (any more) give nothing.
        """
        if line.effect is Effect.ALLOW and line.scope not in self._scopes_of(line.object):
            return
        for object_ in self._objects(line):
            single = replace(line, object=object_)
            yield single
            if line.action is Action.MASK and line.effect is Effect.DENY:
                yield replace(single, action=Action.READ)

    def _objects(self, line: PolicyLine) -> Iterable[str]:
        if line.action in {Action.DO, Action.SEE}:
            return (line.object,)
        type_name, _, field_name = line.object.partition(".")
        if field_name != "*":
            return (line.object,) if line.object in self._classes else ()
        fields = self._fields_of.get(type_name, ())
        if line.effect is Effect.DENY:
            return fields
        return [path for path in fields if self._classes[path] in _BY_WILDCARD]

    def check(self, line: PolicyLine) -> None:
        """Refuse a right that nobody may give: it names what is not there, or has no meaning.

        :raises UnknownObject: no such type, field or verb.
        :raises BadUserInput: a scope the type or action does not have, or a structural field.
        :raises PayNeedsTwo: an allowance on pay or secrets.
        """
        if not self._knows(line):
            raise UnknownObject(line.object)
        self._check_scope(line)
        type_name = line.object.partition(".")[0]
        if line.object in self._structural.get(type_name, ()) and line.action in {Action.READ, Action.MASK, Action.USE}:
            raise BadUserInput("access.structural_field", {"object": line.object, "type": type_name}, field=("object",))
        if line.effect is Effect.ALLOW and not self.is_grantable_alone(line.object):
            raise PayNeedsTwo(line.object)

    def _knows(self, line: PolicyLine) -> bool:
        if line.action is Action.DO:
            return line.object in self.permissions
        if line.action is Action.SEE:
            return line.object in self._fields_of
        type_name, _, field_name = line.object.partition(".")
        return line.object in self._classes or (field_name == "*" and type_name in self._fields_of)

    def _check_scope(self, line: PolicyLine) -> None:
        if line.scope == EVERY_ROW:
            return
        if not line.action.takes_scope:
            raise BadUserInput(
                "access.scope_not_taken", {"action": line.action.value, "scope": line.scope[:40]}, field=("scope",)
            )
        known = self._scopes_of(line.object)
        if line.scope not in known:
            raise BadUserInput(
                "access.unknown_scope",
                {"scope": line.scope[:40], "type": line.object.partition(".")[0], "known": ", ".join(sorted(known))},
                field=("scope",),
            )

    def _scopes_of(self, object_: str) -> frozenset[str]:
        return self._scopes.get(object_.partition(".")[0], _EVERY_ROW_ONLY)
