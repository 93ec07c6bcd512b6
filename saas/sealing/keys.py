"""Where keys come from: one provider interface, and the default that keeps keys in files.

A tenant's keys are random, wrapped by the master key, and kept outside the database, so that a copy of the
database opens nothing and destroying the small key file shreds the tenant. An HSM or KMS joins as another
`KeyProvider`.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeGuard
from uuid import UUID

from saas.sealing.cipher import AesGcm, Algorithm, Header, NotAuthentic, open_bytes, seal_bytes
from saas.sealing.errors import KeysDestroyed, KeysUnavailable, MasterKeyExposed, MasterKeyMissing

KEY_BYTES = 32
_INDEX = "index"
_OTHERS_MAY = 0o037  # others anything, group write or execute; group read is how Kubernetes mounts a secret


@dataclass(frozen=True, slots=True)
class TenantKeys:
    """A tenant's keys, unwrapped: 32 bytes each. New values are sealed under the newest generation.

    `index` feeds blind indexes and digests and stays when the others rotate, because an index must compare equal
    over years.
    """

    index: bytes = field(repr=False)
    generations: Mapping[int, bytes] = field(repr=False)

    @property
    def newest(self) -> int:
        """The generation that seals."""
        return max(self.generations)


class KeyProvider(Protocol):
    """Wraps and unwraps tenant keys by the master key. Calls may block; the sealer makes them in a thread."""

    def tenant_keys(self, tenant_id: UUID) -> TenantKeys:
        """The tenant's keys, made on first use; two callers at once get the same.

        :raises KeysUnavailable: they can't be read or unwrapped now.
        :raises KeysDestroyed: they were destroyed.
        """

    def destroy(self, tenant_id: UUID) -> None:
        """Destroy the tenant's keys for good (crypto-shredding); repeating it changes nothing."""


class FileKeyProvider:
    """Keys in files: the master key in one of mode 0600, wrapped tenant keys in ``<data>/keys/<tenant>.json``.

    Files appear whole or not at all (written beside, flushed to disk, linked into place), and whoever links first
    wins, so two processes that meet a new tenant end with one key.
    """

    def __init__(self, data: Path, *, master_key_file: Path | None = None) -> None:
        self._folder = data / "keys"
        self._master_file = master_key_file or data / "master.key"

    def tenant_keys(self, tenant_id: UUID) -> TenantKeys:
        try:
            return self._tenant_keys(tenant_id)
        except OSError as error:
            raise KeysUnavailable(error.filename or str(self._folder), error.strerror or "I/O error") from None

    def destroy(self, tenant_id: UUID) -> None:
        path = self._file(tenant_id)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if path.exists():
                _overwrite(path)
            draft = _draft(path, json.dumps({"tenant": str(tenant_id), "destroyed": True}))
            draft.replace(path)
            _flush_folder(self._folder)
        except OSError as error:
            raise KeysUnavailable(str(path), error.strerror or "I/O error") from None

    def _tenant_keys(self, tenant_id: UUID) -> TenantKeys:
        path = self._file(tenant_id)
        if not path.exists():
            fresh = {_INDEX: self._wrap(tenant_id, _INDEX), "1": self._wrap(tenant_id, "1")}
            _create(path, json.dumps({"tenant": str(tenant_id), "keys": fresh}))
        return self._unwrap_all(tenant_id, _read_json(path))

    def _unwrap_all(self, tenant_id: UUID, stored: dict[str, Any]) -> TenantKeys:
        if stored.get("destroyed"):
            raise KeysDestroyed(tenant_id)
        wrapped = stored.get("keys")
        if not _is_key_set(wrapped):
            raise KeysUnavailable(str(self._file(tenant_id)), "not a key file")
        keys = {name: self._unwrap(tenant_id, name, text) for name, text in wrapped.items()}
        return TenantKeys(keys.pop(_INDEX), {int(name): key for name, key in keys.items()})

    def _wrap(self, tenant_id: UUID, name: str) -> str:
        sealed = seal_bytes(self._master(), _WRAPPED, secrets.token_bytes(KEY_BYTES), _bound(tenant_id, name))
        return sealed.hex()

    def _unwrap(self, tenant_id: UUID, name: str, wrapped: str) -> bytes:
        try:
            return open_bytes(self._master(), bytes.fromhex(wrapped), _bound(tenant_id, name))
        except (NotAuthentic, ValueError):
            raise KeysUnavailable(str(self._file(tenant_id)), "wrapped under another master key, or changed") from None

    def _master(self) -> AesGcm:
        path = self._master_file
        if not path.exists():
            self._create_master()
        mode = path.stat().st_mode & 0o777
        if os.name == "posix" and mode & _OTHERS_MAY:
            raise MasterKeyExposed(str(path), mode)
        try:
            return AesGcm(bytes.fromhex(path.read_text(encoding="ascii").strip()))
        except ValueError:
            raise KeysUnavailable(str(path), "a master key file holds 64 hex digits") from None

    def _create_master(self) -> None:
        # Keys are looked for before the master key, which a process that is starting beside us makes first.
        is_in_use = any(self._folder.glob("*.json"))
        if is_in_use and not self._master_file.exists():
            raise MasterKeyMissing(str(self._master_file))
        _create(self._master_file, secrets.token_hex(KEY_BYTES) + "\n")

    def _file(self, tenant_id: UUID) -> Path:
        return self._folder / f"{tenant_id}.json"


_WRAPPED = Header(Algorithm.AES_256_GCM, generation=0, class_code=0).encode()


def _bound(tenant_id: UUID, name: str) -> bytes:
    """Binds a wrapped key to its tenant and its use, so that key files can't be exchanged."""
    return b"fairlead tenant key|" + tenant_id.bytes + name.encode()


def _is_key_set(wrapped: object) -> TypeGuard[dict[str, str]]:
    if not isinstance(wrapped, dict) or _INDEX not in wrapped or len(wrapped) < 2:
        return False
    return all(isinstance(text, str) and (name == _INDEX or name.isdecimal()) for name, text in wrapped.items())


def _create(path: Path, text: str) -> None:
    """Make the file with this content unless it is there already."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = _draft(path, text)
    try:
        os.link(draft, path)
        _flush_folder(path.parent)
    except FileExistsError:
        return  # another process was first: its keys are the tenant's
    finally:
        draft.unlink()


def _draft(path: Path, text: str) -> Path:
    """A flushed file of mode 0600 beside `path`; a key must be on disk before anything is sealed under it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".draft-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def _overwrite(path: Path) -> None:
    """Write over the bytes before the name goes; file systems that copy on write may keep them (see backups)."""
    with path.open("r+b") as file:
        file.write(b"\0" * path.stat().st_size)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    if os.name != "posix":
        return  # Windows can't open a folder; NTFS journals the name
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise KeysUnavailable(str(path), "not a key file") from None
    return stored if isinstance(stored, dict) else {}
