"""Lines depend on the facts alone: shuffled, in one or in many batches, they are the same to the last byte."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from saas.incentives import (
    Accrual,
    Award,
    Clawback,
    Facts,
    Flat,
    Limit,
    LimitKind,
    Match,
    Override,
    Plan,
    Release,
    Scope,
    Shape,
    TeamSpell,
    Window,
    accrue,
    check_plan,
)
from tests.incentive_samples import (
    APRIL,
    LADDER,
    MARCH,
    SINCE_2026,
    WHOLE_LADDER,
    d,
    deal,
    plan,
    receipt,
    refund,
    rule,
    signed_plan,
    version,
)

PEOPLE = ("mei", "bo", "li", "chen")
CREDITS = ("mei", "bo", "mei 0.6, bo 0.4", "li 1, mei 1, bo 1", "chen 0.125, li 0.875")
TEAMS = (TeamSpell("chen", "mei", SINCE_2026), TeamSpell("chen", "bo", SINCE_2026), TeamSpell("bo", "li", SINCE_2026))
_FEN = st.integers(100, 150_000_00).map(lambda fen: Decimal(fen).scaleb(-2))


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    """Deals of March with receipts and refunds of March and April, many at the same instant."""
    deals, receipts, refunds = [], [], []
    for number in range(draw(st.integers(1, 5))):
        name = f"D{number}"
        parts = draw(st.lists(_FEN, min_size=1, max_size=3))
        product = draw(st.sampled_from(["crm", "box"]))
        deals.append(deal(name, str(sum(parts)), "03-02", draw(st.sampled_from(CREDITS)), product=product))
        for place, amount in enumerate(parts):
            on = draw(st.sampled_from(["03-10", "03-11", "04-05"]))
            receipts.append(receipt(f"R{number}{place}", name, str(amount), on))
        if draw(st.booleans()):
            refunds.append(refund(f"B{number}", name, str(min(parts)), draw(st.sampled_from(["04-05", "04-20"]))))
    return Facts(tuple(deals), tuple(receipts), tuple(refunds), teams=TEAMS)


SHAPES: tuple[Shape, ...] = (LADDER, WHOLE_LADDER, Flat(d("0.0333")))
CRM_SHAPES: tuple[Shape, ...] = (LADDER, Flat(d("0.07")))
OVERRIDES = (Override(LADDER), Override(Flat(d("0.005"))))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Plans of every window, release and clawback, with a bonus, an override and limits."""
    shape = draw(st.sampled_from(SHAPES))
    crm = rule(draw(st.sampled_from(CRM_SHAPES)), "crm", match=Match(product="crm"))
    bonus = rule(Flat(d("0.01")), "bonus", match=Match(product="box"), award=Award.BONUS)
    limits = (Limit(LimitKind.CAP, d("9000")), Limit(LimitKind.CAP, d("4000"), Scope.ORDER))
    only = version(
        rule(shape),
        crm,
        bonus,
        clawback=draw(st.sampled_from(Clawback)),
        override=draw(st.sampled_from(OVERRIDES)),
        limits=limits if draw(st.booleans()) else (),
    )
    terms = {"window": draw(st.sampled_from(Window)), "with_vat": draw(st.booleans())}
    if draw(st.booleans()):
        return check_plan(plan(only, **terms))
    return check_plan(signed_plan(only, release=Release.AT_COLLECTION, **terms))


def canonical(lines: tuple[Accrual, ...]) -> list[str]:
    """Lines with everything that is in them, explanations too."""
    return [
        json.dumps([line.key, str(line.at), str(line.base), str(line.amount), line.rule, line.explanation.plain()])
        for line in lines
    ]


def both_months(given_facts: Facts, terms: Plan, people: tuple[str, ...] | None = None) -> list[str]:
    """The lines of March and April."""
    return [
        text for month in (MARCH, APRIL) for text in canonical(accrue(given_facts, terms, period=month, people=people))
    ]


@settings(max_examples=60, deadline=None)
@given(given_facts=facts(), terms=plans(), seed=st.integers(0, 10**6))
def test_shuffled_facts_give_the_same_lines_in_the_same_order(given_facts: Facts, terms: Plan, seed: int) -> None:
    generator = random.Random(seed)

    def shuffled(members: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(generator.sample(members, len(members)))

    mixed = Facts(
        deals=shuffled(given_facts.deals),  # type: ignore[arg-type]
        receipts=shuffled(given_facts.receipts),  # type: ignore[arg-type]
        refunds=shuffled(given_facts.refunds),  # type: ignore[arg-type]
        teams=shuffled(given_facts.teams),  # type: ignore[arg-type]
    )
    assert both_months(mixed, terms) == both_months(given_facts, terms)


@settings(max_examples=40, deadline=None)
@given(given_facts=facts(), terms=plans(), cut=st.integers(0, 4))
def test_people_calculated_apart_get_the_lines_they_get_together(given_facts: Facts, terms: Plan, cut: int) -> None:
    apart = both_months(given_facts, terms, PEOPLE[:cut]) + both_months(given_facts, terms, PEOPLE[cut:])
    assert sorted(apart) == sorted(both_months(given_facts, terms))


@settings(max_examples=40, deadline=None)
@given(given_facts=facts(), terms=plans())
def test_orders_calculated_apart_get_the_lines_they_get_together(given_facts: Facts, terms: Plan) -> None:
    by_order = replace(terms, window=Window.ORDER, versions=(replace(terms.versions[0], limits=()),))
    apart = [
        text
        for one in given_facts.deals
        for text in both_months(
            replace(
                given_facts,
                deals=(one,),
                receipts=tuple(r for r in given_facts.receipts if r.deal == one.id),
                refunds=tuple(r for r in given_facts.refunds if r.deal == one.id),
            ),
            by_order,
        )
    ]
    assert sorted(apart) == sorted(both_months(given_facts, by_order))


@settings(max_examples=40, deadline=None)
@given(given_facts=facts(), terms=plans())
def test_keys_tell_lines_apart(given_facts: Facts, terms: Plan) -> None:
    lines = [line for month in (MARCH, APRIL) for line in accrue(given_facts, terms, period=month)]
    assert len({line.key for line in lines}) == len(lines)


@settings(max_examples=40, deadline=None)
@given(given_facts=facts(), terms=plans())
def test_later_events_do_not_change_the_lines_of_an_earlier_month(given_facts: Facts, terms: Plan) -> None:
    in_march = tuple(r for r in given_facts.receipts if r.on in MARCH)
    until_april = replace(given_facts, receipts=in_march, refunds=())
    assert canonical(accrue(until_april, terms, period=MARCH)) == canonical(accrue(given_facts, terms, period=MARCH))
