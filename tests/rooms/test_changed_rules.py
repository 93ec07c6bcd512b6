"""Changes of a pool's rules in the database (P27): who is reached, which version is told, what a dry run says."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from saas.customers import (
    Comparison,
    PoolChange,
    SettingsWish,
    configure_pool,
    dry_run_settings,
    foresee_recycling,
    transfer_customer,
)
from saas.customers.actions.dry_running import find_losses
from saas.kernel import Actor, AppErrors, local_date
from saas.sales import find_activity
from tests.rules.change_oracle import PlainOwnership, PlainVersion, plain_due, plain_version
from tests.staging import ALL, ZONE, Company

TODAY = date(2026, 11, 23)
STORED = "SELECT due_on, settings_version, earlier_version FROM customer WHERE id = $1"
LEDGER = "SELECT settings_version, explanation -> 'parts' -> 0 ->> 'key' FROM pool_event WHERE kind = 'recycled'"
SILENT = "UPDATE customer_pool SET settings = settings || '{\"reminder_days\": []}'"
BY_EARLIER = "customers.recycle_by_earlier_version"


def on(day: int) -> date:
    return TODAY + timedelta(days=day)


@pytest_asyncio.fixture(loop_scope="session")
async def rep(company: Company) -> Actor:
    return await company.hire("0002")


async def change(company: Company, version: int, *, valid_from: date | None = None, **settings: Any) -> None:
    await company.within(
        lambda: configure_pool(
            company.founder,
            pool_id=company.pool_id,
            change=PoolChange(settings=settings, valid_from=valid_from),
            expected_version=version,
            time_zone=ZONE,
            clock=company.clock,
        )
    )


async def hand(company: Company, customer_id: UUID, to: Actor) -> None:
    assert to.employee_id is not None
    employee_id = to.employee_id
    await company.within(
        lambda: transfer_customer(
            company.founder,
            customer_id=customer_id,
            employee_id=employee_id,
            reason="交接",
            access=ALL,
            activity=find_activity,
            time_zone=ZONE,
            clock=company.clock,
        )
    )


async def test_older_holdings_go_on_by_the_rules_they_began_with(company: Company, rep: Actor) -> None:
    """L28: nobody's customers are seized; who claims after the change knows the new rules."""
    await company.run(SILENT)
    old, given_back = await company.enter("甲", keeper=rep), await company.enter("乙", keeper=rep)
    company.clock.advance(timedelta(hours=1))
    await change(company, 1, recycle_follow_up_days=10, change_effect="new_ownerships")
    fresh = await company.enter("丙", keeper=rep)
    await company.recycle()
    assert await company.rows(STORED, old) == [(on(31), 2, 1)]
    assert await company.rows(STORED, fresh) == [(on(11), 2, None)]
    (near,) = [each for each in await foreseen(company, on(40)) if each.customer_id == old]
    assert (near.rules_version, near.verdict.due_on) == (1, on(31))
    assert near.verdict.explanation.parts[0].key == BY_EARLIER
    await company.release(rep, given_back)
    assert await company.rows(STORED, given_back) == [(None, None, None)]
    company.clock.advance(timedelta(days=31))
    assert (await company.recycle()).recycled == 2
    assert await company.rows(LEDGER + " ORDER BY settings_version") == [
        (1, BY_EARLIER),
        (2, "customers.recycle_by_newer_version"),
    ]
    assert await company.rows(STORED, old) == [(None, None, None)]


async def foreseen(company: Company, until: date) -> list[Any]:
    return await company.within(
        lambda: foresee_recycling(
            company.founder,
            access=ALL,
            until=until,
            after=None,
            first=10,
            activity=find_activity,
            time_zone=ZONE,
            today=local_date(company.clock.now(), ZONE),
        )
    )


