"""How a room's module of the API declares its mutations and its ordinary (not compiled) queries.

Each root field says who may ask: ``requires="customer:claim"``, ``signed_in=True`` or ``public=True``; exactly one,
so that none is unguarded by oversight. The permission in the schema's text follows from the same declaration.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache
from typing import Any, Protocol, Self, TypeVar, cast, get_type_hints
from uuid import UUID

import strawberry
from strawberry.types.field import StrawberryField

from saas.access.table import AccessTable
from saas.extensions import TenantPlugins
from saas.graphql.payloads import MAPPED
from saas.kernel import Actor, Clock, Unauthenticated, local_date
from tenants import DatabaseRole

Resolver = Callable[..., Awaitable[Any]]
ServiceT = TypeVar("ServiceT")


@dataclass(slots=True)
class Info:
    """What a root field knows of its request.

    `rooms` holds what the rooms were wired with, by type. `time_zone` is the tenant's IANA zone, `currency` its ISO
    4217 code. `plugins` are those the tenant has enabled, with their settings. A public mutation
    that begins a session calls `act_as`, so that the objects of its payload are read with that person's rights.
    """

    caller: Actor | None
    access: AccessTable | None
    clock: Clock
    rooms: Mapping[type, object]
    request_id: str
    address: str
    client: str
    locale: str
    time_zone: str
    currency: str
    token: str | None = None
    plugins: TenantPlugins = field(default_factory=TenantPlugins)
    acting: Actor | None = None
    acting_zone: str = "UTC"
    acting_currency: str = ""
    forgotten: list[bytes] = field(default_factory=list)

    @property
    def actor(self) -> Actor:
        """Who acts.

        :raises Unauthenticated: nobody is signed in (only possible in a public field).
        """
        actor = self.acting or self.caller
        if actor is None:
            raise Unauthenticated("graphql.sign_in_first")
        return actor

    @property
    def rights(self) -> AccessTable:
        """The caller's compiled rights.

        :raises Unauthenticated: nobody is signed in.
        """
        if self.access is None:
            raise Unauthenticated("graphql.sign_in_first")
        return self.access

    @property
    def now(self) -> datetime:
        """The present instant, UTC."""
        return self.clock.now()

    @property
    def today(self) -> date:
        """The tenant's calendar day."""
        return local_date(self.clock.now(), self.time_zone)

    def room(self, kind: type[ServiceT]) -> ServiceT:
        """The object of that type that the process was wired with."""
        found = self.rooms[kind]
        if not isinstance(found, kind):
            raise TypeError(f"{kind.__name__} is wired with a {type(found).__name__}")
        return found

    def act_as(self, actor: Actor, *, time_zone: str, currency: str) -> None:
        """Read the payload as `actor`, who has just signed in to a tenant of that IANA zone and currency."""
        self.acting_zone, self.acting_currency = time_zone, currency
        self.acting = replace(actor, request_id=self.request_id, address=self.address, client=self.client)

    def forget_session(self, session_hash: bytes) -> None:
        """Drop a session from this process's cache once the operation is done (sign-out, switch of company)."""
        self.forgotten.append(session_hash)


@dataclass(frozen=True, slots=True)
class Rivalry:
    """How the rivals of a mutation that many ask for at once and few get are kept from waiting in the database.

    `over`: what a call wants for itself, from its arguments; None where nothing is to be done. In each process one
    request at a time goes on to its transaction for it; the others ask again after it.
    `foresee`: raises the refusal that the transaction would come to anyway. It asks one question (`Ask`), which the
    statement answers that checks the session and the idempotency key as well. It decides nothing else: the
    transaction checks everything again.
    """

    over: Callable[..., Hashable]
    foresee: Callable[..., Awaitable[None]]


Refused = Callable[..., None]
"""Called with `Info`, the error and the call's arguments."""


@dataclass(frozen=True, slots=True)
class RootField:
    """A declared root field of Query, Mutation or Subscription (`type_name`): how it is guarded, run and described.

    `alone` fields (sign-in, refresh, reset) must be the only root field of their operation. `database` is the role
    of the transaction that the door opens; None leaves transactions to the resolver. A field of a `plugin` is unknown
    to tenants that have not enabled it. `gives` is the mapped type of a subscription's objects.
    """

    name: str
    resolve: Resolver
    description: str
    type_name: str
    requires: str | None = None
    signed_in: bool = False
    public: bool = False
    alone: bool = False
    idempotent: bool = False
    database: DatabaseRole | None = DatabaseRole.APP
    since: str = "0.1"
    plugin: str | None = None
    rivalry: Rivalry | None = None
    refused: Refused | None = None
    gives: str | None = None

    @property
    def is_mutation(self) -> bool:
        """Whether it changes something."""
        return self.type_name == "Mutation"

    @property
    def result(self) -> Any:
        """The annotated result of the resolver."""
        return _result_of(self.resolve)

    def text(self) -> str:
        """The description with permission and version."""
        needed = f"Needs {self.requires}." if self.requires else "Needs a session."
        if self.gives:
            needed = f"Needs a row scope on {self.gives}."
        return f"{self.description.rstrip('.')}. {'Public.' if self.public else needed} Since {self.since}."


