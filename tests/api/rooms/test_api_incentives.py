"""Incentives over HTTP: from a plan to a statement, who may see which amount, what is refused and changes nothing."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest_asyncio

from saas.events import Event
from saas.incentives import CALCULATION_AWAITED
from saas.incentives.jobs import SettlementJobs
from saas.kernel import SystemClock, parse_public_id
from tenants import DatabaseRole
from tests.api.rooms.test_api_deals import COLLECT, DEAL, keyed
from tests.api.rooms.web import USER_ERRORS, Person, Web

SAVE = f"""
mutation ($input: IncentivePlanSaveInput!) {{
  incentivePlanSave(input: $input) {{
    replayed contentHash
    plan {{ id code measure payability tierWindow versions(first: 3) {{ nodes {{ number state }} }} }}
    version {{ state number validFrom contentHash author {{ name }} }} {USER_ERRORS}
  }}
}}
"""
PUBLISH = f"""
mutation ($input: IncentivePlanPublishInput!) {{
  incentivePlanPublish(input: $input) {{
    replayed plan {{ id versions(first: 3) {{ nodes {{ number state publisher {{ name }} }} }} }} {USER_ERRORS}
  }}
}}
"""
JOIN = f"""
mutation ($input: IncentiveParticipantAddInput!) {{
  incentiveParticipantAdd(input: $input) {{
    replayed participant {{ id validFrom validTo employee {{ name }} }} {USER_ERRORS}
  }}
}}
"""
LEAVE = f"""
mutation ($input: IncentiveParticipantEndInput!) {{
  incentiveParticipantEnd(input: $input) {{ replayed participant {{ id validFrom validTo }} {USER_ERRORS} }}
}}
"""
STAGE = f"""
mutation ($input: DealStageReachInput!) {{
  dealStageReach(input: $input) {{
    replayed stage {{ stage reachedOn deal {{ number }} collection {{ amount }} }} {USER_ERRORS}
  }}
}}
"""
SETTLEMENT = """
query ($id: ID!) {
  settlement(id: $id) {
    id state planHash periodFirst periodUntil peopleCount lineCount earned calculatedAt calculator { name }
  }
}
"""
PROBLEMS = "query ($id: ID!) { settlementProblems(settlement: $id) { message messageKey args { name value } hint } }"
CALCULATE = f"""
mutation ($input: SettlementCalculateInput!) {{
  settlementCalculate(input: $input) {{
    replayed planHash people lines adjustments earned payable newLines changedLines goneLines
    settlement {{ id state planHash }}
    {USER_ERRORS}
  }}
}}
"""
MOVED = f"replayed settlement {{ id state approver {{ name }} lockedAt }} {USER_ERRORS}"
SUBMIT = f"mutation ($input: SettlementInput!) {{ settlementSubmit(input: $input) {{ {MOVED} }} }}"
APPROVE = f"mutation ($input: SettlementInput!) {{ settlementApprove(input: $input) {{ {MOVED} }} }}"
LOCK = f"mutation ($input: SettlementInput!) {{ settlementLock(input: $input) {{ {MOVED} }} }}"
DISCARD = f"""
mutation ($input: SettlementDiscardInput!) {{
  settlementDiscard(input: $input) {{ replayed settlementId {USER_ERRORS} }}
}}
"""
POOL = f"""
mutation ($input: BonusPoolCalculateInput!) {{
  bonusPoolCalculate(input: $input) {{
    replayed planHash result pool reserve toCompany parts poolRun {{ id state result pool }} {USER_ERRORS}
  }}
}}
"""
APPROVE_POOL = f"""
mutation ($input: BonusPoolApproveInput!) {{
  bonusPoolApprove(input: $input) {{ replayed poolRun {{ id state approver {{ name }} }} {USER_ERRORS} }}
}}
"""
TRIAL = """
query ($input: IncentiveTrialInput!) {
  incentiveTrial(input: $input) {
    employee { name } deal { number } rule happenedOn amount explanation { depth text amount key }
  }
}
"""
ACCRUALS = "{ accruals(first: 9) { nodes { id kind rule employee { name } deal { number } settlement { state } } } }"
AMOUNTS = "{ accruals(first: 9) { nodes { amount base } } }"
STATEMENTS = """{
  statements(first: 9) {
    nodes { id lineCount isInPayroll employee { name } settlement { state }
            earned { value masked } payable { value masked } carried { value masked } }
  }
}"""
WHY = "query ($id: ID!) { accrualExplanation(id: $id) { depth text amount key source } }"
STATE = """{
  incentivePlans(first: 9) { nodes { code versions(first: 9) { nodes { number state contentHash } } } }
  settlements(first: 9) { nodes { state planHash } } bonusPoolRuns(first: 9) { nodes { state planHash } }
  accruals(first: 9) { totalCount }
}"""


def plan(rate: str = "0.03", **changes: Any) -> dict[str, Any]:
    """The input of a plan: collected, with VAT, one flat rate."""
    rule = {"code": "all", "title": "全部", "shape": {"kind": "FLAT", "rate": rate}}
    return {
        "code": f"P-{secrets.token_hex(4)}",
        "title": "销售提成",
        "cycle": "MONTH",
        "measure": "COLLECTED",
        "withVat": True,
        "anchor": "COLLECTION",
        "payability": "AT_COLLECTION",
        "tierWindow": "PERIOD",
        "version": {"validFrom": "2020-01-01", "rules": [rule]},
        **changes,
    }


@dataclass(frozen=True)
class Firm:
    """A company whose rep sold something last month, and those who pay for it."""

    web: Web
    owner: Person
    clerk: Person
    rep: Person
    foreign: Person
    nobody: Person
    day: date
    deal: str
    collection: str

    async def in_force(self, **changes: Any) -> str:
        """A plan that the owner wrote and the clerk published."""
        saved = await self.owner.done(SAVE, **keyed(**plan(**changes)))
        plan_id: str = saved["plan"]["id"]
        await self.clerk.done(
            PUBLISH, **keyed(plan=plan_id, contentHash=saved["contentHash"], reason="员工代表大会 2019-12-20 通过")
        )
        return plan_id

    async def calculated(self, plan_id: str) -> dict[str, Any]:
        """The last month, previewed and stored by the clerk."""
        asked = {"plan": plan_id, "day": self.day.isoformat()}
        seen = await self.clerk.done(CALCULATE, **keyed(**asked, mode="PREVIEW"))
        stored = await self.commit(plan_id, planHash=seen["planHash"])
        assert (stored["state"], stored["planHash"]) == ("CALCULATED", seen["planHash"])
        return {"settlement": stored["id"], "planHash": stored["planHash"]}

    async def commit(self, plan_id: str, **named: str) -> dict[str, Any]:
        """The last month's settlement as the job leaves it."""
        asked = keyed(plan=plan_id, day=self.day.isoformat(), mode="COMMIT", **named)
        begun = await self.clerk.done(CALCULATE, **asked)
        assert {name: begun[name] for name in ("planHash", "people", "lines")} == dict.fromkeys(
            ("planHash", "people", "lines")
        )
        assert (begun["settlement"]["state"], begun["settlement"]["planHash"]) == ("CALCULATING", None)
        await work(self.web, self.owner.company_id)
        found: dict[str, Any] = (await self.clerk.data(SETTLEMENT, id=begun["settlement"]["id"]))["settlement"]
        return found

    async def locked(self) -> dict[str, Any]:
        """The same, on to the lock."""
        done = await self.calculated(await self.in_force())
        await self.clerk.done(SUBMIT, **keyed(**done))
        await self.owner.done(APPROVE, **keyed(**done))
        await self.clerk.done(LOCK, **keyed(**done))
        return done


