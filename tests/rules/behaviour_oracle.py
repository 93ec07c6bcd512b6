"""The tallies of behaviour reports reckoned again, day by day and row by row, from the page that defines them.

It shares nothing with the product but the values it is given: whether a text counts is asked anew as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

from saas.analytics.behaviour import CustomerFacts, Seat, Tally, Terms
from saas.customers import HeldOwnership
from saas.kernel import Period
from saas.sales import Touch

DAY = timedelta(days=1)


def tallies_of(customers: Sequence[CustomerFacts], period: Period, by: Terms) -> dict[Seat, Tally]:
    found: dict[Seat, Tally] = {}
    for customer in customers:
        rows = customer.held.ownerships
        for place, row in enumerate(rows):
            if (
                row.pool_id in by.pools
                and row.started_on < _end(period)
                and (not row.ended_on or row.ended_on >= period.first)
            ):
                tally = found.setdefault((row.owner_id, row.department_id), Tally())
                _add(tally, customer, place, period, by)
    return found


def _end(period: Period) -> date:
    assert period.until is not None
    return period.until


def first_of_holding(rows: Sequence[HeldOwnership], place: int) -> int:
    """Back over transfers on one day within one department."""
    while place > 0:
        row, before = rows[place], rows[place - 1]
        same = (
            before.end_kind == "transfer"
            and before.ended_on == row.started_on
            and before.department_id == row.department_id
        )
        if not same:
            break
        place -= 1
    return place


def counting(customer: CustomerFacts, place: int, by: Terms) -> tuple[list[Touch], list[Touch]]:
    """The follow-ups that count in the holding of an ownership, whole, and those that are the ownership's own."""
    rows = customer.held.ownerships
    first = first_of_holding(rows, place)
    last = place
    while last + 1 < len(rows) and first_of_holding(rows, last + 1) == first:
        last += 1
    after = rows[last + 1].started_at if last + 1 < len(rows) else None
    whole, texts = [], set()
    for touch in customer.touches:
        inside = touch.at >= rows[first].started_at and (after is None or touch.at < after)
        inside = inside and touch.on <= (rows[last].ended_on or by.today)
        if not inside:
            continue
        mine = [
            each
            for each in rows[first : last + 1]
            if each.owner_id == touch.author_id and each.started_on <= touch.on <= (each.ended_on or date.max)
        ]
        good = touch.kind == "visit" or (touch.kind == "note" and len(touch.content) >= 20)
        if mine and good and touch.content not in texts:
            whole.append((touch, mine[-1]))
        texts.add(touch.content)
    return [touch for touch, _ in whole], [touch for touch, owner in whole if owner is rows[place]]


def _add(tally: Tally, customer: CustomerFacts, place: int, period: Period, by: Terms) -> None:
    rows, sums = customer.held.ownerships, tally.sums
    row = rows[place]
    whole, own = counting(customer, place, by)
    sums["held"] += 1
    sums["opening"] += row.started_on < period.first
    sums["closing"] += not row.ended_on or row.ended_on >= _end(period)
    if row.started_on >= period.first:
        sums["in_" + row.start_kind] += 1
    if row.ended_on and row.ended_on < _end(period):
        sums[f"out_{row.end_kind}"] += 1
        if row.end_kind == "recycle" and not own:
            sums["expired_untouched"] += 1
    _touches(tally, customer, own, period, by)
    _silence(tally, customer, place, whole, period, by)
    if row.started_on >= period.first:
        _answer(tally, customer, row, own, by)
        _conversion(sums, customer, row, by)


def _touches(tally: Tally, customer: CustomerFacts, own: list[Touch], period: Period, by: Terms) -> None:
    received = min(each.started_on for each in customer.held.ownerships)
    deals = [each.signed_on for each in customer.deals]
    for touch in own:
        if period.first <= touch.on < _end(period):
            tally.sums["touches"] += 1
            is_new = bool(deals) and period.first <= min(deals) < _end(period)
            tally.sums["new_touches"] += is_new or touch.on < received + by.new_days * DAY
    tally.sums["touched"] += any(period.first <= touch.on < _end(period) for touch in own)
    days = sorted({touch.on for touch in own})
    for place in range(1, len(days)):
        if period.first <= days[place] < _end(period):
            tally.gaps[(days[place] - days[place - 1]).days] += 1


def _silence(tally: Tally, customer: CustomerFacts, place: int, whole: list[Touch], period: Period, by: Terms) -> None:
    rows = customer.held.ownerships
    row = rows[place]
    rule = by.pools[row.pool_id].rules.no_follow_up
    limit = 30 if rule.days is None else rule.days_by_level.get(customer.held.level or "", rule.days)
    begins = max(rows[first_of_holding(rows, place)].started_on, customer.held.created_on)
    year = sum(
        each.amount_minor
        for each in customer.deals
        if _end(period).replace(year=_end(period).year - 1) <= each.signed_on < _end(period)
    )
    worth = customer.collected[0] or year or by.unit
    today = period.first
    while today < _end(period):
        if row.started_on <= today <= by.today and (row.ended_on is None or today < row.ended_on):
            since = max([begins, *(each.on for each in whole if each.on <= today)])
            is_silent = (today - since).days > limit
            tally.sums["held_days"] += 1
            tally.sums["silent_days"] += is_silent
            tally.sums["held_worth"] += worth
            tally.sums["silent_worth"] += worth * is_silent
        today += DAY


def _answer(tally: Tally, customer: CustomerFacts, row: HeldOwnership, own: list[Touch], by: Terms) -> None:
    if row.start_kind in ("claim", "assign", "automatic"):
        rule = by.pools[row.pool_id].rules.no_follow_up
        limit = 30 if rule.days is None else rule.days_by_level.get(customer.held.level or "", rule.days)
        if own:
            tally.answers[int((min(each.at for each in own) - row.started_at).total_seconds())] += 1
        elif row.ended_on or row.started_on + limit * DAY < by.today:
            tally.sums["never_answered"] += 1
        else:
            tally.sums["waiting"] += 1


def _conversion(sums: Counter[str], customer: CustomerFacts, row: HeldOwnership, by: Terms) -> None:
    if row.start_kind not in ("claim", "assign", "automatic", "transfer"):
        return
    last = row.started_on + by.conversion_days * DAY
    won = [
        each
        for each in customer.deals
        if row.started_on <= each.signed_on <= last and (row.ended_on is None or each.signed_on <= row.ended_on)
    ]
    taken = row.end_kind in ("transfer", "merge", "separation") and row.ended_on is not None and row.ended_on < last
    if by.today <= last or (taken and not won):
        sums["censored"] += 1
    else:
        sums["cohort_" + row.start_kind] += 1
        sums["won_" + row.start_kind] += bool(won)
