"""The product and the oracle side by side over one database: what each makes of a document."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableValues,
    get_variable_values,
    parse,
    validate,
)

from saas.access.table import AccessTable
from saas.graphql.selection import collect_fields
from saas.kernel import Actor, ErrorCode, FieldForbidden, public_id
from saas.reads import Caller, Reader, ReadResult, Registry
from saas.reads.mapping import Column, EnumKind, ListRoot, ReadType, ScalarKind, Sealed, ToMany, ToOne
from saas.reads.naming import order_values, summed_columns
from tenants import Database
from tests.differential.dataset import NOW, TODAY, Company, Tables
from tests.differential.documents import CursorRef, Generated, Values
from tests.differential.judgement import CursorPlace, Semantics, World
from tests.differential.lists import EITHER
from tests.differential.oracle import ErrorAt, Oracle, Outcome
from tests.differential.performance import CURSOR, printed

_OF_ROW = frozenset({"reads.field_forbidden_in_row", "reads.value_unopenable"})
_NO_CURSOR = "AAAA"


@dataclass(repr=False)
class Role:
    """A caller of the company, and the cursors given out to them so far."""

    name: str
    access: AccessTable
    employee_id: UUID | None
    places: dict[str, CursorPlace] = field(default_factory=dict)
    books: dict[tuple[str, tuple[str, ...]], list[str]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Role({self.name})"


@dataclass(repr=False)
class Stage:
    """Everything that answers: the reader on PostgreSQL, and the oracle on the same rows."""

    database: Database
    tenant_id: UUID
    registry: Registry
    reader: Reader
    schema: GraphQLSchema
    oracle: Oracle
    semantics: Semantics
    tables: Tables

    def __repr__(self) -> str:
        return "Stage()"

    def caller(self, role: Role) -> Caller:
        actor = Actor(self.tenant_id, UUID(int=1), role.employee_id, frozenset({role.name}))
        return Caller(actor, role.access, NOW, TODAY)

    async def compare(self, role: Role, generated: Generated) -> None:
        """Run a document on both sides and hold the answers against each other."""
        text, variables = await self._with_cursors(role, generated)
        document = parse(text)
        theirs = self._theirs(role, document, variables)
        try:
            ours = await self.read(role, document, variables)
        except FieldForbidden as refusal:
            refused = refusal.values["permission"]
        else:
            refused = None
        if refused is not None:
            assert refused in theirs.refusals
            return
        assert theirs.refusals == set(), "the product answered what must be refused"
        found = _outcome(ours, theirs)
        assert len(set(map(repr, ours.errors))) == len(ours.errors), "an error is reported twice"
        assert found.errors == theirs.errors, (found.errors - theirs.errors, theirs.errors - found.errors)
        assert found.row_errors == theirs.row_errors, (
            found.row_errors - theirs.row_errors,
            theirs.row_errors - found.row_errors,
        )
        assert json.dumps(found.data) == json.dumps(theirs.data), (found.data, theirs.data)
        assert found.opened == theirs.opened, found.opened ^ theirs.opened

    def is_valid(self, generated: Generated) -> bool:
        """Whether the document is valid; equal response keys may contradict each other."""
        return not validate(self.schema, parse(generated.text))

    async def read(self, role: Role, document: DocumentNode, variables: Mapping[str, Any]) -> ReadResult:
        """What the product answers.

        :raises FieldForbidden: the whole operation is refused.
        """
        operation = next(item for item in document.definitions if isinstance(item, OperationDefinitionNode))
        fragments = {item.name.value: item for item in document.definitions if isinstance(item, FragmentDefinitionNode)}
        coerced = get_variable_values(self.schema, operation.variable_definitions or (), dict(variables))
        assert isinstance(coerced, VariableValues), coerced
        roots = collect_fields(self.schema, "Query", [operation], fragments, coerced.coerced)
        compiled = {key: nodes for key, nodes in roots.items() if nodes[0].name.value != "__typename"}
        key = hashlib.sha256(document.loc.source.body.encode()).hexdigest() if document.loc else ""
        caller = self.caller(role)
        plan = self.reader.plan_fields(key, fragments, compiled, coerced.coerced, caller)
        result = await self.reader.run(plan, coerced.coerced, caller, self.database.fetchrow)
        result.values = {key: result.values.get(key, b'"Query"') for key in roots}
        return result

    def _theirs(self, role: Role, document: DocumentNode, variables: Mapping[str, Any]) -> Outcome:
        world = World(self.semantics, self.tables, role.access, role.employee_id, TODAY, role.places)
        return self.oracle.run(document, variables, world)

    async def _with_cursors(self, role: Role, generated: Generated) -> tuple[str, dict[str, Any]]:
        """The document with the product's own cursors in their places."""
        text, variables = generated.text, dict(generated.variables)
        for place, reference in generated.cursors.items():
            cursor = await self._cursor(role, reference)
            text = text.replace(f'"{place}"', f'"{cursor}"')
            variables = {key: cursor if value == place else value for key, value in variables.items()}
        return text, variables

    async def _cursor(self, role: Role, reference: CursorRef) -> str:
        if reference.list_name is None:
            return _NO_CURSOR
        key = (reference.list_name, reference.orders)
        if key not in role.books:
            role.books[key] = await self._book(role, reference)
        book = role.books[key]
        return book[reference.position % len(book)] if book else _NO_CURSOR

    async def _book(self, role: Role, reference: CursorRef) -> list[str]:
        """All cursors of a list in an order, as the product gives them to this caller; noted with their rows."""
        parent, _, name = (reference.list_name or "").partition(".")
        arguments = f"first: 100, orderBy: [{', '.join(reference.orders)}]"
        page = f"{name}({arguments}) {{ edges {{ cursor node {{ id }} }} }}"
        root = next((item.name for item in self.registry.roots if _lists(item, parent)), None)
        text = page if parent == "Query" else f"{root}(first: 100) {{ nodes {{ {page} }} }}"
        if parent != "Query" and root is None:
            return []
        try:
            result = await self.read(role, parse(f"{{ {text} }}"), {})
        except FieldForbidden:
            return []
        answer = orjson.loads(next(iter(result.values.values())))
        lists = [answer] if parent == "Query" else [node[name] for node in (answer or {"nodes": []})["nodes"]]
        edges = [edge for each in lists if each for edge in each["edges"]]
        orders = reference.orders or self._default_orders(role, reference)
        for edge in edges:
            row_id = UUID(edge["node"]["id"].partition("_")[2])
            role.places[edge["cursor"]] = (reference.list_name or "", orders, row_id)
        return [edge["cursor"] for edge in edges]

    def _default_orders(self, role: Role, reference: CursorRef) -> tuple[str, ...]:
        parent, _, name = (reference.list_name or "").partition(".")
        found = self.registry.roots_by_name[name] if parent == "Query" else self.registry.field(parent, name)
        assert isinstance(found, ListRoot | ToMany)
        world = World(self.semantics, self.tables, role.access, role.employee_id, TODAY)
        return (world.default_order(self.registry.types[found.target], found.default_order),)


