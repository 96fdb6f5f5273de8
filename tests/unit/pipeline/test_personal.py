"""What a templated message says to whom."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from tidings.domain.content import LONGEST_TITLE, ContentFault
from tidings.domain.message import Action, Message, Templated, Translation
from tidings.domain.person import NOBODY, Person
from tidings.domain.platforms import Android, Apns, Platforms, Web
from tidings.pipeline.personal import Unrenderable, Words, faults

ADA = Person("u-1", {"name": "Ada", "plan": "pro"}, locale="de", time_zone="Europe/Berlin")
REPLY = Message(
    title="{{ author.name }} replied",
    body="{{ user.name | default: 'Hello' }}, see {{ topic.title }} ({{ at | date: 'time' }})",
    url="https://example.com/t/{{ topic.id }}?for={{ user.id }}",
    actions=(Action("open", "Open"), Action("mute", "{% if topic.muted %}{% else %}Mute{% endif %}")),
    collapse_id="topic-{{ topic.id }}",
    data={"topic": "{{ topic.id }}", "deep": [{"by": "{{ author.name }}"}], "n": 1},
    locales={"de": Translation(title="{{ author.name }} hat geantwortet", actions={"open": "Öffnen"})},
    templated=Templated(
        {"author": {"name": "Grace"}, "topic": {"id": "a/b", "title": "Tides"}, "at": "2026-07-01T10:00:00Z"}
    ),
)


def _with(**changes: Any) -> Words:
    return Words(replace(REPLY, **changes))


def test_everything_is_filled_in() -> None:
    written = Words(REPLY).render(None, ADA)
    assert (written.title, written.body) == ("Grace replied", "Ada, see Tides (12:00\u202fPM)")
    assert written.url == "https://example.com/t/a%2Fb?for=u-1"
    assert written.actions == (Action("open", "Open"), Action("mute", "Mute"))
    assert written.collapse_id == "topic-a/b"
    assert written.data == {"topic": "a/b", "deep": [{"by": "Grace"}], "n": 1}


def test_a_variant_says_what_it_has_and_the_message_the_rest() -> None:
    written = Words(REPLY).render("de", ADA)
    assert (written.title, written.body) == ("Grace hat geantwortet", "Ada, see Tides (12:00)")
    assert [one.title for one in written.actions] == ["Öffnen", "Mute"]


@pytest.mark.parametrize(
    ("device", "person", "otherwise", "chosen"),
    [
        ("de-AT", None, None, "de"),
        ("en-GB", "de", None, None),
        ("fr", "de_CH", None, "de"),
        ("fr", None, "de", "de"),
        ("fr", "it", "nl", None),
        (None, None, None, None),
    ],
    ids=["device", "its own words", "person", "App", "nobody's", "unknown"],
)
def test_the_language_is_the_devices_else_the_persons_else_the_apps(
    device: str | None, person: str | None, otherwise: str | None, chosen: str | None
) -> None:
    words = _with(templated=Templated({}, otherwise=otherwise))
    assert words.language_for(device, Person(locale=person)) == chosen


def test_platforms_have_words_of_their_own() -> None:
    platforms = Platforms(
        android=Android(title="{{ author.name }}"),
        apns=Apns(subtitle="{{ topic.title }}", sound="tide.aiff"),
        webpush=Web(url="https://example.com/{{ topic.id }}"),
    )
    written = _with(platforms=platforms).render(None).platforms
    assert written == Platforms(
        Android(title="Grace"), Apns(subtitle="Tides", sound="tide.aiff"), Web(url="https://example.com/a%2Fb")
    )


def test_whoever_has_the_same_values_is_told_the_same() -> None:
    words = _with(body="{{ user.name }}", url=None)
    same = replace(ADA, external_id="u-2", attributes={"name": "Ada", "plan": "free"}, time_zone="Asia/Tokyo")
    other = replace(ADA, attributes={"name": "Bob"})
    assert words.used(None, ADA) == words.used(None, same) != words.used(None, other)
    assert _with(body="{{ at | date }}", url=None).used(None, ADA) != _with(body="{{ at | date }}", url=None).used(
        None, same
    )
    assert _with(body="{{ at }}", url=None).used(None, ADA) is None


def test_a_title_is_one_line_and_too_long_texts_are_cut_and_named() -> None:
    cuts: list[str] = []
    written = _with(title="{{ user.name }}").render(None, replace(ADA, attributes={"name": "A\n b " * 100}), cuts=cuts)
    assert (len(written.title), written.title[:5], cuts) == (LONGEST_TITLE, "A b A", ["title"])


LINK = "{{ user.home }}"


@pytest.mark.parametrize(
    ("changes", "attributes", "field", "fault"),
    [
        ({"url": LINK}, {"home": "javascript:alert(1)"}, "url", ContentFault.UNSAFE_LINK),
        ({"url": LINK}, {"home": "https://user:pw@example.com"}, "url", ContentFault.UNSAFE_LINK),
        ({"icon": LINK}, {"home": "http://example.com/i.png"}, "icon", ContentFault.UNSAFE_IMAGE),
        ({"title": LINK}, {"home": "a\u202eb"}, "title", ContentFault.UNSAFE_TEXT),
        ({"title": LINK}, {}, "title", ContentFault.TEMPLATE_FAILED),
        ({"body": "{{ user.n | plus: 1 }}"}, {"n": "many"}, "body", ContentFault.TEMPLATE_FAILED),
        ({"body": "{{ user.home }}"}, {"home": {"a": 1}}, "body", ContentFault.TEMPLATE_FAILED),
        ({"collapse_id": LINK}, {"home": "x" * 65}, "collapse_id", ContentFault.TEMPLATE_FAILED),
    ],
)
def test_attributes_are_never_trusted(
    changes: dict[str, str], attributes: dict[str, Any], field: str, fault: ContentFault
) -> None:
    with pytest.raises(Unrenderable) as caught:
        _with(**changes).render(None, Person("u", attributes))
    assert (caught.value.field, caught.value.fault) == (field, fault)


def test_a_link_that_is_left_empty_is_none() -> None:
    assert _with(url="{% if topic.url %}{{ topic.url }}{% endif %}").render(None, NOBODY).url is None


def test_texts_that_do_too_much_together_are_refused_and_their_field_is_named() -> None:
    loop = "{% for a in few %}{% assign b = text | upcase %}{% endfor %}"
    variables = {"text": "ab ß" * 4_000, "few": list(range(100))}
    within = replace(REPLY, body=loop, templated=Templated(variables))
    assert list(faults(within)) == []
    hostile = replace(within, data={"n": {str(n): loop for n in range(50)}})
    (fault,) = faults(hostile)
    assert (fault.field.partition(".")[0], "together do too much" in fault.message) == ("data", True)
    with pytest.raises(Unrenderable, match="together do too much"):
        Words(hostile)
    # What is in the database already costs no more than it may: a variant can be too much by itself.
    (fault,) = faults(
        replace(within, data={str(n): loop for n in range(5)}, locales={"de": Translation(body=loop * 8)})
    )
    assert fault.field.startswith(("locales.de.", "data."))


@pytest.mark.parametrize("loop", ["{% assign b = text | upcase %}", "{% if text contains 'bab' %}{% endif %}"])
def test_a_message_is_written_within_its_time_whatever_it_says(loop: str) -> None:
    variables = {"text": "ab ß" * 4_000, "few": list(range(100))}
    data: dict[str, Any] = {}
    for n in range(50):
        more = {**data, str(n): f"{{% for a in few %}}{loop}{{% endfor %}}"}
        if list(faults(replace(REPLY, data=more))):
            break
        data = more
    assert 0 < len(data) < 50
    words = Words(replace(REPLY, title="Tide", data=data, templated=Templated(variables)))
    begun = time.thread_time()
    words.render(None, ADA)
    assert time.thread_time() - begun < 3 * 0.05


def test_what_cannot_be_read_is_named_by_its_field() -> None:
    broken = replace(
        REPLY,
        body="{{ a | nope }}",
        locales={"de": Translation(title="{% if %}", actions={"mute": "{{"})},
        data={"x": "{%"},
    )
    found = {one.field for one in faults(broken)}
    assert found == {"body", "data.x", "locales.de.title", "locales.de.actions.mute"}
    with pytest.raises(Unrenderable):
        Words(broken)
