"""Messages by key and language: each room keeps ``locales/en.json`` and ``locales/zh-CN.json`` beside its code.

A file maps ``room.fact`` to a sentence with ``{placeholders}``; a remedy has the same key and ``.hint``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib.resources import files

LOCALES = ("zh-CN", "en")
DEFAULT_LOCALE = "zh-CN"


class _Gaps(dict[str, object]):
    def __missing__(self, name: str) -> str:
        return "{" + name + "}"


class Catalogue:
    """All sentences of the installed rooms and plugins, read once at the start."""

    def __init__(self, sentences: Mapping[str, Mapping[str, str]]) -> None:
        self._sentences = {locale: dict(sentences.get(locale, {})) for locale in LOCALES}

    @classmethod
    def of(cls, packages: Iterable[str]) -> Catalogue:
        """The catalogue of the given packages; one without ``locales/`` adds nothing."""
        merged: dict[str, dict[str, str]] = {locale: {} for locale in LOCALES}
        for package in packages:
            for locale in LOCALES:
                source = files(package).joinpath("locales", f"{locale}.json")
                if source.is_file():
                    merged[locale].update(json.loads(source.read_text(encoding="utf-8")))
        return cls(merged)

    def text(self, locale: str, key: str, args: Mapping[str, object] | None = None) -> str:
        """The sentence for `key`, in `locale` or else in English; an unknown key is shown as it is."""
        sentence = self._sentences.get(locale, {}).get(key) or self._sentences["en"].get(key) or key
        return sentence.format_map(_Gaps(args or {}))

    def has(self, locale: str, key: str) -> bool:
        """Whether `locale` itself holds the sentence."""
        return key in self._sentences.get(locale, {})

    def keys(self, locale: str) -> frozenset[str]:
        """All keys that `locale` holds."""
        return frozenset(self._sentences[locale])
