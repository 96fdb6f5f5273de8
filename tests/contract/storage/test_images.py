"""Uploaded pictures on both databases."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta

import pytest

from support.pictures import picture
from support.stored import Given
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.image import NewImage
from tidings.lib.clock import FixedClock
from tidings.lib.ids import Ids
from tidings.services import images
from tidings.storage import Store, Transaction


def of(data: bytes) -> NewImage:
    return NewImage(data, hashlib.sha256(data).digest(), "image/png", 3, 2)


async def test_one_is_kept_found_touched_and_removed(store: Store, given: Given) -> None:
    app, other = await given.app(), await given.app()
    data = bytes(range(256)) * 40
    made = await store.write(lambda tx: tx.images.add(app.id, of(data), public_id="img_1", now=given.now))
    assert (made.name, made.size, made.used_at) == ("img_1.png", len(data), given.now)

    def look(tx: Transaction) -> None:
        assert tx.images.get(app.id, "img_1") == tx.images.find("img_1") == made
        assert tx.images.by_content(app.id, of(data).sha256) == made
        assert tx.images.data(made.id) == data
        assert tx.images.page(app.id, after=0, limit=9) == [made]
        assert tx.images.total(app.id) == (1, len(data))
        assert tx.images.get(other.id, "img_1") is None
        assert tx.images.by_content(other.id, of(data).sha256) is None
        assert tx.images.total(other.id) == (0, 0)

    await store.read(look)
    later = given.now + timedelta(days=3)
    await store.write(lambda tx: tx.images.touch(made.id, now=later))
    assert await store.write(lambda tx: tx.images.purge(before=later, limit=9)) == 0
    assert await store.write(lambda tx: tx.images.purge(before=later + timedelta(days=1), limit=9)) == 1
    assert await store.read(lambda tx: tx.images.data(made.id)) is None


async def test_an_erased_app_shows_none(store: Store, given: Given) -> None:
    app = await given.app()
    await store.write(lambda tx: tx.images.add(app.id, of(b"x"), public_id="img_2", now=given.now))
    await store.write(lambda tx: tx.erasures.app(app, public_id="ers_1", now=given.now))
    assert await store.read(lambda tx: tx.images.find("img_2")) is None


async def test_nobody_passes_the_limit_by_uploading_many_at_once(
    store: Store, given: Given, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "MOST_IMAGES", 2)
    app = await given.app()
    kept = images.Images(store=store, clock=clock, ids=Ids(clock))
    raws = [picture(size=(10 + n, 10)) for n in range(6)]
    done = await asyncio.gather(*(kept.add(app, raw) for raw in raws), return_exceptions=True)
    refused = [one for one in done if isinstance(one, CatalogueError)]
    assert [one.code for one in refused] == [ErrorCode.IMAGES_TOO_MANY] * 4
    # The same one at once is one, and needs no room.
    (there,) = {one.public_id for one in await asyncio.gather(*(kept.add(app, raws[0]) for _ in range(4)))} - {""}
    assert there
