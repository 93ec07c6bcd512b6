"""Who holds a permission in a company: by its own policy as it is now, as long as they are members."""

from __future__ import annotations

import pytest

from saas.access import AccessTables, Action, PolicyLine, grant_right
from saas.identity import end_membership, find_holders
from saas.kernel import Actor, FrozenClock
from tenants import Database, DatabaseRole
from tests.access_samples import catalogue
from tests.companies import actor_of, found
from tests.rooms.test_memberships import GUEST, bring_in

CATALOGUE = catalogue()
CONFIGURE = PolicyLine("sales_manager", Action.DO, "pool:configure")


@pytest.fixture
async def owner(directory: Database, clock: FrozenClock) -> Actor:
    """The owner of 晨光销售."""
    return await actor_of(directory, clock, (await found(directory, clock)).tokens.access_token)


async def test_holders_are_members_whose_roles_give_it_now(
    directory: Database, clock: FrozenClock, owner: Actor
) -> None:
    tables = AccessTables(directory, CATALOGUE)
    manager = await actor_of(
        directory, clock, (await bring_in(directory, owner, clock, roles=["sales_manager"])).access_token
    )

    async def holders() -> dict[object, str]:
        people = await find_holders(directory, tables, owner.tenant_id, permission="pool:configure", clock=clock)
        assert {each.account_id: each.employee_id for each in people}[owner.account_id] == owner.employee_id
        return {each.account_id: each.recipient.email for each in people}

    assert set(await holders()) == {owner.account_id}
    access = await tables.table(owner)
    async with directory.transaction(owner.tenant_id, role=DatabaseRole.PLATFORM):
        await grant_right(owner, line=CONFIGURE, reason="试点", access=access, catalogue=CATALOGUE, clock=clock)
    now = await holders()
    assert (set(now), now[manager.account_id]) == ({owner.account_id, manager.account_id}, GUEST)
    async with directory.transaction(owner.tenant_id, role=DatabaseRole.PLATFORM):
        await end_membership(owner, account_id=manager.account_id, reason="项目结束", clock=clock)
    assert set(await holders()) == {owner.account_id}
