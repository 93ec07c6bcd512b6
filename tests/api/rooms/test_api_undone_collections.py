"""A list of collections that was undone, as the API reads it: both entries are there, and no sum has any of them."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.api.rooms.conftest import Cast
from tests.api.rooms.test_api_deals import DEAL, keyed
from tests.api.rooms.test_api_imports import UNDO, committed, counts, previewed, worked_off
from tests.rooms.imports.toy import csv_of

READ = """query ($deal: ID!) {
  deal(id: $deal) {
    collected open performanceLines(first: 9) { summary { amount { sum } } }
    collections(first: 9) {
      nodes { kind receivedOn amount counts reverses { amount } reversedBy { amount } importBatch { state } }
      summary { amount { sum } }
    }
  }
}"""


async def test_an_undone_list_counts_as_nothing_and_may_come_again(cast: Cast) -> None:
    customer = await cast.owner.create_customer(f"客户{secrets.token_hex(4)}有限公司", keep=True)
    today, number = datetime.now(ZoneInfo("Asia/Shanghai")).date().isoformat(), f"HT-{secrets.token_hex(4)}"
    made = await cast.owner.done(
        DEAL, **keyed(customer={"id": customer}, number=number, signedOn=today, amount="1000.00")
    )
    deal_id = made["deal"]["id"]
    content = csv_of(
        [(number, today, "600", "回款"), (number, today, "100", "退款")], "成交编号,回款日期,回款金额,回款类型"
    )

    async def read() -> dict[str, Any]:
        found: dict[str, Any] = (await cast.owner.data(READ, deal=deal_id))["deal"]
        return found

    batch = await previewed(cast.owner, content)
    assert counts(await committed(cast.owner, batch)) == {"row": 2, "new": 2, "applied": 2}
    before = await read()
    assert (before["collected"], before["open"]) == ("500.00", "500.00")
    assert [each["counts"] for each in before["collections"]["nodes"]] == [True, True]
    await cast.owner.done(UNDO, batch=batch["id"])
    undone = await worked_off(cast.owner, batch["id"])
    assert (undone["state"], undone["undoneCount"], undone["remarks"]["totalCount"]) == ("UNDONE", 2, 0)
    after = await read()
    assert (after["collected"], after["open"]) == ("0.00", "1000.00")
    assert after["performanceLines"]["summary"] == {"amount": {"sum": "1000.00"}}, "what was signed"
    assert after["collections"]["summary"] == {"amount": {"sum": "0.00"}}
    told = sorted(after["collections"]["nodes"], key=lambda each: (each["kind"], each["amount"]))
    counter = {"receivedOn": today, "counts": False, "reversedBy": None, "importBatch": {"state": "UNDONE"}}
    original = {"receivedOn": today, "counts": False, "reverses": None, "importBatch": None}
    assert told == [
        {"kind": "COLLECTION", "amount": "-600.00", **counter, "reverses": {"amount": "600.00"}},
        {"kind": "COLLECTION", "amount": "600.00", **original, "reversedBy": {"amount": "-600.00"}},
        {"kind": "REFUND", "amount": "-100.00", **counter, "reverses": {"amount": "100.00"}},
        {"kind": "REFUND", "amount": "100.00", **original, "reversedBy": {"amount": "-100.00"}},
    ]
    again = await previewed(cast.owner, content)
    assert counts(await committed(cast.owner, again)) == {"row": 2, "new": 2, "applied": 2}
    assert (await read())["collected"] == "500.00"
