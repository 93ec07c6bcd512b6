"""Root fields about who may act in the company: members with their roles, and invitations."""

from __future__ import annotations

from datetime import datetime

import strawberry

from saas.graphql.fields import Info, mutation, query
from saas.graphql.payloads import Payload, Ref, mapped
from saas.graphql.render import PageInfo
from saas.graphql.rooms.plain_pages import After, First, page_of
from saas.graphql.rooms.references import optional_id, placed_id
from saas.graphql.rooms.viewer import ACCOUNT
from saas.identity import (
    change_roles,
    create_invitation,
    end_membership,
    list_invitations,
    list_members,
    revoke_invitation,
)
from saas.kernel import public_id
from saas.people import get_employee
from tenants import DatabaseRole

INVITATION = "inv"


@strawberry.type(name="Member", description="A person who may act in the company. Since 0.1.")
class MemberNode:
    """An account with roles here."""

    account_id: strawberry.ID = strawberry.field(description="The person's account (acc_…). Since 0.1.")
    name: str = strawberry.field(description="The person's name. Since 0.1.")
    email: str = strawberry.field(description="The address they sign in with. Since 0.1.")
    employee: Ref | None = mapped("Employee", description="Their place on the staff; null for an outsider. Since 0.1.")
    roles: list[str] = strawberry.field(
        description="Their roles, at most 20, by name. Since 0.1.", default_factory=list
    )
    member_since: datetime | None = strawberry.field(description="When the membership began. Since 0.1.", default=None)
    access_until: datetime | None = strawberry.field(
        description="When it ends; null for an open end. Since 0.1.", default=None
    )
    version: int = strawberry.field(
        description="Rises with every change; membershipRolesChange asks for it. Since 0.1.", default=0
    )


@strawberry.type(description="A page of members. Since 0.1.")
class MemberConnection:
    """In the order of their accounts."""

    nodes: list[MemberNode] = strawberry.field(description="The members of the page. Since 0.1.")
    page_info: PageInfo = strawberry.field(description="Where the page stands. Since 0.1.")


@query(
    requires="membership:manage",
    database=DatabaseRole.PLATFORM,
    description="The people who may act in the company, with their roles",
)
async def members(info: Info, first: First, after: After = None) -> MemberConnection:
    page = page_of("members", first=first, after=after)
    found = await list_members(info.actor, now=info.now, after=page.after_id, first=page.size + 1)
    shown, page_info = page.cut(found, lambda member: member.account_id.hex)
    nodes = [
        MemberNode(
            account_id=strawberry.ID(public_id(ACCOUNT, member.account_id)),
            name=member.name,
            email=member.email,
            employee=None if member.employee_id is None else Ref("Employee", member.employee_id),
            roles=sorted(member.roles),
            member_since=member.valid_from,
            access_until=member.valid_to,
            version=member.version,
        )
        for member in shown
    ]
    return MemberConnection(nodes=nodes, page_info=page_info)


@strawberry.input(description="A person's new roles. Since 0.1.")
class MembershipRolesChangeInput:
    """All of them, not a difference."""

    account_id: strawberry.ID = strawberry.field(description="The person's account (acc_…).")
    roles: list[str] = strawberry.field(
        description="All roles they are to hold; administrative ones only an owner gives."
    )
    expected_version: int = strawberry.field(description="The membership's version as it was read.")


@strawberry.type(description="The person's roles are changed, from their next request on. Since 0.1.")
class MembershipRolesChangePayload(Payload):
    """Answer of membershipRolesChange."""

    version: int | None = strawberry.field(
        description="The membership's new version; null when refused. Since 0.1.", default=None
    )


@mutation(
    requires="membership:manage",
    database=DatabaseRole.PLATFORM,
    description="Change somebody's roles in the company; nobody changes their own",
)
async def membership_roles_change(
    info: Info,
    input: MembershipRolesChangeInput,  # noqa: A002
) -> MembershipRolesChangePayload:
    version = await change_roles(
        info.actor,
        account_id=placed_id(input.account_id, prefix=ACCOUNT, field=("accountId",)),
        roles=input.roles,
        expected_version=input.expected_version,
        clock=info.clock,
    )
    return MembershipRolesChangePayload(version=version)


@strawberry.input(description="Whose access ends, and why. Since 0.1.")
class MembershipEndInput:
    """The end of a membership."""

    account_id: strawberry.ID = strawberry.field(description="The person's account (acc_…).")
    reason: str = strawberry.field(description="Why; it stands in the audit trail.")


@strawberry.type(description="The person's access has ended, and their sessions here. Since 0.1.")
class MembershipEndPayload(Payload):
    """Answer of membershipEnd."""

    account_id: strawberry.ID | None = strawberry.field(
        description="Whose access ended; null when refused. Since 0.1.", default=None
    )


