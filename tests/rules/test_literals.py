"""Arguments from builders made once per node: equal to the library's own, values and errors, whatever the variables."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import (
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    VariableValues,
    build_schema,
    get_argument_values,
    get_variable_values,
    parse,
    print_ast,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from saas.graphql.literals import ArgumentBuilder

_SCHEMA = build_schema("""
    directive @oneOf on INPUT_OBJECT
    scalar Anything
    enum Colour { RED GREEN }
    input Ref @oneOf { id: ID, key: Key }
    input Key { system: String!, key: String! }
    input Size { width: Int!, height: Int = 3, colour: Colour, tags: [String!], inner: Size, ref: Ref, any: Anything }
    type Query { a(size: Size, id: ID!, count: Int = 7, sizes: [Size!], ref: Ref, any: Anything): Int }
""")
_QUERY = _SCHEMA.query_type
assert _QUERY is not None
_FIELD = _QUERY.fields["a"]
_VARIABLES = """($id: ID!, $maybe: ID, $width: Int!, $height: Int, $colour: Colour, $tags: [String!], $tag: String!,
    $size: Size, $sizes: [Size!], $system: String!, $key: Key, $any: Anything, $count: Int = 4, $ref: Ref)"""

_TAGS = st.sampled_from(["$tags", "[]", '["a", $tag]', '"b"', "null", "[$tag, $tag]"])
_KEYS = st.sampled_from(['{system: $system, key: "k"}', '{system: "s", key: "k"}', "$key"])
_REFS = st.one_of(
    st.sampled_from(["{id: $maybe}", "{id: $id}", '{id: "x"}', "{id: null}", "{}", '{id: "x", key: $key}', "$ref"]),
    _KEYS.map(lambda key: f"{{key: {key}}}"),
)
_ANY = st.sampled_from(["$any", "1", '"x"', "{a: 1}", "[1, {b: $width}]", "null"])


def _object(required: str, **fields: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """`required` is there nearly always: a document without it is refused, whatever else it says."""
    optional = {name: field for name, field in fields.items() if name != required}
    whole = st.fixed_dictionaries({required: fields[required]}, optional=optional)
    chosen = st.integers(0, 9).flatmap(lambda n: whole if n else st.fixed_dictionaries({}, optional=optional))
    return chosen.map(lambda found: "{" + ", ".join(f"{name}: {text}" for name, text in found.items()) + "}")


_SIZES: st.SearchStrategy[str] = st.recursive(
    st.sampled_from(["$size", "{width: $width}", "{width: 1, height: null}"]),
    lambda inner: _object(
        "width",
        width=st.sampled_from(["$width", "5"]),
        height=st.sampled_from(["$height", "6", "null"]),
        colour=st.sampled_from(["$colour", "RED", "null"]),
        tags=_TAGS,
        inner=inner,
        ref=_REFS,
        any=_ANY,
    ),
    max_leaves=4,
)
_ARGUMENTS = _object(
    "id",
    id=st.sampled_from(["$id", '"a"', "4", "$maybe"]),
    size=_SIZES | st.just("null"),
    count=st.sampled_from(["$count", "$height", "2", "null"]),
    sizes=st.lists(_SIZES, max_size=2).map(lambda sizes: f"[{', '.join(sizes)}]") | _SIZES | st.just("$sizes"),
    ref=_REFS,
    any=_ANY,
).filter(lambda text: len(text) > 2)
_GIVEN = st.fixed_dictionaries(
    {"id": st.just("i"), "width": st.integers(0, 9), "tag": st.just("t"), "system": st.just("s")},
    optional={
        "maybe": st.sampled_from(["m", None]),
        "height": st.sampled_from([8, None]),
        "colour": st.sampled_from(["GREEN", None]),
        "tags": st.sampled_from([["x"], [], None]),
        "size": st.sampled_from([{"width": 1}, {"width": 2, "height": None}, None]),
        "sizes": st.sampled_from([[{"width": 1}], None]),
        "key": st.sampled_from([{"system": "s", "key": "k"}, None]),
        "any": st.sampled_from([{"deep": [1]}, None]),
        "count": st.sampled_from([1, None]),
        "ref": st.sampled_from([{"id": "r"}, None]),
    },
)


def _parsed(arguments: str) -> tuple[OperationDefinitionNode, FieldNode]:
    operation = parse(f"query {_VARIABLES} {{ a({arguments[1:-1]}) }}").definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    node = operation.selection_set.selections[0]
    assert isinstance(node, FieldNode)
    return operation, node


def _values(operation: OperationDefinitionNode, given: dict[str, Any]) -> VariableValues:
    found = get_variable_values(_SCHEMA, operation.variable_definitions or (), given)
    assert isinstance(found, VariableValues)
    return found


def _told(build: Any) -> object:
    try:
        return build()
    except GraphQLError as error:
        return error.message


@settings(max_examples=200)
@given(arguments=_ARGUMENTS, given_values=_GIVEN)
def test_values_and_errors_are_the_librarys(arguments: str, given_values: dict[str, Any]) -> None:
    operation, node = _parsed(arguments)
    variables = _values(operation, given_values)
    builder = ArgumentBuilder(_FIELD, node)
    library = _told(lambda: get_argument_values(_FIELD, node, variables, hide_suggestions=True))
    assert _told(lambda: builder.values(variables)) == library, print_ast(node)


def test_nothing_is_shared_between_two_requests() -> None:
    operation, node = _parsed('{id: "a", size: {width: $width, tags: ["x"]}, sizes: [{width: 1}]}')
    builder, variables = (
        ArgumentBuilder(_FIELD, node),
        _values(operation, {"id": "i", "width": 2, "tag": "t", "system": "s"}),
    )
    first = builder.values(variables)
    first["size"]["tags"].append("mine")
    first["sizes"].clear()
    assert builder.values(variables) == {
        "id": "a",
        "size": {"width": 2, "height": 3, "tags": ["x"]},
        "sizes": [{"width": 1, "height": 3}],
        "count": 7,
    }


def test_a_plain_input_needs_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    operation, node = _parsed("{id: $id, size: {width: $width, ref: {id: $maybe}, tags: [$tag]}}")
    variables = _values(operation, {"id": "i", "maybe": "m", "width": 2, "tag": "t", "system": "s"})
    builder = ArgumentBuilder(_FIELD, node)
    monkeypatch.delattr("saas.graphql.literals.get_argument_values")
    assert builder.values(variables) == {
        "id": "i",
        "size": {"width": 2, "height": 3, "tags": ["t"], "ref": {"id": "m"}},
        "count": 7,
    }
