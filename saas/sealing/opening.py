"""Opening for the compiled reader: rows come with sealed bytes, and the reader asks for their text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from saas.sealing.sealer import Keyring, Place, Sealer

Normalise = Callable[[str], str]


class RowOpener:
    """Opens values of one tenant while a read runs; called once per sealed value that was selected."""

    def __init__(self, keyring: Keyring, normalise: Mapping[str, Normalise]) -> None:
        self._keyring = keyring
        self._normalise = normalise

    def __call__(self, data_class: str, table: str, column: str, row_id: UUID, sealed: bytes) -> str:
        """The text; the data class is read from the value itself, which is authenticated.

        :raises SealBroken: the value was changed or moved.
        """
        return self._keyring.open(Place(table, column, row_id), sealed)

    def blind_index(self, data_class: str, field: str, text: str) -> bytes:
        """What an exact filter compares with the index column, after the field's own normal form.

        :raises BadUserInput: the text can't be a value of that field.
        """
        normalise = self._normalise.get(field)
        return self._keyring.blind_index(field, normalise(text) if normalise else text)


class SealedOpener:
    """The reader's opener. `normalise` maps a blind index's name to the normal form that its writer uses."""

    def __init__(self, sealer: Sealer, normalise: Mapping[str, Normalise]) -> None:
        self._sealer = sealer
        self._normalise = dict(normalise)

    async def prepare(self, tenant_id: UUID) -> RowOpener:
        """Fetch the tenant's keys, so that opening a row waits for nothing."""
        return RowOpener(await self._sealer.keyring(tenant_id), self._normalise)
