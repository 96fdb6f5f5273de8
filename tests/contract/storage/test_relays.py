"""What every store keeps to about relays: topics, conditions and channels beside the rows of devices."""

from __future__ import annotations

from datetime import timedelta

from support.stored import Given, sent
from tidings.domain.app import App, Credential
from tidings.domain.audience import Devices, Everyone, Relayed, Relaying
from tidings.domain.campaign import Counts
from tidings.domain.relay import NewRelay, Relay
from tidings.domain.subscription import Address, SubscriptionStatus

SECRET = b"h" * 32


def topic(app: App, credential: Credential, name: str, *, kind: bytes = b"topic", channel: bool = False) -> NewRelay:
    address = Address(name, kind)
    return NewRelay(app.id, "fcm", address, "https://fcm.example", credential.id, label=name, channel=channel)


async def ensured(given: Given, new: NewRelay, public_id: str) -> Relay:
    return await given.store.write(
        lambda tx: tx.relays.ensure(new, public_id=public_id, secret_hash=SECRET, now=given.now)
    )


async def test_a_relay_is_one_for_its_key_and_what_it_is(given: Given) -> None:
    app, other = await given.app(), await given.app()
    key, others = await given.credential(app), await given.credential(other)
    first = await ensured(given, topic(app, key, "news"), "rly_1")
    again = await ensured(given, topic(app, key, "news"), "rly_2")
    assert (again, again.address, again.label) == (first, Address("news", b"topic"), "news")
    condition = await ensured(given, topic(app, key, "news", kind=b"condition"), "rly_3")
    elsewhere = await ensured(given, topic(other, others, "news"), "rly_4")
    assert len({first.id, condition.id, elsewhere.id}) == 3
    assert await given.store.read(lambda tx: tx.relays.get(app.id, "rly_1")) == first
    assert await given.store.read(lambda tx: tx.relays.get(other.id, "rly_1")) is None


async def test_no_audience_and_no_list_holds_one(given: Given) -> None:
    app = await given.app()
    key = await given.credential(app)
    device = await given.device(app, key)
    relay = await ensured(given, topic(app, key, "news"), "rly_1")

    assert await given.store.read(lambda tx: tx.subscriptions.count(app.id, Everyone())) == 1
    assert await given.store.read(lambda tx: tx.subscriptions.count(app.id, Devices(("rly_1",)))) == 0
    page = await given.store.read(lambda tx: tx.subscriptions.page(app.id, after=0, limit=9))
    assert [one.id for one in page] == [device.id]
    assert await given.store.read(lambda tx: tx.subscriptions.get(app.id, "rly_1")) is None
    assert await given.store.read(lambda tx: tx.subscriptions.by_id(relay.id)) is None
    assert [one.id for one, _ in await given.store.read(lambda tx: list(tx.subscriptions.export(app.id)))] == [
        device.id
    ]
    statuses = await given.store.read(lambda tx: tx.subscriptions.statuses(app.id))
    assert sum(statuses.values()) == statuses[SubscriptionStatus.ACTIVE] == 1


async def test_a_message_to_one_is_planned_read_and_settled_like_any_other(given: Given) -> None:
    app = await given.app()
    relay = await ensured(given, topic(app, await given.credential(app), "news"), "rly_1")
    audience = Relayed(Relaying.FCM_TOPIC, "news", "rly_1")
    assert await given.store.read(lambda tx: tx.subscriptions.count(app.id, audience)) == 1
    notification = await given.notification(app, audience, of=1)
    assert notification.audience == audience
    read = await given.store.read(
        lambda tx: (
            tx.subscriptions.recipients(app.id, audience, after=0, high=relay.id, limit=9),
            tx.subscriptions.recipients_by_id([relay.id], of=audience),
            tx.subscriptions.recipients_by_id([relay.id]),
        )
    )
    assert [[one.address for one in found] for found in read] == [[Address("news", b"topic")]] * 2 + [[]]
    shard = await given.claimed(await given.shard(notification))
    assert await given.settle(shard, sent(relay.id))
    assert (await given.look(notification)).counts == Counts(audience=1, sent=1)
    (settled,) = await given.store.read(lambda tx: tx.deliveries.page(notification.id, after=0, limit=9))
    assert settled.subscription_id == relay.id
    used = await given.store.read(lambda tx: tx.relays.get(app.id, "rly_1"))
    assert used is not None
    assert used.last_active_at == given.now


async def test_channels_are_listed_by_integration_until_they_end(given: Given) -> None:
    app = await given.app()
    key = await given.credential(app)
    made = [await ensured(given, topic(app, key, f"c{n}", kind=b"channel", channel=True), f"chn_{n}") for n in range(3)]
    await ensured(given, topic(app, key, "news"), "rly_1")

    async def listed(after: int = 0, limit: int = 9) -> list[Relay]:
        return await given.store.read(lambda tx: tx.relays.channels(key.integration_id, after=after, limit=limit))

    assert await listed() == made[::-1]
    assert await listed(limit=1) == [made[2]]
    assert await listed(after=made[1].id) == [made[0]]
    await given.store.write(lambda tx: tx.relays.end(made[1].id))
    assert await listed() == [made[2], made[0]]
    assert await given.store.read(lambda tx: tx.relays.get(app.id, "chn_1")) is None
    audience = Relayed(Relaying.APNS_CHANNEL, "c1", "chn_1")
    assert await given.store.read(lambda tx: tx.subscriptions.count(app.id, audience)) == 0


async def test_what_was_not_used_for_long_goes_but_channels_stay(given: Given) -> None:
    app = await given.app()
    key = await given.credential(app)
    old = await ensured(given, topic(app, key, "old"), "rly_1")
    used = await ensured(given, topic(app, key, "used"), "rly_2")
    channel = await ensured(given, topic(app, key, "kept", kind=b"channel", channel=True), "chn_1")
    given.now += timedelta(days=100)
    assert (await ensured(given, topic(app, key, "used"), "rly_3")).id == used.id
    before = given.now - timedelta(days=90)
    due = await given.store.read(lambda tx: tx.retention.devices_due(before=before, after=0, limit=9))
    assert due == [old.id]
    assert channel.id not in due


async def test_with_its_integration_every_relay_ends(given: Given) -> None:
    app = await given.app()
    key = await given.credential(app)
    await ensured(given, topic(app, key, "news"), "rly_1")
    await ensured(given, topic(app, key, "c", kind=b"channel", channel=True), "chn_1")
    device = await given.device(app, key)
    assert await given.store.write(lambda tx: tx.credentials.remove(key.integration_id, reason="removed")) == 1
    for public_id in ("rly_1", "chn_1"):
        assert await given.store.read(lambda tx, one=public_id: tx.relays.get(app.id, one)) is None  # type: ignore[misc]
    gone = await given.store.read(lambda tx: tx.subscriptions.by_id(device.id))
    assert gone is not None
    assert gone.status is SubscriptionStatus.EXPIRED
