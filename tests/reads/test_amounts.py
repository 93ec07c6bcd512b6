"""Amounts: stored in smallest units, shown, filtered and summed as exact decimals of the company's currency."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.kernel import BadUserInput, ErrorCode
from saas.reads.kinds import converter
from saas.reads.mapping import Column, ReadType, RoomReads, ScalarKind
from saas.reads.registry import InvalidMapping, Registry
from tests.reads.conftest import Toys

MINOR = {number: number * 1050 - 2000 for number in range(10) if number % 4 != 3}
ASK = "query($f: ShopFilter) { shops(first: 99, orderBy: ID_ASC, filter: $f) { nodes { id price } } }"
PAGE = """
query($o: [ShopOrder!], $after: String) {
  shops(first: 3, orderBy: $o, after: $after) { nodes { price } pageInfo { endCursor hasNextPage } }
}
"""
DIGITS = {"CNY": 2, "JPY": 0, "KWD": 3}


def shown(minor: int, digits: int) -> str:
    return format(Decimal(minor).scaleb(-digits), "f")


async def prices(toys: Toys, currency: str = "CNY", **condition: Any) -> dict[int, str | None]:
    """Price by number of the shops that the filter finds."""
    data = await toys.data(ASK, caller=toys.caller(currency=currency), f={"price": condition} if condition else None)
    return {int(node["id"][-4:], 16): node["price"] for node in data["shops"]["nodes"]}


@pytest.mark.parametrize("currency", DIGITS)
async def test_amounts_have_the_digits_of_the_currency(toys: Toys, currency: str) -> None:
    found = await prices(toys, currency)
    assert found == {n: shown(MINOR[n], DIGITS[currency]) if n in MINOR else None for n in range(10)}
    assert found[0] == {"CNY": "-20.00", "JPY": "-2000", "KWD": "-2.000"}[currency]


@pytest.mark.parametrize(
    ("currency", "condition", "numbers"),
    [
        ("CNY", {"eq": "1.00"}, [2]),
        ("CNY", {"eq": "1"}, [2]),
        ("CNY", {"eq": "1.000"}, [2]),
        ("CNY", {"in": ["-20", "-9.5", "7"]}, [0, 1]),
        ("CNY", {"gte": "32.50"}, [5, 6, 8, 9]),
        ("CNY", {"gte": "32.51"}, [6, 8, 9]),
        ("CNY", {"gte": "1.00", "lt": "32.50"}, [2, 4]),
        ("CNY", {"isNull": True}, [3, 7]),
        ("JPY", {"eq": "100"}, [2]),
        ("JPY", {"lt": "0"}, [0, 1]),
        ("KWD", {"eq": "0.100"}, [2]),
        ("KWD", {"eq": "0.1"}, [2]),
    ],
)
async def test_filters_compare_exactly(
    toys: Toys, currency: str, condition: dict[str, Any], numbers: list[int]
) -> None:
    assert list(await prices(toys, currency, **condition)) == numbers


@pytest.mark.parametrize(
    ("currency", "given", "key"),
    [
        ("CNY", "1.001", "reads.amount_too_precise"),
        ("JPY", "1.5", "reads.amount_too_precise"),
        ("KWD", "0.0005", "reads.amount_too_precise"),
        ("CNY", "92233720368547758.08", "reads.value_malformed"),
        ("CNY", "1" + "0" * 23, "reads.value_malformed"),
    ],
)
async def test_what_the_currency_can_not_say_is_refused_not_rounded(
    toys: Toys, currency: str, given: str, key: str
) -> None:
    literal = f'{{ shops(first: 1, filter: {{price: {{eq: "{given}"}}}}) {{ totalCount }} }}'
    caller = toys.caller(currency=currency)
    for text, variables in ((ASK, {"f": {"price": {"eq": given}}}), (literal, {})):
        result = await toys.result(text, caller=caller, **variables)
        (error,) = result.errors
        assert (error.code, error.key) == (ErrorCode.BAD_USER_INPUT, key)
        assert result.values == {"shops": b"null"}


@pytest.mark.parametrize("way", ["ASC", "DESC"])
async def test_pages_follow_the_stored_amount(toys: Toys, way: str) -> None:
    found: list[str | None] = []
    after = None
    while True:
        page = (await toys.data(PAGE, o=[f"PRICE_{way}"], after=after))["shops"]
        found += [node["price"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    ascending: list[str | None] = [*(shown(minor, 2) for minor in sorted(MINOR.values())), None, None]
    assert found == (ascending if way == "ASC" else ascending[::-1])


@pytest.mark.parametrize("currency", DIGITS)
async def test_summaries_round_once_to_the_smallest_unit(toys: Toys, currency: str) -> None:
    ask = """{ shops(first: 1) { summary { price { sum avg min max } } }
        shopGroups(groupBy: STATUS, first: 9, orderBy: PRICE_SUM_DESC) { nodes { key price { sum avg min max } } } }"""
    data = await toys.data(ask, caller=toys.caller(currency=currency))
    digits = DIGITS[currency]
    assert data["shops"]["summary"]["price"] == figures(list(MINOR.values()), digits)
    groups = {"OPEN": [MINOR[n] for n in MINOR if n % 2 == 0], "SHUT": [MINOR[n] for n in MINOR if n % 2]}
    expected: list[dict[str, Any]] = [
        {"key": key, "price": figures(minors, digits)}
        for key, minors in sorted(groups.items(), key=lambda item: -sum(item[1]))
    ]
    none = {"key": None, "price": dict.fromkeys(("sum", "avg", "min", "max"))}
    assert data["shopGroups"]["nodes"] == [*expected, none]


def figures(minors: list[int], digits: int) -> dict[str, str]:
    average = (Decimal(sum(minors)) / len(minors)).quantize(Decimal(1), ROUND_HALF_UP)
    return {
        "sum": shown(sum(minors), digits),
        "avg": shown(int(average), digits),
        "min": shown(min(minors), digits),
        "max": shown(max(minors), digits),
    }


async def test_companies_with_equal_digits_share_plans(toys: Toys) -> None:
    counts = []
    for currency in ("CNY", "USD", "JPY", "KRW", "CNY"):
        await prices(toys, currency)
        counts.append(toys.reader.plan_count)
    assert counts == [1, 1, 2, 2, 2]


@given(
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.sampled_from([0, 2, 3]),
    st.integers(0, 4),
)
def test_every_stored_amount_can_be_asked_for(minor: int, digits: int, zeros: int) -> None:
    text = shown(minor, digits) + ("0" * zeros if digits else "")
    assert converter(ScalarKind.AMOUNT, digits)(text) == minor


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6), st.sampled_from([0, 2, 3]))
def test_a_converted_amount_is_the_amount(amount: Decimal, digits: int) -> None:
    try:
        minor = converter(ScalarKind.AMOUNT, digits)(str(amount))
    except BadUserInput:
        assert amount * 10**digits != int(amount * 10**digits) or abs(amount) * 10**digits >= 2**63
    else:
        assert isinstance(minor, int)
        assert Decimal(minor).scaleb(-digits) == amount


@pytest.mark.parametrize(
    ("kind", "column"), [(ScalarKind.AMOUNT, "price"), (ScalarKind.INT, "price_minor"), (ScalarKind.DECIMAL, "a_minor")]
)
def test_the_name_of_the_column_says_what_it_holds(kind: ScalarKind, column: str) -> None:
    shop = ReadType("Shop", "shop", "sho", "A shop.", (Column("price", kind, column, "Price."),), {"all": "true"})
    with pytest.raises(InvalidMapping, match=r"Shop\.price: amounts stand in columns …_minor, and only they"):
        Registry([RoomReads(types=(shop,))])
