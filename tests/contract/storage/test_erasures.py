"""Erasing somebody's data: nothing is left, nothing comes back, and every counter stays what it was."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from support.stored import Given, endpoint, sent
from tidings.domain.app import App
from tidings.domain.audience import Devices, Matching, Through, Users
from tidings.domain.campaign import NotificationStatus
from tidings.domain.delivery import DeliveryStatus, Retry, SettledDelivery, Suspicion
from tidings.domain.erasure import Erasure, ErasureStatus, Subject
from tidings.domain.event import NewEventType
from tidings.domain.filters import filter_from
from tidings.domain.message import Message
from tidings.domain.receipt import Receipt, ReceiptEvent
from tidings.domain.rules import rule_from_json
from tidings.domain.stats import Dimension, Naming, Scale
from tidings.domain.subscription import Subscription
from tidings.domain.tracked import NewTrackedEvent
from tidings.domain.trigger import Definition, Words
from tidings.pipeline.settle import SUSPECT
from tidings.storage import Store, Transaction, forgetting
from tidings.storage.erasing_apps import KEPT, condition
from tidings.storage.schema import metadata
from tidings.storage.tables.apps import apps
from tidings.storage.tables.instance import instance_values
from tidings.storage.transaction import SqlTransaction

PLAIN = Naming(service=lambda _, origin: origin, browser=lambda device: device)
INSTANCE = {
    "alembic_version", "instance_values", "heartbeats", "sessions", "setup_tokens", "members", "password_resets",
    "recovery_codes", "passkeys", "challenges", "sign_in_failures", "oidc_identities",
}  # fmt: skip
"""Tables that know of no App."""


def tables(tx: Transaction) -> dict[str, int]:
    """Count the rows of every table."""
    assert isinstance(tx, SqlTransaction)
    connection = tx.erasures._scope.connection  # type: ignore[attr-defined]
    return {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in metadata.sorted_tables
    }


async def carried(store: Store, given: Given, erasure: Erasure, *, limit: int = 500, at: float = 0) -> Erasure:
    now = given.later(at)
    while await store.write(lambda tx: tx.erasures.step(erasure.id, limit=limit, now=now)):
        pass
    found = await store.read(lambda tx: tx.erasures.get(erasure.public_id))
    assert found is not None
    return found


async def asked(store: Store, given: Given, app: App, user: str, public_id: str = "era_1") -> Erasure:
    found = await store.write(lambda tx: tx.erasures.user(app, user, public_id=public_id, now=given.now))
    await store.write(lambda tx: tx.erasures.note_in_hand(found.id, now=given.now))
    return found


async def anna(store: Store, given: Given) -> tuple[App, list[Subscription], Subscription]:
    """A person with two devices and everything that can hang on them; and another person's device."""
    app = await given.app()
    credential = await given.credential(app)
    mine = [
        await given.device(app, credential, user_external_id="anna", device="Chrome on Windows", tags={"plan": "pro"})
        for _ in range(2)
    ]
    other = await given.device(app, credential, user_external_id="berta")
    await store.write(
        lambda tx: tx.users.put(
            app.id, "anna", attributes={"email": "anna@example.com"}, locale="de", time_zone=None, now=given.now
        )
    )
    for n, device in enumerate((*mine, other)):
        event = NewTrackedEvent(app.id, device.id, "anna", f"key-{n}", "viewed", {"page": "/secret"})
        await store.write(lambda tx, e=event, n=n: tx.tracked.add(e, public_id=f"evt_{app.id}_{n}", now=given.now))  # type: ignore[misc]
    await store.write(lambda tx: tx.follows.follow(app.id, "ferry", ["anna", "berta"], now=given.now))
    tree = filter_from('user.id in ["anna", "berta"]')
    await store.write(
        lambda tx: tx.segments.add(app.id, public_id=f"seg_{app.id}", name="VIPs", conditions=tree, now=given.now)
    )
    to_them = Through(Matching(filter_from('user.id == "anna" && user.n > 1'), given.now), ("webpush",))
    await given.notification(app, to_them)
    await given.notification(app, Through(Users(("anna",)), ("webpush",)))
    notification = await given.notification(app)
    shard = await given.claimed(await given.shard(notification))
    suspicion = Suspicion(mine[0].id, "endpoint_suspect", b"hash", SUSPECT)
    await given.settle(shard, sent(mine[0].id, mine[1].id, other.id), suspicions=(suspicion,))
    for device in (*mine, other):
        receipt = Receipt(notification.id, device.id, ReceiptEvent.ANSWERED, "yes", given.now)
        await store.write(lambda tx, receipt=receipt: tx.receipts.add(receipt))  # type: ignore[misc]
    return app, mine, other


