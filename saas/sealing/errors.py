"""Refusals of the sealing room. No message ever holds a plaintext, a key, or bytes of either."""

from __future__ import annotations

from uuid import UUID

from saas.kernel import AppError, Unavailable


class SealBroken(AppError):
    """A sealed value that does not open: changed, moved to another place, or sealed under a key that is gone."""

    def __init__(self, table: str, column: str, row_id: UUID) -> None:
        super().__init__("sealing.broken", {"table": table, "column": column, "row": str(row_id)})


class KeysUnavailable(Unavailable):
    """Keys can't be had: sealed values stay closed until they can. `fact` is the system's own reason."""

    def __init__(self, place: str, fact: str) -> None:
        super().__init__("sealing.keys_unavailable", {"place": place, "fact": fact})


class MasterKeyMissing(Unavailable):
    """Tenant keys exist, the master key that wrapped them does not: making a new one would lose them all."""

    def __init__(self, place: str) -> None:
        super().__init__("sealing.master_key_missing", {"place": place})


class MasterKeyExposed(Unavailable):
    """Other users of the machine may read or change the master key file."""

    def __init__(self, place: str, mode: int) -> None:
        super().__init__("sealing.master_key_exposed", {"place": place, "mode": f"{mode:04o}"})


class KeysDestroyed(Unavailable):
    """The tenant's keys were destroyed on purpose; nothing sealed for it can ever be opened."""

    def __init__(self, tenant_id: UUID) -> None:
        super().__init__("sealing.keys_destroyed", {"tenant": str(tenant_id)})
