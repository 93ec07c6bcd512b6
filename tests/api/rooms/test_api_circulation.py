"""Circulation over HTTP: who decides, who sees which lines when, and what is refused and changes nothing."""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from saas.background import owner_and_supervisors
from saas.circulation.events import (
    APPEAL_DECIDED,
    APPEAL_FILED,
    DECLINES_FOUND,
    DRAFT_AWAITED,
    MOVE_AWAITED,
    PERSON_NOTIFIED,
)
from saas.circulation.jobs import AssessmentJobs, DeclineRun
from saas.circulation.mails import CirculationMails
from saas.events import Event, Handler
from saas.jobs import MailFolder
from saas.kernel import Period, new_id, split_public_id
from tests.api.rooms.conftest import Cast
from tests.api.rooms.reporting import take_steps
from tests.api.rooms.web import USER_ERRORS, Person, Web

ZONE = ZoneInfo("Asia/Shanghai")
POOL = "{ customerPools(first: 1) { nodes { id } } }"
POLICY = f"""
mutation ($input: CirculationPolicyUpdateInput!) {{
  circulationPolicyUpdate(input: $input) {{
    policy {{ id kind version isEnabled noticeDays quota weights fallPercent cap rotation author {{ name }} }}
    {USER_ERRORS}
  }}
}}
"""
_ASSESSED = f"replayed assessment {{ id state planHash people customers dueOn appealUntil }} {USER_ERRORS}"
CREATE = f"mutation ($input: AssessmentCreateInput!) {{ assessmentCreate(input: $input) {{ {_ASSESSED} }} }}"
ANNOUNCE = f"mutation ($input: AssessmentAnnounceInput!) {{ assessmentAnnounce(input: $input) {{ {_ASSESSED} }} }}"
CANCEL = f"mutation ($input: AssessmentCancelInput!) {{ assessmentCancel(input: $input) {{ {_ASSESSED} }} }}"
CARRY_OUT = f"mutation ($input: AssessmentCarryOutInput!) {{ assessmentCarryOut(input: $input) {{ {_ASSESSED} }} }}"
_LINE = f"replayed line {{ id state appealReason decisionReason decider {{ name }} }} {USER_ERRORS}"
APPEAL = f"mutation ($input: AssessmentAppealInput!) {{ assessmentAppeal(input: $input) {{ {_LINE} }} }}"
DECIDE = f"mutation ($input: AssessmentDecideInput!) {{ assessmentDecide(input: $input) {{ {_LINE} }} }}"
LINES = """
query ($id: ID!) {
  assessmentCustomers(first: 50, filter: {assessment: {eq: $id}}) {
    nodes { id state use place deals collected customer { name } employee { name } }
  }
}
"""
SEEN = "query ($id: ID!) { assessment(id: $id) { state persons(first: 9) { nodes { moving utilisation } } } }"
WHY = "query ($id: ID!) { assessmentExplanation(id: $id) { depth text } }"
DECLINES = """
{ customerDeclines(first: 9) { nodes { id measure state beforeAmount afterAmount beforeDays customer { name } } } }
"""
WHY_DECLINE = "query ($id: ID!) { declineExplanation(id: $id) { text } }"
DRY_RUN = """
query ($pool: ID!, $decline: DeclineTermsInput!) {
  declineDryRun(pool: $pool, decline: $decline) {
    judged declining fresh freed repCount reps { judged declining fresh freed employee { id } }
  }
}
"""
DRY_RUN_START = f"""
mutation ($input: DeclineDryRunStartInput!) {{ declineDryRunStart(input: $input) {{ report {USER_ERRORS} }} }}
"""
DRY_RUN_RESULT = """
query ($report: ID!) {
  declineDryRunResult(report: $report) {
    pool { id } version isStale
    result { judged declining fresh freed repCount reps { judged declining fresh freed employee { id } } }
  }
}
"""
DEAL = f"mutation ($input: DealEnterInput!) {{ dealEnter(input: $input) {{ deal {{ id }} {USER_ERRORS} }} }}"
AGED = """
WITH held AS (UPDATE customer SET received_on = received_on - 400 WHERE tenant_id = $1 AND owner_id IS NOT NULL),
hired AS (UPDATE employee SET hired_on = hired_on - 400 WHERE tenant_id = $1)
UPDATE ownership SET started_on = started_on - 400, started_at = started_at - interval '400 days' WHERE tenant_id = $1
"""
LAST_QUARTER = Period.of_quarter(datetime.now(UTC).astimezone(ZONE).date()).first - timedelta(days=1)


