"""Rows to read: a company with awkward values, and its neighbour, whose rows must never show.

Everything is drawn from a fixed seed, ids included, so that generated documents can name rows before they exist.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg

from saas.customers import match_key
from saas.kernel import uuid7_from
from saas.people import name_key, seal_phone
from saas.sealing import Keyring

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
Row = dict[str, Any]
Tables = Mapping[str, Sequence[Mapping[str, Any]]]

NAMES = (
    "晨光文具",
    "晨曦科技",
    "上海 ABC",
    'O\'Brien "Quote" \\ GmbH',
    "tab\there",
    "bell\x07 and \x01 hole",
    "line\nbreak",
    "Zeta",
    "alpha",
    "Ärger",
    "𝄞 clef",
    "%_like_%",
    "null",
    "é combined",
    "晨光文具",
)
TEXTS = (None, "", "A", "a", "B", "零售", "rétail", "\x02mark\x02", "x" * 40)
PHONES = ("13800138000", "13900139000", "+442071838750", "02161234567")
BROKEN = b"not sealed at all"


@dataclass(frozen=True)
class Company:
    """All rows of one tenant by table, as they are inserted; phone numbers in the clear, by row id."""

    tenant_id: UUID
    tables: dict[str, list[Row]] = field(default_factory=dict)
    phones: dict[UUID, str] = field(default_factory=dict)

    def ids(self, table: str) -> list[UUID]:
        return [row["id"] for row in self.tables[table]]


def company(number: int) -> Company:
    """The company with this number: always the same."""
    return _Drawing(number).company


class _Drawing:
    """Draws a company; each table's ids follow from company, table and position."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._random = random.Random(number)
        self.company = Company(uuid7_from(1_600_000_000_000, number))
        self._people()
        self._customers()
        self._follow_ups()
        self._sales()
        self._audit()

    def _add(self, table: str, **values: Any) -> UUID:
        rows = self.company.tables.setdefault(table, [])
        kind = sum(map(ord, table))
        row_id = uuid7_from(
            1_700_000_000_000 + kind, self._number << 64 | self._random.getrandbits(40) << 20 | len(rows)
        )
        rows.append({"id": row_id, **values})
        return row_id

    def _moment(self) -> datetime:
        """Instants of few days, so that they tie, some with a fraction of a second."""
        micros = self._random.choice((0, 0, 500, 123456, 120000))
        return NOW - timedelta(days=self._random.randrange(6), hours=self._random.randrange(3), microseconds=micros)

    def _day(self) -> date:
        return TODAY - timedelta(days=self._random.randrange(8))

    def _people(self) -> None:
        self._entities = [self._add("legal_entity", name=name, created_at=NOW) for name in ("总公司", "分公司")]
        parents: list[UUID | None] = []
        for name, above in (("总部", None), ("销售部", 0), ("华东区", 1), ("华西区", 1), ("人事部", 0)):
            parent = None if above is None else parents[above]
            parents.append(
                self._add("department", parent_id=parent, name=name, name_key=name_key(name), created_at=NOW)
            )
        self._departments = [each for each in parents if each is not None]
        self._closure()
        self._employees = [self._employee(number) for number in range(12)]

    def _closure(self) -> None:
        parent = {row["id"]: row["parent_id"] for row in self.company.tables["department"]}
        rows = self.company.tables.setdefault("department_closure", [])
        for descendant in self._departments:
            above: UUID | None = descendant
            depth = 0
            while above is not None:
                rows.append({"ancestor_id": above, "descendant_id": descendant, "depth": depth})
                above, depth = parent[above], depth + 1

    def _employee(self, number: int) -> UUID:
        left = number % 5 == 4
        name = NAMES[number % 10]
        row_id = self._add(
            "employee",
            number=f"E{number:03}",
            name=name,
            name_key=name_key(name),
            department_id=self._departments[number % 5],
            legal_entity_id=self._entities[number % 2],
            position=TEXTS[number % len(TEXTS)],
            status="separated" if left else "active",
            hired_on=self._day(),
            left_on=TODAY if left else None,
            created_at=self._moment(),
        )
        if number % 3:
            self.company.phones[row_id] = PHONES[number % 4]
        return row_id

    def _customers(self) -> None:
        self._pools = [
            self._add("customer_pool", name=name, is_default=not at, claim_limit=at, created_at=NOW)
            for at, name in enumerate(("公海", "alpha", "Zeta"))
        ]
        tables = self.company.tables
        department, member = self._random.choice(tables["department"]), self._random.choice(tables["employee"])
        tables["pool_department"] = [{"pool_id": self._pools[1], "department_id": department["id"]}]
        tables["pool_member"] = [{"pool_id": self._pools[2], "employee_id": member["id"]}]
        left = next(each for each in tables["employee"] if each["status"] == "separated")
        tables["pool_administrator"] = [{"pool_id": self._pools[0], "employee_id": left["id"]}]
        self._customer_ids = [self._customer(number) for number in range(60)]

    def _customer(self, number: int) -> UUID:
        pick = self._random.choice
        owner = None if number % 3 == 0 else pick(self.company.tables["employee"])
        name = f"{pick(NAMES)}{pick(('', '', number))}"
        row_id = self._add(
            "customer",
            pool_id=pick(self._pools),
            name=name,
            name_key=name_key(name),
            match_key=match_key(name),
            short_name=pick(TEXTS),
            industry=pick(TEXTS),
            level=pick((None, "A", "B", "C")),
            source=pick(TEXTS),
            district_code=pick((None, "310104", "310105", "510100")),
            district_name=pick(TEXTS),
            contact_name=pick(TEXTS),
            status="owned" if owner else "pooled",
            owner_id=owner and owner["id"],
            owner_department_id=owner and owner["department_id"],
            received_on=self._day() if owner else None,
            due_on=self._day() + timedelta(days=4) if owner and number % 2 else None,
            due_rule="no_follow_up" if owner and number % 2 else None,
            last_follow_up_at=pick((None, self._moment())),
            version=pick((1, 2, 2**31 - 1)),
            created_at=self._moment(),
        )
        if number % 4:
            self.company.phones[row_id] = pick(PHONES)
        for current in (False, True) if owner else ():
            self._ownership(row_id, owner or {}, current=current)
        return row_id

    def _ownership(self, customer: UUID, owner: Mapping[str, Any], *, current: bool) -> None:
        if not current and self._random.random() < 0.5:
            return
        began = self._moment()
        self._add(
            "ownership",
            customer_id=customer,
            owner_id=owner["id"] if current else self._random.choice(self._employees),
            owner_department_id=owner["department_id"] if current else self._random.choice(self._departments),
            pool_id=self._pools[0],
            started_at=began,
            started_on=began.date(),
            ended_at=None if current else began + timedelta(hours=1),
            ended_on=None if current else began.date(),
            start_kind=self._random.choice(("created", "imported", "claim", "assign", "transfer")),
            end_kind=None if current else self._random.choice(("release", "recycle", "transfer", "merge")),
            operator_id=UUID(int=1),
            reason=self._random.choice((None, "无法联系")),
        )

    def _follow_ups(self) -> None:
        for _ in range(150):
            at = self._moment()
            self._add(
                "follow_up",
                customer_id=self._random.choice(self._customer_ids[:20]),
                author_id=self._random.choice(self._employees),
                kind=self._random.choice(("call", "visit", "meeting", "message", "note")),
                content=self._random.choice(NAMES),
                occurred_at=at,
                occurred_on=at.date(),
                created_at=at,
            )

    def _sales(self) -> None:
        kinds = ("open", "open", "won", "lost")
        self._stages = [
            self._add("opportunity_stage", key=f"s{at}", title_zh="阶段", title_en="Stage", kind=kind, position=at // 2)
            for at, kind in enumerate(kinds)
        ]
        self._opportunities = [self._opportunity() for _ in range(40)]
        deals = [self._deal(number) for number in range(40)]
        self._collections: list[UUID] = []
        for number in range(50):
            self._collections.append(self._collection(deals, number))
        for _ in range(120):
            self._performance_line(deals)
        for number, person in enumerate(self._employees):
            self._target(number, employee_id=person, department_id=None)
        for number, department in enumerate(self._departments):
            self._target(number, employee_id=None, department_id=department)

    def _amount(self) -> int:
        return self._random.choice((1, 5, 50, 99, 100, 12345, 12350, 10**12))

    def _of_person(self) -> Row:
        person = self._random.choice(self.company.tables["employee"])
        return {"owner_id": person["id"], "owner_department_id": person["department_id"]}

    def _opportunity(self) -> UUID:
        pick = self._random.choice
        return self._add(
            "opportunity",
            customer_id=pick((None, *self._customer_ids[:10])),
            **self._of_person(),
            stage_id=pick(self._stages),
            product=pick(TEXTS),
            engaged_on=pick((None, TODAY - timedelta(days=30))),
            closed_on=pick((None, self._day())),
            expected_minor=pick((None, 0, self._amount())),
            version=pick((1, 2)),
            created_at=self._moment(),
        )

    def _deal(self, number: int) -> UUID:
        pick, amount = self._random.choice, self._amount()
        row_id = self._add(
            "deal",
            customer_id=pick(self._customer_ids[:10]),
            opportunity_id=pick((None, *self._opportunities[:10])),
            number=f"D{number:03}",
            **self._of_person(),
            product=pick(TEXTS),
            category=pick(TEXTS),
            channel=pick(TEXTS),
            signed_on=self._day(),
            amount_minor=amount,
            vat_rate=pick((Decimal(0), Decimal("0.13"), Decimal("0.0600"))),
            status="cancelled" if number % 9 == 8 else "signed",
            cancelled_on=TODAY if number % 9 == 8 else None,
            collected_minor=0 if number % 9 == 8 else pick((0, amount, amount // 2)),
            version=pick((1, 2)),
            created_at=self._moment(),
        )
        people = self._random.sample(self.company.tables["employee"], 1 + number % 2)
        shares = (Decimal(1),) if len(people) == 1 else (Decimal("0.33333333"), Decimal("0.66666667"))
        for position, (person, share) in enumerate(zip(people, shares, strict=True)):
            self._add(
                "performance_credit",
                deal_id=row_id,
                employee_id=person["id"],
                department_id=person["department_id"],
                share=share,
                position=position,
            )
        return row_id

    def _collection(self, deals: Sequence[UUID], number: int) -> UUID:
        """Every seventh is a counter entry, every ninth is reversed by another one."""
        is_counter, earlier = number % 7 == 6, self._collections[-1] if self._collections else None
        return self._add(
            "collection",
            deal_id=self._random.choice(deals),
            kind=self._random.choice(("collection", "collection", "refund")),
            received_on=self._day(),
            amount_minor=-self._amount() if is_counter else self._amount(),
            method=self._random.choice(TEXTS),
            reverses_id=earlier if is_counter else None,
            reversed_by_id=earlier if number % 9 == 8 and not is_counter else None,
            batch_id=None,
            created_at=self._moment(),
        )

    def _performance_line(self, deals: Sequence[UUID]) -> None:
        pick = self._random.choice
        metric = pick(("signed", "collected", "refunded"))
        self._add(
            "performance_line",
            metric=metric,
            deal_id=pick(deals),
            collection_id=None if metric == "signed" else pick(self._collections),
            employee_id=pick(self._employees),
            department_id=pick(self._departments),
            happened_on=self._day(),
            amount_minor=pick((1, -1)) * self._amount(),
            is_new_customer=pick((True, False)),
            created_at=self._moment(),
        )

    def _target(self, number: int, **subject: UUID | None) -> None:
        first = date(2026, 1 + number % 3, 1)
        self._add(
            "target",
            **subject,
            metric=self._random.choice(("signed", "collected")),
            period_first=first,
            period_until=self._random.choice((first + timedelta(days=90), date(2027, 1, 1))),
            amount_minor=self._amount(),
            version=self._random.choice((1, 2)),
            created_at=self._moment(),
        )

    def _audit(self) -> None:
        objects = [("Role", None), ("Customer", UUID(int=7)), ("Department", self._departments[1])]
        objects += [("LegalEntity", self._entities[0]), ("Employee", self._employees[0])]
        objects += [("FollowUp", self.company.ids("follow_up")[0])]
        objects += [("Customer", each) for each in self._customer_ids[:6]]
        for number, (kind, object_id) in enumerate(objects * 2):
            self._add(
                "audit_entry",
                at=self._moment(),
                account_id=UUID(int=1),
                employee_id=self._employees[number % 12] if number % 3 else None,
                client="web",
                address="203.0.113.7",
                request_id=f"req-{number}",
                action="customer.claimed",
                object_type=kind,
                object_id=object_id,
                changes="{}",
                reason=self._random.choice(NAMES),
                outcome=("done", "refused", "failed")[number % 3],
            )


async def insert(connection: asyncpg.Connection[asyncpg.Record], rows: Company, keyring: Keyring) -> None:
    """Write the company as a superuser, whom row-level security lets through; one sealed value can't be opened."""
    async with connection.transaction():  # the shares of a deal add up at its end
        for table, found in rows.tables.items():
            for row in found:
                whole = {**row, "tenant_id": rows.tenant_id, **_sealed(rows, table, row, keyring)}
                names, places = ", ".join(whole), ", ".join(f"${at}" for at in range(1, len(whole) + 1))
                await connection.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", *whole.values())
    broken = min(row for row in rows.phones if row in set(rows.ids("customer")))
    await connection.execute("UPDATE customer SET phone_sealed = $1 WHERE id = $2", BROKEN, broken)


def _sealed(rows: Company, table: str, row: Row, keyring: Keyring) -> Row:
    phone = rows.phones.get(row.get("id", rows.tenant_id))
    if phone is None:
        return {}
    sealed = seal_phone(phone, keyring=keyring, table=table, row_id=row["id"])
    return {"phone_sealed": sealed.sealed, "phone_masked": sealed.masked, "phone_index": sealed.index}


async def select(connection: asyncpg.Connection[asyncpg.Record], tenant_id: UUID, tables: Sequence[str]) -> Tables:
    """Every row of a tenant, as it is stored."""
    return {
        table: [dict(row) for row in await connection.fetch(f"SELECT * FROM {table} WHERE tenant_id = $1", tenant_id)]
        for table in tables
    }
