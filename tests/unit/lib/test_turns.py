from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.lib.turns import Crowded, Turns


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class Work:
    """Takes turns and notes who had one; each turn lasts until `step` ends the oldest."""

    def __init__(self, *, at_once: int = 1, most: int = 4) -> None:
        self.turns = Turns(at_once=at_once, most=most)
        self.had: list[str | None] = []
        self.refused: list[str | None] = []
        self._working: list[asyncio.Event] = []

    async def begin(self, whose: str | None) -> asyncio.Task[None]:
        task = asyncio.create_task(self._work(whose))
        await settled()
        return task

    async def _work(self, whose: str | None) -> None:
        try:
            async with self.turns.turn(whose):
                self.had.append(whose)
                self._working.append(end := asyncio.Event())
                await end.wait()
        except Crowded:
            self.refused.append(whose)

    async def step(self) -> bool:
        if not self._working:
            return False
        self._working.pop(0).set()
        await settled()
        return True

    async def all(self) -> list[str | None]:
        while await self.step():
            pass
        return self.had


async def test_one_after_the_other_by_name_and_nobody_in_particular_first() -> None:
    work = Work(most=9)
    for whose in ("busy", "a", "a", "a", "b", "c", "b", None, None):
        await work.begin(whose)
    assert work.turns.waiting == 8
    assert await work.all() == ["busy", None, None, "a", "b", "c", "a", "b", "a"]
    assert work.refused == []
    assert work.turns.waiting == 0


async def test_a_flood_makes_room_for_others_and_is_refused_itself() -> None:
    work = Work()
    for whose in ("flood", "flood", "flood", "flood", "flood", "flood", "calm", None):
        await work.begin(whose)
    assert work.refused == ["flood", "flood", "flood"]
    assert await work.all() == ["flood", None, "flood", "calm", "flood"]


async def test_where_all_wait_alike_the_newcomer_is_refused() -> None:
    work = Work()
    for whose in ("busy", "a", "b", "c", "d", "e", None, "f"):
        await work.begin(whose)
    assert work.refused == ["e", "a", "f"]
    assert await work.all() == ["busy", None, "b", "c", "d"]


async def test_only_those_who_go_first_fill_the_line_for_good() -> None:
    work = Work(most=2)
    for whose in ("busy", None, None, None, "a"):
        await work.begin(whose)
    assert work.refused == [None, "a"]


async def test_as_many_as_may_work_at_once() -> None:
    work = Work(at_once=3)
    for whose in "abcd":
        await work.begin(whose)
    assert work.had == ["a", "b", "c"]
    await work.step()
    assert work.had == ["a", "b", "c", "d"]


@pytest.mark.parametrize("moments", range(5))
async def test_who_goes_away_gives_the_turn_on(moments: int) -> None:
    """In whichever moment: while they wait, while they are called, and when they have begun."""
    work = Work()
    await work.begin("busy")
    gone = await work.begin("a")
    await work.begin("b")
    work._working.pop(0).set()
    for _ in range(moments):
        await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    await settled()
    assert work.had[-1] == "b"
    await work.all()
    await work.begin("later")
    assert work.had[-1] == "later"
    assert work.turns.waiting == 0


async def test_a_failure_gives_the_turn_on() -> None:
    turns = Turns(at_once=1, most=1)
    with pytest.raises(ZeroDivisionError):
        async with turns.turn("a"):
            raise ZeroDivisionError
    async with turns.turn("b"):
        pass


NAMES = st.sampled_from(["a", "b", "c", None])


@given(st.lists(st.tuples(NAMES, st.booleans(), st.booleans()), max_size=40))
def test_whatever_comes_and_goes_nothing_is_lost(moves: list[tuple[str | None, bool, bool]]) -> None:
    async def play() -> None:
        work = Work(at_once=2, most=3)
        tasks = []
        for whose, ends, leaves in moves:
            tasks.append(await work.begin(whose))
            assert work.turns.waiting <= 3
            if ends:
                await work.step()
            if leaves:
                tasks[len(tasks) // 2].cancel()
                await settled()
        await work.all()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert work.turns.waiting == 0
        assert work.turns._free == 2

    asyncio.run(play())
