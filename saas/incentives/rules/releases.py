"""When what was earned becomes payable: with its event, with each receipt, with each stage.

What is released in steps is rounded step by step, and the last step takes the remainder: the receipt that completes the
contract, or the last stage of the version's list. Earlier steps are never changed for it, and none releases more than
is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from saas.incentives.rules.exact import decimal_of, plain, rounded_ratio
from saas.incentives.rules.explaining import explain_earned
from saas.incentives.rules.facts import Facts, Receipt, StageReached, by_deal
from saas.incentives.rules.lines import Accrual, Cause
from saas.incentives.rules.plans import Measure, Plan, Release, Stage
from saas.incentives.rules.windows import Earned
from saas.kernel import Explanation


def released_at_once(plan: Plan) -> bool:
    """Whether an event's commission is payable with the event itself."""
    return plan.measure is Measure.COLLECTED or plan.release is Release.AT_SIGNING


def released(earned: list[Earned], facts: Facts, plan: Plan) -> Iterator[Accrual]:
    """The payable lines of what was earned, of all time."""
    receipts, stages = by_deal(facts.receipts), by_deal(facts.stages)
    for line in earned:
        deal = line.entry.event.deal.id
        if released_at_once(plan):
            yield _at_once(line, plan)
        elif plan.release is Release.AT_COLLECTION:
            yield from _by_receipts(line, receipts.get(deal, []), plan)
        else:
            yield from _by_stages(line, stages.get(deal, []), plan)


def _at_once(line: Earned, plan: Plan) -> Accrual:
    entry, event = line.entry, line.entry.event
    return Accrual(
        person=entry.person,
        stream=entry.stream,
        award=entry.award,
        cause=Cause.EARNED,
        plan=plan.code,
        version=entry.version.number,
        rule=entry.rule.code,
        deal=event.deal.id,
        event=event.id,
        of=None,
        at=event.at,
        on=event.on,
        base=decimal_of(entry.base),
        amount=line.amount,
        currency=plan.currency,
        explanation=explain_earned(line, plan),
    )


def _by_receipts(line: Earned, receipts: list[Receipt], plan: Plan) -> Iterator[Accrual]:
    contract = line.entry.event.deal.amount
    collected, left = Decimal(0), line.amount
    for receipt in receipts:
        if collected >= contract:
            return
        counted = min(receipt.amount, contract - collected)
        collected += counted
        fraction = Fraction(counted) / Fraction(contract)
        part = (
            left if collected == contract else min(rounded_ratio(Fraction(line.amount) * fraction, plan.digits), left)
        )
        left -= part
        key = "incentives.released_last" if collected == contract else "incentives.released_by_receipt"
        values = {"receipt": plain(receipt.amount), "contract": plain(contract), "whole": str(line.amount)}
        yield _release(line, receipt, plan, fraction, part, Explanation(key, values, amount=str(part)))


def _by_stages(line: Earned, reached: list[StageReached], plan: Plan) -> Iterator[Accrual]:
    parts = stage_parts(line.amount, line.entry.version.stages, digits=plan.digits)
    shares = {stage.name: stage.share for stage in line.entry.version.stages}
    done: set[str] = set()
    for stage in reached:
        if stage.stage in done or stage.stage not in parts:
            continue
        done.add(stage.stage)
        share, part = shares[stage.stage], parts[stage.stage]
        values = {"stage": stage.stage, "share": plain(share), "whole": str(line.amount)}
        why = Explanation("incentives.released_by_stage", values, amount=str(part))
        yield _release(line, stage, plan, Fraction(share), part, why)


def stage_parts(total: Decimal, stages: tuple[Stage, ...], *, digits: int = 2) -> dict[str, Decimal]:
    """What each stage releases of a total, by its name; the last of the list takes the remainder."""
    left, parts = total, {}
    for stage in stages[:-1]:
        part = min(rounded_ratio(Fraction(total) * Fraction(stage.share), digits), left)
        parts[stage.name] = part
        left -= part
    return parts | {stages[-1].name: left}


def _release(
    line: Earned, step: Receipt | StageReached, plan: Plan, fraction: Fraction, part: Decimal, why: Explanation
) -> Accrual:
    entry = line.entry
    values = {"deal": entry.event.deal.id, "event": step.id, "on": step.on.isoformat(), "person": entry.person}
    tree = (why, explain_earned(line, plan))
    return Accrual(
        person=entry.person,
        stream=entry.stream,
        award=entry.award,
        cause=Cause.RELEASED,
        plan=plan.code,
        version=entry.version.number,
        rule=entry.rule.code,
        deal=entry.event.deal.id,
        event=step.id,
        of=entry.event.id,
        at=step.at,
        on=step.on,
        base=decimal_of(entry.base * fraction),
        amount=part,
        currency=plan.currency,
        explanation=Explanation("incentives.release_line", values, amount=str(part), source=step.id, parts=tree),
    )
