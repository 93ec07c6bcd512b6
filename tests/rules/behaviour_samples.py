"""Histories for tests of behaviour reports: short ways to write them, and all of them from random numbers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from uuid import UUID

from saas.analytics.behaviour import CustomerFacts, Seat, Tally, Terms, observe, period_of
from saas.customers import HeldCustomer, HeldOwnership, ReportedPool
from saas.customers.recycling import InactivityRule, RecycleRules
from saas.kernel import Period
from saas.sales import SignedDeal, Touch

FIRST = date(2026, 3, 1)
MARCH = period_of(FIRST, date(2026, 3, 31))
TODAY = date(2026, 12, 31)
POOL, OTHER_POOL = UUID(int=9), UUID(int=8)
ANN, BOB, CAT = (UUID(int=number) for number in (1, 2, 3))
EAST, WEST = UUID(int=101), UUID(int=102)
LONG = "谈了新一年的采购计划并约定下周三再去现场演示产品功能"


def day(number: int) -> date:
    """The day of March; 0 and below lie before."""
    return FIRST + timedelta(days=number - 1)


def at(number: int, hour: int = 9) -> datetime:
    return datetime.combine(day(number), time(hour), tzinfo=UTC)


def owned(
    owner: UUID,
    begins: int,
    ends: int | None = None,
    *,
    start: str = "claim",
    end: str = "release",
    team: UUID = EAST,
    pool: UUID = POOL,
) -> HeldOwnership:
    """An ownership between days of March, from nine o'clock to nine o'clock."""
    ended = None if ends is None else at(ends)
    ended_on, end_kind = (None, None) if ends is None else (day(ends), end)
    return HeldOwnership(owner, team, pool, at(begins), day(begins), ended, ended_on, start, end_kind)


def visit(author: UUID, number: int, text: str = "", *, hour: int = 15, kind: str = "visit") -> Touch:
    """A visit, which counts with any text that is not a copy."""
    when = at(number, hour)
    return Touch(on=day(number), author_id=author, kind=kind, content=text or f"第 {number} 日 {hour} 时拜访", at=when)


def deal(number: int, amount: int = 100_00) -> SignedDeal:
    return SignedDeal(day(number), amount)


def customer(
    *ownerships: HeldOwnership, created: int = -400, level: str | None = None, number: int = 1
) -> HeldCustomer:
    return HeldCustomer(UUID(int=1000 + number), day(created), level, ownerships)


def terms(*, days: int | None = 10, today: date = TODAY, conversion: int = 20, new: int = 30) -> Terms:
    rules = RecycleRules(no_follow_up=InactivityRule(days, {"A": 5} if days else {}))
    return Terms({POOL: ReportedPool(POOL, "公海", 1, rules, cooldown_days=7)}, new, conversion, today, unit=100)


def tallied(*customers: CustomerFacts, period: Period = MARCH, by: Terms | None = None) -> dict[Seat, Tally]:
    """The tallies of one period."""
    found: dict[Seat, Tally] = {}
    for each in customers:
        observe(each, [period], by or terms(), [found])
    return found


def history(seed: int, *, today: date = TODAY, customers: int = 12) -> list[CustomerFacts]:
    """Customers that went from hand to hand around March, with follow-ups that count and others, and deals."""
    random = Random(seed)
    return [_customer(random, number, min(80, (today - day(1)).days + 1)) for number in range(customers)]


def _customer(random: Random, number: int, until: int) -> CustomerFacts:
    """What happened up to a day of March."""
    held = customer(
        *_chain(random, until), created=random.choice((-400, -5)), level=random.choice((None, "A")), number=number
    )
    days = sorted(random.randrange(-40, until + 1) for _ in range(random.randrange(3)))
    return CustomerFacts(
        held,
        [_touch(random, until) for _ in range(random.randrange(9))],
        [deal(each, random.randrange(1, 9) * 100) for each in days],
        [random.choice((0, 0, 500))],
    )


def _chain(random: Random, until: int) -> list[HeldOwnership]:
    """Ownerships one after the other: by transfer the next begins at that instant, else some days later."""
    found: list[HeldOwnership] = []
    begins, start = (
        random.randrange(-30, min(20, until + 1)),
        random.choice(("claim", "assign", "automatic", "created", "imported")),
    )
    while begins <= until and len(found) < 5:
        owner, team = random.choice(((ANN, EAST), (BOB, EAST), (CAT, WEST)))
        pool = POOL if random.random() < 0.9 else OTHER_POOL
        ends = begins + random.randrange(25)
        if random.random() < 0.3 or ends > until:
            found.append(owned(owner, begins, start=start, team=team, pool=pool))
            break
        end = random.choice(("release", "recycle", "transfer", "transfer", "separation"))
        found.append(owned(owner, begins, ends, start=start, end=end, team=team, pool=pool))
        gap = 0 if end == "transfer" else random.randrange(1, 20)
        begins, start = ends + gap, "transfer" if end == "transfer" else random.choice(("claim", "assign", "automatic"))
    return found


def _touch(random: Random, until: int) -> Touch:
    number, author = random.randrange(-30, until + 1), random.choice((ANN, BOB, CAT))
    kind, text = random.choice((("visit", ""), ("visit", "老样子"), ("note", "短"), ("note", LONG), ("message", LONG)))
    return visit(author, number, text, hour=random.choice((8, 9, 18)), kind=kind)


def plain(tallies: Mapping[Seat, Tally]) -> dict[Seat, tuple[dict[str, int], object, object]]:
    """What tallies hold that is not nothing."""
    return {
        seat: ({name: number for name, number in tally.sums.items() if number}, +tally.gaps, +tally.answers)
        for seat, tally in tallies.items()
    }
