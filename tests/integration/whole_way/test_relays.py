"""Topics and conditions of FCM, Live Activities and Apple's broadcast channels, from the API to the wire and back."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.integration.web.instance import problem

from support.apple import BUNDLE_ID, KEY_ID, SETTINGS, TEAM_ID, p8
from support.campaign import working
from support.phones import PROJECT, account
from tidings.domain.feed import FeedRead
from tidings.simulator.apns.devices import Fault
from tidings.simulator.apns.senders import Key
from tidings.simulator.run import Running
from tidings.wiring import Container

ACTIVITY = {"event": "update", "timestamp": 1_798_761_000, "content_state": {"home": 2}}


async def added(api: httpx2.AsyncClient, provider: str, label: str, fields: dict[str, str]) -> str:
    body = {"provider": provider, "label": label, "credentials": fields}
    answer = await api.post("/api/v1/integrations", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def sent(api: httpx2.AsyncClient, to: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Send, wait for the end, and give the notification."""
    answer = await api.post("/api/v1/notifications", json={"title": "Tide", "to": to, **more})
    assert answer.status_code == 202, answer.text
    accepted = answer.json()
    unknown = [] if "subscriptions" in to else ["devices_unknown"]
    assert (accepted["audience"], [one["code"] for one in accepted.get("warnings", [])]) == (1, unknown)
    async with asyncio.timeout(90):
        while (shown := (await api.get(f"/api/v1/notifications/{accepted['id']}")).json())["status"] != "done":
            await asyncio.sleep(0.05)
    found: dict[str, Any] = shown
    return found


class TestTopics:
    @pytest.mark.parametrize(
        ("to", "kind"),
        [
            ({"fcm_topic": "news"}, "topic"),
            ({"fcm_condition": "'news' in topics && !('quiet' in topics)"}, "condition"),
        ],
    )
    async def test_one_request_goes_out_and_is_one_delivery(
        self, api: httpx2.AsyncClient, container: Container, simulator: Running, to: dict[str, str], kind: str
    ) -> None:
        await added(api, "fcm", "F", {"service_account": account(simulator)})
        (name,) = to.values()
        async with working(container):
            first, second = await sent(api, to), await sent(api, to)
        for shown in (first, second):
            assert (shown["counts"]["sent"], shown["to"], shown["devices_known"]) == (1, to, False)
            assert shown["channels"] == ["fcm"]
        assert simulator.fcm.to_topics == 2
        arrived = simulator.journal.messages(limit=5)
        assert [(one["recipient"], one["to"], one["title"]) for one in arrived] == [(kind, name[:64], "Tide")] * 2
        (delivery,) = (await api.get(f"/api/v1/notifications/{first['id']}/deliveries")).json()["data"]
        assert (delivery["status"], delivery["subscription"]) == ("sent", None)
        assert (await api.get("/api/v1/subscriptions")).json()["data"] == []

    async def test_what_google_would_refuse_for_its_size_is_refused_before_it_is_sent(
        self, api: httpx2.AsyncClient, simulator: Running
    ) -> None:
        await added(api, "fcm", "F", {"service_account": account(simulator)})
        message = {"title": "Tide", "body": "High water at noon", "data": {"more": "x" * 2_100}}
        for to in ({"fcm_topic": "news"}, {"fcm_condition": "'news' in topics"}):
            refused = await api.post("/api/v1/notifications", json={**message, "to": to})
            assert (refused.status_code, refused.json()["code"]) == (422, "message_too_large")
            assert "2048 fit into a push to a topic" in refused.json()["detail"]
        assert simulator.fcm.to_topics == 0

    @pytest.mark.parametrize(
        "to",
        [
            {"fcm_topic": "/topics/news"},
            {"fcm_topic": "no spaces"},
            {"fcm_condition": "true"},
            {"fcm_condition": " || ".join(f"'{name}' in topics" for name in "abcdef")},
            {"fcm_condition": "('a' in topics"},
            {"fcm_topic": "news", "all": True},
            {"fcm_topic": "news", "fcm_condition": "'a' in topics"},
            {"all": True, "integration": "int_1"},
        ],
    )
    async def test_what_is_no_topic_is_refused(
        self, api: httpx2.AsyncClient, simulator: Running, to: dict[str, Any]
    ) -> None:
        await added(api, "fcm", "F", {"service_account": account(simulator)})
        problem(await api.post("/api/v1/notifications", json={"title": "T", "to": to}), 422, "audience_invalid")

    async def test_of_several_projects_one_has_to_be_named(
        self, api: httpx2.AsyncClient, container: Container, simulator: Running
    ) -> None:
        body = {"title": "T", "to": {"fcm_topic": "news"}}
        problem(await api.post("/api/v1/notifications", json=body), 409, "integration_missing")
        await added(api, "fcm", "F", {"service_account": account(simulator)})
        second = await added(api, "fcm", "G", {"service_account": account(simulator, "second-project")})
        problem(await api.post("/api/v1/notifications", json=body), 422, "integration_unclear")
        async with working(container):
            shown = await sent(api, {"fcm_topic": "news", "integration": second})
        assert shown["counts"]["sent"] == 1
        (arrived,) = simulator.journal.messages(limit=5)
        assert arrived["to"] == "news"

    async def test_it_counts_as_one_and_says_that_nobody_knows(self, api: httpx2.AsyncClient) -> None:
        counted = (await api.post("/api/v1/notifications/count", json={"to": {"fcm_topic": "news"}})).json()
        assert counted == {"count": 1, "devices_known": False}
        assert (await api.post("/api/v1/notifications/count", json={"to": {"all": True}})).json() == {"count": 0}


