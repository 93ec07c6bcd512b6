"""Turns: one at a time, all told when the thing is settled, none lost with a request that is given up."""

from __future__ import annotations

import asyncio

import pytest

from saas.graphql.turns import Turns


class Crowd:
    """People who want one thing; `told` holds, in order, who had the turn and who learned that it is settled."""

    def __init__(self, *, winner: str | None) -> None:
        self.turns = Turns()
        self.told: list[tuple[str, bool]] = []
        self.winner = winner
        self.most_inside = self.inside = 0

    async def wants(self, name: str, thing: str = "customer") -> None:
        async with self.turns.turn(thing) as turn:
            self.told.append((name, turn.is_mine))
            if not turn.is_mine:
                return
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
            await asyncio.sleep(0)
            self.inside -= 1
            turn.is_settled = name == self.winner


async def test_turns_go_on_one_by_one_until_the_thing_is_settled() -> None:
    crowd = Crowd(winner="b")
    await asyncio.gather(*(crowd.wants(name) for name in "abcd"))
    assert crowd.told == [("a", True), ("b", True), ("c", False), ("d", False)]
    assert crowd.most_inside == 1


async def test_whoever_comes_when_all_is_over_has_the_turn() -> None:
    crowd = Crowd(winner=None)
    await asyncio.gather(*(crowd.wants(name) for name in "abc"))
    await crowd.wants("d")
    assert crowd.told == [("a", True), ("b", True), ("c", True), ("d", True)]


async def test_different_things_do_not_wait_for_each_other() -> None:
    crowd = Crowd(winner=None)
    await asyncio.gather(crowd.wants("a", "one"), crowd.wants("b", "other"))
    assert crowd.most_inside == 2


async def test_a_failure_in_the_turn_tells_the_others_to_look() -> None:
    crowd = Crowd(winner=None)

    async def fails() -> None:
        async with crowd.turns.turn("customer"):
            await asyncio.sleep(0)
            raise LookupError

    outcomes = await asyncio.gather(fails(), crowd.wants("b"), return_exceptions=True)
    assert isinstance(outcomes[0], LookupError)
    assert crowd.told == [("b", False)]


@pytest.mark.parametrize("is_handed_over", [False, True])
async def test_who_gives_up_waiting_holds_up_nobody(is_handed_over: bool) -> None:
    """Also when the turn came in the very moment in which the request was given up."""
    crowd, leave = Crowd(winner=None), asyncio.Event()
    waiting: list[asyncio.Task[None]] = []

    async def holds() -> None:
        async with crowd.turns.turn("customer") as turn:
            await leave.wait()
            turn.is_settled = False
        if is_handed_over:
            waiting[0].cancel()

    holder = asyncio.create_task(holds())
    await asyncio.sleep(0)
    waiting += [asyncio.create_task(crowd.wants(name)) for name in "bc"]
    await asyncio.sleep(0)
    if not is_handed_over:
        waiting[0].cancel()
    leave.set()
    await asyncio.gather(holder, *waiting, return_exceptions=True)
    assert crowd.told == [("c", True)]
    await crowd.wants("d")
    assert crowd.told[-1] == ("d", True)