async def test_a_transfer_within_the_team_keeps_the_version_and_a_claim_begins_with_the_new_one(
    company: Company, rep: Actor
) -> None:
    other = await company.hire("0003", name="韩梅")
    customer_id = await company.enter("甲", keeper=rep)
    company.clock.advance(timedelta(days=1))
    await change(company, 1, recycle_follow_up_days=10, change_effect="new_ownerships")
    company.clock.advance(timedelta(days=1))
    await hand(company, customer_id, other)
    assert await company.rows(STORED, customer_id) == [(on(31), 2, 1)]
    await company.release(other, customer_id)
    company.clock.advance(timedelta(days=8))
    await company.claim(rep, customer_id)
    assert await company.rows(STORED, customer_id) == [(on(21), 2, None)]


async def test_a_change_of_a_later_day_leaves_who_receives_until_then(company: Company, rep: Actor) -> None:
    await company.run(SILENT)
    await change(company, 1, valid_from=on(5), recycle_follow_up_days=10, change_effect="new_ownerships", grace_days=1)
    company.clock.advance(timedelta(days=4))
    before = await company.enter("甲", keeper=rep)
    assert await company.rows(STORED, before) == [(on(35), 1, None)]
    company.clock.advance(timedelta(days=1))
    await company.recycle()
    after = await company.enter("乙", keeper=rep)
    assert await company.rows(STORED, before) == [(on(35), 2, 1)]
    assert await company.rows(STORED, after) == [(on(16), 2, None)]


async def test_clocks_begin_anew_and_a_change_for_all_takes_that_from_nobody(company: Company, rep: Actor) -> None:
    await company.run(SILENT)
    customer_id = await company.enter("甲", keeper=rep)
    company.clock.advance(timedelta(days=20))
    await change(company, 1, recycle_follow_up_days=10, change_effect="restart")
    await company.recycle()
    assert await company.rows(STORED, customer_id) == [(on(31), 2, None)]
    await change(company, 2, recycle_follow_up_days=8, change_effect="all", grace_days=1)
    await company.recycle()
    assert await company.rows(STORED, customer_id) == [(on(29), 3, None)]


async def test_the_dry_run_shows_each_effect_and_only_losers_are_written_to(company: Company, rep: Actor) -> None:
    for number in range(3):
        await company.enter(f"沉默{number}", keeper=rep)
    company.clock.advance(timedelta(days=20))
    for effect, taken in (("new_ownerships", 0), ("restart", 0), ("all", 3)):
        tried = await try_out(company, recycle_follow_up_days=19, change_effect=effect)
        assert (len(tried.taken), tried.on) == (taken, on(27))
    await change(company, 1, recycle_follow_up_days=19, change_effect="new_ownerships")
    await change(company, 2, recycle_follow_up_days=17, change_effect="all")
    for version, lost in ((2, {}), (3, {rep.employee_id: 3})):
        assert await losses(company, version) == lost


async def losses(company: Company, version: int) -> Mapping[UUID, int]:
    found = await company.within(
        lambda: find_losses(pool_id=company.pool_id, version=version, activity=find_activity, time_zone=ZONE)
    )
    assert found is not None
    return found.customers


async def try_out(company: Company, **settings: Any) -> Comparison:
    wish, today = SettingsWish(company.pool_id, settings, 1), local_date(company.clock.now(), ZONE)
    return await company.within(lambda: dry_run_settings(wish, activity=find_activity, time_zone=ZONE, today=today))


async def test_more_changes_than_are_kept_apart_change_nothing(company: Company, rep: Actor, monkeypatch: Any) -> None:
    monkeypatch.setattr("saas.customers.options.keeping.KEPT_MAX", 1)
    await change(company, 1, recycle_follow_up_days=10, change_effect="new_ownerships")
    before = await company.everything()
    with pytest.raises(AppErrors, match=r"customers\.pool_changes_kept"):
        await change(company, 2, recycle_follow_up_days=11)
    assert await company.everything() == before
    await change(company, 2, recycle_follow_up_days=11, change_effect="all")


EFFECTS = ("all", "new_ownerships", "new_ownerships", "restart")


