"""The behaviour report over HTTP: exact figures of a small company, rows, files, metrics, and who may read what."""

from __future__ import annotations

import base64
import csv
import io
import secrets
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest_asyncio

from saas.analytics import BEHAVIOUR_COLUMNS
from saas.exchange.sheets import open_sheets
from saas.kernel import new_id, parse_public_id, public_id
from tests.api.rooms.web import USER_ERRORS, Person, Web

FIGURE = "{ measure title unit value sample comparison comparisonSample difference median medianPeople }"
REPORT = f"""
query ($input: BehaviourInput!, $first: Int! = 100, $after: String) {{
  behaviourReport(input: $input, first: $first, after: $after) {{
    first last comparisonFirst comparisonLast currency peopleCount lineCount returnCount
    lines {{ employee {{ id }} department {{ id }} group {{ id }} people figures {FIGURE} }}
    pageInfo {{ hasNextPage endCursor }} columns {{ key title }} rows {{ cells }}
    returns {{ to customer {{ id }} formerOwner {{ id }} receiver {{ id }} through {{ id }} endedOn receivedOn days }}
  }}
}}
"""
FILE = """
query ($input: BehaviourInput!, $format: BehaviourFileFormat!) {
  behaviourFile(input: $input, format: $format) { fileName content }
}
"""
SHARE = "{ value sample }"
METRICS = f"""
query ($pool: ID!, $from: Date!, $to: Date!, $days: Int! = 90) {{
  poolMetrics(pool: $pool, from: $from, to: $to, conversionDays: $days) {{
    into {{ kind customers }} out {{ kind customers }} averageWaitDays backIn30Days {SHARE}
    conversion {SHARE} expiredUntouched {SHARE} returns
  }}
}}
"""
CLAIM = f"mutation ($input: CustomerClaimInput!) {{ customerClaim(input: $input) {{ {USER_ERRORS} }} }}"
RELEASE = f"mutation ($input: CustomerReleaseInput!) {{ customerRelease(input: $input) {{ {USER_ERRORS} }} }}"
FOLLOW = f"mutation ($input: FollowUpCreateInput!) {{ followUpCreate(input: $input) {{ {USER_ERRORS} }} }}"
DEAL = f"mutation ($input: DealEnterInput!) {{ dealEnter(input: $input) {{ deal {{ id }} {USER_ERRORS} }} }}"
TODAY = datetime.now(ZoneInfo("Asia/Shanghai")).date()
# a test that begins before midnight may end after it
LAST = TODAY + timedelta(days=1)


class Firm:
    """A company with two reps: the first follows up and sells, the second claims and gives back."""

    def __init__(self, web: Web, owner: Person, reps: list[Person], pool: str) -> None:
        self.web, self.owner, self.reps, self.pool = web, owner, reps, pool

    @property
    def wish(self) -> dict[str, Any]:
        return {"pools": [self.pool], "from": TODAY.isoformat(), "to": LAST.isoformat()}

    async def report(self, asking: Person, **more: Any) -> dict[str, Any]:
        page = {name: more.pop(name) for name in ("first", "after") if name in more}
        found: dict[str, Any] = (await asking.data(REPORT, input={**self.wish, **more}, **page))["behaviourReport"]
        return found

    async def file(self, asking: Person, wanted: str, **more: Any) -> tuple[str, bytes]:
        found = (await asking.data(FILE, input={**self.wish, **more}, format=wanted))["behaviourFile"]
        return found["fileName"], base64.b64decode(found["content"])

    async def refusal(self, person: Person, **wish: Any) -> tuple[str, str, list[str]]:
        """Code, message and place."""
        body = await person.answer(REPORT, input={**self.wish, **wish})
        (error,) = body["errors"]
        return error["extensions"]["code"], error["message"], error["extensions"].get("field")


def key() -> str:
    return secrets.token_hex(8)


@pytest_asyncio.fixture(loop_scope="session")
async def firm(web: Web) -> Firm:
    owner = await web.sign_up()
    reps = [await owner.invite("rep", name=name) for name in ("=李雷", "王芳")]
    pool = (await owner.data("{ customerPools(first: 1) { nodes { id } } }"))["customerPools"]["nodes"][0]["id"]
    customers = [await owner.create_customer(name) for name in ("晨星科技", "远山贸易", "海湾物流")]
    for rep, customer in zip((reps[0], reps[0], reps[1]), customers, strict=True):
        await rep.done(CLAIM, idempotencyKey=key(), customer={"id": customer})
    visit = {"kind": "VISIT", "content": "上门演示了产品并确认了报价"}
    await reps[0].done(FOLLOW, idempotencyKey=key(), customer={"id": customers[0]}, **visit)
    order = {"number": "D-1", "signedOn": TODAY.isoformat(), "amount": "1000.50"}
    await reps[0].done(DEAL, idempotencyKey=key(), customer={"id": customers[0]}, **order)
    await reps[1].done(RELEASE, idempotencyKey=key(), customer={"id": customers[2]}, reason="无法联系")
    return Firm(web, owner, reps, pool)


