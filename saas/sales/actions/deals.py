"""Deals: entered one by one or by the thousand, by the same checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from saas.access import AccessTable, require
from saas.audit import entry_values, record_many
from saas.customers import find_owner_on, lock_visible_customers
from saas.customers.errors import CustomerNotFound
from saas.events import emit_many
from saas.kernel import Actor, AppError, Clock, local_date, new_id
from saas.people.errors import EmployeeNotFound
from saas.sales.actions.deal_rows import (
    Departments,
    credits_text,
    departments_of,
    insert_deals,
    replace_credits,
    update_deals,
)
from saas.sales.actions.performance import settle_performance
from saas.sales.errors import OpportunityNotFound
from saas.sales.events import DEAL_ENTERED
from saas.sales.queries import find_deals_by_keys, find_first_days, find_visible_opportunities
from saas.sales.rules.amounts import shown
from saas.sales.rules.credits import CreditPart
from saas.sales.rules.deals import (
    CleanDeal,
    DealValues,
    NewDeal,
    StoredDeal,
    check_customer_was_there,
    clean_deal,
    deal_exists,
    may_change,
)
from saas.sales.rules.entries import Entered, Entries, Outcome

CREDIT_PERMISSION = "deal:credit"
"""Needed to name a deal's owner or credits; without it they follow from the history of ownership."""


async def enter_deal(
    actor: Actor, new: NewDeal, *, access: AccessTable, currency: str, time_zone: str, clock: Clock
) -> UUID:
    """A new deal, credited to whoever owned the customer on the day of signing unless the caller names somebody.

    The same deal again (by its key in another system, else by its number) changes nothing.

    :raises PermissionMissing: an owner or credits are named without the right to (``deal:credit``).
    :raises BadUserInput: a value that can't be stored, shares that don't make the whole among them.
    :raises CustomerNotFound, EmployeeNotFound, OpportunityNotFound: missing, another company's, or not visible.
    :raises DealBeforeCustomer, DealWithoutOwner: the day of signing does not fit the customer.
    :raises DealExists: it is there already with other values; of several at once one is entered.
    """
    entered = await enter_deals(
        actor, [new], access=access, currency=currency, time_zone=time_zone, clock=clock, may_overwrite=False
    )
    return entered[0].record_id()


async def enter_deals(
    actor: Actor,
    rows: Sequence[NewDeal],
    *,
    access: AccessTable,
    currency: str,
    time_zone: str,
    clock: Clock,
    may_overwrite: bool = True,
    is_history: bool = False,
) -> list[Entered]:
    """Enter deals; what became of each row, in their order. A refused row changes nothing, and the others stand.

    Refusals are those of `enter_deal`. With `may_overwrite` a deal that is there already takes the row's values, and
    keeps owner, opportunity, contract's end and credits where the row names none. `is_history` says that the deals are
    from before the company used the product, so that the day on which a customer was entered says nothing.

    :raises PermissionMissing: as `enter_deal`.
    """
    if any(new.owner_id or new.credits for new in rows):
        require(access, CREDIT_PERMISSION)
    desk = _Desk(actor, access, currency, time_zone, clock, may_overwrite)
    entries = Entries.of(rows).judge(lambda new: clean_deal(new, currency=currency, today=desk.today))
    entries = (await _with_customers(desk, entries, is_history=is_history)).once(_identities)
    entries = await _with_opportunities(desk, entries)
    customers = {deal.values.customer_id for deal in entries.standing.values()}
    first_days = await find_first_days(customers)
    written: list[UUID] = []
    while entries.standing:
        written += await _enter(desk, entries)
    if written:
        before = {customer: first_days.get(customer) for customer in customers}
        await settle_performance(written, at=clock.now(), first_days_before=before)
    return entries.results()


@dataclass(frozen=True, slots=True)
class _Desk:
    """Who enters, and by which rules."""

    actor: Actor
    access: AccessTable
    currency: str
    time_zone: str
    clock: Clock
    may_overwrite: bool

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def today(self) -> date:
        return local_date(self.clock.now(), self.time_zone)


def _identities(deal: CleanDeal) -> list[tuple[str, ...]]:
    values = deal.values
    external = [("external", values.external_system or "", values.external_key)] if values.external_key else []
    return [("number", values.number), *external]


