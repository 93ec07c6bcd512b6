"""The certificate of a draw: what it holds, that any change is found and named, and that the verifier stands alone."""

from __future__ import annotations

import ast
import json
import random
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.customers.allocation import (
    DrawSeedRefused,
    Finding,
    Method,
    NotInDraw,
    PooledCustomer,
    PublicSeed,
    RosterImpossible,
    Seal,
    SecretSeed,
    allocate,
    certify,
    commit,
    extract,
    verifier,
    verify_certificate,
)
from saas.customers.allocation.verifier import canonical, climbed, leaves, root
from tests.rules.allocation_samples import SEED, customer_id, customers, people, person_id, roster, seeded

SEAL = Seal(SecretSeed(SEED), seeded(7))
POOLED = (*customers(6), PooledCustomer(customer_id(6), "x", "g"), PooledCustomer(customer_id(7), "y", "g"))
FIRST, SECOND, THIRD, FOURTH, FIFTH = people(5)
CANDIDATES = (
    replace(FIRST, weight=3, holding_limit=3),
    replace(SECOND, weight=2, cooldown_customers=frozenset({customer_id(0), customer_id(7)})),
    replace(THIRD, is_absent=True),
    replace(FOURTH, weight=1, assignable=1),
    replace(FIFTH, weight=0),
)
ROSTER = roster(Method.DRAW, CANDIDATES, POOLED)
CERTIFICATE = certify(ROSTER, SEAL).content
COMMITMENT = commit(ROSTER, SEAL)
EXTRACT = extract(CERTIFICATE, SECOND.employee_id)
SOURCE = "the winning numbers of the lottery of 2026-11-04"


def changed(content: bytes, change: Callable[[Any], object]) -> bytes:
    value = json.loads(content)
    change(value)
    return canonical(value)


def paths(content: bytes) -> list[str]:
    return [finding.path for finding in verify_certificate(content)]


def test_it_fits_and_says_what_was_drawn() -> None:
    assert verify_certificate(CERTIFICATE, commitment=COMMITMENT.digest) == []
    stated = [pick["candidate"] for pick in json.loads(CERTIFICATE)["picks"]]
    drawn = [pick.employee_id for pick in allocate(ROSTER).picks]
    assert stated == [None if each is None else str(each) for each in drawn]
    assert len(set(stated)) == 3


def test_it_is_canonical_ascii_and_names_nobody_but_by_id() -> None:
    assert canonical(json.loads(CERTIFICATE)) == CERTIFICATE
    assert CERTIFICATE.isascii()
    assert b"rep " not in CERTIFICATE
    assert b"***" not in CERTIFICATE


def test_the_commitment_gives_nothing_away_and_binds_everything() -> None:
    published = canonical(COMMITMENT.document)
    for secret in (str(FIRST.employee_id), str(customer_id(0)), SEED.hex(), SEAL.salt_key.hex()):
        assert secret.encode() not in published
    others = [
        replace(ROSTER, settings_version=5),
        replace(ROSTER, customers=POOLED[::-1]),
        replace(ROSTER, candidates=(*CANDIDATES[:4], replace(FIFTH, weight=1))),
        replace(ROSTER, candidates=(replace(FIRST, weight=3, holding_limit=4), *CANDIDATES[1:])),
        replace(ROSTER, candidates=CANDIDATES[:4]),
    ]
    digests = {commit(each, SEAL).digest for each in others}
    digests |= {commit(ROSTER, replace(SEAL, seed=SecretSeed(seeded(1)))).digest}
    digests |= {commit(ROSTER, replace(SEAL, salt_key=seeded(8))).digest}
    assert len(digests | {COMMITMENT.digest}) == 8


def test_a_draw_by_another_seed_does_not_have_the_published_commitment() -> None:
    other = certify(replace(ROSTER, seed=seeded(5)), replace(SEAL, seed=SecretSeed(seeded(5)))).content
    assert verify_certificate(other) == []
    assert verify_certificate(other, commitment=COMMITMENT.digest) == [
        Finding("$.commitment.digest", "is not the one that was published")
    ]
    root_of_picks = json.loads(CERTIFICATE)["picks_root"]
    assert verify_certificate(CERTIFICATE, commitment=COMMITMENT.digest.upper(), picks_root=root_of_picks) == []
    assert [each.path for each in verify_certificate(other, picks_root=root_of_picks)] == ["$.picks_root"]


