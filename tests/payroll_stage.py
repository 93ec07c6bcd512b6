"""A company that pays wages: structure, people with assignments, and its runs, worked by the product's own jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from saas.events import Event
from saas.extensions import PluginHost
from saas.kernel import Actor, Clock, Period, new_id
from saas.payroll import (
    INPUTS_AWAITED,
    OneOffEffect,
    SettledCommission,
    StatementCommission,
    Structure,
    add_pay_item,
    approve_run,
    assign_pay,
    compute_run,
    declare,
    find_employment,
    lock_run,
    open_run,
    publish_run,
    replay_run,
    save_structure,
    submit_run,
)
from saas.payroll.actions.sources import CommissionSource
from saas.payroll.hooks import PayrollHooks
from saas.payroll.jobs import PayrollJobs
from saas.sealing import Keyring, Place
from tests.payroll_samples import STRUCTURE
from tests.staging import Company

BARE = PluginHost([PayrollHooks], {})
FROM = date(2026, 1, 1)
_TABLES = (
    "salary_structure",
    "salary_structure_version",
    "pay_assignment",
    "pay_declaration",
    "pay_item",
    "pay_period",
    "payroll_run",
    "payroll_input",
    "payslip",
    "payroll_total",
    "year_to_date",
    "attendance_day_count",
    "audit_entry",
    "outbox",
)


class KeptSealer:
    """Hands out the company's keyring."""

    def __init__(self, company: Company) -> None:
        self._company = company

    async def keyring(self, tenant_id: UUID) -> Any:
        assert tenant_id == self._company.tenant_id
        return self._company.keyring


class Ledger(StatementCommission):
    """Settled commission of a test: lines by employment, and which of them a run has paid."""

    def __init__(self) -> None:
        self.waiting: dict[UUID, list[SettledCommission]] = {}
        self.paid: list[tuple[str, UUID]] = []

    async def settled(
        self, employment_ids: Sequence[UUID], *, period: Period, run_id: UUID, keyring: Keyring, with_open: bool
    ) -> Mapping[UUID, Sequence[SettledCommission]]:
        return {each: self.waiting[each] for each in employment_ids if each in self.waiting}

    async def mark_paid(self, actor: Actor, sources: Sequence[str], *, run_id: UUID, clock: Clock) -> None:
        self.paid += [(source, run_id) for source in sources]


