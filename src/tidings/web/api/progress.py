"""Following a notification: looks at its counters until it is final, and tells what changed."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator

from pydantic import BaseModel, Field
from starlette.requests import Request

from tidings.domain.app import App
from tidings.domain.campaign import FINAL_STATUSES, Counts, Notification, NotificationStatus
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.permission import Permission
from tidings.services.notifications import pace_between
from tidings.web.api.shapes import CountsOut, counts_out
from tidings.web.auth import caller_of, container_of, may_still

EVERY = 0.5
"""Seconds between two looks."""

ASK_AGAIN = 5.0
"""Seconds after which a stream asks whether whoever follows it still may."""

MOST = 30
"""Streams of one session or key at a time: each looks at the database twice a second."""

WINDOW = 10
"""Looks that the rate is measured over: long enough to be calm, short enough to be true."""


class Progress(BaseModel):
    """Where a notification stands at this moment."""

    status: NotificationStatus
    counts: CountsOut
    rate: float = Field(description="Recipients a second over the last few seconds.")
    eta_seconds: float | None = Field(description="Seconds left at that rate; null while nothing moves.")
    answers: dict[str, int] = Field(description="How often each action was chosen.")


def check_room(request: Request) -> None:
    """Raise RATE_LIMITED where whoever asks follows as many as one may."""
    if request.app.state.following[_whose(request)] >= MOST:
        raise CatalogueError(ErrorCode.RATE_LIMITED, f"{MOST} streams are open with this session or key already.")


async def follow(request: Request, app: App, first: Notification) -> AsyncIterator[Progress]:
    """Give the progress now, whenever it changed, and at the end; see `_followed`."""
    following: Counter[str] = request.app.state.following
    whose = _whose(request)
    following[whose] += 1
    try:
        async for progress in _followed(request, app, first):
            yield progress
    finally:
        following[whose] -= 1
        following += Counter()  # forgets who follows none


def _whose(request: Request) -> str:
    caller = caller_of(request)
    return caller.signed_in.session.public_id if caller.signed_in else f"{caller.actor.kind} {caller.actor.id}"


async def _followed(request: Request, app: App, first: Notification) -> AsyncIterator[Progress]:
    """Give the progress now, whenever it changed, and at the end.

    It stops early when the server stops, and when the session or key that asked for it has ended or lost its right.
    """
    notifications = container_of(request).notifications
    stopping: asyncio.Event = request.app.state.stopping
    looks: deque[tuple[float, Counts]] = deque(maxlen=WINDOW)
    shown: Progress | None = None
    row, asked = first, time.monotonic()
    while True:
        looks.append((time.monotonic(), row.counts))
        answers = await notifications.answers(row) if row.counts.answered else {}
        progress = _progress(row, looks, answers)
        if progress != shown:
            yield progress
            shown = progress
        if row.status in FINAL_STATUSES or stopping.is_set():
            return
        if time.monotonic() - asked >= ASK_AGAIN:
            if not await may_still(request, app, Permission.MESSAGE_READ):
                return
            asked = time.monotonic()
        try:
            await asyncio.wait_for(stopping.wait(), EVERY)
        except TimeoutError:
            row = await notifications.get(app.id, first.public_id)


def _progress(row: Notification, looks: deque[tuple[float, Counts]], answers: dict[str, int]) -> Progress:
    (began, before), (ended, now) = looks[0], looks[-1]
    pace = pace_between(before, now, seconds=ended - began)
    final = row.status in FINAL_STATUSES
    return Progress(
        status=row.status,
        counts=counts_out(row.counts),
        answers=answers,
        rate=round(pace.rate, 1) if pace else 0.0,
        eta_seconds=0.0 if final else round(pace.eta_seconds, 1) if pace and pace.eta_seconds is not None else None,
    )
