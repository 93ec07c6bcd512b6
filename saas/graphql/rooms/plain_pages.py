"""Pages of ordinary (not compiled) lists: size, cursor, and whether more follow."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar
from uuid import UUID

import orjson
import strawberry

from saas.graphql.render import PageInfo
from saas.kernel import BadUserInput
from saas.reads.cursors import mark_of

PAGE_MAX = 100
_LONGEST = 400
_PLACE_DIGITS = 9
First = Annotated[int, strawberry.argument(description="Page size, 1 to 100. Since 0.1.")]
After = Annotated[
    str | None,
    strawberry.argument(description="The endCursor of the page before; none for the first one. Since 0.1."),
]
RowT = TypeVar("RowT")


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows of `list_name` are wanted: `size` of them behind the row `after`.

    Ask the list for `size` + 1 rows: the one too many only tells that more follow.
    """

    list_name: str
    size: int
    after: str | None

    @property
    def after_id(self) -> UUID | None:
        """`after` of a list that is ordered by ids.

        :raises BadUserInput: the cursor was made up.
        """
        try:
            return None if self.after is None else UUID(hex=self.after)
        except ValueError:
            raise _foreign(self.after or "") from None

    @property
    def after_place(self) -> int:
        """`after` of a list that is ordered by places from 0; -1 for its beginning.

        :raises BadUserInput: the cursor was made up.
        """
        if self.after is None:
            return -1
        if not self.after.isdecimal() or len(self.after) > _PLACE_DIGITS:
            raise _foreign(self.after)
        return int(self.after)

    def cut(self, rows: Sequence[RowT], key: Callable[[RowT], str]) -> tuple[Sequence[RowT], PageInfo]:
        """The page's rows out of at most `size` + 1, and where it stands; `key` gives what a cursor holds of a row."""
        shown = rows[: self.size]
        return shown, PageInfo(
            has_next_page=len(rows) > self.size,
            has_previous_page=self.after is not None,
            start_cursor=self._cursor(key(shown[0])) if shown else None,
            end_cursor=self._cursor(key(shown[-1])) if shown else None,
        )

    def _cursor(self, key: str) -> str:
        return urlsafe_b64encode(orjson.dumps([mark_of(self.list_name, ()), key])).decode().rstrip("=")


def page_of(list_name: str, *, first: int, after: str | None) -> Page:
    """The page that the arguments ask for.

    :raises BadUserInput: a size out of bounds, or a cursor of another list.
    """
    if not 1 <= first <= PAGE_MAX:
        raise BadUserInput("reads.page_size_out_of_bounds", {"given": first, "most": PAGE_MAX}, field=("first",))
    return Page(list_name, first, None if after is None else _key_in(after, list_name))


def _key_in(cursor: str, list_name: str) -> str:
    try:
        parts = orjson.loads(urlsafe_b64decode(cursor[:_LONGEST].encode("ascii") + b"=" * (-len(cursor) % 4)))
    except ValueError:
        raise _foreign(cursor) from None
    if not isinstance(parts, list) or len(parts) != 2 or parts[0] != mark_of(list_name, ()):
        raise _foreign(cursor)
    return str(parts[1])


def _foreign(cursor: str) -> BadUserInput:
    return BadUserInput("reads.cursor_of_other_list", {"cursor": cursor[:60]}, field=("after",))