async def work(web: Web, company_id: str) -> None:
    """Deliver what waits for the job of settlements, as the worker would."""
    installation, tenant_id = web.installation, parse_public_id(company_id, prefix="com")
    jobs = SettlementJobs(installation.sealer, SystemClock())
    is_left = True
    while is_left:
        async with installation.database.transaction(tenant_id) as transaction:
            row = await transaction.fetchrow(
                "SELECT id, topic, payload::text FROM outbox WHERE tenant_id = $1 AND done_at IS NULL AND topic = $2"
                " ORDER BY created_at, id LIMIT 1",
                tenant_id,
                str(CALCULATION_AWAITED),
            )
            is_left = row is not None
            if row is not None:
                plain = json.loads(row["payload"])
                await jobs.calculate(Event(row["id"], tenant_id, row["topic"], plain, SystemClock().now(), 1))
                await transaction.execute("UPDATE outbox SET done_at = now(), due_at = NULL WHERE id = $1", row["id"])


@pytest_asyncio.fixture(loop_scope="session")
async def firm(web: Web) -> Firm:
    owner = await web.sign_up("晨光销售")
    clerk, rep = await owner.invite("hr_admin", name="王芳"), await owner.invite("rep", name="李雷")
    customer = await rep.create_customer(f"客户{secrets.token_hex(4)}", keep=True)
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    day = today.replace(day=1) - timedelta(days=5)
    await backdated(web, owner, day - timedelta(days=60))
    made = await owner.done(
        DEAL,
        **keyed(
            customer={"id": customer}, number="HT-1", signedOn=day.isoformat(), amount="1000.00", owner=rep.employee_id
        ),
    )
    deal_id = made["deal"]["id"]
    got = await owner.done(COLLECT, **keyed(deal={"id": deal_id}, amount="1000.00", receivedOn=day.isoformat()))
    foreign = await web.sign_up("远山贸易")
    return Firm(web, owner, clerk, rep, foreign, web.nobody, day, deal_id, got["collection"]["id"])


