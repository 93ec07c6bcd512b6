"""Reports that a worker reckons, over HTTP: asked for once, worked on by the product's own handlers, read, dropped."""

from __future__ import annotations

import base64
import csv
import io
import secrets
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest_asyncio

from tests.api.rooms.reporting import take_steps
from tests.api.rooms.web import USER_ERRORS, Person, Web

FOUND = """
  on held taken freed warned repCount
  reps { employee { name } held goneBefore goneAfter taken freed warned }
  customers { customer { id } owner { name } dueBefore dueAfter }
"""
AT_ONCE = (
    f"query ($input: CustomerPoolUpdateInput!, $on: Date) {{ customerPoolDryRun(input: $input, on: $on) {{{FOUND}}} }}"
)
START = f"""
mutation ($input: CustomerPoolDryRunStartInput!) {{
  customerPoolDryRunStart(input: $input) {{ report replayed {USER_ERRORS} }}
}}
"""
RESULT = f"""
query ($report: ID!) {{
  customerPoolDryRunResult(report: $report) {{ pool {{ id }} version isStale result {{{FOUND}}} }}
}}
"""
REPS = """
query ($report: ID!, $first: Int! = 1, $after: String) {
  customerPoolDryRunReps(report: $report, first: $first, after: $after) {
    nodes { employee { name } taken } pageInfo { hasNextPage endCursor }
  }
}
"""
NAMED = """
query ($report: ID!, $first: Int! = 100, $after: String) {
  customerPoolDryRunCustomers(report: $report, first: $first, after: $after) { nodes { customer { id } } }
}
"""
JOB = """
query ($report: ID!) {
  reportJob(report: $report) {
    id kind state doneCount totalCount endedAt problem { code messageKey message hint args { name value } }
  }
}
"""
JOBS = "{ reportJobs(first: 10) { nodes { id kind state } pageInfo { hasNextPage } } }"
DISCARD = f"mutation ($input: ReportDiscardInput!) {{ reportDiscard(input: $input) {{ report {USER_ERRORS} }} }}"
BEHAVIOUR = """
  first last comparisonFirst comparisonLast currency peopleCount lineCount returnCount
  lines { employee { id } people figures { measure value sample comparison median medianPeople } }
  pageInfo { hasNextPage } columns { key } rows { cells } returns { days }
"""
BEHAVIOUR_NOW = f"query ($input: BehaviourInput!) {{ behaviourReport(input: $input, first: 100) {{{BEHAVIOUR}}} }}"
BEHAVIOUR_START = f"""
mutation ($input: BehaviourReportStartInput!) {{
  behaviourReportStart(input: $input) {{ report replayed {USER_ERRORS} }}
}}
"""
BEHAVIOUR_RESULT = f"""
query ($report: ID!, $first: Int! = 100, $after: String) {{
  behaviourReportResult(report: $report, first: $first, after: $after) {{{BEHAVIOUR}}}
}}
"""
BEHAVIOUR_CURSOR = """
query ($report: ID!) {
  behaviourReportResult(report: $report, first: 1) { lines { employee { id } } pageInfo { hasNextPage endCursor } }
}
"""
BEHAVIOUR_FILE = """
query ($report: ID!, $format: BehaviourFileFormat!) {
  behaviourReportFile(report: $report, format: $format) { fileName content }
}
"""
TODAY = datetime.now(ZoneInfo("Asia/Shanghai")).date()
READS = (RESULT, REPS, NAMED, BEHAVIOUR_RESULT)


class Firm:
    """A company with two reps, who own two customers and one."""

    def __init__(self, owner: Person, reps: list[Person], pool: dict[str, Any], customers: list[str]) -> None:
        self.owner, self.reps, self.pool, self.customers = owner, reps, pool, customers

    @property
    def change(self) -> dict[str, Any]:
        return {"id": self.pool["id"], "recycleFollowUpDays": 15, "expectedVersion": self.pool["version"]}

    async def start(self, **more: Any) -> dict[str, Any]:
        wished = {"idempotencyKey": secrets.token_hex(8), "change": self.change, "on": soon().isoformat(), **more}
        payload: dict[str, Any] = await self.owner.done(START, **wished)
        return payload


def soon() -> date:
    return TODAY + timedelta(days=20)


