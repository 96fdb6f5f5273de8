"""Templated notifications through a runner and a real database: to each person their own words."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from support.runners import runner_of
from tidings import wiring
from tidings.domain.app import App
from tidings.domain.audience import Everyone
from tidings.domain.campaign import InDoubtPolicy, NewNotification, Notification, NotificationStatus
from tidings.domain.errors import CatalogueError
from tidings.domain.message import Message, Templated, Translation
from tidings.domain.outcome import Accepted, Outcome
from tidings.domain.subscription import Address, NewSubscription
from tidings.pipeline.deliver import Chunk
from tidings.providers import Envelope
from tidings.providers.webpush.message import Draft, payload_from
from tidings.settings import Settings
from tidings.storage import Transaction
from tidings.wiring import Container
from tidings.worker.load import CHUNK_SIZE

PUSH = "https://updates.push.services.mozilla.com"
Told = dict[int, dict[str, Any]]


class Pool:
    """Keeps what each subscription is told, and how many drafts the largest chunk had."""

    def __init__(self) -> None:
        self.told: Told = {}
        self.most_drafts = 0

    async def send(self, chunk: Chunk, *, policy: InDoubtPolicy, urgent: bool = False) -> dict[int, Outcome]:
        self.most_drafts = max(self.most_drafts, len(chunk.drafts))
        for parcel in chunk.parcels:
            draft = chunk.drafts[parcel.draft][1]
            assert isinstance(draft, Draft)
            payload = payload_from(draft, Envelope(parcel.delivery_id, parcel.receipt_token, 60))
            self.told[parcel.subscription_id] = json.loads(payload)
        return {parcel.subscription_id: Accepted() for parcel in chunk.parcels}


@pytest.fixture
async def container(tmp_path: Path) -> AsyncIterator[Container]:
    async with wiring.opened(Settings(data=tmp_path / "data", senders=1)) as opened:
        yield opened


async def _app_with(container: Container, people: list[dict[str, Any]]) -> App:
    """Make an App and a device for each of the people, whose ids are u-0, u-1 and so on."""
    app = await container.apps.ensure_first()
    made = await container.credentials.generate(app.id, "webpush", settings={"subject": "mailto:ops@example.com"})
    rows = [
        (
            NewSubscription(
                app_id=app.id,
                provider="webpush",
                address=Address(f"{PUSH}/wpush/v2/{number}", b"\x04" * 65 + b"a" * 16),
                origin=PUSH,
                credential_id=made.credential.id,
                user_external_id=f"u-{number}",
                locale=one.get("device"),
            ),
            container.ids.new("sub"),
            b"h" * 32,
        )
        for number, one in enumerate(people)
    ]

    def add(tx: Transaction) -> None:
        now = container.clock.now()
        tx.subscriptions.add_many(rows, now=now)
        for number, one in enumerate(people):
            known = {"attributes": one.get("attributes", {}), "locale": one.get("locale"), "time_zone": one.get("zone")}
            tx.users.put(app.id, f"u-{number}", **known, now=now)

    await container.store.write(add)
    return app


async def _sent(container: Container, app: App, message: Message) -> tuple[Pool, Notification]:
    accepted = await container.flow.accept(NewNotification(app_id=app.id, message=message, audience=Everyone()))
    pool = Pool()
    now = container.clock.now()
    for shard in await container.store.read(lambda tx: tx.shards.ready(now=now, limit=100)):
        await runner_of(container, pool).run(shard)
    found = await container.store.read(lambda tx: tx.notifications.by_id(accepted.notification.id))
    assert found is not None
    return pool, found


async def test_each_person_is_told_in_their_own_words_and_language(container: Container) -> None:
    app = await _app_with(
        container,
        [
            {"attributes": {"name": "Ada"}, "device": "en-GB"},
            {"attributes": {"name": "Bruno"}, "device": "de-AT"},
            {"attributes": {"name": "Chiara"}, "device": "it", "locale": "de"},
            {"device": "fr"},
        ],
    )
    message = Message(
        title="Hello {{ user.name | default: 'you' }}",
        locales={"de": Translation(title="Hallo {{ user.name | default: 'du' }}")},
        templated=Templated(otherwise="de"),
    )
    pool, notification = await _sent(container, app, message)
    titles = [pool.told[one]["notification"]["title"] for one in sorted(pool.told)]
    assert titles == ["Hello Ada", "Hallo Bruno", "Hallo Chiara", "Hallo du"]
    assert (notification.status, notification.counts.sent) == (NotificationStatus.DONE, 4)


async def test_who_cannot_be_told_fails_alone_and_with_the_reason(container: Container) -> None:
    app = await _app_with(
        container,
        [
            {"attributes": {"home": "https://example.com/a", "age": 3}},
            {"attributes": {"home": "javascript:alert(1)", "age": 3}},
            {"attributes": {"home": "https://example.com/c", "age": "young"}},
            {"attributes": {}},
        ],
    )
    message = Message("Now {{ user.age | plus: 1 }}", url="{{ user.home }}", templated=Templated())
    pool, notification = await _sent(container, app, message)
    assert [one["notification"]["title"] for one in pool.told.values()] == ["Now 4", "Now 1"]
    assert notification.counts.failed == 2
    assert notification.reasons == {"unsafe_link": 1, "template_failed": 1}


async def test_drafts_of_many_people_do_not_pile_up(container: Container) -> None:
    app = await _app_with(container, [{"attributes": {"name": f"N{n}"}} for n in range(CHUNK_SIZE * 3)])
    pool, notification = await _sent(container, app, Message("Hi {{ user.name }}", templated=Templated()))
    assert {one["notification"]["title"] for one in pool.told.values()} == {f"Hi N{n}" for n in range(CHUNK_SIZE * 3)}
    assert (pool.most_drafts, notification.counts.sent) == (CHUNK_SIZE, CHUNK_SIZE * 3)


async def test_those_who_are_told_the_same_share_a_draft(container: Container) -> None:
    app = await _app_with(container, [{"attributes": {"plan": ("pro", "free")[n % 2]}} for n in range(20)])
    message = Message("{% if user.plan == 'pro' %}Thanks{% else %}Hi{% endif %} {{ n }}", templated=Templated({"n": 7}))
    pool, _ = await _sent(container, app, message)
    assert pool.most_drafts == 2
    assert sorted({one["notification"]["title"] for one in pool.told.values()}) == ["Hi 7", "Thanks 7"]


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (Message("{{ a | nope }}", templated=Templated()), "title"),
        (Message("{{ a }}", templated=Templated()), "title"),
        (Message("A", url="{{ a }}", templated=Templated({"a": "javascript:x"})), "url"),
        (Message("A", locales={"de": Translation(body="{% if %}")}, templated=Templated()), "body"),
    ],
)
async def test_what_would_fail_for_everybody_is_not_taken(container: Container, message: Message, field: str) -> None:
    app = await _app_with(container, [{}])
    with pytest.raises(CatalogueError) as refused:
        await container.flow.accept(NewNotification(app_id=app.id, message=message, audience=Everyone()))
    assert [one.field for one in refused.value.faults] == [field]
