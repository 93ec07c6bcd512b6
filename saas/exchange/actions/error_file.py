"""The error file of a batch: its failed rows as they were uploaded, with the reasons in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO
from uuid import UUID

from saas.access import require
from saas.audit import record
from saas.exchange.error_files import ErrorFile
from saas.exchange.errors import StateRefused
from saas.exchange.kinds import ImportContext
from saas.exchange.queries import Reason, failed_rows, list_parts, lock_batch
from saas.exchange.rules import KEPT
from saas.kernel import Catalogue


async def write_error_file(context: ImportContext, *, batch_id: UUID, target: BinaryIO, catalogue: Catalogue) -> int:
    """Write the failed rows of a batch to `target` as XLSX (permission ``import:preview``); how many there are.

    It holds what was uploaded, personal data included, so reading it is audited.

    :raises BatchNotFound: the caller sees no such batch.
    :raises StateRefused: its rows are older than seven days.
    """
    require(context.access, "import:preview")
    batch = await lock_batch(batch_id, seen_by=context)
    if batch.is_purged:
        raise StateRefused("exchange.batch_purged", {"days": KEPT.days})
    locale, count = context.actor.locale, 0
    with ErrorFile(target, locale=locale) as file:
        for part in await list_parts(batch.id):
            file.begin_sheet(part.sheet, part.headers)
            async for row, reasons in failed_rows(part, keyring=context.keyring):
                file.add_row(row.cells, why=_why(catalogue, locale, reasons))
                count += 1
    await record(
        context.actor, "import.error_file_read", object_type="ImportBatch", object_id=batch.id, clock=context.clock
    )
    return count


def _why(catalogue: Catalogue, locale: str, reasons: Iterable[Reason]) -> str:
    """Fact and remedy of each reason, a line each."""
    return "\n".join(
        " ".join(
            catalogue.text(locale, key, reason.args)
            for key in (reason.key, f"{reason.key}.hint")
            if catalogue.has(locale, key)
        )
        or reason.key
        for reason in reasons
    )
