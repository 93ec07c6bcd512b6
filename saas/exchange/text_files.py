"""CSV files: which encoding, which separator, and their rows one by one, however long the file is."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from saas.exchange.errors import FileRefused

_BLOCK = 1 << 18
_SAMPLE = 1 << 16
_SAMPLE_RECORDS = 30
_FIELD_MAX = 131_072
"""Characters of one field, the csv module's own limit: a quote that is never closed swallows no more than that."""

_MARKS = (
    (codecs.BOM_UTF8, "UTF-8 with BOM", "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "UTF-16", "utf-16"),
    (codecs.BOM_UTF16_BE, "UTF-16", "utf-16"),
)
_CANDIDATES = (("UTF-8", "utf-8", "utf-8"), ("GBK", "gbk", "gb18030"), ("GB18030", "gb18030", "gb18030"))
"""Name, codec that must take the whole file, codec that reads it. What is valid UTF-8 is hardly ever anything else;
GB18030 holds all of GBK, so GBK is only a name for "no character of four bytes"."""

_SEPARATORS = (",", "\t", ";")
_DIRECTIVE = "sep="


@dataclass(frozen=True, slots=True)
class TextEncoding:
    """An encoding as people call it, and the codec that reads it."""

    name: str
    codec: str


def detect_encoding(file: BinaryIO) -> TextEncoding:
    """The encoding of the whole file: by its mark, else the first that every byte fits.

    :raises FileRefused: none fits, or the file holds zero bytes, as no text does.
    """
    file.seek(0)
    head = file.read(4)
    for mark, name, codec in _MARKS:
        if head.startswith(mark):
            return _checked(file, TextEncoding(name, codec))
    return _first_fitting(file)


def _checked(file: BinaryIO, encoding: TextEncoding) -> TextEncoding:
    decoder = codecs.getincrementaldecoder(encoding.codec)()
    for block, is_last in _blocks(file):
        try:
            decoder.decode(block, is_last)
        except UnicodeDecodeError as error:
            raise FileRefused("exchange.encoding_broken", {"encoding": encoding.name, "reason": error.reason}) from None
    return encoding


def _first_fitting(file: BinaryIO) -> TextEncoding:
    decoders = {name: codecs.getincrementaldecoder(codec)() for name, codec, _ in _CANDIDATES}
    for block, is_last in _blocks(file):
        if b"\x00" in block:
            raise FileRefused("exchange.not_a_sheet")
        for name in [name for name, decoder in decoders.items() if not _fits(decoder, block, is_last)]:
            del decoders[name]
        if not decoders:
            raise FileRefused("exchange.encoding_unknown")
    return next(TextEncoding(name, reads) for name, _, reads in _CANDIDATES if name in decoders)


def _fits(decoder: codecs.IncrementalDecoder, block: bytes, is_last: bool) -> bool:
    try:
        decoder.decode(block, is_last)
    except UnicodeDecodeError:
        return False
    return True


def _blocks(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    file.seek(0)
    while block := file.read(_BLOCK):
        yield block, False
    yield b"", True


def records(file: BinaryIO, encoding: TextEncoding) -> Iterator[list[str]]:
    """The records from the first on, blank ones as empty lists; the file must not be read otherwise meanwhile.

    A first line ``sep=;``, which tells Excel the separator, is given as a blank one.

    :raises FileRefused: a field of more than 131,072 characters: a quote that is not closed.
    """
    with _as_text(file, encoding) as text:
        sample = text.read(_SAMPLE)
    told = _told_separator(sample)
    number = 0
    with _as_text(file, encoding) as text:
        try:
            for record in csv.reader(text, delimiter=told or _guessed_separator(sample)):
                number += 1
                yield [] if told and number == 1 else record
        except csv.Error:
            raise FileRefused("exchange.quote_not_closed", {"row": number + 1, "longest": _FIELD_MAX}) from None


@contextmanager
def _as_text(file: BinaryIO, encoding: TextEncoding) -> Iterator[io.TextIOWrapper]:
    """Text from the file's beginning on; the file stays open when the text is closed."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding.codec, newline="")
    try:
        yield text
    finally:
        if not text.closed:  # whoever stops in the middle may have closed the file before this ends
            text.detach()


def _told_separator(sample: str) -> str:
    first = sample.partition("\n")[0].rstrip("\r").lower()
    separator = first.removeprefix(_DIRECTIVE)
    return separator if first.startswith(_DIRECTIVE) and separator in _SEPARATORS else ""


def _guessed_separator(sample: str) -> str:
    """The separator that most records of the sample agree on; a comma where there is but one column."""
    return max(_SEPARATORS, key=lambda separator: _agreement(sample, separator))


def _agreement(sample: str, separator: str) -> int:
    widths: Counter[int] = Counter()
    try:
        for record in csv.reader(io.StringIO(sample, newline=""), delimiter=separator):
            widths[len(record)] += 1
            if widths.total() == _SAMPLE_RECORDS:
                break
    except csv.Error:
        return 0
    return max((times * (width - 1) for width, times in widths.items() if width > 1), default=0)
