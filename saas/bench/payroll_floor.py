"""The least that could give and keep the same payslips: bare arithmetic, bare sealing, a bare COPY.

Each part does one thing and nothing else. The arithmetic is that of `saas.bench.wages`; sealing makes JSON of finished
documents and encrypts it with AES-GCM; COPY writes the same rows, byte for byte as long, into a table without row-level
security, keys or indexes.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from time import perf_counter, process_time
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from saas.bench.errors import BenchError
from saas.bench.machine import cpu_seconds
from saas.bench.payroll_company import PaidCompany
from saas.bench.wages import Wages, pay_of, wages_of
from saas.main import Installation
from saas.sealing import Keyring, Place

_AT_ONCE = 200
_TABLE = "bench_payslip"
_COLUMNS = (
    "tenant_id",
    "id",
    "run_id",
    "employment_id",
    "employee_id",
    "legal_entity_id",
    "department_id",
    "month",
    "state",
    "document_sealed",
    "digest",
    "computed_at",
)
_CREATE = f"""
DROP TABLE IF EXISTS {_TABLE};
CREATE TABLE {_TABLE} AS SELECT {", ".join(_COLUMNS)} FROM payslip WITH NO DATA
"""
_STORED = f"""
SELECT {", ".join(_COLUMNS)} FROM payslip WHERE tenant_id = $1 AND run_id = $2 AND employee_id > $3
ORDER BY employee_id LIMIT {_AT_ONCE}
"""
_SHOWN = ("gross", "net", "employerCost")
_LINES = {"tax": "china.income_tax", "ratio": "attendance_ratio"}


@dataclass(slots=True)
class FloorSample:
    """Seconds of the three parts, the processor seconds of all of them, and what they made.

    `postgres_cpu` is None where PostgreSQL's processes can't be seen.
    """

    arithmetic_seconds: float = 0.0
    sealing_seconds: float = 0.0
    copy_seconds: float = 0.0
    own_cpu: float = 0.0
    postgres_cpu: float | None = None
    payslips: int = 0
    sealed_bytes: int = 0

    @property
    def seconds(self) -> float:
        """All three, one after the other."""
        return self.arithmetic_seconds + self.sealing_seconds + self.copy_seconds


@dataclass(frozen=True, slots=True)
class _Sealing:
    """A key of its own, and nothing beside it."""

    cipher: AESGCM = field(default_factory=lambda: AESGCM(AESGCM.generate_key(256)))

    def sealed(self, document: Any) -> bytes:
        nonce = os.urandom(12)
        return nonce + self.cipher.encrypt(nonce, orjson.dumps(document, option=orjson.OPT_SORT_KEYS), None)


async def measure_floor(
    installation: Installation, company: PaidCompany, run_id: UUID, *, owner: asyncpg.Connection[asyncpg.Record]
) -> FloorSample:
    """Do by the shortest way what the run did, and compare every payslip with the amounts found by hand.

    :raises BenchError: a payslip that is not paid, or whose gross, net, tax or cost of the employer is another.
    """
    sample, sealing = FloorSample(), _Sealing()
    pays = _timed_arithmetic(sample, [wages_of(number) for number in range(len(company.numbers))])
    keyring = await installation.sealer.keyring(company.actor.tenant_id)
    await owner.execute(_CREATE)
    backend = owner.get_server_pid()
    before = cpu_seconds(backend)
    async for rows in _stored(installation, company, run_id):
        documents = [_opened(row, keyring) for row in rows]
        for row, document in zip(rows, documents, strict=True):
            _compare(document, pays[company.numbers[row["employee_id"]]])
        await _keep(sample, sealing, rows, documents, owner)
    after = cpu_seconds(backend)
    sample.postgres_cpu = None if before is None or after is None else after - before
    await owner.execute(f"DROP TABLE {_TABLE}")
    if sample.payslips != len(company.numbers):
        raise BenchError(f"{sample.payslips:,} payslips are stored for {len(company.numbers):,} people")
    return sample


def _timed_arithmetic(sample: FloorSample, wages: Sequence[Wages]) -> list[dict[str, Decimal]]:
    began, worked = perf_counter(), process_time()
    found = [pay_of(each) for each in wages]
    sample.arithmetic_seconds, sample.own_cpu = perf_counter() - began, process_time() - worked
    return [
        {"gross": pay.gross, "net": pay.net, "employerCost": pay.employer_cost, "tax": pay.tax, "ratio": pay.ratio}
        for pay in found
    ]


async def _stored(installation: Installation, company: PaidCompany, run_id: UUID) -> AsyncIterator[list[Any]]:
    passed = UUID(int=0)
    while True:
        async with installation.database.transaction(company.actor.tenant_id) as transaction:
            rows = await transaction.fetch(_STORED, company.actor.tenant_id, run_id, passed)
        if not rows:
            return
        yield rows
        passed = rows[-1]["employee_id"]


def _opened(row: Any, keyring: Keyring) -> Any:
    return orjson.loads(keyring.open(Place("payslip", "document_sealed", row["id"]), row["document_sealed"]))


def _compare(document: Any, expected: dict[str, Decimal]) -> None:
    lines = {line["code"]: Decimal(line["amount"]) for line in document.get("lines", ())}
    found = {name: Decimal(document[name]) for name in _SHOWN if name in document}
    found |= {name: lines[code] for name, code in _LINES.items() if code in lines}
    if found != expected:
        raise BenchError(f"A payslip comes to {found}, by hand to {expected}: speeds count only over equal amounts.")


async def _keep(
    sample: FloorSample,
    sealing: _Sealing,
    rows: Sequence[Any],
    documents: Sequence[Any],
    owner: asyncpg.Connection[asyncpg.Record],
) -> None:
    began, worked = perf_counter(), process_time()
    sealed = [sealing.sealed(document) for document in documents]
    sample.sealing_seconds += perf_counter() - began
    sample.own_cpu += process_time() - worked
    # The product's own bytes are copied: those just sealed lack its header, and the rows are to be the same.
    records = [tuple(row) for row in rows]
    began, worked = perf_counter(), process_time()
    await owner.copy_records_to_table(_TABLE, records=records, columns=_COLUMNS)
    sample.copy_seconds += perf_counter() - began
    sample.own_cpu += process_time() - worked
    sample.payslips += len(rows)
    sample.sealed_bytes += sum(map(len, sealed))
