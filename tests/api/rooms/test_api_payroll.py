"""Payroll over HTTP: from a structure to one's own published payslip, and who may do and see what on the way."""

from __future__ import annotations

import secrets
from base64 import b64decode
from typing import Any

import orjson
import pytest_asyncio

from saas.events import Event
from saas.kernel import SystemClock, new_id, parse_public_id
from saas.payroll.jobs import PayrollJobs
from tests.api.rooms.web import USER_ERRORS, Person, Web

STEPS = {
    "compute": "payrollRunCompute",
    "submit": "payrollRunSubmit",
    "lock": "payrollRunLock",
    "publish": "payrollRunPublish",
    "resume": "payrollRunResume",
}
RUN = "run { id state stage people computed failed excluded planHash }"
SAVE = f"""
mutation ($input: SalaryStructureSaveInput!) {{
  salaryStructureSave(input: $input) {{
    structure {{ id code version versions(first: 5) {{ nodes {{ validFrom validTo }} }} }} {USER_ERRORS}
  }}
}}
"""
ASSIGN = (
    f"mutation ($input: PayAssignInput!) {{ payAssign(input: $input) {{ replayed employee {{ id }} {USER_ERRORS} }} }}"
)
DAYS = f"""
mutation ($input: AttendanceDaysSetInput!) {{ attendanceDaysSet(input: $input) {{ employee {{ id }} {USER_ERRORS} }} }}
"""
OPEN = f"""
mutation ($input: PayrollRunOpenInput!) {{ payrollRunOpen(input: $input) {{ replayed {RUN} {USER_ERRORS} }} }}
"""
APPROVE = f"""
mutation ($input: PayrollRunApproveInput!) {{ payrollRunApprove(input: $input) {{ {RUN} {USER_ERRORS} }} }}
"""
EXCLUDE = f"""
mutation ($input: PayrollRunExcludeInput!) {{ payrollRunExclude(input: $input) {{ {RUN} {USER_ERRORS} }} }}
"""
HIRE = f"""
mutation ($input: EmployeeCreateInput!) {{
  employeeCreate(input: $input) {{ employee {{ id legalEntity {{ id }} }} {USER_ERRORS} }}
}}
"""
INVITE = f"""
mutation ($input: InvitationCreateInput!) {{ invitationCreate(input: $input) {{ token {USER_ERRORS} }} }}
"""
PREVIEW = """
query ($id: ID!) { payrollPreview(id: $id) {
  planHash failed { number name failure } components { code before after } arrivedSince { kind }
} }
"""
OWN = """{ payslips(first: 5) { totalCount nodes { month state document {
  month currency gross deductions net
  lines { code title kind amount formula explanation { depth text amount } }
  findings { key text isBlocking }
} } } }"""
PDF = "query ($id: ID!) { payslipPdf(id: $id) { fileName content } }"
DIFFERENCES = "query ($id: ID!) { payrollDifferences(id: $id, first: 10) { nodes { net } } }"


def step_of(name: str) -> str:
    return f"mutation ($input: PayrollRunInput!) {{ {STEPS[name]}(input: $input) {{ {RUN} {USER_ERRORS} }} }}"


def component(code: str, formula: str, **more: Any) -> dict[str, Any]:
    given = {"code": code, "titleZh": code, "titleEn": code, "kind": "EARNING", "formula": formula}
    return {**given, **more}


def structure(*components: dict[str, Any], **more: Any) -> dict[str, Any]:
    given = {"code": "sales", "titleZh": "销售", "titleEn": "Sales", "validFrom": "2026-01-01", "reason": "定薪制度"}
    return {**given, "expectedVersion": 0, "components": list(components), **more}


BASIC = component("basic_pay", "应得底薪", titleZh="基本工资", titleEn="Basic pay")
LOAN = component("loan", "100", kind="DEDUCTION", titleZh="借款扣回", titleEn="Loan repaid", isTaxed=False)