async def backdated(web: Web, owner: Person, day: date) -> None:
    """Let the company's customers have been there since a day."""
    async with web.installation.database.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        tenant_id = await transaction.fetchval(
            "SELECT m.tenant_id FROM platform.membership m JOIN platform.account a ON a.id = m.account_id"
            " WHERE a.email = $1",
            owner.email,
        )
        await transaction.bind_tenant(tenant_id)
        at = datetime(day.year, day.month, day.day, tzinfo=UTC)
        await transaction.execute("UPDATE customer SET created_at = $1", at)
        await transaction.execute("UPDATE ownership SET started_at = $1, started_on = $2", at, day)


async def test_from_a_plan_to_a_statement(firm: Firm) -> None:
    body = keyed(**plan())
    saved = await firm.owner.done(SAVE, **body)
    assert saved["plan"]["versions"]["nodes"] == [{"number": 1, "state": "DRAFT"}]
    assert (saved["plan"]["measure"], saved["plan"]["payability"], saved["plan"]["tierWindow"]) == (
        "COLLECTED",
        "AT_COLLECTION",
        "PERIOD",
    )
    assert saved["version"] == {
        "state": "DRAFT",
        "number": 1,
        "validFrom": "2020-01-01",
        "contentHash": saved["contentHash"],
        "author": {"name": "韩梅梅"},
    }
    assert await firm.owner.done(SAVE, **body) == {**saved, "replayed": True}
    plan_id = saved["plan"]["id"]
    named = {"plan": plan_id, "contentHash": saved["contentHash"]}
    unreasoned = await firm.clerk.refused(PUBLISH, **keyed(**named))
    assert (unreasoned["messageKey"], unreasoned["field"]) == ("incentives.beginning_in_the_past", ["input", "reason"])
    published = await firm.clerk.done(PUBLISH, **keyed(**named, reason="员工代表大会通过"))
    assert published["plan"]["versions"]["nodes"] == [
        {"number": 1, "state": "PUBLISHED", "publisher": {"name": "王芳"}}
    ]

    asked = {"plan": plan_id, "day": firm.day.isoformat()}
    preview = keyed(**asked, mode="PREVIEW")
    seen = await firm.clerk.done(CALCULATE, **preview)
    assert {name: seen[name] for name in ("people", "lines", "adjustments", "newLines", "settlement", "earned")} == {
        "people": 1,
        "lines": 1,
        "adjustments": 0,
        "newLines": 1,
        "settlement": None,
        "earned": None,
    }
    assert await firm.clerk.done(CALCULATE, **preview) == {**seen, "replayed": True}
    settlement = await firm.commit(plan_id, planHash=seen["planHash"])
    assert (settlement["calculator"], settlement["planHash"]) == ({"name": "王芳"}, seen["planHash"])
    assert (settlement["state"], settlement["peopleCount"], settlement["lineCount"], settlement["earned"]) == (
        "CALCULATED",
        1,
        1,
        None,
    )
    done = {"settlement": settlement["id"], "planHash": seen["planHash"]}
    assert await firm.rep.data("{ settlements(first: 5) { nodes { id } } statements(first: 5) { nodes { id } } }") == {
        "settlements": {"nodes": []},
        "statements": {"nodes": []},
    }
    assert (await firm.clerk.done(SUBMIT, **keyed(**done)))["settlement"]["state"] == "IN_REVIEW"
    itself = await firm.clerk.refused(APPROVE, **keyed(**done))
    assert (itself["code"], itself["messageKey"]) == ("RULE_REFUSED", "incentives.calculator_approves")
    approved = await firm.owner.done(APPROVE, **keyed(**done))
    assert (approved["settlement"]["state"], approved["settlement"]["approver"]) == ("APPROVED", {"name": "韩梅梅"})
    closing = keyed(**done)
    locked = await firm.clerk.done(LOCK, **closing)
    assert locked["settlement"]["state"] == "LOCKED"
    assert await firm.clerk.done(LOCK, **closing) == {**locked, "replayed": True}
    twice = await firm.owner.refused(LOCK, **keyed(**done))
    assert (twice["code"], twice["messageKey"]) == ("CONFLICT", "incentives.settlement_is")

    (statement,) = (await firm.rep.data(STATEMENTS))["statements"]["nodes"]
    assert statement == {
        "id": statement["id"],
        "lineCount": 1,
        "isInPayroll": False,
        "employee": {"name": "李雷"},
        "settlement": {"state": "LOCKED"},
        "earned": {"value": "30.00", "masked": "***"},
        "payable": {"value": "30.00", "masked": "***"},
        "carried": {"value": "0", "masked": "***"},
    }


