"""Hospitals by territory and level: golden cases, what newcomers get, settings that are refused with their reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.pharma.territories import METHOD, LevelWork, Settings, Territory, dealt
from saas.extensions import SettingRefused, parse_settings
from saas.kernel import Catalogue
from saas.sdk import AllocationCustomer, AllocationFacts, AllocationPerson, AllocationTogether

LI_NA, WANG_WEI, ZHAO_MIN = (UUID(int=number) for number in (1, 2, 3))
NORTH = Territory(title="北区", district_codes=("1101",), employees=(LI_NA, WANG_WEI))
SOUTH = Territory(title="南区", district_codes=("44", "4403"), employees=(ZHAO_MIN,))
SETTINGS = Settings(territories=(NORTH, SOUTH))
CATALOGUE = Catalogue.of(["plugins.pharma", "saas.extensions"])


def person(employee_id: UUID, **facts: Any) -> AllocationPerson:
    known = {"lot": employee_id.int, "room": None, "assigned": 0, "weight": 1, "hired_on": None}
    return AllocationPerson(employee_id, **{**known, "least_percent": Decimal(0), **facts})


def hospital(place: int, district: str | None, level: str | None = None, **facts: Any) -> AllocationCustomer:
    known = {"size": 1, "industry": "医疗", "source": None, "barred": frozenset()}
    return AllocationCustomer(place, district_code=district, level=level, **{**known, **facts})


def asked(*customers: AllocationCustomer, people: tuple[AllocationPerson, ...] = ()) -> AllocationFacts:
    everybody = people or tuple(map(person, (LI_NA, WANG_WEI, ZHAO_MIN)))
    return AllocationFacts(METHOD, date(2026, 11, 23), everybody, customers)


def receivers(facts: AllocationFacts, with_: Settings = SETTINGS) -> list[UUID | None]:
    return [each.employee_id for each in dealt(facts, with_)]


def test_a_hospital_goes_to_its_territory_and_to_who_has_had_least_work() -> None:
    facts = asked(
        hospital(0, "110105", "三级甲等"),
        hospital(1, "110101", "二级甲等"),
        hospital(2, "110101", "一级"),
        hospital(3, "110101", None),
        hospital(4, "440304", "三级甲等"),
    )
    assert receivers(facts) == [LI_NA, WANG_WEI, WANG_WEI, WANG_WEI, ZHAO_MIN]
    first, second, *_ = dealt(facts, SETTINGS)
    assert first.people == {LI_NA, WANG_WEI}
    assert CATALOGUE.text("en", second.key, second.args) == (
        "A hospital of the level 二级甲等 in the territory 北区 counts 3:"
        " of 2 people, the receiver had had least work, 0."
    )
    assert CATALOGUE.text("zh-CN", second.key, second.args) == (
        "区域 北区 的 二级甲等 医院计 3：在 2 人中，获得者此前工作量最少，为 0。"
    )


def test_outside_all_territories_it_stays_or_goes_to_everybody() -> None:
    facts = asked(hospital(0, "310101"), hospital(1, None))
    assert receivers(facts) == [None, None]
    assert {each.key for each in dealt(facts, SETTINGS)} == {"pharma.explained.outside"}
    everybody = SETTINGS.model_copy(update={"outside": "EVERYBODY"})
    assert receivers(facts, everybody) == [LI_NA, WANG_WEI]


def test_room_and_cooldown_are_kept() -> None:
    people = (person(LI_NA, room=1), person(WANG_WEI), person(ZHAO_MIN))
    barred = hospital(0, "110101", barred=frozenset({LI_NA}))
    facts = asked(barred, hospital(1, "110101", size=2), hospital(2, "110101"), hospital(3, "110101"), people=people)
    assert receivers(facts) == [WANG_WEI, WANG_WEI, LI_NA, WANG_WEI]
    alone = asked(hospital(0, "440304", barred=frozenset({ZHAO_MIN})))
    (place,) = dealt(alone, SETTINGS)
    assert (place.employee_id, place.key) == (None, "pharma.explained.nobody")
    assert place.people == {ZHAO_MIN}


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from(["三级甲等", "二级乙等", "一级"]), max_size=60),
    st.integers(1, 6),
    st.integers(1, 4),
    st.integers(0, 100),
)
def test_newcomers_of_a_territory_get_what_is_guaranteed(
    levels: list[str], size: int, newcomers: int, percent: int
) -> None:
    count, least = min(newcomers, size), Decimal(percent) / size
    people = tuple(
        person(UUID(int=number), least_percent=least if number < count else Decimal(0)) for number in range(size)
    )
    team = Territory(title="北区", district_codes=("11",), employees=tuple(each.employee_id for each in people))
    facts = asked(*(hospital(at, "110101", level) for at, level in enumerate(levels)), people=people)
    found = receivers(facts, Settings(territories=(team,)))
    for each in people[:count]:
        assert found.count(each.employee_id) >= int(each.least_percent * len(levels) / 100)
    assert None not in found


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        ({"territories": [{"title": "", "districtCodes": [], "employees": []}]}, "territories.0.title"),
        ({"otherWork": 0}, "levels"),
        ({"levels": [{"level": "一级", "work": 1001}]}, "levels"),
    ],
)
def test_settings_out_of_range_are_refused(sent: dict[str, Any], path: str) -> None:
    with pytest.raises(SettingRefused) as refusal:
        parse_settings(Settings, sent)
    assert ".".join(refusal.value.field) == f"settings.{path}"


@pytest.mark.parametrize(
    ("territories", "key"),
    [
        ((Territory(title="a", district_codes=(), employees=(LI_NA,)),), "territory_without_districts"),
        ((Territory(title="a", district_codes=("",), employees=(LI_NA,)),), "territory_without_districts"),
        ((Territory(title="a", district_codes=("11",), employees=()),), "territory_without_people"),
        ((NORTH, NORTH.model_copy(update={"employees": (ZHAO_MIN,)})), "code_in_two_territories"),
        ((NORTH, NORTH.model_copy(update={"district_codes": ("31",)})), "person_in_two_territories"),
    ],
)
def test_territories_that_contradict_are_refused(territories: tuple[Territory, ...], key: str) -> None:
    (problem, *_) = Settings(territories=territories).problems()
    assert problem.key == f"pharma.{key}"


def test_the_longest_beginning_of_a_code_decides() -> None:
    city = Territory(title="深圳", district_codes=("4403",), employees=(LI_NA,))
    province = Territory(title="广东", district_codes=("44",), employees=(ZHAO_MIN,))
    both = Settings(territories=(province, city))
    assert receivers(asked(hospital(0, "440304"), hospital(1, "440106")), both) == [LI_NA, ZHAO_MIN]
    assert Settings(levels=(LevelWork(level="三级甲等", work=9),)).work_of("三级甲等") == 9


def test_room_that_a_department_has_together_is_kept() -> None:
    facts = asked(*(hospital(place, "110101") for place in range(4)), hospital(4, "440304"))
    together = (AllocationTogether(frozenset({LI_NA, WANG_WEI}), 3),)
    assert receivers(replace(facts, together=together)) == [LI_NA, WANG_WEI, LI_NA, None, ZHAO_MIN]
