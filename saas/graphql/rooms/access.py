"""Root fields of the access room: a company's roles and its own rights."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

import strawberry

from saas.access import (
    AccessCatalogue,
    Action,
    Effect,
    PolicyLine,
    RoleView,
    RuleView,
    create_role,
    grant_right,
    list_roles,
    list_rules,
    revoke_right,
)
from saas.graphql.fields import Info, mutation, query
from saas.graphql.payloads import Payload
from saas.graphql.render import PageInfo
from saas.graphql.render_inputs import described_enum, nullable
from saas.graphql.rooms.plain_pages import After, First, page_of
from saas.graphql.rooms.references import placed_id
from saas.kernel import public_id
from tenants import DatabaseRole

RULE = "acr"


RightAction = described_enum(
    "RightAction",
    "What a right is about. Since 0.1.",
    {
        "SEE": "See rows of a type, in a row scope. Since 0.1.",
        "READ": "Read a field. Since 0.1.",
        "MASK": "Read a sealed field's masked form. Since 0.1.",
        "USE": "Filter, order, group and search by a field. Since 0.1.",
        "AGGREGATE": "Sum and average a field. Since 0.1.",
        "WRITE": "Write a field. Since 0.1.",
        "DO": "Use a verb such as customer:claim. Since 0.1.",
    },
)
RightEffect = described_enum(
    "RightEffect",
    "Whether a right is given or kept away. Since 0.1.",
    {
        "ALLOW": "The right is given. Since 0.1.",
        "DENY": "The right is kept away; it beats every ALLOW. Since 0.1.",
    },
)


@strawberry.type(name="Role", description="A role that members can hold. Since 0.1.")
class RoleNode:
    """One that every company begins with, or one of the company's own."""

    name: str = strawberry.field(description="Its name, as in a member's roles. Since 0.1.")
    parent: str | None = strawberry.field(description="The role whose rights it inherits. Since 0.1.")
    is_built_in: bool = strawberry.field(description="Whether every company begins with it. Since 0.1.")


@strawberry.type(description="A page of roles. Since 0.1.")
class RoleConnection:
    """By name."""

    nodes: list[RoleNode] = strawberry.field(description="The roles of the page. Since 0.1.")
    page_info: PageInfo = strawberry.field(description="Where the page stands. Since 0.1.")


@query(requires="access:read", database=DatabaseRole.PLATFORM, description="The company's roles, by name")
async def roles(info: Info, first: First, after: After = None) -> RoleConnection:
    page = page_of("roles", first=first, after=after)
    found = await list_roles(info.actor, after=page.after, first=page.size + 1)
    shown, page_info = page.cut(found, lambda role: role.name)
    return RoleConnection(nodes=[_role(role) for role in shown], page_info=page_info)


def _role(role: RoleView) -> RoleNode:
    return RoleNode(name=role.name, parent=role.parent, is_built_in=role.is_built_in)


@strawberry.type(name="AccessRule", description="A right that the company gave to, or took from, a role. Since 0.1.")
class AccessRuleNode:
    """A line of the company's own; what every company begins with is not listed."""

    id: strawberry.ID = strawberry.field(description="acr_… Since 0.1.")
    role: str = strawberry.field(description="The role. Since 0.1.")
    action: str = strawberry.field(description="What it is about. Since 0.1.", graphql_type=RightAction)
    object: str = strawberry.field(
        description="Type, Type.field, Type.* (its public and internal fields), or a verb. Since 0.1."
    )
    effect: str = strawberry.field(description="Given or kept away. Since 0.1.", graphql_type=RightEffect)
    scope: str = strawberry.field(description="The rows it covers: all, or a row scope of the type. Since 0.1.")
    reason: str = strawberry.field(description="Why. Since 0.1.")
    created_at: datetime = strawberry.field(description="Since when. Since 0.1.")


@strawberry.type(description="A page of access rules. Since 0.1.")
class AccessRuleConnection:
    """Oldest first."""

    nodes: list[AccessRuleNode] = strawberry.field(description="The rules of the page. Since 0.1.")
    page_info: PageInfo = strawberry.field(description="Where the page stands. Since 0.1.")


@query(
    requires="access:read",
    database=DatabaseRole.PLATFORM,
    description="The rights that the company added to those every company begins with, oldest first",
)
async def access_rules(info: Info, first: First, after: After = None) -> AccessRuleConnection:
    page = page_of("accessRules", first=first, after=after)
    found = await list_rules(info.actor, after=page.after_id, first=page.size + 1)
    shown, page_info = page.cut(found, lambda rule: rule.id.hex)
    return AccessRuleConnection(nodes=[_rule(rule) for rule in shown], page_info=page_info)