async def test_a_person_is_taken_out_of_every_segment(
    store: Store, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "AT_ONCE", 2)
    app = await given.app()
    tree = filter_from('user.id in ["anna", "berta"]')
    for n in range(5):
        await store.write(
            lambda tx, n=n: tx.segments.add(app.id, public_id=f"seg_{n}", name=f"{n}", conditions=tree, now=given.now)  # type: ignore[misc]
        )
    await carried(store, given, await asked(store, given, app, "anna"))
    left = await store.read(lambda tx: tx.segments.page(app.id, after=0, limit=9))
    assert [one.filter for one in left] == [filter_from('user.id in ["berta"]')] * 5


async def test_a_person_is_taken_out_of_every_trigger_and_workers_read_it_anew(
    store: Store, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "AT_ONCE", 2)
    app = await given.app()
    await store.write(lambda tx: tx.event_types.put(app.id, NewEventType("a.b", "A"), now=given.now))
    new = Definition(
        "Alert",
        "a.b",
        rule_from_json({"union": [{"users": "event"}, {"users_where": 'user.id in ["anna", "berta"]'}]}),
        Words(message=Message(title="Hello")),
        conditions=filter_from('event.n > 1 && actor.id != "anna"'),
    )
    for n in range(5):
        await store.write(lambda tx, n=n: tx.triggers.add(app.id, new, public_id=f"trg_{n}", now=given.now))  # type: ignore[misc]
    before = (await store.read(lambda tx: tx.event_types.some(app.id, {"a.b"})))["a.b"]
    await carried(store, given, await asked(store, given, app, "anna"))
    left = [one.definition for one in await store.read(lambda tx: tx.triggers.page(app.id, after=0, limit=9))]
    rule = rule_from_json({"union": [{"users": "event"}, {"users_where": 'user.id in ["berta"]'}]})
    assert left == [replace(new, audience=rule, conditions=filter_from("event.n > 1"))] * 5
    after = (await store.read(lambda tx: tx.event_types.some(app.id, {"a.b"})))["a.b"]
    assert after.edition > before.edition


@pytest.mark.parametrize("whole", [True, False], ids=["person", "device"])
async def test_devices_are_taken_out_of_conditions_and_ids_in_any_case(store: Store, given: Given, whole: bool) -> None:
    app = await given.app()
    device = await given.device(app, await given.credential(app), user_external_id="Änna")
    named = f'subscription.id == "{device.public_id}" || subscription.id in ["{device.public_id}", "sub_x"]'
    trees = [
        filter_from(named),
        filter_from('ignoreCase(user.id) in ["äNNA", "berta"] || ignoreCase(user.id) == "ÄNNA"'),
    ]
    await store.write(lambda tx: tx.event_types.put(app.id, NewEventType("a.b", "A"), now=given.now))
    rule = rule_from_json({"users_where": named})
    new = Definition("Alert", "a.b", rule, Words(message=Message(title="Hello")))
    await store.write(lambda tx: tx.triggers.add(app.id, new, public_id="trg_1", now=given.now))
    for n, tree in enumerate(trees):
        await store.write(
            lambda tx, n=n, tree=tree: tx.segments.add(  # type: ignore[misc]
                app.id, public_id=f"seg_{n}", name=f"{n}", conditions=tree, now=given.now
            )
        )
    if whole:
        await carried(store, given, await asked(store, given, app, "Änna"))
    else:
        begun = await store.write(
            lambda tx: tx.erasures.device(app, device.public_id, public_id="era_1", now=given.now)
        )
        assert begun is not None
        await carried(store, given, begun)
    people, devices = await store.read(lambda tx: tx.segments.page(app.id, after=0, limit=9))
    assert devices.filter == filter_from('subscription.id in ["sub_x"]')
    assert people.filter == (filter_from('ignoreCase(user.id) in ["berta"]') if whole else trees[1])
    (trigger,) = await store.read(lambda tx: tx.triggers.page(app.id, after=0, limit=9))
    assert trigger.definition.audience == rule_from_json({"users_where": 'subscription.id in ["sub_x"]'})


