"""From a request to its answer: session, document, budget, guards, then the fields."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

import asyncpg
from graphql import GraphQLError, VariableValues

from saas.graphql.answer import NULL, Answer
from saas.graphql.budget import Budget, Charge
from saas.graphql.documents import (
    Document,
    Documents,
    Operation,
    RootNodes,
    hash_of,
)
from saas.graphql.errors import (
    Fault,
    RequestRefused,
    TimedOut,
    UnknownDocument,
    fault_of,
    fault_of_document,
    internal,
)
from saas.graphql.gathering import Gathering
from saas.graphql.guard import guarded
from saas.graphql.limits import MOST_TOLD
from saas.graphql.mutations import Rivals, run_mutations
from saas.graphql.operation import Request, Running, StaleSession, budget_key, log_unexpected
from saas.graphql.queries import run_query
from saas.graphql.scalars import check_texts
from saas.graphql.services import Services
from saas.graphql.sessions import Session, Sessions
from saas.graphql.streams import Streams
from saas.graphql.turns import Turns
from saas.graphql.variables import MOST_ERRORS
from saas.kernel import AppError, BadUserInput, ErrorCode, LimitExceeded, Scalar, Throttled, Unauthenticated


class Executor:
    """Answers requests; one per process, since it holds the documents, sessions and budgets."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.documents = Documents(services.schema, services.limits)
        self.sessions = Sessions(services)
        self._budget = Budget(services.limits, services.redis)
        self._rivals = Rivals(Turns(), Gathering(services.database))
        self._streams = Streams(self.sessions, self._budget)

    async def run(self, request: Request) -> Answer:
        """The answer, whatever happens: a refusal or fault is an answer too."""
        answer = Answer(None, locale=request.locale or "en")
        try:
            running = await self._prepared(request, answer, is_stream=False)
            await self._perform(running, answer)
        except Exception as error:  # the door: nothing unexpected reaches the caller
            _refuse(answer, error, request)
        return answer

    async def stream(self, request: Request) -> AsyncGenerator[Answer, None]:
        """The answers of a subscription, one an event, for as long as the caller may have them.

        The last one, where there is one with `Answer.parts` None, says why it has ended.
        """
        answer = Answer(None, locale=request.locale or "en")
        try:
            running = await self._prepared(request, answer, is_stream=True)
            async with aclosing(self._streams.answers(running, answer)) as answers:
                async for each in answers:
                    yield each
        except Exception as error:  # the door, as above
            _refuse(answer, error, request)
            yield answer

    async def _prepared(self, request: Request, answer: Answer, *, is_stream: bool) -> Running:
        """The operation with its session, found fit to run and paid for.

        :raises BadUserInput: it is a subscription and is not to be a stream, or the other way round.
        """
        session, ended = await self._session_or_end(request)
        if request.locale is None and session is not None:
            answer.locale = session.actor.locale
        if not request.is_plain:
            check_texts(request.variables)
        caller = budget_key(request, session)
        document = await self._document(request, caller, answer)
        operation = document.operation(request.operation_name)
        answer.operation = operation.name or operation.type_name.lower()
        if (operation.type_name == "Subscription") is not is_stream:
            raise BadUserInput("graphql.only_subscriptions" if is_stream else "graphql.subscription_by_stream")
        variables = _coerced(operation, request.variables)
        running = Running(self._services, request, document, operation, variables, session, answer.locale)
        if ended is not None and not self._begins_anew(running):
            raise ended
        await self._charge(caller, operation.points(variables.coerced), answer)
        return running

    async def _session(self, request: Request) -> Session | None:
        if request.token is None:
            return None
        return await self.sessions.find(
            request.token, address=request.address, request_id=request.request_id, client=request.client
        )

    async def _session_or_end(self, request: Request) -> tuple[Session | None, Unauthenticated | None]:
        try:
            return await self._session(request), None
        except Unauthenticated as ended:
            return None, ended

    def _begins_anew(self, running: Running) -> bool:
        """Sign-in, refresh and their like, alone in their operation: a client that still sends its former token with
        them must get in, or an ended session could never be followed by the next."""
        if not running.operation.is_mutation:
            return False
        declared = self._services.schema.mutations
        names = (nodes[0].name.value for nodes in running.roots().values())
        return all(name in declared and declared[name].public and declared[name].alone for name in names)

    async def _document(self, request: Request, caller: str, answer: Answer) -> Document:
        text = await self._text(request)
        known = self.documents.known(text)
        if known is not None:
            return known
        await self._charge(caller, self._services.limits.compile_cost, answer)
        return self.documents.compile(text)

    async def _text(self, request: Request) -> str:
        """The document's text: given, or registered under the given hash.

        :raises UnknownDocument: no registered document has the hash, or only registered ones are taken.
        :raises BadUserInput: the hash is not the given text's.
        """
        named = request.document_hash
        if request.text is not None:
            actual = hash_of(request.text) if named or self._services.require_trusted_documents else None
            if named is not None and named != actual:
                raise BadUserInput("graphql.document_hash_differs", {"given": named[:64]})
            if actual is None or not self._services.require_trusted_documents:
                return request.text
            named = actual
        found = await self._services.trusted_documents.text(named) if named is not None else None
        if found is None:
            raise UnknownDocument("graphql.document_unknown", {"hash": (named or "")[:64]})
        return found

    async def _charge(self, caller: str, points: int, answer: Answer) -> None:
        limits = self._services.limits
        answer.requested += points
        if points > limits.cost:
            values: dict[str, Scalar] = {"limit": "cost", "allowed": limits.cost, "found": min(points, MOST_TOLD)}
            raise LimitExceeded("graphql.limit_exceeded", values)
        charge: Charge = await self._budget.take(caller, points)
        answer.charge = charge
        if not charge.granted:
            answer.headers["Retry-After"] = str(charge.retry_after)
            raise Throttled("graphql.throttled", {"retry_after": charge.retry_after, "points": points})
        answer.actual += points

    async def _perform(self, running: Running, answer: Answer) -> None:
        roots = running.roots()
        permitted, refused = guarded(running, roots)
        if refused and running.session is not None:
            running = await self._present(running)
            permitted, refused = guarded(running, roots)
        if refused and not permitted:
            raise RequestRefused(*refused)
        if running.operation.is_mutation:
            parts, faults = await run_mutations(running, permitted, self.sessions, self._rivals)
        else:
            parts, faults = await self._query(running, permitted)
        answer.parts = parts if len(roots) == 1 else {key: parts.get(key, NULL) for key in roots}
        answer.faults = [*refused, *faults]

    async def _present(self, running: Running) -> Running:
        """The operation with the session as it is now: a right just given must not be refused from memory.

        :raises Unauthenticated: the session has ended.
        """
        try:
            await running.check_session(self._services.database.fetchrow)
        except StaleSession:
            self.sessions.forget(running.signed_in().session_hash)
            found = await self._session(running.request)
            return running if found is None else running.with_session(found)
        return running

    async def _query(self, running: Running, permitted: RootNodes) -> tuple[dict[str, bytes], list[Fault]]:
        """Run a query; if the session has changed since it was looked up, look it up and run it once more."""
        try:
            return await run_query(running, permitted)
        except StaleSession:
            session = running.signed_in()
            self.sessions.forget(session.session_hash)
        found = await self._session(running.request)
        again = running.with_session(found) if found is not None else running
        permitted, refused = guarded(again, permitted)
        if not permitted:
            raise RequestRefused(*refused)
        try:
            parts, faults = await run_query(again, permitted)
        except StaleSession as error:
            raise Unauthenticated("graphql.session_ended") from error
        return parts, [*refused, *faults]


def _coerced(operation: Operation, given: Mapping[str, object]) -> VariableValues:
    found = operation.variables.coerce(given)
    if isinstance(found, VariableValues):
        return found
    raise RequestRefused(*(_variable_fault(error) for error in found[:MOST_ERRORS]))


def _variable_fault(error: GraphQLError) -> Fault:
    return fault_of_document(error, ErrorCode.BAD_USER_INPUT, "graphql.variables_refused")


def _refuse(answer: Answer, error: Exception, request: Request) -> None:
    """Let the answer say nothing but why there is none."""
    answer.parts = None
    if isinstance(error, RequestRefused):
        answer.faults = error.faults
    elif isinstance(error, AppError):
        answer.faults = [fault_of(error)]
    elif isinstance(error, asyncpg.QueryCanceledError):
        answer.faults = [fault_of(TimedOut("graphql.statement_timeout"))]
    else:
        log_unexpected(error, request.request_id, answer.operation)
        answer.faults = [internal()]
