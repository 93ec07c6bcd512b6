"""Root fields about sessions: one's own, and those of the company's people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import strawberry

from saas.graphql.fields import Info, mutation, query
from saas.graphql.payloads import Payload
from saas.graphql.render import PageInfo
from saas.graphql.rooms.plain_pages import After, First, Page, page_of
from saas.graphql.rooms.references import placed_id
from saas.graphql.rooms.viewer import ACCOUNT, COMPANY, SESSION
from saas.identity import (
    SessionView,
    list_member_sessions,
    list_sessions,
    revoke_member_session,
    revoke_other_sessions,
    revoke_session,
)
from saas.kernel import public_id
from tenants import DatabaseRole


@strawberry.type(name="Session", description="A live session: one person in one company. Since 0.1.")
class SessionNode:
    """Where somebody is signed in; its tokens are not shown again."""

    id: strawberry.ID = strawberry.field(description="ses_… Since 0.1.")
    account_id: strawberry.ID = strawberry.field(description="The person's account (acc_…). Since 0.1.")
    account_name: str = strawberry.field(description="The person's name. Since 0.1.")
    company_id: strawberry.ID = strawberry.field(description="The company (com_…). Since 0.1.")
    company_name: str = strawberry.field(description="The company's name. Since 0.1.")
    client: str = strawberry.field(description="The program it was begun with. Since 0.1.")
    address: str = strawberry.field(description="The network address it was begun from. Since 0.1.")
    created_at: datetime = strawberry.field(description="When it began. Since 0.1.")
    last_seen_at: datetime = strawberry.field(description="When it was last used, to the minute. Since 0.1.")
    expires_at: datetime = strawberry.field(description="When it ends at the latest. Since 0.1.")
    is_current: bool = strawberry.field(description="Whether it is the one that asks. Since 0.1.")


@strawberry.type(description="A page of sessions. Since 0.1.")
class SessionConnection:
    """Newest first."""

    nodes: list[SessionNode] = strawberry.field(description="The sessions of the page. Since 0.1.")
    page_info: PageInfo = strawberry.field(description="Where the page stands. Since 0.1.")


@query(
    signed_in=True,
    database=DatabaseRole.PLATFORM,
    description="The caller's own live sessions, in all their companies, newest first",
)
async def sessions(info: Info, first: First, after: After = None) -> SessionConnection:
    page = page_of("sessions", first=first, after=after)
    return _connection(page, await list_sessions(info.actor, now=info.now, after=page.after_id, first=page.size + 1))


@query(
    requires="session:manage",
    database=DatabaseRole.PLATFORM,
    description="All live sessions in the company, newest first",
)
async def member_sessions(info: Info, first: First, after: After = None) -> SessionConnection:
    page = page_of("memberSessions", first=first, after=after)
    return _connection(
        page, await list_member_sessions(info.actor, now=info.now, after=page.after_id, first=page.size + 1)
    )


def _connection(page: Page, found: Sequence[SessionView]) -> SessionConnection:
    shown, page_info = page.cut(found, lambda session: session.id.hex)
    return SessionConnection(nodes=[_node(session) for session in shown], page_info=page_info)


def _node(session: SessionView) -> SessionNode:
    return SessionNode(
        id=strawberry.ID(public_id(SESSION, session.id)),
        account_id=strawberry.ID(public_id(ACCOUNT, session.account_id)),
        account_name=session.account_name,
        company_id=strawberry.ID(public_id(COMPANY, session.tenant_id)),
        company_name=session.tenant_name,
        client=session.client,
        address=session.address,
        created_at=session.created_at,
        last_seen_at=session.last_seen_at,
        expires_at=session.expires_at,
        is_current=session.is_current,
    )


@strawberry.input(description="Which session to end. Since 0.1.")
class SessionRevokeInput:
    """A session by id."""

    id: strawberry.ID = strawberry.field(description="The session (ses_…).")


@strawberry.type(description="The session is over, from the next request on. Since 0.1.")
class SessionRevokePayload(Payload):
    """Answer of sessionRevoke and memberSessionRevoke."""

    session_id: strawberry.ID | None = strawberry.field(
        description="The session that ended; null when refused. Since 0.1.", default=None
    )


@mutation(
    signed_in=True, database=DatabaseRole.PLATFORM, description="End one of the caller's own sessions, in any company"
)
async def session_revoke(info: Info, input: SessionRevokeInput) -> SessionRevokePayload:  # noqa: A002
    session_id = placed_id(input.id, prefix=SESSION, field=("id",))
    await revoke_session(info.actor, session_id=session_id, clock=info.clock)
    return SessionRevokePayload(session_id=input.id)


@mutation(
    requires="session:manage",
    database=DatabaseRole.PLATFORM,
    description="End a session of somebody in the company",
)
async def member_session_revoke(info: Info, input: SessionRevokeInput) -> SessionRevokePayload:  # noqa: A002
    session_id = placed_id(input.id, prefix=SESSION, field=("id",))
    await revoke_member_session(info.actor, session_id=session_id, clock=info.clock)
    return SessionRevokePayload(session_id=input.id)


@strawberry.type(description="All other sessions of the person are over. Since 0.1.")
class SessionRevokeOthersPayload(Payload):
    """Answer of sessionRevokeOthers."""

    ended: int | None = strawberry.field(description="How many there were. Since 0.1.", default=None)


@mutation(
    signed_in=True,
    database=DatabaseRole.PLATFORM,
    description="End all sessions of the caller but the one that asks, in all companies",
)
async def session_revoke_others(info: Info) -> SessionRevokeOthersPayload:
    return SessionRevokeOthersPayload(ended=await revoke_other_sessions(info.actor, clock=info.clock))
