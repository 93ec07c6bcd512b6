"""Refusals of the exchange room: of files, of sheets, of cells, and of steps that a batch can't take."""

from __future__ import annotations

from saas.kernel import AppError, BadUserInput, Conflict, ErrorCode, NotFound, RuleRefused


class FileRefused(BadUserInput):
    """The file is not one that can be read: damaged, of another format, in an unknown encoding."""


class FileTooLarge(FileRefused):
    """The file, or what it unpacks to, is larger than is taken."""


class SheetRefused(BadUserInput):
    """A sheet has no header that can be understood, or no rows."""


class MappingRefused(BadUserInput):
    """The mapping names a column or header that is not there, or leaves out a required one."""


class CellRefused(BadUserInput):
    """A cell's value can't be taken; it carries the value, and the row and the column once it is placed."""

    def in_cell(self, *, row: int, column: str, key: str) -> CellRefused:
        """The same refusal with the row's number in the file, the column's title there, and the column's key."""
        self.values |= {"row": row, "column": column}
        self.field = ("rows", str(row), key)
        return self


class RowRefused(BadUserInput):
    """A row can't be taken as a whole: it contradicts another of the file."""


class KindUnknown(BadUserInput):
    """No kind of import of that name is installed."""


class BatchNotFound(NotFound):
    """No such import in this company, or not one that the caller may see."""


class StateRefused(Conflict):
    """The batch is in a state in which this can't be done."""


class RowsRefused(RuleRefused):
    """Rows are bad, and the import was asked to take all or none."""


class PersonGone(RuleRefused):
    """Whoever asked for the import is no member of the company any more."""

    def __init__(self) -> None:
        super().__init__("exchange.person_gone")


class PlanChanged(AppError):
    """What the preview read has changed, so that committing would do other than was shown."""

    code = ErrorCode.PLAN_CHANGED


class RecipeRefused(BadUserInput):
    """A recipe can't be used: malformed, or it names files, headers or columns that are not there."""
