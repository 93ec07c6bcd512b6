"""Documents: parsed, measured and validated once, then found by their text; and those that are trusted by hash.

Only documents without fault are kept, at most `Limits`' worth of text, the least used dropped first. A document
seen for the first time costs its sender extra points (`Limits.compile_cost`), which bounds how much validation one
caller can ask for.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLOutputType,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    parse,
    validate,
)

from saas.graphql.errors import Fault, RequestRefused, fault_of, fault_of_document
from saas.graphql.limits import Cost, Limits, measure
from saas.graphql.literals import ArgumentBuilder
from saas.graphql.scalars import check_document_texts
from saas.graphql.schema import ApiSchema
from saas.graphql.selection import collect_fields, has_conditions
from saas.graphql.variables import VariableCoercion
from saas.kernel import AppError, ErrorCode, LimitExceeded, Scalar
from saas.reads import Places

RootNodes = Mapping[str, list[FieldNode]]
_TOO_MANY_TOKENS = "contains more than"
_TOO_DEEP = "nested too deeply"
_VALIDATION_ERRORS = 5
_GRANTS_KEPT = 100
"""Per operation; the documents themselves are bounded."""


class TrustedDocuments(Protocol):
    """The registered documents: nothing is ever added by asking."""

    async def text(self, sha256_hex: str) -> str | None:
        """The document with this hash, or None."""
        ...


class ListedDocuments:
    """Trusted documents from a list that was made when the client was built."""

    def __init__(self, texts: tuple[str, ...] = ()) -> None:
        self._texts = {hash_of(text): text for text in texts}

    @classmethod
    def in_folder(cls, folder: Path) -> ListedDocuments:
        """Every ``*.graphql`` below `folder`, byte for byte as the client sends it: its hash is the file's SHA-256."""
        return cls(tuple(file.read_text(encoding="utf-8") for file in sorted(folder.rglob("*.graphql"))))

    async def text(self, sha256_hex: str) -> str | None:
        """The document with this hash, or None."""
        return self._texts.get(sha256_hex)


@dataclass(slots=True)
class Operation:
    """One operation of a document, with what was found out about it once.

    `roots` are its root fields where they don't depend on variables, and `places` what the reader found of those that
    it compiles. `granted` holds the rights (`Session.right_key`) of callers who may ask for all of `roots`.
    """

    name: str | None
    node: OperationDefinitionNode
    is_mutation: bool
    cost: Cost
    sizes: tuple[str, ...]
    roots: RootNodes | None
    variables: VariableCoercion
    costs: dict[tuple[object, ...], int] = field(default_factory=dict)
    granted: set[Hashable] = field(default_factory=set)
    places: Places | None = None

    @property
    def type_name(self) -> str:
        """The root type: Query, Mutation or Subscription."""
        return root_type(self.node)

    def grant(self, rights: Hashable) -> None:
        """Note that callers with these rights may ask for all of `roots`."""
        if len(self.granted) >= _GRANTS_KEPT:
            self.granted.clear()
        self.granted.add(rights)

    def points(self, variables: Mapping[str, object]) -> int:
        """What the operation costs with these variables."""
        if not self.sizes:
            key: tuple[object, ...] = ()
        else:
            key = tuple(_hashable(variables.get(name)) for name in self.sizes)
        known = self.costs.get(key)
        if known is None:
            known = self.cost.total(variables)
            if len(self.costs) < 100:
                self.costs[key] = known
        return known


class Member(NamedTuple):
    """One selected field of an object: its response key, type (None for ``__typename``), attribute, and nodes.

    `written` turns a value that is there into JSON's where the type is a scalar or an enum.
    """

    key: str
    kind: GraphQLOutputType | None
    attribute: str
    nodes: list[FieldNode]
    written: Callable[[object], object] | None = None


@dataclass(slots=True)
class Document:
    """A document without fault; `key` is the SHA-256 of its text, in hex.

    `introspected` keeps what its introspection fields answered, by operation, response keys and variables; `members`
    what it selects of objects that are no mapped ones, by type and nodes; `arguments` how those of a root field are
    built, by the `id` of its node; `refusals` the payloads of refusals that read the same each time.
    """

    key: str
    node: DocumentNode
    fragments: Mapping[str, FragmentDefinitionNode]
    operations: Mapping[str | None, Operation]
    introspected: dict[tuple[object, ...], dict[str, bytes]] = field(default_factory=dict)
    members: dict[tuple[object, ...], list[Member]] = field(default_factory=dict)
    arguments: dict[int, ArgumentBuilder] = field(default_factory=dict)
    refusals: dict[Hashable, bytes] = field(default_factory=dict)

    def operation(self, name: str | None) -> Operation:
        """The operation to run.

        :raises RequestRefused: there is none of that name, or several and no name.
        """
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        found = self.operations.get(name) if name is not None else None
        if found is None:
            key = "graphql.operation_unnamed" if name is None else "graphql.operation_unknown"
            raise RequestRefused(Fault(ErrorCode.GRAPHQL_VALIDATION_FAILED, key, {"name": name or ""}))
        return found


