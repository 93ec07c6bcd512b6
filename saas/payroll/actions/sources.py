"""What payroll takes from the room beside it: settled commission, behind a small protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Protocol
from uuid import UUID

from saas.incentives import require_locked, settled_commission, take_into_payroll
from saas.kernel import Actor, Clock, Localised, Period, parse_public_id, public_id
from saas.payroll.rules.inputs import SettledCommission
from saas.sealing import Keyring

STATEMENT = "stm"


class CommissionSource(Protocol):
    """Settled commission that waits to be paid."""

    async def settled(
        self, employment_ids: Sequence[UUID], *, period: Period, run_id: UUID, keyring: Keyring, with_open: bool
    ) -> Mapping[UUID, Sequence[SettledCommission]]:
        """By employment, what is paid with this period and that no other run has paid; with `with_open`, what is
        calculated and not locked yet too."""
        ...

    async def require_locked(self, sources: Sequence[str]) -> None:
        """Refuse lines that are not locked yet, or not any more what was calculated."""
        ...

    async def mark_paid(self, actor: Actor, sources: Sequence[str], *, run_id: UUID, clock: Clock) -> None:
        """Note that a run pays these lines, in the transaction that locks it; each is paid once."""
        ...


class StatementCommission:
    """The statements of locked settlements (`saas.incentives`)."""

    async def settled(
        self, employment_ids: Sequence[UUID], *, period: Period, run_id: UUID, keyring: Keyring, with_open: bool
    ) -> Mapping[UUID, Sequence[SettledCommission]]:
        """By employment, the statements of settlements up to the period's end."""
        found: dict[UUID, list[SettledCommission]] = {}
        for each in await settled_commission(
            employment_ids, period=period, run_id=run_id, keyring=keyring, with_open=with_open
        ):
            titles = _titles(each.plan_title, each.first, each.until - timedelta(days=1))
            line = SettledCommission(public_id(STATEMENT, each.statement_id), each.amount, titles)
            found.setdefault(each.employment_id, []).append(line)
        return found

    async def require_locked(self, sources: Sequence[str]) -> None:
        """Refuse statements of settlements that are not locked.

        :raises PayrollRefused: one of them is not, or was calculated anew.
        """
        await require_locked([parse_public_id(source, prefix=STATEMENT) for source in sources])

    async def mark_paid(self, actor: Actor, sources: Sequence[str], *, run_id: UUID, clock: Clock) -> None:
        """Write the run into the statements.

        :raises PayrollRefused: another run has taken one of them.
        """
        statements = [parse_public_id(source, prefix=STATEMENT) for source in sources]
        await take_into_payroll(actor, statements, run_id=run_id, clock=clock)


def _titles(plan: str, first: date, last: date) -> Localised:
    return {"zh-CN": f"{plan}（{first} 至 {last}）", "en": f"{plan} ({first} to {last})"}


@dataclass(frozen=True, slots=True)
class PayrollSources:
    """What payroll is wired with from other rooms."""

    commission: CommissionSource = field(default_factory=StatementCommission)
