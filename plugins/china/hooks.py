"""The pack at work in payroll: what a period's terms are, and which lines the law adds to a payslip."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from plugins.china.errors import CalculationUnknown
from plugins.china.settings import Settings
from plugins.china.tables.holidays import HOLIDAYS
from plugins.china.v1 import payslips as v1
from plugins.china.v1 import writing as v1_writing
from plugins.china.v1.calendar import WorkCalendar
from saas.sdk import AppError, PackResult, PackTask, PackTerms, PayFacts, Period, Refusal, StatutoryWriter, hookimpl

CALCULATIONS: Mapping[str, Callable[[PayFacts, Settings], PackResult]] = {"v1": v1.statutory}
WRITERS: Mapping[str, Callable[[PackTask, Settings], v1_writing.Writer]] = {"v1": v1_writing.Writer}
NEWEST = "v1"


@hookimpl
def pack_terms(period: Period, legal_entity_id: UUID, settings: Settings) -> PackTerms | Refusal | None:
    """The pay days of the published calendar. Refused for a legal entity that the settings don't place."""
    try:
        settings.entity(legal_entity_id)
        days = tuple(WorkCalendar(HOLIDAYS).paid_days(period))
    except AppError as refused:
        return Refusal(refused.key, refused.values)
    rows = sorted({HOLIDAYS[day.year].id for day in days})
    return PackTerms(calculation=NEWEST, pay_days=days, rows=tuple(rows))


@hookimpl
def statutory_lines(facts: PayFacts, settings: Settings) -> PackResult | Refusal | None:
    """Contributions, income tax and what limits of wages are missed, by the version that the run pinned."""
    try:
        calculate = CALCULATIONS.get(facts.calculation)
        if calculate is None:
            raise CalculationUnknown("china.calculation_unknown", {"version": facts.calculation})
        return calculate(facts, settings)
    except AppError as refused:
        return Refusal(refused.key, refused.values)


@hookimpl
def statutory_writer(task: PackTask, settings: Settings) -> StatutoryWriter | None:
    """What writes the lines of a run; None where no payslip of it can be computed: `statutory_lines` says why."""
    prepare = WRITERS.get(task.calculation)
    try:
        return None if prepare is None else StatutoryWriter(prepare(task, settings).write)
    except AppError:
        return None
