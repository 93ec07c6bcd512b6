"""From sign-up to a payslip that explains itself in eight calls over HTTP, uploads and polls not counted."""

from __future__ import annotations

import asyncio
import io
import json
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httpx2
import pytest
import pytest_asyncio
import xlsxwriter
from redis.asyncio import Redis

from plugins.china.settings import UNVERIFIED
from plugins.china.tables.holidays import HOLIDAYS
from saas.backing import Backing
from saas.config import Settings
from saas.customers import RefusalTally
from saas.events import ring_with
from saas.jobs import RedisBell, RedisCompanyBell, SilentBell
from saas.kernel import Period, SystemClock, month_after
from saas.main import Installation, installed_product, web_services, worker_services
from saas.sealing import FileKeyProvider, Sealer
from saas.servers import Servers
from saas.web import create_app
from saas.web.serving import serving
from saas.worker import run_worker
from tenants import Database, DatabaseUrls
from tenants.schema import RELAY
from tests.companies import cheap_passwords
from tests.conftest import role_url

ERRORS = "userErrors { field message }"
SIGN_UP = f"""mutation ($input: CompanySignUpInput!) {{ companySignUp(input: $input) {{
  tokens {{ accessToken }} viewer {{ employee {{ id legalEntity {{ id }} }} }} {ERRORS} }} }}"""
ENABLE = (
    f"mutation ($input: PluginSettingsInput!) {{ pluginEnable(input: $input) {{ plugin {{ isEnabled }} {ERRORS} }} }}"
)
STAGE = f"mutation ($input: ImportStageInput!) {{ importStage(input: $input) {{ batch {{ id state }} {ERRORS} }} }}"
COMMIT = f"mutation ($input: ImportCommitInput!) {{ importCommit(input: $input) {{ batch {{ state }} {ERRORS} }} }}"
BATCH = """query ($id: ID!) { importBatch(id: $id) { state planHash rowCount newCount failedCount appliedCount
  remarks(first: 20) { nodes { rowNumber columnTitle message } } } }"""
PLAN = f"mutation ($input: IncentivePlanSaveInput!) {{ incentivePlanSave(input: $input) {{ plan {{ id }} {ERRORS} }} }}"
SETTLE = f"""mutation ($input: SettlementCalculateInput!) {{ settlementCalculate(input: $input) {{
  settlement {{ id state }} {ERRORS} }} }}"""
SETTLEMENT = "query ($id: ID!) { settlement(id: $id) { state peopleCount lineCount } }"
OPEN = f"mutation ($input: PayrollRunOpenInput!) {{ payrollRunOpen(input: $input) {{ run {{ id }} {ERRORS} }} }}"
RUN = "query ($id: ID!) { payrollRun(id: $id) { state people failed planHash } }"
PAYSLIPS = """query ($run: ID!) {
  payslips(first: 20, filter: {run: {eq: $run}}) { nodes { state failure employee { number name } document {
    gross deductions net lines { code kind amount explanation { depth text amount } } findings { key }
  } } }
}"""
TODAY = datetime.now(ZoneInfo("Asia/Shanghai")).date()
PAID_FOR = TODAY.replace(day=1)
SOLD_IN = (PAID_FOR - timedelta(days=1)).replace(day=1)
LAST_YEAR = date(SOLD_IN.year - 1, 1, 10)
BOOK: dict[str, list[list[object]]] = {
    "员工": [
        ["工号", "姓名", "部门", "岗位", "入职日期"],
        ["E1", "王芳", "华东", "经理", LAST_YEAR.isoformat()],
        ["E2", "李雷", "华东", "销售", LAST_YEAR.isoformat()],
    ],
    "客户": [
        ["客户编号", "客户名称", "负责人", "归属日期"],
        ["C1", "华信建材有限公司", "李雷", LAST_YEAR.isoformat()],
        ["C2", "远山贸易有限公司", None, None],
    ],
    "成交": [
        ["成交编号", "客户编号", "签约日期", "成交金额", "负责人", "业绩归属"],
        ["D1", "C1", SOLD_IN.replace(day=8).isoformat(), "120,000.00", "李雷", "李雷 60%、王芳 40%"],
        ["D2", "C1", PAID_FOR.isoformat(), "50,000.00", "李雷", None],
    ],
    "回款": [
        ["成交编号", "回款日期", "回款金额"],
        ["D1", SOLD_IN.replace(day=20).isoformat(), "100,000.00"],
        ["D1", PAID_FOR.isoformat(), "20,000.00"],
    ],
    "定薪": [
        ["工号", "基本工资", "生效日期"],
        ["E1", "20,000", LAST_YEAR.isoformat()],
        ["E2", "8,000", LAST_YEAR.isoformat()],
    ],
    "考勤": [["工号", "月份", "出勤天数", "事假"], ["E2", f"{PAID_FOR:%Y-%m}", 15, 5]],
}
ROWS = sum(len(rows) - 1 for rows in BOOK.values())


