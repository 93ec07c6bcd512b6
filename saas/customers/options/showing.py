"""What of its customers a pool shows to those who may claim them, and how much of it in a day (P36, P37, P52)."""

from __future__ import annotations

from dataclasses import dataclass

from saas.customers.options.declaring import option
from saas.reads.mapping import EnumKind

PHONE_MASKING = EnumKind(
    "PhoneMasking",
    "When a customer's phone number is masked (P37).",
    {
        "NEVER": ("never", "Never: whoever may read numbers reads those of the pool too."),
        "BEFORE_CLAIM": ("before_claim", "In the pool: its owner reads it."),
        "BEFORE_AND_AFTER": ("before_and_after", "In the pool and afterwards: those who assign customers read it."),
    },
)


@dataclass(frozen=True)
class ShowingOptions:
    """Options of what is hidden; whoever may assign customers sees all of it, and looks as often as they like.

    The name is never hidden: it is the identifying field that stays visible, by which ledger and warnings call a
    customer and lists are ordered.
    """

    hides_short_name: bool = option("P36", False, "Whether the short names of customers in the pool are hidden.")
    hides_contact_name: bool = option("P36", False, "Whether the contacts' names of customers in the pool are hidden.")
    hides_district: bool = option("P36", False, "Whether the districts of customers in the pool are hidden.")
    hides_phone: bool = option(
        "P36", True, "Whether the phone numbers of customers in the pool are hidden; how, phoneMasking says."
    )
    phone_masking: str = option(
        "P37",
        "before_claim",
        "When phone numbers are masked; one that is hidden is absent where they never are.",
        choices=PHONE_MASKING,
    )
    views_per_day: int | None = option(
        "P52",
        200,
        "Customers of the pool that a person may open by their ids in a local day; null: no limit.",
        least=1,
        most=100_000,
    )
