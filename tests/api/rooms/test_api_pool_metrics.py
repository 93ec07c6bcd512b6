"""Metrics of a pool over HTTP, for those who allocate."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from tests.api.rooms.test_api_pool_dry_runs import pool_of
from tests.api.rooms.web import Web

METRICS = """
query ($pool: ID!, $from: Date!, $to: Date!) {
  customerPoolMetrics(pool: $pool, from: $from, to: $to) {
    entered released recycled moved claimed assigned allocated transferred averageWaitSeconds converted
    returnedWithin30Days recycledWithoutContact
  }
}
"""


async def test_a_pool_is_measured_for_those_who_allocate(web: Web) -> None:
    owner = await web.sign_up("晨光销售")
    rep = await owner.invite("rep", name="李雷")
    await rep.create_customer(f"客户{secrets.token_hex(3)}", keep=False)
    today = datetime.now(UTC).date()
    asked = {
        "pool": (await pool_of(owner))["id"],
        "from": (today - timedelta(days=1)).isoformat(),
        "to": (today + timedelta(days=1)).isoformat(),
    }
    found = (await owner.data(METRICS, **asked))["customerPoolMetrics"]
    nothing = dict.fromkeys(
        ("released", "recycled", "moved", "claimed", "assigned", "allocated", "transferred", "converted"), 0
    )
    assert found == {
        "entered": 1,
        **nothing,
        "averageWaitSeconds": None,
        "returnedWithin30Days": 0,
        "recycledWithoutContact": 0,
    }
    refused = await rep.answer(METRICS, **asked)
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
