"""How new customers enter: the duplicate check (P38)."""

from __future__ import annotations

from dataclasses import dataclass

from saas.customers.options.declaring import option
from saas.reads.mapping import EnumKind

DUPLICATE_CHECK = EnumKind(
    "DuplicateCheck",
    "What happens where a customer with the same name or phone number is there (查重).",
    {
        "REFUSE": ("refuse", "It is not entered; the status and whom to ask are told."),
        "WARN": ("warn", "It is entered, and the same is told as a warning."),
        "OFF": ("off", "It is entered, and nothing is told."),
    },
)


@dataclass(frozen=True)
class EnteringOptions:
    """Options of customers that are entered one by one. A key of another system is never entered twice."""

    duplicate_check: str = option(
        "P38", "refuse", "What the check for customers of the same name or number does.", choices=DUPLICATE_CHECK
    )
