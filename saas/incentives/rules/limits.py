"""Caps (封顶) and guarantees (保底), each a line of its own, so that what they take and add is seen.

They apply after all rules of their scope, in the order that the version lists. A cap follows the running total, so its
lines name the events that passed it and a refund gives room again. A clawback of another period's event is no part of
what a period's limits bound: it would use up a guarantee, or make room under a cap.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time
from decimal import Decimal

from saas.incentives.rules.explaining import explain_limit
from saas.incentives.rules.lines import Accrual, Cause, Stream
from saas.incentives.rules.plans import Award, Limit, LimitKind, Plan, PlanVersion, Scope
from saas.kernel import Period, rounded


def capped_by_order(lines: Sequence[Accrual], plan: Plan) -> list[Accrual]:
    """The lines of all time with those that the caps of orders add; the version of an order's first line rules."""
    versions = {version.number: version for version in plan.versions}
    added = [
        cap
        for group in _groups(lines, lambda line: (line.person, line.deal))
        for place, limit in _limits(versions[group[0].version], Scope.ORDER, plan)
        for cap in _caps(group, limit, place)
    ]
    return [*lines, *added]


def limited_in_period(
    lines: Sequence[Accrual], plan: Plan, period: Period, *, people: Collection[str] | None
) -> list[Accrual]:
    """The lines of one period with those that its caps and guarantees add."""
    version = plan.version_of(period)
    result = [*lines]
    for place, limit in _limits(version, Scope.PERIOD, plan) if version else ():
        groups = {group[0].person: group for group in _groups(_bounded(result), lambda line: line.person)}
        if limit.kind is LimitKind.CAP:
            result += [cap for group in groups.values() for cap in _caps(group, limit, place)]
        elif version is not None:
            for person in sorted(groups.keys() | _taking_part(version, period, people)):
                result += _guarantee(person, groups.get(person, []), limit, place, version, plan, period)
    return result


def _limits(version: PlanVersion, scope: Scope, plan: Plan) -> Iterator[tuple[int, Limit]]:
    """The limits of a scope with their places, their amounts with just the digits of the currency."""
    for place, limit in enumerate(version.limits):
        if limit.scope is scope:
            yield place, replace(limit, amount=rounded(limit.amount, plan.digits))


def _groups(lines: Iterable[Accrual], key: Callable[[Accrual], Hashable]) -> list[list[Accrual]]:
    groups: dict[Hashable, list[Accrual]] = defaultdict(list)
    for line in sorted(lines, key=lambda line: line.place):
        groups[key(line)].append(line)
    return [*groups.values()]


def _bounded(lines: Sequence[Accrual]) -> list[Accrual]:
    """All lines but the clawbacks of events that none of the lines is of."""
    earned = [line for line in lines if line.cause in {Cause.EARNED, Cause.RELEASED}]
    events = {line.event for line in earned} | {line.of for line in earned}
    return [line for line in lines if line.cause is not Cause.CLAWED_BACK or line.of in events]


def _caps(group: Sequence[Accrual], limit: Limit, place: int) -> Iterator[Accrual]:
    """For each line by which the running total passes the cap, or comes back under it, the difference."""
    if limit.kind is not LimitKind.CAP:
        return
    total = Decimal(0)
    for line in group:
        before, total = total, total + line.amount
        amount = min(total, limit.amount) - min(before, limit.amount) - line.amount
        if amount:
            why = explain_limit("incentives.capped", total=total, limit=limit.amount, amount=amount)
            of = f"limits/{place}/{line.cause.value}/{line.of or ''}"
            yield replace(line, cause=Cause.CAPPED, of=of, base=Decimal(0), amount=amount, explanation=why)


def _taking_part(version: PlanVersion, period: Period, people: Collection[str] | None) -> set[str]:
    """Who is named in the version in this period: a guarantee is theirs without any deal."""
    named = {taking.person for taking in version.participants if taking.during.overlap(period) is not None}
    return named if people is None else named & set(people)


def _guarantee(
    person: str,
    group: Sequence[Accrual],
    limit: Limit,
    place: int,
    version: PlanVersion,
    plan: Plan,
    period: Period,
) -> Iterator[Accrual]:
    total = sum((line.amount for line in group), Decimal(0))
    last = period.last
    if total >= limit.amount or last is None:
        return
    amount = limit.amount - total
    yield Accrual(
        person=person,
        stream=Stream.OWN,
        award=Award.COMMISSION,
        cause=Cause.GUARANTEED,
        plan=plan.code,
        version=version.number,
        rule="guarantee",
        deal=None,
        event=period.first.isoformat(),
        of=f"limits/{place}",
        at=datetime.combine(last, time.max, tzinfo=UTC),
        on=last,
        base=Decimal(0),
        amount=amount,
        currency=plan.currency,
        explanation=explain_limit("incentives.guaranteed", total=total, limit=limit.amount, amount=amount),
    )