@dataclass(frozen=True)
class Office:
    """The payroll office of a company: a clerk who prepares, an approver, and short ways to act."""

    company: Company
    clerk: Actor
    approver: Actor
    host: PluginHost
    commission: CommissionSource
    chunk: int = 200

    @property
    def entity(self) -> UUID:
        return self.company.founded.legal_entity_id

    async def save(self, structure: Structure = STRUCTURE, *, on: date = FROM, version: int = 0) -> UUID:
        """The structure, from a day on."""
        company = self.company
        return await company.within(
            lambda: save_structure(
                self.clerk, structure, valid_from=on, reason="定薪制度", expected_version=version, clock=company.clock
            )
        )

    async def employ(self, number: str, *, name: str = "李雷", hired_on: date = FROM, **more: Any) -> Actor:
        """A person on the staff since a day."""
        person = await self.company.hire(number, name=name, **more)
        await self.company.run("UPDATE employee SET hired_on = $2 WHERE id = $1", person.employee_id, hired_on)
        await self.company.run(
            "UPDATE employment SET valid_from = $2 WHERE employee_id = $1", person.employee_id, hired_on
        )
        return person

    async def assign(
        self, person: Actor, structure_id: UUID, base: str = "10000", *, on: date = FROM, **more: str
    ) -> UUID:
        """Monthly amounts from a day on."""
        company, amounts = self.company, {"base_salary": base, **more}
        employment_id = await self.employment(person)
        return await company.within(
            lambda: assign_pay(
                self.clerk,
                employment_id=employment_id,
                structure_id=structure_id,
                amounts={code: Decimal(amount) for code, amount in amounts.items()},
                valid_from=on,
                reason="定薪",
                keyring=company.keyring,
                clock=company.clock,
            )
        )

    async def employment(self, person: Actor) -> UUID:
        assert person.employee_id is not None
        employee_id = person.employee_id
        return await self.company.within(lambda: find_employment(employee_id))

    async def declare(self, person: Actor, document: Mapping[str, Any], *, on: date = FROM) -> UUID:
        assert person.employee_id is not None
        company, employee_id = self.company, person.employee_id
        return await company.within(
            lambda: declare(
                self.clerk,
                employee_id=employee_id,
                legal_entity_id=self.entity,
                document=document,
                valid_from=on,
                keyring=company.keyring,
                clock=company.clock,
            )
        )

    async def add_item(
        self,
        person: Actor,
        component: str,
        amount: str,
        *,
        month: str = "2026-03",
        effect: OneOffEffect = OneOffEffect.ADD,
    ) -> UUID:
        """A one-off amount."""
        company, employment_id = self.company, await self.employment(person)
        return await company.within(
            lambda: add_pay_item(
                self.clerk,
                employment_id=employment_id,
                month=month,
                component=component,
                effect=effect,
                amount=Decimal(amount),
                reason="季度之星",
                keyring=company.keyring,
                clock=company.clock,
            )
        )

    async def open(
        self, month: str = "2026-03", *, pays_on: date | None = None, actor: Actor | None = None, **ways: bool
    ) -> UUID:
        """An opened run; its jobs have not begun."""
        company = self.company
        year, number = map(int, month.split("-"))
        day = pays_on or date(year, number, 28)
        return await company.within(
            lambda: open_run(
                actor or self.clerk,
                legal_entity_id=self.entity,
                month=month,
                pays_on=day,
                **ways,
                host=self.host,
                clock=company.clock,
            )
        )

    def jobs(self, **changed: Any) -> PayrollJobs:
        """The jobs of this office."""
        given: dict[str, Any] = {"commission": self.commission, "chunk": self.chunk, **changed}
        return PayrollJobs(self.host, KeptSealer(self.company), self.company.clock, **given)  # type: ignore[arg-type]

    async def work(self, *, most: int | None = None) -> int:
        """Deliver events of payroll until none waits, or at most so many; how many were delivered."""
        jobs, delivered = self.jobs(), 0
        while most is None or delivered < most:
            row = await self._next_event()
            if row is None:
                break
            await self.deliver(*row, jobs=jobs)
            delivered += 1
        return delivered

    async def _next_event(self) -> tuple[UUID, str, dict[str, Any]] | None:
        rows = await self.company.rows(
            "SELECT id, topic, payload::text FROM outbox WHERE tenant_id = $1 AND done_at IS NULL"
            " AND topic IN ('payroll.inputs_awaited', 'payroll.payslips_awaited') ORDER BY created_at, id LIMIT 1",
            self.company.tenant_id,
        )
        if not rows:
            return None
        event_id, topic, payload = rows[0]
        return event_id, topic, orjson.loads(payload)  # type: ignore[return-value,arg-type]

    async def deliver(self, event_id: UUID, topic: str, payload: dict[str, Any], *, jobs: PayrollJobs) -> None:
        """Run the handler of an event, and mark it done in its transaction."""
        event = Event(event_id, self.company.tenant_id, topic, payload, self.company.clock.now(), 1)
        handler = jobs.freeze if topic == INPUTS_AWAITED else jobs.compute

        async def run() -> None:
            await handler(event)

        await self.company.within(run)
        await self.company.run("UPDATE outbox SET done_at = now(), due_at = NULL WHERE id = $1", event_id)

    async def compute(self, run_id: UUID, *, actor: Actor | None = None) -> None:
        """Have it computed, and the jobs done."""
        company = self.company
        await company.within(lambda: compute_run(actor or self.clerk, run_id=run_id, clock=company.clock))
        await self.work()

    async def computed(self, month: str = "2026-03", **more: Any) -> UUID:
        """A run that is opened, frozen and computed."""
        run_id = await self.open(month, **more)
        await self.work()
        await self.compute(run_id)
        return run_id

    async def submit(self, run_id: UUID) -> str:
        """In review; the plan's hash."""
        company = self.company
        await company.within(lambda: submit_run(self.clerk, run_id=run_id, clock=company.clock))
        return str((await self.run(run_id))["plan_hash"])

    async def approve(self, run_id: UUID, plan_hash: str, *, actor: Actor | None = None) -> None:
        company = self.company
        await company.within(
            lambda: approve_run(
                actor or self.approver,
                run_id=run_id,
                agreed=plan_hash,
                keyring=company.keyring,
                commission=self.commission,
                clock=company.clock,
            )
        )

    async def lock(self, run_id: UUID) -> None:
        company = self.company
        await company.within(
            lambda: lock_run(
                self.clerk, run_id=run_id, keyring=company.keyring, commission=self.commission, clock=company.clock
            )
        )

    async def publish(self, run_id: UUID) -> None:
        company = self.company
        await company.within(lambda: publish_run(self.clerk, run_id=run_id, clock=company.clock))

    async def paid(self, month: str = "2026-03", **more: Any) -> UUID:
        """A run through all its steps."""
        run_id = await self.computed(month, **more)
        await self.approve(run_id, await self.submit(run_id))
        await self.lock(run_id)
        await self.publish(run_id)
        return run_id

    async def replay(self, run_id: UUID) -> Any:
        company = self.company
        return await company.within(lambda: replay_run(run_id, host=self.host, keyring=company.keyring))

    async def run(self, run_id: UUID) -> dict[str, Any]:
        """The run's row."""
        rows = await self.company.rows("SELECT to_jsonb(r)::text FROM payroll_run r WHERE id = $1", run_id)
        row: dict[str, Any] = orjson.loads(str(rows[0][0]))
        return row

    async def documents(self, run_id: UUID) -> dict[str, dict[str, Any]]:
        """State and opened document by staff number."""
        rows = await self.company.rows(
            "SELECT e.number, s.id, s.state, s.document_sealed FROM payslip s JOIN employee e ON e.id = s.employee_id"
            " WHERE s.run_id = $1",
            run_id,
        )
        return {
            str(number): {
                "state": state,
                **orjson.loads(self.company.keyring.open(Place("payslip", "document_sealed", id_), sealed)),  # type: ignore[arg-type]
            }
            for number, id_, state, sealed in rows
        }

    async def everything(self) -> dict[str, list[tuple[object, ...]]]:
        """All that a refusal must leave as it was."""
        return {name: await self.company.rows(f"SELECT t::text FROM {name} t ORDER BY 1") for name in _TABLES}

    def later(self, **span: float) -> None:
        """Let time pass."""
        self.company.clock.advance(timedelta(**span))


def office_of(
    company: Company, *, host: PluginHost = BARE, commission: CommissionSource | None = None, chunk: int = 200
) -> Office:
    """The office of a company; the founder is no part of it and is paid nothing."""
    clerk = replace(company.founder, account_id=new_id())
    return Office(
        company, clerk, replace(company.founder, account_id=new_id()), host, commission or StatementCommission(), chunk
    )
