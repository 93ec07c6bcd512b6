"""What changed against the payslip before: per line, from the documents alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from saas.kernel import Localised


@dataclass(frozen=True, slots=True)
class LineDifference:
    """One component of one person; an amount is None where the payslip has no such line."""

    code: str
    titles: Localised
    before: Decimal | None
    after: Decimal | None

    @property
    def change(self) -> Decimal:
        """After less before; what is not there counts 0."""
        return (self.after or Decimal(0)) - (self.before or Decimal(0))


def line_differences(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> tuple[LineDifference, ...]:
    """The lines of a payslip that are not what they were, in the order of the payslip; `before` None: all are new."""
    old, new = _by_code(before or {}), _by_code(after)
    titles = {line["code"]: line["titles"] for document in (before or {}, after) for line in document.get("lines", ())}
    codes = [*new, *(code for code in old if code not in new)]
    found = (LineDifference(code, titles[code], old.get(code), new.get(code)) for code in codes)
    return tuple(each for each in found if each.before != each.after)


def replay_differences(stored: Mapping[str, Any], computed: Mapping[str, Any], place: str = "") -> tuple[str, ...]:
    """The places at which two documents differ, as paths such as ``lines.3.amount``; none for equal ones."""
    if isinstance(stored, Mapping) and isinstance(computed, Mapping):
        found: list[str] = []
        for key in sorted({*stored, *computed}):
            inner = f"{place}.{key}" if place else key
            if key not in stored or key not in computed:
                found.append(inner)
            else:
                found += replay_differences(stored[key], computed[key], inner)
        return tuple(found)
    if isinstance(stored, list) and isinstance(computed, list) and len(stored) == len(computed):
        pairs = enumerate(zip(stored, computed, strict=True))
        return tuple(path for at, (one, two) in pairs for path in replay_differences(one, two, f"{place}.{at}"))
    return () if stored == computed else (place,)


def _by_code(document: Mapping[str, Any]) -> dict[str, Decimal]:
    """Amount by code; several lines of one code (commission) are added up."""
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for line in document.get("lines", ()):
        amounts[line["code"]] += Decimal(line["amount"])
    return dict(amounts)