async def work(web: Web, company_id: str) -> None:
    """Deliver what waits for payroll's jobs, as the worker would."""
    installation, tenant_id = web.installation, parse_public_id(company_id, prefix="com")
    jobs = PayrollJobs(installation.product.host, installation.sealer, SystemClock())
    while True:
        async with installation.database.transaction(tenant_id) as transaction:
            row = await transaction.fetchrow(
                "SELECT id, topic, payload::text FROM outbox WHERE tenant_id = $1 AND done_at IS NULL"
                " AND topic IN ('payroll.inputs_awaited', 'payroll.payslips_awaited') ORDER BY created_at, id LIMIT 1",
                tenant_id,
            )
            if row is None:
                return
            event = Event(row["id"], tenant_id, row["topic"], orjson.loads(row["payload"]), SystemClock().now(), 1)
            await (jobs.freeze if row["topic"] == "payroll.inputs_awaited" else jobs.compute)(event)
            await transaction.execute("UPDATE outbox SET done_at = now(), due_at = NULL WHERE id = $1", row["id"])


class Firm:
    """A company with an owner who prepares, somebody of HR who approves, and a rep who is paid."""

    def __init__(self, web: Web, owner: Person, hr: Person, rep: Person, entity: str) -> None:
        self.web, self.owner, self.hr, self.rep, self.entity = web, owner, hr, rep, entity

    async def assign(self, person: Person, structure_id: str, base: str = "10000") -> Any:
        return await self.owner.done(
            ASSIGN,
            idempotencyKey=secrets.token_hex(8),
            employeeId=person.employee_id,
            structureId=structure_id,
            amounts=[{"item": "base_salary", "amount": base}],
            validFrom="2026-03-01",
            reason="定薪",
        )

    async def open(self, month: str = "2026-03") -> Any:
        return await self.owner.done(
            OPEN, idempotencyKey=secrets.token_hex(8), legalEntityId=self.entity, month=month, paysOn=f"{month}-28"
        )

    async def step(self, name: str, run_id: str, *, by: Person | None = None) -> Any:
        made = await (by or self.owner).done(step_of(name), id=run_id)
        await work(self.web, self.owner.company_id)
        return made["run"]

    async def computed(self) -> str:
        run_id: str = (await self.open())["run"]["id"]
        await work(self.web, self.owner.company_id)
        await self.step("compute", run_id)
        return run_id

    async def state(self, run_id: str) -> str:
        found = await self.owner.data("query ($id: ID!) { payrollRun(id: $id) { state } }", id=run_id)
        return str(found["payrollRun"]["state"])

    async def plan(self, run_id: str) -> str:
        found = await self.owner.data(PREVIEW, id=run_id)
        return str(found["payrollPreview"]["planHash"])


async def hired(owner: Person, role: str, name: str) -> tuple[Person, str]:
    """Somebody on the staff since March 2026, and the legal entity that employs them."""
    made = await owner.done(
        HIRE, idempotencyKey=secrets.token_hex(8), name=name, number=secrets.token_hex(4), hiredOn="2026-03-01"
    )
    email = f"person-{secrets.token_hex(4)}@example.cn"
    token = (await owner.done(INVITE, email=email, roles=[role], employeeId=made["employee"]["id"]))["token"]
    nobody = owner.bearing(None)
    accept = f"""mutation ($input: InvitationAcceptInput!) {{ invitationAccept(input: $input) {{
      tokens {{ accessToken refreshToken }}
      viewer {{ account {{ id email }} company {{ id name }} employee {{ id name }} }} {USER_ERRORS} }} }}"""
    person = nobody.as_in(await nobody.done(accept, token=token, name=name, password="correct horse battery"))
    return person, made["employee"]["legalEntity"]["id"]


@pytest_asyncio.fixture(loop_scope="session")
async def firm(web: Web) -> Firm:
    owner = await web.sign_up("晨光销售")
    hr, entity = await hired(owner, "hr_admin", "赵敏")
    rep, _ = await hired(owner, "rep", "李雷")
    return Firm(web, owner, hr, rep, entity)


