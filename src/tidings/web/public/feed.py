"""The bell: a person's feed, read in pages and live, and what they have seen, read and put away."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import ExitStack
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from tidings.domain.app import App
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.feed import FeedCounts, FeedPlace
from tidings.services.feed import OVERLAP, Feed, Item
from tidings.services.region import locale_from
from tidings.web.auth import container_of
from tidings.web.public.door import body_of
from tidings.web.public.person import is_still, person_of

JSON = "application/json"
_NUMBER = re.compile(r"[0-9]{1,4}", re.ASCII)
"""What a number of items may look like: Python reads no longer ones than some thousand digits, and fails."""

MOST = 100
"""Items of a page, and ids of one request."""

FIRST = 20
QUIET = 15.0
"""Seconds after which a stream says that it is still there: proxies close what says nothing for a minute."""

RETRY = 3_000
"""Milliseconds that a page waits before it comes back to a stream that broke."""


class FeedAction(Struct, frozen=True):
    """A button of an item."""

    id: str
    title: str
    url: str | None = None


class FeedItem(Struct, frozen=True):
    """One item, in the person's language. `id` is its notification's."""

    id: str
    type: str | None
    title: str
    body: str
    url: str | None
    icon: str | None
    image: str | None
    actions: list[FeedAction]
    data: dict[str, Any]
    language: str | None
    at: str
    seen: bool
    read: bool
    archived: bool


class FeedAnswer(Struct, frozen=True):
    """A page of items, newest first; `newest` is where a stream goes on from."""

    data: list[FeedItem]
    unread: int
    unseen: int
    next_cursor: str | None
    newest: str


class FeedMarks(Struct, frozen=True, forbid_unknown_fields=True):
    """Which items are meant: some by their ids, or all that there are now."""

    ids: Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=MOST)] = []
    all: bool = False


class FeedCountsAnswer(Struct, frozen=True):
    """How many items there are to read, and how many of them came since the bell was last opened."""

    unread: int
    unseen: int


marks_decoder = msgspec.json.Decoder(FeedMarks)


async def feed(request: Request, app: App) -> Response:
    """Give a page of the person's feed."""
    user = await person_of(request, app)
    query = request.query_params
    limit, archived = _limit(query.get("limit")), query.get("archived") == "true"
    page = await _feed(request).page(
        app.id, user, cursor=query.get("cursor"), limit=limit, archived=archived, locale=_locale(request)
    )
    answer = FeedAnswer(
        data=[_item(one) for one in page.items],
        unread=page.counts.unread,
        unseen=page.counts.unseen,
        next_cursor=page.next_cursor,
        newest=page.newest,
    )
    return Response(msgspec.json.encode(answer), media_type=JSON)


async def read(request: Request, app: App) -> Response:
    """Note that items were read."""
    return await _mark(request, app, archived=False)


async def archive(request: Request, app: App) -> Response:
    """Put items away."""
    return await _mark(request, app, archived=True)


async def seen(request: Request, app: App) -> Response:
    """Note that the bell was opened: what is there now is nothing new any more."""
    user = await person_of(request, app)
    return _counted(request, app, user, await _feed(request).mark_all(app.id, user, seen=True))


async def _mark(request: Request, app: App, *, archived: bool) -> Response:
    user = await person_of(request, app)
    body = await body_of(request, marks_decoder)
    if body.all == bool(body.ids):
        fault = FieldFault("ids", "Name some items in `ids`, or say `all`.")
        raise CatalogueError(ErrorCode.INVALID_REQUEST, fault.message, faults=(fault,))
    if body.all:
        counts = await _feed(request).mark_all(app.id, user, read=True, archived=archived)
    else:
        counts = await _feed(request).mark(app.id, user, body.ids, archived=archived)
    return _counted(request, app, user, counts)


def _counted(request: Request, app: App, user: str, counts: FeedCounts) -> Response:
    # Their other pages in this process hear of it at once.
    container_of(request).people.watch.wake(app.id, user)
    return Response(msgspec.json.encode(FeedCountsAnswer(counts.unread, counts.unseen)), media_type=JSON)