def keyed(**more: Any) -> dict[str, Any]:
    return {"idempotencyKey": secrets.token_hex(8), **more}


def tenant_of(person: Person) -> UUID:
    return split_public_id(person.company_id)[1]


async def run(web: Web, person: Person, sql: str, *values: object) -> None:
    async with web.installation.database.transaction(tenant_of(person)) as transaction:
        await transaction.execute(sql, tenant_of(person), *values)


async def work(web: Web, person: Person, topic: str, assessment: str) -> None:
    """As the worker would, on the event of that topic."""
    installation, tenant_id = web.installation, tenant_of(person)
    jobs = AssessmentJobs(installation.database, installation.sealer, installation.clock)
    payload = {"assessment_id": str(split_public_id(assessment)[1])}
    async with installation.database.transaction(tenant_id):
        handler = jobs.draft if topic == DRAFT_AWAITED else jobs.move
        await handler(Event(new_id(), tenant_id, topic, payload, installation.clock.now(), 1))


async def pool_of(person: Person) -> str:
    pool: str = (await person.data(POOL))["customerPools"]["nodes"][0]["id"]
    return pool


async def drafted(web: Web, owner: Person, hr: Person, rep: Person) -> str:
    """A draft of the last quarter: the rep holds three customers that nobody visited, and keeps one."""
    for number in range(3):
        await rep.create_customer(f"客户{number}", keep=True)
    await run(web, owner, AGED)
    terms = {"isEnabled": True, "quota": 1, "reclaimPercent": 100, "openOpportunityExempts": False}
    await hr.done(POLICY, pool=await pool_of(hr), assessment=terms, expectedVersion=0)
    asked = await hr.done(CREATE, **keyed(pool=await pool_of(hr), day=LAST_QUARTER.isoformat()))
    assessment: str = asked["assessment"]["id"]
    assert asked["assessment"]["state"] == "DRAFTING"
    await work(web, owner, DRAFT_AWAITED, assessment)
    return assessment


async def seen(person: Person, assessment: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await person.data(LINES, id=assessment))["assessmentCustomers"]["nodes"]
    return found


