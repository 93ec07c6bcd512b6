"""What is reported without stopping the calculation; a blocking finding keeps a payslip from being closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A fact in the pack's locales with its values; `amount` is by how much the rule is missed (yuan or hours)."""

    key: str
    args: Mapping[str, str]
    amount: Decimal
    is_blocking: bool = False
