"""Mapping declarations: how a GraphQL type is read from tables, in a few lines, free of Strawberry.

Each room declares its types in its ``reads.py``; `saas.graphql` renders them as GraphQL types and the compiler
turns selections of them into SQL. SQL snippets here may name ``{t}`` (the row's table alias), ``{tenant}``,
``{employee}`` (the caller's employee id, uuid or NULL), ``{today}`` (date, the tenant's day) and ``{now}``
(timestamptz); the compiler replaces each by an alias or a parameter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class DataClass(Enum):
    """How sensitive a field is; sealing, masking and the audit of reads follow from it."""

    PUBLIC = "public"
    INTERNAL = "internal"
    PERSONAL = "personal"
    PAY = "pay"
    SECRET = "secret"  # noqa: S105 (a class of data, not a password)


class ScalarKind(Enum):
    """Scalars that columns may have. Decimals travel as strings; dates as YYYY-MM-DD; instants with offset.

    An amount is stored as a bigint in the smallest unit of the company's currency (a column ``…_minor``) and travels
    as a decimal with just the digits that the currency has.
    """

    ID = "ID"
    STRING = "String"
    INT = "Int"
    BOOLEAN = "Boolean"
    DECIMAL = "Decimal"
    AMOUNT = "Amount"
    DATE = "Date"
    DATETIME = "DateTime"


@dataclass(frozen=True, slots=True)
class EnumKind:
    """A GraphQL enum over a text column with a CHECK; `values` maps GraphQL name to (stored text, description)."""

    name: str
    doc: str
    values: Mapping[str, tuple[str, str]]


class FilterOp(Enum):
    """Operators; each needs an index that begins with tenant_id and the column."""

    EQ = "eq"
    IN = "in"
    GTE = "gte"
    LT = "lt"
    IS_NULL = "isNull"
    STARTS_WITH = "startsWith"


EXACT = frozenset({FilterOp.EQ, FilterOp.IN})
EXACT_OR_NULL = EXACT | {FilterOp.IS_NULL}
RANGE = frozenset({FilterOp.EQ, FilterOp.GTE, FilterOp.LT})
"""The sets of operators that most columns have."""


@dataclass(frozen=True, slots=True)
class Column:
    """A stored column. `order_column` is the text column that sorts in its place (a pinyin key for Chinese names).

    Text that is ordered or looked up by prefix is compared in COLLATE "C": its index must be too.

    `structural` fields are non-null and come with the type itself; every other field needs a right of its own
    and is therefore nullable in the schema. `groupable`/`summed` put it in group-by and summary types.
    """

    name: str
    kind: ScalarKind | EnumKind
    column: str
    doc: str
    data_class: DataClass = DataClass.INTERNAL
    structural: bool = False
    filters: frozenset[FilterOp] = frozenset()
    orderable: bool = False
    order_column: str | None = None
    groupable: bool = False
    summed: bool = False
    since: str = "0.1"


@dataclass(frozen=True, slots=True)
class Expression:
    """A computed column: an SQL expression over the row, e.g. ``"{today} - ({t}.received_on)"``."""

    name: str
    kind: ScalarKind | EnumKind
    sql: str
    doc: str
    data_class: DataClass = DataClass.INTERNAL
    structural: bool = False
    since: str = "0.1"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed text with its masked form: rendered as an object ``{value masked}``.

    `value` is opened in Python, only when selected and only with a full right (MASKED gives null there and an
    error); `masked` is the column `masked_column`. `index_column` is the blind index: it makes
    ``{eq: "13800138000"}`` filterable, through the digest that the reader's sealer computes.
    """

    name: str
    type_name: str
    sealed_column: str
    masked_column: str
    doc: str
    data_class: DataClass = DataClass.PERSONAL
    index_column: str | None = None
    since: str = "0.1"


class Told(Enum):
    """Members of documents that are told in the caller's language: a text that its author wrote in several languages,
    the sentence of a key with its values, or an explanation as lines in reading order."""

    TITLE = "TITLE"
    SENTENCE = "SENTENCE"
    EXPLANATION = "EXPLANATION"


@dataclass(frozen=True, slots=True)
class Member:
    """A value in a sealed document, by its key there; of a `Told.SENTENCE` an empty key is the object itself."""

    name: str
    kind: ScalarKind | EnumKind | Told
    key: str
    doc: str


@dataclass(frozen=True, slots=True)
class Members:
    """A list of objects in a sealed document; `most` says in the schema how many there can be."""

    name: str
    type_name: str
    key: str
    members: tuple[Member, ...]
    most: int
    doc: str


