"""Running mutations: each root field in a transaction of its own, one after the other, its payload read inside."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from graphql import FieldNode

from saas.graphql.answer import NULL
from saas.graphql.documents import RootNodes
from saas.graphql.errors import Fault, RowsInUse, TimedOut, fault_of, internal
from saas.graphql.fields import Rivalry, RootField
from saas.graphql.gate import Gate, Repeated
from saas.graphql.gathering import Gathering
from saas.graphql.guard import refusal
from saas.graphql.operation import Running, StaleSession, log_unexpected
from saas.graphql.payloads import ErrorArgument, Ref, UserError
from saas.graphql.refusals import refused_payload
from saas.graphql.sessions import Session, Sessions
from saas.graphql.turns import Turns
from saas.kernel import AppError, AppErrors, Carrier, Unauthenticated
from saas.reads import FetchRow
from tenants import Transaction

Completed = tuple[bytes | None, list[Fault]]
_NOT_IN_OUTCOME = frozenset({"user_errors", "replayed"})


async def run_mutations(
    running: Running, permitted: RootNodes, sessions: Sessions, rivals: Rivals
) -> tuple[dict[str, bytes], list[Fault]]:
    """Each permitted mutation's payload, in the document's order, and what was refused at the top level."""
    parts: dict[str, bytes] = {}
    faults: list[Fault] = []
    for key, nodes in permitted.items():
        if nodes[0].name.value == "__typename":
            parts[key] = b'"Mutation"'
            continue
        mutation = _Mutation(running, running.services.schema.mutations[nodes[0].name.value], key, nodes, rivals)
        text, refused = await mutation.run(sessions)
        parts[key] = NULL if text is None else text
        faults += refused
    return parts, faults


@dataclass(frozen=True, slots=True)
class Rivals:
    """What keeps the rivals of one process out of each other's way: their turns, and their questions in one."""

    turns: Turns
    gathering: Gathering