class Documents:
    """The documents of one process, at most `capacity` of them and `characters` of text in all."""

    def __init__(
        self, schema: ApiSchema, limits: Limits, *, capacity: int = 1_000, characters: int = 2_000_000
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._capacity = capacity
        self._room = characters
        self._known: OrderedDict[str, Document] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def known(self, text: str) -> Document | None:
        """The document, if it has been compiled before."""
        found = self._known.get(text)
        if found is not None:
            self._known.move_to_end(text)
        return found

    def compile(self, text: str) -> Document:
        """Parse, measure and validate a document, and keep it.

        :raises RequestRefused: with what is wrong, at most five faults.
        """
        node = self._parse(text)
        try:
            costs = measure(node, self._limits)
            check_document_texts(node)
        except AppError as error:
            raise RequestRefused(fault_of(error)) from error
        self._validate(node)
        document = self._described(text, node, costs)
        self._keep(text, document)
        return document

    def _parse(self, text: str) -> DocumentNode:
        try:
            return parse(text, max_tokens=self._limits.tokens)
        except GraphQLSyntaxError as error:
            if _TOO_MANY_TOKENS in error.message:
                raise _beyond("tokens", self._limits.tokens) from error
            if _TOO_DEEP in error.message:
                raise _beyond("nesting", self._limits.nesting) from error
            raise RequestRefused(
                fault_of_document(error, ErrorCode.GRAPHQL_PARSE_FAILED, "graphql.parse_failed")
            ) from error
        except RecursionError as error:
            raise _beyond("nesting", self._limits.nesting) from error

    def _validate(self, node: DocumentNode) -> None:
        try:
            errors = validate(self._schema.graphql, node, max_errors=_VALIDATION_ERRORS, hide_suggestions=True)
        except RecursionError as error:
            raise _beyond("nesting", self._limits.nesting) from error
        if errors:
            code, key = ErrorCode.GRAPHQL_VALIDATION_FAILED, "graphql.validation_failed"
            raise RequestRefused(*(fault_of_document(error, code, key) for error in errors[:_VALIDATION_ERRORS]))

    def _described(self, text: str, node: DocumentNode, costs: Mapping[int, Cost]) -> Document:
        fragments = {part.name.value: part for part in node.definitions if isinstance(part, FragmentDefinitionNode)}
        document = Document(hash_of(text), node, fragments, {})
        operations: dict[str | None, Operation] = {}
        for part in node.definitions:
            if isinstance(part, OperationDefinitionNode):
                operation = self._operation(part, costs[id(part)], fragments)
                operations[operation.name] = operation
        document.operations = operations
        return document

    def _operation(
        self, node: OperationDefinitionNode, cost: Cost, fragments: Mapping[str, FragmentDefinitionNode]
    ) -> Operation:
        name = node.name.value if node.name else None
        is_mutation, roots = node.operation is OperationType.MUTATION, None
        if not has_conditions(node.selection_set, fragments):
            roots = collect_fields(self._schema.graphql, root_type(node), [node], fragments, {})
            if is_mutation:
                check_alone(self._schema, roots)
        variables = VariableCoercion(self._schema.graphql, node.variable_definitions or ())
        return Operation(name, node, is_mutation, cost, tuple(sorted(cost.variables())), roots, variables)

    def _keep(self, text: str, document: Document) -> None:
        self._known[text] = document
        self._room -= len(text)
        while self._known and (len(self._known) > self._capacity or self._room < 0):
            dropped, _ = self._known.popitem(last=False)
            self._room += len(dropped)


def check_alone(schema: ApiSchema, roots: RootNodes) -> None:
    """Refuse a mutation that must be the only root field of its operation and is not.

    Sign-in and the like: else one request would try a hundred passwords.

    :raises RequestRefused: naming the field.
    """
    if len(roots) < 2:
        return
    for nodes in roots.values():
        root = schema.mutations.get(nodes[0].name.value)
        if root is not None and root.alone:
            values = {"field": root.name}
            raise RequestRefused(Fault(ErrorCode.LIMIT_EXCEEDED, "graphql.must_be_alone", values))


def root_type(node: OperationDefinitionNode) -> str:
    """Query, Mutation or Subscription."""
    return node.operation.value.capitalize()


def hash_of(text: str) -> str:
    """SHA-256 in hex, as persisted queries are named."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _beyond(limit: str, allowed: int) -> RequestRefused:
    values: dict[str, Scalar] = {"limit": limit, "allowed": allowed, "found": f"> {allowed}"}
    return RequestRefused(fault_of(LimitExceeded("graphql.limit_exceeded", values)))


def _hashable(value: object) -> object:
    return ("list", len(value)) if isinstance(value, list) else value