async def test_an_assessment_from_draft_to_rotation(web: Web) -> None:
    owner = await web.sign_up()
    hr, rep = await owner.invite("hr_admin", name="何人事"), await owner.invite("rep", name="李雷")
    manager, other = await owner.invite("sales_manager", name="王经理"), await owner.invite("rep", name="韩梅")
    assessment = await drafted(web, owner, hr, rep)
    draft = (await hr.data("query ($id: ID!) { assessment(id: $id) { planHash people customers } }", id=assessment))[
        "assessment"
    ]
    assert (draft["people"], draft["customers"]) == (1, 2)
    shown = await seen(hr, assessment)
    assert [(each["state"], each["use"], each["deals"], each["employee"]["name"]) for each in shown] == [
        ("PLANNED", 0, "0.00", "李雷")
    ] * 2
    assert await seen(rep, assessment) == await seen(manager, assessment) == []
    assert (await rep.data(SEEN, id=assessment))["assessment"] is None

    stale = await hr.refused(ANNOUNCE, **keyed(assessment=assessment, planHash="0" * 64))
    assert (stale["code"], stale["field"]) == ("PLAN_CHANGED", ["input", "planHash"])
    told = await hr.done(ANNOUNCE, **keyed(assessment=assessment, planHash=draft["planHash"]))
    today = datetime.now(UTC).astimezone(ZONE).date()
    assert told["assessment"]["dueOn"] == (today + timedelta(days=15)).isoformat()
    assert [each["state"] for each in await seen(rep, assessment)] == ["ANNOUNCED"] * 2
    assert len(await seen(manager, assessment)) == 2
    assert await seen(other, assessment) == []
    person = (await rep.data(SEEN, id=assessment))["assessment"]["persons"]["nodes"]
    assert person == [{"moving": 2, "utilisation": "0.00"}]

    first, second = [each["id"] for each in await seen(rep, assessment)]
    why = (await rep.data(WHY, id=first))["assessmentExplanation"]
    assert why[0]["text"].startswith("Place ")
    assert (await other.answer(WHY, id=first))["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    appealed = await rep.done(APPEAL, **keyed(line=first, reason="正在谈续约"))
    assert (appealed["line"]["state"], appealed["line"]["appealReason"]) == ("APPEALED", "正在谈续约")
    assert (await other.refused(APPEAL, **keyed(line=second, reason="我的")))["code"] == "NOT_FOUND"
    assert await rep.code(DECIDE, input=keyed(line=first, isGranted=True, reason="同意")) == "FORBIDDEN"
    decided = (await manager.done(DECIDE, **keyed(line=first, isGranted=True, reason="确有续约")))["line"]
    assert (decided["state"], decided["decider"]) == ("GRANTED", {"name": "王经理"})

    early = await hr.refused(CARRY_OUT, **keyed(assessment=assessment))
    assert (early["code"], early["messageKey"]) == ("RULE_REFUSED", "circulation.notice_runs")
    await run(
        web,
        owner,
        "UPDATE assessment SET announced_on = announced_on - 30, due_on = due_on - 30, receivers = $2::jsonb"
        " WHERE tenant_id = $1",
        f'["{split_public_id(other.employee_id)[1]}"]',
    )
    await run(web, owner, "UPDATE assessment_person SET notified_at = now() WHERE tenant_id = $1")
    await hr.done(CARRY_OUT, **keyed(assessment=assessment))
    await work(web, owner, MOVE_AWAITED, assessment)
    assert sorted(each["state"] for each in await seen(hr, assessment)) == ["GRANTED", "ROTATED"]
    assert (await hr.data(SEEN, id=assessment))["assessment"]["state"] == "CLOSED"
    mine = await other.data("{ customers(first: 9, filter: {status: {eq: OWNED}}) { nodes { status } } }")
    assert len(mine["customers"]["nodes"]) == 1


async def test_who_may_not_is_refused_and_another_company_finds_nothing(web: Web, cast: Cast) -> None:
    owner = await web.sign_up()
    hr, rep = await owner.invite("hr_admin"), await owner.invite("rep")
    assessment = await drafted(web, owner, hr, rep)
    wanted = keyed(pool=await pool_of(rep), day=LAST_QUARTER.isoformat())
    assert await rep.code(CREATE, input=wanted) == "FORBIDDEN"
    assert await rep.code(ANNOUNCE, input=keyed(assessment=assessment, planHash="0" * 64)) == "FORBIDDEN"
    assert await rep.code(CANCEL, input=keyed(assessment=assessment, reason="不要")) == "FORBIDDEN"
    assert await web.nobody.code(CREATE, input=wanted) == "UNAUTHENTICATED"
    for mutation, more in ((ANNOUNCE, {"planHash": "0" * 64}), (CANCEL, {"reason": "不要"}), (CARRY_OUT, {})):
        foreign = await cast.other.refused(mutation, **keyed(assessment=assessment, **more))
        missing = await cast.other.refused(mutation, **keyed(assessment="asm_" + "0" * 32, **more))
        assert foreign == missing
        assert foreign["code"] == "NOT_FOUND"
    assert (await cast.other.data(SEEN, id=assessment))["assessment"] is None
    assert await seen(cast.other, assessment) == []
    again = await hr.refused(CREATE, **keyed(pool=await pool_of(hr), day=LAST_QUARTER.isoformat()))
    assert (again["code"], again["field"]) == ("CONFLICT", ["input", "day"])
    dropped = await hr.done(CANCEL, **keyed(assessment=assessment, reason="暂缓"))
    assert dropped["assessment"]["state"] == "CANCELLED"


async def test_policies_are_decided_by_version_and_read_by_everybody(web: Web) -> None:
    owner = await web.sign_up()
    rep = await owner.invite("rep")
    pool = await pool_of(owner)
    weights = {"followedUp": 70, "deals": 20, "collections": 10, "opportunities": 0}
    first = await owner.done(POLICY, pool=pool, assessment={"weights": weights, "cap": None}, expectedVersion=0)
    assert (first["policy"]["version"], first["policy"]["kind"], first["policy"]["cap"]) == (1, "ASSESSMENT", None)
    bad = await owner.payload(
        POLICY, pool=pool, assessment={"weights": {**weights, "deals": 19}, "quota": -1}, expectedVersion=1
    )
    assert bad["policy"] is None
    assert [(each["field"], each["message"]) for each in bad["userErrors"]] == [
        (["input", "assessment", "quota"], "-1 is out of range; the term takes 0 to 10000."),
        (
            ["input", "assessment", "weights"],
            "The weights add up to 99 %; they must add up to exactly 100 %, none below 0.",
        ),
    ]
    stale = await owner.speaking("zh-CN").refused(POLICY, pool=pool, assessment={"quota": 3}, expectedVersion=0)
    assert (stale["code"], stale["message"]) == ("STALE_VERSION", "政策已被他人修改：现为第 1 版，而非第 0 版。")
    both = await owner.refused(POLICY, pool=pool, assessment={}, decline={}, expectedVersion=1)
    assert both["messageKey"] == "graphql.one_policy_at_a_time"
    decline = {"isEnabled": True, "fallPercent": 40, "measures": {"deals": True, "collections": False}}
    await owner.done(POLICY, pool=pool, decline=decline, expectedVersion=0)
    assert await rep.code(POLICY, input={"pool": pool, "decline": {}, "expectedVersion": 1}) == "FORBIDDEN"
    read = await rep.data(
        "{ circulationPolicies(first: 9) { nodes { kind version fallPercent quota measures weights } } }"
    )
    found = {each["kind"]: each for each in read["circulationPolicies"]["nodes"]}
    assert (found["DECLINE"]["fallPercent"], found["DECLINE"]["quota"]) == (40, None)
    assert found["DECLINE"]["measures"] == '["deals", "follow_ups"]'
    assert (found["ASSESSMENT"]["version"], found["ASSESSMENT"]["quota"]) == (1, 50)


def addresses(folder: Path) -> list[str]:
    found = [message_from_bytes(file.read_bytes(), policy=SMTP)["To"] for file in folder.glob("*.eml")]
    return sorted(each.addresses[0].addr_spec for each in found)


async def deliver(web: Web, person: Person, topic: str, payload: dict[str, Any], folder: Path) -> None:
    """As the worker would, twice: the second time everybody is told already."""
    at, tenant_id = web.installation, tenant_of(person)
    mails = CirculationMails(
        MailFolder(folder), owner_and_supervisors(at.database, at.clock), at.product.catalogue, at.clock
    )
    told: dict[str, Handler] = {DECLINES_FOUND: mails.declines, PERSON_NOTIFIED: mails.assessment}
    answered: dict[str, Handler] = {APPEAL_FILED: mails.appeal, APPEAL_DECIDED: mails.decision}
    handler = {**told, **answered}[topic]
    event = Event(new_id(), tenant_id, topic, payload, at.clock.now(), 1)
    for _ in range(2):
        async with at.database.transaction(tenant_id):
            await handler(event)


async def test_a_decline_is_shown_and_owner_and_manager_are_told_of_it(web: Web, tmp_path: Path) -> None:
    owner = await web.sign_up()
    rep, manager = await owner.invite("rep"), await owner.invite("sales_manager")
    other = await owner.invite("rep")
    customer = await rep.create_customer("华阳科技", keep=True)
    terms = {"isEnabled": True, "recentMonths": 1, "historyMonths": 2, "leastHistoryMonths": 1, "leastEvents": 1}
    await run(web, owner, AGED)
    today = datetime.now(UTC).astimezone(ZONE).date()
    signed_on = _months_ago(today, 2)
    await rep.done(
        DEAL, **keyed(customer={"id": customer}, number="D-1", signedOn=signed_on.isoformat(), amount="1000.00")
    )
    tried = (await owner.data(DRY_RUN, pool=await pool_of(owner), decline=terms))["declineDryRun"]
    counts = {"judged": 1, "declining": 1, "fresh": 1, "freed": 0}
    assert tried == {**counts, "repCount": 1, "reps": [{**counts, "employee": {"id": rep.employee_id}}]}
    assert await rep.code(DRY_RUN, pool=await pool_of(owner), decline=terms) == "FORBIDDEN"
    started = await owner.done(DRY_RUN_START, **keyed(pool=await pool_of(owner), decline=terms))
    assert await take_steps(web, owner.company_id) == 3
    by_job = {"pool": {"id": await pool_of(owner)}, "version": 0, "isStale": False, "result": tried}
    assert await owner.data(DRY_RUN_RESULT, report=started["report"]) == {"declineDryRunResult": by_job}
    assert await rep.code(DRY_RUN_RESULT, report=started["report"]) == "FORBIDDEN"
    await owner.done(POLICY, pool=await pool_of(owner), decline=terms, expectedVersion=0)
    at = web.installation
    report = await DeclineRun(at.database, tenant_of(owner), time_zone="Asia/Shanghai", clock=at.clock).run()
    assert (report.judged, report.found) == (1, 1)
    stricter = {"leastEvents": 2}
    tried = (await owner.data(DRY_RUN, pool=await pool_of(owner), decline=stricter))["declineDryRun"]
    assert (tried["declining"], tried["fresh"], tried["freed"]) == (0, 0, 1)
    old = await owner.data(DRY_RUN_RESULT, report=started["report"])
    assert old == {"declineDryRunResult": {**by_job, "isStale": True}}
    (mine,) = (await rep.data(DECLINES))["customerDeclines"]["nodes"]
    assert (mine["measure"], mine["state"], mine["customer"]) == ("DEALS", "OPEN", {"name": "华阳科技"})
    assert (mine["beforeAmount"], mine["afterAmount"], mine["beforeDays"]) == ("1000.00", "0.00", None)
    assert len((await manager.data(DECLINES))["customerDeclines"]["nodes"]) == 1
    assert (await other.data(DECLINES))["customerDeclines"]["nodes"] == []
    told = (await rep.data(WHY_DECLINE, id=mine["id"]))["declineExplanation"]
    assert told[1]["text"] == (
        "Deals a month: 1000.00 before, 0.00 in the last 1 closed months; 50 % below counts as falling"
    )
    assert (await other.answer(WHY_DECLINE, id=mine["id"]))["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    payload = {"employee_id": str(split_public_id(rep.employee_id)[1])}
    await deliver(web, owner, DECLINES_FOUND, payload, tmp_path)
    assert addresses(tmp_path) == sorted([rep.email, manager.email])


def _months_ago(day: date, months: int) -> date:
    for _ in range(months):
        day = day.replace(day=1) - timedelta(days=1)
    return day.replace(day=1)


async def test_the_notice_of_an_assessment_reaches_owner_and_manager_once(web: Web, tmp_path: Path) -> None:
    owner = await web.sign_up()
    hr, rep, manager = await owner.invite("hr_admin"), await owner.invite("rep"), await owner.invite("sales_manager")
    assessment = await drafted(web, owner, hr, rep)
    plan = await hr.data("query ($id: ID!) { assessment(id: $id) { planHash } }", id=assessment)
    await hr.done(ANNOUNCE, **keyed(assessment=assessment, planHash=plan["assessment"]["planHash"]))
    payload = {
        "assessment_id": str(split_public_id(assessment)[1]),
        "employee_id": str(split_public_id(rep.employee_id)[1]),
    }
    await deliver(web, owner, PERSON_NOTIFIED, payload, tmp_path)
    assert addresses(tmp_path) == sorted([rep.email, manager.email])
    read = await hr.data("{ assessmentPersons(first: 9) { nodes { notifiedAt moving } } }")
    assert [(each["notifiedAt"] is not None, each["moving"]) for each in read["assessmentPersons"]["nodes"]] == [
        (True, 2)
    ]
    line = (await seen(rep, assessment))[0]["id"]
    payload = {"line_id": str(split_public_id(line)[1])}
    await rep.done(APPEAL, **keyed(line=line, reason="正在谈续约"))
    await deliver(web, owner, APPEAL_FILED, payload, tmp_path / "filed")
    assert addresses(tmp_path / "filed") == [manager.email]
    await manager.done(DECIDE, **keyed(line=line, isGranted=False, reason="没有进展"))
    await deliver(web, owner, APPEAL_DECIDED, payload, tmp_path / "decided")
    assert addresses(tmp_path / "decided") == [rep.email]
