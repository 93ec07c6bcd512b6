"""Filters, orders, pages and groups over rows in memory, with the checks of their arguments."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cmp_to_key, partial
from typing import Any
from uuid import UUID

from saas.kernel import AppError
from saas.reads.mapping import Column, EnumKind, FieldMapping, ReadType, ScalarKind, Sealed, ToOne
from saas.reads.naming import GroupOrderValue, group_order_values, group_values, order_values
from tests.differential.judgement import Refused, Row, World, bad_input

Arguments = Mapping[str, Any]
_ID = re.compile(r"([a-z]{2,5})_([0-9a-f]{32})")
EITHER = " or "
"""Between codes of which one is reported."""
_MOST_ORDERS, _DEEPEST_FILTER, _MOST_VALUES = 3, 3, 100


def split_id(text: str) -> tuple[str, UUID]:
    """Prefix and UUID of a public id."""
    match = _ID.fullmatch(text)
    if match is None:
        raise bad_input()
    return match[1], UUID(match[2])


def id_of(text: str, prefix: str) -> UUID:
    """The UUID of an id of one type."""
    found, row_id = split_id(text)
    if found != prefix:
        raise Refused("WRONG_ID_TYPE")
    return row_id


Check = Callable[[], object]


def _fail() -> None:
    raise bad_input()


def require(checks: Iterable[Check]) -> None:
    """Raise what fails; where several do and with several codes, which of them is reported first is left open."""
    codes: set[str] = set()
    for check in checks:
        try:
            check()
        except Refused as error:
            codes.add(error.message)
    if codes:
        raise Refused(EITHER.join(sorted(codes)))


@dataclass(frozen=True)
class ListArguments:
    """The arguments of a list of a type, checked and applied."""

    world: World
    read_type: ReadType
    given: Arguments

    def check_uses(self, orders: Sequence[str] = ()) -> None:
        """Note every field that is filtered or ordered by without the right to."""
        known = order_values(self.read_type)
        for name in orders:
            column = known[name].column
            if column is not None:
                self.world.require_use(self.read_type, column)
        self._check_filter_uses(self.given.get("filter") or {})

    def check_size(self, name: str) -> None:
        """A page size must lie within its bounds."""
        if not 1 <= self.given[name] <= self.world.most:
            raise bad_input()

    def filter_checks(self) -> Iterator[Check]:
        """Every operand must be a value of its field."""
        return self._filter_checks(self.given.get("filter") or {}, 0)

    def matching(self, among: Callable[[Row], bool] = lambda row: True) -> list[Row]:
        """The visible rows that the filter lets through."""
        wanted = self.given.get("filter") or {}
        return [row for row in self.world.visible(self.read_type, among) if self._matches(wanted, row)]

    def _field(self, name: str) -> FieldMapping:
        found = self.world.registry.field(self.read_type.name, name)
        assert found is not None
        return found

    def _check_filter_uses(self, part: Arguments) -> None:
        for name, inner in part.items():
            if inner is None:
                continue
            if name in ("and", "or"):
                for item in inner:
                    self._check_filter_uses(item)
            elif name == "not":
                self._check_filter_uses(inner)
            else:
                self.world.require_use(self.read_type, self._field(name))

    def _filter_checks(self, part: Arguments, depth: int) -> Iterator[Check]:
        for name, inner in part.items():
            if inner is None:
                continue
            if name not in ("and", "or", "not"):
                for operator, operand in inner.items():
                    yield from self._operand_checks(self._field(name), operator, operand)
            elif depth == _DEEPEST_FILTER:
                yield _fail
            else:
                for item in [inner] if name == "not" else inner:
                    yield from self._filter_checks(item, depth + 1)

    def _operand_checks(self, of: FieldMapping, operator: str, operand: Any) -> Iterator[Check]:
        if operand is None or (isinstance(operand, list) and len(operand) > _MOST_VALUES):
            yield _fail
        elif operator != "isNull":
            for item in operand if isinstance(operand, list) else [operand]:
                yield partial(self._value, of, item)

    def _matches(self, part: Arguments, row: Row) -> bool:
        return all(self._holds(name, inner, row) for name, inner in part.items() if inner is not None)

    def _holds(self, name: str, inner: Any, row: Row) -> bool:
        if name == "not":
            return not self._matches(inner, row)
        if name in ("and", "or"):
            return {"and": all, "or": any}[name](self._matches(item, row) for item in inner)
        of = self._field(name)
        if not inner:
            return True
        readable = self.world.readable_in(self.read_type, of, row)
        return readable and all(self._compares(of, operator, operand, row) for operator, operand in inner.items())

    def _compares(self, of: FieldMapping, operator: str, operand: Any, row: Row) -> bool:
        stored = self._stored(of, row)
        if operator == "isNull":
            return (stored is None) is operand
        values = [self._value(of, item) for item in (operand if isinstance(operand, list) else [operand])]
        if stored is None:
            return False
        return _OPERATORS[operator](stored, values)

    def _stored(self, of: FieldMapping, row: Row) -> Any:
        if isinstance(of, Sealed):
            return self.world.semantics.lookup(self.read_type, of, row)
        assert isinstance(of, Column | ToOne)
        return row[of.column]

    def _value(self, of: FieldMapping, text: Any) -> Any:
        """An operand as it would be stored."""
        if isinstance(of, Sealed):
            return _phone(self.world, text)
        if isinstance(of, ToOne):
            return id_of(text, self.world.registry.types[of.target].prefix)
        assert isinstance(of, Column)
        if isinstance(of.kind, EnumKind):
            return of.kind.values[text][0]
        return _READ.get(of.kind, lambda value: value)(text)


def _minor(text: str) -> int:
    """Fen of an amount in yuan; a third digit behind the point is none of theirs."""
    fen = Decimal(text) * 100
    if fen != int(fen):
        raise bad_input()
    return int(fen)


def _phone(world: World, text: str) -> str:
    try:
        return world.semantics.normalise(text)
    except AppError:
        raise bad_input() from None


_OPERATORS: Mapping[str, Callable[[Any, list[Any]], bool]] = {
    "eq": lambda stored, values: bool(stored == values[0]),
    "in": lambda stored, values: stored in values,
    "gte": lambda stored, values: bool(stored >= values[0]),
    "lt": lambda stored, values: bool(stored < values[0]),
    "startsWith": lambda stored, values: bool(stored.startswith(values[0])),
}
_READ: Mapping[ScalarKind, Callable[[Any], Any]] = {
    ScalarKind.DATE: date.fromisoformat,
    ScalarKind.DATETIME: datetime.fromisoformat,
    ScalarKind.DECIMAL: Decimal,
    ScalarKind.AMOUNT: _minor,
}


@dataclass(frozen=True)
class Page:
    """A page of rows, and all rows of its list."""

    read_type: ReadType
    rows: list[Row]
    matching: list[Row]
    has_next: bool
    has_previous: bool


@dataclass(frozen=True)
class Connection:
    """A list with Relay's arguments: who may ask, and which rows it gives."""

    name: str
    arguments: ListArguments
    default_order: str

    def check(self) -> None:
        """Note refused uses; raise for bad arguments."""
        self.arguments.check_uses(self._asked())
        given = self.arguments.given
        sizes = [name for name in ("first", "last") if given.get(name) is not None]
        require([_fail] if len(self._asked()) > _MOST_ORDERS or len(sizes) != 1 else [])
        size = partial(self.arguments.check_size, sizes[0])
        require([size, self._bounds, *self.arguments.filter_checks()])

    def page(self, beneath: Callable[[Row], bool]) -> Page:
        """The page, among the rows that belong to the parent."""
        given, compare = self.arguments.given, self._compare
        rows = sorted(self.arguments.matching(beneath), key=cmp_to_key(compare))
        after, before = self._bounds()
        cut_below = [row for row in rows if after is not None and compare(row, after) <= 0]
        cut_above = [row for row in rows if before is not None and compare(row, before) >= 0]
        cut = {row["id"] for row in cut_below + cut_above}
        inside = [row for row in rows if row["id"] not in cut]
        forward = given.get("first") is not None
        size = given["first"] if forward else given["last"]
        more = len(inside) > size
        return Page(
            self.arguments.read_type,
            inside[:size] if forward else inside[-size:],
            rows,
            has_next=bool(cut_above) or (forward and more),
            has_previous=bool(cut_below) or (not forward and more),
        )

    def _asked(self) -> list[str]:
        return list(self.arguments.given.get("orderBy") or [])

    def _orders(self) -> list[str]:
        """What is asked for; else the default, or the id where the default may not be used."""
        return self._asked() or [self.arguments.world.default_order(self.arguments.read_type, self.default_order)]

    def _bounds(self) -> tuple[Row | None, Row | None]:
        return self._bound("after"), self._bound("before")

    def _bound(self, side: str) -> Row | None:
        """The row that a cursor stands for; it must be a cursor of this list in this order."""
        text = self.arguments.given.get(side)
        if text is None:
            return None
        place = self.arguments.world.cursors.get(text)
        if place is None or place[:2] != (self.name, tuple(self._orders())):
            raise bad_input()
        table = self.arguments.world.tables[self.arguments.read_type.table]
        return next(row for row in table if row["id"] == place[2])

    def _compare(self, one: Row, other: Row) -> int:
        """NULL is the greatest value; the id ends every order, in the direction of the last key."""
        known = order_values(self.arguments.read_type)
        descending = False
        for name in self._orders():
            column, descending = known[name].column, known[name].descending
            if column is None:
                break
            stored = column.order_column or column.column
            used = [self.arguments.world.used(self.arguments.read_type, column, stored, row) for row in (one, other)]
            if used[0] != used[1]:
                return _signed(_before(used[0], used[1]), descending)
        return 0 if one["id"] == other["id"] else _signed(one["id"] < other["id"], descending)