class _Streamed(StreamingResponse):
    """A stream that leaves its place as soon as it ends, however it ends."""

    def __init__(self, content: AsyncIterator[bytes], leave: ExitStack) -> None:
        super().__init__(content, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._leave:
            await super().__call__(scope, receive, send)


async def stream(request: Request, app: App) -> Response:
    """Tell what comes and how many are to be read, as server-sent events, until the page or the server leaves.

    It ends with the token that it was opened with, as any other request would be refused from then on.
    """
    user = await person_of(request, app)
    place = _feed(request).place_of(request.headers.get("last-event-id"))
    with ExitStack() as stack:
        woken = stack.enter_context(container_of(request).people.watch.listening(app.id, user))
        return _Streamed(_events(request, app, user, place, woken), stack.pop_all())


async def _events(
    request: Request, app: App, user: str, place: FeedPlace, woken: asyncio.Event
) -> AsyncIterator[bytes]:
    stopping: asyncio.Event = request.app.state.stopping
    locale, told, last = _locale(request), dict[str, datetime](), None
    yield f"retry: {RETRY}\n\n".encode()
    woken.set()
    while not stopping.is_set():
        heard = await _heard(woken, stopping)
        if not await is_still(request, app, user, anew=heard):
            return
        if heard:
            woken.clear()
            # Again from shortly before: what is known already is left out, and all of the rest is told.
            since: FeedPlace | None = FeedPlace(place.at - OVERLAP, 0)
            told = {item: at for item, at in told.items() if at >= place.at - OVERLAP}
            while since is not None and not stopping.is_set():
                news = await _feed(request).news(app.id, user, after=since, locale=locale)
                for one in news.items:
                    if one.entry.public_id not in told:
                        told[one.entry.public_id] = one.entry.at
                        yield _event("item", _item(one), id=_feed(request).text_of(one))
                    place = max(place, one.entry.place)
                since, counts = news.more, news.counts
                if counts != last:
                    yield _event("counts", FeedCountsAnswer(counts.unread, counts.unseen))
                    last = counts
        elif not stopping.is_set():
            yield b": still here\n\n"


async def _heard(woken: asyncio.Event, stopping: asyncio.Event) -> bool:
    """Wait until there may be news; False after a while without, and when the server stops."""
    waits = [asyncio.ensure_future(one.wait()) for one in (woken, stopping)]
    try:
        await asyncio.wait(waits, timeout=QUIET, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waits:
            one.cancel()
    return woken.is_set() and not stopping.is_set()


def _event(name: str, data: Struct, *, id: str | None = None) -> bytes:
    head = f"id: {id}\n" if id else ""
    return f"{head}event: {name}\ndata: ".encode() + msgspec.json.encode(data) + b"\n\n"


def _item(item: Item) -> FeedItem:
    entry, words = item.entry, item.words
    return FeedItem(
        id=entry.public_id,
        type=entry.event_type,
        title=words.title,
        body=words.body,
        url=words.url,
        icon=words.icon,
        image=words.image,
        actions=[FeedAction(one.id, one.title, one.url) for one in words.actions],
        data=words.data,
        language=words.language,
        at=entry.at.isoformat().replace("+00:00", "Z"),
        seen=entry.seen,
        read=entry.read_at is not None,
        archived=entry.archived_at is not None,
    )


def _feed(request: Request) -> Feed:
    return container_of(request).people.feed


def _locale(request: Request) -> str | None:
    return locale_from(request.query_params.get("locale", "")[:35])


def _limit(text: str | None) -> int:
    if text is None:
        return FIRST
    limit = int(text) if _NUMBER.fullmatch(text) else 0
    if not 0 < limit <= MOST:
        fault = FieldFault("limit", f"This is a number from 1 to {MOST}.")
        raise CatalogueError(ErrorCode.INVALID_REQUEST, fault.message, faults=(fault,))
    return limit


SHAPES = (FeedAnswer, FeedMarks, FeedCountsAnswer)
"""What the OpenAPI document shows."""