async def test_people_read_what_they_earned_and_why(firm: Firm) -> None:
    await firm.locked()
    (line,) = (await firm.rep.data(ACCRUALS))["accruals"]["nodes"]
    assert line == {
        "id": line["id"],
        "kind": "EARNED",
        "rule": "all",
        "employee": {"name": "李雷"},
        "deal": {"number": "HT-1"},
        "settlement": {"state": "LOCKED"},
    }
    assert (await firm.rep.data(AMOUNTS))["accruals"]["nodes"] == [{"amount": "30.00", "base": "1000.00"}]
    english = (await firm.rep.data(WHY, id=line["id"]))["accrualExplanation"]
    chinese = (await firm.rep.speaking("zh-CN").data(WHY, id=line["id"]))["accrualExplanation"]
    assert [(row["depth"], row["key"]) for row in english] == [(row["depth"], row["key"]) for row in chinese]
    assert (english[0]["depth"], english[0]["amount"], english[0]["source"]) == (0, "30.00", firm.collection)
    assert english[0]["text"] == f"Commission of 李雷 on the order HT-1: {firm.collection} of {firm.day}"
    assert chinese[0]["text"] == f"李雷 订单 HT-1 的提成：{firm.day} 的 {firm.collection}"


async def test_nobody_reads_the_pay_of_others(firm: Firm) -> None:
    await firm.locked()
    colleague, partner = await firm.owner.invite("rep", name="小红"), await firm.owner.invite("owner", name="股东")
    for person in (partner, firm.clerk):
        (line,) = (await person.data(ACCRUALS))["accruals"]["nodes"]
        for query, paths in ((AMOUNTS, {"Accrual.amount", "Accrual.base"}), (STATEMENTS, None)):
            body = await person.answer(query)
            told = {error["extensions"]["field"] for error in body["errors"]}
            assert {error["extensions"]["code"] for error in body["errors"]} == {"FIELD_FORBIDDEN"}
            assert told == (paths or {"Statement.earned", "Statement.payable", "Statement.carried"})
        assert await person.code(WHY, id=line["id"]) == "NOT_FOUND"
        assert await colleague.code(WHY, id=line["id"]) == "NOT_FOUND"
    assert await colleague.data(ACCRUALS) == {"accruals": {"nodes": []}}
    assert (await colleague.data(STATEMENTS))["statements"]["nodes"] == []


async def test_the_payroll_officer_reads_everybodys(firm: Firm) -> None:
    await firm.locked()
    own = [(await firm.rep.data(query)) for query in (AMOUNTS, STATEMENTS)]
    assert [await firm.owner.data(query) for query in (AMOUNTS, STATEMENTS)] == own
    (line,) = (await firm.owner.data(ACCRUALS))["accruals"]["nodes"]
    assert await firm.owner.data(WHY, id=line["id"]) == await firm.rep.data(WHY, id=line["id"])


