"""What people want to hear of: what they said, what holds for their devices, and that it goes with them."""

from __future__ import annotations

from dataclasses import replace

from support.stored import Given
from tidings.domain.app import App
from tidings.domain.preference import PreferenceChannel, QuietHours, QuietWish, Standing
from tidings.storage import Store, Transaction

PUSH, FEED = PreferenceChannel.PUSH, PreferenceChannel.FEED
NIGHT = QuietHours(22 * 60, 7 * 60)


async def put(
    store: Store, given: Given, app: App, user: str, changes: dict[tuple[str, PreferenceChannel], bool | None]
) -> None:
    await store.write(lambda tx: tx.preferences.put(app.id, user, changes, now=given.now))


async def test_a_switch_is_turned_turned_again_and_forgotten(store: Store, given: Given) -> None:
    app, other = await given.app(), await given.app()
    await put(
        store, given, app, "anna", {("topic.reply", PUSH): False, ("topic.reply", FEED): True, ("a.b", PUSH): True}
    )
    await put(store, given, app, "berta", {("topic.reply", PUSH): True})
    await put(store, given, app, "anna", {("topic.reply", PUSH): True, ("a.b", PUSH): None, ("never.said", PUSH): None})
    found = await store.read(lambda tx: tx.preferences.of_user(app.id, "anna"))
    assert found == {("topic.reply", FEED): True, ("topic.reply", PUSH): True}
    assert await store.read(lambda tx: tx.preferences.of_user(other.id, "anna")) == {}
    some = await store.read(
        lambda tx: tx.preferences.of_users(app.id, ["anna", "clara", "berta"], ("topic.reply", PUSH))
    )
    assert some == {"anna": True, "berta": True}


async def test_quiet_hours_are_said_said_to_be_none_and_not_said(store: Store, given: Given) -> None:
    app = await given.app()

    async def said(wish: QuietWish | None) -> QuietWish | None:
        await store.write(lambda tx: tx.preferences.set_quiet(app.id, "anna", wish, now=given.now))
        return await store.read(lambda tx: tx.preferences.quiet(app.id, "anna"))

    assert await store.read(lambda tx: tx.preferences.quiet(app.id, "anna")) is None
    for wish in (QuietWish(NIGHT), QuietWish(NIGHT, "Europe/Vienna"), QuietWish(), None):
        assert await said(wish) == wish


async def test_what_holds_for_devices_is_read_at_once(store: Store, given: Given) -> None:
    app = await given.app()
    credential = await given.credential(app)

    async def device(user: str | None, zone: str | None = "Asia/Tokyo") -> int:
        return (await given.device(app, credential, user_external_id=user, time_zone=zone)).id

    anna, again, berta, nobody = (
        await device("anna"),
        await device("anna", None),
        await device("berta"),
        await device(None),
    )

    def say(tx: Transaction) -> None:
        tx.users.put(app.id, "anna", attributes=None, locale=None, time_zone="Europe/Vienna", now=given.now)
        tx.preferences.put(app.id, "anna", {("topic.reply", PUSH): False, ("topic.reply", FEED): True}, now=given.now)
        tx.preferences.put(app.id, "berta", {("a.b", PUSH): False}, now=given.now)
        tx.preferences.set_quiet(app.id, "anna", QuietWish(NIGHT, "UTC"), now=given.now)
        tx.preferences.set_quiet(app.id, "berta", QuietWish(), now=given.now)

    await store.write(say)
    found = await store.read(lambda tx: tx.preferences.standings("topic.reply", [anna, again, berta, nobody, 9_999]))
    annas = Standing("anna", False, QuietWish(NIGHT, "UTC"), "Asia/Tokyo")
    assert found == {
        anna: annas,
        again: replace(annas, time_zone="Europe/Vienna"),
        berta: Standing("berta", None, QuietWish(), "Asia/Tokyo"),
        nobody: Standing(None, None, None, "Asia/Tokyo"),
    }


def test_the_persons_own_word_goes_before_the_apps() -> None:
    of_app = QuietWish(QuietHours(60, 120), "Europe/Vienna")
    assert Standing().wish(None)[1] == "UTC"
    assert Standing().wish(of_app) == Standing(quiet=QuietWish(of_app.hours)).wish(of_app)
    wish, zone = Standing(push=True, time_zone="Asia/Tokyo").wish(of_app)
    assert (wish.push, wish.quiet, zone) == (True, of_app.hours, "Asia/Tokyo")
    wish, zone = Standing(quiet=QuietWish(NIGHT, "UTC"), time_zone="Asia/Tokyo").wish(of_app)
    assert (wish.quiet, zone) == (NIGHT, "UTC")
    assert Standing(quiet=QuietWish()).wish(of_app)[0].quiet is None


async def test_it_goes_with_the_person(store: Store, given: Given) -> None:
    app = await given.app()

    def say(tx: Transaction) -> None:
        for user in ("anna", "berta"):
            tx.preferences.put(app.id, user, {("topic.reply", PUSH): False}, now=given.now)
            tx.preferences.set_quiet(app.id, user, QuietWish(NIGHT), now=given.now)

    await store.write(say)
    await store.write(lambda tx: tx.users.delete(app.id, "anna"))
    assert await store.read(
        lambda tx: (tx.preferences.of_user(app.id, "anna"), tx.preferences.quiet(app.id, "anna"))
    ) == ({}, None)
    begun = await store.write(lambda tx: tx.erasures.user(app, "berta", public_id="era_1", now=given.now))
    assert begun.counts == {"preferences": 1, "quiet_hours": 1}
    assert await store.read(lambda tx: tx.preferences.of_user(app.id, "berta")) == {}
