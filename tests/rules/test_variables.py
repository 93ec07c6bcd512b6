"""Variables coerced by what is kept of their operation: equal to the library's own coercion, values and errors."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import VariableValues, build_schema, get_variable_values, parse
from hypothesis import given
from hypothesis import strategies as st

from saas.graphql.variables import MOST_ERRORS, VariableCoercion

_SCHEMA = build_schema("""
    enum Colour { RED GREEN }
    input Size { width: Int!, height: Int = 3, tags: [String!] }
    type Query { a(id: ID, text: String, flag: Boolean): Int }
""")
_DEFINITIONS = (
    parse("""query(
        $id: ID!, $text: String, $number: Int = 7, $flag: Boolean!, $colour: Colour, $size: Size, $sizes: [Size!],
        $ids: [ID!]! = ["a"]
    ) { a }""")
    .definitions[0]
    .variable_definitions  # type: ignore[attr-defined]
)
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["width", "height", "tags"]), inner),
    max_leaves=6,
)
_LIKELY = {
    "id": st.text(max_size=3) | st.integers(0, 9),
    "text": st.text(max_size=3) | st.none(),
    "number": st.integers(-5, 5) | st.none(),
    "flag": st.booleans(),
    "colour": st.sampled_from(["RED", "GREEN", "BLUE"]),
    "size": st.fixed_dictionaries({"width": st.integers(0, 9)}, optional={"height": st.none() | st.integers(0, 9)}),
    "sizes": st.lists(st.fixed_dictionaries({"width": st.integers(0, 9)}), max_size=2),
    "ids": st.lists(st.text(max_size=3), max_size=2) | st.text(max_size=2),
}
_GIVEN = st.fixed_dictionaries({}, optional={name: likely | _ANYTHING for name, likely in _LIKELY.items()})
_COERCION = VariableCoercion(_SCHEMA, _DEFINITIONS)


def _told(found: VariableValues | list[Any]) -> object:
    """What can be compared: defaults and types that wrap others equal nothing but themselves."""
    if not isinstance(found, VariableValues):
        return [error.message for error in found]
    sources = {name: (str(source.signature.type), source.value) for name, source in found.sources.items()}
    return sources, found.coerced


@given(given=_GIVEN)
def test_values_and_errors_are_the_librarys(given: dict[str, Any]) -> None:
    library = get_variable_values(_SCHEMA, _DEFINITIONS, given, max_errors=MOST_ERRORS, hide_suggestions=True)
    assert _told(_COERCION.coerce(given)) == _told(library)


def test_a_full_set_of_right_values_is_coerced() -> None:
    found = _COERCION.coerce({"id": 5, "text": None, "flag": True, "size": {"width": 2}, "sizes": {"width": 1}})
    assert isinstance(found, VariableValues)
    assert found.coerced == {
        "id": "5",
        "text": None,
        "number": 7,
        "flag": True,
        "size": {"width": 2, "height": 3},
        "sizes": [{"width": 1, "height": 3}],
        "ids": ["a"],
    }


@pytest.mark.parametrize("given", [{}, {"id": None, "flag": True}, {"id": "a", "flag": 1}, {"id": [], "flag": "yes"}])
def test_wrong_values_are_told_in_the_librarys_words(given: dict[str, Any]) -> None:
    found = _COERCION.coerce(given)
    assert isinstance(found, list)
    assert any("Variable '$" in error.message for error in found)


def test_values_nested_beyond_the_interpreters_depth_are_refused() -> None:
    deep: Any = "end"
    for _ in range(5_000):
        deep = [deep]
    found = _COERCION.coerce({"id": "a", "flag": True, "sizes": deep})
    assert isinstance(found, list)
    assert found[-1].message == "Variable values are nested too deeply."


def test_an_operation_without_variables_takes_none() -> None:
    assert VariableCoercion(_SCHEMA, ()).coerce({"stray": 1}) == VariableValues({}, {})
