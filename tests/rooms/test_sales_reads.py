"""PostgreSQL itself finds an index for each filter, order and relation that the sales room declares."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

import saas.sales
from saas.kernel import FrozenClock
from saas.main import installed_product
from saas.reads.explain import missing_indexes, pretend_large
from saas.sales import NewTarget, create_follow_up
from tenants import Database
from tenants.schema import OWNER
from tests.conftest import role_url
from tests.rooms.selling import TODAY, Sales
from tests.staging import REP, ZONE, Company, stage

REGISTRY = installed_product().registry
TYPES = [item.name for item in saas.sales.reads.types]


@pytest_asyncio.fixture(loop_scope="session")
async def large(
    superuser_url: str, database: Database, database_name: str, tenant_id: UUID, clock: FrozenClock, tmp_path: Path
) -> Company:
    """A company in a database of its own, with a row in each table, of which the planner believes that it is large."""
    company = await stage(database, tenant_id, clock, tmp_path)
    sales, rep = Sales(company, company.founder), await company.hire("0002")
    customer_id = await company.enter("晨光", keeper=rep)
    deal_id = await sales.deal(customer_id)
    await sales.collect(deal_id, "5.00")
    await sales.opportunity()
    await company.within(
        lambda: create_follow_up(
            rep,
            customer_id=customer_id,
            kind="call",
            content="已约",
            occurred_at=None,
            access=REP,
            time_zone=ZONE,
            clock=clock,
        )
    )
    await sales.target(NewTarget(rep.employee_id, None, "signed", TODAY, date(2027, 1, 1), Decimal(1)))
    owner = await asyncpg.connect(role_url(superuser_url, OWNER, database_name))
    await pretend_large(owner, REGISTRY)
    await owner.close()
    return company


async def test_every_filter_order_and_relation_is_answered_by_an_index(large: Company) -> None:
    for type_name in [*TYPES, *saas.sales.reads.extends]:
        async with large.database.transaction(large.tenant_id) as transaction:
            found = await missing_indexes(REGISTRY, type_name, transaction)
        assert [sentence for sentence in found if _is_ours(type_name, sentence)] == [], type_name


def _is_ours(type_name: str, sentence: str) -> bool:
    """Not what another room declared on our types, nor what our fields were added to: their own tests fill those."""
    added = saas.sales.reads.extends.get(type_name)
    if added is not None:
        return sentence.startswith(tuple(f"{type_name}.{field.name} " for field in added))
    own = {field.name for each in saas.sales.reads.types if each.name == type_name for field in each.fields}
    others = (field.name for field in REGISTRY.types[type_name].fields if field.name not in own)
    return not sentence.startswith(tuple(f"{type_name}.{name} " for name in others))


@pytest.mark.parametrize("type_name", TYPES)
def test_nothing_to_read_is_without_a_scope_for_everybody(type_name: str) -> None:
    assert REGISTRY.types[type_name].scopes["all"] == "true"