@pytest_asyncio.fixture(loop_scope="session")
async def firm(web: Web) -> Firm:
    owner = await web.sign_up()
    reps = [await owner.invite("rep", name=name) for name in ("李雷", "王芳")]
    pool = (await owner.data("{ customerPools(first: 1) { nodes { id version } } }"))["customerPools"]["nodes"][0]
    customers = [
        await rep.create_customer(name, keep=True)
        for rep, name in zip((*reps, reps[0]), ("晨星", "远山", "海湾"), strict=True)
    ]
    return Firm(owner, reps, pool, customers)


async def job(person: Person, report: str) -> dict[str, Any]:
    found: dict[str, Any] = (await person.data(JOB, report=report))["reportJob"]
    return found


async def test_a_dry_run_by_a_worker_is_what_it_is_at_once(firm: Firm, web: Web) -> None:
    owner, key = firm.owner, secrets.token_hex(8)
    at_once = (await owner.data(AT_ONCE, input=firm.change, on=soon().isoformat()))["customerPoolDryRun"]
    assert (at_once["held"], at_once["taken"], at_once["repCount"]) == (3, 3, 2)
    report = (await firm.start(idempotencyKey=key))["report"]
    assert await firm.start(idempotencyKey=key) == {"report": report, "replayed": True, "userErrors": []}
    running = await job(owner, report)
    assert (running["state"], running["kind"], running["doneCount"], running["totalCount"]) == (
        "RUNNING",
        "customers.dry_run",
        0,
        3,
    )
    assert await owner.code(RESULT, report=report) == "CONFLICT"
    assert await take_steps(web, owner.company_id) == 3  # the customers, none behind them, and putting together
    assert (await job(owner, report))["state"] == "READY"
    found = (await owner.data(RESULT, report=report))["customerPoolDryRunResult"]
    assert found == {"pool": {"id": firm.pool["id"]}, "version": 1, "isStale": False, "result": at_once}
    one = (await owner.data(REPS, report=report))["customerPoolDryRunReps"]
    cursor = one["pageInfo"]["endCursor"]
    two = (await owner.data(REPS, report=report, after=cursor))["customerPoolDryRunReps"]
    assert [(each["nodes"][0], each["pageInfo"]["hasNextPage"]) for each in (one, two)] == [
        ({"employee": {"name": "李雷"}, "taken": 2}, True),
        ({"employee": {"name": "王芳"}, "taken": 1}, False),
    ]
    named = (await owner.data(NAMED, report=report))["customerPoolDryRunCustomers"]["nodes"]
    assert {each["customer"]["id"] for each in named} == set(firm.customers)
    for bad in ({"after": cursor[:-4]}, {"first": 0}, {"first": 101}):
        assert await owner.code(REPS, report=report, **bad) == "BAD_USER_INPUT"
    assert await owner.code(NAMED, report=report, after=cursor) == "BAD_USER_INPUT"


async def test_who_may_read_and_what_is_refused(firm: Firm, web: Web) -> None:
    report = (await firm.start())["report"]
    await take_steps(web, firm.owner.company_id)
    consultant = await firm.owner.invite("consultant", name="顾问", staff=False)
    assert (await consultant.data(RESULT, report=report))["customerPoolDryRunResult"]["version"] == 1
    assert await consultant.code(JOB, report=report) == "NOT_FOUND"
    stranger = await web.sign_up("远山贸易")
    for query in READS:
        assert await web.nobody.code(query, report=report) == "UNAUTHENTICATED"
        assert await stranger.code(query, report=report) == "NOT_FOUND"
        assert await firm.owner.code(query, report=firm.pool["id"]) == "WRONG_ID_TYPE"
        assert await firm.owner.code(query, report="rpt_" + "0" * 32) == "NOT_FOUND"
    assert await firm.owner.code(BEHAVIOUR_RESULT, report=report) == "NOT_FOUND"
    for query in (RESULT, REPS, NAMED):
        assert await firm.reps[0].code(query, report=report) == "FORBIDDEN"
    wished = {"idempotencyKey": secrets.token_hex(8), "change": firm.change}
    assert await firm.reps[0].code(START, input=wished) == "FORBIDDEN"
    stale = {**firm.change, "expectedVersion": 9}
    assert (await firm.owner.refused(START, **{**wished, "change": stale}))["code"] == "STALE_VERSION"
    much = {**firm.change, "recycleFollowUpDays": 0}
    assert (await firm.owner.refused(START, **{**wished, "change": much}))["code"] == "BAD_USER_INPUT"
    past = await firm.owner.refused(START, **wished, on="2020-01-01")
    assert past["messageKey"] == "customers.dry_run_day"


