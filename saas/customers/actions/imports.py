"""Customers that come in sheets: checked for duplicates, limits and quota as every other new customer is (L17)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from saas.access import require
from saas.audit import entry_values, record_many
from saas.customers.actions.customer_rows import (
    CustomerValues,
    Holding,
    StoredCustomer,
    insert_customers,
    remove_customers,
    update_customers,
)
from saas.customers.actions.import_desk import (
    HELD_BY,
    ImportDesk,
    find_alike_rows,
    open_desk,
    system_of,
)
from saas.customers.actions.levels import LEVEL_PERMISSION, count_imported_levels, find_levels
from saas.customers.columns import COLUMNS, CUSTOMERS
from saas.customers.errors import (
    CustomerChanged,
    CustomerExists,
    CustomerInUse,
    HoldingLimitReached,
    ReceivedInFuture,
)
from saas.customers.events import CUSTOMER_CREATED
from saas.customers.queries import Pool, list_pools
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
from saas.kernel import AppError, Scalar, new_id
from saas.people import find_staff, name_key, seal_phone
from saas.sealing import mask_phone
from tenants.errors import TenantQuotaExceeded

_ASSIGN = "customer:assign"
_NEEDS = ("language", "required_skill", "wanted_product")
_PLAIN = ("short_name", "industry", "level", "source", "district_code", "contact_name", *_NEEDS)


class CustomerImport(ImportKind):
    """Customers are known by their key in the other system, else by name. An empty cell changes nothing.

    A new customer may name its owner; the owner of one that is there is never changed by a list, only told.
    """

    name, title = CUSTOMERS, {"zh-CN": "客户", "en": "Customers"}
    permission, order, columns = "customer:create", 20, COLUMNS

    async def plan(self, context: ImportContext, rows: Sequence[Row]) -> list[Verdict]:
        """Tells of customers that the caller may not see as little, and as seldom, as the duplicate check does."""
        desk = await open_desk(context, rows)
        verdicts = [_verdict(desk, row) for row in rows]
        if any(each.outcome is Outcome.CHANGED for each in verdicts):
            require(context.access, "customer:update")
        if any(each.key == "level" for verdict in verdicts for each in verdict.differences):
            require(context.access, LEVEL_PERMISSION)
        await desk.duplicates.record(context)
        return verdicts

    async def apply(self, context: ImportContext, rows: Sequence[Row], verdicts: Sequence[Verdict]) -> list[Applied]:
        """The rows' locks are those that `plan` took a moment ago."""
        fresh = [row for row, verdict in zip(rows, verdicts, strict=True) if verdict.outcome is Outcome.NEW]
        changed = [row for row, verdict in zip(rows, verdicts, strict=True) if verdict.outcome is Outcome.CHANGED]
        book = await find_staff(context, [row.text("owner") for row in rows])
        desk = ImportDesk(context, await list_pools(), book, await find_alike_rows(context, changed))
        applied = await _create(desk, fresh)
        applied += await _change(desk, changed)
        await _tell(desk, rows, verdicts, applied)
        return applied

    async def undo(self, context: ImportContext, applied: Sequence[Applied]) -> list[AppError | None]:
        """Customers that nothing else refers to are removed; changed ones get their former values back."""
        ids = [each.object_id for each in applied if each.object_id is not None and "before" in each.undo]
        before = await find_levels(ids)
        outcomes = await take_back(
            applied,
            _take_back,
            changed=lambda each: CustomerChanged("customers.changed_since", {"row": each.number}),
            in_use=lambda each: CustomerInUse("customers.in_use", {"row": each.number}),
        )
        levels = [(key, before[key], level) for key, level in (await find_levels(ids)).items()]
        await count_imported_levels(levels, time_zone=context.time_zone, now=context.clock.now())
        return outcomes


def _verdict(desk: ImportDesk, row: Row) -> Verdict:
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


def _stored(desk: ImportDesk, row: Row) -> StoredCustomer | None:
    """The customer that the row is about, if it is there.

    :raises CustomerExists: another customer has the row's key, name or number, or the caller may not see it (P38).
    """
    key, name = row.text("external_key"), match_key(str(row.values["name"]))
    found = desk.alike.by_key.get((system_of(row), key)) if key else None
    if found is None:
        found = desk.alike.by_name.get(name)
        if found is not None and key and found.values.external_key:
            raise desk.duplicates.refusal(found, "name")
    if found is not None and not found.is_visible:
        raise desk.duplicates.refusal(found, "external" if key else "name", key=key)
    others = (
        (desk.alike.by_name.get(name), "name"),
        (desk.alike.by_phone.get(desk.phone_index_of(row)), "phone"),
    )
    for other, matched in others:
        if other is not None and (found is None or other.id != found.id):
            raise desk.duplicates.refusal(other, matched)
    return found