@pytest.fixture
async def iphones(api: httpx2.AsyncClient, simulator: Running) -> str:
    private = ec.generate_private_key(ec.SECP256R1())
    simulator.apple.senders.add_key(Key(TEAM_ID, KEY_ID, private.public_key()))
    return await added(api, "apns", "iPhones", {"key": p8(private), **SETTINGS})


def live(event: str, **more: Any) -> dict[str, Any]:
    activity = {**ACTIVITY, "event": event, **more}
    return {"platforms": {"apns": {"push_type": "liveactivity", "live_activity": activity}}}


START = {"event": "start", "attributes_type": "MatchAttributes", "attributes": {"match": 42, "home": "Häfen"}}
STARTED = {
    "timestamp": 1_798_761_000,
    "event": "start",
    "content-state": {"home": 2},
    "attributes-type": "MatchAttributes",
    "attributes": {"match": 42, "home": "Häfen"},
    "alert": {"title": "Tide", "body": "It begins", "sound": "default"},
}
UPDATED = {"timestamp": 1_798_761_000, "event": "update", "content-state": {"home": 2}}
HEADERS = {"apns-id", "apns-push-type", "apns-priority", "apns-expiration"}
WHOLE_NUMBERS = {"timestamp", "stale-date", "dismissal-date", "input-push-token"}


def pushed(arrived: dict[str, Any], *, channel: str | None = None) -> Any:
    """Give the JSON of a Live Activity's push, after a look at what Apple insists on whatever it says."""
    headers = dict(arrived["headers"])
    to = {"apns-channel-id": channel} if channel else {"apns-topic": f"{BUNDLE_ID}.push-type.liveactivity"}
    assert headers.items() >= {"apns-push-type": "liveactivity", "apns-priority": "10", **to}.items()
    assert set(headers) == HEADERS | set(to)
    assert int(headers["apns-expiration"]) > time.time()
    payload = json.loads(arrived["payload"])
    assert len(arrived["payload"].encode()) == arrived["size"] <= 4096
    assert all(type(payload["aps"][name]) is int for name in WHOLE_NUMBERS & set(payload["aps"]))
    return payload


