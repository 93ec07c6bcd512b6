"""Customers that come in sheets: checked for duplicates, limits and quota as every other new customer is (L17)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from saas.access import require
from saas.audit import entry_values, record_many
from saas.customers.actions.customer_rows import (
    CustomerValues,
    Holding,
    StoredCustomer,
    count_held,
    find_alike,
    insert_customers,
    remove_customers,
    update_customers,
)
from saas.customers.actions.duplicates import ImportDuplicates, lock_for_import
from saas.customers.columns import COLUMNS, CUSTOMERS, SYSTEM
from saas.customers.errors import (
    CustomerChanged,
    CustomerExists,
    CustomerInUse,
    HoldingLimitReached,
    PoolNotFound,
    ReceivedInFuture,
)
from saas.customers.events import CUSTOMER_CREATED
from saas.customers.queries import Pool, count_customers, list_pools
from saas.customers.rules import check_district, match_key
from saas.events import emit_many
from saas.exchange import (
    Applied,
    Difference,
    ImportContext,
    ImportKind,
    Outcome,
    Row,
    Verdict,
    differences,
    take_back,
)
from saas.kernel import AppError, Scalar, local_date, new_id
from saas.people import StaffBook, find_staff, name_key, seal_phone
from saas.people.queries import NamedPerson
from saas.sealing import mask_phone
from tenants import QuotaKind, find_quota, lock_quota
from tenants.errors import TenantQuotaExceeded

_ASSIGN = "customer:assign"
_PLAIN = ("short_name", "industry", "level", "source", "district_code", "contact_name")
_HELD_BY = "held by "


class CustomerImport(ImportKind):
    """Customers are known by their key in the other system, else by name. An empty cell changes nothing.

    A new customer may name its owner; the owner of one that is there is never changed by a list, only told.
    """

    name, title = CUSTOMERS, {"zh-CN": "客户", "en": "Customers"}
    permission, order, columns = "customer:create", 20, COLUMNS

    async def plan(self, context: ImportContext, rows: Sequence[Row]) -> list[Verdict]:
        """Tells of customers that the caller may not see as little, and as seldom, as the duplicate check does."""
        desk = await _desk(context, rows)
        verdicts = [_verdict(desk, row) for row in rows]
        if any(each.outcome is Outcome.CHANGED for each in verdicts):
            require(context.access, "customer:update")
        await desk.duplicates.record(context)
        return verdicts

    async def apply(self, context: ImportContext, rows: Sequence[Row], verdicts: Sequence[Verdict]) -> list[Applied]:
        """The rows' locks are those that `plan` took a moment ago."""
        fresh = [row for row, verdict in zip(rows, verdicts, strict=True) if verdict.outcome is Outcome.NEW]
        changed = [row for row, verdict in zip(rows, verdicts, strict=True) if verdict.outcome is Outcome.CHANGED]
        book = await find_staff(context, [row.text("owner") for row in rows])
        desk = _Desk(context, await list_pools(), book, await _alike(context, changed))
        applied = await _create(desk, fresh)
        applied += await _change(desk, changed)
        await _tell(desk, rows, verdicts, applied)
        return applied

    async def undo(self, context: ImportContext, applied: Sequence[Applied]) -> list[AppError | None]:
        """Customers that nothing else refers to are removed; changed ones get their former values back."""
        return await take_back(
            applied,
            _take_back,
            changed=partial(_stays, CustomerChanged, "customers.changed_since"),
            in_use=partial(_stays, CustomerInUse, "customers.in_use"),
        )


@dataclass(frozen=True, slots=True)
class _Alike:
    """The customers that rows are like, by what they have in common."""

    by_key: Mapping[tuple[str | None, str | None], StoredCustomer]
    by_name: Mapping[str, StoredCustomer]
    by_phone: Mapping[bytes | None, StoredCustomer]


