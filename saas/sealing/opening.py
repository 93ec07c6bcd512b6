"""Opening for the compiled reader: rows come with sealed bytes, and the reader asks for their text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from saas.sealing.sealer import Keyring, Place, Sealer


@dataclass(frozen=True, slots=True)
class BlindIndex:
    """The blind index of a field, as its writer computes it: the name given to `Keyring.blind_index`, and the normal
    form of the text. Reader and writer must agree on both, or look-ups find nothing."""

    name: str
    normalise: Callable[[str], str]


class RowOpener:
    """Opens values of one tenant while a read runs; called once per sealed value that was selected."""

    def __init__(self, keyring: Keyring, indexes: Mapping[str, BlindIndex]) -> None:
        self._keyring = keyring
        self._indexes = indexes

    def __call__(self, data_class: str, table: str, column: str, row_id: UUID, sealed: bytes) -> str:
        """The text; the data class is read from the value itself, which is authenticated.

        :raises SealBroken: the value was changed or moved.
        """
        return self._keyring.open(Place(table, column, row_id), sealed)

    def blind_index(self, data_class: str, field: str, text: str) -> bytes:
        """What an exact filter on a mapped field (``Customer.phone``) compares with the index column.

        :raises BadUserInput: the text can't be a value of that field.
        :raises KeyError: the wiring names no blind index for the field.
        """
        index = self._indexes[field]
        return self._keyring.blind_index(index.name, index.normalise(text))


class SealedOpener:
    """The reader's opener. `indexes` maps a mapped field (``Customer.phone``) to its blind index."""

    def __init__(self, sealer: Sealer, indexes: Mapping[str, BlindIndex]) -> None:
        self._sealer = sealer
        self._indexes = dict(indexes)

    async def prepare(self, tenant_id: UUID) -> RowOpener:
        """Fetch the tenant's keys, so that opening a row waits for nothing."""
        return RowOpener(await self._sealer.keyring(tenant_id), self._indexes)
