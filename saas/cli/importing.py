"""`saas import` and `saas import-crm`: a company's own sheets brought in by an operator, who waits for the end."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar
from uuid import UUID

import orjson
import typer

from saas.cli.failures import CommandRefused
from saas.cli.installation import opened_installation
from saas.cli.terminal import AsJson, bar, note, say, say_json, say_table
from saas.exchange import (
    BatchState,
    BatchSummary,
    Chosen,
    ImportContext,
    Importer,
    Mode,
    OnChange,
    RemarkLine,
    carry_out,
    commit_import,
    cook,
    inspect_upload,
    list_remarks,
    load_recipe,
    preview_import,
    stage_import,
    write_error_file,
)
from saas.exchange.columns import MappedHeader
from saas.identity import find_member, normal_email
from saas.kernel import Actor, public_id
from saas.main import Installation, importer
from tenants import DatabaseRole

_T = TypeVar("_T")
_BLOCK = 1 << 20
_SHOWN = 20


class ModeOption(StrEnum):
    """What bad rows mean."""

    REJECT_ALL = "reject-all"
    SKIP_BAD_ROWS = "skip-bad-rows"


Tenant = Annotated[UUID, typer.Option(metavar="ID", help="The company's id, as `saas tenant list` shows it.")]
IsCommit = Annotated[bool, typer.Option("--commit/--preview", help="Write what the preview shows, or only show it.")]
ModeOf = Annotated[ModeOption, typer.Option(help="What bad rows mean: nothing is written, or they are left out.")]
As = Annotated[
    str, typer.Option("--as", metavar="EMAIL", help="In whose name and with whose rights; default: the owner.")
]
Errors = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write the failed rows, with the reasons, to this workbook.")
]


def import_(
    kind: Annotated[str, typer.Argument(help="What every sheet holds, e.g. customers; `auto` lets the headers tell.")],
    file: Annotated[Path, typer.Argument(help="A CSV or XLSX file.")],
    tenant: Tenant,
    is_commit: IsCommit = False,
    mode: ModeOf = ModeOption.REJECT_ALL,
    mapping: Annotated[
        Path | None, typer.Option(metavar="FILE", help='JSON of what headers are taken for: {"header": "column"}.')
    ] = None,
    as_: As = "",
    errors: Errors = None,
    as_json: AsJson = False,
) -> None:
    """Preview or commit a sheet of a company's own.

    A preview counts what would be new, changed, unchanged, and what is wrong with which row. A commit makes the
    preview and writes what it showed. The same file again changes nothing.

    \b
    Examples:
      saas import customers 客户.xlsx --tenant 01a0… --preview
      saas import customers 客户.csv --tenant 01a0… --commit --mode skip-bad-rows --errors wrong.xlsx
      saas import auto 全部.xlsx --tenant 01a0… --commit
    """
    wanted = _Wanted(tenant, is_commit, Mode(mode.name.lower()), as_, errors)
    chosen = _mapping(mapping) if mapping else {}
    asyncio.run(_import_file(file, None if kind == "auto" else kind, chosen, wanted, as_json=as_json))


def import_crm(
    folder: Annotated[Path, typer.Argument(help="The folder with the other product's files.")],
    tenant: Tenant,
    is_commit: IsCommit = False,
    mapping: Annotated[
        str, typer.Option(metavar="NAME", help="How they become sheets of ours: a name that comes along, or a file.")
    ] = "crm_sales_opportunities",
    mode: ModeOf = ModeOption.REJECT_ALL,
    as_: As = "",
    errors: Errors = None,
    as_json: AsJson = False,
) -> None:
    """Bring in what another product exported to a folder.

    The mapping, a JSON file, says which file holds which kind of rows and which header is which column; it can be
    copied and changed. All of it is one import: previewed, committed and taken back as one.

    \b
    Examples:
      saas import-crm ./export --tenant 01a0… --preview
      saas import-crm ./export --tenant 01a0… --commit --mapping adventureworks_sales
      saas import-crm ./export --tenant 01a0… --commit --mapping ./our-crm.json
    """
    wanted = _Wanted(tenant, is_commit, Mode(mode.name.lower()), as_, errors)
    asyncio.run(_import_folder(folder, mapping, wanted, as_json=as_json))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What was asked for on the command line."""

    tenant_id: UUID
    is_commit: bool
    mode: Mode
    email: str
    errors: Path | None