async def test_four_kinds_of_caller(firm: Firm) -> None:
    plan_id = await firm.in_force()
    done = await firm.calculated(plan_id)
    before = await firm.owner.data(STATE)
    asked = keyed(plan=plan_id, day=firm.day.isoformat(), mode="PREVIEW")
    moves: tuple[tuple[str, dict[str, Any]], ...] = (
        (SAVE, keyed(**plan())),
        (PUBLISH, keyed(plan=plan_id, contentHash="0" * 64)),
        (JOIN, keyed(plan=plan_id, employee=firm.rep.employee_id, validFrom="2026-01-01")),
        (STAGE, keyed(deal={"id": firm.deal}, stage="定金", reachedOn=firm.day.isoformat())),
        (CALCULATE, asked),
        (SUBMIT, keyed(**done)),
        (APPROVE, keyed(**done)),
        (LOCK, keyed(**done)),
        (DISCARD, keyed(settlement=done["settlement"], reason="x")),
    )
    for query, values in moves:
        assert await firm.rep.code(query, input=values) == "FORBIDDEN"
        assert await firm.nobody.code(query, input=values) == "UNAUTHENTICATED"
    for query, values in moves[1:]:
        refused = await firm.foreign.refused(query, **values)
        assert refused["code"] == "NOT_FOUND", query
    assert await firm.foreign.data(
        "query ($p: ID!, $s: ID!) { incentivePlan(id: $p) { code } settlement(id: $s) { state } }",
        p=plan_id,
        s=done["settlement"],
    ) == {"incentivePlan": None, "settlement": None}
    assert await firm.owner.data(STATE) == before


async def test_what_is_wrong_with_a_plan_is_told_at_its_fields(firm: Firm) -> None:
    before = await firm.owner.data(STATE)
    tiers = {"kind": "TIERS", "cuts": ["200", "100"], "rates": ["0.1", "3", "0.2"], "mode": "WHOLE_AMOUNT"}
    rules = [
        {"code": "a", "title": "甲", "shape": tiers},
        {"code": "b", "title": "乙", "shape": {"kind": "FLAT", "rate": "0.1"}, "match": {"kind": "OLD"}},
    ]
    given = plan(payability="AT_SIGNING", version={"validFrom": "2020-01-01", "rules": rules})
    payload = await firm.owner.payload(SAVE, **keyed(**given))
    assert [(error["messageKey"].removeprefix("incentives."), error["field"]) for error in payload["userErrors"]] == [
        ("collected_released_otherwise", ["input", "payability"]),
        ("cuts_unordered", ["input", "version", "rules", "0", "shape", "cuts", "1"]),
        ("rate_out_of_range", ["input", "version", "rules", "0", "shape", "rates", "1"]),
        ("kind_without_window", ["input", "version", "rules", "1", "match", "kind"]),
    ]
    unshaped = plan(version={"validFrom": "2020-01-01", "rules": [{**rules[1], "shape": {"kind": "FLAT"}}]})
    refused = await firm.owner.refused(SAVE, **keyed(**unshaped))
    assert (refused["messageKey"], refused["field"]) == (
        "incentives.plan_member_missing",
        ["input", "version", "rules", "0", "shape", "rate"],
    )
    empty = plan(version={"validFrom": "2020-01-01", "validTo": "2020-01-01", "rules": [rules[1]]})
    refused = await firm.owner.refused(SAVE, **keyed(**empty))
    assert refused["field"] == ["input", "version", "validTo"]
    assert await firm.owner.data(STATE) == before


