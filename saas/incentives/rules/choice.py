"""Which rule an event is paid by: the most specific one, by a fixed order of axes.

The order is person, customer (named, level, new or old), product (variant, product, category), channel, amount, stage:
a rule that asks something on an earlier axis beats all that do not, whatever they ask on later ones. Two rules that ask
on the same axes and can both fit one deal on one day are refused when the plan is saved, so a choice is never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from saas.incentives.rules.exact import plain, shown
from saas.incentives.rules.plans import CustomerKind, Match, Rule
from saas.kernel import Explanation, Localised


@dataclass(frozen=True, slots=True)
class Subject:
    """What rules are asked about: one event, for one participant. `amount` is the whole order's."""

    person: str
    customer: str
    level: str | None
    kind: CustomerKind | None
    variant: str | None
    product: str | None
    category: str | None
    channel: str | None
    amount: Fraction
    stage: str | None
    on: date


@dataclass(frozen=True, slots=True)
class Axis:
    """One thing that a rule may ask: what it asks, as a text, and whether a subject has it."""

    name: str
    title: Localised
    asked: Callable[[Match], str | None]
    actual: Callable[[Subject], str | None]


def _plain_axis(name: str, english: str, chinese: str) -> Axis:
    def text_of(holder: Match | Subject) -> str | None:
        value = getattr(holder, name)
        return value.value if isinstance(value, CustomerKind) else value

    return Axis(name, {"en": english, "zh-CN": chinese}, text_of, text_of)


def _band(match: Match) -> str | None:
    if match.amount_from is None and match.amount_to is None:
        return None
    return f"[{plain(match.amount_from or Decimal(0))}, {'∞' if match.amount_to is None else plain(match.amount_to)})"


AXES: tuple[Axis, ...] = (
    _plain_axis("person", "person", "人员"),
    _plain_axis("customer", "customer", "客户"),
    _plain_axis("level", "customer level", "客户级别"),
    _plain_axis("kind", "new or old customer", "新老客户"),
    _plain_axis("variant", "product variant", "产品规格"),
    _plain_axis("product", "product", "产品"),
    _plain_axis("category", "product category", "产品类别"),
    _plain_axis("channel", "channel", "渠道"),
    Axis("amount", {"en": "amount", "zh-CN": "金额"}, _band, lambda subject: shown(subject.amount)),
    _plain_axis("stage", "stage", "阶段"),
)


def specificity(match: Match) -> tuple[bool, ...]:
    """On which axes a rule asks something, in their order; of two that fit, the greater one is chosen."""
    return tuple(axis.asked(match) is not None for axis in AXES)


def in_band(match: Match, amount: Fraction) -> bool:
    """Whether an order's amount is in the rule's half-open band."""
    return (match.amount_from is None or amount >= match.amount_from) and (
        match.amount_to is None or amount < match.amount_to
    )


def unmet(rule: Rule, subject: Subject) -> Axis | None:
    """The first axis on which the subject is not what the rule asks; None where the rule fits."""
    return next((axis for axis in AXES if not _meets(axis, rule.match, subject)), None)


def _meets(axis: Axis, match: Match, subject: Subject) -> bool:
    if axis.name == "amount":
        return in_band(match, subject.amount)
    asked = axis.asked(match)
    return asked is None or asked == axis.actual(subject)


@dataclass(frozen=True, slots=True)
class Choice:
    """The rule chosen (None: none fits), and why each of the others was not."""

    rule: Rule | None
    rejected: tuple[Explanation, ...]


def choose(rules: Iterable[Rule], subject: Subject) -> Choice:
    """The most specific of the rules that fit, which all are of one award."""
    candidates = [*rules]
    fitting = [rule for rule in candidates if _in_time(rule, subject.on) and unmet(rule, subject) is None]
    chosen = max(fitting, key=lambda rule: specificity(rule.match), default=None)
    return Choice(chosen, tuple(_rejections(candidates, chosen, subject)))


def _in_time(rule: Rule, day: date) -> bool:
    return rule.during is None or day in rule.during


def _rejections(candidates: Iterable[Rule], chosen: Rule | None, subject: Subject) -> Iterator[Explanation]:
    for rule in candidates:
        if rule is chosen:
            continue
        axis = unmet(rule, subject)
        if not _in_time(rule, subject.on):
            yield Explanation("incentives.rule_not_in_time", {"rule": rule.title, "on": subject.on.isoformat()})
        elif axis is not None:
            asked, actual = axis.asked(rule.match), axis.actual(subject)
            values = {"rule": rule.title, "axis": axis.title, "asked": asked, "actual": actual or "-"}
            yield Explanation("incentives.rule_does_not_fit", values)
        elif chosen is not None:
            first = next(axis for axis, more, less in _compared(chosen.match, rule.match) if more and not less)
            values = {"rule": rule.title, "chosen": chosen.title, "axis": first.title}
            yield Explanation("incentives.rule_less_specific", values)


def _compared(chosen: Match, other: Match) -> Iterator[tuple[Axis, bool, bool]]:
    return zip(AXES, specificity(chosen), specificity(other), strict=True)