@pytest.mark.parametrize("limit", [1, 2, 500])
async def test_nothing_is_left_of_a_person_but_numbers(store: Store, given: Given, limit: int) -> None:
    app, mine, other = await anna(store, given)
    before = (await store.read(lambda tx: tx.notifications.page(app.id, after=0, limit=9)))[0]
    done = await carried(store, given, await asked(store, given, app, "anna"), limit=limit)
    assert done.status is ErasureStatus.DONE
    assert done.counts == {
        "users": 1, "topics": 1, "subscriptions": 2, "events": 3, "deliveries": 2, "receipts": 2, "suspicions": 1,
        "messages": 2,
    }  # fmt: skip

    def look(tx: Transaction) -> None:
        assert tx.users.get(app.id, "anna") is None
        assert [one.id for one in tx.subscriptions.page(app.id, after=0, limit=9)] == [other.id]
        for device in mine:
            assert tx.subscriptions.by_id(device.id) is None
            assert tx.deliveries.history(device.id, after=0, limit=9) == []
            assert tx.receipts.of_subscription(device.id, after=(0, ""), limit=9) == []
        assert tx.tracked.of_user(app.id, "anna", after=0, limit=9) == []
        assert tx.notifications.by_id(before.id) == before
        assert tx.receipts.answers(before.id) == {"yes": 3}
        found = tables(tx)
        assert (found["deliveries"], found["receipts"], found["suspicions"], found["erased_devices"]) == (1, 1, 0, 0)

    await store.read(look)


async def test_no_column_of_any_table_says_who_it_was(store: Store, given: Given) -> None:
    app, mine, _ = await anna(store, given)
    await carried(store, given, await asked(store, given, app, "anna"))

    def everything(tx: Transaction) -> str:
        connection = tx.erasures._scope.connection  # type: ignore[attr-defined]
        return "\n".join(
            repr(tuple(row)) for table in metadata.sorted_tables for row in connection.execute(select(table))
        )

    text = await store.read(everything)
    for secret in ("anna", "/secret", mine[0].public_id, "plan"):
        assert secret not in text, secret


async def test_asked_again_it_gives_the_same_receipt(store: Store, given: Given) -> None:
    app, mine, _ = await anna(store, given)
    first = await asked(store, given, app, "anna")
    running = await asked(store, given, app, "anna", "era_2")
    assert running.public_id == "era_1"
    done = await carried(store, given, first)
    assert await asked(store, given, app, "anna", "era_3") == done
    await given.device(app, await given.credential(app, "key-2"), user_external_id="anna")
    again = await carried(store, given, await asked(store, given, app, "anna", "era_4"))
    assert (again.public_id, again.counts) == ("era_4", {"subscriptions": 1})
    listed = await store.read(lambda tx: tx.erasures.page(app.id, after=0, limit=9))
    assert [one.public_id for one in listed] == ["era_4", "era_1"]
    assert len(mine) == 2


async def test_of_somebody_unknown_the_receipt_is_empty(store: Store, given: Given) -> None:
    app = await given.app()
    done = await carried(store, given, await asked(store, given, app, "nobody"))
    assert (done.status, done.counts, done.subject) == (ErasureStatus.DONE, {}, Subject.USER)


