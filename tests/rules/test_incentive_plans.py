"""What a plan may not say, found in one pass with paths; and the one text that a plan has."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.incentives import (
    Award,
    Clawback,
    CustomerKind,
    Cycle,
    Flat,
    Grade,
    Limit,
    LimitKind,
    Match,
    Measure,
    Moment,
    Override,
    Participant,
    PerUnit,
    Plan,
    PlanVersion,
    Release,
    Rule,
    Scope,
    Stage,
    Tiers,
    Window,
    canonical_text,
    check_plan,
    plan_of_plain,
    plan_plain,
)
from saas.incentives.errors import PlanRefused
from saas.kernel import AppErrors, Period
from tests.incentive_samples import LADDER, THREE_PERCENT, d, day, plan, rule, signed_plan, version


def problems(refused: Plan) -> list[tuple[str, str, dict[str, Any]]]:
    """Key, path and values of everything that is wrong."""
    with pytest.raises(AppErrors) as refusal:
        check_plan(refused)
    return [
        (error.key.removeprefix("incentives."), "/".join(error.field), error.values) for error in refusal.value.errors
    ]


ALLOWED = [
    (Measure.SIGNED, Moment.SIGNING, Release.AT_SIGNING),
    (Measure.SIGNED, Moment.SIGNING, Release.AT_COLLECTION),
    (Measure.SIGNED, Moment.SIGNING, Release.BY_STAGE),
    (Measure.COLLECTED, Moment.COLLECTION, Release.AT_COLLECTION),
]
STAGES = (Stage("sign", d("0.5")), Stage("accept", d("0.5")))


@pytest.mark.parametrize("measure", Measure)
@pytest.mark.parametrize("anchor", Moment)
@pytest.mark.parametrize("release", Release)
def test_terms_that_contradict_are_refused_and_no_others(measure: Measure, anchor: Moment, release: Release) -> None:
    stages = STAGES if release is Release.BY_STAGE else ()
    terms = plan(version(stages=stages), measure=measure, anchor=anchor, release=release)
    if (measure, anchor, release) in ALLOWED:
        assert check_plan(terms) is terms
        return
    found = {key for key, path, _ in problems(terms)}
    expected = set()
    if measure is Measure.SIGNED:
        expected = {"signed_anchored_at_collection"}
    if measure is Measure.COLLECTED and anchor is Moment.SIGNING:
        expected |= {"collected_anchored_at_signing"}
    if measure is Measure.COLLECTED and release is not Release.AT_COLLECTION:
        expected |= {"collected_released_otherwise"}
    assert found == expected


UP_TO_MAY, FROM_MAY, FROM_JUNE = Period(day("01-01"), day("05-01")), Period(day("05-01")), Period(day("06-01"))
BANDS = Tiers((d("0.8"),), (d("0"), d("0.02")), of_target=True)

REFUSED = [
    (
        signed_plan(vat_rate_at=Moment.COLLECTION),
        ("signed_with_vat_of_collection", "vatRateAt", {}),
    ),
    (replace(plan(), versions=()), ("plan_without_version", "versions", {})),
    (
        plan(version(effective=UP_TO_MAY), version(number=2, effective=FROM_JUNE)),
        (
            "versions_apart",
            "versions/1/effective",
            {"version": 1, "until": "2026-05-01", "next_version": 2, "since": "2026-06-01"},
        ),
    ),
    (
        plan(version(), version(number=2, effective=FROM_MAY)),
        (
            "versions_overlap",
            "versions/1/effective",
            {"version": 1, "until": "∞", "next_version": 2, "since": "2026-05-01"},
        ),
    ),
    (
        plan(version(effective=UP_TO_MAY), version(effective=FROM_MAY)),
        (
            "version_numbers_unordered",
            "versions/1/number",
            {"version": 1, "until": "2026-05-01", "next_version": 1, "since": "2026-05-01"},
        ),
    ),
    (plan(replace(version(), rules=())), ("version_without_rule", "versions/0/rules", {"version": 1})),
    (
        plan(version(rule(code="a"), rule(code="a", match=Match(level="A")))),
        ("rule_code_repeated", "versions/0/rules", {"code": "a"}),
    ),
    (
        plan(version(rule(during=UP_TO_MAY), effective=FROM_MAY)),
        ("rule_outside_version", "versions/0/rules/0/during", {"rule": "rule all"}),
    ),
    (
        plan(version(rule(match=Match(kind=CustomerKind.NEW)))),
        ("kind_without_window", "versions/0/rules/0/match/kind", {"rule": "rule all", "kind": "new"}),
    ),
    (
        signed_plan(version(rule(match=Match(stage="final")))),
        ("stage_at_signing", "versions/0/rules/0/match/stage", {"rule": "rule all", "stage": "final"}),
    ),
    (
        plan(version(rule(match=Match(product="gift")), commission_free=("gift",))),
        ("rule_for_commission_free", "versions/0/rules/0/match/product", {"rule": "rule all", "product": "gift"}),
    ),
    (
        plan(version(rule(match=Match(amount_from=d("5"), amount_to=d("5"))))),
        ("amount_band_empty", "versions/0/rules/0/match/amountFrom", {"rule": "rule all", "since": "5", "upto": "5"}),
    ),
    (
        signed_plan(version(rule(PerUnit(d("-1"))))),
        ("unit_amount_negative", "versions/0/rules/0/shape/amount", {"amount": "-1"}),
    ),
    (plan(version(rule(PerUnit(d("1"))))), ("units_of_receipts", "versions/0/rules/0/shape/amount", {"amount": "1"})),
    (
        plan(version(rule(BANDS)), window=Window.ORDER),
        ("target_of_an_order", "versions/0/rules/0/shape/ofTarget", {}),
    ),
    (plan(version(rule(Flat(d("3"))))), ("rate_out_of_range", "versions/0/rules/0/shape/rate", {"rate": "3"})),
    (
        plan(version(rule(replace(LADDER, cuts=(d("200"), d("100")))))),
        ("cuts_unordered", "versions/0/rules/0/shape/cuts/1", {"cut": "100", "before": "200"}),
    ),
    (
        plan(version(override=Override(Flat(d("1.5"))))),
        ("rate_out_of_range", "versions/0/override/shape/rate", {"rate": "1.5"}),
    ),
    (
        plan(version(stages=STAGES)),
        ("stages_and_release_differ", "versions/0/stages", {"release": "at_collection", "stages": 2}),
    ),
    (
        signed_plan(release=Release.BY_STAGE),
        ("stages_and_release_differ", "versions/0/stages", {"release": "by_stage", "stages": 0}),
    ),
    (
        signed_plan(version(stages=(STAGES[0], Stage("accept", d("0.499")))), release=Release.BY_STAGE),
        ("stages_not_whole", "versions/0/stages", {"sum": "0.999"}),
    ),
    (
        signed_plan(version(stages=(*STAGES, Stage("late", d("0")))), release=Release.BY_STAGE),
        ("stage_share_not_positive", "versions/0/stages/2", {"stage": "late", "share": "0"}),
    ),
    (
        signed_plan(version(stages=(STAGES[0], STAGES[0])), release=Release.BY_STAGE),
        ("stage_repeated", "versions/0/stages", {"stage": "sign"}),
    ),
    (
        plan(version(limits=(Limit(LimitKind.CAP, d("-1")),))),
        ("limit_negative", "versions/0/limits/0", {"amount": "-1"}),
    ),
    (
        plan(version(limits=(Limit(LimitKind.GUARANTEE, d("5"), Scope.ORDER),))),
        ("guarantee_of_an_order", "versions/0/limits/0", {"amount": "5"}),
    ),
    (
        plan(version(limits=(Limit(LimitKind.CAP, d("4")), Limit(LimitKind.GUARANTEE, d("5"))))),
        ("cap_below_guarantee", "versions/0/limits", {"cap": "4", "guarantee": "5"}),
    ),
    (
        plan(version(grades=(Grade(30, d("1")), Grade(30, d("0.5"))))),
        ("grades_unordered", "versions/0/grades/1", {"days": 30, "before": 30}),
    ),
    (plan(version(grade_after=d("50"))), ("rate_out_of_range", "versions/0/gradeAfter", {"rate": "50"})),
    (
        plan(version(new_customer_days=0)),
        ("new_customer_days_too_few", "versions/0/newCustomerDays", {"days": 0}),
    ),
]


@pytest.mark.parametrize(("refused", "problem"), REFUSED, ids=[problem[0] for _, problem in REFUSED])
def test_a_plan_that_contradicts_itself_is_refused(refused: Plan, problem: tuple[str, str, dict[str, Any]]) -> None:
    assert problems(refused) == [problem]


def test_all_problems_are_told_in_one_pass() -> None:
    wrong = version(rule(Flat(d("3"))), rule(Flat(d("5")), "b"), limits=(Limit(LimitKind.CAP, d("-1")),))
    found = [(key, path) for key, path, _ in problems(plan(wrong, anchor=Moment.SIGNING))]
    assert found == [
        ("collected_anchored_at_signing", "anchor"),
        ("rate_out_of_range", "versions/0/rules/0/shape/rate"),
        ("rate_out_of_range", "versions/0/rules/1/shape/rate"),
        ("rules_tie", "versions/0/rules/1"),
        ("limit_negative", "versions/0/limits/0"),
    ]


TIES = [
    (Match(level="A"), Match(level="A"), None, None, "2026-01-01, level A, amount 0"),
    (
        Match(product="crm", amount_from=d("0"), amount_to=d("100")),
        Match(product="crm", amount_from=d("50")),
        None,
        None,
        "2026-01-01, product crm, amount 50",
    ),
    (Match(), Match(), UP_TO_MAY, Period(day("04-30")), "2026-04-30, amount 0"),
    (Match(amount_to=d("100")), Match(amount_from=d("100")), None, None, None),
    (Match(level="A"), Match(level="B"), None, None, None),
    (Match(level="A"), Match(product="crm"), None, None, None),
    (Match(), Match(), UP_TO_MAY, FROM_MAY, None),
]


@pytest.mark.parametrize(("one", "other", "first", "second", "example"), TIES)
def test_rules_that_tie_are_refused_with_a_deal_that_both_fit(
    one: Match, other: Match, first: Period | None, second: Period | None, example: str | None
) -> None:
    rules = (rule(code="a", match=one, during=first), rule(code="b", match=other, during=second))
    if example is None:
        assert check_plan(plan(version(*rules)))
        return
    values = {"rule": "rule a", "other": "rule b", "place": 0, "example": example}
    assert problems(plan(version(*rules))) == [("rules_tie", "versions/0/rules/1", values)]
    bonus = replace(rules[1], award=Award.BONUS)
    assert check_plan(plan(version(rules[0], bonus)))


def test_the_json_of_a_plan_leaves_out_what_is_usual() -> None:
    terms = plan(version(Rule("all", "All", LADDER), new_customer_days=365))
    assert plan_plain(terms) == {
        "code": "sales",
        "title": "销售提成",
        "with_vat": True,
        "versions": [
            {
                "number": 1,
                "effective": {"first": "2026-01-01"},
                "rules": [
                    {
                        "code": "all",
                        "title": "All",
                        "shape": {"shape": "tiers", "cuts": ["100000", "200000"], "rates": ["0.03", "0.05", "0.08"]},
                    }
                ],
                "new_customer_days": 365,
            }
        ],
    }


_TEXT = st.text(min_size=1, max_size=8)
_NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=0, max_value=10**9)
_DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))
_PERIODS = st.builds(
    lambda first, days: Period(first, None if days is None else first + timedelta(days=days)),
    _DAYS,
    st.none() | st.integers(1, 900),
)
_NUMBER_LISTS = st.lists(_NUMBERS, max_size=3).map(tuple)
_SHAPES = (
    st.builds(Flat, _NUMBERS)
    | st.builds(PerUnit, _NUMBERS)
    | st.builds(Tiers, _NUMBER_LISTS, _NUMBER_LISTS, of_target=st.booleans())
)
_MATCHES = st.builds(
    Match,
    person=st.none() | _TEXT,
    kind=st.none() | st.sampled_from(CustomerKind),
    amount_from=st.none() | _NUMBERS,
)
_RULES = st.builds(Rule, _TEXT, _TEXT, _SHAPES, _MATCHES, st.sampled_from(Award), during=st.none() | _PERIODS)
_VERSIONS = st.builds(
    PlanVersion,
    st.integers(1, 99),
    _PERIODS,
    st.lists(_RULES, max_size=3).map(tuple),
    stages=st.lists(st.builds(Stage, _TEXT, _NUMBERS), max_size=2).map(tuple),
    new_customer_days=st.none() | st.integers(1, 900),
    commission_free=st.lists(_TEXT, max_size=2).map(tuple),
    clawback=st.sampled_from(Clawback),
    grades=st.lists(st.builds(Grade, st.integers(0, 90), _NUMBERS), max_size=2).map(tuple),
    limits=st.lists(st.builds(Limit, st.sampled_from(LimitKind), _NUMBERS, st.sampled_from(Scope)), max_size=2).map(
        tuple
    ),
    override=st.none() | st.builds(Override, st.builds(Flat, _NUMBERS), st.booleans()),
    participants=st.lists(st.builds(Participant, _TEXT, _PERIODS), max_size=2).map(tuple),
)
_PLANS = st.builds(
    Plan,
    _TEXT,
    _TEXT,
    st.lists(_VERSIONS, max_size=2).map(tuple),
    cycle=st.sampled_from(Cycle),
    measure=st.sampled_from(Measure),
    with_vat=st.booleans(),
    window=st.sampled_from(Window),
)


@given(terms=_PLANS)
def test_a_plan_survives_storing(terms: Plan) -> None:
    text = canonical_text(terms)
    stored = plan_of_plain(json.loads(text))
    assert stored == terms
    assert canonical_text(stored) == text


def test_equal_plans_have_one_text_and_others_another() -> None:
    terms = plan(version(rule(Flat(d("0.03")))))
    assert canonical_text(terms) == canonical_text(plan(version(rule(Flat(d("0.0300"))))))
    assert canonical_text(terms) != canonical_text(plan(version(rule(Flat(d("0.0301"))))))


def changed(path: str, value: Any) -> Any:
    """The JSON of a plan with one member set."""
    whole = json.loads(canonical_text(plan(version(rule(LADDER)))))
    place = whole
    *way, last = path.split("/")
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[last] = value
    return whole


MALFORMED = [
    ("colour", "red", "plan_member_unknown", "colour", {"member": "colour"}),
    ("versions/0/rules/0/shape/shape", "spiral", "plan_member_malformed", "versions/0/rules/0/shape/shape", None),
    ("versions/0/rules/0/shape/cuts", ["x"], "plan_member_malformed", "versions/0/rules/0/shape/cuts/0", None),
    ("versions/0/rules/0/shape/cuts", ["NaN"], "plan_member_malformed", "versions/0/rules/0/shape/cuts/0", None),
    ("versions/0/rules/0/shape/cuts", [0.1], "plan_member_malformed", "versions/0/rules/0/shape/cuts/0", None),
    ("versions/0/rules/0/award", "medal", "plan_member_malformed", "versions/0/rules/0/award", None),
    ("versions/0/effective/until", "2026-01-01", "plan_member_malformed", "versions/0/effective", None),
    ("versions/0/effective/first", "01/02/2026", "plan_member_malformed", "versions/0/effective/first", None),
    ("versions/0/number", True, "plan_member_malformed", "versions/0/number", None),
    ("versions", {}, "plan_member_malformed", "versions", {"given": "{}", "kind": "list"}),
    ("versions/0/rules/0", None, "plan_member_malformed", "versions/0/rules/0", None),
]


@pytest.mark.parametrize(("path", "value", "key", "at", "values"), MALFORMED)
def test_json_that_is_no_plan_is_refused_at_its_path(
    path: str, value: Any, key: str, at: str, values: dict[str, str] | None
) -> None:
    whole = changed(path, value) if not path.endswith("rules/0") else changed("versions/0/rules", [value])
    with pytest.raises(PlanRefused) as refusal:
        plan_of_plain(whole)
    assert (refusal.value.key, "/".join(refusal.value.field)) == (f"incentives.{key}", at)
    assert values is None or refusal.value.values == values


def test_a_missing_member_is_named() -> None:
    whole = changed("title", "x")
    del whole["versions"][0]["rules"][0]["code"]
    with pytest.raises(PlanRefused) as refusal:
        plan_of_plain(whole)
    assert (refusal.value.key, refusal.value.field) == (
        "incentives.plan_member_missing",
        ("versions", "0", "rules", "0", "code"),
    )


def test_the_version_of_a_day_begins_on_its_first() -> None:
    first, second = version(effective=UP_TO_MAY), version(rule(THREE_PERCENT), number=2, effective=FROM_MAY)
    terms = check_plan(plan(first, second))
    assert [terms.version_on(on) for on in (day("04-30"), day("05-01"), date(2025, 12, 31))] == [first, second, None]
    assert terms.version_of(Period(day("04-01"), day("06-01"))) is second
    assert Decimal("0.5") == replace(first, grades=(Grade(3, d("0.5")),)).clawed_share(3)
