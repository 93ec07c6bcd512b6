"""Two toy kinds over toy tables, accounts and their orders, and short ways to import them."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import xlsxwriter

from saas.access import AccessTable
from saas.exchange import (
    Amount,
    Applied,
    Chosen,
    Difference,
    FolderStore,
    ImportColumn,
    ImportContext,
    Importer,
    ImportKind,
    Kinds,
    Mode,
    OnChange,
    Row,
    Verdict,
    cancel_import,
    carry_out,
    commit_import,
    inspect_upload,
    phone,
    preview_import,
    stage_import,
    text,
    undo_import,
    write_error_file,
)
from saas.kernel import Actor, AppError, BadUserInput, Catalogue, Conflict, FrozenClock, NotFound, new_id
from saas.reads.mapping import DataClass
from saas.sealing import Keyring
from tenants import Database, current_tenant_id, current_transaction

TABLES = """
CREATE TABLE toy_account (tenant_id uuid NOT NULL, id uuid NOT NULL, ref text COLLATE "C", name text NOT NULL,
    phone text, amount numeric(15, 2), version int NOT NULL DEFAULT 1);
CREATE TABLE toy_order (tenant_id uuid NOT NULL, id uuid NOT NULL, number text NOT NULL, account text NOT NULL);
"""
PERMISSIONS = frozenset({"import:preview", "import:commit", "import:undo", "toy:write"})
ALL = AccessTable("all", permissions=PERMISSIONS, scopes={"ImportBatch": frozenset({"all"})})
OWN = AccessTable("own", permissions=PERMISSIONS, scopes={"ImportBatch": frozenset({"self"})})
CATALOGUE = Catalogue.of(["saas.exchange", "saas.access", "saas.sealing"])
FORBIDDEN = "禁止"


class Accounts(ImportKind):
    """Accounts are known by their reference; the undo of one that somebody touched is refused."""

    name, title, permission, order = "accounts", {"zh-CN": "账户", "en": "Accounts"}, "toy:write", 1
    columns = (
        ImportColumn("ref", {"zh-CN": "编号", "en": "Reference"}, text(longest=40), ("客户编号",), unique=True),
        ImportColumn("name", {"zh-CN": "名称", "en": "Name"}, text(longest=40), ("客户名称",), required=True),
        ImportColumn("phone", {"zh-CN": "手机", "en": "Mobile"}, phone, unique=True, data_class=DataClass.PERSONAL),
        ImportColumn("amount", {"zh-CN": "金额", "en": "Amount"}, Amount(), ("预计金额",)),
    )

    def __init__(self) -> None:
        self.planned: list[int] = []
        self.applied: list[int] = []

    async def plan(self, context: ImportContext, rows: Sequence[Row]) -> list[Verdict]:
        self.planned.append(len(rows))
        lock = " FOR UPDATE" if context.is_commit else ""
        found = await current_transaction().fetch(
            f"SELECT ref, name, phone, amount, version FROM toy_account WHERE tenant_id = $1 AND ref = ANY ($2){lock}",
            current_tenant_id(),
            [row.values.get("ref") for row in rows],
        )
        known = {row["ref"]: row for row in found}
        return [self._verdict(row, known.get(row.values.get("ref"))) for row in rows]

    def _verdict(self, row: Row, known: Any) -> Verdict:
        if row.values["name"] == FORBIDDEN:
            return Verdict.refused(BadUserInput("toy.name_forbidden", {"name": FORBIDDEN}, field=("name",)))
        if known is None:
            return Verdict.new()
        differences = [
            Difference(key, _shown(known[key]), _shown(value))
            for key, value in row.values.items()
            if known[key] != value
        ]
        token = str(known["version"])
        return Verdict.changed(token, differences) if differences else Verdict.unchanged(token)

    async def apply(self, context: ImportContext, rows: Sequence[Row], verdicts: Sequence[Verdict]) -> list[Applied]:
        self.applied.append(len(rows))
        return [await self._write(row) for row in rows]

    async def _write(self, row: Row) -> Applied:
        transaction, values = current_transaction(), row.values
        before = await transaction.fetchrow(
            "SELECT id, name, phone, amount::text, version FROM toy_account WHERE tenant_id = $1 AND ref = $2",
            current_tenant_id(),
            values.get("ref"),
        )
        fields = [values["name"], values.get("phone"), values.get("amount")]
        if before is None:
            account_id = new_id()
            await transaction.execute(
                "INSERT INTO toy_account VALUES ($1, $2, $3, $4, $5, $6)",
                current_tenant_id(),
                account_id,
                values.get("ref"),
                *fields,
            )
            return Applied(row.number, account_id, {"version": 1})
        await transaction.execute(
            "UPDATE toy_account SET name = $3, phone = $4, amount = $5, version = version + 1"
            " WHERE tenant_id = $1 AND id = $2",
            current_tenant_id(),
            before["id"],
            *fields,
        )
        undo = {"version": before["version"] + 1, "before": [before["name"], before["phone"], before["amount"]]}
        return Applied(row.number, before["id"], undo)

    async def undo(self, context: ImportContext, applied: Sequence[Applied]) -> list[AppError | None]:
        return [await self._undo(each) for each in applied]

    async def _undo(self, applied: Applied) -> AppError | None:
        key = [current_tenant_id(), applied.object_id, applied.undo["version"]]
        at = "WHERE tenant_id = $1 AND id = $2 AND version = $3"
        if "before" not in applied.undo:
            done = await current_transaction().execute(f"DELETE FROM toy_account {at}", *key)
        else:
            name, number, amount = applied.undo["before"]
            done = await current_transaction().execute(
                f"UPDATE toy_account SET name = $4, phone = $5, amount = $6, version = version + 1 {at}",
                *key,
                name,
                number,
                None if amount is None else Decimal(amount),
            )
        return None if done else Conflict("toy.changed_since", {"row": applied.number})


class Orders(ImportKind):
    """Orders name an account, which may be one of the sheet before."""

    name, title, permission, order = "orders", {"zh-CN": "订单", "en": "Orders"}, "toy:write", 2
    identity = ("number", "account")
    columns = (
        ImportColumn("number", {"zh-CN": "订单号", "en": "Order"}, text(), required=True),
        ImportColumn("account", {"zh-CN": "账户编号", "en": "Account"}, text(), required=True),
    )

    async def plan(self, context: ImportContext, rows: Sequence[Row]) -> list[Verdict]:
        wanted = {row.values["account"] for row in rows}
        found = await current_transaction().fetch(
            "SELECT ref FROM toy_account WHERE tenant_id = $1 AND ref = ANY ($2)", current_tenant_id(), list(wanted)
        )
        known = {row["ref"] for row in found} | await context.promises.made("accounts", "ref", wanted)
        return [
            Verdict.new()
            if row.values["account"] in known
            else Verdict.refused(NotFound("toy.no_account", field=("account",)))
            for row in rows
        ]

    async def apply(self, context: ImportContext, rows: Sequence[Row], verdicts: Sequence[Verdict]) -> list[Applied]:
        applied = [Applied(row.number, new_id()) for row in rows]
        for row, each in zip(rows, applied, strict=True):
            await current_transaction().execute(
                "INSERT INTO toy_order VALUES ($1, $2, $3, $4)",
                current_tenant_id(),
                each.object_id,
                row.values["number"],
                row.values["account"],
            )
        return applied

    async def undo(self, context: ImportContext, applied: Sequence[Applied]) -> list[AppError | None]:
        await current_transaction().execute(
            "DELETE FROM toy_order WHERE tenant_id = $1 AND id = ANY ($2)",
            current_tenant_id(),
            [each.object_id for each in applied],
        )
        return [None] * len(applied)


def _shown(value: object) -> str | None:
    return None if value is None else str(value)


@dataclass
class Imports:
    """A company that imports; every call is a transaction of its own."""

    database: Database
    tenant_id: UUID
    clock: FrozenClock
    keyring: Keyring
    files: FolderStore
    actor: Actor
    access: AccessTable = ALL
    accounts: Accounts = field(default_factory=Accounts)
    catalogue: Catalogue = CATALOGUE
    currency: str = "CNY"

    @property
    def kinds(self) -> Kinds:
        return Kinds([Orders(), self.accounts])

    @property
    def importer(self) -> Importer:
        """A worker's engine, fresh each time: nothing is remembered but in the database."""

        async def contexts(actor: Actor) -> ImportContext:
            return self.context_of(actor)

        return Importer(self.kinds, self.files, contexts, self.catalogue, self.clock)

    def context_of(self, actor: Actor) -> ImportContext:
        return ImportContext(actor, self.access, self.clock, "Asia/Shanghai", self.keyring, self.currency)

    @property
    def context(self) -> ImportContext:
        return self.context_of(self.actor)

    def as_(self, actor: Actor, access: AccessTable | None = None) -> Imports:
        """The same company, with another person at work."""
        return replace(self, actor=actor, access=access or self.access)

    async def stage(self, content: bytes, filename: str = "客户.csv", *, kind: str | None = None) -> UUID:
        """Upload."""
        stored = await self.files.save(self.tenant_id, blocks(content))
        upload = await inspect_upload(
            stored, tenant_id=self.tenant_id, filename=filename, kinds=self.kinds, files=self.files, kind=kind
        )
        async with self.database.transaction(self.tenant_id):
            return await stage_import(self.context, upload, kinds=self.kinds, catalogue=self.catalogue)

    async def ask_preview(
        self,
        batch_id: UUID,
        *,
        mode: Mode = Mode.SKIP_BAD_ROWS,
        on_change: OnChange = OnChange.REFUSE,
        chosen: Chosen | None = None,
    ) -> None:
        async with self.database.transaction(self.tenant_id):
            await preview_import(
                self.context, batch_id=batch_id, kinds=self.kinds, mode=mode, on_change=on_change, chosen=chosen
            )

    async def ask_commit(self, batch_id: UUID, plan_hash: str | None = None) -> None:
        plan_hash = plan_hash or str((await self.batch(batch_id))["plan_hash"])
        async with self.database.transaction(self.tenant_id):
            await commit_import(self.context, batch_id=batch_id, plan_hash=plan_hash, kinds=self.kinds)

    async def ask_cancel(self, batch_id: UUID) -> None:
        async with self.database.transaction(self.tenant_id):
            await cancel_import(self.context, batch_id=batch_id, kinds=self.kinds, files=self.files)

    async def ask_undo(self, batch_id: UUID) -> None:
        async with self.database.transaction(self.tenant_id):
            await undo_import(self.context, batch_id=batch_id, kinds=self.kinds)

    async def run(self, batch_id: UUID) -> dict[str, Any]:
        """Every step that is due; the batch at the end."""
        await carry_out(self.database, self.importer, tenant_id=self.tenant_id, batch_id=batch_id)
        return await self.batch(batch_id)

    async def preview(self, content: bytes, filename: str = "客户.csv", **asked: Any) -> dict[str, Any]:
        """Upload and preview."""
        batch_id = await self.stage(content, filename)
        await self.ask_preview(batch_id, **asked)
        return await self.run(batch_id)

    async def commit(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Commit a preview to the end."""
        await self.ask_commit(batch["id"])
        return await self.run(batch["id"])

    async def undo(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Take a batch back to the end."""
        await self.ask_undo(batch["id"])
        return await self.run(batch["id"])

    async def error_file(self, batch_id: UUID) -> bytes:
        target = io.BytesIO()
        async with self.database.transaction(self.tenant_id):
            await write_error_file(self.context, batch_id=batch_id, target=target, catalogue=self.catalogue)
        return target.getvalue()

    async def batch(self, batch_id: UUID) -> dict[str, Any]:
        """The batch's row."""
        rows = await self.fetch("SELECT * FROM import_batch WHERE tenant_id = $1 AND id = $2", batch_id)
        return dict(rows[0])

    async def remarks(self, batch_id: UUID) -> list[tuple[int, str, str]]:
        """Row, severity and fact of every remark, by row."""
        rows = await self.fetch(
            "SELECT row_number, severity, key FROM import_remark WHERE tenant_id = $1 AND batch_id = $2"
            " ORDER BY row_number, key",
            batch_id,
        )
        return [(row["row_number"], row["severity"], row["key"].partition(".")[2]) for row in rows]

    async def toys(self) -> list[tuple[Any, ...]]:
        """Reference, name, amount and version of every account."""
        rows = await self.fetch(
            "SELECT ref, name, amount::text, version FROM toy_account WHERE tenant_id = $1 ORDER BY ref, name"
        )
        return [tuple(row) for row in rows]

    async def touch(self, ref: str, name: str) -> None:
        """Somebody else changes an account."""
        await self.fetch(
            "UPDATE toy_account SET name = $3, version = version + 1 WHERE tenant_id = $1 AND ref = $2", ref, name
        )

    async def fetch(self, sql: str, *values: object) -> list[Any]:
        async with self.database.transaction(self.tenant_id) as transaction:
            return list(await transaction.fetch(sql, self.tenant_id, *values))


def counts(batch: dict[str, Any]) -> dict[str, int]:
    """The counts of a batch that are not 0."""
    return {name.removesuffix("_count"): n for name, n in batch.items() if name.endswith("_count") and n}


async def blocks(content: bytes, size: int = 1 << 16) -> AsyncIterator[bytes]:
    """The content as an upload brings it."""
    for place in range(0, len(content), size):
        yield content[place : place + size]


def csv_of(rows: Iterable[Sequence[object]], header: str = "编号,名称,手机,金额") -> bytes:
    """A CSV file."""
    target = io.StringIO()
    csv.writer(target, lineterminator="\n").writerows([header.split(","), *rows])
    return target.getvalue().encode()


def accounts(count: int, *, first: int = 1, amount: str = "5.00") -> bytes:
    """A CSV file of accounts A1, A2 …"""
    return csv_of([f"A{n}", f"名{n}", "", amount] for n in range(first, first + count))


def workbook(**sheets: list[list[object]]) -> bytes:
    """A workbook of sheets by name."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        for name, rows in sheets.items():
            page = book.add_worksheet(name)
            for number, row in enumerate(rows):
                page.write_row(number, 0, row)
    return target.getvalue()
