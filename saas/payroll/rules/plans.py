"""The hash that a second person approves: over everything that decides what is paid."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any
from uuid import UUID

from saas.payroll.rules.canonical import canonical_text


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


class PlanHasher:
    """Hashes a plan whose payslips come one by one, in the order of their employments; none of them is kept."""

    def __init__(self, run_id: UUID, pins: RunPins) -> None:
        self._tail = f'],"pins":{canonical_text(pins.plain())},"run":"{run_id.hex}"}}'
        self._hash = hashlib.sha256(b'{"payslips":[')
        self._last: tuple[str, ...] | None = None

    def add(self, payslip: PlannedPayslip) -> None:
        """Add the next one.

        :raises ValueError: it stands before the last one.
        """
        part = _order(payslip)
        if self._last is not None and part < self._last:
            raise ValueError("payslips of a plan are hashed in the order of their employments")
        comma = "" if self._last is None else ","
        self._hash.update(f"{comma}{canonical_text(part)}".encode())
        self._last = part

    def hexdigest(self) -> str:
        """SHA-256 in hex of the canonical text of all of it: payslips, versions, run."""
        whole = self._hash.copy()
        whole.update(self._tail.encode())
        return whole.hexdigest()


def _order(payslip: PlannedPayslip) -> tuple[str, ...]:
    return payslip.employment_id.hex, payslip.inputs_digest, payslip.payslip_digest, payslip.state.value


def plan_hash(run_id: UUID, pins: RunPins, payslips: Iterable[PlannedPayslip]) -> str:
    """SHA-256 in hex over the run, its versions, every input and every payslip; their order does not matter."""
    hasher = PlanHasher(run_id, pins)
    for payslip in sorted(payslips, key=_order):
        hasher.add(payslip)
    return hasher.hexdigest()