async def test_a_device_is_erased_by_its_id_alone(store: Store, given: Given) -> None:
    app, (device, kept), _ = await anna(store, given)
    begun = await store.write(lambda tx: tx.erasures.device(app, device.public_id, public_id="era_1", now=given.now))
    assert begun is not None
    done = await carried(store, given, begun)
    assert done.counts == {"subscriptions": 1, "events": 1, "deliveries": 1, "receipts": 1, "suspicions": 1}
    assert await store.read(lambda tx: tx.subscriptions.by_id(kept.id)) is not None
    assert await store.read(lambda tx: tx.users.get(app.id, "anna")) is not None
    again = await store.write(lambda tx: tx.erasures.device(app, device.public_id, public_id="era_2", now=given.now))
    assert again == done
    other = await given.app()
    for where, name in ((other, kept.public_id), (app, "sub_unknown")):
        found = await store.write(
            lambda tx, where=where, name=name: tx.erasures.device(where, name, public_id="era_9", now=given.now)  # type: ignore[misc]
        )
        assert found is None


async def test_from_the_first_transaction_on_nobody_is_sent_to(store: Store, given: Given) -> None:
    app, mine, other = await anna(store, given)
    notification = await given.notification(app)
    await asked(store, given, app, "anna")
    found = await store.read(
        lambda tx: tx.subscriptions.recipients(app.id, notification.audience, after=0, high=99, limit=9)
    )
    assert [one.subscription_id for one in found] == [other.id]
    listed = await store.read(lambda tx: tx.subscriptions.recipients_by_id([one.id for one in (*mine, other)]))
    assert [one.subscription_id for one in listed] == [other.id]
    assert await store.read(lambda tx: tx.subscriptions.get(app.id, mine[0].public_id)) is None
    known = await store.write(lambda tx: tx.subscriptions.hold(app.id, target=endpoint(2), public_id=mine[0].public_id))
    assert known == (None, None), "a browser that comes back is one that nobody knows"


async def test_a_chunk_that_comes_back_later_counts_and_leaves_nothing(store: Store, given: Given) -> None:
    app, mine, other = await anna(store, given)
    notification = await given.notification(app)
    shard = await given.claimed(await given.shard(notification))
    await store.write(lambda tx: tx.shards.open_chunk(shard.id, shard.lease_token, 1, high=other.id))
    begun = await asked(store, given, app, "anna")
    assert await store.read(lambda tx: tx.erasures.still_in_hand(begun.id, now=given.now)) == 1
    waiting = await carried(store, given, begun)
    assert waiting.status is ErasureStatus.RUNNING, "what is on its way may still reach them"
    expired = SettledDelivery(mine[1].id, DeliveryStatus.FAILED, "gone", 1)
    suspicion = Suspicion(mine[0].id, "endpoint_suspect", b"hash", SUSPECT)
    retries = ((given.later(5), (Retry(mine[0].id, 1),)),)
    assert await given.settle(shard, (*sent(mine[0].id, other.id), expired), suspicions=(suspicion,), retries=retries)
    assert await store.read(lambda tx: tx.erasures.still_in_hand(begun.id, now=given.now)) == 0
    assert (await carried(store, given, begun)).status is ErasureStatus.DONE
    counts = (await given.look(notification)).counts
    assert (counts.sent, counts.failed) == (2, 1)

    def look(tx: Transaction) -> None:
        rows = tx.deliveries.page(notification.id, after=0, limit=9)
        assert [row.subscription_id for row in rows] == [other.id]
        assert tables(tx)["suspicions"] == 0
        assert [one.id for one in tx.subscriptions.page(app.id, after=0, limit=9)] == [other.id]

    await store.read(look)
    late = Receipt(notification.id, mine[0].id, ReceiptEvent.SHOWN, "", given.now)
    assert not await store.write(lambda tx: tx.receipts.add(late))
    listed = max(await store.read(lambda tx: tx.shards.ready(now=given.later(60), limit=9)))
    again = await given.claimed(listed, at=given.later(60))
    skipped = SettledDelivery(mine[0].id, DeliveryStatus.SKIPPED, "unsubscribed", 1)
    assert await given.settle(again, (skipped,), cursor=1)
    assert await store.read(lambda tx: tx.deliveries.history(mine[0].id, after=0, limit=9)) == []


