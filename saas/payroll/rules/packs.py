"""What a country pack is asked and answers: typed facts in, typed lines out. Pure values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID

from saas.kernel import Explanation, Localised, Period
from saas.payroll.rules.structures import ComponentKind, Nature


class StatutoryKind(Enum):
    """What a pack's line does: an employee's share, a tax, or what the employer bears on top."""

    CONTRIBUTION = "CONTRIBUTION"
    TAX = "TAX"
    EMPLOYER_COST = "EMPLOYER_COST"


@dataclass(frozen=True, slots=True)
class PackTerms:
    """What a pack says of a period when a run is opened.

    `calculation` is the version of its calculations that the run pins; `pay_days` are the days that a month's wage pays
    for; `rows` are the ids of the rows that it looked up.
    """

    calculation: str
    pay_days: tuple[date, ...]
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PaidAmount:
    """A gross line as packs see it; always EARNING or DEDUCTION."""

    code: str
    kind: ComponentKind
    nature: Nature
    is_taxed: bool
    amount: Decimal


class GrossLine(NamedTuple):
    """What is known of a gross line before anybody's amounts are."""

    code: str
    kind: ComponentKind
    nature: Nature
    is_taxed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PayFacts:
    """What is known of one person's pay in one period, before anything statutory.

    `calculation` is the version that the run pinned. `days_due` are the period's pay days, `days_paid` those that are
    paid. `year_to_date` is what the pack gave last in the tax year of `pays_on`, at this legal entity; None: nothing
    yet.
    """

    calculation: str
    legal_entity_id: UUID
    employee_id: UUID
    period: Period
    pays_on: date
    currency: str
    employed: tuple[Period, ...]
    days_due: int
    days_paid: Decimal
    base_salary: Decimal | None
    amounts: tuple[PaidAmount, ...]
    declarations: Mapping[str, Any]
    year_to_date: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatutoryLine:
    """One line of a pack; `code` begins with the pack's name and a dot, `amount` has the currency's digits."""

    code: str
    titles: Localised
    kind: StatutoryKind
    amount: Decimal
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Finding:
    """A fact that is reported with a payslip; a blocking one keeps it from being paid. `args` hold no personal data
    but amounts, which are sealed with the payslip."""

    key: str
    args: Mapping[str, str | int | None] = field(default_factory=dict)
    is_blocking: bool = False

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {"key": self.key, "args": dict(self.args), "isBlocking": self.is_blocking}


@dataclass(frozen=True, slots=True, kw_only=True)
class PackResult:
    """A pack's lines for one payslip. `year_to_date` is JSON without floats, handed back with the next payslip of the
    tax year; `rows` are the ids of all parameter rows that were used."""

    lines: tuple[StatutoryLine, ...]
    year_to_date: Mapping[str, Any]
    rows: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LineForm:
    """A statutory line of which only values differ from person to person: made once, used for all of them.

    `explanation` holds `mark(name)` in the place of each text that differs; where its parts do, there are two forms.
    """

    code: str
    titles: Localised
    kind: StatutoryKind
    explanation: Explanation


class WrittenLine(NamedTuple):
    """A line of one person: the form, the amount, and a text for each mark of the form.

    Texts are digits, days and the like: printable ASCII without quotes and backslashes. A person for whom they are not,
    or one is missing, is left to `statutory`.
    """

    form: LineForm
    amount: Decimal
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenResult:
    """What `PackResult` holds, with lines by their forms."""

    lines: tuple[WrittenLine, ...]
    year_to_date: Mapping[str, Any]
    rows: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class StatutoryWriter:
    """Writes the statutory lines of one run's people; what it gives is what `statutory` gives, byte by byte.

    `write` answers None of somebody whom it does not foresee, or who can't be paid: `statutory` is asked then, and is
    the one that says why.
    """

    write: Callable[[PayFacts], WrittenResult | None]


@dataclass(frozen=True, slots=True)
class PackTask:
    """What the payslips of a run and a structure share, as far as a pack is concerned.

    `gross` are the lines whose amounts each `PayFacts` holds, in this order; lines of settled commission, which are
    taxed ordinary earnings, follow them.
    """

    calculation: str
    legal_entity_id: UUID
    period: Period
    pays_on: date
    currency: str
    gross: tuple[GrossLine, ...]


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack at work in one run: its name, its version, the version of its calculations, and how it is asked.

    `statutory` raises `AppError` where a payslip can't be computed. `writer` gives what writes a run's lines from
    forms, None where the pack does not.
    """

    name: str
    version: str
    calculation: str
    statutory: Callable[[PayFacts], PackResult]
    writer: Callable[[PackTask], StatutoryWriter | None] = lambda _: None
