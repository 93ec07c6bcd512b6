"""A company's sheets come in: one workbook, previewed, committed, with a bar for each."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

from saas.demo import pay_documents
from saas.demo.bars import Bars
from saas.demo.cast import Company
from saas.demo.client import Client
from saas.exchange import Kinds, Recipe, cook


async def bring(
    client: Client, company: Company, recipe: Recipe, folder: Path, *, kinds: Kinds, locale: str, console: Console
) -> None:
    """Import what a recipe makes of a folder, unless the company has deals already."""
    owner = client.signed_in(company.owner.token)
    known = (await owner.do(pay_documents.DEAL_COUNT))["deals"]["totalCount"]
    if known:
        console.print(f"  {known:,} deals are there already.")
        return
    with tempfile.TemporaryDirectory() as scratch:
        book = Path(scratch) / "book.xlsx"
        with book.open("wb") as target:
            cook(recipe, folder, target, kinds=kinds, locale=locale)
        content = book.read_bytes()
    file_id = await owner.upload(content)
    staged = await owner.do(
        pay_documents.STAGE,
        input={"file": file_id, "filename": f"{recipe.title}.xlsx", "previewMode": "SKIP_BAD_ROWS"},
    )
    batch_id = staged["importStage"]["batch"]["id"]
    preview = await _watched(owner, batch_id, "PREVIEWED", "preview", console)
    console.print(
        f"  {recipe.title}.xlsx, {len(content):,} bytes: {preview['rowCount']:,} rows, {preview['newCount']:,} new, "
        f"{preview['failedCount']:,} with errors."
    )
    await owner.do(pay_documents.COMMIT, input={"batch": batch_id, "planHash": preview["planHash"]})
    done = await _watched(owner, batch_id, "COMMITTED", "rows written", console)
    console.print(f"  {done['appliedCount']:,} rows written, just those that the preview showed.")


async def _watched(owner: Client, batch_id: str, state: str, what: str, console: Console) -> dict[str, Any]:
    with Bars(console) as bars:

        def told(batch: dict[str, Any]) -> None:
            done = batch["appliedCount"] if state == "COMMITTED" else batch["newCount"] + batch["failedCount"]
            bars.show(what, done, max(batch["rowCount"], done, 1))

        return await owner.until(pay_documents.BATCH, done={state}, told=told, id=batch_id)
