"""Dry runs against what happens: the same event is tried dry, then sent, and compared person by person."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from tests.integration.web.test_triggers import serve

from tidings.bus.local import LocalBus
from tidings.domain.app import Credential, CredentialStatus
from tidings.domain.campaign import InDoubtPolicy
from tidings.domain.outcome import Accepted, Outcome
from tidings.domain.preference import PreferenceChannel, QuietHours, QuietWish
from tidings.domain.safety import GlobalPause
from tidings.domain.subscription import Address, Ending, NewSubscription, SubscriptionStatus
from tidings.lib.clock import FixedClock
from tidings.lib.metrics import Metrics
from tidings.pipeline.deliver import Chunk
from tidings.providers import Draft, Envelope, NewCredential, provider
from tidings.providers.webpush.message import payload_from
from tidings.storage import Transaction
from tidings.wiring import Container
from tidings.worker.feeding import Feeding
from tidings.worker.runner import Runner
from tidings.worker.signs import Meters

KIND = "page.published"
TRIGGER: dict[str, Any] = {
    "name": "Tell the members",
    "event_type": KIND,
    "template": {
        "title": "{{ page }} is out, {{ user.name | default: 'you' }}",
        "locales": {"de": {"title": "{{ page }} ist da, {{ user.name | default: 'du' }}"}},
    },
    "urgency": "normal",
    "ttl": 3 * 3_600,
}
EVENT: dict[str, Any] = {"type": KIND, "data": {"page": "Tides"}, "actor": "zoe"}
MEMBERS = (
    *("told", "none", "off", "asleep", "later", "zoe", "gone"),
    *("two", "mute", "many", "orphan", "held", "no_bell", "german"),
)
"""Of each what their name says."""

PUSH, FEED = PreferenceChannel.PUSH, PreferenceChannel.FEED


@dataclass
class Pool:
    """Keeps the title that each subscription is told."""

    told: dict[int, str] = field(default_factory=dict)

    async def send(self, chunk: Chunk, *, policy: InDoubtPolicy, urgent: bool = False) -> dict[int, Outcome]:
        for parcel in chunk.parcels:
            draft = chunk.drafts[parcel.draft][1]
            assert isinstance(draft, Draft)
            payload = json.loads(payload_from(draft, Envelope(parcel.delivery_id, parcel.receipt_token, 60)))
            assert parcel.subscription_id not in self.told, "told twice"
            self.told[parcel.subscription_id] = payload["notification"]["title"]
        return {parcel.subscription_id: Accepted() for parcel in chunk.parcels}


class World:
    """People in every state, and what becomes of an event that is sent for real."""

    def __init__(self, api: httpx2.AsyncClient, container: Container, app_id: int, key: int) -> None:
        self.api, self.container, self.app_id, self.key = api, container, app_id, key
        self._devices = 0

    async def person(self, name: str, *, locale: str | None = None, **attributes: Any) -> None:
        body = {"attributes": {"name": name.title(), "role": "member", **attributes}, "locale": locale}
        assert (await self.api.put(f"/api/v1/users/{name}", json=body)).status_code in (200, 201)

    async def devices(self, name: str | None, *locales: str | None, key: int | None = None) -> list[str]:
        made: list[str] = []

        def add(tx: Transaction) -> None:
            for locale in locales:
                self._devices += 1
                new = NewSubscription(
                    app_id=self.app_id,
                    provider="webpush",
                    address=Address(f"https://fcm.googleapis.com/{self._devices}", b"\x04" * 65 + b"a" * 16),
                    origin="https://fcm.googleapis.com",
                    credential_id=key or self.key,
                    user_external_id=name,
                    locale=locale,
                )
                made.append(self.container.ids.new("sub"))
                tx.subscriptions.add(new, public_id=made[-1], secret_hash=b"h" * 32, now=self.container.clock.now())

        await self.container.store.write(add)
        return made

    async def wishes(self, name: str, *, push: bool | None = None, bell: bool | None = None, quiet: int = 0) -> None:
        """Let somebody turn it off, or have quiet hours that end in so many hours."""
        now = self.container.clock.now()

        def put(tx: Transaction) -> None:
            tx.preferences.put(self.app_id, name, {(KIND, PUSH): push, (KIND, FEED): bell}, now=now)
            if quiet:
                hours = QuietHours((now.hour - 1) * 60, (now.hour + quiet) * 60)
                tx.preferences.set_quiet(self.app_id, name, QuietWish(hours, "UTC"), now=now)

        await self.container.store.write(put)

    async def trigger(self, **changes: Any) -> str:
        answer = await self.api.post("/api/v1/triggers", json={**TRIGGER, **changes})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def dry(self, trigger: str, **given: Any) -> dict[str, Any]:
        answer = await self.api.post(f"/api/v1/triggers/{trigger}/dry-run", json=given)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def send(self, event: str) -> Pool:
        """Serve the event, carry what it makes until nothing is ready any more, and fill the bells."""
        await serve(self.container)
        pool = Pool()
        runner = Runner(
            store=self.container.store,
            clock=self.container.clock,
            pool=pool,  # type: ignore[arg-type]
            deliveries=self.container.deliveries,
            provider=provider,
            chance=lambda: 0.5,
            owner="test",
            meters=Meters(Metrics()),
        )
        now = self.container.clock.now()
        for shard in await self.container.store.read(lambda tx: tx.shards.ready(now=now, limit=100)):
            await runner.run(shard)
        return pool

    async def happened(self, pool: Pool) -> dict[str, list[tuple[str, int]]]:
        """Give what each person was told on how many devices."""

        def read(tx: Transaction) -> dict[str, list[tuple[str, int]]]:
            told: dict[str, Counter[str]] = defaultdict(Counter)
            for device, title in pool.told.items():
                found = tx.subscriptions.by_id(device)
                assert found is not None
                told[found.user_external_id or ""][title] += 1
            return {name: sorted(titles.items()) for name, titles in told.items()}

        return await self.container.store.read(read)

    async def in_bell(self, names: Iterable[str]) -> set[str]:
        await Feeding(store=self.container.store, bus=LocalBus(), clock=self.container.clock).look()
        found = set()
        for name in names:
            page = await self.container.people.feed.page(self.app_id, name, cursor=None, limit=10)
            if page.items:
                found.add(name)
        return found


@pytest.fixture
async def world(api: httpx2.AsyncClient, container: Container, vapid_key: str) -> World:
    app = await container.apps.ensure_first()
    variables = {"properties": {"page": {"type": "string"}, "n": {"type": "integer"}}}
    kind = {"name": "A page is published", "variables": variables, "examples": [{"page": "Tides"}]}
    assert (await api.put(f"/api/v1/event-types/{KIND}", json=kind)).status_code == 201
    current = await container.credentials.current(app.id)
    revoked, paused = await container.store.write(lambda tx: (_key(tx, current, b"r"), _key(tx, current, b"p")))
    world = World(api, container, app.id, current.id)
    for name in MEMBERS:
        await world.person(name)
    await world.person("outsider", role="guest")
    for name in ("told", "off", "asleep", "later", "zoe", "mute", "outsider", "no_bell"):
        await world.devices(name, None)
    await world.person("german", locale="de")
    await world.devices("german", None)
    await world.devices("two", "en-GB", "de-AT", "de")
    await world.devices("many", *(None,) * 25)
    await world.devices("orphan", None, key=revoked)
    await world.devices("held", None, key=paused)
    (gone,) = await world.devices("gone", None)

    def states(tx: Transaction) -> None:
        found = tx.subscriptions.get(app.id, gone)
        assert found is not None
        tx.subscriptions.set_status(found.id, SubscriptionStatus.UNSUBSCRIBED, Ending.BY_DEVICE)
        tx.credentials.set_status(revoked, CredentialStatus.REVOKED)
        tx.credentials.pause(paused, "https://fcm.googleapis.com", reason="test", now=container.clock.now())

    await container.store.write(states)
    await world.wishes("off", push=False)
    await world.wishes("mute", push=False, bell=False)
    await world.wishes("no_bell", bell=False)
    await world.wishes("asleep", quiet=5)
    await world.wishes("later", quiet=2)
    return world


def _key(tx: Transaction, like: Credential, name: bytes) -> int:
    made = NewCredential(f"fingerprint-{name.decode()}", like.secret, dict(like.settings))
    return tx.credentials.add(
        like.integration_id,
        fingerprint=made.fingerprint,
        secret=made.secret,
        settings=made.settings,
        now=like.created_at or datetime.now(UTC),
    ).id


def told(run: dict[str, Any]) -> dict[str, list[tuple[str, int]]]:
    """Give what a dry run says that each person would be told at once, on how many devices."""
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for row in run["people"]:
        if row["put_off_until"] is None:
            found[row["user"]].append((row["title"], row["devices"]))
    return {name: sorted(titles) for name, titles in found.items()}


RULES: dict[str, dict[str, Any]] = {
    "users_where": {"users_where": 'user.role == "member"'},
    "named": {"users": "event"},
    "segment": {"segment": 'user.role == "member"'},
    "everyone": {"everyone": True},
    "devices": {"segment": 'user.role == "member" && subscription.provider == "webpush"'},
    "followers": {"followers": "pages"},
}


@pytest.mark.parametrize("rule", RULES)
async def test_it_says_of_everybody_what_becomes_of_the_event(world: World, rule: str, clock: FixedClock) -> None:
    audience: dict[str, Any] = dict(RULES[rule])
    if "segment" in audience:
        made = await world.api.post("/api/v1/segments", json={"name": "Members", "conditions": audience["segment"]})
        assert made.status_code == 201, made.text
        audience = {"segment": made.json()["id"]}
    if rule == "followers":
        answer = await world.api.post("/api/v1/topics/pages/followers", json={"follow": list(MEMBERS)})
        assert answer.status_code == 200, answer.text
    trigger = await world.trigger(audience=audience)
    event = {**EVENT, "users": list(MEMBERS)} if rule == "named" else EVENT
    happened = (await world.api.post("/api/v1/events", json=event)).json()["id"]
    run = await world.dry(trigger, event=happened)
    pool = await world.send(happened)
    really = await world.happened(pool)
    assert told(run) == really
    assert really["two"] == [("Tides is out, Two", 1), ("Tides ist da, Two", 2)]
    assert really["many"] == [("Tides is out, Many", 25)]
    languages = Counter((row["user"], row["language"]) for row in run["people"])
    assert languages["two", "de"] == languages["two", "en"] == languages["german", "de"] == 1
    later = [row["user"] for row in run["people"] if row["put_off_until"] is not None]
    assert later == ["later"]
    assert run["devices"] == len(pool.told) + 1
    assert run["devices_exact"]
    # Everybody else has a reason, and it is the one that is kept of the delivery.
    others = {row["user"]: row["why"] for row in run["others"]}
    everybody = {*MEMBERS, "outsider"}
    if rule == "named":
        everybody -= {"outsider"}
    assert set(others) == everybody - really.keys() - {"later"}
    expected = {
        "zoe": "actor", "none": "no_device", "gone": "no_device", "off": "preference_off", "mute": "preference_off",
        "asleep": "quiet_hours", "orphan": "no_credential", "held": "integration_paused",
        "outsider": "not_meant" if rule == "followers" else "conditions",
    }  # fmt: skip
    if rule == "devices":
        expected |= {"none": "conditions", "gone": "conditions"}
    assert others == {name: expected[name] for name in others}
    (sent,) = (await world.api.get("/api/v1/notifications")).json()["data"]
    rows = (await world.api.get(f"/api/v1/notifications/{sent['id']}/deliveries", params={"limit": 100})).json()["data"]
    skipped = {row["user"]: row["reason"] for row in rows if row["status"] == "skipped"}
    assert skipped == {name: why for name, why in others.items() if name in skipped}
    assert skipped.keys() >= {"off", "mute", "asleep", "orphan"}
    # The bell, too, has it exactly for those of whom it is said, and in the words that are shown.
    in_bell = {row["user"] for row in run["people"] if row["bell"]} | {
        row["user"] for row in run["others"] if row["bell"]
    }
    assert in_bell == await world.in_bell(everybody)
    # What waits for its hour comes then, and nothing else.
    clock.at += timedelta(hours=2, minutes=1)
    assert await world.happened(await world.send(happened)) == {"later": [("Tides is out, Later", 1)]}


async def test_whoever_is_asked_about_is_listed_beyond_the_end_of_the_list(world: World) -> None:
    names = [f"u-{n:03}" for n in range(120)]
    for name in names:
        await world.person(name)
    for name in names[:60]:
        await world.devices(name, None)
    trigger = await world.trigger(audience={"users": "event"})
    given = {"data": {"page": "Tides"}, "users": names}
    run = await world.dry(trigger, **given)
    assert [row["user"] for row in run["people"]] == names[:50]
    assert [(row["user"], row["why"]) for row in run["others"]] == [(name, "no_device") for name in names[60:110]]
    assert (run["devices"], run["devices_exact"], run["more"]) == (60, True, True)
    run = await world.dry(trigger, **given, about=["u-059", "u-119", "outsider", "stranger"])
    assert "u-059" in {row["user"] for row in run["people"]}
    others = {row["user"]: (row["why"], row["detail"]) for row in run["others"]}
    assert others["u-119"] == ("no_device", "No browser and no device of theirs has push enabled.")
    assert others["outsider"] == others["stranger"] == ("not_meant", "The event does not name them")


async def test_of_a_very_large_audience_the_people_who_are_shown_are_looked_at(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await world.api.post("/api/v1/segments", json={"name": "Members", "conditions": RULES["segment"]["segment"]})
    trigger = await world.trigger(audience={"segment": made.json()["id"]})
    whole = await world.dry(trigger, data={"page": "Tides"}, actor="zoe")
    monkeypatch.setattr("tidings.services.dry_people.MOST_DEVICES", 35)
    run = await world.dry(trigger, data={"page": "Tides"}, actor="zoe")
    assert (run["devices_exact"], run["more"]) == (False, True)
    assert run["devices"] > whole["devices"]
    assert told(run) == told(whole)
    assert sorted(map(str, run["others"])) == sorted(map(str, whole["others"]))
    assert (whole["devices_exact"], whole["more"]) == (True, False)


async def test_devices_of_nobody_are_counted_and_people_known_by_a_device_alone_are_listed(world: World) -> None:
    await world.devices(None, None, None)
    await world.devices("visitor", "de")
    trigger = await world.trigger(audience={"everyone": True})
    run = await world.dry(trigger, data={"page": "Tides"})
    assert run["unnamed"] == 2
    assert told(run)["visitor"] == [("Tides ist da, du", 1)]
    happened = (await world.api.post("/api/v1/events", json={"type": KIND, "data": {"page": "Tides"}})).json()["id"]
    really = await world.happened(await world.send(happened))
    assert sum(n for _, n in really.pop("")) == 2
    assert told(run) == really


async def test_what_cannot_be_written_or_is_too_long_for_one_is_said_of_them_alone(world: World) -> None:
    await world.person("shy", nick="")
    await world.person("bard", nick="b" * 9_000)
    for name in ("shy", "bard"):
        await world.devices(name, None)
    await world.person("plain", nick="Plain")
    await world.devices("plain", None)
    template = {"title": "{{ user.nick }}", "data": {"nick": "{{ user.nick }}"}}
    trigger = await world.trigger(audience={"users": "event"}, template=template)
    event = {**EVENT, "users": ["shy", "bard", "plain"]}
    happened = (await world.api.post("/api/v1/events", json=event)).json()["id"]
    run = await world.dry(trigger, event=happened)
    others = {row["user"]: row["why"] for row in run["others"]}
    assert others == {"zoe": "actor", "shy": "template_failed", "bard": "message_refused"}
    assert {row["user"]: row["bell"] is not None for row in run["others"]}["shy"] is False
    really = await world.happened(await world.send(happened))
    assert told(run) == really == {"plain": [("Plain", 1)]}
    in_bell = {row["user"] for row in [*run["people"], *run["others"]] if row["bell"]}
    assert in_bell == await world.in_bell(event["users"]) == {"bard", "plain"}


async def test_each_kind_of_rule_says_why_it_does_not_mean_somebody(world: World) -> None:
    conditions = 'user.role == "member" && subscription.locale == "fr"'
    made = await world.api.post("/api/v1/segments", json={"name": "The French", "conditions": conditions})
    rules: list[dict[str, Any]] = [
        {"users": "event"},
        {"followers": "pages:{{page}}"},
        {"users_where": 'user.role == "owner"'},
        {"segment": made.json()["id"]},
    ]
    trigger = await world.trigger(audience={"union": rules})
    run = await world.dry(trigger, data={"page": "tides"}, about=["outsider", "none"])
    others = {row["user"]: row["detail"] for row in run["others"]}
    assert others["outsider"] == (
        "The event does not name them; They do not follow pages:tides; "
        'user.role == "owner" does not hold: user.role is "guest"; '
        'Segment The French: user.role == "member" does not hold: user.role is "guest"'
    )
    assert others["none"].endswith("Segment The French: It asks for a device, and they have none that is active")


async def test_a_pause_of_all_sending_is_said(world: World) -> None:
    trigger = await world.trigger(audience={"users": "event"})
    given = {"data": {"page": "Tides"}, "users": ["told"]}
    assert (await world.dry(trigger, **given))["paused"] is False
    await world.container.store.write(lambda tx: tx.instance.pause(GlobalPause(world.container.clock.now(), "ops")))
    assert (await world.dry(trigger, **given))["paused"] is True
    happened = (await world.api.post("/api/v1/events", json={**EVENT, "users": ["told"]})).json()["id"]
    assert await world.happened(await world.send(happened)) == {}


async def test_what_the_tripwire_would_hold_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidings.services.tripwire.REPEAT_LEAST", 10)
    trigger = await world.trigger(audience={"everyone": True})
    for held in (None, "repeat_tripwire"):
        happened = (await world.api.post("/api/v1/events", json=EVENT)).json()["id"]
        # Trying remembers nothing: what happens is held only where the same was sent before.
        runs = [await world.dry(trigger, event=happened) for _ in range(2)]
        assert [run["held"] for run in runs] == [held, held]
        told = await world.send(happened)
        (newest, *_) = (await world.api.get("/api/v1/notifications")).json()["data"]
        assert (newest["held_because"], bool(told.told)) == (held, held is None)
    limits = replace(world.container.automation.tripwire._limits, recipients=50, times=1)
    monkeypatch.setattr(world.container.automation.tripwire, "_limits", limits)
    assert (await world.dry(trigger, data={"page": "Others"}))["held"] == "volume_tripwire"
