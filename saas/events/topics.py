"""Topics, and who handles them: the registry that a worker is wired with."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from saas.kernel import Scalar

_SHAPE = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*")


class EventTopic(str):
    """The name of something that happens, ``room.fact_in_past_tense``, with a sentence that says when.

    It is its own name, so that a topic may be stored and compared as text.
    """

    __slots__ = ("doc",)
    doc: str

    def __new__(cls, name: str, doc: str) -> EventTopic:
        if not _SHAPE.fullmatch(name):
            raise ValueError(f"Topic “{name}” is not of the form room.fact in lower case.")
        topic = super().__new__(cls, name)
        topic.doc = doc
        return topic


@dataclass(frozen=True, slots=True)
class Event:
    """What a handler gets: an outbox row, once per attempt.

    `id` is the same on every attempt: effects outside the database take it as their own key. `occurred_at` is when
    the business transaction began; `attempt` counts from 1.
    """

    id: UUID
    tenant_id: UUID
    topic: str
    payload: Mapping[str, Scalar]
    occurred_at: datetime
    attempt: int


Handler = Callable[[Event], Awaitable[None]]
"""Runs in a transaction bound to the event's tenant; what it writes commits with "done", or not at all."""


class Handlers:
    """All topics of the installation and the handlers of each, by name.

    A worker knows every topic, handled or not: an event of an unknown topic was emitted by newer code and must wait.
    """

    def __init__(self, topics: Iterable[EventTopic]) -> None:
        self._handlers: dict[str, dict[str, Handler]] = {}
        self._longest: dict[str, timedelta] = {}
        self._given_up: dict[str, Handler] = {}
        for topic in topics:
            if topic in self._handlers:
                raise ValueError(f"Topic “{topic}” is declared twice.")
            self._handlers[topic] = {}

    def on(
        self,
        topic: EventTopic,
        *,
        name: str,
        handler: Handler,
        longest: timedelta | None = None,
        given_up: Handler | None = None,
    ) -> None:
        """Let `handler` run for each event of `topic`; `name` (``room.job``) is stored, so it must stay.

        `longest` is for work that can't be cut into short transactions: how long a run may take; None is as long as
        any other. `given_up` runs once the last attempt has failed, so that nobody waits for what will not come.

        :raises ValueError: the topic is not declared, or has a handler of that name.
        """
        if topic not in self._handlers:
            raise ValueError(f"Handler “{name}” is for topic “{topic}”, which is not declared.")
        if name in self._handlers[topic]:
            raise ValueError(f"Topic “{topic}” has two handlers named “{name}”.")
        self._handlers[topic][name] = handler
        if longest is not None:
            self._longest[name] = longest
        if given_up is not None:
            self._given_up[name] = given_up

    def knows(self, topic: str) -> bool:
        """Whether this worker's code declares the topic."""
        return topic in self._handlers

    def of(self, topic: str) -> Mapping[str, Handler]:
        """The handlers of a topic, by name."""
        return self._handlers[topic]

    def longest(self, topic: str, name: str | None) -> timedelta | None:
        """How long the run of an event may take, where longer than usual; `name` is its handler, if it names one."""
        return self._longest.get(self._only(topic, name))

    def given_up(self, topic: str, name: str | None) -> Handler | None:
        """What runs once the last attempt of an event has failed; `name` is its handler, if it has one."""
        return self._given_up.get(self._only(topic, name))

    def _only(self, topic: str, name: str | None) -> str:
        """The one handler that an event is for; of a topic with several each gets an event of its own, by name."""
        names = list(self._handlers.get(topic, ())) if name is None else [name]
        return names[0] if len(names) == 1 else ""