async def test_a_problem_is_told_and_a_report_is_dropped(firm: Firm, web: Web) -> None:
    owner = firm.owner
    reports = [(await firm.start())["report"] for _ in range(3)]
    wished = {"idempotencyKey": secrets.token_hex(8), "change": firm.change}
    much = await owner.refused(START, **wished)
    assert (much["code"], much["messageKey"]) == ("LIMIT_REACHED", "reports.reports_running")
    update = f"mutation ($input: CustomerPoolUpdateInput!) {{ customerPoolUpdate(input: $input) {{ {USER_ERRORS} }} }}"
    await owner.done(update, id=firm.pool["id"], claimLimit=7, expectedVersion=firm.pool["version"])
    assert (await owner.done(DISCARD, report=reports[0]))["report"] == reports[0]
    assert (await owner.refused(DISCARD, report=reports[0]))["code"] == "NOT_FOUND"
    await take_steps(web, owner.company_id)
    failed = await job(owner, reports[1])
    assert (failed["state"], failed["problem"]["code"], failed["problem"]["messageKey"]) == (
        "FAILED",
        "STALE_VERSION",
        "customers.pool_changed",
    )
    listed = (await owner.data(JOBS))["reportJobs"]
    assert listed == {
        "nodes": [{"id": each, "kind": "customers.dry_run", "state": "FAILED"} for each in reversed(reports[1:])],
        "pageInfo": {"hasNextPage": False},
    }
    assert (await firm.reps[0].data(JOBS))["reportJobs"]["nodes"] == []


async def test_a_behaviour_report_by_a_worker_is_what_it_is_at_once(firm: Firm, web: Web) -> None:
    days = {"from": TODAY.isoformat(), "to": (TODAY + timedelta(days=1)).isoformat()}
    wished = {"pools": [firm.pool["id"]], **days}
    made: dict[str, str] = {}
    for person in (firm.owner, firm.reps[0]):
        payload = await person.done(BEHAVIOUR_START, idempotencyKey=secrets.token_hex(8), report=wished)
        made[person.email] = payload["report"]
    assert await take_steps(web, firm.owner.company_id) == 6
    for person, lines in ((firm.owner, 2), (firm.reps[0], 1)):
        at_once = (await person.data(BEHAVIOUR_NOW, input=wished))["behaviourReport"]
        found = (await person.data(BEHAVIOUR_RESULT, report=made[person.email]))["behaviourReportResult"]
        assert found == at_once
        assert (found["lineCount"], found["peopleCount"]) == (lines, 2)
    whole = made[firm.owner.email]
    one = (await firm.owner.data(BEHAVIOUR_CURSOR, report=whole))["behaviourReportResult"]
    assert one["pageInfo"]["hasNextPage"]
    two = await firm.owner.data(BEHAVIOUR_RESULT, report=whole, first=1, after=one["pageInfo"]["endCursor"])
    ids = [page["lines"][0]["employee"]["id"] for page in (one, two["behaviourReportResult"])]
    assert ids == sorted(rep.employee_id for rep in firm.reps)
    assert await firm.reps[0].code(BEHAVIOUR_RESULT, report=whole) == "NOT_FOUND"
    assert await firm.reps[0].code(BEHAVIOUR_FILE, report=whole, format="CSV") == "NOT_FOUND"
    name, content = (await firm.owner.data(BEHAVIOUR_FILE, report=whole, format="CSV"))["behaviourReportFile"].values()
    assert name == f"behaviour-{days['from']}-{days['to']}.csv"
    rows = list(csv.reader(io.StringIO(base64.b64decode(content).decode("utf-8-sig"), newline="")))
    now = (await firm.owner.data(BEHAVIOUR_NOW, input=wished))["behaviourReport"]
    assert rows[1:] == [row["cells"] for row in now["rows"]]
    entries = (await firm.owner.data("{ auditEntries(first: 5) { nodes { action } } }"))["auditEntries"]["nodes"]
    assert [each["action"] for each in entries].count("behaviour.exported") == 1
    assert await web.nobody.code(BEHAVIOUR_START, input={"idempotencyKey": "k", "report": wished}) == "UNAUTHENTICATED"
