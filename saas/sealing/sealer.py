"""Sealing and opening of values: data keys per tenant and data class, the place bound in, blind indexes.

Master key → tenant key → data key (HKDF-SHA256, RFC 5869, over the tenant key and the data class). A value opens
only at the tenant, table, column and row it was sealed for. Lengths are not hidden.
"""

from __future__ import annotations

import asyncio
import hmac
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from saas.kernel import Clock, SystemClock
from saas.sealing.cipher import CIPHERS, HEADER_BYTES, Algorithm, Cipher, Header, NotAuthentic, open_bytes, seal_bytes
from saas.sealing.errors import SealBroken
from saas.sealing.keys import KeyProvider, TenantKeys

DATA_CLASSES = {"internal": 1, "personal": 2, "pay": 3, "secret": 4}
"""Data classes that may be sealed, each with its own data key; codes are stored and never reused."""

BLIND_INDEX_BYTES = 16
KEYRING_LIFE = timedelta(minutes=5)
_KEYRINGS = 4096


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed value lives, beside its tenant: it opens nowhere else. Names are those of the database."""

    table: str
    column: str
    row_id: UUID


class Keyring:
    """One tenant's keys at work. Hold it for an operation, not longer: keys rotate and are destroyed."""

    def __init__(self, tenant_id: UUID, keys: TenantKeys, algorithm: Algorithm = Algorithm.AES_256_GCM) -> None:
        self.tenant_id = tenant_id
        self._keys = keys
        self._algorithm = algorithm
        self._ciphers: dict[bytes, Cipher] = {}
        self._index_keys: dict[str, bytes] = {}
        self._heads: dict[str, bytes] = {}

    def seal(self, data_class: str, place: Place, text: str | bytes) -> bytes:
        """The sealed form of `text`, or of its UTF-8, for `place` alone; sealing twice gives different bytes.

        :raises KeyError: a data class that is not among `DATA_CLASSES`.
        """
        head = self._heads.get(data_class) or self._head(data_class)
        return seal_bytes(self._cipher(head), head, _encoded(text), self._bound(place))

    def open(self, place: Place, sealed: bytes) -> str:
        """The text.

        :raises SealBroken: changed, moved from another place, or sealed under a key that is gone.
        """
        try:
            cipher = self._cipher(sealed[:HEADER_BYTES])
            return open_bytes(cipher, sealed, self._bound(place)).decode()
        except NotAuthentic:
            raise SealBroken(place.table, place.column, place.row_id) from None

    def blind_index(self, name: str, text: str | bytes) -> bytes:
        """A keyed digest of 16 bytes for exact look-up; `name` is the field, as ``customer.phone``.

        The text must be in its one normal form. Never index what has few values, such as pay.
        """
        key = self._index_keys.get(name)
        if key is None:
            key = self._index_keys[name] = _derive(self._keys.index, f"blind index|{name}", 32)
        return hmac.digest(key, _encoded(text), "sha256")[:BLIND_INDEX_BYTES]

    def digest(self, text: str | bytes) -> str:
        """32 hex digits that stand for the text in the audit trail: equal texts, equal digests; not reversible."""
        return self.blind_index("", text).hex()

    def _head(self, data_class: str) -> bytes:
        head = Header(self._algorithm, self._keys.newest, DATA_CLASSES[data_class]).encode()
        self._heads[data_class] = head
        return head

    def _cipher(self, head: bytes) -> Cipher:
        """The cipher for values with this header, kept: deriving its key takes longer than opening a value."""
        cipher = self._ciphers.get(head)
        if cipher is None:
            header = Header.decode(head)
            tenant_key = self._keys.generations.get(header.generation)
            if tenant_key is None or header.class_code not in DATA_CLASSES.values():
                raise NotAuthentic
            kind = CIPHERS[header.algorithm]
            use = f"data key|{header.algorithm.name}|{header.class_code}"
            cipher = self._ciphers[head] = kind(_derive(tenant_key, use, kind.key_bytes))
        return cipher

    def _bound(self, place: Place) -> bytes:
        """Ids have fixed lengths and identifiers hold no ``|``, so two places never give the same bytes."""
        return self.tenant_id.bytes + place.row_id.bytes + f"{place.table}|{place.column}".encode()


class Sealer:
    """Hands out keyrings. Keys stay in memory five minutes at most, so revoked ones stop everywhere in that time."""

    def __init__(self, provider: KeyProvider, *, clock: Clock | None = None) -> None:
        self._provider = provider
        self._clock = clock or SystemClock()
        self._kept: OrderedDict[UUID, tuple[datetime, Keyring]] = OrderedDict()

    async def keyring(self, tenant_id: UUID) -> Keyring:
        """The tenant's keyring; file or network work runs in a thread.

        :raises KeysUnavailable: the keys can't be had now, and none are remembered.
        :raises KeysDestroyed: the tenant's keys were destroyed.
        """
        now = self._clock.now()
        kept = self._kept.get(tenant_id)
        if kept and timedelta(0) <= now - kept[0] < KEYRING_LIFE:
            self._kept.move_to_end(tenant_id)
            return kept[1]
        self._kept.pop(tenant_id, None)
        keyring = Keyring(tenant_id, await asyncio.to_thread(self._provider.tenant_keys, tenant_id))
        self._kept[tenant_id] = (now, keyring)
        if len(self._kept) > _KEYRINGS:
            self._kept.popitem(last=False)
        return keyring

    async def destroy(self, tenant_id: UUID) -> None:
        """Shred the tenant: nothing sealed for it opens again, once remembered keys expire (five minutes)."""
        await asyncio.to_thread(self._provider.destroy, tenant_id)
        self._kept.pop(tenant_id, None)


def _encoded(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _derive(key: bytes, use: str, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=f"fairlead|1|{use}".encode()).derive(key)
