"""How imports are read: batches, their sheets and mappings, what a preview shows, what went wrong."""

from __future__ import annotations

from saas.exchange.policies import BATCH_SCOPES, OF_BATCH_SCOPES, OF_PART_SCOPES
from saas.reads.mapping import (
    EXACT,
    RANGE,
    Column,
    EnumKind,
    ListRoot,
    OneRoot,
    ReadType,
    RoomReads,
    ScalarKind,
    ToMany,
    ToOne,
)

IMPORT_STATE = EnumKind(
    "ImportState",
    "Where an import is.",
    {
        "STAGED": ("staged", "Uploaded; the mapping can be corrected."),
        "PREVIEWING": ("previewing", "Rows are read and checked."),
        "PREVIEWED": ("previewed", "The preview can be read, and committed by its planHash."),
        "COMMITTING": ("committing", "Rows are written, a thousand in a transaction."),
        "COMMITTED": ("committed", "Every row is written that was to be."),
        "FAILED": ("failed", "Stopped at a refusal, which failure tells; what was written stands and can be undone."),
        "CANCELLED": ("cancelled", "Stopped by a person; what was written stands and can be undone."),
        "UNDOING": ("undoing", "Rows are taken back."),
        "UNDONE": ("undone", "Every row is taken back that nobody has changed since."),
    },
)
IMPORT_PHASE = EnumKind(
    "ImportPhase",
    "What an import that moves is doing.",
    {
        "READING": ("reading", "Rows are read from the file."),
        "CHECKING": ("checking", "Rows are parsed, compared and planned."),
        "VERIFYING": ("verifying", "The plan is compared with the records of now; nothing is written yet."),
        "APPLYING": ("applying", "Rows are written."),
        "UNDOING": ("undoing", "Rows are taken back."),
    },
)
IMPORT_MODE = EnumKind(
    "ImportMode",
    "What bad rows mean.",
    {
        "REJECT_ALL": ("reject_all", "One bad row, and nothing is written."),
        "SKIP_BAD_ROWS": ("skip_bad_rows", "Good rows are written; bad ones go to the error file."),
    },
)
IMPORT_ON_CHANGE = EnumKind(
    "ImportOnChange",
    "What happens to rows whose record was changed between preview and commit.",
    {
        "REFUSE": ("refuse", "The commit is refused before anything is written."),
        "SKIP": ("skip", "Such rows are passed over and told."),
    },
)
REMARK_SEVERITY = EnumKind(
    "ImportRemarkSeverity",
    "How much a remark matters.",
    {
        "ERROR": ("error", "Fails its row."),
        "WARNING": ("warning", "A row was left out as a repetition, passed over, or could not be taken back."),
        "NOTE": ("note", "Something of the file was left out: a total row, a sheet without a header."),
    },
)
MATCHED_BY = EnumKind(
    "ImportMatchedBy",
    "Why a header was taken for a column.",
    {
        "TITLE": ("title", "It is the column's title or a synonym."),
        "CLOSENESS": ("closeness", "It is nearly one; worth a look."),
        "MEMORY": ("memory", "The company committed it so before."),
        "PERSON": ("person", "A person chose it for this import."),
    },
)


def _count(name: str, column: str, doc: str) -> Column:
    return Column(name, ScalarKind.INT, column, doc)


_COUNTS = (
    _count("rowCount", "row_count", "Rows of data, without totals and blank rows."),
    _count("newCount", "new_count", "Rows that would make a record."),
    _count("changedCount", "changed_count", "Rows that would change one."),
    _count("unchangedCount", "unchanged_count", "Rows whose record is already so."),
    _count("duplicateCount", "duplicate_count", "Rows that stand twice in the file; each is taken once."),
    _count("failedCount", "failed_count", "Rows with errors."),
    _count("appliedCount", "applied_count", "Rows that were written."),
    _count("passedCount", "passed_count", "Rows passed over because their record was changed meanwhile."),
    _count("undoneCount", "undone_count", "Rows that were taken back."),
    _count("keptCount", "kept_count", "Rows that an undo had to leave, because somebody changed the record since."),
)

