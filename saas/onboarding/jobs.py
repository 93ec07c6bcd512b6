"""What follows a sign-up, after it has committed: the welcome mail to the company's owner."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from saas.events import Event
from saas.identity import Recipient
from saas.jobs import Mail, Postbox
from saas.kernel import Catalogue

WELCOME_MAIL = "onboarding.welcome_mail"


FindRecipient = Callable[[UUID], Awaitable[Recipient | None]]
"""By account id; None when the account is gone."""


class WelcomeMail:
    """Handler of the sign-up event, whose payload names the owner as ``account_id``."""

    def __init__(self, postbox: Postbox, *, recipient: FindRecipient, catalogue: Catalogue) -> None:
        self._postbox, self._recipient, self._catalogue = postbox, recipient, catalogue

    async def __call__(self, event: Event) -> None:
        to = await self._recipient(UUID(str(event.payload["account_id"])))
        if to is None:
            return
        values = {"name": to.name}
        mail = Mail(
            id=event.id,
            to_address=to.email,
            to_name=to.name,
            subject=self._catalogue.text(to.locale, "jobs.welcome_mail.subject", values),
            body=self._catalogue.text(to.locale, "jobs.welcome_mail.body", values),
            written_at=event.occurred_at,
        )
        await self._postbox.send(mail)
