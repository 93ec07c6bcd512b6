"""Pure decisions about people and departments: names as they are kept, and the keys they sort by."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from uuid import UUID

from pypinyin import lazy_pinyin
from pypinyin.constants import RE_HANS
from pypinyin.seg.mmseg import seg as words

from saas.kernel import BadUserInput

_SPACE = re.compile(r"\s+")
_PATH_SIGNS = re.compile(r"[/\\>|]")
NAME_MAX = 100
COMPANY_NAME_MAX = 200
NUMBER_MAX = 40
POSITION_MAX = 100
KEY_MAX = 300

_SURNAMES = {
    "单": "shan",
    "曾": "zeng",
    "仇": "qiu",
    "解": "xie",
    "查": "zha",
    "区": "ou",
    "朴": "piao",
    "盖": "ge",
    "缪": "miao",
    "种": "chong",
    "员": "yun",
    "乐": "yue",
    "尉迟": "yu chi",
    "万俟": "mo qi",
    "单于": "chan yu",
}
"""Surnames that are read otherwise than the same character in a word (《通用规范汉字字典》, readings marked 姓)."""


def name_key(name: str) -> str:
    """The key that names sort by: lower-case pinyin, syllables apart ("上海 ABC" → "shang hai abc").

    Stored beside the name, because a database's own Chinese order differs from server to server. Cut at `KEY_MAX`
    characters: what agrees so far is ordered by id.
    """
    parts: list[str] = []
    for is_han, signs in groupby(unicodedata.normalize("NFKC", name), _is_han):
        run = "".join(signs)
        parts += map(_syllables, words.cut(run)) if is_han else [run]
    return " ".join(" ".join(parts).split()).lower()[:KEY_MAX].rstrip()


@lru_cache(maxsize=16_384)
def _is_han(sign: str) -> bool:
    return RE_HANS.match(sign) is not None


@lru_cache(maxsize=16_384)
def _syllables(word: str) -> str:
    """The reading of a word as the dictionary has it: lists of names are made of few words, and reading is slow."""
    return " ".join(lazy_pinyin([word]))


def person_name_key(name: str) -> str:
    """As `name_key`, with the surname read as a surname ("单伟" → "shan wei", not "dan wei")."""
    for length in (2, 1):
        reading = _SURNAMES.get(name[:length])
        if reading:
            return f"{reading} {name_key(name[length:])}".strip()[:KEY_MAX].rstrip()
    return name_key(name)


@dataclass(frozen=True, slots=True)
class DepartmentNode:
    """A department of today's tree; `parent_id` is None at the root."""

    id: UUID
    parent_id: UUID | None
    name: str


class DepartmentTree:
    """Today's tree, for departments that sheets name by their path ("华东大区/上海一组") or by a name that one has."""

    def __init__(self, nodes: Iterable[DepartmentNode]) -> None:
        self._children: dict[tuple[UUID | None, str], UUID] = {}
        self._by_name: dict[str, list[UUID]] = {}
        self._nodes: dict[UUID, DepartmentNode] = {}
        for node in nodes:
            self.add(node)
        self.root = next(node for node in self._nodes.values() if node.parent_id is None)

    def add(self, node: DepartmentNode) -> None:
        """A department that has just been made."""
        self._nodes[node.id] = node
        self._children.setdefault((node.parent_id, _same_name(node.name)), node.id)
        self._by_name.setdefault(_same_name(node.name), []).append(node.id)

    def find(self, path: str) -> tuple[UUID, tuple[str, ...]]:
        """The deepest department of the path that is there, and the names below it that are not.

        A path begins below the root, whose own name may stand first. One name alone means the one department that
        has it, wherever it is.
        """
        names = tuple(filter(None, (part.strip() for part in _PATH_SIGNS.split(unicodedata.normalize("NFKC", path)))))
        if names[:1] and _same_name(names[0]) == _same_name(self.root.name):
            names = names[1:]
        alone = self._by_name.get(_same_name(names[0]), []) if len(names) == 1 else []
        if len(alone) == 1:
            return alone[0], ()
        at = self.root.id
        for place, name in enumerate(names):
            child = self._children.get((at, _same_name(name)))
            if child is None:
                return at, names[place:]
            at = child
        return at, ()

    def path(self, department_id: UUID) -> str:
        """The names from below the root down, parted by slashes; the root's own name for the root."""
        names, node = [], self._nodes[department_id]
        while node.parent_id is not None:
            names.append(node.name)
            node = self._nodes[node.parent_id]
        return "/".join(reversed(names)) or node.name


def _same_name(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def clean_name(text: str, *, field: str, longest: int = NAME_MAX) -> str:
    """A name without outer and doubled spaces; `field` is the input's field that holds it.

    :raises BadUserInput: it is empty, or longer than `longest` characters.
    """
    name = clean_optional(text, field=field, longest=longest)
    if name is None:
        raise BadUserInput("people.name_empty").at("input", field)
    return name


def clean_optional(text: str | None, *, field: str, longest: int) -> str | None:
    """A short text that may be left out, without outer and doubled spaces; None where nothing remains.

    :raises BadUserInput: it is longer than `longest` characters.
    """
    name = _SPACE.sub(" ", text or "").strip()
    if len(name) > longest:
        raise BadUserInput("people.name_too_long", {"length": len(name), "longest": longest}).at("input", field)
    return name or None