async def test_only_chunks_that_may_hold_a_message_are_waited_for(store: Store, given: Given) -> None:
    app = await given.app()
    credential = await given.credential(app)
    before = await given.devices(app, credential, 3)
    mine = await given.device(app, credential, user_external_id="anna")
    after = await given.devices(app, credential, 3)
    notification = await given.notification(app)
    passed = await given.claimed(await given.shard(notification, 0, low=1, high=mine.id))
    await given.settle(passed, sent(*before, mine.id))
    await store.write(lambda tx: tx.shards.open_chunk(passed.id, passed.lease_token, 2, high=mine.id))
    beyond = await given.claimed(await given.shard(notification, 1, low=after[0], high=after[-1]))
    await store.write(lambda tx: tx.shards.open_chunk(beyond.id, beyond.lease_token, 1, high=after[-1]))
    others = (Retry(before[0], 1), Retry(after[0], 1))
    listed = await given.claimed(await given.shard(notification, -1, retries=others))
    await store.write(lambda tx: tx.shards.open_chunk(listed.id, listed.lease_token, 1, high=2))
    named = await given.claimed(await given.shard(notification, -2, retries=(*others, Retry(mine.id, 1))))
    await store.write(lambda tx: tx.shards.open_chunk(named.id, named.lease_token, 1, high=3))
    begun = await asked(store, given, app, "anna")
    found = await store.read(lambda tx: tx.erasures.get(begun.public_id))
    assert found is not None
    assert [one.shard_id for one in found.in_hand] == [named.id]
    later = await carried(store, given, begun, at=61)
    assert later.status is ErasureStatus.DONE, "whoever held it let its lease run out"


async def test_messages_that_name_a_person_forget_them(store: Store, given: Given) -> None:
    app = await given.app()
    device = await given.device(app, await given.credential(app), user_external_id="anna")
    alone = await given.notification(app, Users(("anna",)))
    together = await given.notification(app, Users(("berta", "anna")))
    by_device = await given.notification(app, Devices((device.public_id,)))
    other = await given.notification(app, Users(("annabel",)))
    everybody = await given.notification(app)
    begun = await asked(store, given, app, "anna")
    after = await given.notification(app, Users(("anna",)))
    done = await carried(store, given, begun)
    assert done.counts["messages"] == 3
    for one in (alone, by_device):
        found = await given.look(one)
        assert (found.message.title, found.message.body, found.message.data) == ("(erased)", "", {})
        assert found.audience in (Users(()), Devices(()))
        assert found.message.ttl == one.message.ttl
    assert (await given.look(together)).audience == Users(("berta",))
    assert (await given.look(together)).message == together.message
    for untouched in (other, everybody, after):
        assert await given.look(untouched) == untouched