def kinds_of_bytes(content: bytes) -> dict[tuple[bytes, str], list[int]]:
    """Where the bytes of each kind stand: of a key, of what stands under it by its type, of the signs around it."""
    kinds: dict[tuple[bytes, str], list[int]] = {}
    key = b""
    for token in re.finditer(rb'(?P<key>"[^"]*")(?=:)|(?P<text>"[^"]*")|(?P<number>\d+)|(?P<null>null)|.', content):
        key = token[0] if token["key"] else key
        kinds.setdefault((key, token.lastgroup or token[0].decode()), []).extend(range(*token.span()))
    return kinds


@pytest.mark.parametrize("content", [CERTIFICATE, EXTRACT], ids=["certificate", "extract"])
def test_a_changed_byte_of_any_kind_is_found(content: bytes) -> None:
    assert verify_certificate(content) == []
    kinds, chance = kinds_of_bytes(content), random.Random(2026)
    assert sorted(each for positions in kinds.values() for each in positions) == list(range(len(content)))
    for positions in kinds.values():
        for position in chance.sample(positions, min(2, len(positions))):
            byte = content[position]
            for other in {byte ^ 1, byte ^ 0x20, 0x30 if byte != 0x30 else 0x31} - {byte}:
                mangled = content[:position] + bytes([other]) + content[position + 1 :]
                assert verify_certificate(mangled), (position, bytes([other]))


@given(st.integers(0, len(CERTIFICATE) - 1), st.integers(1, 255), st.integers(0, 3))
def test_no_change_is_missed_and_none_breaks_the_verifier(position: int, mask: int, cut: int) -> None:
    flipped = bytearray(CERTIFICATE)
    flipped[position] ^= mask
    assert verify_certificate(bytes(flipped))
    assert verify_certificate(CERTIFICATE[:position] + CERTIFICATE[position + 1 + cut :])
    assert verify_certificate(CERTIFICATE[:position] + b" " + CERTIFICATE[position:])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda c: c["candidates"][3]["entry"].update(weight=9), ["$.candidates[3].entry"]),
        (lambda c: c["candidates"][1]["entry"].update(excluded=[]), ["$.candidates[1].entry"]),
        (lambda c: c["candidates"][2].update(leaf="0" * 64), ["$.candidates[2].leaf"]),
        (lambda c: c["customers"][5]["entry"].update(records=["x"]), ["$.customers[5].entry"]),
        (lambda c: c["picks"][4].update(candidate=str(FIFTH.employee_id)), ["$.picks[4].candidate"]),
        (lambda c: c["picks"][2].update(attempt=9), ["$.picks[2].attempt"]),
        (lambda c: c["picks"].pop(), ["$.picks"]),
        (lambda c: c.update(picks_root="1" * 64), ["$.picks_root"]),
        (lambda c: c["seed"].update(value="1" * 64), ["$.seed.value"]),
        (lambda c: c.update(salt_key="1" * 64), ["$.salt_key"]),
        (lambda c: c["commitment"].update(digest="1" * 64), ["$.commitment.digest"]),
        (lambda c: c["commitment"]["document"].update(day="2026-11-03"), ["$.commitment.digest"]),
        (
            lambda c: c["commitment"]["document"].update(customers=8),
            ["$.commitment.digest", "$.commitment.document.customers"],
        ),
        (
            lambda c: c["commitment"]["document"].update(candidates_root="1" * 64),
            ["$.commitment.digest", "$.commitment.document.candidates_root"],
        ),
        (
            lambda c: c["commitment"]["document"].update(method_version=2),
            ["$.commitment.digest", "$.commitment.document.method_version"],
        ),
        (lambda c: c["candidates"][0]["entry"].update(weight=True), ["$.candidates[0].entry.weight"]),
        (lambda c: c["candidates"][0]["entry"].update(weight=3.0), ["$.candidates[0].entry.weight"]),
        (lambda c: c["candidates"][0]["entry"].update(weight=-1), ["$.candidates[0].entry.weight"]),
        (lambda c: c["picks"][0].pop("total"), ["$.picks[0].total"]),
        (lambda c: c.update(note="x"), ["$.note"]),
        (lambda c: c.update(picks={}), ["$.picks"]),
        (lambda c: c.update(commitment=[]), ["$.commitment"]),
        (lambda c: c.update(format="fairlead.draw.certificate/2"), ["$.format"]),
        (lambda c: c["seed"].update(kind="other"), ["$.seed.kind"]),
        (
            lambda c: c["commitment"]["document"]["seed"].update(kind="public"),
            ["$.commitment.digest", "$.commitment.document.seed.kind"],
        ),
    ],
)
def test_a_change_is_named_by_its_place(change: Callable[[Any], object], named: list[str]) -> None:
    assert paths(changed(CERTIFICATE, change)) == named


