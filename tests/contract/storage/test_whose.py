"""Every table has its place in what is exported and erased of a person: a new one cannot be forgotten."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import select

from support.stored import Given, sent
from tidings.domain.app import App
from tidings.domain.audience import Through, Users
from tidings.domain.audit import SYSTEM
from tidings.domain.delivery import Suspicion
from tidings.domain.event import NewEvent, NewEventType
from tidings.domain.filters import filter_from
from tidings.domain.message import Message
from tidings.domain.names import words_of
from tidings.domain.preference import PreferenceChannel, QuietHours, QuietWish
from tidings.domain.receipt import Receipt, ReceiptEvent
from tidings.domain.rules import rule_from_json
from tidings.domain.tracked import NewTrackedEvent
from tidings.domain.trigger import Definition, FiringOutcome, NewFiring, Words
from tidings.domain.webhook import Job, MessageStatus, NewWebhook, Verdict, WebhookAttempt, WebhookEvent
from tidings.lib.clock import SystemClock
from tidings.pipeline.settle import SUSPECT
from tidings.services.export import Export
from tidings.storage import Store, Transaction
from tidings.storage.schema import metadata
from tidings.storage.transaction import SqlTransaction

WHO = "q7-annabella"

EXPORTED = {
    "users": "user", "subscriptions": "devices", "tracked_events": "events", "events": "reported",
    "event_people": "reported", "follows": "topics", "deliveries": "deliveries", "receipts": "receipts",
    "notifications": "messages", "preferences": "preferences", "quiet_hours": "preferences", "feed_items": "feed",
    "feed_people": "bell",
}  # fmt: skip
"""Tables with data of a person, and the part of their document that has it."""

ERASED = {
    "suspicions": "what a push service may have meant by an answer",
    "segments": "the App's own words, with ids in them",
    "triggers": "the App's own words, with ids in them",
    "firings": "what an event set off; it goes with the event",
    "webhook_attempts": "the beginning of an answer, which may repeat what was told",
    "user_words": "what a person is found by: words of the id, the name and the e-mail address that their document has",
}
"""Tables that may name a person, and are no part of their document; why."""

PASSING = {"erased_devices": "until the erasure is done", "erasures": "sealed until it is done, then by keyed hash"}

NOBODY = {
    "api_keys", "apps", "audit_anchors", "broadcasts", "credentials", "daily_counts", "event_lanes", "event_types",
    "feed_broadcasts", "feed_fills", "heartbeats", "idempotency_keys", "images", "instance_values", "integrations",
    "notification_answers", "notification_minutes", "subscription_counts",
    "notification_reasons", "oidc_providers", "pauses", "shards", "sign_in_failures", "tallies", "templates",
    "volumes", "webhooks",
    # Whose they are stands in them as a keyed hash, or as the number of a device that is gone.
    "audit_entries", "trigger_pendings", "trigger_windows", "webhook_messages", "webhook_outbox",
    # Of members, who are removed one by one.
    "challenges", "invitations", "members", "memberships", "oidc_identities", "passkeys", "password_resets",
    "recovery_codes", "sessions", "setup_tokens",
}  # fmt: skip
"""Tables that name nobody whom notifications are sent to."""

NAMING = {"user_external_id", "external_id", "users", "user_id", "actor", "subscription_id"}


def test_every_table_is_somebodys_or_nobodys() -> None:
    places = [*EXPORTED, *ERASED, *PASSING, *NOBODY]
    assert sorted(places) == sorted(metadata.tables), "say whose the rows of a new table are, and who erases them"
    for table in metadata.sorted_tables:
        naming = NAMING & set(table.columns.keys())
        if table.name in NOBODY:
            assert not naming or table.name == "audit_entries", f"{table.name} has {naming}: whose are its rows?"


def rows_about(tx: Transaction, devices: set[int], public_ids: set[str]) -> Iterator[str]:
    """Give the tables with rows that name the person, a word of their id, or a device of theirs by its id or number."""
    assert isinstance(tx, SqlTransaction)
    connection = tx.erasures._scope.connection  # type: ignore[attr-defined]
    named = {WHO, max(words_of(WHO), key=len), *public_ids}
    for table in metadata.sorted_tables:
        rows = connection.execute(select(table)).mappings().all()
        if any(row.get("subscription_id") in devices or any(name in repr(dict(row)) for name in named) for row in rows):
            yield table.name


async def filled(store: Store, given: Given) -> tuple[App, int, str]:
    """Make a row in every table that can name a person; give their App and device."""
    app = await given.app()
    device = await given.device(app, await given.credential(app), user_external_id=WHO)
    chosen = {("topic.reply", PreferenceChannel.PUSH): False}
    quiet = QuietWish(QuietHours(60, 120), "Europe/Berlin")
    rule = rule_from_json({"union": [{"users": "event"}, {"users_where": f'user.id in ["{WHO}", "berta"]'}]})
    hook = NewWebhook("https://hooks.example.com/x", tuple(WebhookEvent))
    await given.notification(app, Through(Users((WHO,)), ("webpush",)))
    campaign = await given.notification(app)
    shard = await given.claimed(await given.shard(campaign))
    await given.settle(shard, sent(device.id), suspicions=(Suspicion(device.id, "endpoint_suspect", b"h", SUSPECT),))

    def fill(tx: Transaction) -> Job | None:
        now = given.now
        tx.users.put(app.id, WHO, attributes={"email": f"{WHO}@example.com"}, locale="de", time_zone=None, now=now)
        tracked = NewTrackedEvent(app.id, device.id, WHO, "key", "viewed", {"page": "/secret"})
        tx.tracked.add(tracked, public_id="evt_t", now=now)
        tx.follows.follow(app.id, "ferry", [WHO], now=now)
        tx.preferences.put(app.id, WHO, chosen, now=now)
        tx.preferences.set_quiet(app.id, WHO, quiet, now=now)
        tx.feed.add(campaign, [WHO], kind=None)
        person = tx.feed.person(app.id, WHO, now=now)
        tx.feed.mark_to(person, now=now, read_to=now)
        tx.receipts.add(Receipt(campaign.id, device.id, ReceiptEvent.CLICKED, "", now))
        tx.event_types.put(app.id, NewEventType("topic.reply", "A reply"), now=now)
        tree = filter_from(f'user.id in ["{WHO}", "berta"]')
        tx.segments.add(app.id, public_id="seg_1", name="VIPs", conditions=tree, now=now)
        words = Words(message=Message(title="Hello"))
        trigger = tx.triggers.add(app.id, Definition("Alert", "topic.reply", rule, words), public_id="trg_1", now=now)
        alone = NewEvent(app.id, "evt_1", "topic.reply", None, b"c", data={"who": WHO}, users=(WHO,))
        tx.events.add([alone], now=now)
        event = tx.events.get(app.id, "evt_1")
        assert event is not None
        came = NewFiring(event.id, trigger.id, app.id, FiringOutcome.FIRED, notifications=(f"ntf_{WHO}",))
        tx.firings.add([came], now=now)
        webhook = tx.webhooks.add(app.id, hook, public_id="whk_1", secret=b"s" * 32, now=now)
        tx.outbox.device(app.id, device.id, WebhookEvent.SUBSCRIPTION_CREATED, "", now=now)
        tx.webhook_messages.gather(new_id=lambda: "msg_1", limit=9, now=now)
        return tx.webhook_messages.take(webhook.id, now=now, lease=60)

    job = await store.write(fill)
    assert job is not None
    failed, later = WebhookAttempt(given.now, 500, "", 0.1, f"no {WHO}"), given.now + timedelta(minutes=1)
    await store.write(
        lambda tx: tx.webhook_messages.settle(job, failed, Verdict(MessageStatus.WAITING, later), now=given.now)
    )
    return app, device.id, device.public_id


async def test_a_person_is_in_each_of_their_tables_and_after_that_in_none(store: Store, given: Given) -> None:
    app, device, public_id = await filled(store, given)
    before = await store.read(lambda tx: set(rows_about(tx, {device}, {public_id})))
    assert before == {*EXPORTED, *ERASED}
    begun = await store.write(lambda tx: tx.erasures.user(app, WHO, public_id="era_1", now=given.later(60)))
    await store.write(lambda tx: tx.erasures.note_in_hand(begun.id, now=given.later(60)))
    while await store.write(lambda tx: tx.erasures.step(begun.id, limit=500, now=given.later(60))):
        pass
    assert await store.read(lambda tx: set(rows_about(tx, {device}, {public_id}))) == set()


async def test_their_document_has_a_part_for_each_of_their_tables(store: Store, given: Given) -> None:
    app, _, public_id = await filled(store, given)
    export = Export(store=store, clock=SystemClock())
    pieces = await export.user(app, WHO, by=SYSTEM)
    found = json.loads(b"".join([piece async for piece in pieces]))
    assert {*EXPORTED.values(), "exported_at", "app"} == set(found)
    assert [name for name, part in found.items() if not part] == []
    assert found["bell"] == [{"read_to": given.now.isoformat().replace("+00:00", "Z")}]
    pieces = await export.subscription(app, public_id, by=SYSTEM)
    of_device = json.loads(b"".join([piece async for piece in pieces]))
    assert [name for name in ("devices", "events", "deliveries", "receipts") if not of_device[name]] == []


async def test_a_part_of_an_id_says_who_belongs_to_a_group_and_stays(store: Store, given: Given) -> None:
    """`endsWith("1")` is every tenth person; that somebody's whole id was "1" makes it none of theirs."""
    app = await given.app()
    trees = [
        filter_from('user.id.endsWith("1")'),
        filter_from('user.id.startsWith("1")'),
        filter_from('user.id.contains("1") || user.plan == "1"'),
    ]

    def make(tx: Transaction) -> None:
        for n, tree in enumerate(trees):
            tx.segments.add(app.id, public_id=f"seg_{n}", name=f"{n}", conditions=tree, now=given.now)
        tx.users.put(app.id, "1", attributes={}, locale=None, time_zone=None, now=given.now)
        tx.erasures.user(app, "1", public_id="era_1", now=given.now)

    await store.write(make)
    left = await store.read(lambda tx: tx.segments.page(app.id, after=0, limit=9))
    assert sorted(one.name for one in left) == ["0", "1", "2"]
    assert {one.name: one.filter for one in left} == {f"{n}": tree for n, tree in enumerate(trees)}
