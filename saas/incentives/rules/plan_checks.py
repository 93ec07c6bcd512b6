"""What a plan may not be, found in one pass when it is saved: every problem, each with its path.

Terms that contradict each other:

=============  ============  =================  ==========================================================
measure        anchor        release            why it is refused
=============  ============  =================  ==========================================================
signed         collection    any                a signed amount is known, and its rate fixed, at signing
collected      signing       any                a rate fixed at signing goes with the measure signed
collected      collection    at signing         nothing has been collected at signing
collected      collection    by stage           stages share out a total, which receipts do not have yet
signed         signing       any, with the VAT rate of collection: there is no receipt to take it from
any            any           by stage without stages, or stages without release by stage
=============  ============  =================  ==========================================================

Allowed are: signed and released at signing, at collection or by stage; collected and released at collection. Further, a
fixed amount per unit needs the measure signed (a receipt has no units), a rule by stage the measure collected (at
signing there is no stage), tiers of a target a window of a period or a year (an order has no target).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import combinations, pairwise

from saas.incentives.errors import PlanRefused
from saas.incentives.rules.choice import AXES, specificity
from saas.incentives.rules.exact import plain
from saas.incentives.rules.plans import (
    LimitKind,
    Match,
    Measure,
    Moment,
    Plan,
    PlanVersion,
    Release,
    Rule,
    Scope,
    Window,
)
from saas.incentives.rules.tiers import Flat, PerUnit, Shape, Tiers, rate_problems, tier_problems
from saas.kernel import AppError, AppErrors, Period, Scalar


def check_plan(plan: Plan) -> Plan:
    """The same plan.

    :raises AppErrors: with every `PlanRefused` and `TiersRefused` found, each with its path.
    """
    problems = [*plan_problems(plan)]
    if problems:
        raise AppErrors(problems)
    return plan


def plan_problems(plan: Plan) -> Iterator[AppError]:
    """Everything that is wrong with a plan."""
    yield from _term_problems(plan)
    yield from _sequence_problems(plan)
    for place, version in enumerate(plan.versions):
        for problem in _version_problems(plan, version):
            yield problem.at("versions", str(place), *problem.field)


def _term_problems(plan: Plan) -> Iterator[AppError]:
    if plan.measure is Measure.SIGNED and plan.anchor is Moment.COLLECTION:
        yield PlanRefused("incentives.signed_anchored_at_collection", field=("anchor",))
    if plan.measure is Measure.COLLECTED and plan.anchor is Moment.SIGNING:
        yield PlanRefused("incentives.collected_anchored_at_signing", field=("anchor",))
    if plan.measure is Measure.COLLECTED and plan.release is not Release.AT_COLLECTION:
        values = {"release": plan.release.value}
        yield PlanRefused("incentives.collected_released_otherwise", values, field=("release",))
    if plan.measure is Measure.SIGNED and plan.vat_rate_at is Moment.COLLECTION:
        yield PlanRefused("incentives.signed_with_vat_of_collection", field=("vatRateAt",))


def _sequence_problems(plan: Plan) -> Iterator[AppError]:
    if not plan.versions:
        yield PlanRefused("incentives.plan_without_version", field=("versions",))
    for place, (version, following) in enumerate(pairwise(plan.versions), 1):
        at = ("versions", str(place), "effective")
        until = version.effective.until
        values: dict[str, Scalar] = {
            "version": version.number,
            "until": "∞" if until is None else until.isoformat(),
            "next_version": following.number,
            "since": following.effective.first.isoformat(),
        }
        if until is None or until > following.effective.first:
            yield PlanRefused("incentives.versions_overlap", values, field=at)
        elif until < following.effective.first:
            yield PlanRefused("incentives.versions_apart", values, field=at)
        if following.number <= version.number:
            yield PlanRefused("incentives.version_numbers_unordered", values, field=("versions", str(place), "number"))


def _version_problems(plan: Plan, version: PlanVersion) -> Iterator[AppError]:
    if not version.rules:
        yield PlanRefused("incentives.version_without_rule", {"version": version.number}, field=("rules",))
    for code in _repeated(rule.code for rule in version.rules):
        yield PlanRefused("incentives.rule_code_repeated", {"code": code}, field=("rules",))
    for place, rule in enumerate(version.rules):
        for problem in _rule_problems(plan, version, rule):
            yield problem.at("rules", str(place), *problem.field)
    yield from _tie_problems(version)
    yield from _stage_problems(plan, version)
    yield from _limit_problems(version)
    yield from _grade_problems(version)
    if version.new_customer_days is not None and version.new_customer_days < 1:
        values: dict[str, Scalar] = {"days": version.new_customer_days}
        yield PlanRefused("incentives.new_customer_days_too_few", values, field=("newCustomerDays",))
    if version.override is not None:
        for problem in _shape_problems(plan, version.override.shape):
            yield problem.at("override", "shape", *problem.field)


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _rule_problems(plan: Plan, version: PlanVersion, rule: Rule) -> Iterator[AppError]:
    for problem in _shape_problems(plan, rule.shape):
        yield problem.at("shape", *problem.field)
    match, named = rule.match, {"rule": rule.title}
    if rule.during is not None and not _within(rule.during, version.effective):
        yield PlanRefused("incentives.rule_outside_version", named, field=("during",))
    if match.kind is not None and version.new_customer_days is None:
        yield PlanRefused("incentives.kind_without_window", named | {"kind": match.kind.value}, field=("match", "kind"))
    if match.stage is not None and plan.measure is Measure.SIGNED:
        yield PlanRefused("incentives.stage_at_signing", named | {"stage": match.stage}, field=("match", "stage"))
    if match.product is not None and match.product in version.commission_free:
        values = named | {"product": match.product}
        yield PlanRefused("incentives.rule_for_commission_free", values, field=("match", "product"))
    since, upto = match.amount_from or Decimal(0), match.amount_to
    if since < 0 or (upto is not None and upto <= since):
        values = named | {"since": plain(since), "upto": "∞" if upto is None else plain(upto)}
        yield PlanRefused("incentives.amount_band_empty", values, field=("match", "amountFrom"))


def _within(inner: Period, outer: Period) -> bool:
    return inner.overlap(outer) == inner


def _shape_problems(plan: Plan, shape: Shape) -> Iterator[AppError]:
    match shape:
        case Flat():
            yield from rate_problems(shape.rate, "rate")
        case PerUnit():
            if shape.amount < 0:
                yield PlanRefused("incentives.unit_amount_negative", {"amount": plain(shape.amount)}, field=("amount",))
            if plan.measure is Measure.COLLECTED:
                yield PlanRefused("incentives.units_of_receipts", {"amount": plain(shape.amount)}, field=("amount",))
        case Tiers():
            yield from tier_problems(shape)
            if shape.of_target and plan.window is Window.ORDER:
                yield PlanRefused("incentives.target_of_an_order", field=("ofTarget",))


def _tie_problems(version: PlanVersion) -> Iterator[AppError]:
    """Rules that ask on the same axes and have a deal in common: nothing could say which of them pays it."""
    for (place, rule), (later, other) in combinations(enumerate(version.rules), 2):
        if rule.award is not other.award or specificity(rule.match) != specificity(other.match):
            continue
        example = _common_example(version, rule, other)
        if example is not None:
            values: dict[str, Scalar] = {"rule": rule.title, "other": other.title, "place": place, "example": example}
            yield PlanRefused("incentives.rules_tie", values, field=("rules", str(later)))


def _common_example(version: PlanVersion, rule: Rule, other: Rule) -> str | None:
    """A deal that both rules fit, as ``day, axis value, …``; None where there is none."""
    days = (rule.during or version.effective).overlap(other.during or version.effective)
    amount = _common_amount(rule.match, other.match)
    named = [axis for axis in AXES if axis.name != "amount"]
    if days is None or amount is None or any(axis.asked(rule.match) != axis.asked(other.match) for axis in named):
        return None
    asked = [f"{axis.name} {value}" for axis in named if (value := axis.asked(rule.match)) is not None]
    return ", ".join([days.first.isoformat(), *asked, f"amount {plain(amount)}"])


def _common_amount(one: Match, other: Match) -> Decimal | None:
    since = max(one.amount_from or Decimal(0), other.amount_from or Decimal(0))
    ends = [end for end in (one.amount_to, other.amount_to) if end is not None]
    return None if ends and min(ends) <= since else since


def _stage_problems(plan: Plan, version: PlanVersion) -> Iterator[AppError]:
    if (plan.release is Release.BY_STAGE) != bool(version.stages):
        values: dict[str, Scalar] = {"release": plan.release.value, "stages": len(version.stages)}
        yield PlanRefused("incentives.stages_and_release_differ", values, field=("stages",))
    for name in _repeated(stage.name for stage in version.stages):
        yield PlanRefused("incentives.stage_repeated", {"stage": name}, field=("stages",))
    for place, stage in enumerate(version.stages):
        if stage.share <= 0:
            values = {"stage": stage.name, "share": plain(stage.share)}
            yield PlanRefused("incentives.stage_share_not_positive", values, field=("stages", str(place)))
    total = sum((stage.share for stage in version.stages), Decimal(0))
    if version.stages and total != 1:
        yield PlanRefused("incentives.stages_not_whole", {"sum": plain(total)}, field=("stages",))


def _limit_problems(version: PlanVersion) -> Iterator[AppError]:
    for place, limit in enumerate(version.limits):
        values: dict[str, Scalar] = {"amount": plain(limit.amount)}
        if limit.amount < 0:
            yield PlanRefused("incentives.limit_negative", values, field=("limits", str(place)))
        if limit.kind is LimitKind.GUARANTEE and limit.scope is Scope.ORDER:
            yield PlanRefused("incentives.guarantee_of_an_order", values, field=("limits", str(place)))
    caps = [limit.amount for limit in version.limits if limit.kind is LimitKind.CAP and limit.scope is Scope.PERIOD]
    guarantees = [limit.amount for limit in version.limits if limit.kind is LimitKind.GUARANTEE]
    if caps and guarantees and min(caps) < max(guarantees):
        values = {"cap": plain(min(caps)), "guarantee": plain(max(guarantees))}
        yield PlanRefused("incentives.cap_below_guarantee", values, field=("limits",))


def _grade_problems(version: PlanVersion) -> Iterator[AppError]:
    for place, grade in enumerate(version.grades):
        before = version.grades[place - 1].through_days if place else -1
        if grade.through_days <= before:
            values: dict[str, Scalar] = {"days": grade.through_days, "before": before}
            yield PlanRefused("incentives.grades_unordered", values, field=("grades", str(place)))
        yield from rate_problems(grade.share, "grades", str(place), "share")
    yield from rate_problems(version.grade_after, "gradeAfter")
