"""The hash that a second person approves: over everything that decides what is paid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any
from uuid import UUID

from saas.payroll.rules.canonical import canonical_hash


class PayslipState(Enum):
    """How a payslip of a run stands."""

    OK = "ok"
    FAILED = "failed"
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class RunPins:
    """What a run froze beside its inputs: versions, and the settings of its pack as JSON."""

    calculation: str
    pack: str | None
    pack_version: str | None
    pack_calculation: str | None
    pack_settings: Mapping[str, Any] | None

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        settings = None if self.pack_settings is None else dict(self.pack_settings)
        return {
            "calculation": self.calculation,
            "pack": self.pack,
            "packVersion": self.pack_version,
            "packCalculation": self.pack_calculation,
            "packSettings": settings,
        }


@dataclass(frozen=True, slots=True)
class PlannedPayslip:
    """One person's part in a plan; the digests are keyed, so that they tell nothing of the amounts."""

    employment_id: UUID
    inputs_digest: str
    payslip_digest: str
    state: PayslipState


def plan_hash(run_id: UUID, pins: RunPins, payslips: Iterable[PlannedPayslip]) -> str:
    """SHA-256 in hex over the run, its versions, every input and every payslip; their order does not matter."""
    parts = sorted(
        (each.employment_id.hex, each.inputs_digest, each.payslip_digest, each.state.value) for each in payslips
    )
    return canonical_hash({"run": run_id.hex, "pins": pins.plain(), "payslips": [list(part) for part in parts]})