batch = ReadType(
    name="ImportBatch",
    table="import_batch",
    prefix="imp",
    doc="An import of a company's own file (导入批次).",
    scopes=BATCH_SCOPES,
    fields=(
        Column("filename", ScalarKind.STRING, "filename", "What the uploader called the file."),
        Column("format", ScalarKind.STRING, "format", "csv or xlsx, by the file's content."),
        Column("encoding", ScalarKind.STRING, "encoding", "A CSV file's encoding as it was detected; null for XLSX."),
        Column("size", ScalarKind.INT, "size", "Bytes of the file."),
        Column("sha256", ScalarKind.STRING, "sha256", "Digest of the file's content, 64 hex digits."),
        ToOne("repeats", "ImportBatch", "repeats_id", "The last committed import of a file with the same content."),
        Column("state", IMPORT_STATE, "state", "Where the import is.", structural=True, filters=EXACT),
        Column("phase", IMPORT_PHASE, "phase", "What it is doing; null while it waits for a person."),
        Column("mode", IMPORT_MODE, "mode", "What bad rows mean."),
        Column("onChange", IMPORT_ON_CHANGE, "on_change", "What happens to rows whose record was changed meanwhile."),
        Column("planHash", ScalarKind.STRING, "plan_hash", "What a commit names; null before a preview is done."),
        _count("doneCount", "done_count", "Rows that the present phase has dealt with, of rowCount."),
        *_COUNTS,
        Column("failureKey", ScalarKind.STRING, "failure_key", "Key of the refusal that stopped it; null if none did."),
        Column("failure", ScalarKind.STRING, "failure", "The refusal, in the language of whoever asked."),
        Column(
            "createdAt",
            ScalarKind.DATETIME,
            "created_at",
            "When it was uploaded.",
            structural=True,
            filters=RANGE,
            orderable=True,
        ),
        Column("updatedAt", ScalarKind.DATETIME, "updated_at", "When it last took a step."),
        Column("previewedAt", ScalarKind.DATETIME, "previewed_at", "When the preview was done."),
        Column("committedAt", ScalarKind.DATETIME, "committed_at", "When all rows were written."),
        Column("undoneAt", ScalarKind.DATETIME, "undone_at", "When the rows were taken back."),
        Column(
            "purgedAt", ScalarKind.DATETIME, "purged_at", "When its rows were removed, seven days after the upload."
        ),
        ToMany("parts", "ImportPart", "batch_id", "PLACE_ASC", "Its sheets, in the order in which they are written."),
        ToMany("remarks", "ImportRemark", "batch_id", "ROW_NUMBER_ASC", "Everything to know of its rows, by row."),
    ),
)

part = ReadType(
    name="ImportPart",
    table="import_part",
    prefix="imt",
    doc="A sheet of an import as rows of one kind.",
    scopes=OF_BATCH_SCOPES,
    fields=(
        ToOne("batch", "ImportBatch", "batch_id", "The import it belongs to."),
        Column("place", ScalarKind.INT, "place", "Its turn, from 0.", structural=True, orderable=True),
        Column("sheet", ScalarKind.STRING, "sheet", "The sheet's name; of a CSV file, the file's."),
        Column("kind", ScalarKind.STRING, "kind", "What its rows are, such as customers."),
        Column("headerRow", ScalarKind.INT, "header_row", "Number of the header's row in the file, from 1."),
        Column(
            "unit", ScalarKind.STRING, "unit", "The unit that a title gives all amounts, such as 万元; empty if none."
        ),
        *_COUNTS,
        ToMany("headers", "ImportHeader", "part_id", "PLACE_ASC", "Its columns and what they were taken for."),
        ToMany("remarks", "ImportRemark", "part_id", "ROW_NUMBER_ASC", "What is to know of its rows, by row."),
        ToMany(
            "differences", "ImportDifference", "part_id", "ROW_NUMBER_ASC", "The first hundred fields it would change."
        ),
    ),
)

header = ReadType(
    name="ImportHeader",
    table="import_header",
    prefix="imh",
    doc="A column of an uploaded sheet.",
    scopes=OF_PART_SCOPES,
    fields=(
        Column("place", ScalarKind.INT, "place", "Its place, 0 for column A.", structural=True, orderable=True),
        Column("letters", ScalarKind.STRING, "letters", "What a spreadsheet calls it, such as AA."),
        Column("header", ScalarKind.STRING, "header", "The text in the header's row."),
        Column("columnKey", ScalarKind.STRING, "key", "The kind's column it is taken for; null where it is ignored."),
        Column("matchedBy", MATCHED_BY, "matched_by", "Why; null where it is ignored."),
    ),
)

remark = ReadType(
    name="ImportRemark",
    table="import_remark",
    prefix="imr",
    doc="Something to know of a row, a sheet or a file.",
    scopes=OF_BATCH_SCOPES,
    fields=(
        ToOne("part", "ImportPart", "part_id", "The sheet; null where it is about the file."),
        Column(
            "rowNumber",
            ScalarKind.INT,
            "row_number",
            "The row in the file, from 1; 0 for none.",
            structural=True,
            orderable=True,
        ),
        Column(
            "columnTitle", ScalarKind.STRING, "column_title", "The column's header; null where it is about the row."
        ),
        Column("severity", REMARK_SEVERITY, "severity", "How much it matters.", structural=True),
        Column("messageKey", ScalarKind.STRING, "key", "Key of the sentence, never translated."),
        Column("message", ScalarKind.STRING, "message", "The sentence, in the language of whoever asked."),
    ),
)

difference = ReadType(
    name="ImportDifference",
    table="import_difference",
    prefix="imd",
    doc="A field that a row would change.",
    scopes=OF_PART_SCOPES,
    fields=(
        Column(
            "rowNumber", ScalarKind.INT, "row_number", "The row in the file, from 1.", structural=True, orderable=True
        ),
        Column("columnKey", ScalarKind.STRING, "key", "The kind's column."),
        Column("before", ScalarKind.STRING, "before", "The value now; masked where it is personal or pay."),
        Column("after", ScalarKind.STRING, "after", "The value in the file; masked where it is personal or pay."),
    ),
)

reads = RoomReads(
    types=(batch, part, header, remark, difference),
    roots=(
        OneRoot("importBatch", "ImportBatch", "An import by id."),
        ListRoot(
            "importBatches", "ImportBatch", "CREATED_AT_DESC", "The imports the caller may see, the newest first."
        ),
    ),
)
