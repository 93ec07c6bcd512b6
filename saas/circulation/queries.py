"""What the room's actions and jobs find out: policies, histories of customers, what reps hold, what is visible."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from saas.access import AccessTable, scope_predicate
from saas.circulation.errors import AssessmentNotFound, DeclineNotFound, LineNotFound
from saas.circulation.policies import ASSESSMENT_SCOPES, DECLINE_SCOPES, LINE_SCOPES, PERSON_SCOPES
from saas.circulation.rules.assessing import HeldCustomer, Rep
from saas.circulation.rules.declines import CustomerHistory, MonthFigure, looked_at
from saas.circulation.rules.terms import TERMS, AssessmentTerms, DeclineTerms, PolicyKind, Terms, UseMeasure
from saas.customers import Asked, FollowUpFacts, PoolHolding, PoolSettings, effective_days, find_held_by
from saas.kernel import Actor, Explanation, Period
from saas.people import find_hire_days
from saas.sales import (
    CustomerFigures,
    find_activity,
    find_customer_figures,
    find_open_opportunities,
    find_worked_on,
)
from tenants import current_tenant_id, current_transaction

_POLICIES = """
SELECT version, terms::text AS terms, valid_from FROM circulation_policy
WHERE tenant_id = $1 AND pool_id = $2 AND kind = $3 ORDER BY version DESC
"""


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """A version of a pool's policy."""

    version: int
    terms: Terms
    valid_from: date


async def find_policies(pool_id: UUID, kind: PolicyKind) -> list[StoredPolicy]:
    """All versions of a pool's policy, the newest first."""
    rows = await current_transaction().fetch(_POLICIES, current_tenant_id(), pool_id, kind.value)
    return [
        StoredPolicy(row["version"], TERMS[kind].of_plain(json.loads(row["terms"])), row["valid_from"]) for row in rows
    ]


async def find_decline_policy(pool_id: UUID, *, on: date) -> tuple[int, DeclineTerms] | None:
    """Version and terms by which customers of a pool decline on a day; None without a policy, or while it is off."""
    found = _in_force(await find_policies(pool_id, PolicyKind.DECLINE), on)
    return (found.version, found.terms) if found and isinstance(found.terms, DeclineTerms) else None


async def find_assessment_policy(pool_id: UUID, *, on: date) -> tuple[int, AssessmentTerms] | None:
    """Version and terms by which reps of a pool are assessed on a day; None without a policy, or while it is off."""
    found = _in_force(await find_policies(pool_id, PolicyKind.ASSESSMENT), on)
    return (found.version, found.terms) if found and isinstance(found.terms, AssessmentTerms) else None


def _in_force(policies: Sequence[StoredPolicy], on: date) -> StoredPolicy | None:
    found = next((each for each in policies if each.valid_from <= on), None)
    return found if found is not None and found.terms.is_enabled else None


async def find_entries(
    customer_ids: Collection[UUID], *, since: date, time_zone: str
) -> dict[UUID, Sequence[FollowUpFacts]]:
    """What was done with customers since the beginning of a day, in the order of entry; who has nothing is missing."""
    midnight = datetime.combine(since, time.min, ZoneInfo(time_zone))
    found = await find_activity(dict.fromkeys(customer_ids, Asked(midnight, asks_opportunities=False)))
    return {customer_id: activity.follow_ups for customer_id, activity in found.items()}


async def gather_histories(
    held: Sequence[PoolHolding], terms: DeclineTerms, settings: PoolSettings, *, today: date, time_zone: str
) -> list[CustomerHistory]:
    """What declines of some customers are judged by, in four statements."""
    ids, period = [each.customer_id for each in held], looked_at(terms, today=today)
    figures = await find_customer_figures(ids, period)
    entries = await find_entries(ids, since=period.first, time_zone=time_zone)
    rules = settings.recycle_rules()
    return [
        CustomerHistory(
            customer_id=each.customer_id,
            received_on=each.received_on,
            known_from=figures[each.customer_id].first_deal_on,
            deals=_months(figures[each.customer_id].deals),
            collections=_months(figures[each.customer_id].collections),
            follow_up_days=effective_days(entries.get(each.customer_id, ()), rules, today=today),
        )
        for each in held
    ]


def _months(figures: Mapping[date, tuple[int, int]]) -> dict[date, MonthFigure]:
    return {month: MonthFigure(count, minor) for month, (count, minor) in figures.items()}


async def gather_reps(
    pool_id: UUID, owner_ids: Collection[UUID], settings: PoolSettings, *, period: Period, today: date, time_zone: str
) -> list[Rep]:
    """The people with all that they hold of a pool and what it showed in a period; who left the staff is not there."""
    hired = await find_hire_days(owner_ids)
    held = [each for each in await find_held_by(pool_id, owner_ids, today=today) if each.owner_id in hired]
    ids = [each.customer_id for each in held]
    shown = await _Shown.of(ids, period, settings, today=today, time_zone=time_zone)
    by_owner: dict[UUID, list[PoolHolding]] = {}
    for each in held:
        by_owner.setdefault(each.owner_id, []).append(each)
    return [
        Rep(owner_id, theirs[0].department_id, hired[owner_id], tuple(shown.customer(each) for each in theirs))
        for owner_id, theirs in by_owner.items()
    ]