def figures(line: dict[str, Any]) -> dict[str, tuple[str | None, int]]:
    return {each["measure"]: (each["value"], each["sample"]) for each in line["figures"]}


def by_person(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {line["employee"]["id"]: line for line in report["lines"]}


async def test_figures_of_two_reps(firm: Firm) -> None:
    report = await firm.report(firm.owner)
    assert (report["peopleCount"], report["lineCount"], report["currency"], report["returnCount"]) == (2, 2, "CNY", 0)
    days = (LAST - TODAY + timedelta(days=1)).days
    before = (TODAY - timedelta(days=days)).isoformat(), (TODAY - timedelta(days=1)).isoformat()
    assert (report["comparisonFirst"], report["comparisonLast"]) == before
    lines = by_person(report)
    sells, gives_back = (figures(lines[rep.employee_id]) for rep in firm.reps)
    assert {name: sells[name] for name in ("follow_ups", "new_follow_ups", "won_deals", "signed", "new_signed")} == {
        "follow_ups": ("1", 1),
        "new_follow_ups": ("1.0000", 1),
        "won_deals": ("1", 1),
        "signed": ("1000.50", 1),
        "new_signed": ("1.0000", 1),
    }
    assert (sells["touched"], sells["in_claim"], sells["closing"]) == (("0.5000", 2), ("2", 2), ("2", 2))
    assert (sells["waiting"], sells["never_answered"]) == (("1", 1), ("0.0000", 1))
    assert (sells["response"], sells["hoarding"]) == (("0.00", 1), ("0.0000", 2))
    assert (sells["conversion"], sells["conversion_censored"]) == ((None, 0), ("2", 2))
    assert (gives_back["in_claim"], gives_back["out_release"], gives_back["closing"]) == (("1", 1), ("1", 1), ("0", 0))
    assert (gives_back["never_answered"], gives_back["new_signed"]) == (("1.0000", 1), (None, 0))
    compared = lines[firm.reps[0].employee_id]["figures"][0]
    assert (compared["comparison"], compared["comparisonSample"], compared["difference"]) == ("0", 0, "1")
    assert (compared["median"], compared["medianPeople"]) == (None, 2)


async def test_rows_have_columns_that_never_change_and_headings_in_both_languages(firm: Firm) -> None:
    report = await firm.report(firm.owner)
    assert [each["key"] for each in report["columns"]] == list(BEHAVIOUR_COLUMNS)
    assert len(report["rows"]) == sum(len(line["figures"]) for line in report["lines"])
    rows = [dict(zip(BEHAVIOUR_COLUMNS, row["cells"], strict=True)) for row in report["rows"]]
    signed = next(row for row in rows if row["id"] == firm.reps[0].employee_id and row["measure"] == "signed")
    assert {name: signed[name] for name in ("name", "unit", "value", "comparison", "median")} == {
        "name": "=李雷",
        "unit": "CNY",
        "value": "1000.50",
        "comparison": "0.00",
        "median": "",
    }
    chinese = await firm.report(firm.owner.speaking("zh-CN"))
    assert [each["title"] for each in chinese["columns"]][4:8] == ["指标", "指标名称", "单位", "本期"]
    assert chinese["lines"][0]["figures"][0]["title"] == "有效跟进次数"
    assert report["lines"][0]["figures"][0]["title"] == "Effective follow-ups"


async def test_files_say_the_same_and_are_audited(firm: Firm) -> None:
    report = await firm.report(firm.owner)
    name, content = await firm.file(firm.owner, "CSV")
    assert name == f"behaviour-{TODAY}-{LAST}.csv"
    header, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert header == [each["title"] for each in report["columns"]]
    defused = [[f"'{cell}" if cell.startswith("=") else cell for cell in row["cells"]] for row in report["rows"]]
    assert rows == defused
    name, content = await firm.file(firm.owner.speaking("zh-CN"), "XLSX")
    assert name.endswith(".xlsx")
    with open_sheets(io.BytesIO(content), filename=name) as sheets:
        assert sheets.names == ("行为对比", "客户回流")
        cells = [row.cells for row in sheets.rows("行为对比")]
    assert {row[7] for row in cells if row[4] == "signed"} == {Decimal(0), Decimal("1000.5")}
    entries = (await firm.owner.data("{ auditEntries(first: 5) { nodes { action objectType } } }"))["auditEntries"]
    assert [each["action"] for each in entries["nodes"]].count("behaviour.exported") == 2


async def test_each_sees_whom_they_may(firm: Firm, web: Web) -> None:
    mine, theirs = firm.reps
    own = await firm.report(mine)
    assert list(by_person(own)) == [mine.employee_id]
    assert own["peopleCount"] == 2
    assert figures(own["lines"][0]) == figures(by_person(await firm.report(firm.owner))[mine.employee_id])
    for group in ("DEPARTMENT", "WHOLE"):
        assert (await firm.report(theirs, groupBy=group))["lines"] == []
    hr = await firm.owner.invite("hr_admin", name="人事", staff=False)
    manager = await firm.owner.invite("sales_manager", name="经理")
    for person in (hr, manager):
        assert set(by_person(await firm.report(person))) == {mine.employee_id, theirs.employee_id}
    (whole,) = (await firm.report(hr, groupBy="WHOLE"))["lines"]
    assert (whole["people"], figures(whole)["in_claim"]) == (2, ("3", 3))
    (root,) = (await firm.report(manager, groupBy="DEPARTMENT"))["lines"]
    assert (await firm.report(hr, department=root["department"]["id"]))["lineCount"] == 2
    for role in ("consultant", "payroll_officer", "partner_app", "auditor"):
        other = await firm.owner.invite(role, name="其他", staff=False)
        assert await other.code(REPORT, input=firm.wish) == "FORBIDDEN", role
        assert await other.code(FILE, input=firm.wish, format="CSV") == "FORBIDDEN", role
    assert await web.nobody.code(REPORT, input=firm.wish) == "UNAUTHENTICATED"
    stranger = await web.sign_up("远山贸易")
    assert await stranger.code(REPORT, input=firm.wish) == "NOT_FOUND"
    assert await stranger.code(METRICS, pool=firm.pool, **{"from": str(TODAY), "to": str(LAST)}) == "NOT_FOUND"


async def test_lines_come_in_pages(firm: Firm) -> None:
    whole, one = await firm.report(firm.owner), await firm.report(firm.owner, first=1)
    assert one["pageInfo"]["hasNextPage"]
    two = await firm.report(firm.owner, first=1, after=one["pageInfo"]["endCursor"])
    assert not two["pageInfo"]["hasNextPage"]
    assert [*one["lines"], *two["lines"]] == whole["lines"]
    assert [*one["rows"], *two["rows"]] == whole["rows"]


async def test_returns_name_who_had_it_meanwhile(firm: Firm) -> None:
    """Written back by days, since nobody gets a customer back within the cooldown."""
    tenant_id = parse_public_id(firm.owner.company_id, prefix="com")
    customer = await firm.owner.create_customer("回流客户")
    mine, theirs = firm.reps
    async with firm.web.installation.database.transaction(tenant_id) as transaction:
        await transaction.execute(
            """
            INSERT INTO ownership (tenant_id, id, customer_id, owner_id, owner_department_id, pool_id, started_at,
                started_on, ended_at, ended_on, start_kind, end_kind, operator_id)
            SELECT $1, gen_random_uuid(), $2, e.id, e.department_id, c.pool_id, now() - i.began * interval '1 day',
                $3::date - i.began, now() - i.ended * interval '1 day', $3::date - i.ended, 'claim', 'release', e.id
            FROM (VALUES ($4::uuid, 20, 9), ($5::uuid, 8, 3)) AS i (owner, began, ended)
            JOIN employee e ON e.tenant_id = $1 AND e.id = i.owner
            JOIN customer c ON c.tenant_id = $1 AND c.id = $2
            """,
            tenant_id,
            parse_public_id(customer, prefix="cus"),
            TODAY,
            parse_public_id(mine.employee_id, prefix="emp"),
            parse_public_id(theirs.employee_id, prefix="emp"),
        )
    await mine.done(CLAIM, idempotencyKey=key(), customer={"id": customer})
    report = await firm.report(mine)
    (back,) = report["returns"]
    assert back == {
        "to": "PERSON",
        "customer": {"id": customer},
        "formerOwner": {"id": mine.employee_id},
        "receiver": {"id": mine.employee_id},
        "through": [{"id": theirs.employee_id}],
        "endedOn": (TODAY - timedelta(days=9)).isoformat(),
        "receivedOn": back["receivedOn"],
        "days": (date.fromisoformat(back["receivedOn"]) - TODAY).days + 9,
    }
    assert figures(report["lines"][0])["returns"] == ("1", 1)
    assert (await firm.report(theirs))["returnCount"] == 0


async def test_metrics_of_the_pool(firm: Firm) -> None:
    days = {"from": TODAY.isoformat(), "to": LAST.isoformat()}
    found = (await firm.owner.data(METRICS, pool=firm.pool, **days))["poolMetrics"]
    assert found == {
        "into": [{"kind": "entered", "customers": 3}, {"kind": "release", "customers": 1}],
        "out": [{"kind": "claim", "customers": 3}],
        "averageWaitDays": "0.00",
        "backIn30Days": {"value": None, "sample": 0},
        "conversion": {"value": None, "sample": 0},
        "expiredUntouched": {"value": None, "sample": 0},
        "returns": 0,
    }
    seen = (await firm.reps[0].data(METRICS, pool=firm.pool, **days))["poolMetrics"]
    assert seen == {**found, "conversion": None, "expiredUntouched": None, "returns": None}


async def test_refusals_name_fact_and_place(firm: Firm) -> None:
    refusal = firm.refusal
    assert await refusal(firm.owner, **{"from": "2026-03-02", "to": "2026-03-01"}) == (
        "BAD_USER_INPUT",
        "The period ends on 2026-03-01, before it begins on 2026-03-02.",
        ["to"],
    )
    assert (await refusal(firm.owner, **{"from": "2023-03-02", "to": "2026-03-01"}))[2] == ["to"]
    for first, last in (("0001-01-01", "0001-01-02"), ("9999-12-30", "9999-12-31")):
        code, message, place = await refusal(firm.owner, **{"from": first, "to": last})
        assert (code, place) == ("BAD_USER_INPUT", ["to"])
        assert message.endswith("are not all in the years 1900 to 2999, of which reports are.")
    assert await refusal(firm.owner, comparison="GIVEN") == (
        "BAD_USER_INPUT",
        "The days of the other period and the comparison GIVEN belong together.",
        ["comparisonFrom"],
    )
    given = {"comparisonFrom": "2026-01-02", "comparisonTo": "2026-01-01"}
    assert (await refusal(firm.owner, comparison="GIVEN", **given))[2] == ["comparisonTo"]
    other = {"comparisonFrom": "2026-01-01", "comparisonTo": "2026-01-02"}
    assert (await refusal(firm.owner, **other))[2] == ["comparisonFrom"]
    for half in ({"comparison": "GIVEN", "comparisonFrom": "2026-01-01"}, {"comparisonTo": "2026-01-01"}):
        assert (await refusal(firm.owner, **half))[2] == ["comparisonFrom"]
    for name in ("newDays", "conversionDays"):
        for days in (0, 1001):
            assert (await refusal(firm.owner, **{name: days}))[0::2] == ("BAD_USER_INPUT", [name])
    for pools in ([], [firm.pool] * 21):
        assert (await refusal(firm.owner, pools=pools))[0::2] == ("BAD_USER_INPUT", ["pools"])
    assert (await refusal(firm.owner, pools=[public_id("poo", new_id())]))[0] == "NOT_FOUND"
    missing = await refusal(firm.owner, department=public_id("dep", new_id()))
    assert missing == ("NOT_FOUND", "There is no such department, or not in this company.", ["department"])
    assert (await refusal(firm.owner, pools=[firm.reps[0].employee_id]))[0] == "WRONG_ID_TYPE"


async def test_other_periods_are_chosen(firm: Firm) -> None:
    days = {"from": "2026-03-01", "to": "2026-03-31"}
    for wish, expected in (
        ({"comparison": "LAST_YEAR"}, ("2025-03-01", "2025-03-31")),
        ({"comparison": "NONE"}, (None, None)),
        ({}, ("2026-02-01", "2026-02-28")),
        (
            {"comparison": "GIVEN", "comparisonFrom": "2025-12-01", "comparisonTo": "2025-12-09"},
            ("2025-12-01", "2025-12-09"),
        ),
    ):
        report = await firm.report(firm.owner, **days, **wish)
        assert (report["comparisonFirst"], report["comparisonLast"]) == expected
