"""A plugin's method of allocation: asked about a frozen roster, its answer checked, frozen, explained, dealt again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from plugins import pharma
from plugins.pharma.territories import METHOD, Settings, Territory
from saas.customers import CustomerHooks, Method, PluginMethods
from saas.customers.allocation import (
    CustomerFacts,
    NewcomerFloor,
    Nobody,
    PooledCustomer,
    Roster,
    RosterImpossible,
    allocate,
    explain_passed_over,
    explain_pick,
)
from saas.extensions import PluginFailed, PluginHost, PluginNotEnabled, TenantPlugins
from saas.kernel import AppErrors, Catalogue
from saas.sdk import AllocationAnswer, AllocationFacts, AllocationPlace, Manifest, PluginSettings, hookimpl
from tests.rules.allocation_samples import DAY, customer_id, people, person_id, roster
from tests.rules.dealt_again import DealtAgain

CATALOGUE = Catalogue.of(["saas.customers", "plugins.pharma"])
TEAM = tuple(map(person_id, range(3)))
NORTH = Territory(title="北区", district_codes=("11",), employees=TEAM[:2])
SOUTH = Territory(title="南区", district_codes=("44",), employees=TEAM[2:])
Answer = Callable[[AllocationFacts], AllocationAnswer | None]


def hospitals(*codes: str) -> tuple[PooledCustomer, ...]:
    return tuple(
        PooledCustomer(customer_id(at), f"医院{at}", facts=CustomerFacts(territory=code, level="三级甲等"))
        for at, code in enumerate(codes)
    )


def asked(*codes: str, **facts: Any) -> Roster:
    return roster(Method.PLUGIN, people(3, **facts), hospitals(*codes))


def by_pharma(dealt: Roster) -> Roster:
    host = PluginHost([CustomerHooks], {"pharma": pharma})
    enabled = TenantPlugins({"pharma": Settings(territories=(NORTH, SOUTH))})
    return PluginMethods(host, enabled).answered(dealt, plugin="pharma", method=METHOD)


def answering(answer: Answer) -> PluginMethods:
    """A company with one plugin that answers so."""

    @hookimpl
    def allocation_method(facts: AllocationFacts) -> Any:
        return answer(facts)

    manifest = Manifest(
        name="sample", version="1.2.3", api="1.x", title={"en": "Sample", "zh-CN": "示例"}, package="plugins.realty"
    )
    object.__setattr__(manifest, "locales", {"en": {}, "zh-CN": {}})
    plugin = SimpleNamespace(manifest=manifest, allocation_method=allocation_method)
    return PluginMethods(PluginHost([CustomerHooks], {"sample": plugin}), TenantPlugins({"sample": PluginSettings()}))


def all_to(*receivers: UUID | None, whose: tuple[UUID, ...] = TEAM) -> Answer:
    return lambda facts: AllocationAnswer(
        tuple(
            AllocationPlace(each.place, to, frozenset(whose), "sample.explained.x")
            for each, to in zip(facts.customers, receivers, strict=True)
        )
    )


def test_what_it_answers_is_dealt_stored_with_its_version_and_told() -> None:
    answered = by_pharma(asked("110101", "110101", "440304", "310101"))
    assert answered.plugin is not None
    assert (answered.plugin.plugin, answered.plugin.version, answered.plugin.method) == ("pharma", "1.0.0", METHOD)
    picks = allocate(answered).picks
    assert {pick.employee_id for pick in picks[:2]} == set(TEAM[:2])
    assert [pick.employee_id for pick in picks[2:]] == [TEAM[2], None]
    assert picks[3].nobody is Nobody.NONE_MAY
    facts = replace(
        DealtAgain(answered, allocate(answered), customer_id(2)).facts(), answer=answered.customers[2].answer
    )
    alone = replace(answered, customers=())
    assert [text for _, text, _ in explain_pick(alone, facts).lines(CATALOGUE, "en")] == [
        "“医院2” went to rep 2 of 1 people, by the method “territories” of the plugin pharma 1.0.0.",
        (
            "A hospital of the level 三级甲等 in the territory 南区 counts 5:"
            " of 1 people, the receiver had had least work, 0."
        ),
    ]
    why_not = explain_passed_over(alone, facts, employee_id=TEAM[0])
    assert [text for _, text, _ in why_not.lines(CATALOGUE, "en")] == [
        "rep 0 could not have “医院2”: the method “territories” of the plugin pharma has it for others."
    ]
    facts = replace(
        DealtAgain(answered, allocate(answered), customer_id(0)).facts(), answer=answered.customers[0].answer
    )
    (loser,) = set(TEAM[:2]) - {picks[0].employee_id}
    assert explain_passed_over(alone, facts, employee_id=loser).key == "customers.passed_over_plugin"


def test_a_tie_goes_by_the_lot_of_the_allocation() -> None:
    firsts = {
        allocate(by_pharma(replace(asked("110101"), seed=number.to_bytes(32, "big")))).picks[0].employee_id
        for number in range(20)
    }
    assert firsts == set(TEAM[:2])


@pytest.mark.parametrize(
    ("answer", "fact"),
    [
        (lambda _: AllocationAnswer(()), "answered 0 places for 2 customers"),
        (all_to(TEAM[0], UUID(int=7)), "gave place 1 to somebody who may not have it"),
        (all_to(TEAM[1], TEAM[0], whose=TEAM[:1]), "gave place 0 to somebody it was not for"),
        (all_to(TEAM[2], TEAM[2]), "gave 2 customers where there is room for 1"),
        (all_to(TEAM[1], TEAM[1]), "gave place 1 to somebody who may not have it"),
        (all_to(None, None), "gave a newcomer 0 of 2 customers; 1 are guaranteed"),
    ],
)
def test_an_answer_that_cant_be_given_is_refused(answer: Answer, fact: str) -> None:
    first, second, third = people(3)
    candidates = (
        replace(first, hired_on=DAY - timedelta(7)),
        replace(second, cooldown_customers=frozenset({customer_id(1)})),
        replace(third, holding=4, holding_limit=5),
    )
    dealt = replace(
        roster(Method.PLUGIN, candidates, hospitals("11", "11")), newcomers=NewcomerFloor(90, 0, share_percent=50)
    )
    with pytest.raises(PluginFailed) as refusal:
        answering(answer).answered(dealt, plugin="sample", method="x")
    assert refusal.value.values["fact"] == fact
    assert answering(all_to(TEAM[0], TEAM[0])).answered(dealt, plugin="sample", method="x").plugin is not None


def test_one_that_answers_differently_when_asked_again_is_refused() -> None:
    turns = iter([TEAM[0], TEAM[1]])
    with pytest.raises(PluginFailed) as refusal:
        answering(lambda facts: all_to(next(turns))(facts)).answered(asked("11"), plugin="sample", method="x")
    assert refusal.value.values["fact"] == "answered differently when it was asked again"


def test_one_that_raises_or_has_no_such_method_or_is_not_enabled() -> None:
    def broken(facts: AllocationFacts) -> None:
        raise ValueError(facts.method)

    with pytest.raises(PluginFailed):
        answering(broken).answered(asked("11"), plugin="sample", method="x")
    with pytest.raises(RosterImpossible) as unknown:
        answering(lambda _: None).answered(asked("11"), plugin="sample", method="x")
    assert unknown.value.values == {"plugin": "sample", "method": "x"}
    with pytest.raises(PluginNotEnabled):
        answering(all_to(TEAM[0])).answered(asked("11"), plugin="pharma", method="x")
    with pytest.raises(AppErrors) as nobody_asked:
        allocate(asked("11"))
    assert [each.key for each in nobody_asked.value.errors] == ["customers.roster_plugin_missing"]