@dataclass(frozen=True, slots=True)
class SealedDocument:
    """A sealed JSON document, opened in Python only when it is selected and only with a full right.

    What is selected of its members is taken out of it there; nothing of it can be filtered, ordered or summed. A
    member that the document lacks is null.
    """

    name: str
    type_name: str
    sealed_column: str
    members: tuple[Member | Members, ...]
    doc: str
    data_class: DataClass = DataClass.PAY
    since: str = "0.1"


@dataclass(frozen=True, slots=True)
class ToOne:
    """The row that `column` points at by its id; null where there is none or the caller may not see it."""

    name: str
    target: str
    column: str
    doc: str
    data_class: DataClass = DataClass.INTERNAL
    filters: frozenset[FilterOp] = frozenset()
    groupable: bool = False
    since: str = "0.1"


@dataclass(frozen=True, slots=True)
class ToMany:
    """The rows of `target` whose `foreign_column` is this row's id, as a Relay connection.

    Needs an index (tenant_id, foreign_column, <default order>). `default_order` is an order value's name of
    the target, e.g. ``"OCCURRED_AT_DESC"``.
    """

    name: str
    target: str
    foreign_column: str
    default_order: str
    doc: str
    data_class: DataClass = DataClass.INTERNAL
    since: str = "0.1"


@dataclass(frozen=True, slots=True)
class ToUnion:
    """A row of one of several types: `type_column` holds the GraphQL type's name, `id_column` the id."""

    name: str
    union: str
    targets: tuple[str, ...]
    type_column: str
    id_column: str
    doc: str
    data_class: DataClass = DataClass.INTERNAL
    since: str = "0.1"


FieldMapping = Column | Expression | Sealed | SealedDocument | ToOne | ToMany | ToUnion


@dataclass(frozen=True, slots=True)
class Veil:
    """What some rows hide from whoever lacks the permission `lifted_by`, whatever other rights say.

    `but_in` is the predicate of rows in which the permission lifts nothing; None where there are no such.

    `hidden` maps a field's name, or ``"phone.masked"`` for the masked form of a sealed one, to the predicate of the
    rows in which it is hidden. There it is null, with an error of the sentence `key`, and can't be used in any way. A
    field that lists are ordered by has no veil: the index would be lost.

    `counted` is the predicate of the rows that are noted (`ReadResult.viewed`) where one is asked for by its id.
    """

    key: str
    hidden: Mapping[str, str]
    lifted_by: str
    counted: str | None = None
    but_in: str | None = None


@dataclass(frozen=True, slots=True)
class ReadType:
    """A GraphQL object type over one table; every one has ``id: ID!`` (column id) and implements Node.

    `scopes` maps a row scope's name (all, self, department, pool, …) to its SQL predicate: the one definition,
    from the room's ``policies.py``, used by the reader and by the room's queries alike. ``all`` is every row, always.
    The table has the columns ``tenant_id`` and ``id``, both uuid.
    """

    name: str
    table: str
    prefix: str
    doc: str
    fields: tuple[FieldMapping, ...]
    scopes: Mapping[str, str]
    since: str = "0.1"
    veil: Veil | None = None


@dataclass(frozen=True, slots=True)
class OneRoot:
    """Root field ``name(id: ID!): Type`` – null where the row is missing, another tenant's, or not visible."""

    name: str
    target: str
    doc: str
    since: str = "0.1"


@dataclass(frozen=True, slots=True)
class ListRoot:
    """Root field ``name(first after last before filter orderBy): TypeConnection!``."""

    name: str
    target: str
    default_order: str
    doc: str
    since: str = "0.1"


@dataclass(frozen=True, slots=True)
class GroupRoot:
    """Root field ``name(groupBy: TypeGroupBy!, filter, orderBy: TypeGroupOrder, first: Int!): TypeGroups!``.

    Groups rows of `target` by one of its groupable columns or to-one relations, and gives ``count`` and, for each
    summed column, sum, average, least and greatest; the same row scope and rights as the list. Largest first.
    """

    name: str
    target: str
    doc: str
    since: str = "0.1"


RootMapping = OneRoot | ListRoot | GroupRoot


@dataclass(frozen=True, slots=True)
class RoomReads:
    """What a room (or a plugin) offers to read. `extends` adds fields to types of rooms below."""

    types: tuple[ReadType, ...] = ()
    roots: tuple[RootMapping, ...] = ()
    extends: Mapping[str, tuple[FieldMapping, ...]] = field(default_factory=dict)
    plugin: str | None = None
