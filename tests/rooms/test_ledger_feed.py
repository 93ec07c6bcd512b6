"""Who reads the ledger as it grows gets every line once, in the order in which lines become final."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import pytest_asyncio

from saas.customers import LedgerFeed, claim_customer, ledger_place
from saas.customers.errors import LedgerLineNotFound
from saas.customers.ledger_feed import LedgerReader, Place
from saas.kernel import Actor, new_id
from tests.rooms.test_ledger_tampering import as_superuser
from tests.staging import REP, ZONE, Company, agreeing

PATIENCE = 20.0


class Ear:
    """Hears what a test says, and otherwise nothing."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[frozenset[UUID]] = asyncio.Queue()

    async def wait(self, seconds: float) -> frozenset[UUID]:
        return await self.said.get()


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def feed(company: Company, ear: Ear) -> LedgerFeed:
    return LedgerFeed(company.database, ear)


async def now(company: Company, after: UUID | None = None) -> Place:
    return await company.within(lambda: ledger_place(after))


async def ids(reader: LedgerReader, count: int) -> list[UUID]:
    """The next so many lines."""
    found: list[UUID] = []
    async with asyncio.timeout(PATIENCE):
        while len(found) < count:
            found += [line.id for line in await reader.next(count)]
    return found


async def lines(company: Company) -> list[UUID]:
    return [UUID(str(row[0])) for row in await company.rows("SELECT id FROM pool_event ORDER BY xid, id")]


@pytest_asyncio.fixture(loop_scope="session")
async def rep(company: Company) -> AsyncIterator[Actor]:
    yield await company.hire("1001")


async def test_a_line_that_commits_late_comes_first_and_is_not_missed(
    company: Company, feed: LedgerFeed, ear: Ear, rep: Actor
) -> None:
    early, late = await company.enter("蓝海"), await company.enter("北辰")
    async with feed.reader(company.tenant_id, await now(company)) as reader:
        async with company.database.transaction(company.tenant_id):
            await claim_customer(
                rep, customer_id=early, access=REP, guard=agreeing, time_zone=ZONE, clock=company.clock
            )
            other = await asyncio.create_task(company.hire("1002"))
            await asyncio.create_task(company.claim(other, late))
            waiting = asyncio.create_task(ids(reader, 2))
            ear.said.put_nowait(frozenset({company.tenant_id}))
            done, _ = await asyncio.wait({waiting}, timeout=0.2)
            assert not done
        assert await waiting == await lines(company)
    claimed = await company.rows("SELECT customer_id FROM pool_event ORDER BY xid, id")
    assert claimed == [(early,), (late,)]


async def test_a_reader_goes_on_from_any_line(company: Company, feed: LedgerFeed, ear: Ear, rep: Actor) -> None:
    for name in ("蓝海", "北辰", "远帆", "海川"):
        await company.claim(rep, await company.enter(name))
    written = await lines(company)
    async with feed.reader(company.tenant_id, await now(company, written[0])) as reader:
        assert await ids(reader, 2) == written[1:3]
        async with feed.reader(company.tenant_id, await now(company, written[2])) as second:
            assert await ids(second, 1) == written[3:]
        async with feed.reader(company.tenant_id, (-1, UUID(int=0))) as behind:
            assert await ids(behind, 4) == written
        assert await ids(reader, 1) == written[3:]
        await company.claim(rep, await company.enter("长风"))
        ear.said.put_nowait(frozenset({company.tenant_id}))
        assert await ids(reader, 1) == (await lines(company))[4:]


async def test_what_is_not_kept_is_looked_up(
    company: Company, feed: LedgerFeed, rep: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saas.customers.ledger_feed._KEPT", 2)
    monkeypatch.setattr("saas.customers.ledger_feed._PAGE", 3)
    for number in range(7):
        await company.claim(rep, await company.enter(f"客户 {number}"))
    written = await lines(company)
    async with feed.reader(company.tenant_id, (-1, UUID(int=0))) as reader:
        assert await ids(reader, 7) == written
        async with feed.reader(company.tenant_id, await now(company, written[1])) as second:
            assert await ids(second, 5) == written[2:]


async def test_a_line_of_nobody_is_no_place(company: Company) -> None:
    with pytest.raises(LedgerLineNotFound):
        await now(company, new_id())


async def test_lines_of_a_dump_from_another_server_are_no_news(
    company: Company, feed: LedgerFeed, ear: Ear, rep: Actor, superuser_url: str
) -> None:
    await company.claim(rep, await company.enter("蓝海"))
    async with feed.reader(company.tenant_id, await now(company)) as reader:
        far = "UPDATE pool_event SET xid = xid + 1000000000 WHERE tenant_id = $1"
        await as_superuser(company, superuser_url, far, company.tenant_id)
        await company.claim(rep, await company.enter("北辰"))
        ear.said.put_nowait(frozenset({company.tenant_id}))
        assert await ids(reader, 1) == (await lines(company))[:1]
    old = (await lines(company))[1]
    async with feed.reader(company.tenant_id, await now(company, old)) as reader:
        assert await ids(reader, 1) == (await lines(company))[:1]