def _differences(desk: ImportDesk, row: Row, stored: StoredCustomer) -> tuple[Difference, ...]:
    was, number = stored.values, row.text("phone")
    wanted: dict[str, object] = {name: row.values.get(name) for name in (*_PLAIN, "name", "external_key")}
    wanted["district_name"] = _district(row)
    before = {name: getattr(was, name) for name in wanted}
    found = differences(before, wanted)
    if number is not None and desk.phone_index_of(row) != was.phone_index:
        found += (Difference("phone", was.phone_masked, mask_phone(number)),)
    return found


def _district(row: Row) -> str | None:
    """Province, city and district as one name, at most 100 characters."""
    parts = dict.fromkeys(filter(None, (row.text(key) for key in ("province", "city", "district_name"))))
    return "".join(parts)[:100] or None


def _other_owner(desk: ImportDesk, row: Row, stored: StoredCustomer) -> list[AppError]:
    """That the list names another owner than the customer has: a list hands no customer over."""
    word = row.text("owner")
    owner_id = desk.book.id_of(word, column="owner")
    if word is None or owner_id == stored.owner_id:
        return []
    values = {"owner": word, "present": stored.owner_name or "—"}
    return [CustomerExists("customers.owner_not_changed", values, field=("owner",))]


def _new(desk: ImportDesk, row: Row, pool: Pool) -> Verdict:
    word = row.text("owner")
    refusals = [*_over_quota(desk), *(_may_hold(desk, row, word, pool) if word else ())]
    if refusals:
        return Verdict.refused(*refusals)
    if desk.room is not None:
        desk.room.used += 1
    return Verdict.new(f"{HELD_BY}{word}" if word else "")


def _over_quota(desk: ImportDesk) -> list[AppError]:
    room = desk.room
    if room is None or room.used < room.limit:
        return []
    values: dict[str, Scalar] = {"limit": room.limit, "used": room.used, "adding": 1}
    return [TenantQuotaExceeded("tenants.quota_exceeded.customers", values)]


def _may_hold(desk: ImportDesk, row: Row, word: str, pool: Pool) -> list[AppError]:
    """Whether the owner may hold one more (P09), from a day that has come; counted as soon as it is said."""
    person = desk.book.find(word, column="owner")
    if person is None or person.id != desk.context.actor.employee_id:
        require(desk.context.access, _ASSIGN)
        administration = desk.administrations.get(pool.id)
        foreign = None if administration is None else administration.refusal(desk.context.actor)
        if foreign is not None:
            return [foreign.at("pool")]
    if person is not None and not person.is_active:
        return [HoldingLimitReached("customers.owner_left", {"owner": word}, field=("owner",))]
    since = row.day("received_on")
    if since is not None and since > desk.today:
        values = {"day": since.isoformat(), "today": desk.today.isoformat()}
        return [ReceivedInFuture("customers.received_in_future", values, field=("received_on",))]
    called: UUID | str = person.id if person else word
    limit = pool.settings.limit_of(person.id if person else None, desk.held.departments.of(called))
    if limit is not None and desk.held.of(pool, called) >= limit:
        full: dict[str, Scalar] = {"owner": word, "pool": pool.name, "limit": limit}
        return [HoldingLimitReached("customers.owner_holds_all", full, field=("owner",))]
    if (refusal := desk.held.departments.refusal(pool, called)) is not None:
        return [refusal]
    desk.held.give(called)
    return []


def _values(desk: ImportDesk, row: Row, customer_id: UUID, was: CustomerValues | None = None) -> CustomerValues:
    """The customer as the row makes it; empty cells leave what was."""
    name, number = str(row.values["name"]), row.text("phone")
    sealed = None
    if number and (was is None or desk.phone_index_of(row) != was.phone_index):
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
        external_system=system_of(row) if key else was.external_system if was else None,
        external_key=key or (was.external_key if was else None),
        **kept,
    )


async def _create(desk: ImportDesk, rows: Sequence[Row]) -> list[Applied]:
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


async def _change(desk: ImportDesk, rows: Sequence[Row]) -> list[Applied]:
    applied, changes, levels = [], [], []
    for row in rows:
        stored = _stored(desk, row)
        assert stored is not None, "a row that changes a customer found it under its lock"
        values = _values(desk, row, stored.id, stored.values)
        changes.append((stored.id, stored.version, values))
        levels.append((stored.id, stored.values.level, values.level))
        undo = {"version": stored.version + 1, "before": stored.values.plain()}
        applied.append(Applied(row.number, stored.id, undo))
    await update_customers(changes)
    await count_imported_levels(levels, time_zone=desk.context.time_zone, now=desk.context.clock.now())
    return applied


async def _tell(desk: ImportDesk, rows: Sequence[Row], verdicts: Sequence[Verdict], applied: Sequence[Applied]) -> None:
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


def _changes(desk: ImportDesk, row: Row, verdict: Verdict) -> dict[str, list[Any]]:
    if verdict.outcome is not Outcome.NEW:
        return {each.key: [each.before, each.after] for each in verdict.differences}
    owner_id = desk.book.id_of(row.text("owner"), column="owner")
    return {"name": [None, str(row.values["name"])], "owner": [None, str(owner_id) if owner_id else None]}


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
