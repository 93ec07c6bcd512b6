"""The long work of runs, in chunks: each chunk is a transaction, which asks for the next one by an event.

A chunk takes whoever has no inputs, or no payslip, yet: so a chunk that comes twice does nothing twice, and a run whose
worker was killed goes on where it stopped. Inputs are frozen one chunk after the other; payslips are computed in a few
chains at once, by as many workers as there are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from saas.events import Event, emit
from saas.extensions import PluginHost
from saas.kernel import Clock
from saas.payroll.actions.computing import NOBODY, await_payslips, compute_next, finish_computing
from saas.payroll.actions.freezing import freeze_next
from saas.payroll.actions.machinery import Machines
from saas.payroll.actions.sources import CommissionSource, StatementCommission
from saas.payroll.events import INPUTS_AWAITED, PAYSLIPS_AWAITED
from saas.payroll.queries import Run, get_run, get_run_at_work
from saas.payroll.rules.runs import RunStage, RunState
from saas.sealing import Sealer
from tenants import current_tenant_id, current_transaction

FREEZE, COMPUTE = "payroll.freeze", "payroll.compute"
CHUNK = 200
"""People whose inputs are frozen, or whose payslips are computed, in one transaction."""

_FROZEN = "UPDATE payroll_run SET frozen = frozen + $3 WHERE tenant_id = $1 AND id = $2"
_ALL_FROZEN = """
UPDATE payroll_run SET stage = 'frozen', frozen_at = $3, people = frozen WHERE tenant_id = $1 AND id = $2
"""

_COMPUTING = "UPDATE payroll_run SET stage = 'computing', computed_by = opened_by WHERE tenant_id = $1 AND id = $2"


@dataclass(frozen=True, slots=True)
class PayrollJobs:
    """The handlers of payroll's events. `chunk` is the number of people of one transaction."""

    host: PluginHost
    sealer: Sealer
    clock: Clock
    commission: CommissionSource = field(default_factory=StatementCommission)
    chunk: int = CHUNK
    machines: Machines = field(default_factory=Machines)

    async def freeze(self, event: Event) -> None:
        """Freeze the next chunk of a run's people."""
        run = await get_run(_run_id(event), lock=True)
        if not _is_due(run, RunStage.FREEZING):
            return
        keyring, now = await self.sealer.keyring(event.tenant_id), self.clock.now()
        done = await freeze_next(run, most=self.chunk, keyring=keyring, commission=self.commission, at=now)
        transaction, tenant_id = current_transaction(), current_tenant_id()
        await transaction.execute(_FROZEN, tenant_id, run.id, done)
        if done == self.chunk:
            await emit(INPUTS_AWAITED, {"run_id": str(run.id)})
        else:
            await transaction.execute(_ALL_FROZEN, tenant_id, run.id, now)
            if run.computes_at_once:
                await transaction.execute(_COMPUTING, tenant_id, run.id)
                await await_payslips(run.id)

    async def compute(self, event: Event) -> None:
        """Compute the next chunk of a run's payslips; behind the last one, its totals and its plan."""
        run = await get_run_at_work(_run_id(event))
        if not _is_due(run, RunStage.COMPUTING):
            return
        keyring, now = await self.sealer.keyring(event.tenant_id), self.clock.now()
        after = UUID(str(event.payload["after"])) if "after" in event.payload else NOBODY
        claimed = await compute_next(
            run,
            most=self.chunk,
            after=after,
            host=self.host,
            machines=self.machines,
            keyring=keyring,
            at=now,
        )
        if claimed.count == self.chunk:
            await emit(PAYSLIPS_AWAITED, {"run_id": str(run.id), "after": str(claimed.last)})
        else:
            await finish_computing(run, keyring=keyring, at=now)


def _run_id(event: Event) -> UUID:
    return UUID(str(event.payload["run_id"]))


def _is_due(run: Run, stage: RunStage) -> bool:
    """Whether it is a draft at this stage; a cancelled one, or a repeated event, has nothing to do."""
    return run.facts.state is RunState.DRAFT and run.facts.stage is stage