def _lists(root: object, type_name: str) -> bool:
    return isinstance(root, ListRoot) and root.target == type_name


def _outcome(result: ReadResult, theirs: Outcome) -> Outcome:
    """The product's answer in the oracle's terms: cursors become the rows they stand at."""
    data = {key: orjson.loads(value) for key, value in result.values.items()}
    of_rows = [error for error in result.errors if error.key in _OF_ROW]
    return Outcome(
        _at_rows(data, theirs.data),
        frozenset(_as_open(_reported(error), theirs) for error in result.errors if error.key not in _OF_ROW),
        frozenset(_reported(error) for error in of_rows),
        frozenset(),
        frozenset((item.type_name, item.field, item.row_id.hex) for item in result.opened),
    )


def _reported(error: Any) -> ErrorAt:
    code: ErrorCode = error.code
    way = ".".join(key for key in error.path if isinstance(key, str))
    return code.value, tuple(error.path), str(error.args.get("selection", way)), error.field


def _as_open(error: ErrorAt, theirs: Outcome) -> ErrorAt:
    """The error, with the codes of all bad arguments where the oracle leaves open which of several is reported."""
    return next((each for each in theirs.errors if each[1:] == error[1:] and error[0] in each[0].split(EITHER)), error)


def _at_rows(ours: Any, theirs: Any) -> Any:
    """`ours`, with each cursor replaced where `theirs` has one."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return {key: _at_rows(value, theirs.get(key)) for key, value in ours.items()}
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [_at_rows(*pair) for pair in zip(ours, theirs, strict=True)]
    if isinstance(ours, str) and isinstance(theirs, str) and theirs.startswith(CURSOR):
        return CURSOR + UUID(orjson.loads(urlsafe_b64decode(ours + "=" * (-len(ours) % 4)))[-1]).hex
    return ours


def values_of(registry: Registry, company: Company, neighbour: Company) -> Values:
    """What arguments are drawn from: the company's own values, the neighbour's ids, and the plainly wrong."""
    ids = {
        item.name: [
            public_id(item.prefix, row_id) for row_id in (*company.ids(item.table), neighbour.ids(item.table)[0])
        ]
        for item in registry.types.values()
    }
    operands = {
        (item.name, of.name): _operands(item, of, company, ids)
        for item in registry.types.values()
        for of in item.fields
        if isinstance(of, Column | ToOne | Sealed)
    }
    wrong: dict[str, list[Any]] = {
        "ID": ["xyz_" + "0" * 32, "cus_short", "", "CUS_" + "0" * 32, "cus_" + "0" * 32],
        "String": ["", "nobody", "'; DROP", "晨", "\t"],
        "Date": ["1999-12-31", "2026-11-23"],
        "DateTime": ["1999-12-31T23:59:59+08:00", "2026-11-23T02:00:00.000001Z"],
        "Decimal": ["0", "-1.50", "0.005"],
        "Int": [0, -1],
    }
    return Values([*sorted(registry.roots_by_name), "node", "nodes"], operands, ids, wrong)


def refused_uses(registry: Registry, access: AccessTable) -> dict[str, frozenset[str]]:
    """By type: the fields and order values that the caller may not filter, order or sum by."""
    found: dict[str, frozenset[str]] = {}
    for item in registry.types.values():
        fields = {of.name for of in item.fields if not access.may_use(item.name, of.name)}
        fields |= {of.name for of in summed_columns(item) if not access.may_aggregate(item.name, of.name)}
        orders = {name for name, value in order_values(item).items() if value.column and value.column.name in fields}
        found[item.name] = frozenset(fields | orders)
    return found


def _operands(item: ReadType, of: Column | ToOne | Sealed, company: Company, ids: Mapping[str, list[str]]) -> list[Any]:
    if isinstance(of, ToOne):
        return ids[of.target]
    if isinstance(of, Sealed):
        return [*sorted(set(company.phones.values())), "+86 138-0013-8000", "not a phone"]
    if isinstance(of.kind, EnumKind):
        return []
    found = {row.get(of.column) for row in company.tables[item.table]} - {None}
    shown = {printed(value, of.kind) for value in found}
    if of.kind is ScalarKind.STRING:  # what the door would never let through
        shown = {text for text in shown if "\x01" not in text and "\x02" not in text}
    return sorted(shown)
