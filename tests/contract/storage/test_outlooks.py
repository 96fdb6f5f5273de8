"""Counts of a whole audience by what decides about it, for each kind of audience and on both databases alike."""

from __future__ import annotations

import pytest

from support.stored import Given
from tidings.domain.app import App, Credential
from tidings.domain.audience import Audience, Devices, Everyone, Matching, Tagged, Through, Users
from tidings.domain.filters import Compare, Field, Op, Root
from tidings.domain.outlook import Alike, Keyed
from tidings.domain.preference import PreferenceChannel, QuietHours, QuietWish, Standing
from tidings.domain.subscription import SubscriptionStatus
from tidings.storage import Store, Transaction

NIGHT = QuietWish(QuietHours(22 * 60, 7 * 60), "Europe/Vienna")
PRO = Compare(Field(Root.USER, ("plan",)), Op.EQUALS, "pro")
ELSEWHERE = "https://elsewhere.example.com"


async def there(store: Store, given: Given) -> tuple[App, Credential, Credential, list[str]]:
    """Have anna's two devices, one of nobody, one that has ended, and all the same in another App."""
    app, other = await given.app(), await given.app()
    old, new = await given.credential(app, "old"), await given.credential(app, "new")
    tags = {"plan": "pro"}
    one = await given.device(app, old, user_external_id="anna", tags=tags, time_zone=None)
    two = await given.device(app, new, user_external_id="anna", tags=tags, time_zone="Asia/Tokyo", origin=ELSEWHERE)
    await given.device(app, new, user_external_id=None)
    gone = await given.device(app, None, user_external_id="anna", tags=tags, provider="fcm")
    await given.device(other, await given.credential(other), user_external_id="anna", tags=tags)

    def work(tx: Transaction) -> None:
        tx.subscriptions.set_status(gone.id, SubscriptionStatus.EXPIRED, "integration_removed")
        for one in (app, other):
            tx.users.put(
                one.id, "anna", attributes={"plan": "pro"}, locale=None, time_zone="Europe/Paris", now=given.now
            )

    await store.write(work)
    return app, old, new, [one.public_id, two.public_id, gone.public_id]


def audience(kind: str, given: Given, ids: list[str]) -> Audience:
    return {
        "users": Users(("anna", "nobody")),
        "devices": Devices(tuple(ids)),
        "tags": Tagged((("plan", "pro"),)),
        "conditions": Matching(PRO, given.now),
        "channels": Through(Users(("anna",)), ("fcm", "webpush")),
    }[kind]


@pytest.mark.parametrize("kind", ["users", "devices", "tags", "conditions", "channels"])
async def test_each_kind_of_audience_is_counted_by_keys_and_by_what_was_said(
    store: Store, given: Given, kind: str
) -> None:
    app, old, new, ids = await there(store, given)
    whom = audience(kind, given, ids)

    def said(tx: Transaction) -> None:
        tx.preferences.set_quiet(app.id, "anna", NIGHT, now=given.now)
        tx.preferences.put(app.id, "anna", {("topic.reply", PreferenceChannel.PUSH): False}, now=given.now)

    async def alike(event_type: str) -> set[Alike]:
        return set(await store.read(lambda tx: tx.outlooks.alike(app.id, whom, event_type)))

    keyed = await store.read(lambda tx: tx.outlooks.keyed(app.id, whom, by_origin=False))
    assert sorted(keyed) == sorted([Keyed(old.id, None, 1), Keyed(new.id, None, 1)])
    by_origin = await store.read(lambda tx: tx.outlooks.keyed(app.id, whom, by_origin=True))
    assert Keyed(new.id, ELSEWHERE, 1) in by_origin
    assert len(by_origin) == 2
    ended = await store.read(lambda tx: tx.outlooks.ended(app.id, whom, reason="integration_removed"))
    assert ended == {"fcm": 1}
    assert await store.read(lambda tx: tx.outlooks.ended(app.id, whom, reason="key_revoked")) == {}
    zones = ("Europe/Paris", "Asia/Tokyo")
    assert await alike("") == {Alike(Standing(time_zone=zone), 1) for zone in zones}
    await store.write(said)
    assert await alike("") == {Alike(Standing(quiet=NIGHT, time_zone=zone), 1) for zone in zones}
    turned_off = {Alike(Standing(push=False, quiet=NIGHT, time_zone=zone), 1) for zone in zones}
    assert await alike("topic.reply") == turned_off


async def test_everyone_is_counted_with_those_whom_nobody_knows(store: Store, given: Given) -> None:
    app, old, new, _ = await there(store, given)
    keyed = await store.read(lambda tx: tx.outlooks.keyed(app.id, Everyone(), by_origin=False))
    assert sorted(keyed) == sorted([Keyed(old.id, None, 1), Keyed(new.id, None, 2)])
    found = await store.read(lambda tx: tx.outlooks.alike(app.id, Everyone(), ""))
    assert sum(one.devices for one in found) == 3


async def test_whether_anybody_has_quiet_hours_is_of_one_app(store: Store, given: Given) -> None:
    app, other = await given.app(), await given.app()

    async def some(one: App) -> bool:
        return await store.read(lambda tx: tx.outlooks.has_quiet_hours(one.id))

    await store.write(lambda tx: tx.preferences.set_quiet(app.id, "anna", QuietWish(), now=given.now))
    assert not await some(app)
    await store.write(lambda tx: tx.preferences.set_quiet(app.id, "anna", NIGHT, now=given.now))
    assert (await some(app), await some(other)) == (True, False)
