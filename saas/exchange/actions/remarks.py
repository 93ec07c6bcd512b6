"""Remarks on rows, sheets and files: why a row failed, what was left out, what had to stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from uuid import UUID

import orjson

from saas.kernel import AppError, Catalogue, Scalar, new_id
from tenants import current_tenant_id, current_transaction

_MESSAGE_MAX = 500
_INSERT = """
INSERT INTO import_remark (tenant_id, id, batch_id, part_id, row_number, column_title, severity, key, args, message)
SELECT $1, id, $2, part_id, row_number, column_title, severity, key, args::jsonb, message
FROM unnest($3::uuid[], $4::uuid[], $5::int[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])
     AS fresh (id, part_id, row_number, column_title, severity, key, args, message)
"""


class Severity(Enum):
    """How much a remark matters: an error fails its row, a warning tells of a row that was passed over or kept."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence by its key and values, and what it is about: row 0 is the whole sheet, no part the whole file."""

    severity: Severity
    key: str
    args: Mapping[str, Scalar] = field(default_factory=dict)
    part_id: UUID | None = None
    row: int = 0
    column: str | None = None

    @classmethod
    def of_error(
        cls, error: AppError, *, severity: Severity, part_id: UUID | None, row: int = 0, column: str | None = None
    ) -> Remark:
        """A refusal as a remark."""
        return cls(severity, error.key, dict(error.values), part_id, row, column)


@dataclass(frozen=True, slots=True)
class Scribe:
    """Writes remarks in the language of whoever asked for the batch."""

    catalogue: Catalogue
    locale: str

    async def note(self, batch_id: UUID, remarks: Iterable[Remark]) -> None:
        """Write remarks, in the order given, by one statement."""
        found = list(remarks)
        if not found:
            return
        await current_transaction().execute(
            _INSERT,
            current_tenant_id(),
            batch_id,
            [new_id() for _ in found],
            [each.part_id for each in found],
            [each.row for each in found],
            [each.column for each in found],
            [each.severity.value for each in found],
            [each.key for each in found],
            [orjson.dumps(dict(each.args), option=orjson.OPT_NON_STR_KEYS).decode() for each in found],
            [self.sentence(each.key, each.args) for each in found],
        )

    def sentence(self, key: str, args: Mapping[str, Scalar]) -> str:
        """The fact, at most 500 characters of it."""
        return self.catalogue.text(self.locale, key, args)[:_MESSAGE_MAX]