def workbook() -> bytes:
    """The sheets as one file."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        for name, rows in BOOK.items():
            sheet = book.add_worksheet(name)
            for place, row in enumerate(rows):
                sheet.write_row(place, 0, row)
    return target.getvalue()


@dataclass
class Caller:
    """Somebody with an HTTP client; `calls` are the operations that count."""

    client: httpx2.AsyncClient
    calls: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=lambda: {"Accept-Language": "zh-CN"})

    async def call(self, document: str, **variables: object) -> Any:
        """A counted call that must succeed; its first payload."""
        data = await self.poll(document, **variables)
        self.calls.append(next(iter(data)))
        return data[self.calls[-1]]

    async def done(self, document: str, **given: object) -> Any:
        """A counted mutation with a key of its own."""
        if "idempotencyKey" in given:
            given["idempotencyKey"] = secrets.token_hex(8)
        payload = await self.call(document, input=given)
        assert payload.pop("userErrors") == []
        return payload

    async def poll(self, document: str, **variables: object) -> Any:
        """An operation that does not count."""
        answer = await self.client.post(
            "/graphql", json={"query": document, "variables": variables}, headers=self.headers
        )
        body = answer.json()
        assert "errors" not in body, body
        return body["data"]

    async def until(self, document: str, wanted: str, **variables: object) -> Any:
        """Poll until it is in the state."""
        async with asyncio.timeout(60):
            while True:
                (found,) = (await self.poll(document, **variables)).values()
                if found["state"] == wanted:
                    return found
                assert found["state"] not in {"FAILED", "CANCELLED"}, found
                await asyncio.sleep(0.05)

    async def upload(self, content: bytes) -> str:
        """POST /files."""
        answer = await self.client.post(
            "/files", content=content, headers={**self.headers, "Content-Type": "application/octet-stream"}
        )
        found: str = answer.json()["file"]["id"]
        return found


def own_redis(url: str) -> str:
    """A numbered database of the shared server, for this process of the test run: a queue is one installation's."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) + 1
    return urlsplit(url)._replace(path=f"/{number}").geturl()


@pytest_asyncio.fixture(loop_scope="session")
async def caller(
    servers: Servers, superuser_url: str, database: Database, database_name: str, tmp_path: Path
) -> AsyncIterator[Caller]:
    """A newcomer before a running product: the web door and a worker."""
    redis_url = own_redis(servers.redis_url)
    ledger_bell = RedisCompanyBell(redis_url)
    bell, redis, stop = RedisBell(redis_url), Redis.from_url(redis_url), asyncio.Event()
    installation = Installation(
        product=installed_product(),
        settings=Settings(data=tmp_path),
        backing=Backing(
            owner_url="",
            database=DatabaseUrls(app="", platform=""),
            relay_url=role_url(superuser_url, RELAY, database_name),
            redis_url=redis_url,
        ),
        database=database,
        clock=SystemClock(),
        sealer=Sealer(FileKeyProvider(tmp_path)),
        passwords=cheap_passwords(),
        bell=bell,
        ledger_bell=ledger_bell,
        redis=redis,
        refusals=RefusalTally(database),
    )
    ring_with(bell)
    worker = asyncio.create_task(run_worker(worker_services(installation), stop=stop))
    async with (
        serving(create_app(web_services(installation))) as port,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):
        yield Caller(client)
    ring_with(SilentBell())
    stop.set()
    await worker
    await bell.close()
    await ledger_bell.close()
    await redis.aclose()