async def test_a_whole_version_comes_through(firm: Firm) -> None:
    version = {
        "validFrom": "2020-01-01",
        "validTo": "2031-01-01",
        "rules": [
            {
                "code": "ladder",
                "title": "阶梯",
                "shape": {
                    "kind": "TIERS",
                    "cuts": ["1"],
                    "rates": ["0.01", "0.02"],
                    "bound": "LOWER_INCLUSIVE",
                    "ofTarget": True,
                },
            },
            {
                "code": "new",
                "title": "新客",
                "award": "BONUS",
                "shape": {"kind": "FLAT", "rate": "0.05"},
                "match": {"kind": "NEW", "amountFrom": "100", "amountTo": "1000.50", "product": "crm", "level": "A"},
            },
        ],
        "newCustomerDays": 90,
        "commissionFree": ["gift"],
        "clawback": "ORIGINAL_LINE",
        "grades": [{"throughDays": 30, "share": "1"}, {"throughDays": 90, "share": "0.5"}],
        "gradeAfter": "0.1",
        "limits": [{"kind": "CAP", "amount": "5000", "scope": "ORDER"}, {"kind": "GUARANTEE", "amount": "100"}],
    }
    saved = await firm.owner.done(SAVE, **keyed(**plan(code="whole", version=version)))
    read = await firm.owner.data(
        "query ($id: ID!) { incentivePlan(id: $id) { versions(first: 1) { nodes { content validTo } } } }",
        id=saved["plan"]["id"],
    )
    (stored,) = read["incentivePlan"]["versions"]["nodes"]
    assert stored["validTo"] == "2031-01-01"
    assert json.loads(stored["content"])["versions"] == [
        {
            "number": 1,
            "effective": {"first": "2020-01-01", "until": "2031-01-01"},
            "rules": [
                {
                    "code": "ladder",
                    "title": "阶梯",
                    "shape": {
                        "shape": "tiers",
                        "cuts": ["1"],
                        "rates": ["0.01", "0.02"],
                        "bound": "lower_inclusive",
                        "of_target": True,
                    },
                },
                {
                    "code": "new",
                    "title": "新客",
                    "award": "bonus",
                    "shape": {"shape": "flat", "rate": "0.05"},
                    "match": {
                        "kind": "new",
                        "amount_from": "100",
                        "amount_to": "1000.5",
                        "product": "crm",
                        "level": "A",
                    },
                },
            ],
            "new_customer_days": 90,
            "commission_free": ["gift"],
            "clawback": "original_line",
            "grades": [{"through_days": 30, "share": "1"}, {"through_days": 90, "share": "0.5"}],
            "grade_after": "0.1",
            "limits": [{"kind": "cap", "amount": "5000", "scope": "order"}, {"kind": "guarantee", "amount": "100"}],
        }
    ]


async def test_rules_are_tried_on_real_deals(firm: Firm) -> None:
    before = await firm.owner.data(STATE)
    given = {**plan("0.12", version={**plan("0.12")["version"], "validFrom": "2099-01-01"}), "deals": [firm.deal]}
    (line,) = (await firm.owner.data(TRIAL, input=given))["incentiveTrial"]
    assert {name: line[name] for name in ("employee", "deal", "rule", "happenedOn", "amount")} == {
        "employee": {"name": "李雷"},
        "deal": {"number": "HT-1"},
        "rule": "all",
        "happenedOn": firm.day.isoformat(),
        "amount": "120.00",
    }
    assert [row["text"] for row in line["explanation"]][-2:] == [
        "Base 1000.00 × 12 % = 120.00",
        "120.00 rounded half up to 2 digits: 120.00",
    ]
    assert await firm.rep.code(TRIAL, input=given) == "FORBIDDEN"
    assert await firm.foreign.code(TRIAL, input=given) == "NOT_FOUND"
    assert await firm.owner.data(STATE) == before


async def test_participants_and_stages(firm: Firm) -> None:
    plan_id = await firm.in_force()
    joined = await firm.owner.done(JOIN, **keyed(plan=plan_id, employee=firm.rep.employee_id, validFrom="2026-01-01"))
    participant = joined["participant"]
    assert participant == {
        "id": participant["id"],
        "validFrom": "2026-01-01",
        "validTo": None,
        "employee": {"name": "李雷"},
    }
    ended = await firm.owner.done(LEAVE, **keyed(participant=participant["id"], validTo="2026-06-01"))
    assert ended["participant"]["validTo"] == "2026-06-01"
    empty = await firm.owner.refused(LEAVE, **keyed(participant=participant["id"], validTo="2026-01-01"))
    assert (empty["messageKey"], empty["field"]) == ("incentives.participation_empty", ["input", "validTo"])
    both = await firm.owner.refused(JOIN, **keyed(plan=plan_id, validFrom="2026-01-01"))
    assert both["messageKey"] == "incentives.participant_of_one"
    noted = await firm.owner.done(
        STAGE,
        **keyed(deal={"id": firm.deal}, collection=firm.collection, stage=" 定金 ", reachedOn=firm.day.isoformat()),
    )
    assert noted["stage"] == {
        "stage": "定金",
        "reachedOn": firm.day.isoformat(),
        "deal": {"number": "HT-1"},
        "collection": {"amount": "1000.00"},
    }


