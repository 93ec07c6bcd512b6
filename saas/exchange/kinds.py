"""What a room above gives to have rows of its own imported: an `ImportKind`, asked in chunks, set by set.

The engine reads, checks, remembers and repeats; a kind knows its tables. `plan` says what each row would do and which
version of the record it read, `apply` does it, `undo` takes it back. All three run in a transaction that is open.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar, Protocol, TypeVar
from uuid import UUID

from saas.access import AccessTable
from saas.exchange.cells import Value, folded
from saas.exchange.columns import ImportColumn
from saas.exchange.errors import KindUnknown
from saas.kernel import Actor, AppError, Clock
from saas.sealing import Keyring

Service = TypeVar("Service")
Undo = Mapping[str, Any]
"""What a kind needs to take a row back: plain JSON values. It is kept sealed, and for seven days."""


class Promises(Protocol):
    """What earlier rows of the same batch are going to write: a deal may name a customer of the sheet before it."""

    async def made(self, kind: str, key: str, values: Iterable[Value]) -> set[Value]:
        """Those of `values` that a good earlier row of `kind` has in its column `key`, which is unique or a name.

        Values are compared as the column's `sameness` makes them; a name that two rows have is none.
        """
        ...

    async def pledged(self, kind: str) -> Mapping[str, int]:
        """How many new rows of `kind` stand before these, not written yet, by the token of their verdict."""
        ...


class NoPromises:
    """A batch without earlier parts."""

    async def made(self, kind: str, key: str, values: Iterable[Value]) -> set[Value]:
        """None of them."""
        return set()

    async def pledged(self, kind: str) -> Mapping[str, int]:
        """None."""
        return {}


@dataclass(frozen=True, slots=True)
class ImportContext:
    """For whom and with what a kind works. Hold it no longer than the call.

    `services` are those that the wiring gives (the plugin host, the company's plugins), by their type. `is_commit` is
    true where `plan` is asked again right before `apply`, in its transaction: lock then what is read, so that the
    verdict still holds when it is applied. A reference that is only promised yet must give the same token as the record
    that it becomes.
    """

    actor: Actor
    access: AccessTable
    clock: Clock
    time_zone: str
    keyring: Keyring
    currency: str = "CNY"
    services: Mapping[type, Any] = field(default_factory=dict)
    batch_id: UUID | None = None
    is_commit: bool = False
    promises: Promises = field(default_factory=NoPromises)

    def service(self, kind: type[Service]) -> Service:
        """A service of the wiring.

        :raises KeyError: the wiring gives none of that type.
        """
        found: Service = self.services[kind]
        return found


Contexts = Callable[[Actor], Awaitable[ImportContext]]
"""Makes the context of whoever asked for a batch, with the rights they have now; called in the step's transaction."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row's values by column key; mapped columns whose cell is empty are None, others are absent."""

    number: int
    values: Mapping[str, Value]

    def text(self, key: str) -> str | None:
        """A column's text, None where the cell is empty or the column is not mapped."""
        value = self.values.get(key)
        return None if value is None else str(value)

    def day(self, key: str) -> date | None:
        """A column's day; None as `text`."""
        value = self.values.get(key)
        return value if isinstance(value, date) else None

    def figure(self, key: str) -> Decimal | None:
        """A column's amount, rate or number; None as `text`."""
        value = self.values.get(key)
        return Decimal(value) if isinstance(value, int | Decimal) else None


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that a row would change; both values as people read them."""

    key: str
    before: str | None
    after: str | None


def differences(before: Mapping[str, object], wanted: Mapping[str, object]) -> tuple[Difference, ...]:
    """The fields in which a record is to become another; what a row leaves empty stays as it is."""
    return tuple(
        Difference(key, _as_read(before.get(key)), _as_read(value))
        for key, value in wanted.items()
        if value is not None and before.get(key) != value
    )


def _as_read(value: object) -> str | None:
    if value is None:
        return None
    return format(value, "f") if isinstance(value, Decimal) else str(value)


class Outcome(Enum):
    """What becomes of a row."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a row would do. `token` stands for the version of what was read: while it is the same, the verdict holds.

    `warnings` are told beside the row and stop nothing: a value that is missing and was to be expected.
    """

    outcome: Outcome
    token: str = ""
    differences: tuple[Difference, ...] = ()
    errors: tuple[AppError, ...] = ()
    warnings: tuple[AppError, ...] = ()

    @classmethod
    def new(cls, token: str = "", *, warnings: Iterable[AppError] = ()) -> Verdict:
        """The row makes a record."""
        return cls(Outcome.NEW, token, warnings=tuple(warnings))

    @classmethod
    def changed(cls, token: str, differences: Iterable[Difference], *, warnings: Iterable[AppError] = ()) -> Verdict:
        """The row changes a record in these fields."""
        return cls(Outcome.CHANGED, token, tuple(differences), warnings=tuple(warnings))

    @classmethod
    def unchanged(cls, token: str, *, warnings: Iterable[AppError] = ()) -> Verdict:
        """The record is already as the row says."""
        return cls(Outcome.UNCHANGED, token, warnings=tuple(warnings))

    @classmethod
    def against(cls, token: str, differences: Sequence[Difference], *, warnings: Iterable[AppError] = ()) -> Verdict:
        """The record is there already: it changes in these fields, or in none."""
        outcome = Outcome.CHANGED if differences else Outcome.UNCHANGED
        return cls(outcome, token, tuple(differences), warnings=tuple(warnings))

    @classmethod
    def refused(cls, *errors: AppError) -> Verdict:
        """The row can't be taken. An error's `field` may name the column by its key."""
        return cls(Outcome.FAILED, errors=errors)


@dataclass(frozen=True, slots=True)
class Applied:
    """A row that was written: the record, and what `undo` will need."""

    number: int
    object_id: UUID | None
    undo: Undo = field(default_factory=dict)


class ImportKind(ABC):
    """A kind of rows, such as customers. Stateless; one object serves every company.

    `order` says which kinds of one workbook come first (employees before customers before deals). `permission` is
    the verb that whoever imports must hold beside ``import:commit``. `identity` names the columns that together tell
    two rows of a file apart, where one column alone does not; in a row that lacks one of them nothing is compared.
    """

    name: ClassVar[str]
    title: ClassVar[Mapping[str, str]]
    permission: ClassVar[str]
    order: ClassVar[int]
    columns: ClassVar[tuple[ImportColumn, ...]]
    identity: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    async def plan(self, context: ImportContext, rows: Sequence[Row]) -> list[Verdict]:
        """A verdict per row, in their order, by few statements for all of them. Writes nothing.

        At most a thousand rows; no two of them have the same value in a unique column.
        """

    @abstractmethod
    async def apply(self, context: ImportContext, rows: Sequence[Row], verdicts: Sequence[Verdict]) -> list[Applied]:
        """Write rows that are NEW or CHANGED, each with its audit entry; every row is in the answer.

        :raises AppError: the chunk can't be written; nothing of it is, and the batch ends as failed.
        """

    @abstractmethod
    async def undo(self, context: ImportContext, applied: Sequence[Applied]) -> list[AppError | None]:
        """Take rows back, for each None or why it must stay: above all that somebody changed the record since."""


class Kinds:
    """The kinds of this installation, in the order in which a workbook's sheets are imported."""

    def __init__(self, kinds: Iterable[ImportKind]) -> None:
        ordered = sorted(kinds, key=lambda kind: (kind.order, kind.name))
        self._by_name = {kind.name: kind for kind in ordered}
        if len(self._by_name) != len(ordered):
            raise ValueError(f"Two kinds of import share a name: {', '.join(kind.name for kind in ordered)}.")

    def get(self, name: str) -> ImportKind:
        """The kind of that name.

        :raises KindUnknown: there is none; the error lists those there are.
        """
        if name not in self._by_name:
            raise KindUnknown("exchange.kind_unknown", {"kind": name[:60], "known": ", ".join(self._by_name)})
        return self._by_name[name]

    @property
    def columns(self) -> dict[str, tuple[ImportColumn, ...]]:
        """Each kind's columns by its name, in order."""
        return {name: kind.columns for name, kind in self._by_name.items()}

    def titled(self, sheet: str) -> str | None:
        """The kind that a sheet's name says: its name or title, in any language."""
        wanted = folded(sheet)
        words = ((kind.name, {folded(word) for word in (kind.name, *kind.title.values())}) for kind in self)
        return next((name for name, known in words if wanted in known), None)

    def __iter__(self) -> Iterator[ImportKind]:
        return iter(self._by_name.values())

    def place(self, name: str) -> int:
        """When a kind's turn is."""
        return list(self._by_name).index(name)
