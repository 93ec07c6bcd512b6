"""Payroll at once: of any number that open, approve or lock, one gets it; chunks delivered twice do nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any, Literal
from uuid import UUID

from saas.kernel import AppError, new_id
from saas.payroll import compute_run
from saas.payroll.actions.machinery import Machines
from tests.payroll_samples import BASIC, structure_of
from tests.payroll_stage import Office, office_of
from tests.staging import Company

MANY = 20


async def outcomes(attempts: list[Awaitable[Any]]) -> list[str]:
    """The key of each refusal, or ``done``, sorted."""
    return sorted(await asyncio.gather(*map(_outcome, attempts)))


async def _outcome(attempt: Awaitable[Any]) -> str:
    try:
        await attempt
    except AppError as refused:
        return refused.key
    return "done"


async def staffed(company: Company, people: int = 3, **more: Any) -> Office:
    office = office_of(company, **more)
    structure_id = await office.save(structure_of(BASIC))
    for number in range(people):
        await office.assign(await office.employ(f"1{number:03}"), structure_id)
    return office


async def test_of_twenty_who_open_a_run_one_does(company: Company) -> None:
    office = await staffed(company)
    found = await outcomes([office.open() for _ in range(MANY)])
    assert found == ["done", *["payroll.run_under_way"] * (MANY - 1)]
    assert await company.value("SELECT count(*) FROM payroll_run") == 1
    assert await company.value("SELECT count(*) FROM outbox WHERE topic = 'payroll.inputs_awaited'") == 1


async def test_a_run_is_approved_and_locked_once(company: Company) -> None:
    office = await staffed(company)
    run_id = await office.computed()
    plan = await office.submit(run_id)
    approvers = [replace(office.approver, account_id=new_id()) for _ in range(MANY)]
    found = await outcomes([office.approve(run_id, plan, actor=actor) for actor in approvers])
    assert found == ["done", *["payroll.run_not_ready"] * (MANY - 1)]
    found = await outcomes([office.lock(run_id) for _ in range(MANY)])
    assert found == ["done", *["payroll.run_not_ready"] * (MANY - 1)]
    assert await company.value("SELECT count(*) FROM audit_entry WHERE action = 'payroll_run.locked'") == 1


async def test_chunks_at_once_freeze_and_compute_everybody_once(company: Company) -> None:
    office = await staffed(company, people=9, chunk=2)
    run_id = await office.open()
    payload, jobs = {"run_id": str(run_id)}, office.jobs()

    async def all_at_once(topic: str) -> None:
        await asyncio.gather(*(office.deliver(new_id(), topic, payload, jobs=jobs) for _ in range(MANY)))

    await all_at_once("payroll.inputs_awaited")
    assert await company.value("SELECT count(*) FROM payroll_input") == 9
    await company.within(lambda: compute_run(office.clerk, run_id=run_id, clock=company.clock))
    await all_at_once("payroll.payslips_awaited")
    await office.work()
    run = await office.run(run_id)
    assert (run["state"], run["computed"], run["frozen"]) == ("computed", 9, 9)
    assert await company.value("SELECT count(*) FROM payslip") == 9
    assert (await office.replay(run_id)).differences == ()


class HeldTurn(asyncio.Lock):
    """A worker's turn that somebody else has; it tells when a chunk, which has claimed its people, waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.is_awaited = asyncio.Event()

    async def acquire(self) -> Literal[True]:
        self.is_awaited.set()
        return await super().acquire()


class CountingKeyring:
    """The company's keyring, which counts what it seals."""

    def __init__(self, company: Company) -> None:
        self._keyring = company.keyring
        self.sealed = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._keyring, name)

    async def keyring(self, _: UUID) -> Any:
        return self

    def seal(self, *given: Any) -> bytes:
        self.sealed += 1
        return self._keyring.seal(*given)


async def test_a_chunk_waits_for_no_other_and_none_makes_totals_of_a_part(company: Company) -> None:
    """The first chunk has claimed its people and is held; a second, and one that finds nobody left, go on."""
    office = await staffed(company, people=4, chunk=2)
    run_id = await office.open()
    await office.work()
    await company.within(lambda: compute_run(office.clerk, run_id=run_id, clock=company.clock))
    payload, topic, held = {"run_id": str(run_id)}, "payroll.payslips_awaited", HeldTurn()
    await held.acquire()
    held.is_awaited.clear()
    slow = office.jobs(machines=Machines(turn=held))
    first = asyncio.create_task(office.deliver(new_id(), topic, payload, jobs=slow))
    await asyncio.wait_for(held.is_awaited.wait(), 20)
    for _ in range(2):
        await office.deliver(new_id(), topic, payload, jobs=office.jobs(chunk=3))
    run = await office.run(run_id)
    assert (run["stage"], run["computed"], await company.value("SELECT count(*) FROM payslip")) == ("computing", 2, 2)
    held.release()
    await first
    await office.work()
    run = await office.run(run_id)
    assert (run["state"], run["stage"], run["computed"]) == ("computed", "done", 4)
    assert await company.value("SELECT count(*) FROM payslip") == 4
    assert (await office.replay(run_id)).differences == ()


async def test_a_worker_answers_others_while_it_computes_a_chunk(company: Company) -> None:
    """Eleven people are computed five at a time; whoever else is ready has a turn behind each five."""
    office = await staffed(company, people=11)
    run_id = await office.open()
    await office.work()
    await company.within(lambda: compute_run(office.clerk, run_id=run_id, clock=company.clock))
    keyring, seen = CountingKeyring(company), list[int]()

    async def look() -> None:
        while keyring.sealed < 22:
            seen.append(keyring.sealed)
            await asyncio.sleep(0)

    jobs = replace(office.jobs(), sealer=keyring)  # type: ignore[arg-type]
    looking = asyncio.create_task(look())
    await office.deliver(new_id(), "payroll.payslips_awaited", {"run_id": str(run_id)}, jobs=jobs)
    await looking
    assert list(dict.fromkeys(seen)) == [0, 10, 20], "a document and its amounts are sealed for each"
