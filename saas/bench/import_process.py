"""One import in a process of its own: `python -m saas.bench.import_process FILE` prints its seconds and its memory."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from time import perf_counter
from uuid import UUID

import orjson

from saas.backing import backing
from saas.bench.errors import BenchError
from saas.bench.machine import peak_bytes, resident_bytes
from saas.config import read_settings
from saas.exchange import (
    BatchState,
    BatchSummary,
    Importer,
    carry_out,
    commit_import,
    inspect_upload,
    preview_import,
    stage_import,
)
from saas.identity import Origin
from saas.kernel import Actor, new_id
from saas.main import Installation, importer, installed_product, opened
from saas.onboarding import sign_up_company

_BLOCK = 1 << 16


async def measured(path: Path) -> dict[str, float]:
    """Sign a company up, import the file into it, and tell what that took."""
    settings, product = read_settings(os.environ), installed_product()
    async with backing(settings) as servers, opened(product, settings, servers) as installation:
        actor, engine = await _company(installation), importer(installation)
        async with installation.database.transaction(actor.tenant_id):
            await engine.contexts(actor)  # rights are put together once in a process, whatever is then done by them
        before = resident_bytes(os.getpid()) or 0
        began = perf_counter()
        batch_id = await _previewed(installation, engine, actor, path)
        previewed = perf_counter()
        ended = await _committed(installation, engine, actor, batch_id)
        committed = perf_counter()
    return {
        "preview_seconds": previewed - began,
        "commit_seconds": committed - previewed,
        "memory_before": before,
        "memory_peak": peak_bytes(os.getpid()) or 0,
        "applied": ended.counts["applied"],
    }


async def _company(installation: Installation) -> Actor:
    made = await sign_up_company(
        installation.database,
        company="导入测速",
        owner_name="测速",
        email=f"bench-{new_id().hex}@example.com",
        password=new_id().hex,
        preset="general",
        idempotency_key=new_id().hex,
        origin=Origin(client="bench"),
        passwords=installation.passwords,
        host=installation.product.host,
        clock=installation.clock,
    )
    return Actor(made.tenant_id, account_id=made.account_id, employee_id=None, roles=frozenset({"owner"}))


async def _previewed(installation: Installation, engine: Importer, actor: Actor, path: Path) -> UUID:
    tenant_id = actor.tenant_id
    stored = await engine.files.save(tenant_id, _blocks(path))
    upload = await inspect_upload(
        stored, tenant_id=tenant_id, filename=path.name, kinds=engine.kinds, files=engine.files, kind="customers"
    )
    async with installation.database.transaction(tenant_id):
        context = await engine.contexts(actor)
        batch_id = await stage_import(context, upload, kinds=engine.kinds, catalogue=engine.catalogue)
    async with installation.database.transaction(tenant_id):
        await preview_import(await engine.contexts(actor), batch_id=batch_id, kinds=engine.kinds)
    await _carried_out(installation, engine, actor, batch_id, BatchState.PREVIEWED)
    return batch_id


async def _committed(installation: Installation, engine: Importer, actor: Actor, batch_id: UUID) -> BatchSummary:
    now = await carry_out(installation.database, engine, tenant_id=actor.tenant_id, batch_id=batch_id)
    async with installation.database.transaction(actor.tenant_id):
        context = await engine.contexts(actor)
        await commit_import(context, batch_id=batch_id, plan_hash=now.plan_hash or "", kinds=engine.kinds)
    return await _carried_out(installation, engine, actor, batch_id, BatchState.COMMITTED)


async def _carried_out(
    installation: Installation, engine: Importer, actor: Actor, batch_id: UUID, wanted: BatchState
) -> BatchSummary:
    ended = await carry_out(installation.database, engine, tenant_id=actor.tenant_id, batch_id=batch_id)
    if ended.state is not wanted or ended.counts["failed"]:
        raise BenchError(f"the import is {ended.state.value} with {ended.counts['failed']} bad rows: {ended.failure}")
    return ended


async def _blocks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while block := await asyncio.to_thread(file.read, _BLOCK):
            yield block


if __name__ == "__main__":
    sys.stdout.write(orjson.dumps(asyncio.run(measured(Path(sys.argv[1])))).decode())