@pytest.mark.parametrize(
    "content",
    [b"", b"null", b"[]", b"{}", b"1", b"\xff", b'{"format":NaN}', b"[" * 100_000, b"9" * 5000, b'"\\ud800"'],
)
def test_what_is_no_certificate_is_said_to_be_none(content: bytes) -> None:
    assert len(verify_certificate(content)) == 1


def forged(change: Callable[[list[Any], list[Any]], object]) -> bytes:
    """A certificate that is consistent in all its hashes after a change of its lists: what a cheat would make."""
    value = json.loads(CERTIFICATE)
    lists = [[item["entry"] for item in value[tree]] for tree in ("candidates", "customers")]
    change(lists[0], lists[1])
    document, key = value["commitment"]["document"], value["salt_key"]
    for tree, entries in zip(("candidates", "customers"), lists, strict=True):
        hashes = leaves(tree, key, entries)
        value[tree] = [{"entry": entry, "leaf": each} for entry, each in zip(entries, hashes, strict=True)]
        document |= {tree: len(entries), f"{tree}_root": root(hashes)}
    picks = list(verifier.deal(lists[0], lists[1], seed=SEED, draw=document["draw"]))
    value["picks"] = picks
    value["picks_root"] = root(leaves("picks", key, verifier.outcomes(lists[0], lists[1], picks)))
    value["commitment"]["digest"] = verifier.digest("commitment", canonical(document))
    return canonical(value)


def test_what_hashes_can_not_tell_is_found_too() -> None:
    assert verify_certificate(forged(lambda _, __: None)) == []
    assert paths(forged(lambda people_, _: people_.append(people_[0]))) == ["$.candidates"]
    assert paths(forged(lambda _, pooled: pooled.append(pooled[0]))) == ["$.customers"]
    assert paths(forged(lambda people_, _: people_[0].update(excluded=[70]))) == ["$.candidates"]
    assert paths(forged(lambda _, pooled: pooled.append({"records": []}))) == ["$.customers"]
    heavier = forged(lambda people_, _: people_[4].update(weight=50))
    assert verify_certificate(heavier) == []
    assert [each.path for each in verify_certificate(heavier, commitment=COMMITMENT.digest)] == ["$.commitment.digest"]


def test_a_public_seed_is_named_before_and_valued_after() -> None:
    before = Seal(PublicSeed(SOURCE), seeded(7))
    open_roster = replace(ROSTER, seed=None)
    published = commit(open_roster, before)
    assert published.document["seed"] == {"kind": "public", "source": SOURCE}
    with pytest.raises(DrawSeedRefused) as refused:
        before.seed_bytes()
    assert refused.value.values == {"source": SOURCE}
    after = replace(before, seed=PublicSeed(SOURCE, "03 07 11 19 22 30 + 06"))
    certificate = certify(replace(open_roster, seed=after.seed_bytes()), after).content
    assert verify_certificate(certificate, commitment=published.digest) == []
    another_day = changed(certificate, lambda c: c["seed"].update(source=SOURCE.replace("04", "11")))
    assert paths(another_day) == ["$.seed.source"]
    another_value = changed(certificate, lambda c: c["seed"].update(value="03 07 11 19 22 30 + 07"))
    assert any(path.startswith("$.picks[") for path in paths(another_value))


