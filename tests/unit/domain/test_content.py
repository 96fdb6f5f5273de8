"""What a notification may say and where it may lead."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.domain.content import ContentFault, findings, image_fault, link_fault, text_fault
from tidings.domain.message import Action, Message, Translation

GOOD = Message(
    title="Grüße",
    body="Zwei\nZeilen",
    url="https://www.example.com/a?b=c#d",
    icon="https://www.example.com/i.png",
    image="https://www.example.com/i.jpg",
    actions=(Action("yes", "Yes", "https://www.example.com/yes"), Action("no", "No")),
    locales={"de": Translation("Hallo", "Welt")},
)


@pytest.mark.parametrize(
    "url",
    [
        "https://www.example.com",
        "https://www.example.com/a?b=https://c@d#e",
        "HTTPS://EXAMPLE.com/",
        "https://example.com:8443/x",
        "https://bücher.example/straße?q=ü",
        "https://xn--bcher-kva.example",
        "https://192.0.2.7/",
        "https://[2001:db8::1]:8443/",
        "http://localhost:3000/x",
        "http://127.0.0.1/",
        "http://[::1]:3000/",
        "http://app.localhost/",
        "https://example.com/" + "x" * 1_000,
    ],
)
def test_links_that_a_browser_may_open_pass(url: str) -> None:
    assert link_fault(url) is None


BAD_LINKS = [
    "",
    "/relative",
    "//example.com",
    "https:example.com",
    "https:///example.com",
    "https://",
    "https://?x",
    "http://www.example.com",
    "http://127.0.0.1.example.com/",
    "http://localhost.example.com/",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "\tjavascript:alert(1)",
    " https://example.com",
    "https://example.com ",
    "https://exa mple.com",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "intent://x#Intent;scheme=http;end",
    "blob:https://example.com/1",
    "ftp://example.com",
    "https:\\\\example.com",
    "https://example.com\\@evil.example",
    "https://user@example.com",
    "https://user:word@example.com/",
    "https://www.example.com@evil.example",
    "https://example.com:99999",
    "https://example.com:port",
    "https://example.com:",
    "https://exa<mple.com",
    "https://exam%70le.com",
    "https://example..com",
    "https://[::1",
    "https://[nonsense]/",
    "https://example.com/\x00",
    "https://example.com/\x7f",
    "https://example.com/\x85",
    "https://example.com/\u202egnp.exe",
    "https://example.com/\u200b",
    "https://example.com/\u2028",
    "https://example.com/\ud800",
    "https://ex\u00adample.com/",
    "https://example\u3002com/",
    "https://a/" + "x" * 2_000,
]


@pytest.mark.parametrize("url", BAD_LINKS)
def test_links_that_mislead_or_run_something_are_refused_in_words(url: str) -> None:
    words = link_fault(url)
    assert words is not None
    assert words.endswith(".")


@pytest.mark.parametrize("url", [*BAD_LINKS, "http://example.com/i.png"])
def test_pictures_come_over_https_alone(url: str) -> None:
    assert image_fault(url) is not None
    assert image_fault("https://www.example.com/i.png") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "It's 10:40 — Grüße, žluťoučký kůň",
        "שלום\u200f עולם",
        "مرحبا \u2068Tidings\u2069!",
        "می\u200cخواهم",  # noqa: RUF001 - Persian
        "👩\u200d🚀 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f ❤\ufe0f",
        "soft\u00adhyphen",
    ],
)
def test_what_people_write_in_any_script_passes(text: str) -> None:
    assert text_fault(text, one_line=True) is None


@pytest.mark.parametrize(
    "text",
    [
        "bell\x07",
        "escape \x1b[31m",
        "nul\x00",
        "next\x85line",
        "para\u2029graph",
        "invoice\u202efdp.exe",
        "\u202dleft\u202c",
        "\u2066never ended",
        "ended\u2069 and not begun",
        "\u2067crossed \u202a over\u2069\u202c",
        "obsolete \u206a",
        "half \udc00",
    ],
)
def test_what_shows_another_text_than_it_says_is_refused(text: str) -> None:
    for one_line in (True, False):
        words = text_fault(text, one_line=one_line)
        assert words is not None
        assert words.endswith(".")


def test_only_a_body_has_lines() -> None:
    assert text_fault("one\r\ntwo\tthree", one_line=False) is None
    assert text_fault("one\ntwo", one_line=True) == "Write it in one line."


@pytest.mark.parametrize(
    ("change", "field", "fault"),
    [
        ({"url": "javascript:x"}, "url", ContentFault.UNSAFE_LINK),
        ({"actions": (Action("a", "A"), Action("b", "B", "data:x"))}, "actions.1.url", ContentFault.UNSAFE_LINK),
        ({"icon": "http://example.com/i.png"}, "icon", ContentFault.UNSAFE_IMAGE),
        ({"image": "file:///x"}, "image", ContentFault.UNSAFE_IMAGE),
        ({"title": "a\nb"}, "title", ContentFault.UNSAFE_TEXT),
        ({"body": "\u202e"}, "body", ContentFault.UNSAFE_TEXT),
        ({"actions": (Action("a", "\x1b"),)}, "actions.0.title", ContentFault.UNSAFE_TEXT),
        ({"locales": {"de": Translation(title="\u202d")}}, "locales.de.title", ContentFault.UNSAFE_TEXT),
        ({"locales": {"de": Translation(body="\x08")}}, "locales.de.body", ContentFault.UNSAFE_TEXT),
    ],
)
def test_every_part_of_a_message_is_looked_at(change: dict[str, object], field: str, fault: ContentFault) -> None:
    assert list(findings(GOOD)) == []
    (found,) = findings(replace(GOOD, **change))  # type: ignore[arg-type]
    assert (found.field, found.fault) == (field, fault)


@given(st.text(max_size=60))
def test_any_text_is_judged_without_an_error(text: str) -> None:
    for words in (link_fault(text), link_fault("https://" + text), text_fault(text, one_line=False)):
        assert words is None or words.endswith(".")


@given(st.text(max_size=30))
def test_a_link_that_passes_has_one_host_for_every_parser(rest: str) -> None:
    url = "https://example.com" + rest
    if link_fault(url) is None and rest[:1] in ("", "/", "?", "#", ":"):
        from urllib.parse import urlsplit

        assert urlsplit(url).hostname == "example.com"
        assert urlsplit(url).username is None