@pytest.mark.parametrize("seed", range(3))
async def test_a_random_history_is_reckoned_as_a_plain_reading_says(company: Company, rep: Actor, seed: int) -> None:
    """Pages of customers, all with their own pasts, against the oracle, customer by customer."""
    story = _Story(company, (rep, await company.hire("0003", name="韩梅")), random.Random(seed))
    await company.run(SILENT)
    for _ in range(30):
        await story.day()
    await company.recycle()
    today, expected = story.today, {}
    for customer_id, owned in story.owned.items():
        due = plain_due(story.begun, owned, story.calls[customer_id])
        place = plain_version(story.begun, owned)
        assert due is not None
        is_newest = not any(each.moves for each in story.begun[place + 1 :])
        expected[customer_id] = (None, None) if due <= today else (due, is_newest)
    rows = await company.rows(
        "SELECT id, due_on, CASE WHEN due_on IS NOT NULL THEN earlier_version IS NULL END FROM customer"
    )
    assert {row[0]: row[1:] for row in rows} == expected
    assert len(set(expected.values())) > 3


class _Story:
    """A month of a company in which anything may happen, told twice: to the product, and plainly."""

    def __init__(self, company: Company, people: tuple[Actor, Actor], dice: random.Random) -> None:
        self.company, self.people, self.dice = company, people, dice
        self.versions = [PlainVersion(TODAY, company.clock.now(), "all", 30, 180, 3, True, 7, moves=False)]
        self.owned: dict[UUID, list[PlainOwnership]] = {}
        self.owners: dict[UUID, Actor] = {}
        self.calls: dict[UUID, list[date]] = {}

    @property
    def today(self) -> date:
        return local_date(self.company.clock.now(), ZONE)

    @property
    def begun(self) -> list[PlainVersion]:
        return [each for each in self.versions if each.first <= self.today]

    async def day(self) -> None:
        for act in (self.enter, self.change, self.enter, self.hand, self.follow_up):
            self.company.clock.advance(timedelta(minutes=self.dice.randint(1, 90)))
            if self.dice.random() < 0.3:
                await act()
        self.company.clock.advance(timedelta(hours=16))

    async def enter(self) -> None:
        owner = self.dice.choice(self.people)
        customer_id = await self.company.enter(f"客户{len(self.owned)}", keeper=owner)
        self.owned[customer_id], self.calls[customer_id] = [self._ownership()], []
        self.owners[customer_id] = owner

    async def hand(self) -> None:
        for customer_id in self.dice.sample(sorted(self.owned), min(1, len(self.owned))):
            (other,) = [each for each in self.people if each is not self.owners[customer_id]]
            await hand(self.company, customer_id, other)
            self.owners[customer_id] = other
            self.owned[customer_id].append(self._ownership(is_transfer=True))

    async def follow_up(self) -> None:
        for customer_id in self.dice.sample(sorted(self.owned), min(2, len(self.owned))):
            await self.company.follow_up(self.owners[customer_id], customer_id, f"拜访{self.dice.random()}")
            self.calls[customer_id].append(self.today)

    async def change(self) -> None:
        """Days that a change takes effect on never go back."""
        last = self.versions[-1]
        first = max(last.first, self.today + timedelta(days=self.dice.choice((0, 0, 3))))
        days, keeps = self.dice.choice((8, 15, 30)), self.dice.random() < 0.7
        effect, grace = self.dice.choice(EFFECTS), self.dice.randint(1, 9)
        wanted = {"recycle_follow_up_days": days, "transfer_keeps_clock": keeps, "change_effect": effect}
        moves = (days, keeps) != (last.follow_up_days, last.keeps_clock)
        now: datetime = self.company.clock.now()
        await change(self.company, len(self.versions), valid_from=first, grace_days=grace, **wanted)
        self.versions.append(PlainVersion(first, now, effect, days, 180, 3, keeps, grace, moves=moves))

    def _ownership(self, *, is_transfer: bool = False) -> PlainOwnership:
        return PlainOwnership(self.today, self.company.clock.now(), is_transfer)