async def _with_customers(desk: _Desk, entries: Entries[CleanDeal], *, is_history: bool) -> Entries[CleanDeal]:
    """Those of customers that the caller may see and that were there on the day; the customers are locked."""
    wanted = {deal.values.customer_id for deal in entries.standing.values()}
    since = await lock_visible_customers(desk.actor, desk.access, wanted, time_zone=desk.time_zone)

    def check(deal: CleanDeal) -> CleanDeal:
        if deal.values.customer_id not in since:
            raise CustomerNotFound("customers.not_found", field=("customer",))
        if not is_history:
            check_customer_was_there(deal.values.signed_on, since=since[deal.values.customer_id])
        return deal

    return entries.judge(check)


async def _with_opportunities(desk: _Desk, entries: Entries[CleanDeal]) -> Entries[CleanDeal]:
    wanted = {deal.values.opportunity_id for deal in entries.standing.values()} - {None}
    if not wanted:
        return entries
    known = await find_visible_opportunities(desk.actor, desk.access, [each for each in wanted if each is not None])

    def check(deal: CleanDeal) -> CleanDeal:
        if deal.values.opportunity_id is not None and deal.values.opportunity_id not in known:
            raise OpportunityNotFound("sales.opportunity_not_found", field=("opportunity",))
        return deal

    return entries.judge(check)


async def _enter(desk: _Desk, entries: Entries[CleanDeal]) -> list[UUID]:
    """Write what is new or changed; rows whose number or key was taken meanwhile stay standing, for another look."""
    matches = _Matches(
        await find_deals_by_keys(
            [deal.values.number for deal in entries.standing.values()],
            [(deal.values.external_system, deal.values.external_key) for deal in entries.standing.values()],
        )
    )
    changed: dict[int, tuple[StoredDeal, CleanDeal]] = {}
    for place, deal in list(entries.standing.items()):
        stored = matches.of(deal)
        if stored is not None:
            wanted = _kept(stored, deal)
            refusal = _refusal(desk, matches, stored, wanted)
            if refusal is not None:
                entries.refuse(place, refusal)
            elif (wanted.values, wanted.credits) == (stored.values, stored.credits):
                entries.settle(place, Outcome.UNCHANGED, stored.id)
            else:
                del entries.standing[place]
                changed[place] = (stored, wanted)
    return [*await _change(desk, entries, changed), *await _create(desk, entries)]


class _Matches:
    """The deals that are there already, by what a row names them by."""

    def __init__(self, stored: Sequence[StoredDeal]) -> None:
        self.by_number = {deal.values.number: deal for deal in stored}
        self._by_key: dict[tuple[str | None, str | None], StoredDeal] = {
            (deal.values.external_system, deal.values.external_key): deal
            for deal in stored
            if deal.values.external_key is not None
        }

    def of(self, deal: CleanDeal) -> StoredDeal | None:
        """The deal that the row means: by its key, else by its number."""
        values = deal.values
        return self._by_key.get((values.external_system, values.external_key)) or self.by_number.get(values.number)


def _kept(stored: StoredDeal, entered: CleanDeal) -> CleanDeal:
    """The row as a change of the deal: what it does not name stays."""
    values = replace(
        entered.values,
        owner_id=entered.owner_id or stored.values.owner_id,
        opportunity_id=entered.values.opportunity_id or stored.values.opportunity_id,
        contract_ends_on=entered.values.contract_ends_on or stored.values.contract_ends_on,
    )
    if values.external_key is None:
        system, key = stored.values.external_system, stored.values.external_key
        values = replace(values, external_system=system, external_key=key)
    return CleanDeal(values, values.owner_id, entered.credits or stored.credits)


def _refusal(desk: _Desk, matches: _Matches, stored: StoredDeal, wanted: CleanDeal) -> AppError | None:
    """Why the row may not be that deal, with these values."""
    if (wanted.values, wanted.credits) == (stored.values, stored.credits):
        return None
    number_of = matches.by_number.get(wanted.values.number, stored)
    same_key = stored.values.external_key in (None, wanted.values.external_key)
    same_customer = stored.values.customer_id == wanted.values.customer_id
    if not desk.may_overwrite or number_of.id != stored.id or not same_key or not same_customer:
        return deal_exists(number_of)
    return may_change(stored, wanted, currency=desk.currency)