@mutation(
    requires="membership:manage",
    database=DatabaseRole.PLATFORM,
    description="End somebody's access to the company; their sessions here are over at once",
)
async def membership_end(info: Info, input: MembershipEndInput) -> MembershipEndPayload:  # noqa: A002
    account_id = placed_id(input.account_id, prefix=ACCOUNT, field=("accountId",))
    await end_membership(info.actor, account_id=account_id, reason=input.reason, clock=info.clock)
    return MembershipEndPayload(account_id=input.account_id)


@strawberry.type(name="Invitation", description="An open invitation into the company. Since 0.1.")
class InvitationNode:
    """Whom it is for and what they will be."""

    id: strawberry.ID = strawberry.field(description="inv_… Since 0.1.")
    email: str = strawberry.field(description="The address it is for. Since 0.1.")
    roles: list[str] = strawberry.field(description="The roles it gives, at most 20, by name. Since 0.1.")
    expires_at: datetime = strawberry.field(description="When it ends unused. Since 0.1.")


@strawberry.type(description="A page of invitations. Since 0.1.")
class InvitationConnection:
    """Newest first."""

    nodes: list[InvitationNode] = strawberry.field(description="The invitations of the page. Since 0.1.")
    page_info: PageInfo = strawberry.field(description="Where the page stands. Since 0.1.")


@query(
    requires="invitation:manage",
    database=DatabaseRole.PLATFORM,
    description="The open invitations into the company, newest first",
)
async def invitations(info: Info, first: First, after: After = None) -> InvitationConnection:
    page = page_of("invitations", first=first, after=after)
    found = await list_invitations(info.actor, now=info.now, after=page.after_id, first=page.size + 1)
    shown, page_info = page.cut(found, lambda invitation: invitation.id.hex)
    nodes = [
        InvitationNode(
            id=strawberry.ID(public_id(INVITATION, invitation.id)),
            email=invitation.email,
            roles=sorted(invitation.roles),
            expires_at=invitation.expires_at,
        )
        for invitation in shown
    ]
    return InvitationConnection(nodes=nodes, page_info=page_info)


@strawberry.input(description="Whom to invite, as what. Since 0.1.")
class InvitationCreateInput:
    """An invitation for one address."""

    email: str = strawberry.field(description="The address; only its account may accept.")
    roles: list[str] = strawberry.field(description="The roles it gives; only an owner gives administrative ones.")
    employee_id: strawberry.ID | None = strawberry.field(
        description="The person's place on the staff (emp_…); absent for an outsider.", default=None
    )
    access_until: datetime | None = strawberry.field(
        description="When the access ends, as for a consultant; open when absent.", default=None
    )


@strawberry.type(description="The invitation, and its token this once. Since 0.1.")
class InvitationCreatePayload(Payload):
    """Answer of invitationCreate."""

    invitation: InvitationNode | None = strawberry.field(
        description="The invitation, good for seven days; null when refused. Since 0.1.", default=None
    )
    token: str | None = strawberry.field(
        description="For invitationAccept or companyJoin. Shown this once and not mailed: the inviter hands it over. "
        "Since 0.1.",
        default=None,
    )


@mutation(requires="employee:invite", database=DatabaseRole.PLATFORM, description="Invite an address into the company")
async def invitation_create(info: Info, input: InvitationCreateInput) -> InvitationCreatePayload:  # noqa: A002
    employee_id = optional_id(input.employee_id, prefix="emp", field=("employeeId",))
    if employee_id is not None:
        await get_employee(employee_id)
    invited = await create_invitation(
        info.actor,
        email=input.email,
        roles=input.roles,
        employee_id=employee_id,
        access_until=input.access_until,
        clock=info.clock,
    )
    node = InvitationNode(
        id=strawberry.ID(public_id(INVITATION, invited.id)),
        email=invited.email,
        roles=sorted(set(input.roles)),
        expires_at=invited.expires_at,
    )
    return InvitationCreatePayload(invitation=node, token=invited.token)


@strawberry.input(description="Which invitation to withdraw. Since 0.1.")
class InvitationRevokeInput:
    """An invitation by id."""

    id: strawberry.ID = strawberry.field(description="The invitation (inv_…).")


@strawberry.type(description="The invitation can't be used any more. Since 0.1.")
class InvitationRevokePayload(Payload):
    """Answer of invitationRevoke."""

    invitation_id: strawberry.ID | None = strawberry.field(
        description="The withdrawn invitation; null when refused. Since 0.1.", default=None
    )


@mutation(requires="invitation:manage", database=DatabaseRole.PLATFORM, description="Withdraw an open invitation")
async def invitation_revoke(info: Info, input: InvitationRevokeInput) -> InvitationRevokePayload:  # noqa: A002
    invitation_id = placed_id(input.id, prefix=INVITATION, field=("id",))
    await revoke_invitation(info.actor, invitation_id=invitation_id, clock=info.clock)
    return InvitationRevokePayload(invitation_id=input.id)
