"""What computes the payslips of one run: the pinned calculation and pack, and the structures that its inputs name."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
import orjson

from saas.extensions import PluginHost
from saas.payroll.errors import PayslipRefused
from saas.payroll.hooks import pack_of
from saas.payroll.queries import Run
from saas.payroll.rules.inputs import FrozenInputs
from saas.payroll.rules.outcomes import Outcome, Outcomes, failed
from saas.payroll.rules.structures import Structure
from saas.payroll.rules.versions import calculation
from saas.sealing import Keyring, Place
from tenants import current_tenant_id, current_transaction

_DOCUMENTS = "SELECT id, document FROM salary_structure_version WHERE tenant_id = $1 AND id = ANY($2::uuid[])"
_KEPT = 16


@dataclass(frozen=True, slots=True)
class Machinery:
    """Computes payslips: `outcomes` by version of the structure."""

    outcomes: Mapping[UUID, Outcomes]

    def written(self, row: asyncpg.Record, keyring: Keyring) -> Outcome:
        """What one person's frozen inputs come to."""
        if row["failure"] is not None:
            return failed((PayslipRefused(row["failure"]),))
        return self.outcomes[row["structure_version_id"]].written(_opened(row, keyring))

    def computed(self, row: asyncpg.Record, keyring: Keyring) -> Outcome:
        """The same by the calculation itself, without forms: replay asks it, and so looks after the forms as well."""
        if row["failure"] is not None:
            return failed((PayslipRefused(row["failure"]),))
        return self.outcomes[row["structure_version_id"]].computed(_opened(row, keyring))


def _opened(row: asyncpg.Record, keyring: Keyring) -> FrozenInputs:
    text = keyring.open(Place("payroll_input", "inputs_sealed", row["id"]), row["inputs_sealed"])
    return FrozenInputs.of_plain(orjson.loads(text))


async def machinery_of(run: Run, version_ids: Collection[UUID], host: PluginHost) -> Machinery:
    """The machinery of a run, for inputs that name these versions of structures.

    :raises CalculationUnknown: this release lacks the version; :raises PackMissing: the pack is not installed.
    """
    used, pack = calculation(run.pins.calculation), pack_of(host, run.pins)
    rows = await current_transaction().fetch(_DOCUMENTS, current_tenant_id(), list(version_ids))
    structures = {row["id"]: Structure.of_plain(orjson.loads(row["document"])) for row in rows}
    return Machinery(
        {
            key: Outcomes(structure, used.sheet_of(structure), pack, calculation=used)
            for key, structure in structures.items()
        }
    )


@dataclass(slots=True)
class Machines:
    """Machinery that is kept from one chunk of a run to the next, of the few runs that were computed last.

    What a run pins never changes, nor what a version of a structure says. `turn` is held by the chunk that is being
    computed: others are read and stored meanwhile, rather than all computed at once and then all stored.
    """

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _kept: OrderedDict[tuple[UUID, frozenset[UUID]], Machinery] = field(default_factory=OrderedDict)

    async def of_run(self, run: Run, version_ids: Collection[UUID], host: PluginHost) -> Machinery:
        """As `machinery_of`."""
        key = (run.id, frozenset(version_ids))
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = await machinery_of(run, version_ids, host)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return found
