"""Pure decisions of an import: what a batch may do next, what a row's values are, what a plan's hash covers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import Enum

import orjson

from saas.exchange.cells import Cell, Value
from saas.exchange.columns import ImportColumn
from saas.exchange.errors import CellRefused, StateRefused

CHUNK_ROWS = 1_000
KEPT = timedelta(days=7)
"""How long a batch's rows are kept, and with them the possibility to take it back."""

_MASK = "•••"
_ERRORS_OF_A_ROW = 10


class BatchState(Enum):
    """Where a batch is. The doing ones move on by steps; the others wait for a person."""

    STAGED = "staged"
    PREVIEWING = "previewing"
    PREVIEWED = "previewed"
    COMMITTING = "committing"
    COMMITTED = "committed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNDOING = "undoing"
    UNDONE = "undone"

    @property
    def is_moving(self) -> bool:
        """Whether steps are due."""
        return self in {BatchState.PREVIEWING, BatchState.COMMITTING, BatchState.UNDOING}


class Mode(Enum):
    """What bad rows mean."""

    REJECT_ALL = "reject_all"
    SKIP_BAD_ROWS = "skip_bad_rows"


class Phase(Enum):
    """What a moving batch does: rows are read from the file, checked and planned; verified, written; taken back."""

    READING = "reading"
    CHECKING = "checking"
    VERIFYING = "verifying"
    APPLYING = "applying"
    UNDOING = "undoing"


class OnChange(Enum):
    """What happens to rows whose record was changed between preview and commit."""

    REFUSE = "refuse"
    SKIP = "skip"


class Deed(Enum):
    """What a person may ask of a batch."""

    PREVIEW = "preview"
    COMMIT = "commit"
    CANCEL = "cancel"
    UNDO = "undo"


_ALLOWED = {
    Deed.PREVIEW: frozenset({BatchState.STAGED, BatchState.PREVIEWED, BatchState.FAILED}),
    Deed.COMMIT: frozenset({BatchState.PREVIEWED}),
    Deed.CANCEL: frozenset(
        {BatchState.STAGED, BatchState.PREVIEWING, BatchState.PREVIEWED, BatchState.COMMITTING, BatchState.FAILED}
    ),
    Deed.UNDO: frozenset({BatchState.COMMITTED, BatchState.CANCELLED, BatchState.FAILED}),
}


_REFUSALS = {
    Deed.PREVIEW: "exchange.no_preview_now",
    Deed.COMMIT: "exchange.no_commit_now",
    Deed.CANCEL: "exchange.no_cancel_now",
    Deed.UNDO: "exchange.no_undo_now",
}


def check_deed(deed: Deed, state: BatchState, *, applied: int, is_purged: bool = False) -> None:
    """Refuse what the state does not allow: a preview after rows were written, an undo of nothing.

    :raises StateRefused: names the state.
    """
    if is_purged:
        raise StateRefused("exchange.batch_purged", {"days": KEPT.days})
    writes_again = deed is Deed.PREVIEW and applied > 0
    has_nothing = deed is Deed.UNDO and applied == 0
    if state not in _ALLOWED[deed] or writes_again or has_nothing:
        raise StateRefused(_REFUSALS[deed], {"state": state.value, "applied": applied})


@dataclass(frozen=True, slots=True)
class ParsedRow:
    """A row's values by column key, and why it can't be taken, if so."""

    number: int
    cells: Sequence[Cell]
    values: Mapping[str, Value]
    errors: tuple[CellRefused, ...] = ()


def parse_row(
    number: int, cells: Sequence[Cell], columns: Mapping[int, ImportColumn], titles: Mapping[int, str]
) -> ParsedRow:
    """Read each mapped cell; the refusals of the row are found in one pass, and placed at row and column.

    Ten of them are kept: a row with more is not of this kind.

    :param columns: the kind's column by place, from `columns_by_place`; `titles` the sheet's header by place.
    """
    values: dict[str, Value] = {}
    errors = []
    for place, column in columns.items():
        try:
            values[column.key] = column.parse(cells[place] if place < len(cells) else None)
        except CellRefused as refused:
            if column.is_sensitive and "value" in refused.values:
                refused.values["value"] = _MASK
            errors.append(refused.in_cell(row=number, column=titles[place], key=column.key))
    return ParsedRow(number, cells, values, tuple(errors[:_ERRORS_OF_A_ROW]))


def canonical(values: Mapping[str, Value]) -> str:
    """A row's values in one form: equal values, equal text."""
    return orjson.dumps(values, default=_plain, option=orjson.OPT_SORT_KEYS).decode()


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    raise TypeError(f"no value of a row: {value!r}")


def identities(values: Mapping[str, Value], columns: Iterable[ImportColumn], together: Sequence[str]) -> dict[str, str]:
    """What tells the row from others of its file: column key (or keys, by +) → value; empty values tell nothing."""
    found = {each.key: _one_of(each, values) for each in columns if each.unique}
    if together and all(values.get(key) is not None for key in together):
        found["+".join(together)] = tuple(str(values[key]) for key in together)
    return {key: canonical({key: value}) for key, value in found.items() if value is not None}


def names(values: Mapping[str, Value], columns: Iterable[ImportColumn]) -> dict[str, str]:
    """What other rows may call the row's record by: column key → value."""
    found = {each.key: _one_of(each, values) for each in columns if each.is_name and not each.unique}
    return {key: canonical({key: value}) for key, value in found.items() if value is not None}


def _one_of(column: ImportColumn, values: Mapping[str, Value]) -> Value:
    value = values.get(column.key)
    return None if value is None else column.sameness(value)


def shared(name: str) -> str:
    """What stands for a name (as `names` gives it) once a second row has it: it calls no record any more."""
    return f"several {name}"


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """What the preview showed of a row, as far as a commit rests on it."""

    number: int
    outcome: str
    token: str
    values: str


def chunk_digest(rows: Iterable[PlannedRow]) -> str:
    """64 hex digits over what the preview showed of a chunk."""
    plain = [[row.number, row.outcome, row.token, row.values] for row in rows]
    return hashlib.sha256(orjson.dumps(plain)).hexdigest()


def plan_hash(settings: object, chunks: Iterable[str]) -> str:
    """64 hex digits over a whole plan: mode and mappings (`settings`, as JSON holds them) and its chunks in order."""
    digest = hashlib.sha256(orjson.dumps(settings, option=orjson.OPT_SORT_KEYS))
    for chunk in chunks:
        digest.update(chunk.encode())
    return digest.hexdigest()


def masked(text: str | None, *, is_sensitive: bool) -> str | None:
    """A value as a difference shows it."""
    return _MASK if is_sensitive and text else text
