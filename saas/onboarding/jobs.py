"""What follows a sign-up, after it has committed: the welcome mail to the owner, and in time the key is forgotten."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from saas.events import Event
from saas.identity import Recipient
from saas.jobs import Mail, Postbox
from saas.kernel import Catalogue, Clock
from tenants import current_transaction

WELCOME_MAIL = "onboarding.welcome_mail"
KEY_KEPT = timedelta(days=7)
"""How long the key of a sign-up is known; after that it would sign up another company."""

_PURGE_KEYS = """
DELETE FROM platform.sign_up_key WHERE key IN (
    SELECT key FROM platform.sign_up_key WHERE created_at < $1 LIMIT 1000)
"""


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


async def purge_sign_up_keys(*, clock: Clock) -> int:
    """Remove at most a thousand keys older than seven days, in a platform transaction; how many."""
    return await current_transaction().execute(_PURGE_KEYS, clock.now() - KEY_KEPT)
