"""How long the single-file verifier takes for the certificate of a large draw, as somebody outside would run it."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from saas.bench.dataset import tenant_id
from saas.bench.errors import BenchError
from saas.bench.pool_data import TODAY
from saas.customers.allocation import Candidate, Method, PooledCustomer, Roster, verifier
from saas.customers.allocation.certificate import Seal, SecretSeed, certify
from saas.kernel import uuid7_from

_SEED = bytes(range(32))


@dataclass(frozen=True, slots=True)
class DrawSample:
    """A certificate of so many customers: its bytes, and the seconds of its verification."""

    customers: int
    size: int
    seconds: float


async def measure_verification(folder: Path, *, customers: int, reps: int) -> DrawSample:
    """Certify a draw, and have the file verified by a Python without anything of this product.

    :raises BenchError: something does not fit.
    """
    certificate, program = folder / "certificate.json", folder / "verifier.py"
    size = await asyncio.to_thread(_publish, certificate, program, _roster(customers, reps))
    began = perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(program), str(certificate), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    took = perf_counter() - began
    if process.returncode != 0:
        raise BenchError(f"The certificate does not fit: {out[:300].decode()}")
    return DrawSample(customers, size, took)


def _publish(certificate: Path, program: Path, roster: Roster) -> int:
    """Write both files; the bytes of the certificate."""
    certificate.parent.mkdir(parents=True, exist_ok=True)
    program.write_bytes(Path(verifier.__file__).read_bytes())
    return certificate.write_bytes(certify(roster, Seal(SecretSeed(_SEED), bytes(32))).content)


def _roster(customers: int, reps: int) -> Roster:
    people = (Candidate(uuid7_from(1, number), f"rep {number}", weight=1 + number % 5) for number in range(reps))
    pooled = (PooledCustomer(uuid7_from(2, number), "恒信") for number in range(customers))
    return Roster(
        tenant_id(1),
        TODAY,
        Method.DRAW,
        settings_version=1,
        candidates=tuple(people),
        customers=tuple(pooled),
        seed=_SEED,
    )
