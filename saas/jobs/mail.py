"""Outgoing mail, captured in a folder: what a mail server would be given, for demonstrations and tests.

A mail is named by the event it comes from, so one that is written twice is one mail.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

_DOMAIN = "mail.fairlead.invalid"
_SENDER = Address("Fairlead", "no-reply", _DOMAIN)


@dataclass(frozen=True, slots=True)
class Mail:
    """A plain mail to one person; `id` is that of the event it comes from, and the same whenever it is sent again."""

    id: UUID
    to_address: str
    to_name: str
    subject: str
    body: str
    written_at: datetime

    @property
    def message_id(self) -> str:
        """What tells a mail server that two are one."""
        return f"<{self.id}@{_DOMAIN}>"


class Postbox(Protocol):
    """Takes a mail; the same mail twice is once."""

    async def send(self, mail: Mail) -> None: ...


class MailFolder:
    """A `Postbox` that writes each mail to ``<event id>.eml`` in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, mail: Mail) -> None:
        """Write the mail whole or not at all; a second time changes nothing that a reader could see."""
        await asyncio.to_thread(self._write, mail)

    def _write(self, mail: Mail) -> None:
        content = _as_message(mail).as_bytes(policy=SMTP)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = self._folder / f".{mail.id}.{os.getpid()}.part"
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # on disk before the event is marked as done
        unfinished.replace(self._folder / f"{mail.id}.eml")


def _as_message(mail: Mail) -> EmailMessage:
    message = EmailMessage()
    message["Message-ID"] = mail.message_id
    message["Date"] = format_datetime(mail.written_at)
    message["From"] = _SENDER
    message["To"] = Address(mail.to_name, addr_spec=mail.to_address)
    message["Subject"] = mail.subject
    message.set_content(mail.body)
    return message
