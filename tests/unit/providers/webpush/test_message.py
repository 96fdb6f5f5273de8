"""The payload: what WebKit's parser takes, what the service worker reads, and how little differs between recipients."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.domain.message import Action, Rendered, Urgency
from tidings.domain.outcome import Refused
from tidings.providers import Draft, Envelope
from tidings.providers.webpush.message import draft_from, payload_from, topic_from

ENVELOPE = Envelope("0123456789abcdef0123456789abcdef", "AAAA-bbb_CCC0123", 3600)
OTHER = Envelope("f" * 32, "z" * 16, 60)
FULL = Rendered(
    title='Grüße "an" \\ euch 🎉',
    body="line\nline",
    url="https://www.example.com/inbox?a=1&b=2",
    icon="https://www.example.com/icon.png",
    image="https://www.example.com/image.jpg",
    badge_count=3,
    actions=(Action("yes", "Yes", "https://www.example.com/yes"), Action("no", "No")),
    urgency=Urgency.HIGH,
    collapse_id=None,
    language="de-AT",
    data={"order": 7, "nothing": None, "tag": '","d":"'},
)
BARE = Rendered("Title", "", None, None, None, None, (), Urgency.NORMAL, None, None, {})


def payload(rendered: Rendered, envelope: Envelope = ENVELOPE) -> dict[str, Any]:
    draft = draft_from(rendered)
    assert isinstance(draft, Draft)
    read: dict[str, Any] = json.loads(payload_from(draft, envelope))
    return read


def webkit_takes(message: dict[str, Any]) -> bool:
    """The checks of WebKit's NotificationJSONParser: one wrongly typed member and the message is not declarative."""
    notification = message.get("notification")
    if message.get("web_push") != 8030 or isinstance(message["web_push"], str) or not isinstance(notification, dict):
        return False
    texts = ("title", "navigate", "body", "lang", "tag", "icon")
    absolute = [notification.get("navigate"), *([notification["icon"]] if "icon" in notification else [])]
    return (
        all(isinstance(notification[name], str) for name in texts if name in notification)
        and bool(notification.get("title"))
        and all(urlsplit(str(url)).scheme == "https" and urlsplit(str(url)).netloc for url in absolute)
        and isinstance(notification.get("app_badge", 0), int)
        and notification.get("app_badge", 0) >= 0
    )


def test_the_payload_has_every_part_in_its_place() -> None:
    assert payload(FULL) == {
        "web_push": 8030,
        "notification": {
            "title": FULL.title,
            "body": FULL.body,
            "navigate": FULL.url,
            "lang": "de-AT",
            "icon": FULL.icon,
            "app_badge": 3,
            "data": FULL.data,
            "tag": ENVELOPE.delivery_id,
        },
        "tidings": {
            "a": [
                {"id": "yes", "title": "Yes", "url": "https://www.example.com/yes"},
                {"id": "no", "title": "No"},
            ],
            "i": FULL.image,
            "d": ENVELOPE.delivery_id,
            "t": ENVELOPE.receipt_token,
        },
    }
    assert webkit_takes(payload(FULL))


def test_what_a_message_lacks_is_left_out() -> None:
    assert payload(BARE) == {
        "notification": {"title": "Title", "body": "", "tag": ENVELOPE.delivery_id},
        "tidings": {"d": ENVELOPE.delivery_id, "t": ENVELOPE.receipt_token},
    }


def test_without_a_page_to_open_it_is_not_declarative_and_has_the_same_shape() -> None:
    message = payload(replace(FULL, url=None))
    assert not webkit_takes(message)
    assert "web_push" not in message
    assert "navigate" not in message["notification"]
    assert message["tidings"] == payload(FULL)["tidings"]


def test_a_badge_of_zero_is_sent_because_it_clears() -> None:
    assert payload(replace(BARE, badge_count=0))["notification"]["app_badge"] == 0


def test_a_collapse_id_is_the_tag_and_its_hash_the_topic() -> None:
    draft = draft_from(replace(FULL, collapse_id='inbox "42"'))
    assert isinstance(draft, Draft)
    assert draft.collapse_id == topic_from('inbox "42"')
    message = json.loads(payload_from(draft, ENVELOPE))
    assert message["notification"]["tag"] == 'inbox "42"'
    assert message["tidings"]["d"] == ENVELOPE.delivery_id


@given(st.text())
def test_a_topic_is_always_32_hex_characters(collapse_id: str) -> None:
    topic = topic_from(collapse_id)
    assert len(topic) == 32
    assert set(topic) <= set("0123456789abcdef")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(
    title=st.text(min_size=1, max_size=80),
    body=st.text(max_size=80),
    tag=st.none() | st.text(max_size=40),
    data=st.dictionaries(st.text(max_size=20), VALUES, max_size=3),
    actions=st.lists(
        st.builds(Action, st.text(max_size=9), st.text(max_size=9), st.none() | st.text(max_size=9)), max_size=3
    ),
)
def test_any_message_is_valid_json_and_says_what_its_author_wrote(
    title: str, body: str, tag: str | None, data: dict[str, Any], actions: list[Action]
) -> None:
    rendered = replace(FULL, title=title, body=body, collapse_id=tag, data=data, actions=tuple(actions))
    draft = draft_from(rendered)
    if isinstance(draft, Refused):
        return
    message = json.loads(payload_from(draft, ENVELOPE))
    notification, extra = message["notification"], message["tidings"]
    assert (notification["title"], notification["body"]) == (title, body)
    assert notification["tag"] == (ENVELOPE.delivery_id if tag is None else tag)
    assert notification.get("data", {}) == data
    assert [(one["id"], one["title"], one.get("url")) for one in extra.get("a", [])] == [
        (one.id, one.title, one.url) for one in actions
    ]
    assert (extra["d"], extra["t"]) == (ENVELOPE.delivery_id, ENVELOPE.receipt_token)


@pytest.mark.parametrize("rendered", [FULL, BARE, replace(FULL, collapse_id="x")])
def test_the_payloads_of_two_recipients_are_equally_long(rendered: Rendered) -> None:
    draft = draft_from(rendered)
    assert isinstance(draft, Draft)
    assert len(payload_from(draft, ENVELOPE)) == len(payload_from(draft, OTHER))


def test_the_largest_message_is_drafted_and_one_byte_more_is_refused() -> None:
    rest = 3993 - len(json.dumps(payload(BARE), separators=(",", ":")).encode())
    largest = draft_from(replace(BARE, body="x" * rest))
    assert isinstance(largest, Draft)
    assert len(payload_from(largest, ENVELOPE)) == 3993
    assert draft_from(replace(BARE, body="x" * (rest + 1))) == Refused("is 1 bytes too long: 3993 fit into a push")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}])
def test_data_that_is_not_json_is_refused(value: object) -> None:
    assert isinstance(draft_from(replace(BARE, data={"x": value})), Refused)


def test_half_a_surrogate_pair_becomes_a_question_mark() -> None:
    assert payload(replace(BARE, title="a\ud83db"))["notification"]["title"] == "a?b"