@dataclass(frozen=True, slots=True)
class _Ended:
    """How an import ended, and the first things to know of it."""

    batch_id: UUID
    summary: BatchSummary
    remarks: list[RemarkLine]


def _mapping(path: Path) -> dict[str, str | None]:
    try:
        found = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise CommandRefused(f"{path} is no JSON: {error}.", 'Write an object such as {"客户全称": "name"}.') from None
    if not isinstance(found, dict):
        raise CommandRefused(f"{path} holds no object.", 'Write one such as {"客户全称": "name"}.')
    return {str(header): None if column is None else str(column) for header, column in found.items()}


async def _import_file(
    file: Path, kind: str | None, chosen: Mapping[str, str | None], wanted: _Wanted, *, as_json: bool
) -> None:
    async with opened_installation() as installation:
        ended = await _Run(installation, wanted).take(file, file.name, kind=kind, chosen=chosen)
    _tell(ended, wanted, as_json=as_json)


async def _import_folder(folder: Path, mapping: str, wanted: _Wanted, *, as_json: bool) -> None:
    recipe = load_recipe(mapping)
    with tempfile.TemporaryDirectory() as scratch:
        book = Path(scratch) / "book.xlsx"
        async with opened_installation() as installation:
            with book.open("wb") as target:
                cook(recipe, folder, target, kinds=importer(installation).kinds, locale="en")
            ended = await _Run(installation, wanted).take(book, f"{recipe.title}.xlsx")
    _tell(ended, wanted, as_json=as_json)


class _Run:
    """One import from file to end."""

    def __init__(self, installation: Installation, wanted: _Wanted) -> None:
        self._installation, self._wanted = installation, wanted
        self._importer: Importer = importer(installation)

    async def take(
        self, file: Path, filename: str, *, kind: str | None = None, chosen: Mapping[str, str | None] | None = None
    ) -> _Ended:
        """Stage, preview and, where that is asked for, commit."""
        installation, wanted, engine = self._installation, self._wanted, self._importer
        actor = await self._actor()
        stored = await engine.files.save(wanted.tenant_id, _blocks(file))
        upload = await inspect_upload(
            stored, tenant_id=wanted.tenant_id, filename=filename, kinds=engine.kinds, files=engine.files, kind=kind
        )

        async def stage(context: ImportContext) -> UUID:
            return await stage_import(context, upload, kinds=engine.kinds, catalogue=engine.catalogue)

        batch_id = await self._as(actor, stage)
        by_sheet: Chosen = {sheet.name: _of_sheet(chosen or {}, sheet.headers) for sheet in upload.sheets}
        await self._as(
            actor,
            lambda context: preview_import(
                context,
                batch_id=batch_id,
                kinds=engine.kinds,
                mode=wanted.mode,
                on_change=OnChange.REFUSE,
                chosen=by_sheet,
            ),
        )
        summary = await self._carried_out(batch_id, "Previewing")
        if wanted.errors is not None and summary.counts["failed"]:
            await self._write_errors(actor, batch_id, wanted.errors)
        may_write = wanted.mode is Mode.SKIP_BAD_ROWS or not summary.counts["failed"]
        if wanted.is_commit and summary.state is BatchState.PREVIEWED and may_write:
            plan_hash = summary.plan_hash or ""
            await self._as(
                actor,
                lambda context: commit_import(context, batch_id=batch_id, plan_hash=plan_hash, kinds=engine.kinds),
            )
            summary = await self._carried_out(batch_id, "Committing")
        async with installation.database.transaction(wanted.tenant_id):
            return _Ended(batch_id, summary, await list_remarks(batch_id, most=_SHOWN))

    async def _actor(self) -> Actor:
        wanted, now = self._wanted, self._installation.clock.now()
        email = normal_email(wanted.email) if wanted.email else None
        async with self._installation.database.transaction(wanted.tenant_id, role=DatabaseRole.PLATFORM):
            member = await find_member(wanted.tenant_id, email=email, now=now)
        if member is None:
            who = email or "an owner"
            raise CommandRefused(f"{wanted.tenant_id} has no active member {who}.", "`saas tenant list` shows the ids.")
        return Actor(
            wanted.tenant_id,
            account_id=member.account_id,
            employee_id=member.employee_id,
            roles=frozenset(member.roles),
            locale=member.locale,
            client="cli",
        )

    async def _as(self, actor: Actor, deed: Callable[[ImportContext], Awaitable[_T]]) -> _T:
        async with self._installation.database.transaction(actor.tenant_id):
            return await deed(await self._importer.contexts(actor))

    async def _carried_out(self, batch_id: UUID, title: str) -> BatchSummary:
        with bar(title) as progress:

            def watch(now: BatchSummary) -> None:
                progress(now.phase or title, now.counts["done"], now.counts["row"] or 1)

            return await carry_out(
                self._installation.database,
                self._importer,
                tenant_id=self._wanted.tenant_id,
                batch_id=batch_id,
                watch=watch,
            )

    async def _write_errors(self, actor: Actor, batch_id: UUID, path: Path) -> None:
        with path.open("wb") as target:
            await self._as(
                actor,
                lambda context: write_error_file(
                    context, batch_id=batch_id, target=target, catalogue=self._importer.catalogue
                ),
            )
        note(f"The failed rows are in {path}.")


