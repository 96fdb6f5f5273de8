"""Answers that nobody can make sense of: a few tries, on the whole way through the database, and only these count."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from support.runners import PUSH, Pool, accepted, app_of, now_of, ready, runner_of, standing_still
from tidings.domain.campaign import NotificationStatus
from tidings.domain.outcome import Accepted, Outcome, Unavailable, Unmapped
from tidings.lib.clock import FixedClock
from tidings.wiring import Container

AWAY = Unavailable(None, "timed_out")
ODD = Unmapped(418, "unmapped_answer")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def container(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Container]:
    async with standing_still(request, tmp_path) as opened:
        yield opened


async def end_of(container: Container, answers: list[Outcome]) -> tuple[dict[str, int], int]:
    """Answer one device so, try after try; give why it was not reached, and how many answers were not asked for."""
    app = await app_of(container, [PUSH])
    notification = await accepted(container, app)
    left: Iterator[Outcome] = iter(answers)
    pool = Pool(lambda _: next(left))
    clock = container.clock
    assert isinstance(clock, FixedClock)
    for _ in answers:
        for shard in await ready(container):
            await runner_of(replace(container, clock=clock), pool).run(shard)
        clock.at += timedelta(hours=1)
    ended = await now_of(container, notification)
    assert ended.status is NotificationStatus.DONE
    return ended.reasons, len(list(left))


async def test_tries_that_ended_otherwise_use_up_none_of_the_few(container: Container) -> None:
    assert await end_of(container, [AWAY, AWAY, AWAY, ODD, AWAY, ODD, Accepted()]) == ({}, 0)


async def test_the_few_are_counted_over_all_that_comes_between(container: Container) -> None:
    assert await end_of(container, [ODD, AWAY, ODD, AWAY, AWAY, ODD, Accepted()]) == ({"unmapped_418": 1}, 1)
