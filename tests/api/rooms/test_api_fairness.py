"""The fairness report over HTTP: exact figures of a small company, who may read what, and what is refused."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest_asyncio

from saas.kernel import new_id, parse_public_id, public_id
from tests.api.rooms.web import USER_ERRORS, Person, Web

FIGURE = "{ observed expected low high pAdjusted isAlarm }"
LINE = f"{{ employee {{ id }} group people medianWaitedDays picks {FIGURE} value {FIGURE} winRate {FIGURE} }}"
REPORT = f"""
query (
  $pool: ID!, $from: Date!, $to: Date!, $groups: [FairnessGroupInput!], $days: Int! = 90, $first: Int! = 100
  $after: String
) {{
  fairnessReport(
    pool: $pool, from: $from, to: $to, groups: $groups, newcomerDays: $days, first: $first, after: $after
  ) {{
    picks redraws peopleCount alarmCount medianWaitedDays gini {FIGURE} jain {FIGURE}
    newcomers {LINE} groups {LINE} people {LINE} pageInfo {{ hasNextPage endCursor }}
    alarms {{ measure employee {{ id }} group isOfNewcomers text figure {FIGURE} }}
  }}
}}
"""
PLAN = f"""
mutation ($input: AllocationPlanInput!) {{
  allocationPlan(input: $input) {{ allocation {{ id planHash }} {USER_ERRORS} }}
}}
"""
COMMIT = f"""
mutation ($input: AllocationCommitInput!) {{
  allocationCommit(input: $input) {{ allocation {{ given }} {USER_ERRORS} }}
}}
"""
FILL = """
INSERT INTO customer (tenant_id, id, pool_id, name, name_key, match_key, created_at, status)
SELECT $1, gen_random_uuid(), $2, '客户' || n, 'kehu ' || n, '客户' || n, now() - interval '3 days', 'pooled'
FROM generate_series(1, $3) n
"""
TODAY = datetime.now(ZoneInfo("Asia/Shanghai")).date()
# a test that begins before midnight may end after it
DAYS = {"from": TODAY.isoformat(), "to": (TODAY + timedelta(days=1)).isoformat()}
WHOLE = {"observed": "1.000000", "expected": "1.000000", "low": "1.000000", "high": "1.000000"}
UNJUDGED = {"pAdjusted": None, "isAlarm": False}


class Firm:
    """A company with two reps of equal weight and customers in its pool."""

    def __init__(self, web: Web, owner: Person, reps: list[Person], pool: str) -> None:
        self.web, self.owner, self.reps, self.pool = web, owner, reps, pool

    async def fill(self, customers: int) -> None:
        tenant_id, pool_id = (
            parse_public_id(self.owner.company_id, prefix="com"),
            parse_public_id(self.pool, prefix="poo"),
        )
        async with self.web.installation.database.transaction(tenant_id) as transaction:
            await transaction.execute(FILL, tenant_id, pool_id, customers)

    async def allocate(self) -> int:
        people = [{"employee": rep.employee_id} for rep in self.reps]
        wish = {"idempotencyKey": secrets.token_hex(8), "pool": self.pool, "method": "FLEXIBLE", "people": people}
        plan = (await self.owner.done(PLAN, **wish))["allocation"]
        order = {"allocation": plan["id"], "planHash": plan["planHash"], "onChange": "REFUSE"}
        done = await self.owner.done(COMMIT, idempotencyKey=secrets.token_hex(8), **order)
        given: int = done["allocation"]["given"]
        return given

    async def bend(self) -> None:
        """What nobody can do through the product: the second rep's customers stand as the first one's."""
        tenant_id = parse_public_id(self.owner.company_id, prefix="com")
        first, second = (parse_public_id(rep.employee_id, prefix="emp") for rep in self.reps)
        async with self.web.installation.database.transaction(tenant_id) as transaction:
            await transaction.execute(
                "UPDATE allocation_pick SET employee_id = $1 WHERE employee_id = $2", first, second
            )

    async def report(self, asking: Person, **more: Any) -> dict[str, Any]:
        wish = {"pool": self.pool, **DAYS, **more}
        report: dict[str, Any] = (await asking.data(REPORT, **wish))["fairnessReport"]
        return report


@pytest_asyncio.fixture(loop_scope="session")
async def firm(web: Web) -> Firm:
    owner = await web.sign_up()
    reps = [await owner.invite("rep", name=name) for name in ("李雷", "王芳")]
    pool = (await owner.data("{ customerPools(first: 1) { nodes { id } } }"))["customerPools"]["nodes"][0]["id"]
    return Firm(web, owner, reps, pool)


async def test_figures_of_four_customers_between_two(firm: Firm) -> None:
    await firm.fill(4)
    assert await firm.allocate() == 4
    report = await firm.report(firm.owner, groups=[{"name": "south", "people": [firm.reps[1].employee_id]}])
    assert (report["picks"], report["redraws"], report["peopleCount"], report["alarmCount"]) == (4, 2000, 2, 0)
    assert (report["medianWaitedDays"], report["alarms"]) == (3, [])
    # nothing and everything have a chance of one in sixteen each, so 95 % of redraws are not within less than all
    half = {"observed": "0.500000", "expected": "0.500000", "low": "0.000000", "high": "1.000000", **UNJUDGED}
    shares = {"picks": half, "value": half, "winRate": half, "people": 1, "medianWaitedDays": 3, "group": None}
    people = sorted(rep.employee_id for rep in firm.reps)
    assert sorted(report["people"], key=lambda line: str(line["employee"]["id"])) == [
        {"employee": {"id": each}, **shares} for each in people
    ]
    assert report["groups"] == [{**shares, "employee": None, "group": "south"}]
    everybody = {**WHOLE, **UNJUDGED}
    assert report["newcomers"] == {
        "employee": None,
        "group": None,
        "people": 2,
        "medianWaitedDays": 3,
        "picks": everybody,
        "value": everybody,
        "winRate": everybody,
    }
    assert (report["gini"]["observed"], report["gini"]["low"], report["gini"]["high"]) == (
        "0.000000",
        "0.000000",
        "0.500000",
    )
    assert (report["jain"]["observed"], report["jain"]["high"], report["jain"]["low"]) == (
        "1.000000",
        "1.000000",
        "0.500000",
    )


async def test_alarm_is_told_in_the_callers_language_and_each_sees_their_own(firm: Firm) -> None:
    await firm.fill(40)
    assert await firm.allocate() == 40
    await firm.bend()
    report = await firm.report(firm.owner)
    assert report == await firm.report(firm.owner)
    everything = next(
        each for each in report["alarms"] if (each["employee"] or {}).get("id") == firm.reps[0].employee_id
    )
    assert everything["figure"] == {
        "observed": "1.000000",
        "expected": "0.500000",
        "low": everything["figure"]["low"],
        "high": everything["figure"]["high"],
        "pAdjusted": "0.000500",
        "isAlarm": True,
    }
    low, high = (f"{float(everything['figure'][name]) * 100:.2f}" for name in ("low", "high"))
    assert everything["measure"] == "PICKS"
    assert everything["text"] == (
        f"100.00 % of the customers, where 50.00 % were to be expected and chance gives {low} to {high} %"
        " (adjusted p 0.000500)."
    )
    chinese = await firm.report(firm.owner.speaking("zh-CN"))
    told = next(each["text"] for each in chinese["alarms"] if each["measure"] == "GINI")
    assert told.startswith("价值的基尼系数为 0.50，随机结果应在 ")
    own = await firm.report(firm.reps[1])
    assert [line["employee"]["id"] for line in own["people"]] == [firm.reps[1].employee_id]
    assert {(each["employee"] or {}).get("id") for each in own["alarms"]} == {None, firm.reps[1].employee_id}
    assert (own["peopleCount"], own["alarmCount"], own["newcomers"]) == (2, len(report["alarms"]), None)


async def test_who_may_read(firm: Firm, web: Web) -> None:
    await firm.fill(4)
    await firm.allocate()
    auditor = await firm.owner.invite("auditor", name="审计", staff=False)
    manager = await firm.owner.invite("sales_manager", name="经理")
    for person in (auditor, manager):
        assert len((await firm.report(person))["people"]) == 2
    for role in ("hr_admin", "consultant", "payroll_officer", "partner_app"):
        other = await firm.owner.invite(role, name="其他", staff=False)
        assert await other.code(REPORT, pool=firm.pool, **DAYS) == "FORBIDDEN", role
    assert await web.nobody.code(REPORT, pool=firm.pool, **DAYS) == "UNAUTHENTICATED"
    stranger = await web.sign_up("远山贸易")
    assert await stranger.code(REPORT, pool=firm.pool, **DAYS) == "NOT_FOUND"


async def test_people_come_in_pages(firm: Firm) -> None:
    await firm.fill(4)
    await firm.allocate()
    whole, one = await firm.report(firm.owner), await firm.report(firm.owner, first=1)
    assert one["pageInfo"]["hasNextPage"]
    two = await firm.report(firm.owner, first=1, after=one["pageInfo"]["endCursor"])
    assert not two["pageInfo"]["hasNextPage"]
    assert [*one["people"], *two["people"]] == whole["people"]
    assert one["gini"] == two["gini"] == whole["gini"]
    assert (await refusal(firm.owner, pool=firm.pool, **DAYS, first=101))[0::2] == ("BAD_USER_INPUT", ["first"])


async def test_pool_in_which_nothing_was_allocated_has_a_report_that_says_so(firm: Firm) -> None:
    nothing = await firm.report(firm.owner)
    assert (nothing.pop("people"), nothing.pop("groups"), nothing.pop("alarms")) == ([], [], [])
    for days in ({"from": "0001-01-01", "to": "0001-01-02"}, {"from": "9999-12-30", "to": "9999-12-31"}):
        assert (await firm.report(firm.owner, **days))["picks"] == 0
    counts = {name: nothing.pop(name) for name in ("picks", "redraws", "peopleCount", "alarmCount")}
    assert set(counts.values()) == {0}
    assert nothing.pop("pageInfo") == {"hasNextPage": False, "endCursor": None}
    assert set(nothing.values()) == {None}


async def refusal(person: Person, **wish: Any) -> tuple[str, str, list[str]]:
    """Code, message and place."""
    body = await person.answer(REPORT, **wish)
    assert body["data"] == {"fairnessReport": None}
    (error,) = body["errors"]
    return error["extensions"]["code"], error["message"], error["extensions"]["field"]


async def test_refusals_name_fact_and_place(firm: Firm) -> None:
    wish = {"pool": firm.pool, **DAYS}
    backwards = {"from": "2026-03-02", "to": "2026-03-01"}
    assert await refusal(firm.owner, **{**wish, **backwards}) == (
        "BAD_USER_INPUT",
        "The period ends on 2026-03-01, before it begins on 2026-03-02.",
        ["to"],
    )
    long = {"from": "2024-03-01", "to": "2026-03-01"}
    assert await refusal(firm.owner, **{**wish, **long}) == (
        "BAD_USER_INPUT",
        "The period from 2024-03-01 to 2026-03-01 is longer than 2 years, the most that a report is of.",
        ["to"],
    )
    assert (await refusal(firm.owner, **{**wish, "pool": public_id("poo", new_id())}))[0] == "NOT_FOUND"
    assert (await refusal(firm.owner, **{**wish, "pool": firm.reps[0].employee_id}))[0] == "WRONG_ID_TYPE"
    for days in (0, 1001):
        assert (await refusal(firm.owner, **wish, days=days))[0::2] == ("BAD_USER_INPUT", ["newcomerDays"])
    mine, theirs = (rep.employee_id for rep in firm.reps)
    groups = [{"name": "us", "people": [mine, theirs]}]
    assert (await refusal(firm.reps[0], **wish, groups=groups))[0::2] == ("NOT_FOUND", ["groups"])
    twice = [{"name": "us", "people": [mine]}, {"name": " us ", "people": [theirs]}]
    assert (await refusal(firm.owner, **wish, groups=twice))[0::2] == ("BAD_USER_INPUT", ["groups", "1", "name"])
    many = [{"name": str(number), "people": []} for number in range(11)]
    assert (await refusal(firm.owner, **wish, groups=many))[0::2] == ("BAD_USER_INPUT", ["groups"])
