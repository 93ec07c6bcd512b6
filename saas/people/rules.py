"""Pure decisions about people and departments."""

from __future__ import annotations

import re
import unicodedata

from pypinyin import lazy_pinyin

from saas.kernel import BadUserInput

_SPACE = re.compile(r"\s+")
NAME_MAX = 100
NUMBER_MAX = 40


def name_key(name: str) -> str:
    """The key that Chinese and Latin names sort by: lower-case pinyin, syllables apart ("单伟" → "dan wei").

    Stored beside the name, because a database's own Chinese order differs from server to server.
    """
    syllables = lazy_pinyin(unicodedata.normalize("NFKC", name))
    return _SPACE.sub(" ", " ".join(syllables)).strip().lower()


def clean_name(text: str, *, field: str, longest: int = NAME_MAX) -> str:
    """A name without outer and doubled spaces.

    :raises BadUserInput: it is empty, or longer than `longest` characters.
    """
    name = _SPACE.sub(" ", text).strip()
    if not name:
        raise BadUserInput("people.name_empty").at("input", field)
    if len(name) > longest:
        raise BadUserInput("people.name_too_long", {"length": len(name), "longest": longest}).at("input", field)
    return name
