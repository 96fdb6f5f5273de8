"""What is written into a push for Apple's systems, and with which headers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from support.apple import SETTINGS, TOKEN, key_credential
from tidings.domain.message import Action, Rendered, Urgency
from tidings.domain.outcome import Refused
from tidings.domain.platforms import ActivityEvent, Apns, ApplePush, Interruption, LiveActivity, Localised, Platforms
from tidings.domain.subscription import Address
from tidings.lib.egress import HostPolicy
from tidings.lib.exchange import Request
from tidings.providers import Channel, Draft, Envelope
from tidings.providers.apns.outcomes import Reason
from tidings.providers.apns.provider import Apns as Provider
from tidings.providers.apns.settings import RULES

NOW = 1_798_761_600.0
ENVELOPE = Envelope("0123456789abcdef0123456789abcdef", "AAAAbbbbCCCC0123", 3600)
CREDENTIAL = key_credential()
MESSAGE = Rendered(
    title="Tide",
    body="High water at 14:02",
    url="https://www.example.com/tides",
    icon=None,
    image=None,
    badge_count=2,
    actions=(),
    urgency=Urgency.NORMAL,
    collapse_id=None,
    language=None,
    data={},
)


def saying(own: Apns, message: Rendered = MESSAGE) -> Rendered:
    return replace(message, platforms=Platforms(apns=own))


def sent(message: Rendered, *, kind: str = "app", **registration: object) -> tuple[dict[str, str], dict[str, Any], str]:
    """Headers, payload and URL of one message to one device."""
    via = Provider()
    place = {"token": TOKEN, "environment": "production", "kind": kind} | registration
    to, _ = via.address_from(place, policy=HostPolicy(frozenset(), ()))
    return sent_to(to, message)


def sent_to(to: Address, message: Rendered) -> tuple[dict[str, str], dict[str, Any], str]:
    via = Provider()
    draft = via.draft(message)
    assert isinstance(draft, Draft), draft
    request = via.request(draft, to, ENVELOPE, credential=CREDENTIAL, now=NOW)
    assert isinstance(request, Request), request
    headers = dict(line.split(": ", 1) for line in request.headers)
    assert len(headers) == len(request.headers)
    return headers, json.loads(request.body), request.url


def test_a_message_is_an_alert_with_our_own_member_beside_it() -> None:
    headers, payload, url = sent(MESSAGE)
    assert url == f"https://api.push.apple.com/3/device/{TOKEN}"
    assert payload == {
        "aps": {"alert": {"title": "Tide", "body": "High water at 14:02"}, "badge": 2, "sound": "default"},
        "tidings": {
            "u": "https://www.example.com/tides",
            "d": ENVELOPE.delivery_id,
            "t": ENVELOPE.receipt_token,
        },
    }
    assert headers.pop("authorization").startswith("bearer ")
    assert headers == {
        "apns-id": "01234567-89ab-cdef-0123-456789abcdef",
        "apns-push-type": "alert",
        "apns-priority": "10",
        "apns-expiration": "1798765200",
        "apns-topic": "com.example.app",
        "apns-collapse-id": "0123456789abcdef0123456789abcdef",
    }


def test_everything_an_alert_can_say_is_said_in_apples_words() -> None:
    own = Apns(
        title="Tide today",
        subtitle="Pier 39",
        body="Low",
        badge=0,
        sound="bell.caf",
        volume=0.5,
        thread_id="tides",
        category="TIDE",
        target_content_id="pier-39",
        interruption_level=Interruption.TIME_SENSITIVE,
        relevance_score=0.7,
        mutable_content=True,
        content_available=True,
        launch_image="launch.png",
        filter_criteria="work",
        payload={"pier": 39},
    )
    message = replace(MESSAGE, data={"n": [1, None]}, actions=(Action("yes", "Yes", "https://www.example.com/yes"),))
    _, payload, _ = sent(saying(own, message))
    assert payload["aps"] == {
        "alert": {"title": "Tide today", "subtitle": "Pier 39", "body": "Low", "launch-image": "launch.png"},
        "badge": 0,
        "sound": {"critical": 1, "name": "bell.caf", "volume": 0.5},
        "thread-id": "tides",
        "category": "TIDE",
        "target-content-id": "pier-39",
        "interruption-level": "time-sensitive",
        "relevance-score": 0.7,
        "mutable-content": 1,
        "content-available": 1,
        "filter-criteria": "work",
    }
    assert payload["pier"] == 39
    assert payload["data"] == {"n": [1, None]}
    assert payload["tidings"]["a"] == [{"id": "yes", "title": "Yes", "url": "https://www.example.com/yes"}]


def test_words_that_the_app_has_itself_stand_in_place_of_ours() -> None:
    own = Apns(title_localised=Localised("TIDE"), body_localised=Localised("HIGH_AT", ("14:02", "Pier 39")))
    _, payload, _ = sent(saying(own))
    assert payload["aps"]["alert"] == {
        "title-loc-key": "TIDE",
        "loc-key": "HIGH_AT",
        "loc-args": ["14:02", "Pier 39"],
    }


@pytest.mark.parametrize(
    ("urgency", "own", "sound"),
    [
        (Urgency.NORMAL, Apns(), "default"),
        (Urgency.HIGH, Apns(), "default"),
        (Urgency.LOW, Apns(), None),
        (Urgency.NORMAL, Apns(silent=True), None),
        (Urgency.NORMAL, Apns(interruption_level=Interruption.PASSIVE), None),
        (Urgency.LOW, Apns(sound="bell.caf"), "bell.caf"),
    ],
)
def test_what_is_urgent_enough_sounds_unless_its_author_says_otherwise(
    urgency: Urgency, own: Apns, sound: str | None
) -> None:
    _, payload, _ = sent(saying(own, replace(MESSAGE, urgency=urgency)))
    assert payload["aps"].get("sound") == sound


@pytest.mark.parametrize(
    ("urgency", "own", "priority"),
    [
        (Urgency.HIGH, Apns(), "10"),
        (Urgency.NORMAL, Apns(), "10"),
        (Urgency.LOW, Apns(), "5"),
        (Urgency.VERY_LOW, Apns(), "1"),
        (Urgency.VERY_LOW, Apns(priority=10), "10"),
        (Urgency.HIGH, Apns(background=True), "5"),
    ],
)
def test_urgency_becomes_a_priority(urgency: Urgency, own: Apns, priority: str) -> None:
    headers, _, _ = sent(saying(own, replace(MESSAGE, urgency=urgency)))
    assert headers["apns-priority"] == priority


def test_a_background_push_shows_nothing_and_carries_the_data() -> None:
    message = replace(MESSAGE, data={"sync": "inbox"})
    headers, payload, _ = sent(saying(Apns(background=True), message))
    assert headers["apns-push-type"] == "background"
    assert payload["aps"] == {"content-available": 1}
    assert payload["data"] == {"sync": "inbox"}


@pytest.mark.parametrize(
    ("push_type", "topic", "aps"),
    [
        ("location", "com.example.app.location-query", {}),
        ("complication", "com.example.app.complication", {}),
        ("fileprovider", "com.example.app.pushkit.fileprovider", {}),
        ("pushtotalk", "com.example.app.voip-ptt", {}),
        ("widgets", "com.example.app.push-type.widgets", {"content-changed": True}),
        ("controls", "com.example.app.push-type.controls", {"content-changed": True}),
    ],
)
def test_each_type_of_push_has_its_topic_and_its_body(push_type: str, topic: str, aps: dict[str, Any]) -> None:
    own = Apns(push_type=ApplePush(push_type), payload={"container-identifier": "root"})
    headers, payload, _ = sent(saying(own), kind=push_type)
    assert headers["apns-push-type"] == push_type
    assert headers["apns-topic"] == topic
    assert payload["aps"] == aps
    assert payload["container-identifier"] == "root"
    assert "apns-collapse-id" not in headers


def test_a_call_may_be_longer_and_rings() -> None:
    own = Apns(push_type=ApplePush.VOIP, payload={"caller": "x" * 4500})
    headers, payload, _ = sent(saying(own), kind="voip")
    assert headers["apns-topic"] == "com.example.app.voip"
    assert payload["aps"]["alert"]["title"] == "Tide"
    assert isinstance(Provider().draft(saying(replace(own, payload={"caller": "x" * 5200}))), Refused)
    assert isinstance(Provider().draft(saying(Apns(payload={"caller": "x" * 4500}))), Refused)


def test_push_to_talk_is_at_once_or_never() -> None:
    headers, _, _ = sent(saying(Apns(push_type=ApplePush.PUSH_TO_TALK, priority=5)), kind="pushtotalk")
    assert headers["apns-priority"] == "10"
    assert headers["apns-expiration"] == "0"
    assert sent(saying(Apns(once=True)))[0]["apns-expiration"] == "0"


def test_a_managed_device_gets_its_magic_and_nothing_else() -> None:
    headers, payload, _ = sent(saying(Apns(push_type=ApplePush.MDM)), kind="mdm", push_magic='6E"\\F0')
    assert payload == {"mdm": '6E"\\F0'}
    assert headers["apns-topic"] == "com.example.app"


ACTIVITY = LiveActivity(ActivityEvent.UPDATE, 1_798_761_000, content_state={"home": 2})


def live(activity: LiveActivity) -> Rendered:
    return saying(Apns(push_type=ApplePush.LIVE_ACTIVITY, live_activity=activity, relevance_score=75))


def test_a_live_activity_starts_is_updated_and_ends() -> None:
    start = replace(
        ACTIVITY,
        event=ActivityEvent.START,
        attributes_type="MatchAttributes",
        attributes={"match": 42},
        input_push_channel="dHN0LXNyY2gtY2hubA==",
    )
    headers, payload, _ = sent(live(start), kind="liveactivity")
    assert headers["apns-topic"] == "com.example.app.push-type.liveactivity"
    assert payload == {
        "aps": {
            "timestamp": 1_798_761_000,
            "event": "start",
            "content-state": {"home": 2},
            "attributes-type": "MatchAttributes",
            "attributes": {"match": 42},
            "input-push-channel": "dHN0LXNyY2gtY2hubA==",
            "alert": {"title": "Tide", "body": "High water at 14:02", "sound": "default"},
            "relevance-score": 75,
        }
    }
    _, payload, _ = sent(live(replace(ACTIVITY, stale_date=1_798_765_000)), kind="liveactivity")
    assert payload["aps"]["event"] == "update"
    assert "alert" not in payload["aps"]
    ending = replace(ACTIVITY, event=ActivityEvent.END, content_state=None, dismissal_date=1_798_762_000)
    _, payload, _ = sent(live(ending), kind="liveactivity")
    assert payload["aps"] == {
        "timestamp": 1_798_761_000,
        "event": "end",
        "dismissal-date": 1_798_762_000,
        "relevance-score": 75,
    }


def test_a_channel_gets_one_broadcast_that_is_kept_only_where_the_channel_keeps_messages() -> None:
    channel = "dHN0LXNyY2gtY2hubA=="
    forgets, keeps = (Provider().channel_address(Channel(channel, kept, "production"))[0] for kept in (False, True))
    headers, _, url = sent_to(forgets, live(ACTIVITY))
    assert url == "https://api.push.apple.com/4/broadcasts/apps/com.example.app"
    assert headers["apns-channel-id"] == channel
    assert headers["apns-push-type"] == "liveactivity"
    assert headers["apns-expiration"] == "0"
    assert "apns-topic" not in headers
    assert sent_to(keeps, live(ACTIVITY))[0]["apns-expiration"] == "1798765200"


@pytest.mark.parametrize(
    ("collapse_id", "sent_as"),
    [
        ("tide-2026", "tide-2026"),
        ("x" * 64, "x" * 64),
        ("x" * 65, None),
        ("two words", None),
        ("Ebbe und Flut, gehört", None),
        ("a\r\nx: y", None),
    ],
)
def test_a_collapse_id_has_at_most_64_bytes_and_goes_into_a_header(collapse_id: str, sent_as: str | None) -> None:
    headers, _, _ = sent(replace(MESSAGE, collapse_id=collapse_id))
    value = headers["apns-collapse-id"]
    assert value == sent_as if sent_as else (len(value) == 64 and value.isalnum())


def test_a_token_for_calls_gets_no_alert_and_the_app_no_call() -> None:
    via = Provider()
    for kind, own in (("voip", Apns()), ("app", Apns(push_type=ApplePush.VOIP)), ("widgets", Apns(background=True))):
        to, _ = via.address_from({"token": TOKEN, "kind": kind}, policy=HostPolicy(frozenset(), ()))
        draft = via.draft(saying(own))
        assert isinstance(draft, Draft)
        refused = via.request(draft, to, ENVELOPE, credential=CREDENTIAL, now=NOW)
        assert refused == Refused(Reason.WRONG_KIND)


def test_every_type_of_push_has_its_rules() -> None:
    assert set(RULES) == set(ApplePush)
    assert SETTINGS["bundle_id"] == "com.example.app"


def test_data_that_is_no_json_is_refused() -> None:
    assert isinstance(Provider().draft(replace(MESSAGE, data={"n": float("nan")})), Refused)
    assert isinstance(Provider().draft(replace(MESSAGE, data={"n": {1, 2}})), Refused)


def test_what_is_ours_and_apples_cannot_be_written_over() -> None:
    own = Apns(payload={"aps": {"alert": "no"}, "tidings": {"d": "x"}})
    _, payload, _ = sent(saying(own))
    assert payload["aps"]["alert"]["title"] == "Tide"
    assert payload["tidings"]["d"] == ENVELOPE.delivery_id
