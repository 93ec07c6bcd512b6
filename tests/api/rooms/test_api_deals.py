"""Opportunities, deals, collections and targets over HTTP: who may, what is refused and changes nothing, the ranks."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest_asyncio

from tests.api.rooms.conftest import Cast
from tests.api.rooms.web import USER_ERRORS, Person, Web

DEAL = f"""
mutation ($input: DealEnterInput!) {{
  dealEnter(input: $input) {{
    replayed {USER_ERRORS}
    deal {{
      id number signedOn amount collected open vatRate status version customer {{ id }} owner {{ id }}
      credits(first: 5) {{ nodes {{ employee {{ id }} share position }} }}
    }}
  }}
}}
"""
CREDITS = f"""
mutation ($input: DealCreditsSetInput!) {{
  dealCreditsSet(input: $input) {{
    replayed deal {{ version credits(first: 5) {{ nodes {{ employee {{ id }} share }} }} }} {USER_ERRORS}
  }}
}}
"""
CANCEL = f"""
mutation ($input: DealCancelInput!) {{
  dealCancel(input: $input) {{ replayed deal {{ status cancelledOn version }} {USER_ERRORS} }}
}}
"""
COLLECT = f"""
mutation ($input: CollectionRecordInput!) {{
  collectionRecord(input: $input) {{
    replayed collection {{ id kind amount deal {{ collected open }} }} {USER_ERRORS}
  }}
}}
"""
REFUND = COLLECT.replace("collectionRecord(", "refundRecord(")
OPPORTUNITY = f"""
mutation ($input: OpportunityEnterInput!) {{
  opportunityEnter(input: $input) {{
    replayed opportunity {{ id version expected stage {{ code kind }} owner {{ id }} customer {{ id }} }} {USER_ERRORS}
  }}
}}
"""
MOVE = f"""
mutation ($input: OpportunityMoveInput!) {{
  opportunityMove(input: $input) {{ replayed opportunity {{ version closedOn stage {{ code }} }} {USER_ERRORS} }}
}}
"""
TARGET = f"""
mutation ($input: TargetSetInput!) {{
  targetSet(input: $input) {{ replayed target {{ id metric amount version }} {USER_ERRORS} }}
}}
"""
STATE = """{
  deals(first: 9) { nodes { number version status collected credits(first: 9) { nodes { share } } } }
  collections(first: 9) { totalCount } performanceLines(first: 9) { totalCount summary { amount { sum } } }
  opportunities(first: 9) { nodes { version stage { code } } } targets(first: 9) { nodes { amount version } }
}"""
RANKS = """
query ($filter: PerformanceLineFilter, $by: PerformanceLineGroupBy!) {
  performanceGroups(groupBy: $by, filter: $filter, orderBy: AMOUNT_SUM_DESC, first: 10) {
    nodes { key employee { name } department { name } amount { sum } count }
  }
}
"""


def keyed(**values: Any) -> dict[str, Any]:
    """An input with a key of its own, whatever key the values had."""
    return {**values, "idempotencyKey": secrets.token_hex(8)}


def today(days: int = 0) -> str:
    """The company's day."""
    return (datetime.now(UTC).astimezone(ZoneInfo("Asia/Shanghai")) + timedelta(days=days)).date().isoformat()


@dataclass(frozen=True)
class Shop:
    """A company with an owner, a manager of its root department, a rep, and the rep's customer."""

    owner: Person
    manager: Person
    rep: Person
    customer_id: str

    def new_deal(self, number: str = "D-1", **values: Any) -> dict[str, Any]:
        """The input of a deal of the rep's customer."""
        whole = {"customer": {"id": self.customer_id}, "number": number, "signedOn": today(), "amount": "1000.00"}
        return keyed(**{**whole, **values})


@pytest_asyncio.fixture(loop_scope="session")
async def shop(web: Web) -> Shop:
    owner = await web.sign_up("晨光销售")
    rep = await owner.invite("rep", name="李雷")
    manager = await owner.invite("sales_manager", name="王芳")
    return Shop(owner, manager, rep, await rep.create_customer("华阳科技", keep=True))


