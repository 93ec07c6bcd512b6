"""Settings of the pack: what is taken, what is refused and where; and sentences that match the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

import plugins.china as china
from plugins.china.errors import LegalEntityNotPlaced
from plugins.china.settings import UNVERIFIED, Settings
from plugins.china.tables.schemes import City, Scheme
from plugins.china.v1.calendar import DayType
from plugins.china.v1.proration import Method
from saas.extensions import SettingRefused, dump_settings, parse_settings
from saas.kernel import WrongIdType, public_id
from tests.plugins.china_samples import BEIJING_COMPANY, CATALOGUE, LI_NA, SHANGHAI_COMPANY

PACK = Path(china.__file__).parent
PAGE = PACK.parent.parent / "docs" / "china.md"
SHANGHAI_2026 = "shanghai/unemployment/employee/rate/2026-01-01"


def entity(**changes: Any) -> dict[str, Any]:
    sent = {"legalEntity": str(SHANGHAI_COMPANY), "city": "SHANGHAI", "fundRate": "0.07", "injuryRate": "0.002"}
    return {**sent, **changes}


def confirmation(row: str = SHANGHAI_2026) -> dict[str, Any]:
    return {"row": row, "confirmedBy": public_id("emp", LI_NA), "confirmedOn": "2026-11-27"}


def test_settings_are_taken_and_survive_storage() -> None:
    beijing = entity(legalEntity=public_id("ent", BEIJING_COMPANY), city="BEIJING", fundRate=0.12)
    sent = {"entities": [entity(), beijing], "confirmations": [confirmation()]}
    settings = parse_settings(Settings, sent)
    assert settings.entity(BEIJING_COMPANY).city is City.BEIJING
    assert {str(rate) for rate in settings.entity(BEIJING_COMPANY).unit_rates.values()} == {"0.12", "0.002"}
    assert settings.entity(SHANGHAI_COMPANY).unit_rates.keys() == {Scheme.HOUSING_FUND, Scheme.INJURY}
    assert settings.confirmed_rows == {SHANGHAI_2026}
    stored = dump_settings(settings)
    assert parse_settings(Settings, stored) == settings
    assert stored["entities"][1]["legalEntity"] == public_id("ent", BEIJING_COMPANY)
    assert (stored["entities"][0]["fundRate"], stored["confirmations"]) == ("0.07", [confirmation()])


@pytest.mark.parametrize(
    ("sent", "key", "path"),
    [
        ({"entities": [entity(city="PARIS")]}, "extensions.setting_not_allowed", "entities.0.city"),
        ({"entities": [entity(fundRate="seven")]}, "extensions.setting_invalid", "entities.0.fundRate"),
        ({"entities": [entity(fund_rate="0.07")]}, "extensions.setting_unknown", "entities.0.fund_rate"),
        ({"entities": [entity(fundRate="7")]}, "china.unit_rate_outside", "entities.0.fundRate"),
        ({"entities": [entity(fundRate="0.08")]}, "china.unit_rate_outside", "entities.0.fundRate"),
        ({"entities": [entity(injuryRate="0.02")]}, "china.unit_rate_outside", "entities.0.injuryRate"),
        ({"entities": [entity(), entity(city="BEIJING")]}, "china.legal_entity_twice", "entities.1.legalEntity"),
        ({"confirmations": [confirmation("x")]}, "china.row_needs_no_confirmation", "confirmations.0.row"),
        (
            {"confirmations": [confirmation("shanghai/pension/employee/rate/2025-07-01")]},
            "china.row_needs_no_confirmation",
            "confirmations.0.row",
        ),
    ],
)
def test_settings_are_refused_where_the_fault_is(sent: dict[str, Any], key: str, path: str) -> None:
    with pytest.raises(SettingRefused) as refused:
        parse_settings(Settings, sent)
    assert (refused.value.key, ".".join(refused.value.field)) == (key, f"settings.{path}")


def test_id_of_an_employee_is_no_legal_entity() -> None:
    with pytest.raises(WrongIdType):
        parse_settings(Settings, {"entities": [entity(legalEntity=public_id("emp", LI_NA))]})


def test_a_legal_entity_without_settings_is_an_error() -> None:
    with pytest.raises(LegalEntityNotPlaced) as refused:
        Settings().entity(SHANGHAI_COMPANY)
    assert refused.value.values == {"legal_entity": str(SHANGHAI_COMPANY)}


def test_sentences_are_those_that_the_code_names() -> None:
    named: set[str] = set()
    for path in PACK.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                named |= {node.value} if re.fullmatch(r"china\.[a-z_]+", node.value) else set()
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "explained":
                fact = node.args[0]
                named |= {f"china.explained.{fact.value!s}"} if isinstance(fact, ast.Constant) else set()
    named |= {f"china.explained.overtime_{each.lower()}" for each in DayType}
    named |= {f"china.explained.prorated_{each.lower()}" for each in Method}
    facts = {key for key in CATALOGUE.keys("zh-CN") if key.startswith("china.") and not key.endswith(".hint")}
    codes_of_lines = {"china.income_tax", "china.bonus_tax"}
    assert named - codes_of_lines - {"china.explained."} == facts


def test_the_page_lists_every_notice_that_waits_for_verification() -> None:
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    missing = sorted({row.instrument for row in UNVERIFIED.values() if row.instrument not in page})
    assert missing == []
