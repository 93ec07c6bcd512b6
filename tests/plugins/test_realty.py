"""Exclusive areas: golden cases of who may claim, and settings that are refused with their reason."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from plugins.realty.rules import Area, Settings, may_claim
from saas.extensions import SettingRefused, parse_settings
from saas.kernel import Catalogue, WrongIdType, new_id, public_id, uuid7_from
from saas.sdk import ClaimFacts, Refusal

LI_NA, WANG_WEI, ZHAO_MIN = (uuid7_from(number, number) for number in (1, 2, 3))
JINGAN, PUDONG, CHAOYANG = "310106", "310115", "110105"
SETTINGS = Settings(
    areas=(
        Area(title="静安专属", district_codes=(JINGAN,), employees=(LI_NA, WANG_WEI)),
        Area(title="浦东专属", district_codes=(PUDONG, "310104"), employees=(WANG_WEI,)),
    )
)
CLOSED = SETTINGS.model_copy(update={"unassigned": "CLOSED"})
CATALOGUE = Catalogue.of(["plugins.realty", "saas.extensions"])


def claim(district_code: str | None, claimant_id: UUID) -> ClaimFacts:
    return ClaimFacts(
        tenant_id=new_id(),
        customer_id=new_id(),
        district_code=district_code,
        industry="住宅",
        level="A",
        claimant_id=claimant_id,
        claimant_department_id=None,
        on=date(2026, 11, 23),
    )


def exclusive(area: str, count: int) -> Refusal:
    return Refusal("realty.area_exclusive", {"area": area, "count": count})


UNASSIGNED = Refusal("realty.unassigned_closed")


@pytest.mark.parametrize(
    ("district_code", "claimant_id", "settings", "answer"),
    [
        (JINGAN, LI_NA, SETTINGS, None),
        (JINGAN, WANG_WEI, SETTINGS, None),
        (JINGAN, ZHAO_MIN, SETTINGS, exclusive("静安专属", 2)),
        (PUDONG, LI_NA, SETTINGS, exclusive("浦东专属", 1)),
        ("310104", WANG_WEI, SETTINGS, None),
        (CHAOYANG, ZHAO_MIN, SETTINGS, None),
        (None, ZHAO_MIN, SETTINGS, None),
        ("310000", ZHAO_MIN, SETTINGS, None),
        (CHAOYANG, LI_NA, CLOSED, UNASSIGNED),
        (None, LI_NA, CLOSED, UNASSIGNED),
        (JINGAN, LI_NA, CLOSED, None),
        (JINGAN, ZHAO_MIN, Settings(), None),
    ],
)
def test_who_may_claim(
    district_code: str | None, claimant_id: UUID, settings: Settings, answer: Refusal | None
) -> None:
    assert may_claim(claim(district_code, claimant_id), settings) == answer


def test_refusal_says_area_and_number_in_both_languages() -> None:
    refusal = may_claim(claim(JINGAN, ZHAO_MIN), SETTINGS)
    assert refusal is not None
    assert CATALOGUE.text("zh-CN", refusal.key, refusal.args) == (
        "该客户位于专属片区“静安专属”，仅该片区的 2 名指定人员可以领取。"
    )
    assert CATALOGUE.text("en", refusal.key, refusal.args) == (
        "This customer is in the exclusive area “静安专属”; only the people assigned to it (2) may claim there."
    )


def area(title: str = "静安专属", **changes: Any) -> dict[str, Any]:
    return {"title": title, "districtCodes": [JINGAN], "employees": [str(LI_NA)], **changes}


def test_settings_take_public_ids_and_uuids() -> None:
    sent = {"areas": [area(employees=[public_id("emp", LI_NA), str(WANG_WEI)])], "unassigned": "CLOSED"}
    settings = parse_settings(Settings, sent)
    assert settings.areas[0].employees == (LI_NA, WANG_WEI)
    assert settings.unassigned == "CLOSED"
    assert parse_settings(Settings, {}) == Settings()


@pytest.mark.parametrize(
    ("sent", "key", "path"),
    [
        ({"area": []}, "extensions.setting_unknown", "area"),
        ({"areas": [area(colour="red")]}, "extensions.setting_unknown", "areas.0.colour"),
        ({"areas": [area(district_codes=[PUDONG])]}, "extensions.setting_unknown", "areas.0.district_codes"),
        ({"areas": [{"title": "x"}]}, "extensions.setting_missing", "areas.0.districtCodes"),
        ({"areas": [area(title=" ")]}, "extensions.setting_invalid", "areas.0.title"),
        ({"areas": [area(districtCodes=[310106])]}, "extensions.setting_invalid", "areas.0.districtCodes.0"),
        ({"areas": [area(employees=["li na"])]}, "extensions.setting_invalid", "areas.0.employees.0"),
        ({"areas": [area(employees=[7])]}, "extensions.setting_invalid", "areas.0.employees.0"),
        ({"unassigned": "open"}, "extensions.setting_not_allowed", "unassigned"),
        ({"areas": [area(title="x" * 101)]}, "extensions.setting_invalid", "areas.0.title"),
        ({"areas": [area(districtCodes=[])]}, "realty.area_without_districts", "areas.0.districtCodes"),
        ({"areas": [area(employees=[])]}, "realty.area_without_employees", "areas.0.employees"),
    ],
)
def test_settings_are_refused_where_the_fault_is(sent: dict[str, Any], key: str, path: str) -> None:
    with pytest.raises(SettingRefused) as refused:
        parse_settings(Settings, sent)
    assert (refused.value.key, ".".join(refused.value.field)) == (key, f"settings.{path}")
    for locale in ("en", "zh-CN"):
        assert CATALOGUE.has(locale, refused.value.key)


@pytest.mark.parametrize("title", ["浦东专属", "静安专属"])
def test_district_in_two_areas_is_refused_naming_both(title: str) -> None:
    with pytest.raises(SettingRefused) as refused:
        parse_settings(Settings, {"areas": [area(), area(title, districtCodes=[PUDONG, JINGAN])]})
    assert refused.value.key == "realty.district_in_two_areas"
    assert refused.value.values == {"district": JINGAN, "first": "静安专属", "second": title}
    assert refused.value.field == ("settings", "areas", "1", "districtCodes")


def test_id_of_another_type_is_refused() -> None:
    with pytest.raises(WrongIdType):
        parse_settings(Settings, {"areas": [area(employees=[public_id("cus", LI_NA)])]})


def test_settings_of_great_size_are_refused() -> None:
    with pytest.raises(SettingRefused) as refused:
        parse_settings(Settings, {"areas": [area(districtCodes=["3"] * 30_000)]})
    assert refused.value.key == "extensions.settings_too_large"