async def _change(
    desk: _Desk, entries: Entries[CleanDeal], changed: Mapping[int, tuple[StoredDeal, CleanDeal]]
) -> list[UUID]:
    if not changed:
        return []
    departments = await departments_of(wanted for _, wanted in changed.values())
    rows: list[tuple[UUID, CleanDeal]] = []
    for place, (stored, wanted) in changed.items():
        missing = _stranger(wanted, departments)
        if missing is not None:
            entries.outcomes[place] = Entered(Outcome.REFUSED, refusal=missing)
            continue
        entries.outcomes[place] = Entered(Outcome.CHANGED, stored.id)
        rows.append((stored.id, wanted))
    ids = [deal_id for deal_id, _ in rows]
    await update_deals(rows, departments)
    await replace_credits([(deal_id, deal.values.signed_on, deal.credits) for deal_id, deal in rows], departments)
    before = {stored.id: stored for stored, _ in changed.values()}
    await _tell(desk, "deal.changed", [(deal_id, before[deal_id], deal) for deal_id, deal in rows])
    return ids


async def _create(desk: _Desk, entries: Entries[CleanDeal]) -> list[UUID]:
    owned = await _with_owners(desk, entries)
    if not owned:
        return []
    departments = await departments_of(owned.values())
    fresh: dict[UUID, int] = {}
    for place, deal in owned.items():
        missing = _stranger(deal, departments)
        if missing is not None:
            entries.refuse(place, missing)
        else:
            fresh[new_id()] = place
    rows = sorted(((deal_id, owned[place]) for deal_id, place in fresh.items()), key=_in_order_of_keys)
    made = await insert_deals(rows, departments, at=desk.now)
    rows = [(deal_id, deal) for deal_id, deal in rows if deal_id in made]
    for deal_id, _ in rows:
        entries.settle(fresh[deal_id], Outcome.NEW, deal_id)
    await replace_credits([(deal_id, deal.values.signed_on, deal.credits) for deal_id, deal in rows], departments)
    await _tell(desk, "deal.entered", [(deal_id, None, deal) for deal_id, deal in rows])
    return [deal_id for deal_id, _ in rows]


def _in_order_of_keys(row: tuple[UUID, CleanDeal]) -> tuple[str, str, str]:
    """Two entries that take the same numbers wait for each other in one order, never crosswise."""
    values = row[1].values
    return values.number, values.external_system or "", values.external_key or ""


async def _with_owners(desk: _Desk, entries: Entries[CleanDeal]) -> dict[int, CleanDeal]:
    """New deals with their owners, named or found in the history of ownership."""
    deals = entries.standing.values()
    history = await find_owner_on(
        [(deal.values.customer_id, deal.values.signed_on) for deal in deals if deal.owner_id is None]
    )
    owned = entries.judge(
        lambda deal: deal.owned_by(history.get((deal.values.customer_id, deal.values.signed_on)))
    ).standing
    for place in [place for place in entries.standing if place not in owned]:
        del entries.standing[place]
    return owned


def _stranger(deal: CleanDeal, departments: Departments) -> AppError | None:
    """The refusal of a deal whose owner, or whoever is credited, is nobody on this company's staff."""
    day = deal.values.signed_on
    if (deal.values.owner_id, day) not in departments:
        return EmployeeNotFound("people.employee_not_found", field=("owner",))
    if any((part.employee_id, day) not in departments for part in deal.credits):
        return EmployeeNotFound("people.employee_not_found", field=("credits",))
    return None


async def _tell(desk: _Desk, action: str, rows: Sequence[tuple[UUID, StoredDeal | None, CleanDeal]]) -> None:
    """The trail and the event of each deal."""
    entries = [
        entry_values(
            desk.actor,
            action,
            object_type="Deal",
            object_id=deal_id,
            changes=_changes(before, deal, desk.currency),
            clock=desk.clock,
        )
        for deal_id, before, deal in rows
    ]
    await record_many(entries)
    await emit_many(
        DEAL_ENTERED,
        [{"deal_id": str(deal_id), "customer_id": str(deal.values.customer_id)} for deal_id, _, deal in rows],
    )


def _changes(before: StoredDeal | None, after: CleanDeal, currency: str) -> dict[str, list[str | None]]:
    """What the trail says of a deal: number, days, amount, owner and credits, where they are new."""
    was = _facts(before.values, before.credits, currency) if before else {}
    now = _facts(after.values, after.credits, currency)
    return {name: [was.get(name), value] for name, value in now.items() if was.get(name) != value}


def _facts(values: DealValues, parts: Sequence[CreditPart], currency: str) -> dict[str, str]:
    ends_on = values.contract_ends_on
    return {
        "number": values.number,
        "signed_on": values.signed_on.isoformat(),
        **({} if ends_on is None else {"contract_ends_on": ends_on.isoformat()}),
        "amount": shown(values.amount_minor, currency),
        "owner": str(values.owner_id),
        "credits": credits_text(parts),
    }
