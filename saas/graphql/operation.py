"""One operation while it runs: who asks, with which variables, and the reads that its fields share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from graphql import FieldNode, GraphQLField, GraphQLObjectType, VariableValues

from saas.extensions import TenantPlugins
from saas.graphql.answer import NULL
from saas.graphql.complete import Completion, Wanted, faults_of_reads
from saas.graphql.documents import Document, Operation, RootNodes, check_alone
from saas.graphql.errors import Fault, Path
from saas.graphql.fields import Info, RootField
from saas.graphql.literals import ArgumentBuilder
from saas.graphql.selection import collect_fields
from saas.graphql.services import Services
from saas.graphql.sessions import Session
from saas.kernel import Actor, local_date
from saas.reads import Caller, FetchRow, Opened, ReadResult, Viewed
from tenants import Transaction

log = structlog.get_logger("saas.graphql")


class StaleSession(Exception):
    """The session has changed since this process looked it up."""


class Request(NamedTuple):
    """A request for one operation, as the transport understood it.

    `text` or `document_hash` names the document. `locale` is what Accept-Language asks for, None when it does not
    say. `address` and `client` go to the audit trail. `is_plain`: the transport saw that no text among the variables
    can hold a character that is not to be stored.
    """

    text: str | None
    document_hash: str | None
    operation_name: str | None
    variables: Mapping[str, Any]
    token: str | None
    address: str
    client: str
    request_id: str
    locale: str | None
    is_plain: bool = False


@dataclass(slots=True)
class Running:
    """The state that all root fields of one operation share."""

    services: Services
    request: Request
    document: Document
    operation: Operation
    variables: VariableValues
    session: Session | None
    locale: str
    viewed: list[Viewed] = field(default_factory=list)
    _actor: Actor | None = None

    @property
    def actor(self) -> Actor:
        """Who acts, in this request.

        :raises LookupError: nobody is signed in.
        """
        if self._actor is None:
            request = self.request
            self._actor = self.signed_in().actor.asking(
                address=request.address, request_id=request.request_id, client=request.client
            )
        return self._actor

    @property
    def values(self) -> Mapping[str, object]:
        """The coerced variables."""
        return self.variables.coerced

    def caller(self, *, checked: bool = True) -> Caller:
        """Who reads; with `checked` the read brings the session's stamp back.

        An operation without a session has no caller, and guards see to it that it does not come here.
        """
        session = self.signed_in()
        now = self.services.clock.now()
        return Caller(
            actor=self._speaking(session.actor),
            access=session.access,
            now=now,
            today=local_date(now, session.time_zone),
            session_hash=session.session_hash if checked else None,
            plugins=session.plugins.names,
            max_page=self.services.limits.page,
            currency=session.currency,
        )

    def _speaking(self, actor: Actor) -> Actor:
        """The actor in the language of the request, which is nearly always their own."""
        return actor if actor.locale == self.locale else replace(actor, locale=self.locale)

    def signed_in(self) -> Session:
        """The session.

        :raises LookupError: there is none.
        """
        if self.session is None:
            raise LookupError("no session")
        return self.session

    def info(self) -> Info:
        """What a root field learns of the request."""
        session, request = self.session, self.request
        return Info(
            caller=self.actor if session else None,
            access=session.access if session else None,
            clock=self.services.clock,
            rooms=self.services.rooms,
            request_id=request.request_id,
            address=request.address,
            client=request.client,
            locale=self.locale,
            time_zone=session.time_zone if session else "UTC",
            currency=session.currency if session else "",
            token=request.token,
            plugins=session.plugins if session else TenantPlugins(),
        )

    def definition(self, name: str) -> GraphQLField:
        """The schema's definition of a root field."""
        found: GraphQLField = self.root_type().fields[name]
        return found

    def root_type(self) -> GraphQLObjectType:
        """Query, Mutation or Subscription."""
        found = self.services.schema.graphql.get_root_type(self.operation.node.operation)
        if found is None:
            raise LookupError("the schema has no such root type")
        return found

    def roots(self) -> RootNodes:
        """The operation's root fields, by response key."""
        operation, schema = self.operation, self.services.schema
        if operation.roots is not None:
            return operation.roots
        fragments = self.document.fragments
        roots = collect_fields(schema.graphql, operation.type_name, [operation.node], fragments, self.values)
        if operation.is_mutation:
            check_alone(schema, roots)
        return roots

    def arguments(self, root: RootField, node: FieldNode) -> tuple[dict[str, Any], dict[str, Any]]:
        """The arguments of an ordinary root field: as GraphQL gives them, and as the resolver takes them."""
        definition, builders = self.definition(root.name), self.document.arguments
        builder = builders.get(id(node))
        if builder is None:
            builder = builders[id(node)] = ArgumentBuilder(definition, node)
        given = builder.values(self.variables)
        declared = definition.extensions["strawberry-definition"].arguments
        return given, self.services.schema.arguments.convert(root, declared, given)

    async def complete(
        self,
        root: RootField,
        value: object,
        nodes: list[FieldNode],
        path: Path,
        transaction: Transaction | None,
        *,
        fetchrow: FetchRow | None = None,
    ) -> tuple[bytes | None, list[Fault]]:
        """The answer of an ordinary root field; its references are read in `transaction`, by `fetchrow` if given."""
        kind = self.definition(root.name).type
        completion = Completion(self.services.schema.graphql, self.document, self.values)
        text = completion.finish(kind, value, nodes, path)
        wanted = list(completion.wanted.values())
        refused: list[Fault] = []
        for part in wanted:
            if transaction is None:
                raise LookupError(f"{root.name} answers with {part.type_name}, and nobody is signed in to read it")
            found, faults = await self._read_objects(part, transaction, fetchrow or transaction.fetchrow)
            part.found = found
            refused += faults
        if wanted:
            text = completion.finish(kind, value, nodes, path)
        return text, [*refused, *completion.faults]

    async def read_each(
        self, type_name: str, ids: Sequence[UUID], nodes: list[FieldNode], path: Path, transaction: Transaction
    ) -> list[tuple[bytes, list[Fault]]]:
        """Each object as the only answer of a root field, of those that the caller may see: read together, or one by
        one where something of one of them is refused, which is then said in its place."""
        part = Wanted(type_name, nodes, list(ids), dict.fromkeys(ids, path))
        found, faults = await self._read_objects(part, transaction, transaction.fetchrow)
        if not faults or len(ids) == 1:
            return [(found[each], faults) for each in ids if found.get(each, NULL) != NULL]
        alone = [await self.read_each(type_name, [each], nodes, path, transaction) for each in ids]
        return [answer for answers in alone for answer in answers]

    async def _read_objects(
        self, part: Wanted, transaction: Transaction, fetchrow: FetchRow
    ) -> tuple[Mapping[UUID, bytes], list[Fault]]:
        caller, ids, places = self.caller(checked=False), part.ids, part.places
        sets = [node.selection_set for node in part.nodes if node.selection_set is not None]
        reader, document = self.services.reader, self.document
        plan = reader.plan_object(document.key, document.fragments, part.type_name, sets, self.values, caller)
        result = await reader.run_object(plan, ids, self.values, caller, fetchrow)
        await self.note_opened(result, transaction)
        faults = faults_of_reads(result, places[ids[0]] if len(ids) == 1 else places[ids[0]][:-1])
        return {each: result.values[str(each)] for each in ids if str(each) in result.values}, faults

    async def note_opened(self, result: ReadResult, transaction: Transaction | None) -> None:
        """Write who opened which sealed values, before the answer leaves."""
        if not result.opened or self.services.audit_reads is None:
            return
        if transaction is not None:
            await self._audit(result.opened)
            return
        async with self.services.database.transaction(self.signed_in().actor.tenant_id):
            await self._audit(result.opened)

    async def count_views(self) -> None:
        """Count what was asked for by id, each row once, before the answer leaves.

        :raises AppError: it was too much; nothing of the answer is to leave.
        """
        if self.viewed and self.services.count_views is not None:
            viewed, self.viewed = list(dict.fromkeys(self.viewed)), []
            await self.services.count_views(self.actor, viewed, self.caller(checked=False).today)

    async def _audit(self, opened: list[Opened]) -> None:
        if self.services.audit_reads is not None:
            await self.services.audit_reads(self.actor, opened)

    async def check_session(self, fetchrow: FetchRow) -> None:
        """Compare the session's stamp with the present one.

        :raises StaleSession: it has changed, or the session has ended.
        """
        session = self.signed_in()
        row = await fetchrow(f"SELECT {self.services.session_stamp}($1)", session.session_hash)
        self.check_stamp(row[0] if row is not None else None)

    def check_stamp(self, stamp: str | None) -> None:
        """Compare a stamp that came with rows.

        :raises StaleSession: it is not the session's.
        """
        if stamp != self.signed_in().stamp:
            raise StaleSession

    def with_session(self, session: Session) -> Running:
        """The same operation, asked again by a session that was looked up anew."""
        return replace(self, session=session, viewed=[], _actor=None)


def budget_key(request: Request, session: Session | None) -> str:
    """Whose budget of points a request is charged to."""
    if session is None:
        return f"address:{request.address}"
    return f"{session.actor.tenant_id.hex}:{session.actor.account_id.hex}"


def log_unexpected(error: BaseException, request_id: str, place: str) -> None:
    """Log a fault of ours: its kind and where it arose, never its text, which may hold a caller's values."""
    frames: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    log.error("unexpected", kind=type(error).__name__, place=place, request_id=request_id, frames=frames[-8:])