@cache
def _result_of(resolve: Resolver) -> Any:
    """Kept: to resolve annotations compiles them, and every refusal asks."""
    return get_type_hints(resolve)["return"]


def mutation(
    *,
    description: str,
    requires: str | None = None,
    signed_in: bool = False,
    public: bool = False,
    alone: bool = False,
    idempotent: bool = False,
    database: DatabaseRole | None = DatabaseRole.APP,
    since: str = "0.1",
    plugin: str | None = None,
    rivalry: Rivalry | None = None,
    refused: Refused | None = None,
) -> Callable[[Resolver], RootField]:
    """Declare a mutation ``async def customer_claim(info: Info, input: CustomerClaimInput) -> CustomerClaimPayload``.

    It runs in one transaction of `database` with its payload read inside; a refusal rolls back. `idempotent` asks
    for ``idempotency_key`` in the input.

    `rivalry` is for mutations that many ask for at once and few get. `refused` hears of each call that was refused,
    once that is settled, and may do nothing but note it: it has no transaction.
    """

    def declare(resolve: Resolver) -> RootField:
        return _checked(
            RootField(
                name=_camel(resolve.__name__),
                resolve=resolve,
                description=description,
                type_name="Mutation",
                requires=requires,
                signed_in=signed_in,
                public=public,
                alone=alone,
                idempotent=idempotent,
                database=database,
                since=since,
                plugin=plugin,
                rivalry=rivalry,
                refused=refused,
            )
        )

    return declare


def query(
    *,
    description: str,
    requires: str | None = None,
    signed_in: bool = False,
    public: bool = False,
    database: DatabaseRole | None = DatabaseRole.APP,
    since: str = "0.1",
    plugin: str | None = None,
) -> Callable[[Resolver], RootField]:
    """Declare an ordinary query field; it runs in the operation's one read-only transaction."""

    def declare(resolve: Resolver) -> RootField:
        return _checked(
            RootField(
                name=_camel(resolve.__name__),
                resolve=resolve,
                description=description,
                type_name="Query",
                requires=requires,
                signed_in=signed_in,
                public=public,
                database=database,
                since=since,
                plugin=plugin,
            )
        )

    return declare


class Source(Protocol):
    """What a subscription gives: its events, for as long as it is entered. It holds a place and no queue."""

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *_: object) -> None: ...
    async def next(self, most: int) -> Sequence[UUID]:
        """The next objects, at most `most`, as soon as there are any; those that the caller may not see are not
        sent."""
        ...


def subscription(*, description: str, gives: str, since: str = "0.1") -> Callable[[Resolver], RootField]:
    """Declare a subscription ``async def pool_ledger_line(info: Info, …) -> Source`` of objects of a mapped type.

    The resolver runs once, in a transaction; the objects are then read by the compiled reader as they come, with the
    rights of that moment. Who sees no row of the type is refused.
    """

    def declare(resolve: Resolver) -> RootField:
        return _checked(
            RootField(
                name=_camel(resolve.__name__),
                resolve=resolve,
                description=description,
                type_name="Subscription",
                signed_in=True,
                since=since,
                gives=gives,
            )
        )

    return declare


def strawberry_field(root: RootField) -> StrawberryField:
    """The root field for the schema; `info` is ours and no argument. Root results are nullable (see `schema`)."""
    signature = inspect.signature(root.resolve)
    parameters = [parameter for name, parameter in signature.parameters.items() if name != "info"]
    hints = get_type_hints(root.resolve, include_extras=True)
    answer = hints["return"] | None if root.gives is None else str | None

    async def stub(**_: object) -> None:
        """Never run: the door executes operations itself."""

    stub.__name__ = root.resolve.__name__
    stub.__module__ = root.resolve.__module__
    stub.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[parameter.replace(annotation=hints[parameter.name]) for parameter in parameters],
        return_annotation=answer,
    )
    stub.__annotations__ = {parameter.name: hints[parameter.name] for parameter in parameters}
    stub.__annotations__["return"] = answer
    made: Any = strawberry.field(resolver=stub, name=root.name, description=root.text())
    made.python_name = root.resolve.__name__
    if root.gives is not None:
        made.metadata = {MAPPED: (root.gives, False)}
    for argument in made.arguments:
        if argument.description is None and argument.python_name == "input":
            argument.description = f"What to do. Since {root.since}."
    return cast("StrawberryField", made)


def _checked(root: RootField) -> RootField:
    guards = [root.requires is not None, root.signed_in, root.public]
    if sum(guards) != 1:
        raise TypeError(f"{root.name}: say exactly one of requires=, signed_in=True, public=True")
    if not inspect.iscoroutinefunction(root.resolve):
        raise TypeError(f"{root.name}: a root field is an async function")
    if root.rivalry is not None and (not root.idempotent or root.public or root.database is not DatabaseRole.APP):
        raise TypeError(f"{root.name}: rivalry= is for idempotent mutations of the application role with a session")
    return root


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.title() for part in tail)
