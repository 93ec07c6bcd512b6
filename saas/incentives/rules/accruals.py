"""From facts and a plan to the lines of a period (计提), and from late facts to what they change.

The lines depend on the facts alone: not on their order, and not on whether people are calculated together or apart.
Where order matters it is event time, then id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from saas.incentives.rules.clawbacks import clawed_back
from saas.incentives.rules.entries import entries_of
from saas.incentives.rules.facts import Facts, check_facts
from saas.incentives.rules.limits import capped_by_order, limited_in_period
from saas.incentives.rules.lines import Accrual, Cause
from saas.incentives.rules.plans import Plan
from saas.incentives.rules.releases import released
from saas.incentives.rules.windows import earn, grouped
from saas.kernel import Explanation, Period, month_of


def accrue(facts: Facts, plan: Plan, *, period: Period, people: Collection[str] | None = None) -> tuple[Accrual, ...]:
    """The lines of a period, in the order of events; `people` limits whose, and changes none of them.

    `facts` are complete for the period and for what its events refer to (see `saas.incentives.rules.facts`); `plan` has
    passed `check_plan`.

    :raises AppErrors: with every `FactRefused` and `SharesRefused` found.
    :raises TargetMissing: tiers of a target, and somebody has none.
    :raises ValueError: the period is none of the plan's cycle.
    """
    return accrue_each(facts, plan, periods=[period], people=people)[period]


def accrue_each(
    facts: Facts, plan: Plan, *, periods: Iterable[Period], people: Collection[str] | None = None
) -> dict[Period, tuple[Accrual, ...]]:
    """As `accrue`, for several periods at once: what is worked out for all of them is worked out once."""
    wanted = [*periods]
    for period in wanted:
        if plan.cycle.period_of(period.first) != period:
            raise ValueError(f"{period} is no {plan.cycle.value}")
    check_facts(facts, plan)
    entries = entries_of(facts, plan, people=people)
    targets = facts.targets_by_person()
    earned = [line for window in grouped(entries, plan).values() for line in earn(window, plan, targets)]
    paid = [*released(earned, facts, plan)]
    lines = capped_by_order([*paid, *clawed_back(entries, paid, facts, plan)], plan)
    by_period: dict[Period, list[Accrual]] = defaultdict(list)
    for line in lines:
        by_period[plan.cycle.period_of(line.on)].append(line)
    return {
        period: tuple(
            sorted(limited_in_period(by_period[period], plan, period, people=people), key=lambda line: line.place)
        )
        for period in wanted
    }


def adjustments(
    recomputed: Iterable[Accrual], stored: Iterable[Accrual], *, on: date, at: datetime
) -> tuple[Accrual, ...]:
    """What late facts change in a locked period, as lines of the open one, dated `on`.

    For each line: recomputed less all that is stored for it, earlier adjustments too. A line that is no longer there
    counts as 0, as does one that was not. The stored lines stay as they are.
    """
    was = [*stored]
    known: dict[str, Accrual] = {_subject(line): line for line in was if line.cause is Cause.ADJUSTED}
    known |= {line.key: line for line in was if line.cause is not Cause.ADJUSTED}
    posted: dict[str, Decimal] = defaultdict(Decimal)
    for line in was:
        posted[_subject(line)] += line.amount
    new = {line.key: line for line in recomputed}
    wanted = {key: new[key].amount if key in new else Decimal(0) for key in sorted(posted.keys() | new.keys())}
    return tuple(
        _adjustment(key, (known | new)[key], amount, posted[key], on=on, at=at)
        for key, amount in wanted.items()
        if amount != posted[key]
    )


def _subject(line: Accrual) -> str:
    """The key of the line that a line is about: an adjustment's is that of the line it adjusts."""
    return line.of or "" if line.cause is Cause.ADJUSTED else line.key


def _adjustment(key: str, line: Accrual, wanted: Decimal, posted: Decimal, *, on: date, at: datetime) -> Accrual:
    amount = wanted - posted
    month = line.explanation.args["month"] if line.cause is Cause.ADJUSTED else month_of(line.on)
    values = {"month": month, "event": line.event, "posted": str(posted), "recomputed": str(wanted)}
    why = Explanation("incentives.adjusted", values, amount=str(amount), source=line.event, parts=(line.explanation,))
    return replace(line, cause=Cause.ADJUSTED, of=key, on=on, at=at, amount=amount, explanation=why)