async def test_from_a_structure_to_ones_own_payslip(firm: Firm) -> None:
    saved = (await firm.owner.done(SAVE, **structure(BASIC, LOAN)))["structure"]
    assert saved["versions"]["nodes"] == [{"validFrom": "2026-01-01", "validTo": None}]
    for person in (firm.hr, firm.rep):
        assert (await firm.assign(person, saved["id"]))["replayed"] is False
    run_id = await firm.computed()
    preview = (await firm.owner.data(PREVIEW, id=run_id))["payrollPreview"]
    assert (preview["failed"], preview["arrivedSince"]) == ([], [])
    assert preview["components"] == [
        {"code": "basic_pay", "before": None, "after": None},  # two people: hidden
        {"code": "loan", "before": None, "after": None},
    ]
    assert (await firm.step("submit", run_id))["state"] == "IN_REVIEW"
    own = await firm.owner.refused(APPROVE, id=run_id, planHash=preview["planHash"])
    assert (own["code"], own["messageKey"]) == ("RULE_REFUSED", "payroll.own_run")
    stale = await firm.hr.refused(APPROVE, id=run_id, planHash="0" * 64)
    assert (stale["code"], stale["field"]) == ("PLAN_CHANGED", ["input", "planHash"])
    agreed = await firm.hr.done(APPROVE, id=run_id, planHash=preview["planHash"])
    assert agreed["run"]["state"] == "APPROVED"
    assert (await firm.step("lock", run_id))["state"] == "LOCKED"
    assert (await firm.rep.data(OWN))["payslips"]["totalCount"] == 0
    assert (await firm.step("publish", run_id))["state"] == "PUBLISHED"
    found = (await firm.rep.data(OWN))["payslips"]
    assert found["totalCount"] == 1
    document = found["nodes"][0]["document"]
    assert (document["gross"], document["deductions"], document["net"]) == ("10000.00", "100.00", "9900.00")
    basic = document["lines"][0]
    assert (basic["title"], basic["kind"], basic["amount"]) == ("Basic pay", "EARNING", "10000.00")
    assert [line["text"] for line in basic["explanation"]] == [
        "Basic pay",
        "应得底薪 = 10000.00 = 10000.00",
        "Base salary earned (base_salary.earned) is 10000.00",
        "Rounded half up to 2 digits",
    ]
    (payslip,) = (await firm.rep.data("{ payslips(first: 5) { nodes { id } } }"))["payslips"]["nodes"]
    paper = (await firm.rep.data(PDF, id=payslip["id"]))["payslipPdf"]
    assert b64decode(paper["content"]).startswith(b"%PDF-1.")
    assert paper["fileName"].startswith("payslip-2026-03-")
    texts = {finding["key"]: finding["text"] for finding in document["findings"]}
    assert texts["payroll.no_pack"].startswith("No country pack computes statutory lines")
    chinese = (await firm.rep.speaking("zh-CN").data(OWN))["payslips"]["nodes"][0]["document"]
    assert chinese["lines"][0]["title"] == "基本工资"


async def test_nobody_reads_anybody_elses_payslip_and_reads_are_noted(firm: Firm) -> None:
    saved = (await firm.owner.done(SAVE, **structure(BASIC)))["structure"]
    for person in (firm.hr, firm.rep):
        await firm.assign(person, saved["id"])
    run_id = await firm.computed()
    await firm.step("submit", run_id)
    await firm.hr.done(APPROVE, id=run_id, planHash=await firm.plan(run_id))
    for name in ("lock", "publish"):
        await firm.step(name, run_id)
    answer = await firm.hr.answer("{ payslips(first: 5) { nodes { employee { name } document { net } } } }")
    nets = {node["employee"]["name"]: node["document"] for node in answer["data"]["payslips"]["nodes"]}
    assert nets == {"赵敏": {"net": "10000.00"}, "李雷": None}
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FIELD_FORBIDDEN"]
    assert await firm.hr.code(DIFFERENCES, id=run_id) == "FIELD_FORBIDDEN"
    assert await firm.rep.code(DIFFERENCES, id=run_id) == "FORBIDDEN"
    assert await firm.rep.code(PREVIEW, id=run_id) == "FORBIDDEN"
    listed = "{ payslips(first: 5) { nodes { id employee { name } } } }"
    ids = {node["employee"]["name"]: node["id"] for node in (await firm.hr.data(listed))["payslips"]["nodes"]}
    assert await firm.hr.code(PDF, id=ids["李雷"]) == "NOT_FOUND"
    assert await firm.hr.code(PDF, id=f"psl_{new_id().hex}") == "NOT_FOUND"
    seen = await reads(firm)
    assert seen == [("Payslip", '{"document": null}')]


async def reads(firm: Firm) -> list[tuple[str, str]]:
    tenant_id = parse_public_id(firm.owner.company_id, prefix="com")
    async with firm.web.installation.database.transaction(tenant_id) as transaction:
        rows = await transaction.fetch(
            "SELECT object_type, changes::text FROM audit_entry WHERE tenant_id = $1 AND action = 'personal.read'"
            " AND object_type = 'Payslip'",
            tenant_id,
        )
    return [tuple(row) for row in rows]