def _before(one: Any, other: Any) -> bool:
    return other is None or (one is not None and bool(one < other))


def _signed(before: bool, descending: bool) -> int:
    return -1 if before is not descending else 1


@dataclass(frozen=True)
class Grouping:
    """Rows of a type grouped by one of its fields."""

    arguments: ListArguments

    @property
    def by(self) -> Column | ToOne:
        return group_values(self.arguments.read_type)[self.arguments.given["groupBy"]]

    @property
    def _order(self) -> GroupOrderValue:
        return group_order_values(self.arguments.read_type)[self.arguments.given.get("orderBy") or "COUNT_DESC"]

    def check(self) -> None:
        """Note refused uses; raise for bad arguments."""
        world, read_type = self.arguments.world, self.arguments.read_type
        world.require_use(read_type, self.by)
        if self._order.column is not None:
            world.require_aggregate(read_type, self._order.column)
        self.arguments.check_uses()
        require([partial(self.arguments.check_size, "first"), *self.arguments.filter_checks()])

    def groups(self) -> list[tuple[Any, list[Row]]]:
        """All groups in order: key and rows; ties by key, NULL last in both."""
        world, read_type, by = self.arguments.world, self.arguments.read_type, self.by
        found: dict[Any, list[Row]] = {}
        for row in self.arguments.matching():
            found.setdefault(world.used(read_type, by, by.column, row), []).append(row)
        groups = sorted(found.items(), key=lambda group: _nulls_last(group[0], descending=False))
        descending = self._order.descending
        return sorted(groups, key=lambda group: _nulls_last(self._rank(*group), descending=descending))

    def _rank(self, key: Any, rows: Sequence[Row]) -> Any:
        if self._order.by == "count":
            return len(rows)
        if self._order.column is None:
            return key
        return summed(self.arguments.world, self.arguments.read_type, self._order.column, "sum", rows)


def _nulls_last(value: Any, *, descending: bool) -> Any:
    return cmp_to_key(_descending if descending else _ascending)(value)


def _ascending(one: Any, other: Any) -> int:
    return 0 if one == other else _signed(_before(one, other), False)


def _descending(one: Any, other: Any) -> int:
    if one is None or other is None:
        return _ascending(one, other)
    return -_ascending(one, other)


def summed(world: World, read_type: ReadType, column: Column, function: str, rows: Sequence[Row]) -> Decimal | None:
    """One aggregate of a column; none for fewer than five values where one person's could be told."""
    used = (world.used(read_type, column, column.column, row) for row in rows)
    values = [Decimal(value) for value in used if value is not None]
    if not values or (world.guarded(read_type, column) and len(values) < 5):
        return None
    total = sum(values, Decimal(0))
    if function == "avg":
        last = Decimal(1) if column.kind is ScalarKind.AMOUNT else Decimal("0.0001")
        return (total / len(values)).quantize(last, rounding="ROUND_HALF_UP")
    return {"sum": total, "min": min(values), "max": max(values)}[function]
