"""Follow-ups: by the owner alone, of what has happened, and the customer's last one never goes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from saas.customers.errors import CustomerNotFound
from saas.kernel import Actor, AppError, BadUserInput, new_id
from saas.sales import create_follow_up
from saas.sales.errors import FollowUpInTheFuture, FollowUpOfForeignCustomer
from saas.sales.models import FollowUp
from tests.staging import ALL, REP, ZONE, Company, refused

LAST = "SELECT last_follow_up_at FROM customer WHERE id = $1"


@pytest_asyncio.fixture(loop_scope="session")
async def rep(company: Company) -> Actor:
    return await company.hire("0002")


async def follow_up(
    company: Company,
    actor: Actor,
    customer_id: UUID,
    *,
    kind: str = "call",
    content: str = "已约下周面谈",
    at: datetime | None = None,
    sees_all: bool = False,
) -> FollowUp:
    return await company.within(
        lambda: create_follow_up(
            actor,
            customer_id=customer_id,
            kind=kind,
            content=content,
            occurred_at=at,
            access=ALL if sees_all else REP,
            time_zone=ZONE,
            clock=company.clock,
        )
    )


async def test_a_follow_up_is_kept_with_its_day_and_told(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光", keeper=rep)
    at = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)
    made = await follow_up(company, rep, customer_id, kind="visit", content=" 已签到 ", at=at)
    assert await company.rows(
        "SELECT customer_id, author_id, kind, content, occurred_at, occurred_on, created_at FROM follow_up"
    ) == [(customer_id, rep.employee_id, "visit", "已签到", at, date(2026, 11, 22), company.clock.now())]
    assert await company.value(LAST, customer_id) == at
    assert await company.value("SELECT version FROM customer") == 1
    assert await company.rows("SELECT object_type FROM audit_entry WHERE object_id = $1", made.id) == [("FollowUp",)]
    assert await company.rows("SELECT payload::text FROM outbox WHERE topic = 'sales.follow_up_recorded'") == [
        (f'{{"customer_id": "{customer_id}", "follow_up_id": "{made.id}"}}',)
    ]
    assert "已签到" not in repr(
        await company.rows("SELECT a::text FROM audit_entry a UNION ALL SELECT o::text FROM outbox o")
    )


async def test_the_last_follow_up_never_goes_back(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光", keeper=rep)
    now = company.clock.now()
    for days, last in ((3, 3), (1, 1), (2, 1), (0, 0), (9, 0)):
        await follow_up(company, rep, customer_id, at=now - timedelta(days=days))
        assert await company.value(LAST, customer_id) == now - timedelta(days=last)
    assert await company.value("SELECT count(*) FROM follow_up") == 5


async def test_a_phones_clock_may_run_ahead_a_little(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光", keeper=rep)
    made = await follow_up(company, rep, customer_id, at=company.clock.now() + timedelta(minutes=5))
    assert made.occurred_at == company.clock.now()


@pytest.mark.parametrize(
    ("kind", "content", "ahead", "error", "field"),
    [
        ("call", "x", timedelta(minutes=6), FollowUpInTheFuture, "occurredAt"),
        ("call", " ", None, BadUserInput, "content"),
        ("call", "x" * 4001, None, BadUserInput, "content"),
        ("dream", "x", None, BadUserInput, "kind"),
    ],
)
async def test_bad_values_change_nothing(
    company: Company,
    rep: Actor,
    kind: str,
    content: str,
    ahead: timedelta | None,
    error: type[AppError],
    field: str,
) -> None:
    customer_id = await company.enter("晨光", keeper=rep)
    before = await company.everything()
    at = company.clock.now() + ahead if ahead else None
    refusal = await refused(follow_up(company, rep, customer_id, kind=kind, content=content, at=at))
    assert isinstance(refusal, error)
    assert refusal.field == ("input", field)
    assert await company.everything() == before


async def test_only_the_owner_follows_up(company: Company, rep: Actor) -> None:
    other = await company.hire("0003")
    foreign, pooled = await company.enter("甲", keeper=other), await company.enter("乙")
    before = await company.everything()
    assert isinstance(await refused(follow_up(company, rep, foreign, sees_all=True)), FollowUpOfForeignCustomer)
    assert isinstance(await refused(follow_up(company, rep, pooled)), FollowUpOfForeignCustomer)
    outsider = replace(rep, employee_id=None)
    assert isinstance(await refused(follow_up(company, outsider, pooled)), FollowUpOfForeignCustomer)
    hidden, missing = [await refused(follow_up(company, rep, customer_id)) for customer_id in (foreign, new_id())]
    assert isinstance(hidden, CustomerNotFound)
    assert str(hidden) == str(missing)
    assert await company.everything() == before


async def test_who_gave_the_customer_back_follows_up_no_more(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光", keeper=rep)
    await company.release(rep, customer_id)
    assert isinstance(await refused(follow_up(company, rep, customer_id)), FollowUpOfForeignCustomer)


async def test_the_database_knows_the_kinds(company: Company, rep: Actor) -> None:
    await follow_up(company, rep, await company.enter("晨光", keeper=rep))
    with pytest.raises(asyncpg.CheckViolationError, match="follow_up_kind"):
        await company.run("UPDATE follow_up SET kind = 'dream'")
