"""The chain itself: what is hashed, how, and how every kind of tampering shows. Standard library only.

An auditor needs this one file, an export and the published heads; nothing else of the product, and no network:
`verify_lines` reads the export line by line.

A link's hash is SHA-256 over the canonical JSON of its entry (with tenant and sequence number), a vertical bar, and
the previous link's hash in hex; the first link follows `GENESIS`. A chain alone does not notice that its tail was
cut or that it was rewritten as a whole; against that stand the heads published outside the database.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

GENESIS = "0" * 64
FORMAT = "fairlead-audit-1"


class Tampering(StrEnum):
    """What is wrong with a chain."""

    CHANGED_ENTRY = "changed_entry"
    REMOVED_ENTRY = "removed_entry"
    REMOVED_LINK = "removed_link"
    REORDERED = "reordered"
    CUT_TAIL = "cut_tail"
    REWRITTEN = "rewritten"
    UNLINKED = "unlinked"


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ended at an instant: how many links, and the last one's hash in hex."""

    tenant: str
    seq: int
    hash: str
    at: str


@dataclass(frozen=True, slots=True)
class Link:
    """One link and the entry it holds; `entry` is None where the entry is gone."""

    seq: int
    entry_id: str
    previous: str
    hash: str
    entry: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome: how many links were read, the last hash, and the first thing that is wrong."""

    links: int
    head: str
    tampering: Tampering | None = None
    seq: int | None = None
    detail: str = ""

    @property
    def is_intact(self) -> bool:
        """Whether nothing is wrong."""
        return self.tampering is None


def instant(value: datetime) -> str:
    """The one text form of an instant: UTC, microseconds, ``Z``."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def canonical(value: Mapping[str, Any]) -> bytes:
    """The one byte form of an entry: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def link_hash(entry: Mapping[str, Any], *, tenant: str, seq: int, previous: str) -> str:
    """The hash of the link at `seq`, in hex."""
    body = canonical({"entry": entry, "seq": seq, "tenant": tenant})
    return hashlib.sha256(body + b"|" + previous.encode()).hexdigest()


def keyed_digest(key: bytes, value: str) -> str:
    """What the trail holds in place of a sealed value: the same value shows the same digest, and no more."""
    return "hmac-sha256:" + hmac.new(key, value.encode(), hashlib.sha256).hexdigest()


class ChainCheck:
    """Walks a chain from its first link; stops judging at the first thing that is wrong.

    :param heads: published heads; those of other tenants are passed over.
    """

    def __init__(self, tenant: str, heads: Iterable[Head] = ()) -> None:
        self._tenant = tenant
        self._published: dict[int, set[str]] = {}
        for head in heads:
            if head.tenant == tenant:
                self._published.setdefault(head.seq, set()).add(head.hash)
        self._seq, self._previous = 0, GENESIS
        self._wrong: tuple[Tampering, int, str] | None = None

    def feed(self, link: Link) -> bool:
        """Judge the next link; False once something is wrong."""
        if self._wrong is None:
            self._wrong = self._judge(link)
        if self._wrong is None:
            self._seq, self._previous = link.seq, link.hash
        return self._wrong is None

    def finish(self) -> Verdict:
        """The verdict, after the last link."""
        beyond = [seq for seq in self._published if seq > self._seq]
        if self._wrong is None and beyond:
            text = f"a head with {max(beyond)} links was published, {self._seq} are left"
            self._wrong = (Tampering.CUT_TAIL, self._seq + 1, text)
        if self._wrong is None:
            return Verdict(self._seq, self._previous)
        tampering, seq, detail = self._wrong
        return Verdict(self._seq, self._previous, tampering, seq, detail)

    def _judge(self, link: Link) -> tuple[Tampering, int, str] | None:
        expected = self._seq + 1
        if link.seq > expected:
            return Tampering.REMOVED_LINK, expected, f"link {expected} is missing, the next one is {link.seq}"
        if link.seq < expected:
            return Tampering.REORDERED, link.seq, f"link {link.seq} stands where {expected} belongs"
        if link.previous != self._previous:
            return Tampering.REORDERED, link.seq, "the link does not follow the one before it"
        if link.entry is None:
            return Tampering.REMOVED_ENTRY, link.seq, f"entry {link.entry_id} is gone"
        if link_hash(link.entry, tenant=self._tenant, seq=link.seq, previous=link.previous) != link.hash:
            return Tampering.CHANGED_ENTRY, link.seq, f"entry {link.entry_id} is not what was linked"
        if self._published.get(link.seq, {link.hash}) != {link.hash}:
            return Tampering.REWRITTEN, link.seq, "the hash differs from the one that was published"
        return None


def link_line(link: Link) -> str:
    """A link as a line of an export."""
    body = {"seq": link.seq, "id": link.entry_id, "previous": link.previous, "hash": link.hash, "entry": link.entry}
    return canonical(body).decode()


def export_header(tenant: str, at: datetime) -> str:
    """The first line of an export."""
    return canonical({"format": FORMAT, "tenant": tenant, "exportedAt": instant(at)}).decode()


def head_line(head: Head) -> str:
    """A head as a line of the published file."""
    return canonical({"tenant": head.tenant, "seq": head.seq, "hash": head.hash, "at": head.at}).decode()


def read_heads(lines: Iterable[str]) -> list[Head]:
    """The heads of a published file; a last line that was cut off by a crash is passed over."""
    heads = []
    for line in lines:
        if not line.rstrip("\n").endswith("}"):
            continue
        found = json.loads(line)
        heads.append(Head(found["tenant"], found["seq"], found["hash"], found["at"]))
    return heads


def verify_lines(lines: Iterable[str], heads: Sequence[Head] = ()) -> Verdict:
    """Verify an export without the product.

    :raises ValueError: the first line is not the header of an export of this format, or a line is no JSON.
    """
    source = iter(lines)
    header = json.loads(next(source, "{}"))
    if header.get("format") != FORMAT:
        raise ValueError(f"not an export of the format {FORMAT}")
    check = ChainCheck(header["tenant"], heads)
    for line in source:
        found = json.loads(line)
        if not check.feed(Link(found["seq"], found["id"], found["previous"], found["hash"], found["entry"])):
            break
    return check.finish()
