"""The long work of settlements, in chunks: each chunk is a transaction, which asks for the next one by an event.

A chunk takes people who are not calculated yet, so one that comes twice does nothing twice, and a settlement whose
worker was killed goes on where it stopped. A person's lines are of one moment. A fact that is entered between two
chunks counts for the people of the later one at once, and for the others as an adjustment in the next period.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from saas.events import Event, Handlers, emit
from saas.incentives.actions.calculating import CHUNK, Subject, subject_of, work_out
from saas.incentives.actions.commits import basis_of, fail_calculation, finish_calculation
from saas.incentives.actions.problems import PROBLEMS_TOLD, add_problems
from saas.incentives.actions.settlement_parts import fill_parts, mark_calculated, next_people
from saas.incentives.actions.settlement_rows import AwaitedSettlement, find_awaited
from saas.incentives.errors import CalculationGivenUp, PeriodRefused
from saas.incentives.events import CALCULATION_AWAITED
from saas.incentives.queries import get_plan
from saas.kernel import AppError, AppErrors, Clock, refusals_of
from saas.sealing import Keyring, Sealer

CALCULATE = "incentives.calculate"


@dataclass(frozen=True, slots=True)
class SettlementJobs:
    """The handlers of the incentives room's events. `chunk` is the number of people of one transaction."""

    sealer: Sealer
    clock: Clock
    chunk: int = CHUNK

    def listen(self, handlers: Handlers) -> None:
        """Hear what is asked of a worker."""
        handlers.on(CALCULATION_AWAITED, name=CALCULATE, handler=self.calculate, given_up=self.give_up)

    async def calculate(self, event: Event) -> None:
        """Calculate the next people of a settlement; behind the last ones, its result."""
        settlement_id = _settlement_id(event)
        awaited = await find_awaited(settlement_id)
        if awaited is None:
            return  # it was discarded, or this is done
        keyring = await self.sealer.keyring(event.tenant_id)
        parts = await next_people(settlement_id, most=self.chunk)
        if not parts:
            await finish_calculation(settlement_id, keyring=keyring, clock=self.clock)
        elif await find_awaited(settlement_id, is_locking=True) is not None:
            await self._calculate(awaited, parts, keyring)

    async def give_up(self, event: Event) -> None:
        """Let a settlement fail that no job could calculate, for a reason that is none of the caller's."""
        awaited = await find_awaited(_settlement_id(event), is_locking=True)
        if awaited is not None:
            await fail_calculation(awaited, [CalculationGivenUp("incentives.calculation_given_up")], clock=self.clock)

    async def _calculate(self, awaited: AwaitedSettlement, parts: dict[str, UUID], keyring: Keyring) -> None:
        subject = await subject_of(await get_plan(awaited.plan_id), awaited.period_first)
        if basis_of(subject.plan) != awaited.basis_hash:
            await fail_calculation(awaited, [PeriodRefused("incentives.plan_changed_meanwhile")], clock=self.clock)
            return
        await mark_calculated(parts)
        problems = await _work_out(subject, parts, keyring)
        if problems and await add_problems(awaited.id, problems) == PROBLEMS_TOLD:
            await fail_calculation(awaited, [], clock=self.clock)
            return
        await emit(CALCULATION_AWAITED, {"settlement_id": str(awaited.id)})


def _settlement_id(event: Event) -> UUID:
    return UUID(str(event.payload["settlement_id"]))


async def _work_out(subject: Subject, parts: dict[str, UUID], keyring: Keyring) -> tuple[AppError, ...]:
    """Fill the parts of people; the facts that no line of theirs may rest on instead, where there are any."""
    try:
        worked_out = await work_out(subject, [*parts], keyring)
    except (AppError, AppErrors) as refusal:
        return refusals_of(refusal)
    await fill_parts(parts, worked_out.draft, worked_out.levels, plan=subject.plan, keyring=keyring)
    return ()
