"""Commit to a draw before it, certify it after it, and cut out what one person may see of it.

The commitment is published before the seed is known to anybody else; the certificate reveals the seed and everything
the picks follow from. What that proves, and what it does not, is in ``docs/draws.md``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from saas.customers.allocation.choices import Method
from saas.customers.allocation.dealing import Allocation
from saas.customers.allocation.draw import candidate_entries, customer_entries, draw
from saas.customers.allocation.errors import DrawSeedRefused, NotInDraw, RosterImpossible
from saas.customers.allocation.roster import SEED_BYTES, Roster, check_roster
from saas.customers.allocation.verifier import (
    EXTRACT,
    FULL,
    canonical,
    digest,
    leaves,
    level_above,
    outcomes,
    root,
    salt,
    seed_bytes,
)


def _of_32_bytes(secret: bytes) -> bytes:
    if len(secret) != SEED_BYTES:
        raise DrawSeedRefused("customers.draw_seed_malformed", {"given": len(secret), "needed": SEED_BYTES})
    return secret


@dataclass(frozen=True, slots=True)
class SecretSeed:
    """32 random bytes that the company keeps until the draw; their hash is committed."""

    value: bytes = field(repr=False)

    def committed(self) -> dict[str, str]:
        """As the commitment writes it.

        :raises DrawSeedRefused: it is not of 32 bytes.
        """
        return {"kind": "secret", "hash": digest("seed", _of_32_bytes(self.value))}

    def revealed(self) -> dict[str, str]:
        """As the certificate writes it.

        :raises DrawSeedRefused: it is not of 32 bytes.
        """
        return {"kind": "secret", "value": _of_32_bytes(self.value).hex()}


@dataclass(frozen=True, slots=True)
class PublicSeed:
    """A value that nobody knows yet and everybody will: `source` says exactly which (“the winning numbers of …”)."""

    source: str
    value: str | None = None

    def committed(self) -> dict[str, str]:
        """As the commitment writes it: the source, before there is a value."""
        return {"kind": "public", "source": self.source}

    def revealed(self) -> dict[str, str]:
        """As the certificate writes it.

        :raises DrawSeedRefused: the value is not known yet.
        """
        if not self.value:
            raise DrawSeedRefused("customers.draw_seed_not_revealed", {"source": self.source})
        return {"kind": "public", "source": self.source, "value": self.value}


@dataclass(frozen=True, slots=True)
class Seal:
    """What a draw is sealed with: its seed, and 32 random bytes that hide each person's entry from the others."""

    seed: SecretSeed | PublicSeed
    salt_key: bytes = field(repr=False)

    def seed_bytes(self) -> bytes:
        """The bytes for `Roster.seed`.

        :raises DrawSeedRefused: the seed is malformed or not known yet.
        """
        return seed_bytes(self.seed.revealed())


@dataclass(frozen=True, slots=True)
class Commitment:
    """What is published before a draw: `digest`, and the document it is the hash of, which names nobody."""

    digest: str
    document: dict[str, Any]


def check_draw(roster: Roster) -> None:
    """Refuse what can't be drawn.

    :raises AppErrors: the roster can't be dealt from.
    :raises RosterImpossible: its method is no draw.
    """
    check_roster(roster)
    if roster.method is not Method.DRAW:
        raise RosterImpossible("customers.draw_of_other_method", {"method": roster.method.value})


def commit(roster: Roster, seal: Seal) -> Commitment:
    """Bind the roster, the customers, the method and the seed, before anything is drawn.

    :raises AppErrors: the roster can't be dealt from.
    :raises RosterImpossible: its method is no draw.
    :raises DrawSeedRefused: the secret seed or the salt key is not of 32 bytes.
    """
    check_draw(roster)
    return _commitment(roster, seal, _Listing.of(roster, seal))


@dataclass(frozen=True, slots=True)
class _Listing:
    """The two committed lists: their entries and leaves."""

    people: list[Any]
    customers: list[Any]
    people_leaves: list[str]
    customers_leaves: list[str]

    @classmethod
    def of(cls, roster: Roster, seal: Seal) -> _Listing:
        units, salt_key = roster.units(), _of_32_bytes(seal.salt_key).hex()
        people, customers = candidate_entries(roster, units), customer_entries(units)
        return cls(people, customers, leaves("candidates", salt_key, people), leaves("customers", salt_key, customers))