@pytest.mark.parametrize("with_pack", [True, False], ids=["with the country's law", "without a country"])
async def test_from_sign_up_to_an_explained_payslip_in_eight_calls(caller: Caller, with_pack: bool) -> None:
    if with_pack and PAID_FOR.year not in HOLIDAYS:
        pytest.skip("the country pack has no calendar of this year yet")
    keyed = {"idempotencyKey": ""}
    signed = await caller.done(
        SIGN_UP,
        **keyed,
        company="晨光销售",
        ownerName="韩梅梅",
        email="han@example.cn",
        password="correct-horse-battery",
    )
    caller.headers["Authorization"] = f"Bearer {signed['tokens']['accessToken']}"
    owner, entity = signed["viewer"]["employee"]["id"], signed["viewer"]["employee"]["legalEntity"]["id"]
    place = {
        "legalEntity": entity,
        "city": "SHANGHAI",
        "fundRate": "0.07",
        "injuryRate": "0.002",
        "undeclaredBases": "BASE_SALARY",
    }
    read = [{"row": row, "confirmedBy": owner, "confirmedOn": TODAY.isoformat()} for row in UNVERIFIED]
    if with_pack:
        settings = json.dumps({"entities": [place], "confirmations": read})
        await caller.done(ENABLE, name="china", settings=settings, reason="上线", expectedVersion=0)
    file_id = await caller.upload(workbook())
    staged = await caller.done(STAGE, file=file_id, filename="晨光.xlsx", previewMode="REJECT_ALL")
    batch_id = staged["batch"]["id"]
    preview = await caller.until(BATCH, "PREVIEWED", id=batch_id)
    assert (preview["newCount"], preview["failedCount"]) == (ROWS, 0), preview["remarks"]
    await caller.done(COMMIT, batch=batch_id, planHash=preview["planHash"])
    assert (await caller.until(BATCH, "COMMITTED", id=batch_id))["appliedCount"] == ROWS
    plan = await caller.done(
        PLAN,
        **keyed,
        code="sales",
        title="回款提成",
        cycle="MONTH",
        measure="COLLECTED",
        withVat=True,
        anchor="COLLECTION",
        payability="AT_COLLECTION",
        tierWindow="PERIOD",
        version={
            "validFrom": LAST_YEAR.isoformat(),
            "rules": [
                {
                    "code": "ladder",
                    "title": "阶梯提成",
                    "shape": {"kind": "TIERS", "cuts": ["50000"], "rates": ["0.02", "0.05"], "mode": "MARGINAL"},
                }
            ],
        },
        publishes=True,
        reason="全员书面同意",
    )
    settled = await caller.done(SETTLE, **keyed, plan=plan["plan"]["id"], day=SOLD_IN.isoformat(), mode="COMMIT")
    assert settled["settlement"]["state"] == "CALCULATING"
    calculated = await caller.until(SETTLEMENT, "CALCULATED", id=settled["settlement"]["id"])
    assert calculated == {"state": "CALCULATED", "peopleCount": 2, "lineCount": 2}
    opened = await caller.done(
        OPEN,
        **keyed,
        legalEntityId=entity,
        month=f"{PAID_FOR:%Y-%m}",
        paysOn=month_after(PAID_FOR).replace(day=10).isoformat(),
        takesOpenSettlements=True,
        computesAtOnce=True,
    )
    run = await caller.until(RUN, "COMPUTED", id=opened["run"]["id"])
    slips = (await caller.call(PAYSLIPS, run=opened["run"]["id"]))["nodes"]

    assert caller.calls == [
        "companySignUp",
        *(["pluginEnable"] if with_pack else []),
        "importStage",
        "importCommit",
        "incentivePlanSave",
        "settlementCalculate",
        "payrollRunOpen",
        "payslips",
    ]
    assert len(run["planHash"]) == 64
    found = {slip["employee"]["number"]: slip for slip in slips}
    check_payslip_of_li_lei(found["E2"], with_pack=with_pack)
    # 40 % of 100,000 collected in October: 40,000 at 2 %.
    assert {line["code"]: line["amount"] for line in found["E1"]["document"]["lines"]}["commission"] == "800.00"


def check_payslip_of_li_lei(slip: dict[str, Any], *, with_pack: bool) -> None:
    """Base pay by days, commission of what was collected, insurance, fund and tax; and why."""
    document = slip["document"]
    assert slip["state"] == "OK", document["findings"]
    amounts = {line["code"]: Decimal(line["amount"]) for line in document["lines"]}
    # Of 100,000 collected 60 % are his: 50,000 at 2 % and 10,000 at 5 %.
    assert amounts["commission"] == Decimal("1500.00")
    assert Decimal(document["gross"]) == amounts["basic_pay"] + amounts["commission"]
    taken = [Decimal(line["amount"]) for line in document["lines"] if line["kind"] in {"CONTRIBUTION", "TAX"}]
    assert Decimal(document["net"]) == Decimal(document["gross"]) - sum(taken)
    assert (len(taken) == 5) is with_pack  # pension, medical, unemployment, fund; tax
    why = {line["code"]: line["explanation"] for line in document["lines"]}
    assert all(why[code][0]["amount"] for code in amounts)
    assert why["basic_pay"][0] == {"depth": 0, "text": "基本工资", "amount": str(amounts["basic_pay"])}
    assert why["basic_pay"][1]["text"].startswith("base_salary.earned")
    if not with_pack:
        weekdays = sum(each.weekday() < 5 for each in Period.of_month(f"{PAID_FOR:%Y-%m}").days())
        paid = min(Decimal(8000), (Decimal(8000) * (weekdays - 5) / Decimal("21.75")))
        assert amounts["basic_pay"] == paid.quantize(Decimal("0.01"), ROUND_HALF_UP)
