"""Verify the certificate of a draw of customers: recompute every commitment, every tree and every pick.

    python3 verifier.py certificate.json [--commitment DIGEST] [--picks-root DIGEST]

This file is all it takes: Python 3.10 or newer and its standard library. Status 0: everything fits; 1: each finding
names what does not; 2: unreadable. Without the commitment that was published before, it proves only consistency.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import re
import sys
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

FULL = "fairlead.draw.certificate/1"
EXTRACT = "fairlead.draw.extract/1"
DOMAIN = b"fairlead.draw/1/"
METHOD_VERSION = 1
LARGEST = 2**53 - 1
"""The largest weight, count or place: every JSON reader takes it exactly."""

Json = Any
Entry = Mapping[str, Json]


class Finding(NamedTuple):
    """One thing that does not fit: where (a path in the JSON, ``$`` for the whole), and what."""

    path: str
    fact: str


def canonical(value: Json) -> bytes:
    """The one way to write a JSON value: keys sorted, no spaces, ASCII only."""
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def digest(kind: str, *parts: bytes | str) -> str:
    """SHA-256 in hex, such as no other kind of content can have: the domain and the kind stand before the content."""
    content = b"".join(part.encode("ascii") if isinstance(part, str) else part for part in parts)
    return hashlib.sha256(DOMAIN + kind.encode("ascii") + b"\0" + content).hexdigest()


def salt(salt_key: str, tree: str, index: int) -> str:
    """What hides a leaf: ids can be guessed, so a bare hash of an entry would give it away."""
    about = DOMAIN + b"salt/" + tree.encode("ascii") + b"\0" + index.to_bytes(8, "big")
    return hmac.digest(bytes.fromhex(salt_key), about, "sha256").hex()


def leaf(tree: str, salted: str, entry: Json) -> str:
    """The hash of an entry of a tree, under its salt."""
    return digest("leaf/" + tree, salted, canonical(entry))


def leaves(tree: str, salt_key: str, entries: Sequence[Json]) -> list[str]:
    """The leaves of a tree, in order."""
    return [leaf(tree, salt(salt_key, tree, index), entry) for index, entry in enumerate(entries)]


def level_above(level: list[str]) -> list[str]:
    """The nodes above a level of a Merkle tree; one without a neighbour goes up as it is."""
    pairs = [digest("node", level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
    return pairs + level[len(level) - len(level) % 2 :]


def root(level: list[str]) -> str:
    """The root above a level."""
    while len(level) > 1:
        level = level_above(level)
    return level[0] if level else digest("empty")


def climbed(node: str, index: int, size: int, proof: Sequence[str]) -> str | None:
    """The root that a leaf and its neighbours lead to; None where they are too few, too many, or of another tree."""
    rest = list(proof)
    while size > 1 and index < size:
        if index ^ 1 < size:
            if not rest:
                return None
            neighbour = rest.pop(0)
            node = digest("node", neighbour, node) if index & 1 else digest("node", node, neighbour)
        index, size = index >> 1, (size + 1) >> 1
    return None if rest or index >= size else node


def seed_bytes(seed: Entry) -> bytes:
    """The 32 bytes that decide a draw: the secret itself, or the hash of a public value together with its source."""
    if seed["kind"] == "secret":
        return bytes.fromhex(seed["value"])
    return bytes.fromhex(digest("public seed", canonical({"source": seed["source"], "value": seed["value"]})))


def number_below(total: int, *, seed: bytes, draw: str, place: int) -> tuple[int, int]:
    """A number in [0, total), each equally likely, and how many were rejected before it.

    As many bits of HMAC-SHA256(seed, draw, place, attempt) as `total` needs; what is not below it is rejected, never
    folded back, so no number is likelier than another.
    """
    bits, attempt = (total - 1).bit_length(), 0
    about = DOMAIN + b"pick\0" + bytes.fromhex(digest("draw", canonical(draw))) + place.to_bytes(8, "big")
    while True:
        drawn = hmac.digest(seed, about + attempt.to_bytes(8, "big"), "sha256")
        number = int.from_bytes(drawn, "big") >> (256 - bits)
        if number < total:
            return attempt, number
        attempt += 1


class _Wheel:
    """Candidates in their own order, each with as much of the wheel as their weight: a part from its start."""

    def __init__(self, candidates: Sequence[Entry], who: Sequence[int]) -> None:
        self.who, weights = who, [candidates[index]["weight"] for index in who]
        self.ends = list(accumulate(weights))
        self.parts = {index: (self.ends[at] - weights[at], weights[at]) for at, index in enumerate(who)}

    def turned(self, barred: set[int], *, seed: bytes, draw: str, place: int) -> tuple[int | None, dict[str, Json]]:
        left_out, skipped = [self.parts[index] for index in sorted(barred)], 0
        total = sum(self.ends[-1:]) - sum(weight for _, weight in left_out)
        if not total:
            return None, {"attempt": 0, "number": None, "start": None, "total": 0}
        attempt, number = number_below(total, seed=seed, draw=draw, place=place)
        for start, weight in left_out:
            skipped += weight if number + skipped >= start else 0
        who = self.who[bisect_right(self.ends, number + skipped)]
        return who, {"attempt": attempt, "number": number, "start": self.parts[who][0] - skipped, "total": total}


def deal(candidates: Sequence[Entry], customers: Sequence[Entry], *, seed: bytes, draw: str) -> Iterator[Entry]:
    """The pick of each customer, in order, among all who are not filtered, have room for its records and may have it.

    A pick names the candidate (null for nobody) and how that came about: `number` is below `total`, the weights of all
    who could have the customer; the candidate's weight begins at `start`; `attempt` counts the rejected numbers.
    """
    rooms = [entry["room"] for entry in candidates]
    excluded: dict[int, set[int]] = {}
    for index, entry in enumerate(candidates):
        for place in entry["excluded"]:
            excluded.setdefault(place, set()).add(index)
    standing = [i for i, each in enumerate(candidates) if each["filtered"] is None and each["weight"] and rooms[i] != 0]
    wheel = _Wheel(candidates, standing)
    for place, customer in enumerate(customers):
        size, barred = len(customer["records"]), excluded.get(place, set()) & wheel.parts.keys()
        if size > 1:
            barred = barred | {index for index in wheel.who if rooms[index] is not None and rooms[index] < size}
        chosen, pick = wheel.turned(barred, seed=seed, draw=draw, place=place)
        yield {**pick, "candidate": None if chosen is None else candidates[chosen]["id"]}
        if chosen is not None and rooms[chosen] is not None:
            rooms[chosen] -= size
            if rooms[chosen] == 0:
                wheel = _Wheel(candidates, [index for index in wheel.who if index != chosen])


def outcomes(candidates: Sequence[Entry], customers: Sequence[Entry], picks: Sequence[Entry]) -> list[dict[str, Json]]:
    """For each candidate, then for nobody: all customers that went there. The entries of the tree of picks."""
    by_candidate: dict[str | None, list[Json]] = {entry["id"]: [] for entry in candidates}
    by_candidate[None] = []
    for place, pick in enumerate(picks):
        said = {name: value for name, value in pick.items() if name != "candidate"}
        by_candidate[pick["candidate"]].append({**said, "place": place, "records": customers[place]["records"]})
    return [{"candidate": who, "picks": theirs} for who, theirs in by_candidate.items()]


_KINDS: dict[str, tuple[str, Callable[[Json], bool]]] = {
    "hash": ("64 hex digits", lambda value: type(value) is str and bool(re.fullmatch(r"[0-9a-f]{64}", value))),
    "text": ("text", lambda value: type(value) is str),
    "count": (f"a whole number of 0 to {LARGEST}", lambda value: type(value) is int and 0 <= value <= LARGEST),
    "number": ("a whole number from 0", lambda value: type(value) is int and 0 <= value < 2**256),
}
"""Kind of a value → how it is named, whether a value is of it; with ``?`` behind it, null will do too."""

_CANDIDATE = {"id": "text", "weight": "count", "room": "count?", "filtered": "text?", "excluded": ["count"]}
_CUSTOMER = {"records": ["text"]}
_PICK = {"attempt": "number", "number": "number?", "start": "number?", "total": "number"}
_OWN_PICKS = {"candidate": "text", "picks": [{**_PICK, "place": "count", "records": ["text"]}]}
_SEEDS = {
    "secret": ({"kind": "text", "hash": "hash"}, {"kind": "text", "value": "hash"}),
    "public": ({"kind": "text", "source": "text"}, {"kind": "text", "source": "text", "value": "text"}),
}
"""Kind of seed → how the commitment writes it, how the certificate reveals it."""
_DOCUMENT = {"candidates": "count", "candidates_root": "hash", "customers": "count", "customers_root": "hash"}
_DOCUMENT |= {"draw": "text", "day": "text", "method": "text", "method_version": "count", "settings_version": "count"}
_DOCUMENT |= {"salt_key_hash": "hash"}
_PROVED = {"index": "count", "salt": "hash", "proof": ["hash"]}
_BODIES: dict[str, dict[str, Json]] = {
    FULL: {
        "candidates": [{"entry": _CANDIDATE, "leaf": "hash"}],
        "customers": [{"entry": _CUSTOMER, "leaf": "hash"}],
        "picks": [{**_PICK, "candidate": "text?"}],
        "salt_key": "hash",
    },
    EXTRACT: {
        "candidate": {**_PROVED, "entry": _CANDIDATE},
        "customers": [{**_PROVED, "entry": _CUSTOMER}],
        "picks": {**_PROVED, "entry": _OWN_PICKS},
    },
}


def _shape(form: str, kind: str) -> dict[str, Json]:
    commitment = {"digest": "hash", "document": {**_DOCUMENT, "seed": _SEEDS[kind][0]}}
    return {**_BODIES[form], "format": "text", "commitment": commitment, "seed": _SEEDS[kind][1], "picks_root": "hash"}


def _misfits(value: Json, shape: Json, path: str) -> Iterator[Finding]:
    if isinstance(shape, str):
        name, fits = _KINDS[shape.rstrip("?")]
        if not fits(value) and not (value is None and shape.endswith("?")):
            yield Finding(path, f"should be {name}")
    elif not isinstance(value, type(shape)):
        yield Finding(path, "should be a list" if isinstance(shape, list) else "should be an object")
    elif isinstance(shape, list):
        for index, each in enumerate(value):
            yield from _misfits(each, shape[0], f"{path}[{index}]")
    else:
        yield from (Finding(f"{path}.{name}", "is unknown here") for name in value if name not in shape)
        yield from (Finding(f"{path}.{name}", "is missing") for name in shape if name not in value)
        for name in shape.keys() & value.keys():
            yield from _misfits(value[name], shape[name], f"{path}.{name}")


def _read(content: bytes) -> tuple[Json, list[Finding]]:
    try:
        value = json.loads(content.decode("utf-8"))
        written = canonical(value)
    except (ValueError, RecursionError) as fault:
        return None, [Finding("$", f"is not JSON of a certificate: {fault}")]
    if written == content:
        return value, []
    at = next(i for i in range(len(content) + 1) if written[i : i + 1] != content[i : i + 1])
    return value, [Finding("$", f"is not written canonically, from byte {at}")]


def _misshapen(value: Json) -> list[Finding]:
    if not isinstance(value, dict) or value.get("format") not in (FULL, EXTRACT):
        return [Finding("$.format", f"should be {FULL} or {EXTRACT}")]
    seed = value.get("seed")
    kind = seed.get("kind") if isinstance(seed, dict) else None
    if kind not in ("secret", "public"):
        return [Finding("$.seed.kind", "should be secret or public")]
    return sorted(_misfits(value, _shape(value["format"], kind), "$"))


def _beginnings(certificate: Entry) -> Iterator[Finding]:
    """The commitment, the method, and the seed against what was committed."""
    document, seed = certificate["commitment"]["document"], certificate["seed"]
    if digest("commitment", canonical(document)) != certificate["commitment"]["digest"]:
        yield Finding("$.commitment.digest", "is not the hash of $.commitment.document: one of them was changed")
    if (document["method"], document["method_version"]) != ("draw", METHOD_VERSION):
        yield Finding("$.commitment.document.method_version", f"this verifier knows draw, version {METHOD_VERSION}")
    if seed["kind"] != document["seed"]["kind"]:
        yield Finding("$.commitment.document.seed.kind", "is not the kind of $.seed")
    elif seed["kind"] == "public" and seed["source"] != document["seed"]["source"]:
        yield Finding("$.seed.source", "is not the source that was named before")
    elif seed["kind"] == "secret" and digest("seed", seed_bytes(seed)) != document["seed"]["hash"]:
        yield Finding("$.seed.value", "does not have the hash $.commitment.document.seed.hash")


def _listed(certificate: Entry, tree: str) -> Iterator[Finding]:
    """Each entry against its leaf, the leaves against the committed root, their count against the committed one."""
    document, items = certificate["commitment"]["document"], certificate[tree]
    found = leaves(tree, certificate["salt_key"], [item["entry"] for item in items])
    wrong = [index for index, item in enumerate(items) if found[index] != item["leaf"]]
    fits = root(found) == document[f"{tree}_root"]
    if len(items) != document[tree]:
        yield Finding(f"$.commitment.document.{tree}", f"should be {len(items)}, as many as $.{tree} holds")
    for index in wrong:
        yield Finding(f"$.{tree}[{index}].{'leaf' if fits else 'entry'}", "entry and leaf do not fit each other")
    if not fits and not wrong:
        yield Finding(f"$.commitment.document.{tree}_root", f"is not the root of $.{tree}")


def _impossible(certificate: Entry) -> Iterator[Finding]:
    """What hashes can't tell: somebody or something listed twice, or a customer that is not there."""
    candidates, customers = ([item["entry"] for item in certificate[tree]] for tree in ("candidates", "customers"))
    ids = Counter(entry["id"] for entry in candidates)
    records = Counter(record for entry in customers for record in entry["records"])
    yield from (Finding("$.candidates", f"name {name} {times} times") for name, times in ids.items() if times > 1)
    yield from (Finding("$.customers", f"name {name} {times} times") for name, times in records.items() if times > 1)
    if any(place >= len(customers) for entry in candidates for place in entry["excluded"]):
        yield Finding("$.candidates", "exclude somebody from a customer that is not there")
    if not all(entry["records"] for entry in customers):
        yield Finding("$.customers", "hold one without records")


