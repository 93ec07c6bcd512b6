"""From signed deals to a payslip: leaderboard, plan, settlement, payroll run, payslip with its reasons, replay."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.tree import Tree

from plugins.china.settings import UNVERIFIED
from saas.demo import pay_documents
from saas.demo.bars import Bars
from saas.demo.cast import Company, Person
from saas.demo.client import Client, DemoFailed
from saas.demo.year import pay_day
from saas.kernel import month_after, month_of, parse_public_id, readable
from saas.main import Installation
from saas.payroll import replay_run

PLAN_CODE = "demo"
TIERS = {"kind": "TIERS", "mode": "MARGINAL", "cuts": ["50000", "150000"], "rates": ["0.02", "0.035", "0.05"]}
_NEXT_OF_SETTLEMENT = {
    "CALCULATED": ("settlementSubmit", pay_documents.SUBMIT_SETTLEMENT),
    "IN_REVIEW": ("settlementApprove", pay_documents.APPROVE_SETTLEMENT),
    "APPROVED": ("settlementLock", pay_documents.LOCK_SETTLEMENT),
}
_CALCULATED = {*_NEXT_OF_SETTLEMENT, "LOCKED"}
_FINISHED = {"COMPUTED", "IN_REVIEW", "APPROVED", "LOCKED", "PUBLISHED"}


@dataclass(frozen=True, slots=True)
class Books:
    """Whose pay is told of: `second` approves what the owner prepares; `sold_in` and `paid_for` are first days of
    months; `measure` is what commission is counted on."""

    company: Company
    second: Person
    sold_in: date
    paid_for: date
    measure: str
    plan_title: str
    with_country_pack: bool


class PayStory:
    """The chapters about performance and pay, told through the public API."""

    def __init__(self, client: Client, books: Books, console: Console) -> None:
        self._client, self._books, self._console = client, books, console
        self._owner = client.signed_in(books.company.owner.token)
        self._second = client.signed_in(books.second.token)

    async def leaders(self) -> list[dict[str, Any]]:
        """Print who signed most, and give the ranks."""
        first, console = self._books.sold_in, self._console
        console.rule(f"Who signed most in {month_of(first)}")
        answer = await self._owner.do(
            pay_documents.LEADERS, first=first.isoformat(), until=month_after(first).isoformat()
        )
        ranks: list[dict[str, Any]] = answer["performanceGroups"]["nodes"]
        table = Table("#", "Name", "Department", "Deals", "Signed")
        for place, group in enumerate(ranks, start=1):
            person = group["employee"]
            signed = f"{Decimal(group['amount']['sum']):,.2f}"
            table.add_row(str(place), person["name"], person["department"]["name"], str(group["count"]), signed)
        console.print(table)
        return ranks

    async def settle(self) -> None:
        """Put a plan in force and close the month's settlement: the owner calculates, the second person approves."""
        console = self._console
        console.rule(f"Commission of {month_of(self._books.sold_in)}: calculated, approved by a second person, locked")
        plan_id = await self._plan()
        settlement = await self._settlement(plan_id)
        while settlement["state"] in _NEXT_OF_SETTLEMENT:
            name, document = _NEXT_OF_SETTLEMENT[settlement["state"]]
            who = self._owner if name == "settlementSubmit" else self._second
            step = await who.do(
                document,
                input={
                    "idempotencyKey": f"demo:{name}:{settlement['id']}",
                    "settlement": settlement["id"],
                    "planHash": settlement["planHash"],
                },
            )
            settlement = step[name]["settlement"]
        console.print(
            f"  The settlement is {settlement['state'].lower()}; its hash begins {settlement['planHash'][:16]}."
        )

    async def _plan(self) -> str:
        for plan in (await self._owner.do(pay_documents.PLANS))["incentivePlans"]["nodes"]:
            if plan["code"] == PLAN_CODE:
                return str(plan["id"])
        is_collected = self._books.measure == "COLLECTED"
        saved = await self._owner.do(
            pay_documents.SAVE_PLAN,
            input={
                "idempotencyKey": "demo:plan",
                "code": PLAN_CODE,
                "title": self._books.plan_title,
                "cycle": "MONTH",
                "measure": self._books.measure,
                "withVat": True,
                "anchor": "COLLECTION" if is_collected else "SIGNING",
                "payability": "AT_COLLECTION" if is_collected else "AT_SIGNING",
                "tierWindow": "PERIOD",
                "version": {
                    "validFrom": self._books.sold_in.isoformat(),
                    "rules": [{"code": "ladder", "title": f"{self._books.plan_title} 2% / 3.5% / 5%", "shape": TIERS}],
                },
                "publishes": True,
                "reason": "全员书面同意",
            },
        )
        return str(saved["incentivePlanSave"]["plan"]["id"])

    async def _settlement(self, plan_id: str) -> dict[str, Any]:
        found = (await self._owner.do(pay_documents.SETTLEMENTS, plan=plan_id))["settlements"]["nodes"]
        if found and found[0]["state"] != "CALCULATING":
            return dict(found[0])
        asked = {"plan": plan_id, "day": self._books.sold_in.isoformat(), "mode": "COMMIT"}
        done = await self._owner.do(pay_documents.CALCULATE, input={"idempotencyKey": "demo:settlement", **asked})
        settlement_id = done["settlementCalculate"]["settlement"]["id"]
        with self._console.status("  calculated by a job"):
            settlement = await self._owner.until(
                pay_documents.SETTLEMENT, done=_CALCULATED, told=lambda _: None, id=settlement_id
            )
        self._console.print(f"  {settlement['lineCount']:,} lines for {settlement['peopleCount']} people.")
        return settlement

    async def pay(self) -> str:
        """Pay the month from frozen inputs to published payslips; the run's id."""
        console, month = self._console, month_of(self._books.paid_for)
        console.rule(f"Payroll of {month}: frozen, computed, approved by a second person, locked, published")
        run = await self._run(month)
        if run["state"] not in _FINISHED:
            run = {"id": run["id"], **await self._computed(run["id"])}
        if run["state"] == "COMPUTED":
            await self._exclude_unpaid(run["id"])
        await self._publish(run["id"])
        totals = (await self._owner.do(pay_documents.TOTALS, id=run["id"]))["payrollRun"]["totals"]["nodes"]
        told = ", ".join(
            f"{each['measure'].lower()} {Decimal(each['amount']):,.2f}" for each in totals if each["amount"]
        )
        console.print(f"  {totals[0]['people'] if totals else 0} payslips: {told}.")
        return str(run["id"])

    async def _run(self, month: str) -> dict[str, Any]:
        for run in (await self._owner.do(pay_documents.RUNS))["payrollRuns"]["nodes"]:
            if run["period"]["month"] == month and run["state"] != "CANCELLED":
                return dict(run)
        employee = (await self._owner.do(pay_documents.ENTITY))["viewer"]["employee"]
        asked = {
            "idempotencyKey": f"demo:run:{month}",
            "legalEntityId": employee["legalEntity"]["id"],
            "month": month,
            "paysOn": pay_day(self._books.paid_for).isoformat(),
            "computesAtOnce": True,
        }
        if self._books.with_country_pack:
            await self._place_in_china(employee)
        answer = await self._owner.ask(pay_documents.OPEN_RUN, input=asked)
        payload = answer.data.get("payrollRunOpen") or {}
        if payload.get("run"):
            return {"id": payload["run"]["id"], "state": "DRAFT"}
        if not self._books.with_country_pack or answer.errors:
            raise DemoFailed(json.dumps([*answer.errors, *payload.get("userErrors", ())], ensure_ascii=False))
        self._console.print(f"  The country pack can't answer for {month}: {payload['userErrors'][0]['message']}")
        await self._leave_china()
        opened = await self._owner.do(pay_documents.OPEN_RUN, input={**asked, "idempotencyKey": f"demo:bare:{month}"})
        return {"id": opened["payrollRunOpen"]["run"]["id"], "state": "DRAFT"}

    async def _place_in_china(self, employee: dict[str, Any]) -> None:
        """Enable the country pack for Shanghai; its rows that are marked are confirmed, as a payroll expert would."""
        known = await self._pack()
        if known["isEnabled"]:
            return
        place = {"legalEntity": employee["legalEntity"]["id"], "city": "SHANGHAI", "fundRate": "0.07"}
        read = {"confirmedBy": employee["id"], "confirmedOn": self._books.paid_for.isoformat()}
        settings = {
            "entities": [{**place, "injuryRate": "0.002", "undeclaredBases": "BASE_SALARY"}],
            "confirmations": [{"row": row, **read} for row in UNVERIFIED],
        }
        await self._owner.do(
            pay_documents.ENABLE,
            input={
                "name": "china",
                "settings": json.dumps(settings),
                "reason": "demonstration",
                "expectedVersion": known["settingsVersion"],
            },
        )

    async def _leave_china(self) -> None:
        known = await self._pack()
        await self._owner.do(
            pay_documents.DISABLE,
            input={"name": "china", "reason": "demonstration", "expectedVersion": known["settingsVersion"]},
        )

    async def _pack(self) -> dict[str, Any]:
        plugins = (await self._owner.do(pay_documents.PLUGINS))["plugins"]
        return next(dict(each) for each in plugins if each["name"] == "china")

    async def _computed(self, run_id: str) -> dict[str, Any]:
        with Bars(self._console) as bars:

            def told(run: dict[str, Any]) -> None:
                bars.show("inputs frozen", run["frozen"], max(run["people"], 1))
                bars.show("payslips computed", run["computed"], max(run["people"], 1))

            return await self._owner.until(pay_documents.RUN, done=_FINISHED, told=told, id=run_id)

    async def _exclude_unpaid(self, run_id: str) -> None:
        """Leave out, for a reason, who can't be paid: nobody else's payslip waits for theirs."""
        failed = (await self._owner.do(pay_documents.PREVIEW, id=run_id))["payrollPreview"]["failed"]
        for person in failed:
            reason = f"{person['failure']}: 本月不发"
            asked = {"id": run_id, "employeeId": person["employeeId"], "reason": reason}
            await self._owner.do(pay_documents.EXCLUDE, input=asked)
            await self._computed(run_id)
            self._console.print(f"  {person['name']} is left out: {person['failure']}.")

    async def _publish(self, run_id: str) -> None:
        by_state: dict[str, tuple[Client, str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
            "COMPUTED": (self._owner, pay_documents.SUBMIT_RUN, lambda _: {}),
            "IN_REVIEW": (self._second, pay_documents.APPROVE_RUN, lambda run: {"planHash": run["planHash"]}),
            "APPROVED": (self._owner, pay_documents.LOCK_RUN, lambda _: {}),
            "LOCKED": (self._owner, pay_documents.PUBLISH_RUN, lambda _: {}),
        }
        while (run := (await self._owner.do(pay_documents.RUN, id=run_id))["payrollRun"])["state"] in by_state:
            who, document, more = by_state[run["state"]]
            await who.do(document, input={"id": run_id, **more(run)})

    async def show(self, employee_id: str, *, reader: Person, locales: tuple[str, ...]) -> None:
        """Print a payslip with its reasons, in each of the languages."""
        for locale in locales:
            client = self._client.signed_in(reader.token, locale=locale)
            found = await client.do(pay_documents.PAYSLIP, month=month_of(self._books.paid_for), employee=employee_id)
            slip = found["payslips"]["nodes"][0]
            document, person = slip["document"], slip["employee"]
            self._console.rule(f"{person['name']} ({person['number']}), {document['month']}, in {locale}")
            net, gross = Decimal(document["net"]), Decimal(document["gross"])
            tree = Tree(f"{document['currency']} {net:,.2f}  ({gross:,.2f} − {Decimal(document['deductions']):,.2f})")
            for line in document["lines"]:
                branch = tree.add(f"{line['title']}  {Decimal(line['amount']):,.2f}  [dim]{line['kind']}[/dim]")
                _grow(branch, line["explanation"])
                if line["code"] == "commission":
                    await self._accruals(client, employee_id, branch)
            self._console.print(tree)

    async def _accruals(self, client: Client, employee_id: str, branch: Tree) -> None:
        """The first lines that commission adds up, each with its own reasons."""
        first = self._books.sold_in
        found = await client.do(
            pay_documents.ACCRUALS,
            employee=employee_id,
            first=first.isoformat(),
            until=month_after(first).isoformat(),
        )
        for line in found["accruals"]["nodes"]:
            reasons = (await client.do(pay_documents.REASONS, id=line["id"]))["accrualExplanation"]
            _grow(branch.add(f"[dim]{line['deal']['number'] if line['deal'] else ''}[/dim]"), reasons)
        more = found["accruals"]["totalCount"] - len(found["accruals"]["nodes"])
        if more > 0:
            branch.add(f"[dim]… {more}[/dim]")

    async def replay(self, installation: Installation, run_id: str) -> None:
        """Compute the closed run again from what it froze, and compare the bytes."""
        self._console.rule("The closed run, computed again from what it froze")
        tenant_id = self._books.company.id
        keyring = await installation.sealer.keyring(tenant_id)
        async with installation.database.transaction(tenant_id):
            replay = await replay_run(
                parse_public_id(run_id, prefix="prn"), host=installation.product.host, keyring=keyring
            )
        self._console.print(f"  {replay.compared} payslips computed again, {len(replay.differences)} differences.")


def _grow(branch: Tree, reasons: list[dict[str, Any]]) -> None:
    """An explanation below a line, level by level."""
    at = {-1: branch}
    for reason in reasons:
        amount = f": {readable(reason['amount'])}" if reason["amount"] is not None else ""
        depth = reason["depth"]
        at[depth] = at[depth - 1].add(f"[dim]{reason['text']}{amount}[/dim]")
