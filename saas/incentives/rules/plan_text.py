"""A plan as JSON holds it: one form for equal plans, so that it can be stored, compared and hashed.

Members that have their default are left out, numbers are texts without exponent or empty zeros, days are
``YYYY-MM-DD``, names are sorted. What reads it back refuses an unknown or missing member and a value of another kind,
naming its path.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from saas.incentives.errors import PlanRefused
from saas.incentives.rules.exact import plain
from saas.incentives.rules.plans import Plan
from saas.incentives.rules.tiers import Flat, PerUnit, Tiers

_SHAPES: Mapping[str, type] = {"flat": Flat, "per_unit": PerUnit, "tiers": Tiers}
"""The name that stands as ``shape`` in the JSON of each kind of shape."""

_SHAPE_NAMES = {kind: name for name, kind in _SHAPES.items()}


def canonical_text(plan: Plan) -> str:
    """The one text of a plan: what is hashed. Plans that are equal have the same, and only they."""
    return json.dumps(plan_plain(plan), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def plan_plain(plan: Plan) -> dict[str, Any]:
    """The plan as JSON holds it."""
    plainly: dict[str, Any] = _plainly(plan)
    return plainly


def plan_of_plain(given: Any) -> Plan:
    """The plan that `plan_plain` gave; whether it makes sense is for `check_plan`.

    :raises PlanRefused: naming the path of a member that is unknown, missing or of another kind.
    """
    plan = _read(Plan, given, ())
    assert isinstance(plan, Plan)
    return plan


def _plainly(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case Decimal():
            return plain(value)
        case date():
            return value.isoformat()
        case tuple():
            return [_plainly(member) for member in value]
    if not is_dataclass(value):
        return value
    members = {
        member.name: _plainly(getattr(value, member.name))
        for member in fields(value)
        if getattr(value, member.name) != _default(member)
    }
    name = _SHAPE_NAMES.get(type(value))
    return members if name is None else {"shape": name, **members}


def _default(member: Field[Any]) -> Any:
    return member.default_factory() if member.default_factory is not MISSING else member.default


def _read(kind: Any, given: Any, path: tuple[str, ...]) -> Any:
    if get_origin(kind) is tuple:
        items = _of_kind(given, list, path)
        return tuple(_read(get_args(kind)[0], item, (*path, str(place))) for place, item in enumerate(items))
    if isinstance(kind, UnionType):
        kinds = [each for each in get_args(kind) if each is not NoneType]
        return _read(kinds[0], given, path) if len(kinds) == 1 else _read_shape(kinds, given, path)
    if is_dataclass(kind):
        return _read_members(kind, _of_kind(given, dict, path), path)
    return _read_leaf(kind, given, path)


def _read_shape(kinds: list[Any], given: Any, path: tuple[str, ...]) -> Any:
    members = dict(_of_kind(given, dict, path))
    kind = _SHAPES.get(str(members.pop("shape", None)))
    if kind not in kinds:
        raise _wrong(given, " | ".join(_SHAPE_NAMES[each] for each in kinds), (*path, "shape"))
    return _read_members(kind, members, path)


def _read_members(kind: Any, given: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    hints, known = _hints(kind), {member.name: member for member in fields(kind)}
    for name in given:
        if name not in known:
            raise PlanRefused("incentives.plan_member_unknown", {"member": str(name)[:40]}, field=(*path, str(name)))
    for name, member in known.items():
        if name not in given and _default(member) is MISSING:
            raise PlanRefused("incentives.plan_member_missing", {"member": name}, field=(*path, name))
    values = {name: _read(hints[name], value, (*path, name)) for name, value in given.items()}
    try:
        return kind(**values)
    except ValueError as fault:
        raise _wrong(str(fault), kind.__name__, path) from fault


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _read_leaf(kind: Any, given: Any, path: tuple[str, ...]) -> Any:
    if kind in {bool, int}:
        if type(given) is not kind:
            raise _wrong(given, kind.__name__, path)
        return given
    text = _of_kind(given, str, path)
    if kind is str:
        return text
    read: Callable[[str], Any] = date.fromisoformat if kind is date else kind
    try:
        value = read(text)
    except (ValueError, InvalidOperation) as fault:
        raise _wrong(given, kind.__name__, path) from fault
    if kind is Decimal and not value.is_finite():
        raise _wrong(given, kind.__name__, path)
    return value


def _of_kind(given: Any, kind: type, path: tuple[str, ...]) -> Any:
    if not isinstance(given, kind):
        raise _wrong(given, kind.__name__, path)
    return given


def _wrong(given: Any, kind: str, path: tuple[str, ...]) -> PlanRefused:
    return PlanRefused("incentives.plan_member_malformed", {"given": str(given)[:60], "kind": kind}, field=path)
