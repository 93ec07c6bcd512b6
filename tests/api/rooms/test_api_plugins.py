"""Plugins' settings over HTTP: changed while enabled, from a day to come, never from a day gone by."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.api.rooms.test_api_claims import CLAIM, CONFIGURE, ENABLE, PLUGINS, claim_of
from tests.api.rooms.web import Person, Web


def local_day(*, days: int) -> str:
    """So many days from the company's today."""
    return (datetime.now(ZoneInfo("Asia/Shanghai")).date() + timedelta(days=days)).isoformat()


def area_of(person: Person, *, reason: str, version: int, **more: Any) -> dict[str, Any]:
    """Settings that give 浦东 to one person."""
    areas = [{"title": "浦东", "districtCodes": ["310115"], "employees": [person.employee_id]}]
    settings = json.dumps({"areas": areas})
    return {"name": "realty", "settings": settings, "reason": reason, "expectedVersion": version, **more}


async def realty(owner: Person) -> dict[str, Any]:
    """The plugin as the company uses it."""
    listed = (await owner.data(PLUGINS))["plugins"]
    found: dict[str, Any]
    (found,) = [plugin for plugin in listed if plugin["name"] == "realty"]
    return found


async def test_settings_of_an_enabled_plugin_are_changed_and_act_at_once(web: Web) -> None:
    owner = await web.sign_up()
    first, second = await owner.invite("rep", name="李雷"), await owner.invite("rep", name="王芳")
    customer_id = await owner.create_customer("浦东客户", districtCode="310115")
    await owner.done(ENABLE, **area_of(first, reason="Exclusive", version=0))
    assert (await second.refused(CLAIM, **claim_of(customer_id)))["messageKey"] == "realty.area_exclusive"
    stale = await owner.refused(CONFIGURE, **area_of(second, reason="Hand over", version=0))
    assert (stale["code"], (await realty(owner))["settingsVersion"]) == ("STALE_VERSION", 1)
    changed = await owner.done(CONFIGURE, **area_of(second, reason="Hand over", version=1))
    assert changed["plugin"] == {"name": "realty", "isEnabled": True, "settingsVersion": 2}
    assert (await first.refused(CLAIM, **claim_of(customer_id)))["messageKey"] == "realty.area_exclusive"
    assert (await second.done(CLAIM, **claim_of(customer_id)))["customer"]["owner"] == {"name": "王芳"}


async def test_settings_from_a_day_to_come_change_nothing_today(web: Web) -> None:
    owner = await web.sign_up()
    first, second = await owner.invite("rep", name="李雷"), await owner.invite("rep", name="王芳")
    customer_id = await owner.create_customer("浦东客户", districtCode="310115")
    await owner.done(ENABLE, **area_of(first, reason="Exclusive", version=0))
    ahead = area_of(second, reason="Hand over", version=1, validFrom=local_day(days=2))
    assert (await owner.done(CONFIGURE, **ahead))["plugin"]["settingsVersion"] == 2
    found = await realty(owner)
    assert (found["isInForce"], found["isEnabled"], found["settingsVersion"]) == (True, True, 2)
    assert json.loads(found["settings"])["areas"][0]["employees"] == [second.employee_id]
    assert (await second.refused(CLAIM, **claim_of(customer_id)))["messageKey"] == "realty.area_exclusive"
    assert (await first.done(CLAIM, **claim_of(customer_id)))["customer"]["owner"] == {"name": "李雷"}


async def test_a_plugin_enabled_from_a_day_to_come_is_not_in_force(web: Web) -> None:
    owner = await web.sign_up()
    first, second = await owner.invite("rep", name="李雷"), await owner.invite("rep", name="王芳")
    customer_id = await owner.create_customer("浦东客户", districtCode="310115")
    await owner.done(ENABLE, **area_of(first, reason="Soon", version=0, validFrom=local_day(days=2)))
    found = await realty(owner)
    assert (found["isInForce"], found["isEnabled"]) == (False, True)
    assert (await second.done(CLAIM, **claim_of(customer_id)))["customer"]["owner"] == {"name": "王芳"}


async def test_settings_are_not_changed_backwards(web: Web) -> None:
    owner = await web.sign_up()
    rep = await owner.invite("rep")
    await owner.done(ENABLE, **area_of(rep, reason="Exclusive", version=0))
    before = await realty(owner)
    past = area_of(rep, reason="Backdated", version=1, validFrom=local_day(days=-2))
    refused = await owner.refused(CONFIGURE, **past)
    assert (refused["messageKey"], refused["field"]) == ("extensions.starts_in_the_past", ["input", "validFrom"])
    twice = await owner.refused(ENABLE, **area_of(rep, reason="Again", version=1))
    assert twice["messageKey"] == "extensions.plugin_already_enabled"
    unknown = await owner.refused(CONFIGURE, **{**area_of(rep, reason="?", version=0), "name": "circus"})
    assert unknown["code"] in {"NOT_FOUND", "BAD_USER_INPUT"}
    assert await rep.code(CONFIGURE, input=area_of(rep, reason="Mine", version=1)) == "FORBIDDEN"
    assert await realty(owner) == before
