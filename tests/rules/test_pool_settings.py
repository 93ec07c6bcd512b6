"""A pool's settings: what they take, what a change moves, and that they come back from the database as they were."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import saas
from saas.customers import OPTIONS, LevelDays, PoolSettings, RecycleCondition, Subject
from saas.customers.recycling import FollowUpKind, OwnershipFacts, RecycleFacts, recycle_verdict
from saas.customers.settings import due_of_new_holding, settings_of
from saas.kernel import AppErrors, Catalogue
from tests.rules.allocation_samples import person_id

DAY = date(2026, 11, 23)
CATALOGUE = Catalogue.of(["saas.customers"])


@pytest.mark.parametrize(
    ("wanted", "field", "values"),
    [
        ({"claim_limit": 201}, "claimLimit", {"given": 201, "least": 0, "most": 200}),
        ({"holding_limit": -1}, "holdingLimit", {"given": -1, "least": 0, "most": 10_000}),
        ({"cooldown_days": 366}, "cooldownDays", {"given": 366, "least": 0, "most": 365}),
        ({"protection_days": 3651}, "protectionDays", {"given": 3651, "least": 0, "most": 3650}),
        ({"recycle_follow_up_days": 0}, "recycleFollowUpDays", {"given": 0, "least": 1, "most": 3650}),
        ({"recycle_deal_days": 0}, "recycleDealDays", {"given": 0, "least": 1, "most": 3650}),
        ({"recycle_opportunity_days": 0}, "recycleOpportunityDays", {"given": 0, "least": 1, "most": 3650}),
        ({"opportunity_moves_within_days": 0}, "opportunityMovesWithinDays", {"given": 0, "least": 1, "most": 3650}),
        ({"recycle_dealt_follow_up_days": 0}, "recycleDealtFollowUpDays", {"given": 0, "least": 1, "most": 3650}),
        ({"recycle_decline_days": 3651}, "recycleDeclineDays", {"given": 3651, "least": 1, "most": 3650}),
        ({"recycle_contract_end_days": 0}, "recycleContractEndDays", {"given": 0, "least": 1, "most": 3650}),
        ({"grace_days": 0}, "graceDays", {"given": 0, "least": 1, "most": 90}),
        ({"reminder_days": (-1,)}, "reminderDays", {"given": -1, "least": 0, "most": 3650}),
        ({"reminder_days": (1, 2, 3, 4, 5, 6)}, "reminderDays", {"given": 6, "least": 0, "most": 5}),
        ({"follow_up_kinds": ()}, "followUpKinds", {"given": 0, "least": 1, "most": 10}),
        ({"follow_up_kinds": (FollowUpKind("Call!"),)}, "followUpKinds", {"kind": "Call!"}),
        (
            {"follow_up_kinds": (FollowUpKind("call", 86_401),)},
            "followUpKinds",
            {"given": 86_401, "least": 0, "most": 86_400},
        ),
    ],
)
def test_what_is_out_of_range_is_named(wanted: dict[str, Any], field: str, values: dict[str, object]) -> None:
    with pytest.raises(AppErrors) as refused:
        PoolSettings().changed(wanted, valid_from=DAY)
    (fault,) = refused.value.errors
    assert (fault.field, fault.values) == ((field,), values)


@pytest.mark.parametrize(
    ("wanted", "field", "key"),
    [
        (
            {"recycle_deal_days": None, "recycle_deal_days_by_level": (LevelDays("A", 5),)},
            ("recycleDealDaysByLevel",),
            "customers.pool_levels_of_no_rule",
        ),
        (
            {"recycle_follow_up_days_by_level": (LevelDays("A", 5), LevelDays("A", 6))},
            ("recycleFollowUpDaysByLevel", "1", "level"),
            "customers.pool_level_refused",
        ),
        (
            {"recycle_follow_up_days_by_level": (LevelDays(" ", 5),)},
            ("recycleFollowUpDaysByLevel", "0", "level"),
            "customers.pool_level_refused",
        ),
        (
            {"recycle_follow_up_days_by_level": (LevelDays("A", 3651),)},
            ("recycleFollowUpDaysByLevel", "0", "days"),
            "customers.pool_rule_out_of_range",
        ),
        (
            {"recycle_follow_up_days_by_level": tuple(LevelDays(str(n), 9) for n in range(51))},
            ("recycleFollowUpDaysByLevel",),
            "customers.pool_rule_out_of_range",
        ),
        ({"release_reasons": ("无需求", "无需求")}, ("releaseReasons", "1"), "customers.pool_word_refused"),
        ({"release_reasons": ("",)}, ("releaseReasons", "0"), "customers.pool_word_refused"),
        ({"release_reasons": ("x" * 51,)}, ("releaseReasons", "0"), "customers.pool_word_refused"),
        (
            {"release_reasons": tuple(map(str, range(31)))},
            ("releaseReasons",),
            "customers.pool_rule_out_of_range",
        ),
        ({"protection_days": 31}, ("protectionDays",), "customers.pool_protection_beyond_rule"),
        ({"recycle_opportunity_days": 2}, ("protectionDays",), "customers.pool_protection_beyond_rule"),
        ({"recycle_dealt_follow_up_days": 2}, ("protectionDays",), "customers.pool_protection_beyond_rule"),
        ({"recycle_decline_days": 2}, ("protectionDays",), "customers.pool_protection_beyond_rule"),
        ({"recycle_contract_end_days": 2}, ("protectionDays",), "customers.pool_protection_beyond_rule"),
        (
            {"recycle_opportunity_days_by_level": (LevelDays("A", 5),)},
            ("recycleOpportunityDaysByLevel",),
            "customers.pool_levels_of_no_rule",
        ),
        (
            {"recycle_follow_up_days_by_level": (LevelDays("A", 2),)},
            ("protectionDays",),
            "customers.pool_protection_beyond_rule",
        ),
    ],
)
def test_what_contradicts_is_named(wanted: dict[str, Any], field: tuple[str, ...], key: str) -> None:
    with pytest.raises(AppErrors) as refused:
        PoolSettings().changed(wanted, valid_from=DAY)
    assert [(fault.field, fault.key) for fault in refused.value.errors] == [(field, key)]


def test_a_protection_as_long_as_the_rule_is_taken() -> None:
    assert PoolSettings().changed({"protection_days": 30}, valid_from=DAY).protection_days == 30


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(AppErrors) as refused:
        PoolSettings().changed({"claim_limit": -1, "grace_days": 91}, valid_from=DAY)
    assert [fault.field for fault in refused.value.errors] == [("claimLimit",), ("graceDays",)]


@pytest.mark.parametrize(
    ("wanted", "not_before"),
    [
        ({"claim_limit": 3, "reminder_days": (5,), "shows_names": False, "cooldown_days": 1}, None),
        ({"recycle_follow_up_days": 30}, None),
        ({"recycle_follow_up_days": 20}, DAY + timedelta(days=7)),
        ({"recycle_deal_days": None, "grace_days": 1}, DAY + timedelta(days=1)),
        ({"protection_days": 0, "grace_days": 90}, DAY + timedelta(days=90)),
    ],
)
def test_only_what_moves_due_dates_begins_a_grace(wanted: dict[str, Any], not_before: date | None) -> None:
    """P27, L28: a change seizes nothing before the grace is over."""
    assert PoolSettings().changed(wanted, valid_from=DAY) == replace(PoolSettings(), **wanted, not_before=not_before)


levels = st.lists(st.builds(LevelDays, st.sampled_from("ABC"), st.integers(1, 90)), max_size=3).map(tuple)
settings = st.builds(
    PoolSettings,
    claim_limit=st.integers(0, 200),
    protection_days=st.integers(0, 60),
    recycle_follow_up_days=st.none() | st.integers(1, 90),
    recycle_deal_days=st.none() | st.integers(1, 400),
    dealt_exempt=st.booleans(),
    recycle_opportunity_days=st.none() | st.integers(1, 90),
    follow_up_opportunity_exempt=st.booleans(),
    recycle_dealt_follow_up_days=st.none() | st.integers(1, 90),
    recycle_decline_days=st.none() | st.integers(1, 90),
    recycle_contract_end_days=st.none() | st.integers(1, 90),
    reminder_days=st.lists(st.integers(0, 30), max_size=5).map(tuple),
    follow_up_kinds=st.lists(
        st.builds(FollowUpKind, st.sampled_from(("call", "note")), st.integers(0, 99)), min_size=1, max_size=3
    ).map(tuple),
    recycle_follow_up_days_by_level=levels,
    release_reasons=st.lists(st.sampled_from(("无需求", "竞品", "倒闭")), unique=True).map(tuple),
    recycle_deal_days_by_level=levels,
    recycle_conditions=st.none()
    | st.lists(
        st.builds(RecycleCondition, st.sampled_from((Subject.HELD, Subject.CREATED)), st.integers(1, 90))
        | st.just(RecycleCondition(Subject.STAGE, 5, ("engaging",))),
        min_size=1,
        max_size=3,
    ).map(tuple),
    recycle_conditions_join=st.sampled_from(("all", "any")),
    recycle_conditions_records=st.sampled_from(("all", "claimed", "entered")),
    not_before=st.none() | st.dates(DAY, DAY + timedelta(days=90)),
)


@given(settings)
def test_settings_come_back_as_they_were_stored(each: PoolSettings) -> None:
    assert settings_of(each.text()) == each


before = st.none() | st.dates(DAY - timedelta(days=400), DAY)


@given(
    settings, before, st.none() | st.dates(DAY - timedelta(400), DAY + timedelta(400)), before, st.sampled_from("AD")
)
def test_a_new_holding_is_due_as_the_verdict_says(
    each: PoolSettings, deal: date | None, contract: date | None, past: date | None, level: str
) -> None:
    """An older follow-up or ownership never counts for a new holding (L20)."""
    former = OwnershipFacts(person_id(1), None, DAY - timedelta(days=90), DAY)
    facts = RecycleFacts(
        (former, OwnershipFacts(person_id(2), None, DAY)),
        last_deal_on=deal,
        contract_ended_on=contract,
        created_on=past,
        declined_on=past,
        level=level,
    )
    verdict = recycle_verdict(facts, each.recycle_rules(), DAY)
    due = due_of_new_holding(
        each,
        received_on=DAY,
        last_deal_on=deal,
        level=level,
        contract_ended_on=contract,
        declined_on=past,
        created_on=past,
    )
    assert due.on == verdict.due_on
    assert due.rule == (verdict.clock and verdict.clock.rule.value)


def test_differences_are_told_by_name() -> None:
    after = PoolSettings().changed({"recycle_deal_days": None, "reminder_days": (5,)}, valid_from=DAY)
    assert after.differences(PoolSettings()) == {
        "recycle_deal_days": [180, None],
        "reminder_days": ["[7, 3, 1]", "[5]"],
        "not_before": [None, '"2026-11-30"'],
    }


def test_each_option_says_what_it_means_in_both_languages() -> None:
    for name, each in OPTIONS.items():
        key = f"customers.option.{name}"
        assert CATALOGUE.text("en", key) == each.declared.doc
        assert CATALOGUE.has("zh-CN", key)
        assert each.declared.doc.endswith(".")


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_each_option_comes_back_from_the_database_as_it_was(name: str) -> None:
    default = getattr(PoolSettings(), name)
    assert getattr(settings_of(PoolSettings().text()), name) == default
    assert getattr(settings_of("{}"), name) == default


@pytest.mark.parametrize("time", ["00:00", "02:00", "23:00"])
def test_a_night_may_begin_until_an_hour_before_midnight(time: str) -> None:
    """P26."""
    assert PoolSettings().changed({"recycle_time": time}, valid_from=DAY).recycle_time == time


@pytest.mark.parametrize(
    ("time", "key"), [("23:01", "pool_time_too_late"), ("23:59", "pool_time_too_late"), ("2:00", "pool_time_malformed")]
)
def test_a_night_that_could_miss_its_day_is_refused(time: str, key: str) -> None:
    with pytest.raises(AppErrors) as refused:
        PoolSettings().changed({"recycle_time": time}, valid_from=DAY)
    assert [(fault.key, fault.field) for fault in refused.value.errors] == [(f"customers.{key}", ("recycleTime",))]


def test_the_documentation_tells_where_each_point_of_the_rule_book_is_set() -> None:
    text = (Path(saas.__file__).parent.parent / "docs" / "pools.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (P\d\d) \|[^|]*\|(.*)\|$", text, re.MULTILINE))
    assert list(rows) == [f"P{number:02}" for number in range(1, 53)]
    for each in OPTIONS.values():
        assert f"`{each.api_name}`" in rows[each.declared.number], each.name