def _replayed(certificate: Entry) -> Iterator[Finding]:
    """Every pick, drawn again from the seed."""
    candidates, customers = ([item["entry"] for item in certificate[tree]] for tree in ("candidates", "customers"))
    said, draw = certificate["picks"], certificate["commitment"]["document"]["draw"]
    picks = list(deal(candidates, customers, seed=seed_bytes(certificate["seed"]), draw=draw))
    if len(said) != len(picks):
        yield Finding("$.picks", f"holds {len(said)} picks for {len(picks)} customers")
    for place, (stated, drawn) in enumerate(zip(said, picks, strict=False)):
        for name in sorted(name for name in drawn if stated[name] != drawn[name]):
            yield Finding(f"$.picks[{place}].{name}", f"should be {json.dumps(drawn[name])}, drawn again from the seed")
    entries = outcomes(candidates, customers, picks)
    if root(leaves("picks", certificate["salt_key"], entries)) != certificate["picks_root"]:
        yield Finding("$.picks_root", "is not the root of the picks that the seed gives")


def _full_findings(certificate: Entry) -> list[Finding]:
    found, document = list(_beginnings(certificate)), certificate["commitment"]["document"]
    if digest("salt key", certificate["salt_key"]) != document["salt_key_hash"]:
        return [*found, Finding("$.salt_key", "does not have the hash $.commitment.document.salt_key_hash")]
    found += [*_listed(certificate, "candidates"), *_listed(certificate, "customers"), *_impossible(certificate)]
    return found or list(_replayed(certificate))


