"""A company's own sheets: read whatever their notation, checked, shown as a preview, written, taken back.

The engine knows no rows of its own. Rooms above give an `ImportKind` each; the doors call the actions, and a worker
takes the steps.
"""

from saas.exchange.actions.deeds import Chosen, cancel_import, commit_import, preview_import, undo_import
from saas.exchange.actions.error_file import write_error_file
from saas.exchange.actions.staging import Upload, inspect_upload, stage_import
from saas.exchange.actions.steps import Importer, advance
from saas.exchange.actions.taking_back import take_back
from saas.exchange.cells import Cell, Parser, Value, choice, phone, several, text, yes_or_no
from saas.exchange.columns import ImportColumn, UnitAware
from saas.exchange.days import day, moment, month
from saas.exchange.errors import CellRefused, FileRefused, MappingRefused, PersonGone, PlanChanged, RowRefused
from saas.exchange.events import (
    IMPORT_COMMITTED,
    IMPORT_FAILED,
    IMPORT_PREVIEWED,
    IMPORT_UNDONE,
    STEP_FALLEN_DUE,
    TOPICS,
)
from saas.exchange.figures import Amount, Rate, integer, number
from saas.exchange.jobs import TAKE_STEP, TakeStep, carry_out, purge_imports
from saas.exchange.kinds import (
    Applied,
    Contexts,
    Difference,
    ImportContext,
    ImportKind,
    Kinds,
    Outcome,
    Promises,
    Row,
    Verdict,
    differences,
)
from saas.exchange.queries import BatchSummary, RemarkLine, list_remarks, summarise
from saas.exchange.reads import reads
from saas.exchange.recipes import Recipe, RecipeSheet, Source, cook, load_recipe
from saas.exchange.report_files import Table, TableCell, csv_of, plain_cell, write_workbook
from saas.exchange.rules import BatchState, Mode, OnChange
from saas.exchange.sheets import SheetRow, Sheets, open_sheets
from saas.exchange.store import FileStore, FolderStore, StoredFile

__all__ = [
    "IMPORT_COMMITTED",
    "IMPORT_FAILED",
    "IMPORT_PREVIEWED",
    "IMPORT_UNDONE",
    "STEP_FALLEN_DUE",
    "TAKE_STEP",
    "TOPICS",
    "Amount",
    "Applied",
    "BatchState",
    "BatchSummary",
    "Cell",
    "CellRefused",
    "Chosen",
    "Contexts",
    "Difference",
    "FileRefused",
    "FileStore",
    "FolderStore",
    "ImportColumn",
    "ImportContext",
    "ImportKind",
    "Importer",
    "Kinds",
    "MappingRefused",
    "Mode",
    "OnChange",
    "Outcome",
    "Parser",
    "PersonGone",
    "PlanChanged",
    "Promises",
    "Rate",
    "Recipe",
    "RecipeSheet",
    "RemarkLine",
    "Row",
    "RowRefused",
    "SheetRow",
    "Sheets",
    "Source",
    "StoredFile",
    "Table",
    "TableCell",
    "TakeStep",
    "UnitAware",
    "Upload",
    "Value",
    "Verdict",
    "advance",
    "cancel_import",
    "carry_out",
    "choice",
    "commit_import",
    "cook",
    "csv_of",
    "day",
    "differences",
    "inspect_upload",
    "integer",
    "list_remarks",
    "load_recipe",
    "moment",
    "month",
    "number",
    "open_sheets",
    "phone",
    "plain_cell",
    "preview_import",
    "purge_imports",
    "reads",
    "several",
    "stage_import",
    "summarise",
    "take_back",
    "text",
    "undo_import",
    "write_error_file",
    "write_workbook",
    "yes_or_no",
]
