"""The welcome mail: to the owner, in the owner's language, once."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

import pytest

from saas.events import Delivery, Event, EventTopic, Handlers, emit
from saas.identity import Recipient
from saas.jobs import MailFolder, RetryPolicy
from saas.kernel import Catalogue, FrozenClock, new_id
from saas.onboarding.jobs import WelcomeMail
from tenants import Database

OWNER = UUID(int=7)
GONE = UUID(int=8)
PEOPLE = {
    OWNER: Recipient("li.na@example.cn", "李娜", "zh-CN"),
    UUID(int=9): Recipient("ann@example.com", "Ann, “the boss”", "en"),
}


async def recipient(account_id: UUID) -> Recipient | None:
    return PEOPLE.get(account_id)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "mail"


@pytest.fixture
def welcome(folder: Path) -> WelcomeMail:
    return WelcomeMail(MailFolder(folder), recipient=recipient, catalogue=Catalogue.of(["saas.jobs"]))


def signed_up(account_id: UUID, clock: FrozenClock) -> Event:
    payload = {"account_id": str(account_id)}
    return Event(new_id(), new_id(), "onboarding.company_signed_up", payload, clock.now(), 1)


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()] if folder.exists() else []


def only_mail(folder: Path) -> EmailMessage:
    (path,) = folder.iterdir()
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


async def test_mail_is_in_the_owners_language(folder: Path, welcome: WelcomeMail, clock: FrozenClock) -> None:
    event = signed_up(OWNER, clock)
    await welcome(event)
    mail = only_mail(folder)
    assert mail["To"] == "李娜 <li.na@example.cn>"
    assert mail["Subject"] == "李娜，欢迎使用 Fairlead"
    assert mail["Message-ID"] == f"<{event.id}@mail.fairlead.invalid>"
    assert mail["Date"] == "Mon, 23 Nov 2026 02:00:00 +0000"
    assert mail.get_content().startswith("李娜，您好：\n\n贵公司已在 Fairlead 开通。")


async def test_mail_written_twice_is_one_mail(folder: Path, welcome: WelcomeMail, clock: FrozenClock) -> None:
    event = signed_up(UUID(int=9), clock)
    await welcome(event)
    first = only_mail(folder).as_bytes()
    await welcome(event)
    assert only_mail(folder).as_bytes() == first
    assert only_mail(folder)["Subject"] == "Welcome to Fairlead, Ann, “the boss”"


async def test_account_that_is_gone_gets_no_mail(folder: Path, welcome: WelcomeMail, clock: FrozenClock) -> None:
    await welcome(signed_up(GONE, clock))
    assert names_in(folder) == []


async def test_name_can_not_smuggle_headers_in(folder: Path, clock: FrozenClock) -> None:
    async def crafted(_: UUID) -> Recipient:
        return Recipient("a@example.cn", "A\r\nBcc: b@example.cn", "en")

    welcome = WelcomeMail(MailFolder(folder), recipient=crafted, catalogue=Catalogue.of(["saas.jobs"]))
    with pytest.raises(ValueError):
        await welcome(signed_up(OWNER, clock))
    assert names_in(folder) == []


async def test_mail_follows_the_event(
    database: Database, tenant_id: UUID, folder: Path, welcome: WelcomeMail, clock: FrozenClock
) -> None:
    topic = EventTopic("onboarding.company_signed_up", "A company signed up.")
    handlers = Handlers([topic])
    handlers.on(topic, name="onboarding.welcome_mail", handler=welcome)
    async with database.transaction(tenant_id):
        event_id = await emit(topic, {"account_id": str(OWNER)})
    delivery = Delivery(database, handlers, retry=RetryPolicy(), clock=clock)
    await delivery(str(tenant_id), str(event_id), 0)
    assert names_in(folder) == [f"{event_id}.eml"]