def _of_sheet(chosen: Mapping[str, str | None], headers: Sequence[MappedHeader]) -> dict[str, str | None]:
    """What was chosen for headers that this sheet has."""
    own = {header.header for header in headers}
    return {header: column for header, column in chosen.items() if header in own}


async def _blocks(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as source:
        while block := await asyncio.to_thread(source.read, _BLOCK):
            yield block


_SHOWN_COUNTS = ("row", "new", "changed", "unchanged", "duplicate", "failed", "applied")


def _tell(ended: _Ended, wanted: _Wanted, *, as_json: bool) -> None:
    """Counts of every sheet, the first remarks, and one sentence; exit status 1 where it is not as it was wanted."""
    summary = ended.summary
    if as_json:
        say_json(
            {
                "batch": public_id("imp", ended.batch_id),
                "state": summary.state.value,
                "planHash": summary.plan_hash,
                "failure": summary.failure,
                "counts": dict(summary.counts),
                "sheets": [{"sheet": each.sheet, "kind": each.kind, **each.counts} for each in summary.parts],
                "remarks": [asdict(each) for each in ended.remarks],
            }
        )
    else:
        head = ["sheet", "kind", *_SHOWN_COUNTS]
        rows = [[each.sheet, each.kind, *(str(each.counts[name]) for name in _SHOWN_COUNTS)] for each in summary.parts]
        say_table(head, rows)
        for remark in ended.remarks:
            say(f"{remark.severity}: {remark.sheet} {remark.row}: {remark.message}")
    if summary.failure is not None:
        raise CommandRefused(summary.failure)
    if wanted.is_commit and summary.state is not BatchState.COMMITTED:
        fact = f"{summary.counts['failed']} rows have errors, and all or none were to be taken: nothing is written."
        raise CommandRefused(fact, "Correct them, or leave them out by --mode skip-bad-rows.")
    if not as_json:
        is_done = summary.state is BatchState.COMMITTED
        say("Everything is written." if is_done else "Nothing is written; --commit writes what the preview shows.")