def _rule(rule: RuleView) -> AccessRuleNode:
    line = rule.line
    return AccessRuleNode(
        id=strawberry.ID(public_id(RULE, rule.id)),
        role=line.role,
        action=line.action.name,
        object=line.object,
        effect=line.effect.name,
        scope=line.scope,
        reason=rule.reason,
        created_at=rule.created_at,
    )


@strawberry.input(description="A right to give to a role, or to keep from it. Since 0.1.")
class RightGrantInput:
    """A policy line."""

    role: str = strawberry.field(description="The role; not one that the caller holds, unless an owner.")
    action: Enum = strawberry.field(description="What it is about.", graphql_type=RightAction)
    object: str = strawberry.field(description="Type, Type.field, Type.* or a verb.")
    effect: Enum | None = strawberry.field(
        description="Given or kept away; given when absent.", graphql_type=nullable(RightEffect), default=None
    )
    scope: str = strawberry.field(description="The rows it covers, where the action takes a scope.", default="all")
    reason: str = strawberry.field(description="Why, 1 to 500 characters; it stands in the audit trail.")


@strawberry.type(description="The right holds from the next request on. Since 0.1.")
class RightGrantPayload(Payload):
    """Answer of rightGrant."""

    rule_id: strawberry.ID | None = strawberry.field(
        description="The new rule (acr_…); null when refused. Since 0.1.", default=None
    )


@mutation(
    requires="access:configure",
    database=DatabaseRole.PLATFORM,
    description="Give a role a right, or keep one from it; rights on pay take two people and are refused",
)
async def right_grant(info: Info, input: RightGrantInput) -> RightGrantPayload:  # noqa: A002
    line = PolicyLine(
        role=input.role,
        action=Action[input.action.name],
        object=input.object,
        effect=Effect.ALLOW if input.effect is None else Effect[input.effect.name],
        scope=input.scope,
    )
    rule_id = await grant_right(
        info.actor,
        line=line,
        reason=input.reason,
        access=info.rights,
        catalogue=info.room(AccessCatalogue),
        clock=info.clock,
    )
    return RightGrantPayload(rule_id=strawberry.ID(public_id(RULE, rule_id)))


@strawberry.input(description="Which rule to take back, and why. Since 0.1.")
class RightRevokeInput:
    """A rule of the company's own."""

    id: strawberry.ID = strawberry.field(description="The rule (acr_…).")
    reason: str = strawberry.field(description="Why, 1 to 500 characters; it stands in the audit trail.")


@strawberry.type(description="The rule no longer holds, from the next request on. Since 0.1.")
class RightRevokePayload(Payload):
    """Answer of rightRevoke."""

    rule_id: strawberry.ID | None = strawberry.field(
        description="The rule that was taken back; null when refused. Since 0.1.", default=None
    )


@mutation(
    requires="access:configure",
    database=DatabaseRole.PLATFORM,
    description="Take back a rule of the company's own",
)
async def right_revoke(info: Info, input: RightRevokeInput) -> RightRevokePayload:  # noqa: A002
    rule_id = placed_id(input.id, prefix=RULE, field=("id",))
    await revoke_right(info.actor, rule_id=rule_id, reason=input.reason, access=info.rights, clock=info.clock)
    return RightRevokePayload(rule_id=input.id)


@strawberry.input(description="A new role. Since 0.1.")
class RoleCreateInput:
    """Its name and what it begins with."""

    name: str = strawberry.field(description="2 to 40 of a-z, 0-9 and _, a letter first.")
    parent: str | None = strawberry.field(description="The role whose rights it inherits.", default=None)
    reason: str = strawberry.field(description="Why, 1 to 500 characters; it stands in the audit trail.")


@strawberry.type(description="The new role. Since 0.1.")
class RoleCreatePayload(Payload):
    """Answer of roleCreate."""

    role: RoleNode | None = strawberry.field(description="The role; null when refused. Since 0.1.", default=None)


@mutation(requires="access:configure", database=DatabaseRole.PLATFORM, description="Add a role to the company")
async def role_create(info: Info, input: RoleCreateInput) -> RoleCreatePayload:  # noqa: A002
    await create_role(
        info.actor,
        name=input.name,
        parent=input.parent,
        reason=input.reason,
        access=info.rights,
        clock=info.clock,
    )
    return RoleCreatePayload(role=RoleNode(name=input.name, parent=input.parent, is_built_in=False))
