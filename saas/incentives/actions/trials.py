"""Trying rules on real deals before they are saved: what would these deals earn?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from saas.access import AccessTable
from saas.incentives.actions.plans import draft_problems
from saas.incentives.errors import TrialRefused
from saas.incentives.queries import find_recorded_deals
from saas.incentives.rules.accruals import accrue_each
from saas.incentives.rules.lines import Accrual
from saas.incentives.rules.plans import Plan
from saas.incentives.rules.recorded import as_if_always, facts_of
from saas.incentives.rules.settling import periods_through
from saas.kernel import Actor, AppErrors
from saas.sales import find_visible_deals
from saas.sales.errors import DealNotFound

DEALS_MAX = 50


async def try_rules(
    actor: Actor, plan: Plan, *, deal_ids: Sequence[UUID], access: AccessTable, today: date
) -> list[Accrual]:
    """The lines that deals would have earned up to today, had the one version of `plan` always been in force.

    For everybody credited with them, whoever takes part; tiers add up over these deals alone. Nothing is stored.

    :raises AppErrors: what saving the plan would be refused for, or facts that no line may rest on.
    :raises TrialRefused: no deals, or more than 50.
    :raises DealNotFound: missing, another company's, or not visible.
    """
    problems = [*draft_problems(plan, None)]
    if problems:
        raise AppErrors(problems)
    if not 0 < len(deal_ids) <= DEALS_MAX:
        raise TrialRefused("incentives.trial_size", {"deals": len(deal_ids), "most": DEALS_MAX}, field=("deals",))
    visible = await find_visible_deals(actor, access, deal_ids)
    for place, deal_id in enumerate(deal_ids):
        if deal_id not in visible:
            raise DealNotFound("sales.deal_not_found", field=("deals", str(place)))
    recorded = await find_recorded_deals(plan, deals=deal_ids, before=today + timedelta(days=1))
    always = as_if_always(plan, since=min(deal.signed_on for deal in recorded.deals))
    periods = periods_through(always, always.cycle.period_of(today))
    lines = await asyncio.to_thread(accrue_each, facts_of(recorded, always), always, periods=periods)
    return sorted((line for each in lines.values() for line in each), key=lambda line: line.place)