def _contained(item: Entry, tree: str, size: int, expected: str, path: str) -> Iterator[Finding]:
    """An entry with the neighbours that lead to the root of its tree."""
    reached = climbed(leaf(tree, item["salt"], item["entry"]), item["index"], size, item["proof"])
    if reached != expected:
        yield Finding(path, f"does not lead to the root of {tree}: the entry, its place, salt or proof was changed")


def _extract_findings(extract: Entry) -> list[Finding]:
    found, document = list(_beginnings(extract)), extract["commitment"]["document"]
    size = document["candidates"]
    found += _contained(extract["candidate"], "candidates", size, document["candidates_root"], "$.candidate")
    found += _contained(extract["picks"], "picks", size + 1, extract["picks_root"], "$.picks")
    for number, customer in enumerate(extract["customers"]):
        size, expected = document["customers"], document["customers_root"]
        found += _contained(customer, "customers", size, expected, f"$.customers[{number}]")
    return found or list(_own_picks(extract))


def _own_picks(extract: Entry) -> Iterator[Finding]:
    """Each pick of one candidate: its number drawn again, within their weight, for a committed customer."""
    own, mine = extract["candidate"]["entry"], extract["picks"]["entry"]
    seed, draw = seed_bytes(extract["seed"]), extract["commitment"]["document"]["draw"]
    places = [(item["index"], item["entry"]["records"]) for item in extract["customers"]]
    if mine["candidate"] != own["id"] or extract["picks"]["index"] != extract["candidate"]["index"]:
        yield Finding("$.picks.entry.candidate", "is not the candidate of this extract")
    if places != [(pick["place"], pick["records"]) for pick in mine["picks"]]:
        yield Finding("$.customers", "are not the customers of $.picks")
    if own["room"] is not None and sum(len(pick["records"]) for pick in mine["picks"]) > own["room"]:
        yield Finding("$.picks.entry.picks", "are more than the candidate had room for")
    for number, pick in enumerate(mine["picks"]):
        path = f"$.picks.entry.picks[{number}]"
        drawn = number_below(max(pick["total"], 1), seed=seed, draw=draw, place=pick["place"])
        if (pick["attempt"], pick["number"]) != drawn:
            yield Finding(f"{path}.number", f"should be {drawn[1]}: drawn again from the seed")
        elif pick["start"] is None or not pick["start"] <= drawn[1] < pick["start"] + own["weight"] <= pick["total"]:
            yield Finding(f"{path}.start", "the number does not fall on the candidate's weight")
        if own["filtered"] is not None or pick["place"] in own["excluded"]:
            yield Finding(path, "the candidate was barred from this customer")


