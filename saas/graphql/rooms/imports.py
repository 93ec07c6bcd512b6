"""Root fields of the exchange room: an uploaded file is staged, previewed, committed; cancelled, or taken back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from enum import Enum

import strawberry

from saas.exchange import (
    ImportContext,
    Importer,
    MappingRefused,
    Mode,
    OnChange,
    cancel_import,
    commit_import,
    inspect_upload,
    preview_import,
    stage_import,
    undo_import,
)
from saas.exchange.reads import IMPORT_MODE, IMPORT_ON_CHANGE
from saas.extensions import PluginHost, TenantPlugins
from saas.graphql.fields import Info, mutation, query
from saas.graphql.payloads import Payload, Ref, enum_of, mapped, optional_enum_of, stored_text
from saas.graphql.rooms.references import placed_id
from saas.kernel import BadUserInput, LimitExceeded, Scalar
from saas.sealing import Sealer
from tenants import Database

_CHOICES_MAX = 500


async def import_context(info: Info) -> ImportContext:
    """For whom, and with what, the kinds work in this request."""
    host = info.room(PluginHost)
    return ImportContext(
        actor=info.actor,
        access=info.rights,
        clock=info.clock,
        time_zone=info.time_zone,
        keyring=await info.room(Sealer).keyring(info.actor.tenant_id),
        currency=info.currency,
        services={PluginHost: host, TenantPlugins: info.plugins},
    )


@strawberry.type(description="A column that a kind of import has. Since 0.1.")
class ImportColumnNode:
    """What a sheet may say of each row."""

    key: str = strawberry.field(description="Its key, as mappings name it. Since 0.1.")
    title: str = strawberry.field(description="Its header in the caller's language. Since 0.1.")
    is_required: bool = strawberry.field(description="Whether a row without it is refused. Since 0.1.")
    is_unique: bool = strawberry.field(description="Whether two rows of a file may not have one value. Since 0.1.")


@strawberry.type(description="A kind of rows that companies import. Since 0.1.")
class ImportKindNode:
    """What can be imported."""

    name: str = strawberry.field(description="Its name, e.g. customers. Since 0.1.")
    title: str = strawberry.field(description="What a sheet of it is called, in the caller's language. Since 0.1.")
    permission: str = strawberry.field(description="The verb needed beside import:commit. Since 0.1.")
    columns: list[ImportColumnNode] = strawberry.field(description="Its columns, at most 100. Since 0.1.")


@query(signed_in=True, description="The kinds of rows that can be imported, in their order, at most 100")
async def import_kinds(info: Info) -> list[ImportKindNode]:
    return [
        ImportKindNode(
            name=kind.name,
            title=kind.title[info.locale],
            permission=kind.permission,
            columns=[
                ImportColumnNode(
                    key=each.key, title=each.title[info.locale], is_required=each.required, is_unique=each.unique
                )
                for each in kind.columns
            ],
        )
        for kind in info.room(Importer).kinds
    ]


@strawberry.type(description="An import. Since 0.1.")
class ImportPayload(Payload):
    """Answer of the mutations of imports."""

    batch: Ref | None = mapped("ImportBatch", description="The import as it is now; null when refused. Since 0.1.")


@strawberry.input(description="Which uploaded file to import. Since 0.1.")
class ImportStageInput:
    """A file that POST /files took in."""

    file: strawberry.ID = strawberry.field(description="The file (fil_…), as the upload answered.")
    filename: str = strawberry.field(description="What the file is called, 1 to 200 characters.")
    kind: str | None = strawberry.field(
        description="The kind of every sheet, e.g. customers; absent: the sheets' names and headers tell.", default=None
    )
    preview_mode: Enum | None = optional_enum_of(
        IMPORT_MODE,
        description="Begins the preview at once, where the proposed mapping has all that is needed; else, and when"
        " absent, importPreview begins it.",
    )


@mutation(
    requires="import:preview",
    database=None,
    description="Stage an uploaded file: its sheets are recognised and their columns mapped; nothing is written",
)
async def import_stage(info: Info, input: ImportStageInput) -> ImportPayload:  # noqa: A002
    importer, tenant_id = info.room(Importer), info.actor.tenant_id
    filename = input.filename.strip()
    if not filename or len(filename) > 200:
        raise BadUserInput("graphql.filename_length", {"length": len(filename), "longest": 200}, field=("filename",))
    file_id = placed_id(input.file, prefix="fil", field=("file",))
    upload = await inspect_upload(
        await importer.files.find(tenant_id, file_id),
        tenant_id=tenant_id,
        filename=filename,
        kinds=importer.kinds,
        files=importer.files,
        kind=input.kind,
    )
    context = await import_context(info)
    async with info.room(Database).transaction(tenant_id):
        batch_id = await stage_import(context, upload, kinds=importer.kinds, catalogue=importer.catalogue)
    if input.preview_mode is not None:
        mode = Mode(stored_text(IMPORT_MODE, input.preview_mode))
        # Staged it stays where a column has no header: the mapping is then put right by hand.
        with suppress(MappingRefused):
            async with info.room(Database).transaction(tenant_id):
                await preview_import(context, batch_id=batch_id, kinds=importer.kinds, mode=mode)
    return ImportPayload(batch=Ref("ImportBatch", batch_id))


@strawberry.input(description="What a header of a sheet is taken for. Since 0.1.")
class ImportMappingInput:
    """A correction of the proposed mapping."""

    sheet: str = strawberry.field(description="The sheet's name, as the import shows it.")
    header: str = strawberry.field(description="The header.")
    column: str | None = strawberry.field(description="The column's key; absent to ignore the header.", default=None)


@strawberry.input(description="Which import to preview, and how. Since 0.1.")
class ImportPreviewInput:
    """A preview may be repeated, with another mapping or mode."""

    batch: strawberry.ID = strawberry.field(description="The import (imp_…).")
    mode: Enum = enum_of(IMPORT_MODE, description="What bad rows mean.")
    on_change: Enum = enum_of(IMPORT_ON_CHANGE, description="What a change between preview and commit means.")
    mapping: list[ImportMappingInput] = strawberry.field(
        description="Corrections of the mapping, at most 500.", default_factory=list
    )


@mutation(requires="import:preview", description="Begin a preview; it is done when the import's state is PREVIEWED")
async def import_preview(info: Info, input: ImportPreviewInput) -> ImportPayload:  # noqa: A002
    batch_id = placed_id(input.batch, prefix="imp", field=("batch",))
    await preview_import(
        await import_context(info),
        batch_id=batch_id,
        kinds=info.room(Importer).kinds,
        mode=Mode(stored_text(IMPORT_MODE, input.mode)),
        on_change=OnChange(stored_text(IMPORT_ON_CHANGE, input.on_change)),
        chosen=_chosen(input.mapping),
    )
    return ImportPayload(batch=Ref("ImportBatch", batch_id))


def _chosen(mapping: Sequence[ImportMappingInput]) -> dict[str, dict[str, str | None]]:
    if len(mapping) > _CHOICES_MAX:
        values: dict[str, Scalar] = {"limit": "mapping", "allowed": _CHOICES_MAX, "found": len(mapping)}
        raise LimitExceeded("graphql.limit_exceeded", values)
    chosen: dict[str, dict[str, str | None]] = {}
    for each in mapping:
        chosen.setdefault(each.sheet, {})[each.header] = each.column
    return chosen


@strawberry.input(description="Which preview to commit. Since 0.1.")
class ImportCommitInput:
    """A commit names what it commits."""

    batch: strawberry.ID = strawberry.field(description="The import (imp_…).")
    plan_hash: str = strawberry.field(description="The planHash of its preview.")


@mutation(requires="import:commit", description="Begin to write what the preview of that planHash showed")
async def import_commit(info: Info, input: ImportCommitInput) -> ImportPayload:  # noqa: A002
    batch_id = placed_id(input.batch, prefix="imp", field=("batch",))
    await commit_import(
        await import_context(info), batch_id=batch_id, plan_hash=input.plan_hash, kinds=info.room(Importer).kinds
    )
    return ImportPayload(batch=Ref("ImportBatch", batch_id))


@strawberry.input(description="Which import is meant. Since 0.1.")
class ImportInput:
    """An import."""

    batch: strawberry.ID = strawberry.field(description="The import (imp_…).")


@mutation(requires="import:preview", description="Stop an import; what was written stands and can be taken back")
async def import_cancel(info: Info, input: ImportInput) -> ImportPayload:  # noqa: A002
    importer, batch_id = info.room(Importer), placed_id(input.batch, prefix="imp", field=("batch",))
    await cancel_import(await import_context(info), batch_id=batch_id, kinds=importer.kinds, files=importer.files)
    return ImportPayload(batch=Ref("ImportBatch", batch_id))


@mutation(requires="import:undo", description="Begin to take back every row that nobody has changed since")
async def import_undo(info: Info, input: ImportInput) -> ImportPayload:  # noqa: A002
    batch_id = placed_id(input.batch, prefix="imp", field=("batch",))
    await undo_import(await import_context(info), batch_id=batch_id, kinds=info.room(Importer).kinds)
    return ImportPayload(batch=Ref("ImportBatch", batch_id))
