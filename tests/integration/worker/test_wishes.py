"""What people wish, heeded while it is sent: left out, put off until their morning, and everybody counted once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.runners import Pool, app_of, now_of, ready, runner_of
from tidings.bus import bus_from
from tidings.domain.app import App
from tidings.domain.audience import Everyone
from tidings.domain.campaign import NewNotification, Notification, NotificationStatus
from tidings.domain.event import Defaults, NewEventType
from tidings.domain.message import Message, Urgency
from tidings.domain.preference import PreferenceChannel, QuietHours, QuietWish
from tidings.lib.clock import FixedClock
from tidings.lib.sealed import KeyRing
from tidings.settings import Settings
from tidings.storage import Transaction
from tidings.storage.open import open_store
from tidings.wiring import Container, assembled

EVENING = datetime(2026, 11, 26, 21, 30, tzinfo=UTC)
"""22:30 in Vienna, 16:30 in New York."""

NIGHT = QuietWish(QuietHours(22 * 60, 7 * 60))
PUSH = PreferenceChannel.PUSH


@pytest.fixture
async def container(tmp_path: Path) -> AsyncIterator[Container]:
    store = open_store(database_url=None, folder=tmp_path, ring=KeyRing.generate())
    made = assembled(Settings(data=tmp_path), store=store, bus=bus_from(None), clock=FixedClock(EVENING))
    yield made
    await store.close()


@pytest.fixture
async def app(container: Container) -> App:
    """Devices 1 to 5: of Anna and Berta in Vienna, Clara in New York, Dora who wants none, and of nobody."""
    app = await app_of(container, ["https://fcm.googleapis.com"] * 5)

    def people(tx: Transaction) -> None:
        zones = {"anna": "Europe/Vienna", "berta": "Europe/Vienna", "clara": "America/New_York", "dora": "UTC"}
        for device, (user, zone) in enumerate(zones.items(), 1):
            tx.users.put(app.id, user, attributes=None, locale=None, time_zone=zone, now=EVENING)
            tx.subscriptions.set_user(device, user)
        tx.preferences.put(app.id, "dora", {("topic.reply", PUSH): False}, now=EVENING)
        for user in ("anna", "clara"):
            tx.preferences.set_quiet(app.id, user, NIGHT, now=EVENING)
        for key, mandatory, push in (
            ("topic.reply", False, True),
            ("badge.awarded", False, False),
            ("a.locked", True, False),
        ):
            new = NewEventType(key, key, defaults=Defaults(push=push), mandatory=mandatory)
            tx.event_types.put(app.id, new, now=EVENING)

    await container.store.write(people)
    return app


async def sent(container: Container, app: App, pool: Pool, event_type: str | None, **message: object) -> Notification:
    words = replace(Message(title="Tide"), **message)  # type: ignore[arg-type]
    new = NewNotification(app.id, words, Everyone(), event_type=event_type)
    made = (await container.flow.accept(new)).notification
    for shard in await ready(container):
        await runner_of(container, pool).run(shard)
    return await now_of(container, made)


def moved(container: Container, to: datetime) -> None:
    assert isinstance(container.clock, FixedClock)
    container.clock.at = to


async def test_who_wants_none_is_skipped_and_who_sleeps_is_told_in_the_morning(container: Container, app: App) -> None:
    pool = Pool()
    found = await sent(container, app, pool, "topic.reply")
    assert [one for one in pool.chunks if one] == [[2, 3, 5]]
    assert (found.status, found.counts.sent, found.reasons) == (
        NotificationStatus.SENDING,
        3,
        {"preference_off": 1},
    )
    moved(container, EVENING + timedelta(hours=8, minutes=29))
    assert await ready(container) == []
    moved(container, EVENING + timedelta(hours=8, minutes=30))
    (later,) = await ready(container)
    await runner_of(container, pool).run(later)
    found = await now_of(container, found)
    assert pool.chunks == [[2, 3, 5], [1]]
    assert (found.status, found.counts.audience, found.counts.sent, found.counts.skipped) == (
        NotificationStatus.DONE,
        5,
        4,
        1,
    )


async def test_a_wish_that_changes_while_it_waits_is_heeded(container: Container, app: App) -> None:
    pool = Pool()
    found = await sent(container, app, pool, "topic.reply")
    off = {("topic.reply", PUSH): False}
    await container.store.write(lambda tx: tx.preferences.put(app.id, "anna", off, now=EVENING))
    moved(container, EVENING + timedelta(hours=9))
    for shard in await ready(container):
        await runner_of(container, pool).run(shard)
    found = await now_of(container, found)
    assert (found.status, found.reasons) == (NotificationStatus.DONE, {"preference_off": 2})
    assert [one for one in pool.chunks if one] == [[2, 3, 5]]


async def test_what_would_come_too_late_is_skipped(container: Container, app: App) -> None:
    found = await sent(container, app, Pool(), "topic.reply", ttl=3_600)
    assert found.status is NotificationStatus.DONE
    assert found.reasons == {"preference_off": 1, "quiet_hours": 1}
    assert found.counts.audience == found.counts.settled


async def test_the_apps_hours_hold_for_who_said_nothing(container: Container, app: App) -> None:
    from tidings.services.quiet import set_quiet_of_app

    await container.store.write(lambda tx: set_quiet_of_app(tx, app.id, NIGHT))
    await container.store.write(lambda tx: tx.preferences.set_quiet(app.id, "berta", QuietWish(), now=EVENING))
    pool = Pool()
    found = await sent(container, app, pool, "topic.reply")
    assert pool.chunks == [[2, 3, 5]], "Berta wants none, whatever the App's are; nobody's device is at UTC 21:30"
    assert found.reasons == {"preference_off": 1}


@pytest.mark.parametrize(
    ("event_type", "urgency", "expected"),
    [
        ("topic.reply", Urgency.HIGH, [[1, 2, 3, 5]]),
        ("a.locked", Urgency.NORMAL, [[1, 2, 3, 4, 5]]),
        ("badge.awarded", Urgency.HIGH, [[]]),
        (None, Urgency.NORMAL, [[1, 2, 3, 4, 5]]),
    ],
)
async def test_urgent_mandatory_and_plain_messages_ask_less(
    container: Container, app: App, event_type: str | None, urgency: Urgency, expected: list[list[int]]
) -> None:
    pool = Pool()
    found = await sent(container, app, pool, event_type, urgency=urgency)
    assert pool.chunks == expected
    assert found.status is NotificationStatus.DONE
    assert found.counts.settled == found.counts.audience == 5
