"""Why nothing of a notification was sent to somebody, on every store."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from support.stored import MESSAGE, Given, sent
from tidings.domain.absence import AbsenceReason as Why
from tidings.domain.app import App, Credential
from tidings.domain.audience import Audience, Devices, Everyone, Matching, Tagged, Through, Users
from tidings.domain.campaign import NewNotification, NotificationStatus
from tidings.domain.delivery import Retry
from tidings.domain.filters import filter_from_text
from tidings.domain.subscription import SubscriptionStatus
from tidings.lib.clock import FixedClock
from tidings.services.timelines import MOST_LOOKED_AT, Timelines
from tidings.storage import Store, Transaction


async def why(store: Store, given: Given, app: App, audience: Audience | None = None, **changes: Any) -> Any:
    """Send to an audience, end it, and ask why Anna got nothing of it."""
    made = await given.notification(app, audience, **changes)
    await given.set_status(made, NotificationStatus.DONE)
    timelines = Timelines(store=store, clock=FixedClock(given.now))
    heard = await timelines.of_one(app.id, "anna", made.public_id)
    assert heard.arrivals == ()
    assert heard.absence is not None
    listed = (await timelines.of_person(app.id, "anna", cursor=None, limit=1, every=True)).data
    assert (heard in listed) is (heard.absence.reason is not Why.NOT_NAMED)
    return heard.absence


async def known(store: Store, app: App, given: Given, **attributes: Any) -> None:
    await store.write(
        lambda tx: tx.users.put(app.id, "anna", attributes=attributes, locale=None, time_zone=None, now=given.now)
    )


async def test_somebody_without_a_device_could_not_be_sent_anything(store: Store, given: Given) -> None:
    app = await given.app()
    await known(store, app, given)
    assert (await why(store, given, app)).reason is Why.NO_DEVICE


async def test_who_subscribed_later_was_not_there_then(store: Store, given: Given) -> None:
    app = await given.app()
    await known(store, app, given)
    made = await given.notification(app)
    await given.device(app, await given.credential(app), user_external_id="anna")
    timelines = Timelines(store=store, clock=FixedClock(given.now))
    (heard,) = (await timelines.of_person(app.id, "anna", cursor=None, limit=9, every=True)).data
    assert (heard.notification.id, heard.arrivals) == (made.id, ())
    assert heard.absence is not None
    assert (heard.absence.reason, heard.absence.at) == (Why.SUBSCRIBED_LATER, given.now)
    assert (await timelines.of_person(app.id, "anna", cursor=None, limit=9)).data == []


async def test_devices_that_have_ended_say_how(store: Store, given: Given) -> None:
    app = await given.app()
    device = await given.device(app, await given.credential(app), user_external_id="anna")
    status = SubscriptionStatus.UNSUBSCRIBED
    await store.write(lambda tx: tx.subscriptions.set_status(device.id, status, "permission_revoked"))
    found = await why(store, given, app)
    assert (found.reason, found.because) == (Why.DEVICE_ENDED, ("permission_revoked",))


async def test_a_device_that_no_key_fits_is_left_out(store: Store, given: Given) -> None:
    app = await given.app()
    await given.device(app, None, user_external_id="anna")
    assert (await why(store, given, app)).reason is Why.NO_KEY


async def with_device(store: Store, given: Given, **changes: Any) -> tuple[App, Credential]:
    app = await given.app()
    key = await given.credential(app)
    await given.device(app, key, user_external_id="anna", **changes)
    await known(store, app, given, plan="free")
    return app, key


async def test_who_is_not_in_the_audience_is_told_what_decided_it(store: Store, given: Given) -> None:
    app, key = await with_device(store, given, tags={"plan": "free"})
    other = await given.device(app, key, user_external_id="ben")
    assert (await why(store, given, app, Users(("ben",)))).reason is Why.NOT_NAMED
    assert (await why(store, given, app, Devices((other.public_id,)))).reason is Why.NOT_NAMED
    tagged = await why(store, given, app, Tagged((("plan", "pro"),)))
    assert (tagged.reason, tagged.because) == (Why.TAGS, ("plan = pro",))
    matching = await why(store, given, app, Matching(filter_from_text('user.plan == "pro"'), given.now))
    assert matching.reason is Why.CONDITIONS
    assert matching.because == ('user.plan == "pro" does not hold: user.plan is "free"',)
    through = await why(store, given, app, Through(Everyone(), ("fcm", "apns")))
    assert (through.reason, through.because) == (Why.CHANNEL, ("fcm", "apns"))


async def test_who_is_in_the_audience_is_told_what_became_of_the_notification(store: Store, given: Given) -> None:
    app, _ = await with_device(store, given)
    timelines = Timelines(store=store, clock=FixedClock(given.now))
    made = await given.notification(app)

    async def now() -> Why:
        heard = await timelines.of_one(app.id, "anna", made.public_id)
        assert heard.absence is not None
        return heard.absence.reason

    assert await now() is Why.UNDER_WAY
    for status, reason in (
        (NotificationStatus.PAUSED, Why.PAUSED),
        (NotificationStatus.DONE, Why.JOINED_LATER),
        (NotificationStatus.CANCELLED, Why.CANCELLED),
    ):
        await given.set_status(made, status)
        assert await now() is reason
    later = await given.notification(app, send_at=given.later(60))
    heard = await timelines.of_one(app.id, "anna", later.public_id)
    assert heard.absence is not None
    assert (heard.absence.reason, heard.absence.at) == (Why.SCHEDULED, given.later(60))


async def test_who_may_have_been_in_a_part_that_was_given_up_is_not_said_to_have_come_later(
    store: Store, given: Given
) -> None:
    app, _ = await with_device(store, given)
    made = await given.notification(app)
    await given.bury(await given.claimed(await given.shard(made)))
    assert await given.finish(made)
    heard = await Timelines(store=store, clock=FixedClock(given.now)).of_one(app.id, "anna", made.public_id)
    assert heard.absence is not None
    assert heard.absence.reason is Why.IN_DOUBT


async def test_of_a_cancelled_one_it_says_so_too_and_of_whom_else_it_was_taken_back(store: Store, given: Given) -> None:
    app, _ = await with_device(store, given)
    other = await given.device(app, await given.credential(app, "key-2"))
    timelines = Timelines(store=store, clock=FixedClock(given.later(61)))
    made = await given.notification(app)
    shard = await given.claimed(await given.shard(made, -1, retries=(Retry(other.id, 1),), size=1))
    assert await store.write(lambda tx: tx.shards.open_chunk(shard.id, shard.lease_token, 1, high=1))
    buried = await given.notification(app)
    await given.bury(await given.claimed(await given.shard(buried)))
    given.now = given.later(61)
    for one, reason in ((made, Why.CANCELLED), (buried, Why.IN_DOUBT)):
        assert await given.set_status(one, NotificationStatus.CANCELLED)
        assert (await given.look(one)).reasons["in_doubt"] > 0
        heard = await timelines.of_one(app.id, "anna", one.public_id)
        assert heard.absence is not None
        assert heard.absence.reason is reason


@pytest.mark.parametrize("end", [NotificationStatus.DONE, NotificationStatus.CANCELLED])
async def test_what_is_so_old_that_only_counts_are_left_says_so(
    store: Store, given: Given, end: NotificationStatus
) -> None:
    app, _ = await with_device(store, given)
    made = await given.notification(app)
    (device,) = await store.read(lambda tx: tx.subscriptions.page(app.id, after=0, limit=9))
    await given.settle(await given.claimed(await given.shard(made)), sent(device.id))
    await given.set_status(made, end)
    timelines = Timelines(store=store, clock=FixedClock(given.now))
    heard = await timelines.of_one(app.id, "anna", made.public_id)
    assert len(heard.arrivals) == 1
    assert heard.absence is None

    def forget(tx: Transaction) -> None:
        while tx.retention.clear_details(made.id, limit=100, now=given.now + timedelta(days=99)):
            pass

    await store.write(forget)
    heard = await timelines.of_one(app.id, "anna", made.public_id)
    assert heard.absence is not None
    assert heard.absence.reason is Why.FORGOTTEN


async def test_messages_to_others_alone_are_left_out_and_keep_nobody_from_the_older_ones(
    store: Store, given: Given
) -> None:
    app, _ = await with_device(store, given)
    oldest = await given.notification(app)

    def flood(tx: Transaction) -> None:
        for n in range(MOST_LOOKED_AT + 250):
            tx.notifications.add(
                _to_ben(app), public_id=f"ntf_flood_{n}", audience=0, ceiling=oldest.ceiling, now=given.now
            )

    await store.write(flood)
    newest = await given.notification(app)
    timelines = Timelines(store=store, clock=FixedClock(given.now))
    page = await timelines.of_person(app.id, "anna", cursor=None, limit=5, every=True)
    assert [row.notification.id for row in page.data] == [newest.id]
    assert page.next_cursor is not None
    rest = await timelines.of_person(app.id, "anna", cursor=page.next_cursor, limit=5, every=True)
    assert [row.notification.id for row in rest.data] == [oldest.id]
    assert rest.next_cursor is None


def _to_ben(app: App) -> NewNotification:
    return NewNotification(app.id, MESSAGE, Users(("ben",)))