@dataclass(slots=True)
class _Desk:
    """What a set of rows is judged by; `held` counts customers by owner as rows are judged, `room` those that the
    company's plan still holds."""

    context: ImportContext
    pools: Mapping[str, Pool]
    book: StaffBook
    alike: _Alike
    duplicates: ImportDuplicates = field(default_factory=ImportDuplicates)
    held: Counter[UUID | str] = field(default_factory=Counter)
    room: int | None = None

    @property
    def today(self) -> date:
        return local_date(self.context.clock.now(), self.context.time_zone)

    def pool_of(self, row: Row) -> Pool:
        """The pool that a row names, by default the company's first.

        :raises PoolNotFound: there is none of that name.
        """
        wanted = row.values.get("pool")
        if wanted is None:
            return next(iter(self.pools.values()))
        found = self.pools.get(str(wanted))
        if found is None:
            known = "、".join(self.pools)
            raise PoolNotFound("customers.pool_unknown", {"pool": str(wanted), "known": known}, field=("pool",))
        return found


async def _desk(context: ImportContext, rows: Sequence[Row]) -> _Desk:
    if context.is_commit:
        await lock_for_import()
    book = await find_staff(context, [row.text("owner") for row in rows])
    held = await _held(context, book)
    return _Desk(
        context,
        await list_pools(),
        book,
        await _alike(context, rows),
        await ImportDuplicates.of_today(context),
        held,
        await _room(context),
    )


async def _alike(context: ImportContext, rows: Sequence[Row]) -> _Alike:
    if not rows:
        return _Alike({}, {}, {})
    alike = await find_alike(
        context,
        keys=[(_system(row), key) for row in rows if (key := row.text("external_key"))],
        names=[match_key(str(row.values["name"])) for row in rows],
        phones=[index for row in rows if (index := _index(context, row))],
    )
    return _Alike(
        {(each.values.external_system, each.values.external_key): each for each in alike if each.values.external_key},
        {each.values.match_key: each for each in reversed(alike)},
        {each.values.phone_index: each for each in reversed(alike) if each.values.phone_index},
    )


async def _held(context: ImportContext, book: StaffBook) -> Counter[UUID | str]:
    """How many customers the named people hold, with those that earlier rows will give them.

    Who is promised only is counted by what the rows call them.
    """
    people = {person.id: person for person in (*book.by_number.values(), *_named(book))}
    held: Counter[UUID | str] = Counter(await count_held(sorted(people), is_locking=context.is_commit))
    if not people and not book.promised:
        return held
    pledged = await context.promises.pledged(CUSTOMERS)
    calls = {word: person.id for person in people.values() for word in (person.name, person.number)}
    for token, rows in pledged.items():
        if token.startswith(_HELD_BY):
            word = token.removeprefix(_HELD_BY)
            held[calls.get(word, word)] += rows
    return held


def _named(book: StaffBook) -> list[NamedPerson]:
    return [people[0] for people in map(list, book.by_name.values()) if len(people) == 1]


async def _room(context: ImportContext) -> int | None:
    """How many more customers the company's plan holds, None where it has no limit."""
    limit = await find_quota(QuotaKind.CUSTOMERS)
    if limit is None:
        return None
    if context.is_commit:
        await lock_quota(QuotaKind.CUSTOMERS)
    pledged = await context.promises.pledged(CUSTOMERS)
    return limit - await count_customers() - sum(pledged.values())


def _system(row: Row) -> str:
    return row.text("external_system") or SYSTEM


def _index(context: ImportContext, row: Row) -> bytes | None:
    number = row.text("phone")
    return context.keyring.blind_index("customer.phone", number) if number else None


def _verdict(desk: _Desk, row: Row) -> Verdict:
    try:
        stored = _stored(desk, row)
        pool = desk.pool_of(row)
        check_district(row.text("district_code"))
    except AppError as refused:
        return Verdict.refused(_placed(refused))
    refusals = desk.book.refusals({"owner": row.text("owner")})
    if refusals:
        return Verdict.refused(*refusals)
    if stored is not None:
        return Verdict.against(
            str(stored.version), _differences(desk, row, stored), warnings=_other_owner(desk, row, stored)
        )
    return _new(desk, row, pool)


