"""What payroll takes from rooms that it does not know yet, behind a small protocol that the wiring fills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from saas.payroll.rules.inputs import SettledCommission


class CommissionSource(Protocol):
    """Settled commission that waits to be paid."""

    async def settled(
        self, employee_ids: Sequence[UUID], *, legal_entity_id: UUID, month: str, known_at: datetime
    ) -> Mapping[UUID, Sequence[SettledCommission]]:
        """The locked lines, by person, that are paid with this month and that no payroll run has paid before."""
        ...

    async def mark_paid(self, sources: Sequence[str], *, run_id: UUID) -> None:
        """Note that a locked run has paid these lines, in its transaction; each is paid once."""
        ...


class NoCommission:
    """For a company that settles no commission here."""

    async def settled(
        self, employee_ids: Sequence[UUID], *, legal_entity_id: UUID, month: str, known_at: datetime
    ) -> Mapping[UUID, Sequence[SettledCommission]]:
        """Nothing."""
        return {}

    async def mark_paid(self, sources: Sequence[str], *, run_id: UUID) -> None:
        """There is nothing to note."""


@dataclass(frozen=True, slots=True)
class PayrollSources:
    """What payroll is wired with from other rooms."""

    commission: CommissionSource = field(default_factory=NoCommission)