def _commitment(roster: Roster, seal: Seal, listing: _Listing) -> Commitment:
    document = {
        "draw": str(roster.allocation_id),
        "day": roster.day.isoformat(),
        "method": roster.method.value,
        "method_version": roster.method_version,
        "settings_version": roster.settings_version,
        "candidates": len(listing.people),
        "candidates_root": root(listing.people_leaves),
        "customers": len(listing.customers),
        "customers_root": root(listing.customers_leaves),
        "salt_key_hash": digest("salt key", seal.salt_key.hex()),
        "seed": seal.seed.committed(),
    }
    return Commitment(digest("commitment", canonical(document)), document)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A draw's certificate, as `content` in canonical JSON, and the root that is published after the draw."""

    content: bytes
    picks_root: str


def certify(roster: Roster, seal: Seal, *, drawn: Allocation | None = None) -> Certificate:
    """The certificate of a draw, from which every pick can be recomputed. For auditors, not for reps.

    `drawn` is what the roster's draw gave, where the caller has it already.

    :raises AppErrors: the roster can't be dealt from.
    :raises RosterImpossible: its method is no draw.
    :raises DrawSeedRefused: the seed is not known yet, or the roster has another.
    """
    if roster.drawn_seed() != seal.seed_bytes():
        raise DrawSeedRefused("customers.draw_seed_differs", {"draw": str(roster.allocation_id)})
    check_draw(roster)
    listing, salt_key = _Listing.of(roster, seal), seal.salt_key.hex()
    commitment, picks = _commitment(roster, seal, listing), _stated(drawn or draw(roster))
    picks_root = root(leaves("picks", salt_key, outcomes(listing.people, listing.customers, picks)))
    content = {
        "format": FULL,
        "commitment": {"digest": commitment.digest, "document": commitment.document},
        "seed": seal.seed.revealed(),
        "salt_key": salt_key,
        "candidates": _listed(listing.people, listing.people_leaves),
        "customers": _listed(listing.customers, listing.customers_leaves),
        "picks": picks,
        "picks_root": picks_root,
    }
    return Certificate(canonical(content), picks_root)


def _stated(allocation: Allocation) -> list[dict[str, Any]]:
    return [
        {
            "candidate": None if pick.employee_id is None else str(pick.employee_id),
            "attempt": number.attempt,
            "number": number.number,
            "start": number.start,
            "total": number.total,
        }
        for pick, number in zip(allocation.picks, allocation.drawn, strict=True)
    ]


def _listed(entries: list[Any], hashes: list[str]) -> list[dict[str, Any]]:
    return [{"entry": entry, "leaf": each} for entry, each in zip(entries, hashes, strict=True)]


def extract(certificate: bytes, employee_id: UUID) -> bytes:
    """One person's own certificate: their entry, all their picks and those customers, with proofs; nobody else's.

    :raises NotInDraw: the certificate does not list the person.
    """
    whole = json.loads(certificate)
    people, customers = ([item["entry"] for item in whole[tree]] for tree in ("candidates", "customers"))
    index = next((at for at, entry in enumerate(people) if entry["id"] == str(employee_id)), None)
    if index is None:
        raise NotInDraw("customers.draw_without_person", {"draw": whole["commitment"]["document"]["draw"]})
    theirs = outcomes(people, customers, whole["picks"])
    places = [pick["place"] for pick in theirs[index]["picks"]]
    return canonical(
        {
            "format": EXTRACT,
            "commitment": whole["commitment"],
            "seed": whole["seed"],
            "picks_root": whole["picks_root"],
            "candidate": _proved("candidates", whole["salt_key"], people, [index])[0],
            "picks": _proved("picks", whole["salt_key"], theirs, [index])[0],
            "customers": _proved("customers", whole["salt_key"], customers, places),
        }
    )


def _proved(tree: str, salt_key: str, entries: Sequence[Any], places: Sequence[int]) -> list[dict[str, Any]]:
    """The entries at these places, each with its salt and the neighbours that lead to the root."""
    levels = [leaves(tree, salt_key, entries)]
    while len(levels[-1]) > 1:
        levels.append(level_above(levels[-1]))
    return [
        {
            "entry": entries[place],
            "index": place,
            "salt": salt(salt_key, tree, place),
            "proof": [level[(place >> up) ^ 1] for up, level in enumerate(levels) if (place >> up) ^ 1 < len(level)],
        }
        for place in places
    ]