class TestLiveActivities:
    """Ones that are followed with a token of their own. Source: Apple, "Starting and updating Live Activities"."""

    @pytest.mark.parametrize(
        ("activity", "own", "aps"),
        [
            (START, {}, STARTED),
            (START | {"input_push_token": True}, {}, STARTED | {"input-push-token": 1}),
            (START | {"input_push_channel": "dHN0LWNobmw="}, {}, STARTED | {"input-push-channel": "dHN0LWNobmw="}),
            (
                START | {"stale_date": 1_798_764_600},
                {"relevance_score": 75, "sound": "horn.caf", "subtitle": "never shown", "title": "Kick-off"},
                STARTED
                | {"stale-date": 1_798_764_600, "relevance-score": 75}
                | {"alert": {"title": "Kick-off", "subtitle": "never shown", "body": "It begins", "sound": "horn.caf"}},
            ),
            ({"event": "update"}, {}, UPDATED),
            (
                {"event": "update", "stale_date": 1_798_764_600, "alert": True},
                {"silent": True},
                UPDATED | {"stale-date": 1_798_764_600, "alert": {"title": "Tide", "body": "It begins"}},
            ),
            ({"event": "end"}, {}, UPDATED | {"event": "end"}),
            (
                {"event": "end", "content_state": None, "dismissal_date": 1_798_762_000},
                {},
                {"timestamp": 1_798_761_000, "event": "end", "dismissal-date": 1_798_762_000},
            ),
        ],
    )
    async def test_the_whole_json_is_apples(
        self,
        api: httpx2.AsyncClient,
        container: Container,
        simulator: Running,
        iphones: str,
        activity: dict[str, Any],
        own: dict[str, Any],
        aps: dict[str, Any],
    ) -> None:
        topic = f"{BUNDLE_ID}.push-type.liveactivity"
        (device,) = simulator.apple.devices.make(1, topic=topic, environment="sandbox", seed="live")
        place = {"provider": "apns", "token": device.token, "environment": "sandbox", "kind": "liveactivity"}
        registered = await api.post("/api/v1/subscriptions", json=place)
        assert registered.status_code == 201, registered.text
        said = live(**activity)
        said["platforms"]["apns"] |= own
        async with working(container):
            shown = await sent(api, {"subscriptions": [registered.json()["id"]]}, body="It begins", **said)
        assert shown["counts"]["sent"] == 1, (shown, simulator.journal.refusals(limit=5))
        (arrived,) = simulator.journal.messages(limit=5)
        assert (arrived["recipient"], arrived["to"]) == ("device", device.token[:8])
        assert pushed(arrived) == {"aps": aps}

    async def test_one_to_everybody_goes_to_tokens_of_its_kind_and_is_shown_nowhere_else(
        self, api: httpx2.AsyncClient, container: Container, simulator: Running, iphones: str
    ) -> None:
        await added(api, "fcm", "F", {"service_account": account(simulator)})
        (phone,) = simulator.fcm.make(PROJECT, 1, shares=(), seed="android")
        made = []
        for kind, suffix in (("liveactivity", ".push-type.liveactivity"), ("app", "")):
            (device,) = simulator.apple.devices.make(1, topic=BUNDLE_ID + suffix, environment="sandbox", seed=kind)
            made.append({"provider": "apns", "token": device.token, "environment": "sandbox", "kind": kind})
        ids = []
        for place in (*made, {"provider": "fcm", "token": phone}):
            registered = await api.post("/api/v1/subscriptions", json={**place, "user": "u-1"})
            assert registered.status_code == 201, registered.text
            ids.append(registered.json()["id"])
        async with working(container):
            for to in ({"all": True}, {"users": ["u-1"]}, {"subscriptions": ids}):
                body = {"title": "2 : 1", "to": to, **live("update")}
                accepted = await api.post("/api/v1/notifications", json=body)
                assert (accepted.status_code, accepted.json()["audience"]) == (202, 2), accepted.text
                path = f"/api/v1/notifications/{accepted.json()['id']}"
                while (shown := (await api.get(path)).json())["status"] != "done":
                    pass
                assert shown["channels"] == ["apns"]
                assert (shown["counts"]["sent"], shown["counts"]["failed"], shown["counts"]["skipped"]) == (1, 0, 1)
                assert shown["reasons"] == {"token_of_another_kind": 1}
            # What is for everybody skips the token of the Live Activity, and fails for nobody.
            accepted = await api.post("/api/v1/notifications", json={"title": "Tide", "to": {"all": True}})
            path = f"/api/v1/notifications/{accepted.json()['id']}"
            while (shown := (await api.get(path)).json())["status"] != "done":
                pass
            assert (shown["counts"]["sent"], shown["counts"]["failed"], shown["counts"]["skipped"]) == (2, 0, 1)
        app = await container.apps.resolve(None)
        now = container.clock.now()
        entries = await container.store.read(
            lambda tx: tx.feed.page(
                tx.feed.person(app.id, "u-1", now=now), read=FeedRead(), before=None, limit=10, now=now
            )
        )
        assert [one.message.title for one in entries] == ["Tide"]

    @pytest.mark.parametrize("channels", [["webpush"], ["apns", "feed"], ["fcm", "apns"]])
    async def test_channels_on_which_it_would_be_something_else_are_refused(
        self, api: httpx2.AsyncClient, iphones: str, channels: list[str]
    ) -> None:
        body = {"title": "2 : 1", "to": {"all": True}, "channels": channels, **live("update")}
        refused = await api.post("/api/v1/notifications", json=body)
        problem(refused, 422, "invalid_request")
        assert "`liveactivity` is for Apple's devices alone" in refused.json()["detail"]
        measured = (await api.post("/api/v1/notifications/fit", json=body | {"channels": None})).json()["channels"]
        assert [(one["channel"], bool(one["fault"])) for one in measured] == [("apns", False)]

    async def test_channels_that_are_left_out_have_no_say(
        self, api: httpx2.AsyncClient, simulator: Running, iphones: str
    ) -> None:
        await added(api, "fcm", "F", {"service_account": account(simulator)})
        body: dict[str, Any] = {"title": "Tide", "to": {"all": True}, "data": {"from": "a name that FCM keeps"}}
        problem(await api.post("/api/v1/notifications", json=body), 422, "invalid_request")
        taken = await api.post("/api/v1/notifications", json=body | {"channels": ["apns"]})
        assert taken.status_code == 202, taken.text