@dataclass(frozen=True, slots=True)
class _Shown:
    """What customers showed in a period."""

    figures: Mapping[UUID, CustomerFigures]
    days: Mapping[UUID, tuple[date, ...]]
    worked_on: set[UUID]
    open: set[UUID]
    period: Period

    @classmethod
    async def of(
        cls, ids: Sequence[UUID], period: Period, settings: PoolSettings, *, today: date, time_zone: str
    ) -> _Shown:
        entries = await find_entries(ids, since=period.first, time_zone=time_zone)
        rules = settings.recycle_rules()
        return cls(
            figures=await find_customer_figures(ids, period),
            days={each: effective_days(entries.get(each, ()), rules, today=today) for each in ids},
            worked_on=await find_worked_on(ids, period, time_zone=time_zone),
            open=await find_open_opportunities(ids),
            period=period,
        )

    def customer(self, held: PoolHolding) -> HeldCustomer:
        """Deals and receipts of the period count whoever owned it then; follow-ups too."""
        figures, days = self.figures[held.customer_id], self.days[held.customer_id]
        deals, collected = list(figures.deals.values()), list(figures.collections.values())
        shows = {
            UseMeasure.FOLLOWED_UP: any(day in self.period for day in days),
            UseMeasure.DEALS: any(count for count, _ in deals),
            UseMeasure.COLLECTIONS: any(count for count, _ in collected),
            UseMeasure.OPPORTUNITIES: held.customer_id in self.worked_on,
        }
        return HeldCustomer(
            customer_id=held.customer_id,
            ownership_id=held.ownership_id,
            received_on=held.received_on,
            uses=frozenset(measure for measure, is_shown in shows.items() if is_shown),
            deals_minor=sum(minor for _, minor in deals),
            collected_minor=sum(minor for _, minor in collected),
            last_follow_up_on=days[-1] if days else None,
            is_marked=held.is_marked,
            has_open_opportunity=held.customer_id in self.open,
        )


async def require_visible_assessment(actor: Actor, access: AccessTable, assessment_id: UUID) -> None:
    """Refuse where the caller does not see the assessment.

    :raises AssessmentNotFound: missing, another company's, or not visible.
    """
    sql = _visible_sql("assessment", "Assessment", access.visible("Assessment"))
    if await current_transaction().fetchrow(sql, current_tenant_id(), actor.employee_id, assessment_id) is None:
        raise AssessmentNotFound("circulation.assessment_not_found").at("input", "assessment")


async def get_visible_line(actor: Actor, access: AccessTable, line_id: UUID) -> asyncpg.Record:
    """A customer of an assessment that the caller sees, as its row is.

    :raises LineNotFound: missing, another company's, or not visible.
    """
    sql = _visible_sql("assessment_customer", "AssessmentCustomer", access.visible("AssessmentCustomer"))
    row = await current_transaction().fetchrow(sql, current_tenant_id(), actor.employee_id, line_id)
    if row is None:
        raise LineNotFound("circulation.line_not_found").at("input", "line")
    return row


async def explain_decline(actor: Actor, access: AccessTable, *, decline_id: UUID) -> Explanation:
    """Why a customer counts as declining.

    :raises DeclineNotFound: missing, another company's, or not visible.
    """
    sql = _visible_sql("customer_decline", "CustomerDecline", access.visible("CustomerDecline"))
    row = await current_transaction().fetchrow(sql, current_tenant_id(), actor.employee_id, decline_id)
    if row is None:
        raise DeclineNotFound("circulation.decline_not_found", field=("id",))
    return Explanation.of_plain(json.loads(row["explanation"]))


async def explain_line(actor: Actor, access: AccessTable, *, line_id: UUID) -> Explanation:
    """Why a customer is among those that an assessment reclaims.

    :raises LineNotFound: missing, another company's, or not visible.
    """
    row = await get_visible_line(actor, access, line_id)
    return Explanation.of_plain(json.loads(row["explanation"]))


async def explain_person(actor: Actor, access: AccessTable, *, person_id: UUID) -> Explanation:
    """How well a rep uses what they hold, and how many customers that reclaims.

    :raises LineNotFound: missing, another company's, or not visible.
    """
    sql = _visible_sql("assessment_person", "AssessmentPerson", access.visible("AssessmentPerson"))
    row = await current_transaction().fetchrow(sql, current_tenant_id(), actor.employee_id, person_id)
    if row is None:
        raise LineNotFound("circulation.line_not_found", field=("id",))
    return Explanation.of_plain(json.loads(row["explanation"]))


_SCOPES: Mapping[str, Mapping[str, str]] = {
    "assessment": ASSESSMENT_SCOPES,
    "assessment_customer": LINE_SCOPES,
    "assessment_person": PERSON_SCOPES,
    "customer_decline": DECLINE_SCOPES,
}


@lru_cache(maxsize=64)
def _visible_sql(table: str, name: str, scopes: frozenset[str]) -> str:
    """The row of the table behind the type of that `name`, where the caller sees it."""
    visible = scope_predicate(_SCOPES[table], scopes, alias="t", tenant="$1", employee="me.id")
    return f"""
        SELECT t.* FROM {table} t CROSS JOIN (SELECT $2::uuid AS id) me
        WHERE t.tenant_id = $1 AND t.id = $3 AND {visible}
    """