async def test_a_structure_with_faults_is_told_all_of_them_at_their_places(firm: Firm) -> None:
    wrong = structure(
        component("a", "底新 * 2"), component("b", "1", digits=5), component("c", "d"), component("d", "c")
    )
    payload = await firm.owner.payload(SAVE, **wrong)
    assert payload["structure"] is None
    found = [(error["field"], error["messageKey"]) for error in payload["userErrors"]]
    assert found == [
        (["input", "components", "1", "digits"], "payroll.digits_unfit"),
        (["input", "components", "0", "formula"], "formulas.word_misspelt"),
    ]
    cycle = await firm.owner.refused(SAVE, **structure(component("c", "d"), component("d", "c")))
    assert cycle["messageKey"] == "formulas.cycle"
    left = (await firm.owner.data("{ salaryStructures(first: 5) { nodes { code version } } }"))["salaryStructures"]
    assert left == {"nodes": [{"code": "standard", "version": 1}]}


async def test_one_failure_is_named_and_excluded_with_a_reason(firm: Firm) -> None:
    share = component("share", "1000 / days_worked")
    saved = (await firm.owner.done(SAVE, **structure(BASIC, share)))["structure"]
    for person, days in ((firm.hr, "20"), (firm.rep, "0")):
        await firm.assign(person, saved["id"])
        await firm.hr.done(
            DAYS, employeeId=person.employee_id, month="2026-03", days=[{"kind": "worked", "days": days}]
        )
    run_id = await firm.computed()
    preview = (await firm.owner.data(PREVIEW, id=run_id))["payrollPreview"]
    assert [(each["name"], each["failure"]) for each in preview["failed"]] == [("李雷", "formulas.division_by_zero")]
    refused = await firm.owner.refused(step_of("submit"), id=run_id)
    assert refused["messageKey"] == "payroll.payslips_unresolved"
    empty = await firm.owner.refused(EXCLUDE, id=run_id, employeeId=firm.rep.employee_id, reason="  ")
    assert empty["field"] == ["input", "reason"]
    await firm.owner.done(EXCLUDE, id=run_id, employeeId=firm.rep.employee_id, reason="月中离岗")
    await work(firm.web, firm.owner.company_id)
    assert (await firm.step("submit", run_id))["excluded"] == 1


async def test_bad_amounts_and_items_are_refused_at_their_field(firm: Firm) -> None:
    saved = (await firm.owner.done(SAVE, **structure(BASIC)))["structure"]
    given = {
        "employeeId": firm.rep.employee_id,
        "structureId": saved["id"],
        "validFrom": "2026-03-01",
        "reason": "定薪",
    }
    cases = {
        "payroll.amount_unfit": [{"item": "base_salary", "amount": "0.001"}],
        "payroll.item_unknown": [{"item": "base_salary", "amount": "1"}, {"item": "car", "amount": "1"}],
        "payroll.base_salary_missing": [],
    }
    for key, amounts in cases.items():
        refused = await firm.owner.refused(ASSIGN, idempotencyKey=secrets.token_hex(8), amounts=amounts, **given)
        assert (refused["messageKey"], refused["field"][:2]) == (key, ["input", "amounts"])


async def test_who_may_not_is_refused_before_anything_happens(firm: Firm, web: Web) -> None:
    saved = (await firm.owner.done(SAVE, **structure(BASIC)))["structure"]
    await firm.assign(firm.rep, saved["id"])
    run_id = await firm.computed()
    asked = {"idempotencyKey": "key-of-a-run", "legalEntityId": firm.entity, "month": "2026-04", "paysOn": "2026-04-28"}
    for document, values in (
        (OPEN, asked),
        (step_of("submit"), {"id": run_id}),
        (APPROVE, {"id": run_id, "planHash": "x"}),
        (SAVE, structure(BASIC, expectedVersion=1)),
    ):
        assert await firm.rep.code(document, input=values) == "FORBIDDEN"
    other = await web.sign_up("远山贸易")
    foreign = await other.refused(step_of("submit"), id=run_id)
    missing = await other.refused(step_of("submit"), id=f"prn_{new_id().hex}")
    assert foreign == missing
    assert foreign["messageKey"] == "payroll.run_not_found"
    assert (await other.data("query ($id: ID!) { payrollRun(id: $id) { id } }", id=run_id))["payrollRun"] is None
    assert (await firm.state(run_id)) == "COMPUTED"
