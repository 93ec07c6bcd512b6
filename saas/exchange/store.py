"""Where an uploaded file waits until its rows are read: a `FileStore`, by default a folder per company.

A file is named by its id alone, never by what the uploader called it, and is gone when its rows are staged; what was
never read goes after seven days.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

from saas.exchange.errors import FileRefused, FileTooLarge
from saas.exchange.sheets import FILE_MAX
from saas.kernel import new_id


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that was taken in: its id, its size in bytes and the sha256 of its content, as 64 hex digits."""

    id: UUID
    size: int
    sha256: str


class FileStore(Protocol):
    """Keeps uploads of companies apart from each other."""

    async def save(self, tenant_id: UUID, content: AsyncIterable[bytes]) -> StoredFile:
        """Take a file in, block by block.

        :raises FileTooLarge: more than 100 MB; nothing of it is kept.
        """
        ...

    async def find(self, tenant_id: UUID, file_id: UUID) -> StoredFile:
        """A file that was taken in before.

        :raises FileRefused: it is not there (any more).
        """
        ...

    def opened(self, tenant_id: UUID, file_id: UUID) -> AbstractAsyncContextManager[Path]:
        """The file's content as a local file, for as long as the block lasts.

        :raises FileRefused: it is not there (any more).
        """
        ...

    async def remove(self, tenant_id: UUID, file_id: UUID) -> None:
        """Remove the file; one that is gone is no error."""
        ...

    async def purge(self, tenant_id: UUID, *, before: datetime) -> int:
        """Remove the company's files that were taken in before an instant; how many."""
        ...


class FolderStore:
    """A `FileStore` below a folder that all web and worker processes share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def save(self, tenant_id: UUID, content: AsyncIterable[bytes]) -> StoredFile:
        file_id, digest, size = new_id(), hashlib.sha256(), 0
        path = self._path(tenant_id, file_id)
        unfinished = path.with_suffix(".part")
        await asyncio.to_thread(path.parent.mkdir, mode=0o700, parents=True, exist_ok=True)
        descriptor = await asyncio.to_thread(os.open, unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                async for block in content:
                    size += len(block)
                    if size > FILE_MAX:
                        raise FileTooLarge("exchange.file_too_large", {"megabytes": size >> 20, "most": FILE_MAX >> 20})
                    digest.update(block)
                    await asyncio.to_thread(file.write, block)
            await asyncio.to_thread(unfinished.rename, path)
        finally:
            await asyncio.to_thread(unfinished.unlink, missing_ok=True)
        return StoredFile(file_id, size, digest.hexdigest())

    async def find(self, tenant_id: UUID, file_id: UUID) -> StoredFile:
        async with self.opened(tenant_id, file_id) as path:
            size, sha256 = await asyncio.to_thread(_measured, path)
        return StoredFile(file_id, size, sha256)

    @asynccontextmanager
    async def opened(self, tenant_id: UUID, file_id: UUID) -> AsyncIterator[Path]:
        path = self._path(tenant_id, file_id)
        if not await asyncio.to_thread(path.is_file):
            raise FileRefused("exchange.file_gone")
        yield path

    async def remove(self, tenant_id: UUID, file_id: UUID) -> None:
        await asyncio.to_thread(self._path(tenant_id, file_id).unlink, missing_ok=True)

    async def purge(self, tenant_id: UUID, *, before: datetime) -> int:
        return await asyncio.to_thread(self._purge, tenant_id, before)

    def _purge(self, tenant_id: UUID, before: datetime) -> int:
        """By the files' own time stamps, so that uploads that no batch ever named go too."""
        folder = self._folder / tenant_id.hex
        old = [path for path in folder.glob("*") if path.stat().st_mtime < before.timestamp()]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def _path(self, tenant_id: UUID, file_id: UUID) -> Path:
        return self._folder / tenant_id.hex / f"{file_id.hex}.upload"


def _measured(path: Path) -> tuple[int, str]:
    """Size and digest, read block by block."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), digest