async def test_many_messages_are_looked_through_in_parts(
    store: Store, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tidings.storage import erasures

    monkeypatch.setattr(erasures, "LOOKS", 2)
    app = await given.app()
    for n in range(7):
        await given.notification(app, Users(("anna",) if n % 3 == 0 else (f"u-{n}",)))
    done = await carried(store, given, await asked(store, given, app, "anna"))
    assert (done.status, done.counts) == (ErasureStatus.DONE, {"messages": 3})


async def test_two_that_carry_one_on_at_once_remove_each_row_once(store: Store, given: Given) -> None:
    app, _, _ = await anna(store, given)
    begun = await asked(store, given, app, "anna")
    done = await asyncio.gather(*(carried(store, given, begun, limit=1) for _ in range(4)))
    assert done[-1].counts == {
        "users": 1, "topics": 1, "subscriptions": 2, "events": 3, "deliveries": 2, "receipts": 2, "suspicions": 1,
        "messages": 2,
    }  # fmt: skip


async def test_counts_by_day_stay(store: Store, given: Given) -> None:
    app, _, _ = await anna(store, given)
    today = given.now.date()
    scale = Scale(app.id, today, today, Dimension.BROWSER)
    before = await store.read(lambda tx: tx.stats.counts(scale, naming=PLAIN))
    assert before["Chrome on Windows", "sent"] == 2
    await carried(store, given, await asked(store, given, app, "anna"))
    assert await store.read(lambda tx: tx.stats.counts(scale, naming=PLAIN)) == before


class TestApps:
    async def test_nothing_is_left_of_an_app_and_everything_of_the_others(self, store: Store, given: Given) -> None:
        kept, _, _ = await anna(store, given)
        await store.write(lambda tx: tx.stats.roll_up(limit=3, naming=PLAIN))
        of_others = await store.read(tables)
        app, _, _ = await anna(store, given)

        def more(tx: Transaction) -> None:
            tx.instance.set_value(f"app:{app.id}:signed_identity", b"1")
            tx.idempotency.put(app.id, "order", request_hash=b"h", answer=b"a", now=given.now)
            tx.volumes.add(app.id, 5, lot=1, now=given.now)
            tx.volumes.broadcast(app.id, b"words", within=timedelta(hours=1), now=given.now)
            tx.access.add_key(
                public_id="key_1", app_id=app.id, name="K", prefix="tdg_", key_hash=b"k", scopes=["read"], now=given.now
            )
            credential = tx.credentials.current(app.id, "webpush")
            assert credential is not None
            tx.credentials.pause(credential.id, "", reason="refused", now=given.now)
            tx.stats.roll_up(limit=100, naming=PLAIN)

        await store.write(more)
        paused = await given.notification(app, Users(("anna",)))
        await given.shard(paused)
        begun = await store.write(lambda tx: tx.erasures.app(app, public_id="era_app", now=given.now))
        assert await store.read(lambda tx: tx.apps.get(app.public_id)) is None
        assert await store.read(lambda tx: tx.apps.by_id(app.id)) is None
        assert await store.read(lambda tx: [one.id for one in tx.apps.all()]) == [kept.id]
        done = await carried(store, given, begun, limit=3)
        assert (done.status, done.subject, done.app) == (ErasureStatus.DONE, Subject.APP, app.public_id)
        found = await store.read(tables)
        assert found.pop("erasures") == 1
        of_others.pop("erasures")
        # What the kept App had counted was rolled up with the other's.
        for name in ("tallies", "daily_counts"):
            of_others.pop(name)
            found.pop(name)
        assert found == of_others
        assert Counter(done.counts)["deliveries"] == 3

    async def test_a_chunk_in_hand_is_waited_for_and_settles_nothing_afterwards(
        self, store: Store, given: Given
    ) -> None:
        app, _, other = await anna(store, given)
        notification = await given.notification(app)
        shard = await given.claimed(await given.shard(notification))
        await store.write(lambda tx: tx.shards.open_chunk(shard.id, shard.lease_token, 1, high=other.id))
        begun = await store.write(lambda tx: tx.erasures.app(app, public_id="era_app", now=given.now))
        await store.write(lambda tx: tx.erasures.note_in_hand(begun.id, now=given.now))
        assert (await given.look(notification)).status is NotificationStatus.CANCELLED
        assert (await carried(store, given, begun)).status is ErasureStatus.RUNNING
        assert (await carried(store, given, begun, at=61)).status is ErasureStatus.DONE
        assert not await given.settle(shard, sent(other.id))
        assert (await store.read(tables))["deliveries"] == 0

    async def test_a_worker_that_carries_it_on_first_waits_for_a_chunk_in_hand_too(
        self, store: Store, given: Given
    ) -> None:
        app, _, other = await anna(store, given)
        shard = await given.claimed(await given.shard(await given.notification(app)))
        await store.write(lambda tx: tx.shards.open_chunk(shard.id, shard.lease_token, 1, high=other.id))
        begun = await store.write(lambda tx: tx.erasures.app(app, public_id="era_app", now=given.now))
        assert begun.in_hand == ()
        found = await carried(store, given, begun)
        assert (found.status, len(found.in_hand)) == (ErasureStatus.RUNNING, 1)
        assert await store.write(lambda tx: tx.erasures.note_in_hand(begun.id, now=given.now)) == 1, "the same again"
        assert (await carried(store, given, begun, at=61)).status is ErasureStatus.DONE

    def test_every_table_is_an_apps_or_named_as_one_that_is_kept(self) -> None:
        for table in metadata.sorted_tables:
            if table.name not in KEPT | INSTANCE:
                assert condition(table, 1) is not None, f"{table.name}: whose rows are they when an App is erased?"
        assert condition(apps, 1) is not None
        assert condition(instance_values, 1) is not None