class TestChannels:
    async def test_a_channel_is_made_sent_to_listed_and_deleted(
        self, api: httpx2.AsyncClient, container: Container, simulator: Running, iphones: str
    ) -> None:
        path = f"/api/v1/integrations/{iphones}/channels"
        made = await api.post(path, json={"label": "Final, Saturday", "keeps": True})
        assert made.status_code == 201, made.text
        channel = made.json()
        assert (channel["label"], channel["environment"], channel["keeps"]) == ("Final, Saturday", "sandbox", True)
        at_apple = simulator.apple.devices.channels["sandbox", channel["channel"]]
        assert (at_apple.app, at_apple.keeps) == (BUNDLE_ID, True)
        async with working(container):
            for event, more in (("update", {}), ("end", {"dismissal_date": 1_798_762_000})):
                shown = await sent(api, {"apns_channel": channel["id"]}, **live(event, **more))
                assert (shown["counts"]["sent"], shown["to"]) == (1, {"apns_channel": channel["id"]})
                assert (shown["channels"], shown["devices_known"]) == (["apns"], False)
        end, update = simulator.journal.messages(limit=5)
        assert {(one["recipient"], one["to"]) for one in (update, end)} == {("channel", channel["channel"][:8])}
        assert pushed(update, channel=channel["channel"]) == {"aps": UPDATED}
        assert pushed(end, channel=channel["channel"]) == {
            "aps": UPDATED | {"event": "end", "dismissal-date": 1_798_762_000}
        }
        (listed,) = (await api.get(path)).json()["data"]
        assert listed["last_active_at"] is not None
        assert listed | {"last_active_at": None} == channel
        assert (await api.delete(f"{path}/{channel['id']}")).status_code == 204
        assert simulator.apple.devices.channels == {}
        assert (await api.get(path)).json()["data"] == []
        problem(await api.delete(f"{path}/{channel['id']}"), 404, "not_found")
        body = {"title": "T", "to": {"apns_channel": channel["id"]}, **live("update")}
        problem(await api.post("/api/v1/notifications", json=body), 404, "not_found")
        actions = [one["action"] for one in (await api.get("/api/v1/audit?limit=20")).json()["data"]]
        assert {"channel.created", "channel.deleted"} <= set(actions)

    async def test_production_has_channels_of_its_own(
        self, api: httpx2.AsyncClient, simulator: Running, iphones: str
    ) -> None:
        path = f"/api/v1/integrations/{iphones}/channels"
        made = (await api.post(path, json={"label": "P", "environment": "production"})).json()
        assert [where for where, _ in simulator.apple.devices.channels] == ["production"] == [made["environment"]]

    async def test_one_that_was_made_elsewhere_is_taken_in(
        self, api: httpx2.AsyncClient, container: Container, simulator: Running, iphones: str
    ) -> None:
        from tidings.simulator.apns.channels import Channel

        simulator.apple.devices.channels["sandbox", "dHN0LWNobmw="] = Channel("", keeps=False)
        path = f"/api/v1/integrations/{iphones}/channels"
        channel = (await api.post(path, json={"label": "Old", "channel": "dHN0LWNobmw="})).json()
        async with working(container):
            shown = await sent(api, {"apns_channel": channel["id"]}, **live("update"))
        assert shown["counts"]["sent"] == 1

    @pytest.mark.parametrize(
        ("reason", "words"),
        [
            ("FeatureNotEnabled", "Broadcast is switched off"),
            ("CannotCreateChannelConfig", "as many channels as Apple allows"),
            ("InternalServerError", "500 InternalServerError"),
        ],
    )
    async def test_what_apple_refuses_is_said_and_changes_nothing(
        self, api: httpx2.AsyncClient, simulator: Running, iphones: str, reason: str, words: str
    ) -> None:
        path = f"/api/v1/integrations/{iphones}/channels"
        simulator.apple.script.append(Fault(reason))
        refused = problem(await api.post(path, json={"label": "C"}), 502, "channel_refused")
        assert words in refused["detail"]
        assert (await api.get(path)).json()["data"] == []

    async def test_a_channel_takes_live_activities_alone(self, api: httpx2.AsyncClient, iphones: str) -> None:
        channel = (await api.post(f"/api/v1/integrations/{iphones}/channels", json={"label": "C"})).json()["id"]
        body = {"title": "T", "to": {"apns_channel": channel}}
        problem(await api.post("/api/v1/notifications", json=body), 422, "audience_invalid")
        narrowed = {**body, **live("update"), "channels": ["apns"]}
        problem(await api.post("/api/v1/notifications", json=narrowed), 422, "audience_invalid")

    async def test_other_providers_have_none(self, api: httpx2.AsyncClient, simulator: Running) -> None:
        integration = await added(api, "fcm", "F", {"service_account": account(simulator, PROJECT)})
        problem(await api.post(f"/api/v1/integrations/{integration}/channels", json={"label": "C"}), 404, "not_found")
        problem(await api.get("/api/v1/integrations/int_none/channels"), 404, "not_found")
