"""The reader: plans compiled once per document, shape and rights; one statement per root field at each run."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from uuid import UUID

from graphql import FieldNode, SelectionSetNode

from saas.kernel import AppError, BadUserInput, Catalogue, WrongIdType, minor_digits
from saas.reads.arguments import Binding
from saas.reads.compilation import BadArguments, Compilation
from saas.reads.contract import Caller, FetchRow, Opener, ReadResult
from saas.reads.documents import Spoken
from saas.reads.errors import bad_input
from saas.reads.plans import Bounded, ObjectPlan, Places, QueryPlan, Step, place_of, step_of
from saas.reads.registry import Registry
from saas.reads.rights import Rights
from saas.reads.roots import MOST_IDS, compile_objects, compile_root
from saas.reads.selection import Fragments, Selections
from saas.reads.shapes import probes_of, shape_of
from saas.reads.statement import At, Statement

PRESENTED_SESSION = "platform.presented_session"
"""A view with one column ``stamp``: of the session whose hash is set as ``app.session``, without a row once that is not
live."""

_NOTHING_BAD: BadArguments = {}


class Reader:
    """Compiles and runs reads. One per process; `plans` bounds the cache of compiled plans.

    `catalogue` holds the sentences of explanations in sealed documents, where any type has such a document.
    """

    def __init__(
        self,
        registry: Registry,
        schema_version: str,
        *,
        opener: Opener,
        catalogue: Catalogue | None = None,
        plans: int = 2_000,
        presented_session: str = PRESENTED_SESSION,
    ) -> None:
        self.registry = registry
        self._version = schema_version
        self._opener = opener
        self._catalogue = catalogue
        self._presented_session = presented_session
        self._plans: Bounded[QueryPlan] = Bounded(plans)
        self._places: Bounded[Places] = Bounded(plans)

    @property
    def plan_count(self) -> int:
        """How many plans are held."""
        return len(self._plans)

    def places_of(
        self, document_key: str, fragments: Fragments, nodes_by_response_key: Mapping[str, list[FieldNode]]
    ) -> Places:
        """What identifies some root fields of a document, for callers who plan the same ones again and again."""
        places = tuple([(key, *map(place_of, nodes)) for key, nodes in nodes_by_response_key.items()])
        nodes = [node for nodes in nodes_by_response_key.values() for node in nodes]
        return self._found((document_key, places), nodes, fragments)

    def plan_fields(
        self,
        document_key: str,
        fragments: Fragments,
        nodes_by_response_key: Mapping[str, list[FieldNode]],
        variables: Mapping[str, object],
        caller: Caller,
        *,
        places: Places | None = None,
    ) -> QueryPlan:
        """The plan of an operation's compiled root fields, from the cache where its like was compiled before.

        `document_key` identifies the document's text. The document is valid and the variables are coerced. `places`
        is what `places_of` gave for the same fields.

        :raises FieldForbidden: it filters, orders, groups or sums by what the caller may not.
        :raises UnknownField: it selects what belongs to a plugin that the company has not enabled.
        :raises LimitExceeded: it selects more fields than one statement may hold.
        """
        if places is None:
            places = self.places_of(document_key, fragments, nodes_by_response_key)
        key = self._key(places, variables, caller)
        known = self._plans.get(key)
        if known is not None:
            return known

        def compile_all(variables: Mapping[str, object], caller: Caller, bad: BadArguments) -> QueryPlan:
            session = self._presented_session if caller.session_hash is not None else None
            steps: dict[str, Step] = {}
            for response_key, nodes in nodes_by_response_key.items():
                context = self._context(fragments, variables, caller, bad)
                steps[response_key] = step_of(compile_root(context, nodes, At((response_key,)), session=session))
            return QueryPlan(steps, compile_all)

        return self._hold(key, compile_all(variables, caller, _NOTHING_BAD))

    async def run(
        self, plan: QueryPlan, variables: Mapping[str, object], caller: Caller, fetchrow: FetchRow
    ) -> ReadResult:
        """The answers of a plan: one statement, one round trip, per root field.

        A field whose arguments are bad is null, with an error, and the rest is answered. `fetchrow` must be a
        statement of its own or one of a transaction bound to the caller's tenant; each statement sets the tenant.
        """
        plan, bound, binding = await self._bind(plan, variables, caller, ())
        result = ReadResult()
        for key, step in plan.steps.items():
            result.errors.extend(step.root.errors)
            if step.root.sql is None:
                result.values[key] = step.root.constant
                continue
            row = await fetchrow(step.root.sql, *bound[key])
            assert row is not None
            if caller.session_hash is not None:
                result.stamp = row["stamp"]
            result.values[key] = _filled(step, row["v"], binding, result, (key,))
        return result

    def plan_object(
        self,
        document_key: str,
        fragments: Fragments,
        type_name: str,
        selection_sets: Sequence[SelectionSetNode],
        variables: Mapping[str, object],
        caller: Caller,
    ) -> ObjectPlan:
        """The plan of a selection on objects of one type: payloads of mutations, objects that a resolver names by id.

        Raises as `plan_fields` does.
        """
        identity = (document_key, (type_name, *map(place_of, selection_sets)))
        key = self._key(self._found(identity, selection_sets, fragments), variables, caller)
        known = self._plans.get(key)
        if known is not None:
            return known

        def compile_all(variables: Mapping[str, object], caller: Caller, bad: BadArguments) -> ObjectPlan:
            context = self._context(fragments, variables, caller, bad)
            read_type = self.registry.types[type_name]
            return QueryPlan({"": step_of(compile_objects(context, read_type, selection_sets, At(())))}, compile_all)

        return self._hold(key, compile_all(variables, caller, _NOTHING_BAD))

    async def run_object(
        self,
        plan: ObjectPlan,
        ids: Sequence[UUID],
        variables: Mapping[str, object],
        caller: Caller,
        fetchrow: FetchRow,
    ) -> ReadResult:
        """The objects by id: `values` maps ``str(id)`` to JSON, ``null`` where the caller can't see such a row.

        Errors' paths begin below the object.

        :raises BadUserInput: more than 100 ids.
        """
        if len(ids) > MOST_IDS:
            raise bad_input("reads.too_many_ids", given=len(ids), most=MOST_IDS)
        plan, bound, binding = await self._bind(plan, variables, caller, tuple(ids))
        step = plan.steps[""]
        result = ReadResult(errors=list(step.root.errors))
        assert step.root.sql is not None
        row = await fetchrow(step.root.sql, *bound[""])
        assert row is not None
        for row_id, text in zip(ids, row["v"] or (), strict=True):
            result.values[str(row_id)] = _filled(step, text.encode(), binding, result, ())
        return result

    async def _bind(
        self, plan: QueryPlan, variables: Mapping[str, object], caller: Caller, ids: tuple[UUID, ...]
    ) -> tuple[QueryPlan, dict[str, list[object]], Binding]:
        """The values of all parameters, before anything is sent; and the plan, compiled anew round bad arguments."""
        open_row = await self._opener.prepare(caller.actor.tenant_id) if plan.needs_keys else None
        binding = Binding(variables, caller, open_row, ids)
        bad: dict[tuple[str, ...], AppError] = {}
        while True:
            try:
                return plan, {key: step.bind(binding) for key, step in plan.steps.items()}, binding
            except (BadUserInput, WrongIdType):
                for step in plan.steps.values():
                    bad.update(step.bad_arguments(binding))
                plan = plan.again(variables, caller, bad)

    def _found(self, identity: Hashable, nodes: Sequence[FieldNode | SelectionSetNode], fragments: Fragments) -> Places:
        known = self._places.get(identity)
        return known if known is not None else self._places.put(identity, Places(identity, probes_of(nodes, fragments)))

    def _key(self, places: Places, variables: Mapping[str, object], caller: Caller) -> Hashable:
        """Everything that decides the SQL: document, fields, variables, rights, plugins, digits, version."""
        return (
            places.key,
            shape_of(places.probes, variables),
            caller.access.fingerprint,
            caller.plugins,
            caller.actor.locale,
            caller.max_page,
            minor_digits(caller.currency),
            caller.session_hash is not None,
            self._version,
        )

    def _context(
        self, fragments: Fragments, variables: Mapping[str, object], caller: Caller, bad: BadArguments
    ) -> Compilation:
        statement = Statement()
        return Compilation(
            registry=self.registry,
            rights=Rights(self.registry, caller.access, caller.plugins, statement),
            statement=statement,
            selections=Selections(self.registry, fragments, variables),
            variables=variables,
            max_page=caller.max_page,
            bad_arguments=bad,
            spoken=Spoken(self._catalogue, caller.actor.locale) if self._catalogue else None,
            digits=minor_digits(caller.currency),
        )

    def _hold(self, key: Hashable, plan: QueryPlan) -> QueryPlan:
        return self._plans.put(key, plan) if plan.cacheable else plan


def _filled(step: Step, text: bytes, binding: Binding, result: ReadResult, path: tuple[str | int, ...]) -> bytes:
    if step.fill is None:
        return text
    return step.fill(text, binding.open_row, result, path)
