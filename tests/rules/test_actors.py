"""Actors that are kept for a job: whoever asked, as they were, in the tenant that kept them."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import orjson
import pytest

from saas.kernel import Actor

TENANT, OTHER = UUID(int=1), UUID(int=2)
ACTOR = Actor(
    TENANT,
    account_id=UUID(int=3),
    employee_id=UUID(int=4),
    roles=frozenset({"owner", "rep"}),
    locale="en",
    session_id=UUID(int=5),
    client="app",
    address="192.0.2.1",
    request_id="r1",
)


@pytest.mark.parametrize("actor", [ACTOR, replace(ACTOR, employee_id=None, roles=frozenset())])
def test_an_actor_is_brought_back_without_the_session(actor: Actor) -> None:
    kept = orjson.loads(orjson.dumps(actor.plain()))
    assert Actor.of_plain(kept, tenant_id=TENANT) == replace(actor, session_id=None)


def test_the_tenant_is_the_keepers_and_never_the_texts() -> None:
    kept = {**ACTOR.plain(), "tenant_id": str(TENANT)}
    assert Actor.of_plain(kept, tenant_id=OTHER).tenant_id == OTHER
