"""Every body of a send: as Google's schema wants it, filled right, within the limits."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.rendered import messages
from tidings.domain.app import Credential
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.message import Action, Rendered, Urgency
from tidings.domain.outcome import Refused
from tidings.domain.platforms import Android, Apns, ApplePush, Platforms, Web
from tidings.domain.subscription import Address
from tidings.lib.egress import HostPolicy
from tidings.lib.exchange import Request
from tidings.providers import Draft, Envelope
from tidings.providers.fcm.message import LARGEST, data_fault, payload_size
from tidings.providers.fcm.provider import Fcm
from tidings.simulator.fcm_schema import violation

NOW = 1_798_761_600.0
ENVELOPE = Envelope("0123456789abcdef0123456789abcdef", "AAAAbbbbCCCC0123", 3_600)
TO = Address("dHIoDxE7Hdg:APA91bH1Zj0kNa")
CREDENTIAL = Credential(1, 1, 1, "fcm", "0" * 40, b"ya29.token", {"project_id": "my-app", "client_email": "a@b"})
PLAIN = Rendered("Tide", "High water", None, None, None, None, (), Urgency.NORMAL, None, None, {})
DISCOVERY = json.loads((Path(__file__).parents[3] / "vectors" / "fcm" / "discovery.json").read_text())["schemas"]


def sent(rendered: Rendered, to: Address = TO, envelope: Envelope = ENVELOPE) -> dict[str, Any]:
    draft = Fcm().draft(rendered)
    assert isinstance(draft, Draft), draft
    request = Fcm().request(draft, to, envelope, credential=CREDENTIAL, now=NOW)
    assert isinstance(request, Request)
    body: dict[str, Any] = json.loads(request.body)
    return body


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def faults(value: Any, schema: dict[str, Any], place: str) -> list[str]:
    """Say what of a value is not as the discovery document has it."""
    if "$ref" in schema:
        return faults(value, DISCOVERY[schema["$ref"]], place)
    kind = schema.get("type")
    if kind == "object":
        if not isinstance(value, dict):
            return [f"{place}: not an object"]
        if "properties" in schema:
            known = schema["properties"]
            unknown = [f"{place}.{name}: unknown" for name in value if camel(name) not in known]
            return unknown + [
                fault
                for name, one in value.items()
                if camel(name) in known
                for fault in faults(one, known[camel(name)], f"{place}.{name}")
            ]
        inner = schema.get("additionalProperties", {})
        if inner.get("type") == "any":
            return []
        return [fault for name, one in value.items() for fault in faults(one, inner, f"{place}.{name}")]
    if kind == "array":
        return [fault for one in value for fault in faults(one, schema["items"], place)]
    wanted = {"string": str, "boolean": bool, "integer": int}[kind]
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        return [f"{place}: {value!r} is not {kind}"]
    return [f"{place}: {value!r}"] if "enum" in schema and value not in schema["enum"] else []


@given(messages)
def test_every_message_of_the_model_is_one_that_the_schema_of_google_knows(rendered: Rendered) -> None:
    if not isinstance(Fcm().draft(rendered), Draft):
        return
    body = sent(rendered)
    assert faults(body, DISCOVERY["SendMessageRequest"], "") == []
    assert violation(body) is None, "the simulator's own schema agrees"


@given(messages)
def test_whatever_a_message_says_the_holes_are_filled_and_nothing_else_is_touched(rendered: Rendered) -> None:
    if not isinstance(Fcm().draft(rendered), Draft):
        return
    message = sent(rendered)["message"]
    assert message["token"] == TO.target
    assert message["data"]["tidings_delivery"] == ENVELOPE.delivery_id
    assert message["data"]["tidings_token"] == ENVELOPE.receipt_token
    assert message["android"]["ttl"] == "3600s"
    assert message["apns"]["headers"]["apns-expiration"] == str(int(NOW) + 3_600)
    assert message["webpush"]["headers"]["TTL"] == "3600"
    for name, value in rendered.data.items():
        found = message["data"][name]
        assert found == value if isinstance(value, str) else json.loads(found) == value
    assert payload_size(message) <= LARGEST


def test_a_message_says_everything_once_for_each_kind_of_device() -> None:
    rendered = replace(
        PLAIN,
        url="https://www.example.com/tide",
        image="https://www.example.com/tide.png",
        badge_count=3,
        urgency=Urgency.HIGH,
        actions=(Action("yes", "Yes", "https://www.example.com/yes"),),
        data={"n": 7, "who": "Anna"},
    )
    assert sent(rendered)["message"] == {
        "token": TO.target,
        "data": {
            "n": "7",
            "who": "Anna",
            "tidings_delivery": ENVELOPE.delivery_id,
            "tidings_token": ENVELOPE.receipt_token,
            "tidings_url": "https://www.example.com/tide",
            "tidings_actions": '[{"id":"yes","title":"Yes","url":"https://www.example.com/yes"}]',
        },
        "notification": {"title": "Tide", "body": "High water", "image": "https://www.example.com/tide.png"},
        "android": {
            "priority": "HIGH",
            "ttl": "3600s",
            "notification": {"tag": ENVELOPE.delivery_id, "notification_count": 3},
        },
        "apns": {
            "headers": {
                "apns-push-type": "alert",
                "apns-priority": "10",
                "apns-expiration": str(int(NOW) + 3_600),
                "apns-collapse-id": ENVELOPE.delivery_id,
            },
            "payload": {
                "aps": {
                    "alert": {"title": "Tide", "body": "High water"},
                    "badge": 3,
                    "sound": "default",
                    "mutable-content": 1,
                }
            },
            "fcm_options": {"image": "https://www.example.com/tide.png"},
        },
        "webpush": {
            "headers": {"TTL": "3600", "Urgency": "high"},
            "notification": {
                "title": "Tide",
                "body": "High water",
                "image": "https://www.example.com/tide.png",
                "tag": ENVELOPE.delivery_id,
                "actions": [{"action": "yes", "title": "Yes"}],
            },
            "fcm_options": {"link": "https://www.example.com/tide"},
        },
    }


def test_only_an_authors_own_collapse_id_makes_a_message_collapsible() -> None:
    assert "collapse_key" not in sent(PLAIN)["message"]["android"]
    message = sent(replace(PLAIN, collapse_id="tide"))["message"]
    assert message["android"]["collapse_key"] == message["android"]["notification"]["tag"] == "tide"
    assert message["apns"]["headers"]["apns-collapse-id"] == "tide"
    longest = "ü" * 64
    assert len(sent(replace(PLAIN, collapse_id=longest))["message"]["apns"]["headers"]["apns-collapse-id"]) == 32


def test_what_is_said_differently_stands_in_its_own_part() -> None:
    own = Platforms(
        android=Android(title="A", channel_id="tides", badge=0),
        apns=Apns(subtitle="S", badge=0, payload={"k": [1]}, priority=5),
        webpush=Web(url="http://localhost:1/x", title="W"),
    )
    message = sent(replace(PLAIN, platforms=own))["message"]
    assert message["notification"]["title"] == "Tide"
    assert (message["android"]["notification"]["title"], message["android"]["notification"]["notification_count"]) == (
        "A",
        0,
    )
    assert message["apns"]["payload"]["k"] == [1]
    assert (message["apns"]["payload"]["aps"]["badge"], message["apns"]["headers"]["apns-priority"]) == (0, "5")
    assert message["webpush"]["notification"]["title"] == "W"
    assert "fcm_options" not in message["webpush"], "FCM takes no link but https"


def test_data_only_leaves_the_notification_to_the_app_and_apples_devices_whole() -> None:
    message = sent(replace(PLAIN, platforms=Platforms(android=Android(data_only=True))))["message"]
    assert "notification" not in message
    assert "notification" not in message["android"]
    assert (message["data"]["tidings_title"], message["data"]["tidings_body"]) == ("Tide", "High water")
    assert message["apns"]["payload"]["aps"]["alert"]["title"] == "Tide"


@pytest.mark.parametrize("own", [Apns(background=True), Apns(push_type=ApplePush.BACKGROUND, priority=10)])
@pytest.mark.parametrize("android", [None, Android(title="A"), Android(data_only=True)])
def test_a_background_push_to_apple_has_priority_5_and_shows_nothing(own: Apns, android: Android | None) -> None:
    rendered = replace(PLAIN, image="https://www.example.com/tide.png", urgency=Urgency.HIGH)
    message = sent(replace(rendered, platforms=Platforms(apns=own, android=android)))["message"]
    assert message["apns"]["payload"] == {"aps": {"content-available": 1}}
    assert message["apns"]["headers"]["apns-priority"] == "5"
    assert message["apns"]["headers"]["apns-push-type"] == "background"
    assert "fcm_options" not in message["apns"]
    assert "notification" not in message, "FCM would show it on Apple's devices"
    shown = message["android"].get("notification")
    if android is not None and android.data_only:
        assert shown is None
    else:
        assert (shown["title"], shown["body"]) == ("A" if android else "Tide", "High water")
    assert message["webpush"]["notification"]["title"] == "Tide"


def test_what_apple_shall_keep_for_nobody_and_its_own_collapse_id_go_through_fcm_too() -> None:
    own = Apns(once=True, collapse_id="mine")
    headers = sent(replace(PLAIN, collapse_id="tide", platforms=Platforms(apns=own)))["message"]["apns"]["headers"]
    assert headers == {
        "apns-push-type": "alert",
        "apns-priority": "10",
        "apns-expiration": "0",
        "apns-collapse-id": "mine",
    }


@pytest.mark.parametrize("kind", [one for one in ApplePush if one.value not in ("alert", "background")])
def test_a_kind_of_push_that_fcm_does_not_carry_is_refused_by_field(kind: ApplePush) -> None:
    rendered = replace(PLAIN, platforms=Platforms(apns=Apns(push_type=kind)))
    fault = Fcm().fault(rendered)
    assert fault is not None
    assert fault.field == "platforms.apns.push_type"
    assert kind.value in fault.message
    assert isinstance(Fcm().draft(rendered), Refused)
    assert isinstance(Fcm().draft_for_relay(rendered), Refused)


@pytest.mark.parametrize(
    "name",
    ["from", "message_type", "gcm", "google.x", "google", "gcm.notification.x", "collapse_key", "tidings_url", ""],
)
def test_names_that_fcm_keeps_for_itself_are_refused_by_field(name: str) -> None:
    fault = Fcm().fault(replace(PLAIN, data={name: "x"}))
    assert fault is not None
    assert fault.field == f"data.{name}"
    assert isinstance(Fcm().draft(replace(PLAIN, data={name: "x"})), Refused)
    assert data_fault({"form": 1, "goo": 2}) is None


@pytest.mark.parametrize(
    "base",
    [
        PLAIN,
        replace(PLAIN, collapse_id="tide"),
        replace(PLAIN, platforms=Platforms(android=Android(tag="own"))),
        replace(PLAIN, platforms=Platforms(android=Android(data_only=True))),
        replace(PLAIN, platforms=Platforms(apns=Apns(payload={"k": "y" * 1_000}))),
        replace(PLAIN, platforms=Platforms(apns=Apns(background=True))),
    ],
)
def test_the_limit_counts_keys_and_values_to_the_byte(base: Rendered) -> None:
    def of(length: int) -> Rendered:
        return replace(base, body="x" * length)

    longest = bisect_left(range(LARGEST), 1, key=lambda n: isinstance(Fcm().draft(of(n)), Refused)) - 1
    assert payload_size(sent(of(longest))["message"]) in (LARGEST, LARGEST - 1), "a body may count twice"
    assert Fcm().sizes(of(longest))[0].size == payload_size(sent(of(longest))["message"])
    over = Fcm().draft(of(longest + 1))
    assert isinstance(over, Refused)
    assert re.search(r"is [12] bytes too long", over.reason)


def test_what_is_too_long_says_how_much_fits() -> None:
    refused = Fcm().draft(replace(PLAIN, body="x" * LARGEST))
    assert isinstance(refused, Refused)
    assert "bytes too long: 4096" in refused.reason


@pytest.mark.parametrize(
    ("registration", "member"),
    [
        ({"token": "abc:def"}, "token"),
        ({"fid": "cXyz123"}, "fid"),
        ({"topic": "news"}, "topic"),
        ({"condition": "'a' in topics && 'b' in topics"}, "condition"),
        ({"condition": "!('a' in topics)&&('b' in topics || ( !'c' in topics ))"}, "condition"),
    ],
)
def test_each_kind_of_target_has_its_member(registration: dict[str, str], member: str) -> None:
    to, origin = Fcm().address_from(registration, policy=HostPolicy(frozenset(), ()))
    assert origin == "https://fcm.googleapis.com"
    message = sent(PLAIN, to)["message"]
    assert message[member] == registration[member]
    assert len({"token", "fid", "topic", "condition"} & message.keys()) == 1


def test_a_topic_takes_half_as_much() -> None:
    topic, _ = Fcm().address_from({"topic": "news"}, policy=HostPolicy(frozenset(), ()))
    draft = Fcm().draft(replace(PLAIN, body="x" * 2_500))
    assert isinstance(draft, Draft)
    refused = Fcm().request(draft, topic, ENVELOPE, credential=CREDENTIAL, now=NOW)
    assert refused == Refused("payload_too_large")


@pytest.mark.parametrize(
    "registration",
    [
        {},
        {"token": ""},
        {"token": 7},
        {"token": "a b"},
        {"token": "a\r\nb"},
        {"token": "x" * 5_000},
        {"token": "0aF3" * 16},
        {"token": "0aF3" * 40},
        {"fid": "0aF3" * 16},
        {"token": "a", "fid": "b"},
        {"topic": "/topics/news"},
        {"topic": "a b"},
        {"condition": "true"},
        {"condition": "T"},
        {"condition": "\0"},
        {"condition": "'a' in topics 'b' in topics"},
        {"condition": "'a' in topics & & 'b' in topics"},
        {"condition": "('a' in topics"},
        {"condition": "'a' in topics ||"},
        {"condition": "'a b' in topics"},
        {"condition": "'a' in topicsx"},
        {"condition": " || ".join(f"'{name}' in topics" for name in "abcdef")},
    ],
)
def test_what_is_no_target_is_refused_by_code(registration: dict[str, object]) -> None:
    with pytest.raises(CatalogueError) as fault:
        Fcm().address_from(registration, policy=HostPolicy(frozenset(), ()))
    assert fault.value.code is ErrorCode.DEVICE_TOKEN_INVALID


@given(st.text(max_size=50))
def test_any_token_is_sent_as_it_is_or_not_taken(token: str) -> None:
    try:
        to, _ = Fcm().address_from({"token": token}, policy=HostPolicy(frozenset(), ()))
    except CatalogueError:
        return
    assert sent(PLAIN, to)["message"]["token"] == token
