"""The ordinary contender: the same schema in plain Strawberry over Tortoise, with what its documentation advises.

Strawberry's own ASGI view, parser and validation caches, one transaction per operation that sets the tenant,
prefetches instead of a query per row. Tortoise can't limit a prefetch per parent, so children are fetched and cut
(a query per parent in a data loader is slower with 50 parents). No sign-in, rights or cost; the tenant and the
person come in headers.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

import strawberry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, SchemaExtension, ValidationCache
from tortoise import Tortoise
from tortoise.functions import Count
from tortoise.query_utils import Prefetch
from tortoise.transactions import in_transaction

from saas.bench import ordinary_models as models
from saas.bench.contenders import POOL_VARIABLE, URL_VARIABLE
from saas.kernel import public_id


@strawberry.enum
class FollowUpKind(Enum):
    """How a customer was followed up."""

    CALL = "call"
    VISIT = "visit"
    MEETING = "meeting"
    MESSAGE = "message"
    NOTE = "note"


def _uuid(public: str) -> UUID:
    return UUID(public[4:])


@strawberry.type
class Employee:
    """A person on the staff."""

    row: strawberry.Private[models.Employee]

    @strawberry.field
    def id(self) -> strawberry.ID:
        return strawberry.ID(public_id("emp", self.row.id))

    @strawberry.field
    def name(self) -> str:
        return self.row.name


@strawberry.type
class FollowUp:
    """What somebody did for a customer."""

    row: strawberry.Private[models.FollowUp]

    @strawberry.field
    def id(self) -> strawberry.ID:
        return strawberry.ID(public_id("fup", self.row.id))

    @strawberry.field
    def kind(self) -> FollowUpKind:
        return FollowUpKind(self.row.kind)

    @strawberry.field
    def occurred_at(self) -> datetime:
        return self.row.occurred_at

    @strawberry.field
    def content(self) -> str:
        return self.row.content


@strawberry.type
class FollowUpConnection:
    """A page of follow-ups."""

    nodes: list[FollowUp]


@strawberry.type
class Customer:
    """A company or person that is sold to."""

    row: strawberry.Private[models.Customer]

    @strawberry.field
    def id(self) -> strawberry.ID:
        return strawberry.ID(public_id("cus", self.row.id))

    @strawberry.field
    def name(self) -> str:
        return self.row.name

    @strawberry.field
    def level(self) -> str | None:
        return self.row.level

    @strawberry.field
    def industry(self) -> str | None:
        return self.row.industry

    @strawberry.field
    def created_at(self) -> datetime:
        return self.row.created_at

    @strawberry.field
    def owner(self) -> Employee | None:
        return Employee(row=self.row.owner) if self.row.owner else None

    @strawberry.field
    def follow_ups(self, first: int) -> FollowUpConnection:
        return FollowUpConnection(nodes=[FollowUp(row=row) for row in list(self.row.follow_ups)[:first]])


@strawberry.type
class CustomerConnection:
    """A page of customers."""

    nodes: list[Customer]


@strawberry.input
class IdFilter:
    """Which ids."""

    eq: strawberry.ID | None = None


@strawberry.input
class StringFilter:
    """Which texts."""

    eq: str | None = None


@strawberry.input
class DateTimeFilter:
    """Which instants."""

    gte: datetime | None = None
    lt: datetime | None = None


@strawberry.input
class CustomerFilter:
    """Which customers."""

    owner: IdFilter | None = None
    level: StringFilter | None = None
    created_at: DateTimeFilter | None = None


@strawberry.input
class FollowUpFilter:
    """Which follow-ups."""

    occurred_at: DateTimeFilter | None = None


@strawberry.enum
class FollowUpGroupBy(Enum):
    """By what follow-ups are grouped."""

    AUTHOR = "author"


@strawberry.type
class FollowUpGroup:
    """Follow-ups of one author."""

    count: int
    author: Employee


@strawberry.type
class FollowUpGroups:
    """A rank table."""

    nodes: list[FollowUpGroup]


@strawberry.input
class CustomerRef:
    """A customer by its id."""

    id: strawberry.ID


@strawberry.input
class CustomerClaimInput:
    """Which customer to claim."""

    customer: CustomerRef
    idempotency_key: str


@strawberry.type
class UserError:
    """Why nothing was done."""

    code: str


@strawberry.type
class CustomerClaimPayload:
    """The customer, or the refusal."""

    customer: Customer | None
    user_errors: list[UserError]


def _conditions(wanted: CustomerFilter) -> dict[str, Any]:
    conditions: dict[str, Any] = {}
    if wanted.owner and wanted.owner.eq:
        conditions["owner_id"] = _uuid(wanted.owner.eq)
    if wanted.level and wanted.level.eq:
        conditions["level"] = wanted.level.eq
    if wanted.created_at and wanted.created_at.lt:
        conditions["created_at__lt"] = wanted.created_at.lt
    return conditions


@strawberry.type
class Query:
    """What can be read."""

    @strawberry.field
    async def customers(self, info: strawberry.Info, first: int, filter: CustomerFilter) -> CustomerConnection:  # noqa: A002
        newest = models.FollowUp.all().order_by("-occurred_at", "-id")
        rows = (
            await models.Customer.filter(**_conditions(filter))
            .order_by("-created_at", "-id")
            .limit(first)
            .prefetch_related("owner", Prefetch("follow_ups", queryset=newest))
        )
        return CustomerConnection(nodes=[Customer(row=row) for row in rows])

    @strawberry.field
    async def customer(self, id: strawberry.ID) -> Customer | None:  # noqa: A002
        row = await models.Customer.get_or_none(id=_uuid(id)).select_related("owner")
        return Customer(row=row) if row else None

    @strawberry.field
    async def follow_up_groups(
        self,
        group_by: FollowUpGroupBy,
        first: int,
        filter: FollowUpFilter,  # noqa: A002
    ) -> FollowUpGroups:
        since = filter.occurred_at.gte if filter.occurred_at else None
        counted = (
            await models.FollowUp.filter(occurred_at__gte=since)
            .annotate(rows=Count("id"))
            .group_by("author_id")
            .order_by("-rows", "author_id")
            .limit(first)
            .values("author_id", "rows")
        )
        authors = await models.Employee.in_bulk([row["author_id"] for row in counted], "id")
        return FollowUpGroups(
            nodes=[FollowUpGroup(count=row["rows"], author=Employee(row=authors[row["author_id"]])) for row in counted]
        )


@strawberry.type
class Mutation:
    """What can be done."""

    @strawberry.mutation
    async def customer_claim(self, info: strawberry.Info, input: CustomerClaimInput) -> CustomerClaimPayload:  # noqa: A002
        claimant = await models.Employee.get(id=_uuid(info.context["request"].headers["claimant"]))
        taken = await models.Customer.filter(id=_uuid(input.customer.id), owner_id=None).update(
            owner_id=claimant.id,
            owner_department_id=claimant.department_id,
            status="owned",
            received_on=datetime.now().astimezone().date(),
        )
        if not taken:
            return CustomerClaimPayload(customer=None, user_errors=[UserError(code="CONFLICT")])
        row = await models.Customer.get(id=_uuid(input.customer.id)).select_related("owner")
        return CustomerClaimPayload(customer=Customer(row=row), user_errors=[])


class TenantTransaction(SchemaExtension):
    """One transaction per operation, bound to the tenant of the request."""

    async def on_execute(self) -> AsyncIterator[None]:
        request: Request = self.execution_context.context["request"]
        async with in_transaction("default") as connection:
            await connection.execute_query("SELECT set_config('app.tenant_id', $1, true)", [request.headers["tenant"]])
            yield


def create_app() -> Starlette:
    """The ordinary contender as an ASGI application; its database and pool size come from the environment."""
    size = os.environ[POOL_VARIABLE]
    url = os.environ[URL_VARIABLE].replace("postgresql://", "asyncpg://").replace("postgres://", "asyncpg://")

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await Tortoise.init(
            db_url=f"{url}?minsize={size}&maxsize={size}",
            modules={"bench": ["saas.bench.ordinary_models"]},
            _enable_global_fallback=True,
        )
        yield
        await Tortoise.close_connections()

    schema = strawberry.Schema(
        query=Query, mutation=Mutation, extensions=[TenantTransaction, ParserCache, ValidationCache]
    )
    return Starlette(routes=[Route("/graphql", GraphQL(schema, graphql_ide=None))], lifespan=lifespan)