class _Mutation:
    """One mutation field: its transaction, its idempotency, its refusals."""

    def __init__(self, running: Running, root: RootField, key: str, nodes: list[FieldNode], rivals: Rivals) -> None:
        self.running = running
        self.root = root
        self.key = key
        self.nodes = nodes
        self.rivals = rivals
        self.info = running.info()
        self.arguments: dict[str, Any] = {}
        self.idempotency_key = ""
        self.body_hash = b""
        self.is_repeat = False
        self.is_admitted = False

    async def run(self, sessions: Sessions) -> Completed:
        """The payload's JSON and top-level faults; a session that has changed is looked up once more."""
        try:
            return await self._refusable()
        except StaleSession:
            sessions.forget(self.running.signed_in().session_hash)
        finally:
            self._forget(sessions)
        return await self._again(sessions)

    async def _again(self, sessions: Sessions) -> Completed:
        """Once more with the session as it is now, whose rights may be others."""
        try:
            found = await _found_again(self.running, sessions)
            self.running = self.running.with_session(found)
            self.info = self.running.info()
            error = refusal(self.running.services.schema, self.root.name, type_name="Mutation", session=found)
            return await self._refusable() if error is None else (None, [fault_of(error, (self.key,))])
        except StaleSession:
            return None, [fault_of(Unauthenticated("graphql.session_ended"), (self.key,))]
        except AppError as error:
            return None, [fault_of(error, (self.key,))]
        finally:
            self._forget(sessions)

    async def _refusable(self) -> Completed:
        try:
            self._take_arguments()
            rivalry = self.root.rivalry
            return await (self._in_transaction() if rivalry is None else self._among_rivals(rivalry))
        except StaleSession:
            raise
        except asyncpg.QueryCanceledError:
            return None, [fault_of(TimedOut("graphql.statement_timeout"), (self.key,))]
        except asyncpg.LockNotAvailableError:
            return self._refused((RowsInUse("graphql.rows_in_use"),))
        except AppError as error:
            replayed = await self._replay_after(error)
            return replayed if replayed is not None else self._refused((error,))
        except AppErrors as found:
            return self._refused(found.errors)
        except Exception as error:  # the door: one field's fault must not hide what the others did
            log_unexpected(error, self.running.request.request_id, self.root.name)
            return None, [internal((self.key,))]

    def _take_arguments(self) -> None:
        given, self.arguments = self.running.arguments(self.root, self.nodes[0])
        self.idempotency_key = _idempotency_key(self.root, self.arguments)
        self.body_hash = hashlib.sha256(_canonical(given)).digest()

    async def _among_rivals(self, rivalry: Rivalry) -> Completed:
        """One at a time of those who want the same thing; the others are refused, where they are, before that."""
        over = rivalry.over(**self.arguments)
        if over is None:
            return await self._in_transaction()
        wanted = (self.running.signed_in().actor.tenant_id, self.root.name, over)
        while True:
            async with self.rivals.turns.turn(wanted) as turn:
                await self._foresee(rivalry)
                if turn.is_mine:
                    turn.is_settled = False  # a refusal of the transaction is of this caller, not of the thing
                    completed = await self._in_transaction()
                    turn.is_settled = True
                    return completed

    async def _foresee(self, rivalry: Rivalry) -> None:
        gate, self.is_admitted = self._gate(), False
        try:
            await rivalry.foresee(self.info, gate.ask, **self.arguments)
        except Repeated:
            return  # the transaction will replay
        except AppError:
            if gate.is_passed:
                raise
            return  # not before the session is checked: the transaction will come to the same refusal
        self.is_admitted = True

    async def _in_transaction(self) -> Completed:
        if self.root.database is None:
            return await self._own_transactions()
        session = self.running.session
        tenant_id = session.actor.tenant_id if session is not None else None
        async with self.running.services.database.transaction(tenant_id, role=self.root.database) as transaction:
            payload = await self._admitted(transaction)
            return await (self._tried(transaction) if payload is None else self._completed(payload, transaction))

    async def _admitted(self, transaction: Transaction) -> object | None:
        """Check the session; the payload of the first request with the key, if there was one.

        Not twice: who has just come through the gate, and holds the turn, is a moment older and nothing else.
        """
        if self.is_admitted:
            return None
        is_checked = self.running.session is not None and not self.root.public
        if is_checked and self.root.idempotent:
            outcome = await self._gate().enter(transaction.fetchrow)
            return None if outcome is None else _payload(self.root, outcome)
        if is_checked:
            await self.running.check_session(transaction.fetchrow)
        return await self._replayed()

    async def _tried(self, transaction: Transaction) -> Completed:
        """What came of it; a refusal also learns whether the first request with the key has committed meanwhile.

        Asked in the transaction that is about to be rolled back, that is one trip; in one of its own it is three,
        and nearly every refusal would pay them for nothing.
        """
        try:
            return await self._performed(transaction)
        except AppError as error:
            self.is_repeat = self._may_be_repeat(error) and await self._is_recorded()
            raise

    async def _is_recorded(self) -> bool:
        try:
            return await self._store().lookup(*self._record_key()) is not None
        except (AppError, asyncpg.InFailedSQLTransactionError):
            return True  # perhaps: a transaction of its own will tell

    async def _own_transactions(self) -> Completed:
        """The resolver opened and closed its transactions; what it refers to is read in one more."""
        running = self.running
        if running.session is not None and not self.root.public:
            await running.check_session(running.services.database.fetchrow)
        payload = await self.root.resolve(self.info, **self.arguments)
        if self.info.acting is None and running.session is None:
            return await self._completed(payload, None)
        actor = self.info.acting or running.signed_in().actor
        async with running.services.database.transaction(actor.tenant_id) as transaction:
            return await self._completed(payload, transaction)

    async def _performed(self, transaction: Transaction) -> Completed:
        """Do it, record it, read the payload; where the payload is read, the record goes along."""
        payload = await self.root.resolve(self.info, **self.arguments)
        if not self.root.idempotent:
            return await self._completed(payload, transaction)
        recording = self._store().recording(*self._record_key(), _outcome(payload))
        completed = await self._completed(payload, transaction, fetchrow=recording.fetchrow)
        await recording.send()
        return completed

    async def _replayed(self) -> object | None:
        if not self.root.idempotent:
            return None
        outcome = await self._store().lookup(*self._record_key())
        return None if outcome is None else _payload(self.root, outcome)

    def _may_be_repeat(self, error: AppError) -> bool:
        return self.root.idempotent and error.code.carrier is not Carrier.TOP_LEVEL

    async def _replay_after(self, error: AppError) -> Completed | None:
        """A refusal may come of the first request's own success; then its outcome is the answer."""
        if not self.is_repeat or self.running.session is None or self.root.database is None:
            return None
        tenant_id = self.running.session.actor.tenant_id
        try:
            async with self.running.services.database.transaction(tenant_id, role=self.root.database) as transaction:
                payload = await self._replayed()
                return None if payload is None else await self._completed(payload, transaction)
        except AppError:
            return None  # the look-up refuses too (key of another body): the first refusal stands

    async def _completed(
        self, payload: object, transaction: Transaction | None, *, fetchrow: FetchRow | None = None
    ) -> Completed:
        running = await self._as_who_signed_in()
        return await running.complete(self.root, payload, self.nodes, (self.key,), transaction, fetchrow=fetchrow)

    async def _as_who_signed_in(self) -> Running:
        """Whoever the mutation signed in reads the payload, with their own rights."""
        actor, running = self.info.acting, self.running
        if actor is None:
            return running
        services = running.services
        access = await services.access.table(actor)
        plugins = await services.plugins.enabled(actor.tenant_id)
        zone, currency = self.info.acting_zone, self.info.acting_currency
        return running.with_session(Session(actor, b"", "", zone, currency, access, plugins, services.clock.now()))

    def _refused(self, errors: tuple[AppError, ...]) -> Completed:
        if self.root.refused is not None and self.arguments:
            self.root.refused(self.info, errors[0], **self.arguments)
        placed = [self._placed(error) for error in errors]
        return refused_payload(self.running, self.root, self.key, self.nodes, placed)

    def _placed(self, error: AppError) -> AppError:
        """The error with its field from the argument down: actions don't know what the API calls their input."""
        inside = error.field and error.field[0] != "input" and "input" in self.arguments
        return error.at("input", *error.field) if inside else error

    def _gate(self) -> Gate:
        return Gate(self.running, self.root, self.idempotency_key, self.body_hash, self.rivals.gathering)

    def _store(self) -> Any:
        return self.running.services.idempotency

    def _record_key(self) -> tuple[Any, str, str, bytes]:
        return self.running.actor, self.root.name, self.idempotency_key, self.body_hash

    def _forget(self, sessions: Sessions) -> None:
        for session_hash in self.info.forgotten:
            sessions.forget(session_hash)