def _placed(error: AppError) -> AppError:
    """An error of the room's rules with the column in the place of the input's field."""
    columns = {"districtCode": "district_code", "phone": "phone", "name": "name"}
    return error.at(*(columns.get(name, name) for name in error.field))


def _stored(desk: _Desk, row: Row) -> StoredCustomer | None:
    """The customer that the row is about, if it is there.

    :raises CustomerExists: another customer has the row's key, name or number, or the caller may not see it (P38).
    """
    key, name = row.text("external_key"), match_key(str(row.values["name"]))
    found = desk.alike.by_key.get((_system(row), key)) if key else None
    if found is None:
        found = desk.alike.by_name.get(name)
        if found is not None and key and found.values.external_key:
            raise desk.duplicates.refusal(found, "name")
    if found is not None and not found.is_visible:
        raise desk.duplicates.refusal(found, "external" if key else "name", key=key)
    others = ((desk.alike.by_name.get(name), "name"), (desk.alike.by_phone.get(_index(desk.context, row)), "phone"))
    for other, matched in others:
        if other is not None and (found is None or other.id != found.id):
            raise desk.duplicates.refusal(other, matched)
    return found


def _differences(desk: _Desk, row: Row, stored: StoredCustomer) -> tuple[Difference, ...]:
    was, number = stored.values, row.text("phone")
    wanted: dict[str, object] = {name: row.values.get(name) for name in (*_PLAIN, "name", "external_key")}
    wanted["district_name"] = _district(row)
    before = {name: getattr(was, name) for name in wanted}
    found = differences(before, wanted)
    if number is not None and _index(desk.context, row) != was.phone_index:
        found += (Difference("phone", was.phone_masked, mask_phone(number)),)
    return found


def _district(row: Row) -> str | None:
    """Province, city and district as one name, at most 100 characters."""
    parts = dict.fromkeys(filter(None, (row.text(key) for key in ("province", "city", "district_name"))))
    return "".join(parts)[:100] or None


def _other_owner(desk: _Desk, row: Row, stored: StoredCustomer) -> list[AppError]:
    """That the list names another owner than the customer has: a list hands no customer over."""
    word = row.text("owner")
    owner_id = desk.book.id_of(word, column="owner")
    if word is None or owner_id == stored.owner_id:
        return []
    values = {"owner": word, "present": stored.owner_name or "—"}
    return [CustomerExists("customers.owner_not_changed", values, field=("owner",))]


def _new(desk: _Desk, row: Row, pool: Pool) -> Verdict:
    word = row.text("owner")
    refusals = [*_over_quota(desk), *(_may_hold(desk, row, word, pool) if word else ())]
    if refusals:
        return Verdict.refused(*refusals)
    if desk.room is not None:
        desk.room -= 1
    return Verdict.new(f"{_HELD_BY}{word}" if word else "")


def _over_quota(desk: _Desk) -> list[AppError]:
    if desk.room is None or desk.room > 0:
        return []
    return [TenantQuotaExceeded("tenants.quota_exceeded.customers", {"limit": 0, "used": 0, "adding": 1})]


def _may_hold(desk: _Desk, row: Row, word: str, pool: Pool) -> list[AppError]:
    """Whether the owner may hold one more (P09), from a day that has come; counted as soon as it is said."""
    person = desk.book.find(word, column="owner")
    if person is None or person.id != desk.context.actor.employee_id:
        require(desk.context.access, _ASSIGN)
    if person is not None and not person.is_active:
        return [HoldingLimitReached("customers.owner_left", {"owner": word}, field=("owner",))]
    since = row.day("received_on")
    if since is not None and since > desk.today:
        values = {"day": since.isoformat(), "today": desk.today.isoformat()}
        return [ReceivedInFuture("customers.received_in_future", values, field=("received_on",))]
    called: UUID | str = person.id if person else word
    if desk.held[called] >= pool.rules.holding_limit:
        full: dict[str, Scalar] = {"owner": word, "pool": pool.rules.name, "limit": pool.rules.holding_limit}
        return [HoldingLimitReached("customers.owner_holds_all", full, field=("owner",))]
    desk.held[called] += 1
    return []


