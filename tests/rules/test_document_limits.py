"""The one pass over a document: exact figures, each fragment measured once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from graphql import parse

from saas.graphql.limits import MOST_TOLD, Limits, measure
from saas.kernel import LimitExceeded

LIMITS = Limits()


def cost(text: str, **variables: object) -> int:
    (measured,) = measure(parse(text), LIMITS).values()
    return measured.total(variables)


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("{__typename a: __typename}", 0),
        ("{customer {name}}", 1),
        ("{customers(first: 50) {name}}", 1),
        ("{customers(first: 50) {nodes {name}}}", 51),
        ("{customers(last: 50) {nodes {owner {name} deals(first: 3) {nodes {amount}}}}}", 1 + 50 * (1 + 1 + 1 + 3)),
        ('{nodes(ids: ["a", "b"]) {... on Customer {owner {name}}}}', 1 + 2),
        ("mutation {claim(input: {}) {customer {name}}}", 10 + 1 + 1),
        ("{...F ...F} fragment F on Query {customers(first: 5) {nodes {name}}}", 2 * 6),
        ("{customers(first: 999999999999999999999) {nodes {name}}}", 1_000_001),
    ],
)
def test_cost(text: str, points: int) -> None:
    assert cost(text) == points


@pytest.mark.parametrize(("size", "points"), [(7, 8), (0, 1), (-5, 1), (None, 101), (True, 101), ([1, 2], 3)])
def test_cost_follows_variables(size: object, points: int) -> None:
    assert cost("query($n: Int) {customers(first: $n) {nodes {name}}}", n=size) == points


def test_cost_of_a_missing_variable_is_that_of_the_largest_page() -> None:
    assert cost("query($n: Int) {customers(first: $n) {nodes {name}}}") == 101


@pytest.mark.parametrize(
    ("limit", "at_most", "text"),
    [
        ("depth", 3, "{a {b {c}}}"),
        ("depth", 3, "{a {...F}} fragment F on T {b {c}}"),
        ("depth", 3, "{a {... {... {b {c}}}}}"),
        ("aliases", 2, "{a: x b: x}"),
        ("aliases", 1, "{...F ...F} fragment F on T {a: x}"),
        ("directives", 3, "query @a {x @b ...F} fragment F on T @c {x}"),
        ("root_fields", 3, "{a b ...F} fragment F on T {c}"),
        ("root_fields", 4, "{...F ...F} fragment F on T {a b}"),
        ("nesting", 4, "{... {... {... {a}}}}"),
    ],
)
def test_limit_holds_exactly(limit: str, at_most: int, text: str) -> None:
    measure(parse(text), replace(LIMITS, **{limit: at_most}))
    with pytest.raises(LimitExceeded) as refused:
        measure(parse(text), replace(LIMITS, **{limit: at_most - 1}))
    assert refused.value.values == {"limit": limit, "allowed": at_most - 1, "found": at_most}


def test_fragment_that_nobody_spreads_counts_too() -> None:
    with pytest.raises(LimitExceeded):
        measure(parse("{a} fragment F on T {" + " ".join(f"a{n}: x" for n in range(31)) + "}"), LIMITS)


def test_cycles_and_unknown_names_are_survived() -> None:
    assert cost("{...A} fragment A on T {a ...B} fragment B on T {b ...A ...C}") == 0


@pytest.mark.parametrize("levels", [18, 40, 90])
def test_bomb_is_measured_in_one_pass(levels: int) -> None:
    """Whoever unfolded it would not be done while the sun shines."""
    bomb = "{...F0} " + " ".join(f"fragment F{n} on Query {{...F{n + 1} ...F{n + 1}}}" for n in range(levels))
    document = parse(bomb + f" fragment F{levels} on Query {{a {{b}}}}")
    with pytest.raises(LimitExceeded) as refused:
        measure(document, LIMITS)
    assert refused.value.values == {"limit": "root_fields", "allowed": 20, "found": min(2**levels, MOST_TOLD)}


def test_bomb_below_the_root_is_refused_by_its_cost() -> None:
    bomb = "{x {...F0}} " + " ".join(f"fragment F{n} on T {{...F{n + 1} ...F{n + 1}}}" for n in range(40))
    assert cost(bomb + " fragment F40 on T {a {b}}") == 1 + 2**40
