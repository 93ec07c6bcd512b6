"""Running a query: one compiled field is one statement; several, or ordinary ones, share one snapshot."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import asyncpg
import orjson
from graphql import DocumentNode, FieldNode, OperationDefinitionNode, SelectionSetNode, execute_sync

from saas.graphql.answer import NULL
from saas.graphql.complete import faults_of_reads
from saas.graphql.documents import RootNodes
from saas.graphql.errors import INTERNAL_KEY, Fault, RequestRefused, fault_of, fault_of_document, internal
from saas.graphql.fields import RootField
from saas.graphql.limits import INTROSPECTION
from saas.graphql.operation import Running, log_unexpected
from saas.kernel import AppError, AppErrors, ErrorCode
from saas.reads import FetchRow, Places
from tenants import DatabaseRole, Transaction

_INTROSPECTIONS_KEPT = 4
"""Per document; the documents themselves are bounded."""


@dataclass(slots=True)
class Roots:
    """A query's permitted root fields, by how they are answered."""

    compiled: dict[str, list[FieldNode]] = field(default_factory=dict)
    ordinary: dict[str, list[FieldNode]] = field(default_factory=dict)
    introspection: dict[str, list[FieldNode]] = field(default_factory=dict)
    names: dict[str, list[FieldNode]] = field(default_factory=dict)


async def run_query(running: Running, permitted: RootNodes) -> tuple[dict[str, bytes], list[Fault]]:
    """The permitted root fields' JSON, and what was refused on the way.

    :raises RequestRefused: the whole operation is refused (a filter by a field that may not be used).
    :raises StaleSession: the session has changed; ask again.
    :raises AppError: rows were asked for by id oftener than the company's rules allow.
    """
    roots = _split(running, permitted)
    parts = {key: orjson.dumps(running.root_type().name) for key in roots.names}
    faults: list[Fault] = []
    if roots.introspection:
        _introspect(running, roots.introspection, parts, faults)
    if len(roots.compiled) == 1 and not roots.ordinary:
        await _read(running, roots.compiled, running.services.database.fetchrow, None, parts, faults)
    elif roots.compiled or roots.ordinary:
        await _in_snapshot(running, roots, parts, faults)
    elif running.session is not None:
        await running.check_session(running.services.database.fetchrow)
    await running.count_views()
    return parts, faults


def _split(running: Running, permitted: RootNodes) -> Roots:
    roots = Roots()
    schema = running.services.schema
    for key, nodes in permitted.items():
        name = nodes[0].name.value
        if name == "__typename":
            roots.names[key] = nodes
        elif name in INTROSPECTION:
            roots.introspection[key] = nodes
        elif schema.is_compiled(name):
            roots.compiled[key] = nodes
        else:
            roots.ordinary[key] = nodes
    return roots


async def _read(
    running: Running,
    compiled: dict[str, list[FieldNode]],
    fetchrow: FetchRow,
    transaction: Transaction | None,
    parts: dict[str, bytes],
    faults: list[Fault],
) -> None:
    caller, reader, document = running.caller(), running.services.reader, running.document
    try:
        plan = reader.plan_fields(
            document.key, document.fragments, compiled, running.values, caller, places=_places(running, compiled)
        )
    except AppError as error:
        raise RequestRefused(fault_of(error)) from error
    result = await reader.run(plan, running.values, caller, fetchrow)
    if result.stamp is None:  # the session has ended, or nothing had to be read
        await running.check_session(fetchrow)
    else:
        running.check_stamp(result.stamp)
    await running.note_opened(result, transaction)
    running.viewed += result.viewed
    parts.update(result.values)
    faults += faults_of_reads(result)


def _places(running: Running, compiled: dict[str, list[FieldNode]]) -> Places | None:
    """Kept with the operation where all its root fields are compiled, whoever asks."""
    operation, document = running.operation, running.document
    if operation.roots is None or len(compiled) != len(operation.roots):
        return None
    if operation.places is None:
        operation.places = running.services.reader.places_of(document.key, document.fragments, compiled)
    return operation.places


async def _in_snapshot(running: Running, roots: Roots, parts: dict[str, bytes], faults: list[Fault]) -> None:
    """Compiled and ordinary fields in one REPEATABLE READ transaction, so that they agree with one another."""
    async with AsyncExitStack() as stack:
        transaction: Transaction | None = None
        if running.session is not None:
            tenant_id = running.session.actor.tenant_id
            opened = running.services.database.transaction(tenant_id, isolation="REPEATABLE READ")
            transaction = await stack.enter_async_context(opened)
            if roots.compiled:
                await _read(running, roots.compiled, transaction.fetchrow, transaction, parts, faults)
            else:
                await running.check_session(transaction.fetchrow)
        for key, nodes in roots.ordinary.items():
            root = running.services.schema.queries[nodes[0].name.value]
            text, refused = await _resolve(running, root, key, nodes, transaction)
            parts[key] = NULL if text is None else text
            faults += refused


async def _resolve(
    running: Running, root: RootField, key: str, nodes: list[FieldNode], transaction: Transaction | None
) -> tuple[bytes | None, list[Fault]]:
    _, arguments = running.arguments(root, nodes[0])
    try:
        if root.database is DatabaseRole.PLATFORM:
            tenant_id = transaction.tenant_id if transaction is not None else None
            async with running.services.database.transaction(tenant_id, role=DatabaseRole.PLATFORM):
                value = await root.resolve(running.info(), **arguments)
        else:
            value = await root.resolve(running.info(), **arguments)
        return await running.complete(root, value, nodes, (key,), transaction)
    except AppError as error:
        return None, [fault_of(error, (key,))]
    except AppErrors as found:
        return None, [fault_of(error, (key,)) for error in found.errors]
    except asyncpg.PostgresError:
        raise  # the transaction is lost, and the other fields with it
    except Exception as error:  # the door: one field's fault must not take the others' answers
        log_unexpected(error, running.request.request_id, root.name)
        return None, [internal((key,))]


def _introspect(
    running: Running, roots: dict[str, list[FieldNode]], parts: dict[str, bytes], faults: list[Fault]
) -> None:
    """Let graphql-core answer the introspection fields alone, in a document that has nothing else.

    The schema does not change while the process lives, so an answer is kept beside its document.
    """
    known, variables = running.document.introspected, dict(running.request.variables)
    asked = (running.operation.name, tuple(roots), orjson.dumps(variables, option=orjson.OPT_SORT_KEYS))
    if asked in known:
        parts.update(known[asked])
        return
    node = running.operation.node
    alone = OperationDefinitionNode(
        operation=node.operation,
        name=node.name,
        variable_definitions=node.variable_definitions,
        directives=(),
        selection_set=SelectionSetNode(selections=tuple(each for nodes in roots.values() for each in nodes)),
    )
    document = DocumentNode(definitions=(alone, *running.document.fragments.values()))
    found = execute_sync(running.services.schema.graphql, document, variable_values=variables, hide_suggestions=True)
    faults += [fault_of_document(error, ErrorCode.INTERNAL, INTERNAL_KEY) for error in found.errors or ()]
    data = found.data or {}
    answered = {key: orjson.dumps(data.get(key)) for key in roots}
    parts.update(answered)
    if not found.errors and len(known) < _INTROSPECTIONS_KEPT:
        known[asked] = answered
