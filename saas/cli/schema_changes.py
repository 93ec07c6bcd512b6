"""What differs between two schemas, as text: lines, changes that break clients, what a plugin adds. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import unified_diff
from typing import Any

from graphql import (
    EnumTypeDefinitionNode,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    UnionTypeDefinitionNode,
    build_schema,
    find_breaking_changes,
    parse,
    print_ast,
)

_PARTS: tuple[tuple[type[Any], str, str], ...] = (
    (ObjectTypeDefinitionNode, "type", "fields"),
    (InterfaceTypeDefinitionNode, "interface", "fields"),
    (InputObjectTypeDefinitionNode, "input", "fields"),
    (EnumTypeDefinitionNode, "enum", "values"),
    (UnionTypeDefinitionNode, "union", "types"),
)


def difference(committed: str, printed: str, *, name: str) -> list[str]:
    """A unified diff from the committed text to the printed one; empty when they are equal."""
    lines = unified_diff(
        committed.splitlines(), printed.splitlines(), f"{name} (committed)", f"{name} (code)", lineterm=""
    )
    return list(lines)


def breaking_changes(committed: str, printed: str) -> list[str]:
    """Changes that break clients, a sentence each; nothing breaks where nothing was committed."""
    if not committed.strip():
        return []
    changes = find_breaking_changes(build_schema(committed), build_schema(printed))
    return [f"{change.type.name}: {change.description}" for change in changes]


def extension(core: str, full: str) -> str:
    """What `full` has beyond `core`: new definitions whole, additions to known ones as ``extend``."""
    known = _definitions(core)
    parts: list[str] = []
    for name, definition in _definitions(full).items():
        if name not in known:
            parts.append(print_ast(definition))
        elif added := _added(known[name], definition):
            parts.append(added)
    return "\n\n".join(parts) + "\n"


def _definitions(text: str) -> Mapping[str, Any]:
    """The named definitions of a schema; the `schema` block itself has no name and adds nothing."""
    found = ((getattr(each, "name", None), each) for each in parse(text).definitions)
    return {name.value: each for name, each in found if name is not None}


def _added(before: Any, after: Any) -> str:
    for kind, keyword, attribute in _PARTS:
        if isinstance(after, kind):
            present = {part.name.value for part in getattr(before, attribute)}
            new = [print_ast(part) for part in getattr(after, attribute) if part.name.value not in present]
            return _extend(keyword, after.name.value, new) if new else ""
    return ""


def _extend(keyword: str, name: str, members: list[str]) -> str:
    if keyword == "union":
        return f"extend union {name} = {' | '.join(members)}"
    body = "\n\n".join("\n".join(f"  {line}".rstrip() for line in member.splitlines()) for member in members)
    return f"extend {keyword} {name} {{\n{body}\n}}"
