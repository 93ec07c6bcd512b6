"""The one byte form of everything that is frozen, hashed or compared: JSON with sorted keys and without floats."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import NoneType

import orjson

from saas.kernel import minor_digits, rounded

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]

_LEAVES = frozenset({NoneType, bool, int, str})


def canonical_text(value: object) -> str:
    """JSON with sorted keys, no spaces, letters as they are; equal values give equal texts.

    :raises TypeError: a float, which no amount of ours may be, or something that JSON can't hold.
    """
    if _is_plain((value,)):
        try:
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
        except orjson.JSONEncodeError:
            return _careful_text(value)
    return _careful_text(value)


def _is_plain(values: Iterable[object]) -> bool:
    """Whether there is nothing here but the very types that JSON is made of; quick, for payslips are large."""
    for each in values:
        kind = type(each)
        if kind in _LEAVES:
            continue
        if kind is dict:
            within: Iterable[object] = each.values()  # type: ignore[attr-defined]
        elif kind is list or kind is tuple:
            within = each  # type: ignore[assignment]
        else:
            return False
        if not _is_plain(within):
            return False
    return True


def _careful_text(value: object) -> str:
    """The same text, slowly: for whatever `orjson` would take in another way (large numbers, subclasses), or refuse."""
    _require_exact(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_hash(value: object) -> str:
    """SHA-256 of the canonical text, in hex."""
    return hashlib.sha256(canonical_text(value).encode()).hexdigest()


def amount_text(amount: Decimal, currency: str) -> str:
    """An amount with just the digits of its currency.

    :raises ValueError: it has more of them: round it first.
    """
    digits = minor_digits(currency)
    if is_plain_amount(amount, digits):
        return str(amount)  # no exponent is written for so few digits behind the point, and this is quicker
    shown = rounded(amount, digits)
    if shown != amount:
        raise ValueError(f"{amount} has more digits than {currency}")
    return format(shown + 0, "f")


def is_plain_amount(amount: Decimal, digits: int) -> bool:
    """Whether an amount has just these digits behind the point, as most have: quickly. False where it takes a closer
    look: a negative zero, more digits than sums keep."""
    return (
        amount.same_quantum(_UNITS[digits]) and -_LARGE < amount < _LARGE and (bool(amount) or not amount.is_signed())
    )


_UNITS = [Decimal(1).scaleb(-digits) for digits in range(4)]
_LARGE = Decimal(10) ** 20


def number_text(value: Decimal) -> str:
    """A number without trailing zeros, so that 21.750 and 21.75 are one text."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _require_exact(value: object) -> None:
    if isinstance(value, float):
        raise TypeError(f"{value!r} is a float; amounts are decimals, written as texts")
    if isinstance(value, Mapping):
        for each in value.values():
            _require_exact(each)
    elif isinstance(value, list | tuple):
        for each in value:
            _require_exact(each)
