"""Why a line comes to its amount: order, credit, plan version, rule, inputs, formula with numbers, rounding."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from saas.incentives.rules.entries import Entry, Event
from saas.incentives.rules.exact import percent, plain, shown
from saas.incentives.rules.lines import Stream
from saas.incentives.rules.plans import Award, Plan
from saas.incentives.rules.tiers import Flat, PerUnit, Tiers
from saas.incentives.rules.windows import Earned, Point
from saas.kernel import Explanation

Parts = Iterator[Explanation]

_OWN_LINES = {Award.COMMISSION: "incentives.commission_line", Award.BONUS: "incentives.bonus_line"}


def explain_earned(earned: Earned, plan: Plan) -> Explanation:
    """The tree of a line that its event earned, or that releases share out."""
    entry, event = earned.entry, earned.entry.event
    values = {"deal": event.deal.id, "event": event.id, "on": event.on.isoformat(), "person": entry.person}
    is_own = entry.stream is Stream.OWN
    key = _OWN_LINES[entry.award] if is_own else "incentives.override_line"
    parts = (
        *_credit(entry),
        *_base(event, plan),
        _rule(entry, plan),
        *_formula(earned),
        *_rounding(earned, plan),
    )
    return Explanation(key, values, amount=str(earned.amount), source=event.id, parts=parts)


def _credit(entry: Entry) -> Parts:
    key = "incentives.credited" if entry.stream is Stream.OWN else "incentives.team_credited"
    values = {"person": entry.person, "share": percent(entry.share), "base": shown(entry.base)}
    yield Explanation(key, values, source=entry.event.deal.id)


def _base(event: Event, plan: Plan) -> Parts:
    if plan.with_vat:
        yield Explanation("incentives.base_with_vat", {"gross": shown(event.gross)}, amount=shown(event.base))
        return
    values = {"gross": shown(event.gross), "vat": plain(event.vat_rate), "base": shown(event.base)}
    yield Explanation("incentives.base_without_vat", values, amount=shown(event.base))


def _rule(entry: Entry, plan: Plan) -> Explanation:
    values: dict[str, str | int] = {
        "plan": plan.title,
        "version": entry.version.number,
        "since": entry.version.effective.first.isoformat(),
        "rule": entry.rule.title,
    }
    return Explanation("incentives.rule_chosen", values, parts=entry.rejected)


def _formula(earned: Earned) -> Parts:
    match earned.shape:
        case Flat(rate):
            values = {"base": shown(earned.base), "rate": percent(rate), "exact": shown(earned.exact)}
            yield Explanation("incentives.flat_formula", values, amount=shown(earned.exact))
        case PerUnit(amount):
            values = {"units": shown(earned.base), "each": plain(amount), "exact": shown(earned.exact)}
            yield Explanation("incentives.unit_formula", values, amount=shown(earned.exact))
        case Tiers() as tiers:
            assert earned.before is not None
            assert earned.after is not None
            yield _running("incentives.tiers_before", earned.before, tiers)
            yield _running("incentives.tiers_after", earned.after, tiers)
            difference = {"before": shown(earned.before.commission), "after": shown(earned.after.commission)}
            yield Explanation("incentives.tiers_difference", difference, amount=shown(earned.exact))


def _running(key: str, point: Point, tiers: Tiers) -> Explanation:
    values = {"base": shown(point.base), "commission": shown(point.commission)}
    parts = tuple(
        Explanation(
            "incentives.slice", {"part": shown(part), "rate": percent(rate)}, amount=shown(part * Fraction(rate))
        )
        for part, rate in tiers.slices(point.base)
    )
    return Explanation(key, values, amount=shown(point.commission), parts=parts)


def _rounding(earned: Earned, plan: Plan) -> Parts:
    values: dict[str, str | int] = {"exact": shown(earned.exact), "digits": plan.digits, "whole": str(earned.whole)}
    key = "incentives.rounded_totals" if earned.before is not None else "incentives.rounded"
    yield Explanation(key, values, amount=str(earned.whole))
    if earned.parts:
        shares = " : ".join(plain(part.share) for part in earned.entry.event.deal.credit.shares)
        divided = {"whole": str(earned.whole), "shares": shares, "parts": ", ".join(map(str, earned.parts))}
        yield Explanation("incentives.divided", divided, amount=str(earned.amount))


def explain_limit(key: str, *, total: Decimal, limit: Decimal, amount: Decimal) -> Explanation:
    """The tree of a line that a cap or guarantee adds."""
    return Explanation(key, {"total": str(total), "limit": plain(limit)}, amount=str(amount))