def test_only_the_committed_seed_and_only_draws_are_certified() -> None:
    with pytest.raises(DrawSeedRefused, match="draw_seed_differs"):
        certify(replace(ROSTER, seed=seeded(1)), SEAL)
    for seal in (replace(SEAL, salt_key=b"short"), replace(SEAL, seed=SecretSeed(b"short"))):
        with pytest.raises(DrawSeedRefused, match="draw_seed_malformed"):
            commit(ROSTER, seal)
    with pytest.raises(RosterImpossible, match="draw_of_other_method"):
        commit(replace(ROSTER, method=Method.FLEXIBLE), SEAL)


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda each: each.name)
def test_an_extract_proves_ones_own_picks_and_names_nobody_else(candidate: Any) -> None:
    own = extract(CERTIFICATE, candidate.employee_id)
    assert verify_certificate(own, commitment=COMMITMENT.digest) == []
    mine = [pick.customer_ids for pick in allocate(ROSTER).picks if pick.employee_id == candidate.employee_id]
    stated = json.loads(own)["picks"]["entry"]["picks"]
    assert [tuple(pick["records"]) for pick in stated] == [tuple(map(str, records)) for records in mine]
    others = {str(each.employee_id).encode() for each in CANDIDATES} - {str(candidate.employee_id).encode()}
    assert not [each for each in others if each in own]
    assert SEAL.salt_key.hex().encode() not in own


def test_an_extract_is_for_who_was_there() -> None:
    with pytest.raises(NotInDraw):
        extract(CERTIFICATE, person_id(77))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda e: e["candidate"]["entry"].update(weight=9), ["$.candidate"]),
        (lambda e: e["candidate"].update(index=0), ["$.candidate"]),
        (lambda e: e["candidate"].update(index=2**50), ["$.candidate"]),
        (lambda e: e["candidate"]["proof"].pop(), ["$.candidate"]),
        (lambda e: e["candidate"]["proof"].append("0" * 64), ["$.candidate"]),
        (lambda e: e["candidate"].update(salt="0" * 64), ["$.candidate"]),
        (lambda e: e["picks"]["entry"]["picks"].pop(), ["$.picks"]),
        (lambda e: e["customers"].pop(), ["$.customers"]),
        (lambda e: e["customers"][0]["entry"].update(records=["x"]), ["$.customers[0]"]),
        (lambda e: e["seed"].update(value="0" * 64), ["$.seed.value"]),
    ],
)
def test_a_change_of_an_extract_is_named(change: Callable[[Any], object], named: list[str]) -> None:
    assert len(json.loads(EXTRACT)["customers"]) > 1
    assert paths(changed(EXTRACT, change)) == named


@cache
def certificate_of(size: int) -> bytes:
    """The certificate of a draw among so many people."""
    return certify(roster(Method.DRAW, people(size), 1), SEAL).content


@given(st.integers(1, 40), st.data())
def test_proofs_lead_to_the_root_from_their_place_only(size: int, data: st.DataObject) -> None:
    value = json.loads(certificate_of(size))
    index = data.draw(st.integers(0, size - 1))
    own = json.loads(extract(canonical(value), person_id(index)))["candidate"]
    leaf, expected = value["candidates"][index]["leaf"], value["commitment"]["document"]["candidates_root"]
    reached = [place for place in range(size) if climbed(leaf, place, size, own["proof"]) == expected]
    assert reached == [index]


def run_alone(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The verifier as an outsider has it: one file in an empty folder, isolated, without site packages."""
    copy = folder / "verifier.py"
    copy.write_bytes(Path(verifier.__file__).read_bytes())
    command = [sys.executable, "-I", "-S", "-B", str(copy), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_verifier_runs_alone(tmp_path: Path) -> None:
    (tmp_path / "certificate.json").write_bytes(CERTIFICATE)
    fine = run_alone(tmp_path, "certificate.json", "--commitment", COMMITMENT.digest)
    digests = f"commitment {COMMITMENT.digest}, picks {json.loads(CERTIFICATE)['picks_root']}"
    assert (fine.returncode, fine.stdout, fine.stderr) == (0, f"Everything fits: {digests}.\n", "")


def test_the_status_tells_what_was_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed_file = tmp_path / "certificate.json"
    changed_file.write_bytes(changed(CERTIFICATE, lambda c: c["picks"][4].update(attempt=9)))
    assert verifier.main([str(changed_file), "--commitment", "0" * 64]) == 1
    told = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in told] == ["$.picks[4].attempt", "$.commitment.digest"]
    with pytest.raises(SystemExit) as ended:
        verifier.main([str(tmp_path / "no-such-file.json")])
    assert (ended.value.code, capsys.readouterr().out) == (2, "")


def test_the_verifier_imports_the_standard_library_only() -> None:
    tree = ast.parse(Path(verifier.__file__).read_text(encoding="utf-8"), feature_version=(3, 10))
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert {str(name).split(".")[0] for name in names} <= sys.stdlib_module_names