async def test_a_deal_is_entered_once_and_shown_in_yuan(shop: Shop) -> None:
    asked = shop.new_deal(vatRate="0.13", amount="1234.5")
    made = await shop.rep.done(DEAL, **asked)
    assert made["deal"] == {
        "id": made["deal"]["id"],
        "number": "D-1",
        "signedOn": today(),
        "amount": "1234.50",
        "collected": "0.00",
        "open": "1234.50",
        "vatRate": "0.1300",
        "status": "SIGNED",
        "version": 1,
        "customer": {"id": shop.customer_id},
        "owner": {"id": shop.rep.employee_id},
        "credits": {"nodes": [{"employee": {"id": shop.rep.employee_id}, "share": "1.00000000", "position": 0}]},
    }
    assert await shop.rep.done(DEAL, **asked) == {**made, "replayed": True}
    other_body = await shop.rep.refused(DEAL, **{**asked, "amount": "1234.51"})
    assert other_body["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_deals_that_can_not_be_are_refused_and_leave_nothing(shop: Shop, cast: Cast) -> None:
    foreign = await shop.owner.create_customer("远山", keep=True)
    before = await shop.owner.data(STATE)
    for values, code, field in (
        ({"amount": "0"}, "BAD_USER_INPUT", ["amount"]),
        ({"amount": "0.001"}, "BAD_USER_INPUT", ["amount"]),
        ({"signedOn": today(1)}, "BAD_USER_INPUT", ["signedOn"]),
        ({"signedOn": "2020-01-01"}, "RULE_REFUSED", ["signedOn"]),
        ({"number": " "}, "BAD_USER_INPUT", ["number"]),
        ({"vatRate": "13"}, "BAD_USER_INPUT", ["vatRate"]),
        ({"customer": {"id": foreign}}, "NOT_FOUND", ["customer"]),
        ({"customer": {"id": "cus_" + "0" * 32}}, "NOT_FOUND", ["customer"]),
        ({"opportunity": "opp_" + "0" * 32}, "NOT_FOUND", ["opportunity"]),
        ({"opportunity": shop.customer_id}, "WRONG_ID_TYPE", ["opportunity"]),
    ):
        refused = await shop.rep.refused(DEAL, **shop.new_deal(**values))
        assert (refused["code"], refused["field"]) == (code, ["input", *field]), values
        assert refused["hint"] or code == "WRONG_ID_TYPE"
    assert await shop.rep.code(DEAL, input=shop.new_deal(owner=shop.rep.employee_id)) == "FORBIDDEN"
    assert await cast.nobody.code(DEAL, input=shop.new_deal()) == "UNAUTHENTICATED"
    assert (await cast.other.refused(DEAL, **shop.new_deal()))["code"] == "NOT_FOUND"
    assert await shop.rep.code(DEAL, input=shop.new_deal(amount=5)) == "BAD_USER_INPUT"
    assert await shop.owner.data(STATE) == before


async def test_credits_are_shared_by_a_manager(shop: Shop) -> None:
    deal = (await shop.rep.done(DEAL, **shop.new_deal(amount="100.00")))["deal"]
    one, two = shop.rep.employee_id, shop.manager.employee_id
    shares = [{"employee": one, "share": "0.6"}, {"employee": two, "share": "0.4"}]
    asked = keyed(deal={"id": deal["id"]}, credits=shares, expectedVersion=1)
    before = await shop.owner.data(STATE)
    assert await shop.rep.code(CREDITS, input=asked) == "FORBIDDEN"
    short = [shares[0], {"employee": two, "share": "0.399"}]
    refused = await shop.manager.refused(CREDITS, **keyed(**{**asked, "credits": short}))
    assert (refused["code"], refused["field"]) == ("BAD_USER_INPUT", ["input", "credits"])
    assert refused["message"] == "The shares add up to 99.9 %: 0.1 % is missing."
    stale = await shop.manager.refused(CREDITS, **keyed(**{**asked, "expectedVersion": 2}))
    assert stale["code"] == "STALE_VERSION"
    assert await shop.owner.data(STATE) == before
    done = await shop.manager.done(CREDITS, **asked)
    assert done["deal"] == {
        "version": 2,
        "credits": {
            "nodes": [
                {"employee": {"id": one}, "share": "0.60000000"},
                {"employee": {"id": two}, "share": "0.40000000"},
            ]
        },
    }
    assert (await shop.manager.done(CREDITS, **asked))["replayed"] is True
    ranks = await shop.rep.data(RANKS, by="EMPLOYEE", filter={"metric": {"eq": "SIGNED"}})
    assert [(node["employee"]["name"], node["amount"]["sum"]) for node in ranks["performanceGroups"]["nodes"]] == [
        ("李雷", "60.00"),
        ("王芳", "40.00"),
    ]


async def test_money_comes_in_and_goes_back_within_the_deal(shop: Shop) -> None:
    deal = (await shop.rep.done(DEAL, **shop.new_deal()))["deal"]
    of = {"deal": {"id": deal["id"]}, "receivedOn": today()}
    assert await shop.rep.code(COLLECT, input=keyed(**of, amount="1")) == "FORBIDDEN"
    asked = keyed(**of, amount="600.00")
    came = await shop.manager.done(COLLECT, **asked)
    assert came["collection"] == {
        "id": came["collection"]["id"],
        "kind": "COLLECTION",
        "amount": "600.00",
        "deal": {"collected": "600.00", "open": "400.00"},
    }
    assert (await shop.manager.done(COLLECT, **asked))["replayed"] is True
    before = await shop.owner.data(STATE)
    over = await shop.manager.refused(COLLECT, **keyed(**of, amount="400.01"))
    assert (over["code"], over["field"]) == ("RULE_REFUSED", ["input", "amount"])
    assert {arg["name"]: arg["value"] for arg in over["args"]} == {
        "amount": "400.01",
        "open": "400.00",
        "deal_amount": "1000.00",
    }
    back = await shop.manager.refused(REFUND, **keyed(**of, amount="600.01"))
    assert (back["code"], back["messageKey"]) == ("RULE_REFUSED", "sales.refund_exceeds_collected")
    cancel = keyed(deal={"id": deal["id"]}, reason="客户取消", expectedVersion=1)
    kept = await shop.manager.refused(CANCEL, **cancel)
    assert (kept["code"], kept["messageKey"]) == ("RULE_REFUSED", "sales.deal_has_collections")
    assert await shop.owner.data(STATE) == before
    gone = await shop.manager.done(REFUND, **keyed(**of, amount="600"))
    assert (gone["collection"]["kind"], gone["collection"]["deal"]["collected"]) == ("REFUND", "0.00")
    ended = await shop.manager.done(CANCEL, **cancel)
    assert ended["deal"] == {"status": "CANCELLED", "cancelledOn": today(), "version": 2}
    lines = await shop.owner.data("{ performanceLines(first: 1) { summary { amount { sum } } } }")
    assert lines["performanceLines"]["summary"]["amount"]["sum"] == "0.00"


async def test_a_deal_is_named_by_another_systems_key(shop: Shop) -> None:
    external = {"system": "erp", "key": secrets.token_hex(4)}
    await shop.rep.done(DEAL, **shop.new_deal(external=external))
    of = {"deal": {"external": external}, "receivedOn": today()}
    assert (await shop.manager.done(COLLECT, **keyed(**of, amount="1")))["collection"]["deal"]["collected"] == "1.00"
    missing = {**of, "deal": {"external": {**external, "system": "crm"}}}
    refused = await shop.manager.refused(COLLECT, **keyed(**missing, amount="1"))
    assert (refused["code"], refused["field"]) == ("NOT_FOUND", ["input", "deal", "external"])
    again = await shop.rep.refused(DEAL, **shop.new_deal("D-2", external=external))
    assert (again["code"], again["messageKey"]) == ("CONFLICT", "sales.deal_exists")


async def test_an_opportunity_goes_its_way(shop: Shop) -> None:
    asked = keyed(stage="engaging", customer={"id": shop.customer_id}, expected="4821", engagedOn=today(-3))
    made = (await shop.rep.done(OPPORTUNITY, **asked))["opportunity"]
    assert made == {
        "id": made["id"],
        "version": 1,
        "expected": "4821.00",
        "stage": {"code": "engaging", "kind": "OPEN"},
        "owner": {"id": shop.rep.employee_id},
        "customer": {"id": shop.customer_id},
    }
    before = await shop.owner.data(STATE)
    to = {"opportunity": made["id"], "stage": "won", "expectedVersion": 1}
    for values, code, field in (
        ({"stage": "dream"}, "NOT_FOUND", ["input", "stage"]),
        ({"closedOn": today(-4)}, "BAD_USER_INPUT", ["input", "closedOn"]),
        ({"stage": "prospecting", "closedOn": today()}, "BAD_USER_INPUT", ["input", "closedOn"]),
        ({"expectedVersion": 2}, "STALE_VERSION", None),
    ):
        refused = await shop.rep.refused(MOVE, **keyed(**{**to, **values}))
        assert (refused["code"], refused["field"]) == (code, field)
    theirs = keyed(stage="engaging", owner=shop.manager.employee_id)
    assert await shop.rep.code(OPPORTUNITY, input=theirs) == "FORBIDDEN"
    assert await shop.owner.data(STATE) == before
    won = await shop.rep.done(MOVE, **keyed(**to))
    assert won["opportunity"] == {"version": 2, "closedOn": today(), "stage": {"code": "won"}}
    stages = await shop.rep.data("{ opportunityStages(first: 9) { nodes { code titleZh kind } } }")
    assert [stage["code"] for stage in stages["opportunityStages"]["nodes"]] == [
        "prospecting",
        "engaging",
        "won",
        "lost",
    ]


async def test_a_target_is_set_by_a_manager(shop: Shop) -> None:
    asked = keyed(
        employee=shop.rep.employee_id, metric="SIGNED", periodFirst="2026-10-01", periodUntil="2027-01-01", amount="500"
    )
    assert await shop.rep.code(TARGET, input=asked) == "FORBIDDEN"
    made = (await shop.manager.done(TARGET, **asked))["target"]
    assert made == {"id": made["id"], "metric": "SIGNED", "amount": "500.00", "version": 1}
    before = await shop.owner.data(STATE)
    for values, code in (
        ({"periodFirst": "2026-12-31"}, "CONFLICT"),
        ({"amount": "600"}, "CONFLICT"),
        ({"amount": "600", "expectedVersion": 2}, "STALE_VERSION"),
        ({"amount": "0"}, "BAD_USER_INPUT"),
        ({"employee": None}, "BAD_USER_INPUT"),
    ):
        refused = await shop.manager.refused(TARGET, **keyed(**{**asked, **values}))
        assert refused["code"] == code, values
    assert await shop.owner.data(STATE) == before
    changed = await shop.manager.done(TARGET, **keyed(**{**asked, "amount": "600", "expectedVersion": 1}))
    assert changed["target"] == {**made, "amount": "600.00", "version": 2}
    own = await shop.rep.data("{ targets(first: 9) { nodes { amount employee { name } } } }")
    assert own["targets"]["nodes"] == [{"amount": "600.00", "employee": {"name": "李雷"}}]


async def test_leaderboards_by_metric_period_department_and_new_customers(shop: Shop) -> None:
    other = await shop.owner.invite("rep", name="韩刚")
    theirs = await other.create_customer("远山贸易", keep=True)
    first = (await shop.rep.done(DEAL, **shop.new_deal("A", amount="300.00")))["deal"]
    await other.done(DEAL, **shop.new_deal("B", amount="500.00", customer={"id": theirs}))
    of = {"deal": {"id": first["id"]}, "receivedOn": today()}
    await shop.manager.done(COLLECT, **keyed(**of, amount="200.00"))
    await shop.manager.done(REFUND, **keyed(**of, amount="50.00"))

    async def ranks(by: str = "EMPLOYEE", **filter_: Any) -> list[tuple[str | None, str]]:
        found = (await shop.rep.data(RANKS, by=by, filter=filter_))["performanceGroups"]["nodes"]
        return [((node["employee"] or node["department"] or {}).get("name"), node["amount"]["sum"]) for node in found]

    assert await ranks(metric={"eq": "SIGNED"}) == [("韩刚", "500.00"), ("李雷", "300.00")]
    assert await ranks(metric={"in": ["COLLECTED", "REFUNDED"]}) == [("李雷", "150.00")]
    assert await ranks("DEPARTMENT", metric={"eq": "SIGNED"}) == [("晨光销售", "800.00")]
    assert await ranks(metric={"eq": "SIGNED"}, happenedOn={"lt": today()}) == []
    assert await ranks(metric={"eq": "SIGNED"}, isNewCustomer={"eq": True}) == [("韩刚", "500.00"), ("李雷", "300.00")]
    by_metric = (await shop.owner.data(RANKS, by="METRIC", filter={}))["performanceGroups"]["nodes"]
    assert [(node["key"], node["amount"]["sum"]) for node in by_metric] == [
        ("SIGNED", "800.00"),
        ("COLLECTED", "200.00"),
        ("REFUNDED", "-50.00"),
    ]


async def test_who_sees_which_deals(shop: Shop, cast: Cast) -> None:
    other = await shop.owner.invite("rep", name="韩刚")
    deal = (await shop.rep.done(DEAL, **shop.new_deal()))["deal"]
    one = "query ($id: ID!) { deal(id: $id) { number } }"
    for person, found in (
        (shop.rep, {"number": "D-1"}),
        (shop.manager, {"number": "D-1"}),
        (shop.owner, {"number": "D-1"}),
        (other, None),
        (cast.other, None),
    ):
        assert await person.data(one, id=deal["id"]) == {"deal": found}
    halves = [{"employee": shop.rep.employee_id, "share": "1"}, {"employee": other.employee_id, "share": "1"}]
    await shop.manager.done(CREDITS, **keyed(deal={"id": deal["id"]}, credits=halves, expectedVersion=1))
    assert await other.data(one, id=deal["id"]) == {"deal": {"number": "D-1"}}
    mine = await other.data("{ viewer { employee { performanceLines(first: 9) { summary { amount { sum } } } } } }")
    assert mine["viewer"]["employee"]["performanceLines"]["summary"]["amount"]["sum"] == "500.00"


async def test_a_currency_without_small_coins_shows_none(web: Web) -> None:
    owner = await web.sign_up("东京商事", currency="JPY")
    customer = {"id": await owner.create_customer("晨光", keep=True)}
    asked = keyed(customer=customer, number="D-1", signedOn=today(), amount="150000")
    made = (await owner.done(DEAL, **asked))["deal"]
    assert (made["amount"], made["open"]) == ("150000", "150000")
    refused = await owner.refused(DEAL, **keyed(**{**asked, "number": "D-2", "amount": "0.5"}))
    assert refused["messageKey"] == "sales.amount_too_precise"
    deals = "query ($f: DealFilter) { deals(first: 9, filter: $f) { nodes { number } summary { amount { avg } } } }"
    assert (await owner.data(deals, f={"amount": {"gte": "150000"}}))["deals"] == {
        "nodes": [{"number": "D-1"}],
        "summary": {"amount": {"avg": "150000"}},
    }
    body = await owner.answer(deals, f={"amount": {"gte": "0.5"}})
    assert body["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
