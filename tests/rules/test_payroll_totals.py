"""Totals that hide small groups, the plan's hash, differences between documents."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.kernel import uuid7_from
from saas.payroll.rules.canonical import canonical_hash
from saas.payroll.rules.differences import line_differences, replay_differences
from saas.payroll.rules.plans import PayslipState, PlanHasher, PlannedPayslip, RunPins, plan_hash
from saas.payroll.rules.totals import Counted, Dimension, Payee, TotalMeasure, Totals, hidden_groups
from tests.payroll_samples import EREWHON, PERSON, payslip

PEOPLE = [uuid7_from(number, number) for number in range(100, 160)]
RUN = uuid7_from(9, 9)
PINS = RunPins("v1", "erewhon", "1.0.0", "v1", {"rate": "0.1"})


def count(totals: Totals, number: int, department: UUID, base: str = "10000") -> None:
    payee = Payee(PEOPLE[number], PERSON.legal_entity_id, department)
    counted = Counted.of_document(payslip(pack=EREWHON, base=base).plain())
    assert Counted.of_text(counted.text) == counted
    totals.add(payee, counted)


def groups(*sizes: int) -> dict[str, list[UUID]]:
    people = iter(PEOPLE)
    return {f"g{place}": [next(people) for _ in range(size)] for place, size in enumerate(sizes)}


@pytest.mark.parametrize(
    ("sizes", "hidden"),
    [
        ((5, 6), set()),
        ((4, 6, 9), {"g0", "g1"}),  # 4 alone would be the whole less 6 and 9
        ((3, 2, 9), {"g0", "g1"}),  # five people behind the two: enough
        ((1, 1, 8, 7), {"g0", "g1", "g3"}),
        ((4,), {"g0"}),
        ((), set()),
    ],
)
def test_small_groups_are_hidden_and_can_not_be_found_from_the_others(sizes: tuple[int, ...], hidden: set[str]) -> None:
    assert hidden_groups(groups(*sizes)) == hidden


def test_one_person_in_two_hidden_groups_counts_once() -> None:
    people = PEOPLE[:4]
    assert hidden_groups({"bonus": people, "travel": people, "meal": PEOPLE[:8]}) == {"bonus", "travel", "meal"}


@given(st.lists(st.integers(1, 12), max_size=5))
def test_behind_hidden_groups_there_are_five_people_or_everybody(sizes: list[int]) -> None:
    made = groups(*sizes)
    hidden = hidden_groups(made)
    assert {key for key, who in made.items() if len(who) < 5} <= hidden
    behind = sum(len(made[key]) for key in hidden)
    assert not hidden or behind >= 5 or hidden == set(made)


def test_totals_are_the_sums_of_the_lines() -> None:
    north, south = uuid7_from(1, 51), uuid7_from(1, 52)
    totals = Totals()
    for number in range(6):
        count(totals, number, north, base=str(9000 + number))
    for number in range(6, 12):
        count(totals, number, south)
    shown = {(each.dimension, each.key, each.measure): (each.people, each.amount) for each in totals.shown()}
    entity = PERSON.legal_entity_id.hex
    # north: 9,000 no bonus; 9,001…9,005 5 % of it, at most 450
    basic = 9000 * 6 + 15 + 60000
    assert shown[Dimension.COMPONENT, "basic_pay", TotalMeasure.AMOUNT] == (12, Decimal(basic))
    assert shown[Dimension.COMPONENT, "meal", TotalMeasure.AMOUNT] == (12, Decimal(440 * 12))
    assert shown[Dimension.COMPONENT, "erewhon.fund", TotalMeasure.AMOUNT] == (12, Decimal("9121.20"))
    assert shown[Dimension.LEGAL_ENTITY, entity, TotalMeasure.CONTRIBUTIONS] == (12, Decimal("9121.20"))
    assert shown[Dimension.DEPARTMENT, south.hex, TotalMeasure.GROSS] == (6, Decimal("65340.00"))
    net = [shown[Dimension.DEPARTMENT, each.hex, TotalMeasure.NET][1] for each in (north, south)]
    assert sum(filter(None, net)) == shown[Dimension.LEGAL_ENTITY, entity, TotalMeasure.NET][1]
    assert (Dimension.COMPONENT, "ratio", TotalMeasure.AMOUNT) not in shown


LINES = st.lists(
    st.tuples(
        st.sampled_from(["EARNING", "DEDUCTION", "CONTRIBUTION", "TAX", "EMPLOYER_COST"]),
        st.sampled_from(["basic_pay", "meal", "commission"]),
        st.decimals(min_value=-9_999, max_value=99_999, places=2).map(str),
    ),
    max_size=5,
)


@given(st.lists(st.tuples(st.sampled_from(PEOPLE[:3]), st.sampled_from(PEOPLE[:2]), LINES), min_size=5, max_size=30))
def test_totals_are_those_of_adding_line_by_line(staff: list[tuple[UUID, UUID, list[tuple[str, str, str]]]]) -> None:
    totals, sums, people = Totals(), defaultdict[object, Decimal](Decimal), defaultdict[object, set[int]](set)
    for number, (department, entity, lines) in enumerate(staff):
        counted = Counted("1000.01", "900.02", "300.03", tuple(lines))
        totals.add(Payee(PEOPLE[10 + number], entity, department), counted)
        of_kind = [(kind, Decimal(amount)) for kind, _, amount in lines]
        measures = {
            TotalMeasure.GROSS: Decimal("1000.01"),
            TotalMeasure.NET: Decimal("900.02"),
            TotalMeasure.EMPLOYER_COST: Decimal("300.03"),
            TotalMeasure.TAX: sum((amount for kind, amount in of_kind if kind == "TAX"), Decimal(0)),
            TotalMeasure.CONTRIBUTIONS: sum((amount for kind, amount in of_kind if kind == "CONTRIBUTION"), Decimal(0)),
        }
        for key in ((Dimension.LEGAL_ENTITY, entity.hex), (Dimension.DEPARTMENT, department.hex)):
            for measure, amount in measures.items():
                sums[*key, measure] += amount
                people[*key, measure].add(number)
        for _, code, line_amount in lines:
            sums[Dimension.COMPONENT, code, TotalMeasure.AMOUNT] += Decimal(line_amount)
            people[Dimension.COMPONENT, code, TotalMeasure.AMOUNT].add(number)
    shown = totals.shown()
    assert {(each.dimension, each.key, each.measure): each.people for each in shown} == {
        key: len(who) for key, who in people.items()
    }
    assert all(each.amount in (None, sums[each.dimension, each.key, each.measure]) for each in shown)
    few = {each.key for each in shown if each.people < 5}
    assert {each.key for each in shown if each.amount is None} >= few


def test_totals_of_people_of_whom_no_two_have_the_same_lines() -> None:
    totals, count_of = Totals(), 2_100
    for number in range(count_of):
        counted = Counted("3.00", "2.00", "1.00", (("EARNING", "basic_pay", "2.00"), ("EARNING", f"c{number}", "1.00")))
        totals.add(Payee(uuid7_from(number, number), PEOPLE[0], PEOPLE[1]), counted)
    shown = {(each.dimension, each.key, each.measure): (each.people, each.amount) for each in totals.shown()}
    assert len(shown) == count_of + 1 + 10
    assert shown[Dimension.COMPONENT, "basic_pay", TotalMeasure.AMOUNT] == (count_of, Decimal(2 * count_of))
    assert shown[Dimension.DEPARTMENT, PEOPLE[1].hex, TotalMeasure.GROSS] == (count_of, Decimal(3 * count_of))
    assert shown[Dimension.COMPONENT, "c7", TotalMeasure.AMOUNT] == (1, None)


def test_totals_of_four_people_have_no_amount() -> None:
    totals = Totals()
    for number in range(4):
        count(totals, number, PERSON.department_id)
    assert {each.amount for each in totals.shown()} == {None}
    assert {each.people for each in totals.shown()} == {4}


def planned(number: int, state: PayslipState = PayslipState.OK, inputs: str = "i", slip: str = "s") -> PlannedPayslip:
    return PlannedPayslip(PEOPLE[number], inputs, slip, state)


def test_the_plan_hash_covers_everything_and_no_order() -> None:
    plan = [planned(0), planned(1)]
    hashed = plan_hash(RUN, PINS, plan)
    assert plan_hash(RUN, PINS, reversed(plan)) == hashed
    others = [
        plan_hash(PEOPLE[5], PINS, plan),
        plan_hash(RUN, replace(PINS, calculation="v2"), plan),
        plan_hash(RUN, replace(PINS, pack_version="1.0.1"), plan),
        plan_hash(RUN, replace(PINS, pack_settings={"rate": "0.2"}), plan),
        plan_hash(RUN, PINS, plan[:1]),
        plan_hash(RUN, PINS, [planned(0), planned(2)]),
        plan_hash(RUN, PINS, [planned(0), planned(1, PayslipState.EXCLUDED)]),
        plan_hash(RUN, PINS, [planned(0), planned(1, inputs="j")]),
        plan_hash(RUN, PINS, [planned(0), planned(1, slip="t")]),
    ]
    assert len({hashed, *others}) == 10


def test_line_differences_name_what_is_new_changed_and_gone() -> None:
    before, after = payslip(base="8000").plain(), payslip(pack=EREWHON).plain()
    before["lines"].append({"code": "prize", "titles": {}, "amount": "5.00"})
    found = {each.code: (each.before, each.after, each.change) for each in line_differences(before, after)}
    assert found == {
        "basic_pay": (Decimal(8000), Decimal(10000), Decimal(2000)),
        "bonus": (Decimal(0), Decimal(450), Decimal(450)),
        "training": (Decimal(120), Decimal(150), Decimal(30)),
        "erewhon.fund": (None, Decimal(800), Decimal(800)),
        "erewhon.tax": (None, Decimal(965), Decimal(965)),
        "erewhon.fund_employer": (None, Decimal(1200), Decimal(1200)),
        "prize": (Decimal(5), None, Decimal(-5)),
    }
    assert line_differences(after, after) == ()
    assert len(line_differences(None, after)) == len(after["lines"])


def test_replay_names_the_place_of_each_difference() -> None:
    one, other = payslip().plain(), payslip(base="8000").plain()
    assert replay_differences(one, one) == ()
    found = replay_differences(one, other)
    assert "lines.0.amount" in found
    assert "net" in found
    assert "paysOn" not in found
    assert replay_differences({"a": [1]}, {"a": [1, 2], "b": 1}) == ("a", "b")


def test_a_plan_is_hashed_in_the_order_of_its_employments() -> None:
    hasher = PlanHasher(RUN, PINS)
    hasher.add(planned(1))
    with pytest.raises(ValueError, match="order"):
        hasher.add(planned(0))
    hasher.add(planned(2))
    assert hasher.hexdigest() == plan_hash(RUN, PINS, [planned(2), planned(1)])
    parts = [
        [each.employment_id.hex, each.inputs_digest, each.payslip_digest, "ok"] for each in (planned(1), planned(2))
    ]
    whole = {"run": RUN.hex, "pins": PINS.plain(), "payslips": parts}
    assert hasher.hexdigest() == canonical_hash(whole), "the hash that approvals of the past name"
