"""What every store keeps to about Apps, keys, users, devices, access and the instance."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from support.stored import KEYS, Given, endpoint
from tidings.domain.app import CredentialStatus, Heartbeat
from tidings.domain.audience import Audience, Devices, Everyone, Tagged, Users
from tidings.domain.campaign import NewNotification
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.message import Message, Templated, Translation
from tidings.domain.person import Person
from tidings.domain.subscription import Address, SubscriptionStatus
from tidings.domain.template import NewTemplate
from tidings.storage import Store, Transaction

HASH = bytes(32)


def _add_app(tx: Transaction, *, public_id: str, name: str, now: datetime) -> None:
    tx.apps.add(public_id=public_id, name=name, identity_secret=b"", now=now)


class TestPeople:
    async def test_who_uses_devices_is_read_together(self, store: Store, given: Given) -> None:
        app, other = await given.app(), await given.app()
        known = {"attributes": {"plan": "pro"}, "locale": "de", "time_zone": "Europe/Berlin"}

        def put(tx: Transaction) -> None:
            tx.users.put(app.id, "u-1", **known, now=given.now)  # type: ignore[arg-type]
            tx.users.put(other.id, "u-2", attributes={"plan": "other"}, locale=None, time_zone=None, now=given.now)

        await store.write(put)
        first = await given.device(app, None, user_external_id="u-1")
        away = await given.device(app, None, user_external_id="u-1", time_zone="Asia/Tokyo")
        stranger = await given.device(app, None, user_external_id="u-2")
        nobody = await given.device(app, None)
        ids = [one.id for one in (first, away, stranger, nobody)]
        assert await store.read(lambda tx: tx.subscriptions.people([*ids, 404])) == {
            first.id: Person("u-1", {"plan": "pro"}, "de", "Europe/Berlin"),
            away.id: Person("u-1", {"plan": "pro"}, "de", "Asia/Tokyo"),
            stranger.id: Person("u-2"),
            nobody.id: Person(),
        }
        assert await store.read(lambda tx: tx.subscriptions.people([])) == {}

    async def test_what_fills_a_message_is_kept_with_it(self, store: Store, given: Given) -> None:
        templated = Templated({"a": {"b": [1, None, "ü"]}}, "en", "de", "tpl_1", 3)
        message = Message("{{ a }}", locales={"de": Translation(url="https://x.y/{{ a }}", actions={"a": "Ja"})})
        new = NewNotification((await given.app()).id, replace(message, templated=templated), Everyone())
        stored = await store.write(
            lambda tx: tx.notifications.add(new, public_id="ntf_t", audience=0, ceiling=0, now=given.now)
        )
        assert (await store.read(lambda tx: tx.notifications.by_id(stored.id)) or stored).message == new.message


class TestTemplates:
    async def test_a_template_is_found_and_has_a_version_for_each_change(self, store: Store, given: Given) -> None:
        app, other = await given.app(), await given.app()
        new = NewTemplate("Reply", Message("{{ a }}", locales={"de": Translation(title="x")}), "topic.replied", "en")
        made = await store.write(lambda tx: tx.templates.add(app.id, new, public_id="tpl_1", now=given.now))
        assert (made.name, made.message, made.event_type, made.language, made.version) == (
            "Reply",
            new.message,
            "topic.replied",
            "en",
            1,
        )
        assert await store.read(lambda tx: tx.templates.get(app.id, "tpl_1")) == made
        assert await store.read(lambda tx: tx.templates.by_name(app.id, "Reply")) == made
        assert await store.read(lambda tx: tx.templates.get(other.id, "tpl_1")) is None
        assert await store.read(lambda tx: tx.templates.by_name(other.id, "Reply")) is None

        later = given.later(5)
        changed = await store.write(
            lambda tx: tx.templates.change(made.id, NewTemplate("R", Message("b"), None, "de"), now=later)
        )
        expected = replace(
            made, name="R", message=Message("b"), event_type=None, language="de", version=2, updated_at=later
        )
        assert changed == expected
        await store.write(lambda tx: tx.templates.delete(made.id))
        assert await store.read(lambda tx: tx.templates.count(app.id)) == 0

    async def test_they_are_listed_newest_first_for_one_app(self, store: Store, given: Given) -> None:
        app, other = await given.app(), await given.app()

        def add(tx: Transaction) -> None:
            for number, of in enumerate((app, other, app, app)):
                new = NewTemplate(f"T{number}", Message("a"))
                tx.templates.add(of.id, new, public_id=f"tpl_{number}", now=given.now)

        await store.write(add)
        first = await store.read(lambda tx: tx.templates.page(app.id, after=0, limit=2))
        rest = await store.read(lambda tx: tx.templates.page(app.id, after=first[-1].id, limit=2))
        assert [one.name for one in [*first, *rest]] == ["T3", "T2", "T0"]

    async def test_a_name_is_used_once_in_an_app(self, store: Store, given: Given) -> None:
        app = await given.app()
        new = NewTemplate("Reply", Message("a"))
        await store.write(lambda tx: tx.templates.add(app.id, new, public_id="tpl_1", now=given.now))
        with pytest.raises(IntegrityError):
            await store.write(lambda tx: tx.templates.add(app.id, new, public_id="tpl_2", now=given.now))


class TestApps:
    async def test_an_app_is_found_by_either_id(self, store: Store, given: Given) -> None:
        app = await given.app("Café")
        assert (app.name, app.origins, app.identity_secret, app.created_at) == (
            "Café",
            (),
            b"IDENTITY-SECRET",
            given.now,
        )
        assert await store.read(lambda tx: tx.apps.get(app.public_id)) == app
        assert await store.read(lambda tx: tx.apps.by_id(app.id)) == app
        assert await store.read(lambda tx: tx.apps.get("app_404")) is None

    async def test_only_what_is_given_changes(self, store: Store, given: Given) -> None:
        first, second = await given.app(), await given.app()
        changed = await store.write(lambda tx: tx.apps.update(first.id, origins=["https://www.example.com"]))
        assert changed == replace(first, origins=("https://www.example.com",))
        renamed = await store.write(lambda tx: tx.apps.update(first.id, name="Other"))
        assert renamed == replace(changed, name="Other")
        assert await store.read(lambda tx: tx.apps.all()) == [renamed, second]

    async def test_changing_an_unknown_one_is_refused(self, store: Store) -> None:
        with pytest.raises(CatalogueError) as refused:
            await store.write(lambda tx: tx.apps.update(404, name="x"))
        assert refused.value.code is ErrorCode.APP_NOT_FOUND

    async def test_an_error_shows_the_statement_and_not_what_was_to_be_stored(self, store: Store, given: Given) -> None:
        app = await given.app()
        again = partial(_add_app, public_id=app.public_id, name="What nobody else is to read", now=given.now)
        with pytest.raises(IntegrityError) as refused:
            await store.write(again)
        assert "INSERT INTO apps" in str(refused.value)
        assert "nobody" not in str(refused.value)

    async def test_moments_keep_their_microseconds_and_come_back_in_utc(self, store: Store) -> None:
        vienna = datetime(2026, 7, 1, 12, 0, 0, 123_457, tzinfo=timezone(timedelta(hours=2)))
        app = await store.write(lambda tx: tx.apps.add(public_id="a", name="n", identity_secret=b"s", now=vienna))
        assert (app.created_at, app.created_at.tzinfo) == (vienna, UTC)


class TestCredentials:
    async def test_adding_a_key_retires_the_one_before(self, store: Store, given: Given) -> None:
        app = await given.app()
        first, second = await given.credential(app, "k1"), await given.credential(app, "k2")
        assert (second.secret, second.settings) == (b"PRIVATE-KEY-k2", {"subject": "mailto:you@example.com"})
        assert await store.read(lambda tx: tx.credentials.current(app.id, "webpush")) == second
        retired = replace(first, status=CredentialStatus.RETIRED)
        assert await store.read(lambda tx: tx.credentials.all(app.id, "webpush")) == [second, retired]
        assert await store.read(lambda tx: tx.credentials.by_fingerprint(app.id, "webpush", "k1")) == retired
        assert await store.read(lambda tx: tx.credentials.by_id(first.id)) == retired

    async def test_a_known_key_becomes_current_again(self, store: Store, given: Given) -> None:
        app = await given.app()
        first = await given.credential(app, "k1")
        await given.credential(app, "k2")
        assert await given.credential(app, "k1") == first
        statuses = {
            one.fingerprint: one.status for one in await store.read(lambda tx: tx.credentials.all(app.id, "webpush"))
        }
        assert statuses == {"k1": CredentialStatus.CURRENT, "k2": CredentialStatus.RETIRED}

    async def test_two_keys_are_never_current(self, store: Store, given: Given) -> None:
        app = await given.app()
        first, second = await given.credential(app, "k1"), await given.credential(app, "k2")
        await store.write(lambda tx: tx.credentials.set_status(first.id, CredentialStatus.CURRENT))
        assert await store.read(lambda tx: tx.credentials.current(app.id, "webpush")) == first
        await store.write(lambda tx: tx.credentials.set_status(first.id, CredentialStatus.REVOKED))
        assert await store.read(lambda tx: tx.credentials.current(app.id, "webpush")) is None
        found = await store.read(lambda tx: tx.credentials.by_id(second.id))
        assert found is not None
        assert found.status is CredentialStatus.RETIRED

    async def test_an_integration_is_made_once(self, store: Store, given: Given) -> None:
        app = await given.app()

        async def ensure(number: int) -> int:
            made = await store.write(
                lambda tx: tx.credentials.ensure_integration(
                    app.id, "webpush", public_id=f"int-{number}", label="Web Push", settings={"a": "b"}, now=given.now
                )
            )
            return made.id

        assert len(set(await asyncio.gather(*(ensure(n) for n in range(8))))) == 1
        (only,) = await store.read(lambda tx: tx.credentials.integrations(app.id))
        assert (only.provider, only.label, only.settings, only.paused_because) == (
            "webpush",
            "Web Push",
            {"a": "b"},
            None,
        )
        assert await store.read(lambda tx: tx.credentials.integration(app.id, "fcm")) is None

    async def test_an_integration_is_paused_and_goes_on(self, store: Store, given: Given) -> None:
        app = await given.app()
        made = await given.credential(app)
        other = await given.credential(await given.app("Other"), "k9")

        async def found() -> tuple[str | None, dict[str, str], set[tuple[int, str]]]:
            integration = await store.read(lambda tx: tx.credentials.integration(app.id, "webpush"))
            assert integration is not None
            pairs = await store.read(lambda tx: tx.credentials.paused(app.id))
            return integration.paused_because, integration.settings, pairs

        for _ in range(2):
            await store.write(lambda tx: tx.credentials.pause(made.id, "https://push", reason="bad_jwt", now=given.now))
        await store.write(lambda tx: tx.credentials.pause(other.id, "https://push", reason="x", now=given.now))
        settings = {"subject": "mailto:new@example.com"}
        await store.write(lambda tx: tx.credentials.set_integration(made.integration_id, settings=settings))
        assert await found() == ("bad_jwt", settings, {(made.id, "https://push")})
        await store.write(lambda tx: tx.credentials.resume(made.integration_id))
        assert await found() == (None, settings, set())
        assert await store.read(lambda tx: tx.credentials.paused(other.app_id)) == {(other.id, "https://push")}
        await store.write(lambda tx: tx.credentials.set_settings(made.id, {"x": "y"}))
        changed = await store.read(lambda tx: tx.credentials.by_id(made.id))
        assert changed == replace(made, settings={"x": "y"})
        await store.write(lambda tx: tx.credentials.remove(made.integration_id, reason="removed"))
        await store.write(lambda tx: tx.credentials.pause(made.id, "https://push", reason="late", now=given.now))
        assert await store.read(lambda tx: tx.credentials.paused(app.id)) == set()

    async def test_usage_counts_active_subscriptions_by_key(self, store: Store, given: Given) -> None:
        app = await given.app()
        first = await given.credential(app, "k1")
        await given.devices(app, first, 3)
        second = await given.credential(app, "k2")
        await given.devices(app, second, 1)
        assert await store.read(lambda tx: tx.credentials.usage(app.id, "webpush")) == {first.id: 3, second.id: 1}
        assert await store.write(lambda tx: tx.subscriptions.expire_made_with(first.id, reason="key revoked")) == 3
        assert await store.read(lambda tx: tx.credentials.usage(app.id, "webpush")) == {second.id: 1}
        assert await store.read(lambda tx: tx.credentials.usage(app.id, "fcm")) == {}


class TestUsers:
    async def test_a_person_is_new_once_and_what_is_not_named_stays(self, store: Store, given: Given) -> None:
        app = await given.app()
        attributes = {"name": "Anna", "available": True, "n": [1, 2.5, None]}
        anna, new = await store.write(
            lambda tx: tx.users.put(app.id, "u-42", attributes=attributes, locale="de", time_zone=None, now=given.now)
        )
        assert (anna.attributes, anna.locale, anna.time_zone, new) == (attributes, "de", None, True)
        later = given.later(1)
        again, new = await store.write(
            lambda tx: tx.users.put(app.id, "u-42", attributes=None, locale=None, time_zone="Europe/Vienna", now=later)
        )
        assert (again, new) == (replace(anna, time_zone="Europe/Vienna", updated_at=later), False)
        assert await store.read(lambda tx: tx.users.get(app.id, "u-42")) == again

    async def test_pages_are_newest_first_and_of_one_app(self, store: Store, given: Given) -> None:
        app, other = await given.app(), await given.app()

        def work(tx: Transaction) -> None:
            for owner, name in ((app, "a"), (other, "b"), (app, "c"), (app, "d")):
                tx.users.put(owner.id, name, attributes=None, locale=None, time_zone=None, now=given.now)

        await store.write(work)
        first = await store.read(lambda tx: tx.users.page(app.id, after=0, limit=2))
        rest = await store.read(lambda tx: tx.users.page(app.id, after=first[-1].id, limit=2))
        assert [user.external_id for user in first + rest] == ["d", "c", "a"]

    async def test_forgetting_a_person_leaves_the_devices_to_nobody(self, store: Store, given: Given) -> None:
        app = await given.app()
        device = await given.device(app, await given.credential(app), user_external_id="u-1")
        await store.write(
            lambda tx: tx.users.put(app.id, "u-1", attributes=None, locale=None, time_zone=None, now=given.now)
        )
        assert await store.write(lambda tx: tx.users.delete(app.id, "u-1"))
        assert not await store.write(lambda tx: tx.users.delete(app.id, "u-1"))
        assert await store.read(lambda tx: tx.users.get(app.id, "u-1")) is None
        assert await store.read(lambda tx: tx.subscriptions.by_id(device.id)) == replace(device, user_external_id=None)


class TestSubscriptions:
    async def test_a_device_is_found_by_its_address_in_its_app_only(self, store: Store, given: Given) -> None:
        app, other = await given.app(), await given.app()
        new = given.registration(
            app, await given.credential(app), user_external_id="u", time_zone="Europe/Vienna", tags={"plan": "pro"},
            device="Firefox on Linux",
        )  # fmt: skip
        stored = await store.write(
            lambda tx: tx.subscriptions.add(new, public_id="sub_x", secret_hash=HASH, now=given.now)
        )
        assert (stored.status, stored.status_reason, stored.last_active_at) == (SubscriptionStatus.ACTIVE, None, None)
        assert (stored.tags, stored.device, stored.last_seen_at) == ({"plan": "pro"}, "Firefox on Linux", given.now)
        target = new.address.target
        assert await store.read(lambda tx: tx.subscriptions.find(app.id, target)) == (stored, HASH)
        assert await store.read(lambda tx: tx.subscriptions.find(other.id, target)) is None
        assert await store.read(lambda tx: tx.subscriptions.find(app.id, target + "/")) is None
        assert await store.read(lambda tx: tx.subscriptions.get(app.id, "sub_x")) == stored
        assert await store.read(lambda tx: tx.subscriptions.get(other.id, "sub_x")) is None
        assert await store.read(lambda tx: tx.subscriptions.address(stored.id)) == new.address
        assert await store.read(lambda tx: tx.subscriptions.address(404)) is None

    async def test_registering_again_brings_it_back_with_its_new_keys(self, store: Store, given: Given) -> None:
        app = await given.app()
        first, second = await given.credential(app, "k1"), await given.credential(app, "k2")
        new = given.registration(app, first, device="Firefox", time_zone="Europe/Vienna", user_external_id="u-1")
        old = await given.device(
            app, first, **{name: getattr(new, name) for name in ("address", "device", "time_zone")}
        )
        await store.write(lambda tx: tx.subscriptions.set_status(old.id, SubscriptionStatus.EXPIRED, "410"))
        later, address = given.later(9), Address(new.address.target, KEYS[::-1])
        again = replace(new, address=address, credential_id=second.id, device=None, time_zone=None, tags={"a": "b"})
        back = await store.write(lambda tx: tx.subscriptions.refresh(old.id, again, secret_hash=HASH, now=later))
        assert (back.status, back.status_reason, back.last_seen_at) == (SubscriptionStatus.ACTIVE, None, later)
        assert (back.credential_id, back.user_external_id, back.tags) == (second.id, "u-1", {"a": "b"})
        assert (back.device, back.time_zone) == ("Firefox", "Europe/Vienna")
        assert await store.read(lambda tx: tx.subscriptions.find(app.id, address.target)) == (back, HASH)
        assert await store.read(lambda tx: tx.subscriptions.address(old.id)) == address
        await store.write(lambda tx: tx.subscriptions.refresh(old.id, again, secret_hash=None, now=later))
        assert await store.read(lambda tx: tx.subscriptions.find(app.id, address.target)) == (back, HASH)

    async def test_two_registrations_of_one_address_at_once_make_one_device(self, store: Store, given: Given) -> None:
        app = await given.app()
        new = given.registration(app, await given.credential(app))

        def work(tx: Transaction) -> tuple[int, bool]:
            known = tx.subscriptions.find(app.id, new.address.target)
            if known is not None:
                return known[0].id, False
            made = tx.subscriptions.add(new, public_id=given_id(), secret_hash=HASH, now=given.now)
            return made.id, True

        numbers = iter(range(1_000))

        def given_id() -> str:
            return f"sub_race_{next(numbers)}"

        made = await asyncio.gather(*(store.write(work) for _ in range(8)))
        assert len({device for device, _ in made}) == 1
        assert sum(new for _, new in made) == 1

    async def test_an_import_leaves_known_ones_as_they_were(self, store: Store, given: Given) -> None:
        app = await given.app()
        credential = await given.credential(app)
        new = [given.registration(app, credential) for _ in range(1_203)]
        known = await given.device(app, credential, address=new[7].address, tags={"kept": "yes"})
        rows = [(one, f"sub_imported_{n}", HASH) for n, one in enumerate([*new, new[1]])]
        assert await store.write(lambda tx: tx.subscriptions.add_many(rows, now=given.now)) == (1_202, 2)
        assert await store.write(lambda tx: tx.subscriptions.add_many(rows, now=given.now)) == (0, 1_204)
        assert await store.read(lambda tx: tx.subscriptions.by_id(known.id)) == known
        assert await store.read(lambda tx: tx.subscriptions.count(app.id, Everyone())) == 1_203

    async def test_owner_tags_and_status_change_by_themselves(self, store: Store, given: Given) -> None:
        app = await given.app()
        device = await given.device(app, await given.credential(app), tags={"a": "b"})

        def work(tx: Transaction) -> None:
            tx.subscriptions.set_user(device.id, "u-9")
            tx.subscriptions.set_tags(device.id, {"c": "d"})
            tx.subscriptions.set_status(device.id, SubscriptionStatus.UNSUBSCRIBED, "by the person")

        await store.write(work)
        found = await store.read(lambda tx: tx.subscriptions.by_id(device.id))
        unsubscribed = SubscriptionStatus.UNSUBSCRIBED
        assert found == replace(
            device, user_external_id="u-9", tags={"c": "d"}, status=unsubscribed, status_reason="by the person"
        )
        assert await store.read(lambda tx: tx.subscriptions.statuses(app.id)) == {
            SubscriptionStatus.ACTIVE: 0,
            SubscriptionStatus.EXPIRED: 0,
            unsubscribed: 1,
        }

    async def test_a_forgotten_device_is_gone_and_its_id_is_not_given_again(self, store: Store, given: Given) -> None:
        app, other = await given.app(), await given.app()
        credential = await given.credential(app)
        device = await given.device(app, credential)
        assert not await store.write(lambda tx: tx.subscriptions.delete(other.id, device.public_id))
        assert await store.write(lambda tx: tx.subscriptions.delete(app.id, device.public_id))
        assert not await store.write(lambda tx: tx.subscriptions.delete(app.id, device.public_id))
        assert (await given.device(app, credential)).id > device.id

    async def test_pages_are_newest_first_and_filtered(self, store: Store, given: Given) -> None:
        app = await given.app()
        credential = await given.credential(app)
        ids = await given.devices(app, credential, 5)
        mine = await given.device(app, credential, user_external_id="u-1")
        await store.write(lambda tx: tx.subscriptions.set_status(ids[1], SubscriptionStatus.EXPIRED, "410"))
        first = await store.read(lambda tx: tx.subscriptions.page(app.id, after=0, limit=3))
        rest = await store.read(lambda tx: tx.subscriptions.page(app.id, after=first[-1].id, limit=9))
        assert [one.id for one in first + rest] == [mine.id, *reversed(ids)]
        expired = await store.read(
            lambda tx: tx.subscriptions.page(app.id, after=0, limit=9, status=SubscriptionStatus.EXPIRED)
        )
        assert [one.id for one in expired] == [ids[1]]
        assert await store.read(lambda tx: tx.subscriptions.page(app.id, after=0, limit=9, user_external_id="u-1")) == [
            mine
        ]

    async def test_devices_are_searched_by_names_as_they_are_written(self, store: Store, given: Given) -> None:
        app = await given.app()
        credential = await given.credential(app)
        pixel = await given.device(app, credential, device="Pixel 10", user_external_id="u-1")
        fair = await given.device(app, credential, device="100%_Fairphone")
        for search, found in {"pIxEl": [pixel], "U-1": [pixel], "%": [fair], "%_": [fair], "x_l": []}.items():
            page = await store.read(
                lambda tx, search=search: tx.subscriptions.page(app.id, after=0, limit=9, search=search)
            )
            assert page == found, search
        by_id = await store.read(lambda tx: tx.subscriptions.page(app.id, after=0, limit=9, search=pixel.public_id))
        assert by_id == [pixel]

    async def test_ceiling_and_first_subscribed_user(self, store: Store, given: Given) -> None:
        app = await given.app()
        credential = await given.credential(app)
        assert await store.read(lambda tx: tx.subscriptions.ceiling(app.id)) == 0
        assert await store.read(lambda tx: tx.subscriptions.first_subscribed_user(app.id)) is None
        gone = await given.device(app, credential, user_external_id="gone")
        await store.write(lambda tx: tx.subscriptions.set_status(gone.id, SubscriptionStatus.EXPIRED, "410"))
        await given.device(app, credential)
        await given.device(app, credential, user_external_id="first")
        last = await given.device(app, credential, user_external_id="second")
        assert await store.read(lambda tx: tx.subscriptions.ceiling(app.id)) == last.id
        assert await store.read(lambda tx: tx.subscriptions.first_subscribed_user(app.id)) == "first"

    async def test_the_newest_device_is_one_that_registered_itself_before_any_imported_one(
        self, store: Store, given: Given
    ) -> None:
        app = await given.app()
        credential = await given.credential(app)
        assert await store.read(lambda tx: tx.subscriptions.newest_device(app.id)) is None
        await given.device(app, credential)
        imported = await given.device(app, credential)
        assert await store.read(lambda tx: tx.subscriptions.newest_device(app.id)) == imported.public_id
        for _ in range(2):
            browser = await given.device(app, credential, device="Firefox on Linux")
        await given.device(app, credential)
        assert await store.read(lambda tx: tx.subscriptions.newest_device(app.id)) == browser.public_id
        await store.write(lambda tx: tx.subscriptions.set_status(browser.id, SubscriptionStatus.EXPIRED, "gone"))
        newest = await store.read(lambda tx: tx.subscriptions.newest_device(app.id))
        assert newest not in (None, browser.public_id, imported.public_id)

    async def test_an_export_walks_over_all_of_every_status(self, store: Store, given: Given) -> None:
        app, other = await given.app(), await given.app()
        credential = await given.credential(app)
        ids = await given.devices(app, credential, 503)
        await given.device(other, None)
        keyless = await given.device(app, None)
        await store.write(lambda tx: tx.subscriptions.set_status(ids[0], SubscriptionStatus.EXPIRED, "410"))
        exported = await store.read(lambda tx: list(tx.subscriptions.export(app.id)))
        assert [one.id for one, _ in exported] == [*ids, keyless.id]
        assert len({recipient.address.target for _, recipient in exported}) == 504
        assert (exported[0][0].status, exported[0][1].address.keys) == (SubscriptionStatus.EXPIRED, KEYS)


class TestAudiences:
    @pytest.mark.parametrize(
        ("audience", "expected"),
        [
            (Everyone(), "abcd"),
            (Users(("u-1", "ü'\"\\", "nobody")), "ab"),
            (Users(()), ""),
            (Tagged((("plan", "pro"),)), "acd"),
            (Tagged((("plan", "pro"), ('a.b"c', "x'y"))), "c"),
            (Tagged((("plan", "true"),)), ""),
            (Tagged(()), "abcd"),
        ],
    )
    async def test_who_belongs(self, store: Store, given: Given, audience: Audience, expected: str) -> None:
        app, other = await given.app(), await given.app()
        credential = await given.credential(app)
        ids = {
            "a": (await given.device(app, credential, user_external_id="u-1", tags={"plan": "pro"})).id,
            "b": (await given.device(app, credential, user_external_id="ü'\"\\", tags={"plan": "free"})).id,
            "c": (await given.device(app, credential, tags={"plan": "pro", 'a.b"c': "x'y"})).id,
            "d": (await given.device(app, credential, tags={"plan": "pro", 'a.b"c': "z"})).id,
        }
        await given.device(app, None, user_external_id="u-1", tags={"plan": "pro"})
        await given.device(other, await given.credential(other), user_external_id="u-1", tags={"plan": "pro"})
        gone = await given.device(app, credential, user_external_id="u-1", tags={"plan": "pro"})
        await store.write(lambda tx: tx.subscriptions.set_status(gone.id, SubscriptionStatus.UNSUBSCRIBED, ""))

        def look(tx: Transaction) -> tuple[int, list[int], list[tuple[int, int, int]]]:
            s = tx.subscriptions
            found = [one.subscription_id for one in s.recipients(app.id, audience, after=0, high=10**9, limit=99)]
            return s.count(app.id, audience), found, s.cut(app.id, audience, ceiling=10**9, size=99)

        members = [ids[name] for name in expected]
        cut = [(members[0], members[-1], len(members))] if members else []
        assert await store.read(look) == (len(members), members, cut)

    async def test_devices_are_named_by_their_public_ids(self, store: Store, given: Given) -> None:
        app = await given.app()
        credential = await given.credential(app)
        first, _, third = [await given.device(app, credential) for _ in range(3)]
        audience = Devices((third.public_id, first.public_id, "sub_404"))
        found = await store.read(lambda tx: tx.subscriptions.recipients(app.id, audience, after=0, high=10**9, limit=9))
        assert [one.subscription_id for one in found] == [first.id, third.id]
        assert await store.read(lambda tx: tx.subscriptions.count(app.id, audience)) == 2

    async def test_parts_cover_everybody_once_and_keep_to_the_ceiling(self, store: Store, given: Given) -> None:
        app = await given.app()
        credential = await given.credential(app)
        ids = await given.devices(app, credential, 25)
        await store.write(lambda tx: tx.subscriptions.set_status(ids[3], SubscriptionStatus.EXPIRED, "410"))
        members = [one for one in ids[:22] if one != ids[3]]
        parts = await store.read(lambda tx: tx.subscriptions.cut(app.id, Everyone(), ceiling=ids[21], size=8))
        assert [count for _, _, count in parts] == [8, 8, 5]
        seen: list[int] = []
        for low, high, count in parts:
            found = await store.read(
                lambda tx, low=low, high=high: tx.subscriptions.recipients(
                    app.id, Everyone(), after=low - 1, high=high, limit=99
                )
            )
            assert len(found) == count
            seen += [one.subscription_id for one in found]
        assert seen == members

    async def test_recipients_are_read_on_by_id_with_what_delivery_needs(self, store: Store, given: Given) -> None:
        app = await given.app()
        credential = await given.credential(app)
        ids = await given.devices(app, credential, 5)
        first = await store.read(
            lambda tx: tx.subscriptions.recipients(app.id, Everyone(), after=ids[0], high=ids[3], limit=2)
        )
        assert [one.subscription_id for one in first] == ids[1:3]
        one = first[0]
        assert (one.provider, one.credential_id, one.locale) == ("webpush", credential.id, "de-AT")
        assert one.origin == "https://push.example.com"
        assert len({bytes(other.address_hash) for other in first} - {b""}) == 2
        assert (one.address.target.startswith(endpoint(0)[:40]), one.address.keys) == (True, KEYS)
        rest = await store.read(
            lambda tx: tx.subscriptions.recipients(app.id, Everyone(), after=ids[2], high=ids[3], limit=2)
        )
        assert [one.subscription_id for one in rest] == [ids[3]]

    async def test_a_row_that_does_not_open_holds_up_nobody(self, store: Store, given: Given) -> None:
        app = await given.app()
        ids = await given.devices(app, await given.credential(app), 6)

        def damage(tx: Any) -> None:
            for one in (ids[0], ids[1], ids[3], ids[5]):
                tx.subscriptions._scope.connection.execute(
                    text("UPDATE subscriptions SET address = :junk WHERE id = :id"), {"junk": b"v1|junk", "id": one}
                )

        await store.write(damage)

        async def read(after: int) -> list[int]:
            found = await store.read(
                lambda tx: tx.subscriptions.recipients(app.id, Everyone(), after=after, high=ids[-1], limit=2)
            )
            return [one.subscription_id for one in found]

        assert await read(0) == [ids[2]], "a whole batch that does not open is passed over"
        assert await read(ids[2]) == [ids[4]]
        assert await read(ids[4]) == []
        listed = await store.read(lambda tx: tx.subscriptions.recipients_by_id(ids))
        assert [one.subscription_id for one in listed] == [ids[2], ids[4]]

    async def test_listed_recipients_are_only_those_that_can_be_sent_to(self, store: Store, given: Given) -> None:
        app = await given.app()
        ids = await given.devices(app, await given.credential(app), 3)
        keyless = await given.device(app, None)
        await store.write(lambda tx: tx.subscriptions.set_status(ids[1], SubscriptionStatus.EXPIRED, "410"))
        found = await store.read(lambda tx: tx.subscriptions.recipients_by_id([*ids[::-1], keyless.id, 404]))
        assert [one.subscription_id for one in found] == [ids[0], ids[2]]
        assert await store.read(lambda tx: tx.subscriptions.recipients_by_id([])) == []


class TestAccess:
    async def test_a_key_is_found_by_its_hash_until_it_is_revoked(self, store: Store, given: Given) -> None:
        app = await given.app()
        key = await store.write(
            lambda tx: tx.access.add_key(
                public_id="key_1",
                app_id=app.id,
                name="CI",
                prefix="tdg_ab",
                key_hash=HASH,
                scopes=["send"],
                now=given.now,
            )
        )
        assert (key.app_id, key.scopes, key.last_used_at, key.revoked_at) == (app.id, ("send",), None, None)
        assert await store.read(lambda tx: tx.access.key_by_hash(HASH)) == key
        assert await store.read(lambda tx: tx.access.key_by_hash(b"other")) is None
        used = given.later(5)
        await store.write(lambda tx: tx.access.touch_key(key.id, now=used))
        assert await store.read(lambda tx: tx.access.key_by_hash(HASH)) == replace(key, last_used_at=used)
        assert await store.write(lambda tx: tx.access.revoke_key("key_1", now=used))
        assert not await store.write(lambda tx: tx.access.revoke_key("key_1", now=used))
        assert await store.read(lambda tx: tx.access.key_by_hash(HASH)) is None
        assert await store.read(lambda tx: tx.access.keys()) == [replace(key, last_used_at=used, revoked_at=used)]

    async def test_a_set_up_link_works_once_and_in_time(self, store: Store, given: Given) -> None:
        end = given.later(60)
        for token in (b"one", b"two"):
            await store.write(lambda tx, token=token: tx.access.add_setup_token(token_hash=token, expires_at=end))
        spent = await asyncio.gather(
            *(store.write(lambda tx: tx.access.spend_setup_token(b"one", now=given.now)) for _ in range(5))
        )
        assert sum(one is not None for one in spent) == 1
        assert not await store.write(lambda tx: tx.access.spend_setup_token(b"two", now=end))


class TestIdempotency:
    async def test_an_answer_is_remembered_per_app_until_it_is_purged(self, store: Store, given: Given) -> None:
        app, other = await given.app(), await given.app()
        await store.write(lambda tx: tx.idempotency.put(app.id, "k", request_hash=HASH, answer=b"ntf_1", now=given.now))
        assert await store.read(lambda tx: tx.idempotency.find(app.id, "k")) == (HASH, b"ntf_1")
        assert await store.read(lambda tx: tx.idempotency.find(other.id, "k")) is None
        assert await store.write(lambda tx: tx.idempotency.purge(before=given.now)) == 0
        assert await store.write(lambda tx: tx.idempotency.purge(before=given.later(1))) == 1
        assert await store.read(lambda tx: tx.idempotency.find(app.id, "k")) is None

    async def test_of_two_at_once_the_second_finds_the_firsts_answer(self, store: Store, given: Given) -> None:
        app = await given.app()

        def once(name: bytes):  # type: ignore[no-untyped-def]
            def work(tx: Transaction) -> bytes:
                found = tx.idempotency.find(app.id, "k")
                if found is not None:
                    return found[1]
                tx.idempotency.put(app.id, "k", request_hash=HASH, answer=name, now=given.now)
                return name

            return work

        answers = await asyncio.gather(*(store.write(once(b"%d" % n)) for n in range(8)))
        assert len(set(answers)) == 1


class TestInstance:
    async def test_a_value_is_replaced(self, store: Store) -> None:
        for value in (b"one", b"two"):
            await store.write(lambda tx, value=value: tx.instance.set_value("contact", value))
            assert await store.read(lambda tx: tx.instance.value("contact")) == value
        assert await store.read(lambda tx: tx.instance.value("other")) is None

    async def test_workers_are_seen_until_they_leave(self, store: Store, given: Given) -> None:
        one = Heartbeat("w-1", "host", 7, 2, given.now, given.now)
        later = replace(one, seen_at=given.later(10))
        for beat in (one, replace(one, worker_id="w-0"), later):
            await store.write(lambda tx, beat=beat: tx.instance.beat(beat))
        assert await store.read(lambda tx: tx.instance.heartbeats(since=given.later(5))) == [later]
        assert len(await store.read(lambda tx: tx.instance.heartbeats(since=given.now))) == 2
        await store.write(lambda tx: tx.instance.leave("w-1"))
        assert await store.read(lambda tx: tx.instance.heartbeats(since=given.later(5))) == []


class TestTransactions:
    async def test_a_work_that_fails_stores_nothing_and_says_why(self, store: Store, given: Given) -> None:
        def work(tx: Transaction) -> None:
            tx.instance.set_value("half", b"done")
            raise CatalogueError(ErrorCode.NOT_FOUND, "no")

        with pytest.raises(CatalogueError, match="no"):
            await store.write(work)
        assert await store.read(lambda tx: tx.instance.value("half")) is None

    async def test_a_reader_cannot_write(self, store: Store) -> None:
        with pytest.raises(Exception, match=r"(?i)read.?only"):
            await store.read(lambda tx: tx.instance.set_value("x", b"y"))
        assert await store.read(lambda tx: tx.instance.value("x")) is None

    async def test_a_reader_sees_one_state_throughout(self, store: Store) -> None:
        loop = asyncio.get_running_loop()

        def work(tx: Transaction) -> tuple[bytes | None, bytes | None]:
            before = tx.instance.value("x")
            asyncio.run_coroutine_threadsafe(store.write(lambda tx: tx.instance.set_value("x", b"new")), loop).result(9)
            return before, tx.instance.value("x")

        assert await store.read(work) == (None, None)
        assert await store.read(lambda tx: tx.instance.value("x")) == b"new"