def _values(desk: _Desk, row: Row, customer_id: UUID, was: CustomerValues | None = None) -> CustomerValues:
    """The customer as the row makes it; empty cells leave what was."""
    name, number = str(row.values["name"]), row.text("phone")
    sealed = None
    if number and (was is None or _index(desk.context, row) != was.phone_index):
        sealed = seal_phone(number, keyring=desk.context.keyring, table="customer", row_id=customer_id)
    key = row.text("external_key")
    kept = {each: row.text(each) or (getattr(was, each) if was else None) for each in _PLAIN}
    phone = (was.phone_sealed, was.phone_masked, was.phone_index) if was else (None, None, None)
    sealed_, masked, index = sealed.columns() if sealed else phone
    return CustomerValues(
        name=name,
        name_key=was.name_key if was and was.name == name else name_key(name),
        match_key=match_key(name),
        district_name=_district(row) or (was.district_name if was else None),
        phone_sealed=sealed_,
        phone_masked=masked,
        phone_index=index,
        external_system=_system(row) if key else was.external_system if was else None,
        external_key=key or (was.external_key if was else None),
        **kept,
    )


async def _create(desk: _Desk, rows: Sequence[Row]) -> list[Applied]:
    context, made = desk.context, []
    for row in rows:
        customer_id, word, since = new_id(), row.text("owner"), row.day("received_on")
        person = desk.book.find(word, column="owner") if word else None
        held = None
        if person is not None:
            held = Holding(person.id, person.department_id, since or desk.today)
        made.append((customer_id, _values(desk, row, customer_id), desk.pool_of(row).id, held))
    await insert_customers(made, actor=context.actor, at=context.clock.now(), time_zone=context.time_zone)
    await emit_many(
        CUSTOMER_CREATED,
        [
            {"customer_id": str(customer_id), "owner_id": str(held.owner_id) if held else None}
            for customer_id, _, _, held in made
        ],
    )
    return [Applied(row.number, each[0], {"version": 1}) for row, each in zip(rows, made, strict=True)]


async def _change(desk: _Desk, rows: Sequence[Row]) -> list[Applied]:
    applied, changes = [], []
    for row in rows:
        stored = _stored(desk, row)
        assert stored is not None, "a row that changes a customer found it under its lock"
        changes.append((stored.id, stored.version, _values(desk, row, stored.id, stored.values)))
        undo = {"version": stored.version + 1, "before": stored.values.plain()}
        applied.append(Applied(row.number, stored.id, undo))
    await update_customers(changes)
    return applied


async def _tell(desk: _Desk, rows: Sequence[Row], verdicts: Sequence[Verdict], applied: Sequence[Applied]) -> None:
    ids = {each.number: each.object_id for each in applied}
    await record_many(
        [
            entry_values(
                desk.context.actor,
                "customer.created" if verdict.outcome is Outcome.NEW else "customer.changed",
                object_type="Customer",
                object_id=ids[row.number],
                changes=_changes(desk, row, verdict),
                clock=desk.context.clock,
            )
            for row, verdict in zip(rows, verdicts, strict=True)
        ]
    )


def _changes(desk: _Desk, row: Row, verdict: Verdict) -> dict[str, list[Any]]:
    if verdict.outcome is not Outcome.NEW:
        return {each.key: [each.before, each.after] for each in verdict.differences}
    owner_id = desk.book.id_of(row.text("owner"), column="owner")
    return {"name": [None, str(row.values["name"])], "owner": [None, str(owner_id) if owner_id else None]}


def _stays(error: type[AppError], key: str, applied: Applied) -> AppError:
    return error(key, {"row": applied.number})


async def _take_back(applied: Sequence[Applied]) -> set[int]:
    known = [(each.object_id, each) for each in applied if each.object_id is not None]
    done = await remove_customers([(key, each.undo["version"]) for key, each in known if "before" not in each.undo])
    done |= await update_customers(
        [
            (key, each.undo["version"], CustomerValues.of_plain(each.undo["before"]))
            for key, each in known
            if "before" in each.undo
        ]
    )
    return {each.number for key, each in known if key in done}