async def _found_again(running: Running, sessions: Sessions) -> Session:
    request = running.request
    return await sessions.find(
        request.token or "", address=request.address, request_id=request.request_id, client=request.client
    )


def _idempotency_key(root: RootField, arguments: Mapping[str, Any]) -> str:
    return str(arguments["input"].idempotency_key) if root.idempotent else ""


def _canonical(given: Mapping[str, Any]) -> bytes:
    """The input as bytes that do not depend on the order in which it was written; the key itself stays out."""
    body = {name: dict(value) if isinstance(value, Mapping) else value for name, value in given.items()}
    if isinstance(body.get("input"), dict):
        body["input"].pop("idempotencyKey", None)
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS, default=str)


def _outcome(payload: object) -> dict[str, Any]:
    """The ids, warnings and plain values of a payload, as JSON: what a replay starts from."""
    return {
        each.name: _stored(getattr(payload, each.name))
        for each in fields(payload)  # type: ignore[arg-type]
        if each.name not in _NOT_IN_OUTCOME
    }


def _stored(value: object) -> object:
    if isinstance(value, Ref):
        return {"type": value.type_name, "id": value.id.hex}
    if isinstance(value, Decimal):
        return {"number": format(value, "f")}
    if isinstance(value, UserError):
        return {"warning": asdict(value)}
    if isinstance(value, list):
        return [_stored(each) for each in value]
    if value is None or isinstance(value, str | int | bool):
        return value
    raise TypeError(
        f"a payload with an idempotency key holds references, warnings and plain values, not {type(value).__name__}"
    )


def _payload(root: RootField, outcome: Mapping[str, Any]) -> object:
    return root.result(**{name: _restored(value) for name, value in outcome.items()}, replayed=True)


def _restored(value: object) -> object:
    if isinstance(value, dict):
        if "warning" in value:
            told = value["warning"]
            return UserError(**{**told, "args": [ErrorArgument(**each) for each in told["args"]]})
        return Decimal(value["number"]) if "number" in value else Ref(value["type"], UUID(hex=value["id"]))
    return [_restored(each) for each in value] if isinstance(value, list) else value
