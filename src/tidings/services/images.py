"""Pictures for notifications: taken in, given to whoever has the address, removed."""

from __future__ import annotations

import asyncio
import hashlib

from tidings.domain.app import App
from tidings.domain.audit import SYSTEM, Action, Actor, Subject
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.image import MOST_BYTES, MOST_IMAGES, TOUCH_EVERY, Image, NewImage
from tidings.lib.clock import Clock
from tidings.lib.ids import Ids
from tidings.lib.pictures import UnreadablePicture, picture_from
from tidings.services.paging import Page, page_from, position_from
from tidings.storage import Store, Transaction


class Images:
    """Takes in, gives and removes pictures."""

    def __init__(self, *, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        # Each takes memory for all its pixels.
        self._one_at_a_time = asyncio.Semaphore(1)

    async def add(self, app: App, raw: bytes, *, by: Actor = SYSTEM) -> Image:
        """Keep a picture, written anew; the same again is the one there is. Raises IMAGE_INVALID, IMAGES_TOO_MANY."""
        new = await self._read(raw)
        public_id, now = self._ids.new("img"), self._clock.now()

        def add(tx: Transaction) -> Image:
            tx.apps.hold(app.id, "images")
            if known := tx.images.by_content(app.id, new.sha256):
                tx.images.touch(known.id, now=now)
                return known
            count, size = tx.images.total(app.id)
            if count >= MOST_IMAGES or size + len(new.data) > MOST_BYTES:
                words = f"It has {count} pictures of {size} bytes; {MOST_IMAGES} of {MOST_BYTES} bytes are the most."
                raise CatalogueError(ErrorCode.IMAGES_TOO_MANY, words)
            made = tx.images.add(app.id, new, public_id=public_id, now=now)
            detail = {"bytes": made.size, "width": made.width, "height": made.height}
            tx.audit.add(by, Action.IMAGE_UPLOADED, app_id=app.id, subject=_subject(made), detail=detail, now=now)
            return made

        return await self._store.write(add)

    async def get(self, app_id: int, public_id: str) -> Image:
        """Find one. Raises NOT_FOUND."""
        return await self._store.read(lambda tx: _found(tx, app_id, public_id))

    async def page(self, app_id: int, *, cursor: str | None, limit: int) -> Page[Image]:
        """List pictures, newest first. Raises INVALID_CURSOR."""
        after = position_from(cursor)
        rows = await self._store.read(lambda tx: tx.images.page(app_id, after=after, limit=limit + 1))
        return page_from(rows, limit=limit, position=lambda row: row.id)

    async def delete(self, app_id: int, public_id: str, *, by: Actor = SYSTEM) -> None:
        """Remove one. Raises NOT_FOUND."""
        now = self._clock.now()

        def delete(tx: Transaction) -> None:
            found = _found(tx, app_id, public_id)
            tx.images.delete(found.id)
            tx.audit.add(by, Action.IMAGE_DELETED, app_id=app_id, subject=_subject(found), now=now)

        await self._store.write(delete)

    async def shown(self, name: str) -> tuple[Image, bytes]:
        """Give what its public address shows. Raises NOT_FOUND."""

        def look(tx: Transaction) -> tuple[Image, bytes] | None:
            found = tx.images.find(name.partition(".")[0])
            data = tx.images.data(found.id) if found is not None and found.name == name else None
            return None if found is None or data is None else (found, data)

        there = await self._store.read(look)
        if there is None:
            raise CatalogueError(ErrorCode.NOT_FOUND, "There is no picture at this address.")
        image, now = there[0], self._clock.now()
        if now - image.used_at >= TOUCH_EVERY:
            await self._store.write(lambda tx: tx.images.touch(image.id, now=now))
        return there

    async def _read(self, raw: bytes) -> NewImage:
        async with self._one_at_a_time:
            try:
                found = await asyncio.to_thread(picture_from, raw)
            except UnreadablePicture as fault:
                raise CatalogueError(ErrorCode.IMAGE_INVALID, str(fault)) from fault
        sha256 = hashlib.sha256(found.data).digest()
        return NewImage(found.data, sha256, found.media_type, found.width, found.height)


def _found(tx: Transaction, app_id: int, public_id: str) -> Image:
    found = tx.images.get(app_id, public_id)
    if found is None:
        raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no picture {public_id[:64]!r}.")
    return found


def _subject(of: Image) -> Subject:
    return Subject("image", of.public_id)
