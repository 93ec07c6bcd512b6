"""How far a batch is and what became of its rows: counted in the transaction of each step."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from tenants import current_tenant_id, current_transaction

COUNTS = (
    "row_count",
    "new_count",
    "changed_count",
    "unchanged_count",
    "duplicate_count",
    "failed_count",
    "applied_count",
    "passed_count",
    "undone_count",
    "kept_count",
)
_OF_CHECKING = ("new_count", "changed_count", "unchanged_count", "duplicate_count", "failed_count")


async def count(batch_id: UUID, part_id: UUID, rises: Mapping[str, int]) -> None:
    """Raise counts (names of `COUNTS`) of a part and of its batch."""
    changes = ", ".join(f"{name} = {name} + {int(rise)}" for name, rise in rises.items() if name in COUNTS and rise)
    if not changes:
        return
    transaction, tenant_id = current_transaction(), current_tenant_id()
    await transaction.execute(f"UPDATE import_part SET {changes} WHERE tenant_id = $1 AND id = $2", tenant_id, part_id)
    await transaction.execute(
        f"UPDATE import_batch SET {changes} WHERE tenant_id = $1 AND id = $2", tenant_id, batch_id
    )


async def forget_checking(batch_id: UUID) -> None:
    """Remove what an earlier preview of the batch found; notes on what was left out while reading stay."""
    transaction, tenant_id = current_transaction(), current_tenant_id()
    of_parts = "part_id IN (SELECT id FROM import_part WHERE tenant_id = $1 AND batch_id = $2)"
    for table in ("import_row", "import_key", "import_difference"):
        await transaction.execute(f"DELETE FROM {table} WHERE tenant_id = $1 AND {of_parts}", tenant_id, batch_id)
    await transaction.execute(
        "DELETE FROM import_remark WHERE tenant_id = $1 AND batch_id = $2 AND severity <> 'note'", tenant_id, batch_id
    )
    zero = ", ".join(f"{name} = 0" for name in _OF_CHECKING)
    for table, column in (("import_part", "batch_id"), ("import_batch", "id")):
        await transaction.execute(
            f"UPDATE {table} SET {zero} WHERE tenant_id = $1 AND {column} = $2", tenant_id, batch_id
        )