async def test_a_draft_settlement_is_discarded(firm: Firm) -> None:
    done = await firm.calculated(await firm.in_force())
    gone = await firm.clerk.done(DISCARD, **keyed(settlement=done["settlement"], reason="漏录回款"))
    assert gone["settlementId"] == done["settlement"]
    assert (await firm.owner.data(STATE))["settlements"]["nodes"] == []


async def test_a_commit_names_what_was_seen(firm: Firm) -> None:
    plan_id = await firm.in_force()
    asked = {"plan": plan_id, "day": firm.day.isoformat()}
    seen = await firm.clerk.done(CALCULATE, **keyed(**asked, mode="PREVIEW"))
    failed = await firm.commit(plan_id, planHash="0" * 64)
    assert (failed["state"], failed["planHash"], failed["calculatedAt"]) == ("FAILED", None, None)
    (english,) = (await firm.clerk.data(PROBLEMS, id=failed["id"]))["settlementProblems"]
    (chinese,) = (await firm.clerk.speaking("zh-CN").data(PROBLEMS, id=failed["id"]))["settlementProblems"]
    assert english == {
        "message": f"The result has changed: {'0' * 64} was seen, and it is {seen['planHash']} now.",
        "messageKey": "incentives.result_changed",
        "args": [{"name": "actual", "value": seen["planHash"]}, {"name": "expected", "value": "0" * 64}],
        "hint": "Look at the preview again and decide anew.",
    }
    assert chinese["message"] == f"结果已变更：所见为 {'0' * 64}，现为 {seen['planHash']}。"
    assert await firm.rep.code(PROBLEMS, id=failed["id"]) == "FORBIDDEN"
    assert await firm.nobody.code(PROBLEMS, id=failed["id"]) == "UNAUTHENTICATED"
    assert await firm.foreign.code(PROBLEMS, id=failed["id"]) == "NOT_FOUND"
    for step in (SUBMIT, APPROVE, LOCK):
        refused = await firm.owner.refused(step, **keyed(settlement=failed["id"], planHash=seen["planHash"]))
        assert (refused["messageKey"], refused["args"]) == (
            "incentives.settlement_is",
            [{"name": "state", "value": "failed"}],
        )
    done = await firm.commit(plan_id)
    assert (done["state"], done["planHash"]) == ("CALCULATED", seen["planHash"])
    assert (await firm.clerk.data(PROBLEMS, id=done["id"]))["settlementProblems"] == []


async def test_a_bonus_pool(firm: Firm) -> None:
    plan_id = await firm.in_force()
    month = firm.day.replace(day=1)
    after = (month + timedelta(days=40)).replace(day=1)
    asked = {
        "plan": plan_id,
        "title": "月度奖金池",
        "periodFirst": month.isoformat(),
        "periodUntil": after.isoformat(),
        "share": "0.1",
        "hurdle": "500",
        "members": [
            {"employee": firm.rep.employee_id, "weight": "2"},
            {"employee": firm.clerk.employee_id, "weight": "1"},
        ],
    }
    seen = await firm.clerk.done(POOL, **keyed(**asked, mode="PREVIEW"))
    assert (seen["result"], seen["pool"], seen["parts"], seen["poolRun"]) == (
        "1000.00",
        "50.00",
        ["33.33", "16.67"],
        None,
    )
    commit = keyed(**asked, mode="COMMIT", planHash=seen["planHash"])
    stored = await firm.clerk.done(POOL, **commit)
    assert stored["poolRun"] == {
        "id": stored["poolRun"]["id"],
        "state": "CALCULATED",
        "result": "1000.00",
        "pool": "50.00",
    }
    assert await firm.clerk.done(POOL, **commit) == {**stored, "replayed": True}
    named = {"poolRun": stored["poolRun"]["id"], "planHash": stored["planHash"]}
    itself = await firm.clerk.refused(APPROVE_POOL, **keyed(**named))
    assert itself["messageKey"] == "incentives.pool_calculator_approves"
    approved = await firm.owner.done(APPROVE_POOL, **keyed(**named))
    assert (approved["poolRun"]["state"], approved["poolRun"]["approver"]) == ("APPROVED", {"name": "韩梅梅"})
    assert await firm.rep.code(APPROVE_POOL, input=keyed(**named)) == "FORBIDDEN"
    assert (await firm.foreign.refused(APPROVE_POOL, **keyed(**named)))["code"] == "NOT_FOUND"