def verify_certificate(
    content: bytes, *, commitment: str | None = None, picks_root: str | None = None
) -> list[Finding]:
    """Everything in a certificate, or in one candidate's extract, that does not fit; empty when all does.

    `commitment` is the digest published before the draw, `picks_root` the one published after it; where they are
    given, the certificate must be of just that draw.
    """
    value, unread = _read(content)
    if faults := unread or _misshapen(value):
        return faults
    found = _full_findings(value) if value["format"] == FULL else _extract_findings(value)
    for path, said, published in (
        ("$.commitment.digest", value["commitment"]["digest"], commitment),
        ("$.picks_root", value["picks_root"], picks_root),
    ):
        if published is not None and said != published.lower():
            found.append(Finding(path, "is not the one that was published"))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify one file and say what was found; the status of the process."""
    parser = argparse.ArgumentParser(description="Verify the certificate of a draw of customers.")
    parser.add_argument("certificate", type=Path)
    parser.add_argument("--commitment", help="the digest published before the draw")
    parser.add_argument("--picks-root", help="the root published after the draw")
    given = parser.parse_args(arguments)
    try:
        content = given.certificate.read_bytes()
    except OSError as fault:
        parser.error(str(fault))
    found = verify_certificate(content, commitment=given.commitment, picks_root=given.picks_root)
    for finding in found:
        sys.stdout.write(f"{finding.path}: {finding.fact}\n".encode("ascii", "backslashreplace").decode())
    if not found:
        said = json.loads(content)
        sys.stdout.write(f"Everything fits: commitment {said['commitment']['digest']}, picks {said['picks_root']}.\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
