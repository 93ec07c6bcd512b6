"""Pure decisions about people and departments: names as they are kept, and the keys they sort by."""

from __future__ import annotations

import re
import unicodedata

from pypinyin import lazy_pinyin

from saas.kernel import BadUserInput

_SPACE = re.compile(r"\s+")
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
    syllables = lazy_pinyin(unicodedata.normalize("NFKC", name))
    return _SPACE.sub(" ", " ".join(syllables)).strip().lower()[:KEY_MAX].rstrip()


def person_name_key(name: str) -> str:
    """As `name_key`, with the surname read as a surname ("单伟" → "shan wei", not "dan wei")."""
    for length in (2, 1):
        reading = _SURNAMES.get(name[:length])
        if reading:
            return f"{reading} {name_key(name[length:])}".strip()[:KEY_MAX].rstrip()
    return name_key(name)


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
