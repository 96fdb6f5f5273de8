"""Templates: what they print, what they read, and what their faults say."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidings.lib.liquid import FILTERS, TAGS, LiquidFault, Reader, parse

GERMAN = Reader("de-AT", "Europe/Vienna")
VALUES: dict[str, Any] = {
    "user": {"name": "ada lovelace", "tags": ["red", "blue"], "age": 36},
    "items": [{"name": "Pen", "price": 2.5}, {"name": "Ink", "price": 4}],
    "count": 1_200,
    "missing": "",
    "at": "2026-03-29T00:30:00Z",
}

PRINTS = {
    "{{ user.name | capitalize }}": "Ada lovelace",
    "{{ nobody.name | default: 'friend' }}": "friend",
    "{{ missing | default: 'none' }}{{ user.age | default: 1 }}": "none36",
    "{{ user.name | upcase | truncate: 4 }}": "ADA…",
    "{{ user.name | truncatewords: 1 }}": "ada…",
    "{{ '  a ' | strip }}{{ 'AB' | downcase }}": "aab",
    "{{ count | plus: 1 | minus: 2 | times: 2 | divided_by: 3 }}": "799",
    "{{ 7 | divided_by: 2.0 | round: 1 }} {{ 2.5 | round }}": "3.5 3",
    "{{ user.tags | join }} {{ user.tags | first }} {{ user.tags | last }}": "red, blue red blue",
    "{{ user.tags | size }} {{ user.name | size }} {{ nothing | size }}": "2 12 0",
    "{{ user.tags.first }} {{ user.tags.size }} {{ user.tags[1] }}": "red 2 blue",
    "{% for one in items %}{{ one.name }}{% unless forloop.last %}, {% endunless %}{% endfor %}": "Pen, Ink",
    "{% for one in nothing %}x{% else %}no{% endfor %}": "no",
    "{% for one in items limit: 1 %}{{ one.name }}{% endfor %}": "Pen",
    "{% case user.age %}{% when 35, 36 %}yes{% else %}no{% endcase %}": "yes",
    "{% if user.tags contains 'red' and user.age > 30 %}a{% elsif x %}b{% else %}c{% endif %}": "a",
    "{% assign who = user.name | upcase %}{{ who }}": "ADA LOVELACE",
    "a{% comment %}{{ nothing of this }}{% endcomment %}b": "ab",
    "{{- 'a' -}}  b": "ab",
    "no gaps at all, not even { one }": "no gaps at all, not even { one }",
    "{{ true }} {{ nil }}|{{ 2.50 }}": "true |2.5",
    "{{ 1 | plural: one: '# Frage (neu)', other: '# Fragen' }}": "1 Frage (neu)",
    "{{ count | plural: one: '# Frage', other: '# Fragen' }}": "1.200 Fragen",
    "{{ count | number }} {{ 12.5 | currency: 'EUR' }}": "1.200 € 12,50",
    "{{ at | date: 'short' }}": "29.03.26, 01:30",
    "{{ at | date: 'time' }} {{ at | date: 'weekday' }} {{ at | date: 'day_month' }}": "01:30 Sonntag 29. März",
    "{{ '2026-12-24' | date }} {{ 0 | date: 'year' }}{{ nothing | date }}": "24.12.2026 1970",
}


@pytest.mark.parametrize(("source", "printed"), PRINTS.items(), ids=PRINTS.keys())
def test_a_template_prints(source: str, printed: str) -> None:
    assert parse(source).render(VALUES, reader=GERMAN).replace("\u202f", " ").replace("\xa0", " ") == printed


def test_plural_forms_follow_the_language() -> None:
    words = parse("{{ n | plural: one: 'wiadomość', few: 'wiadomości', many: 'wiadomości!', other: 'wiadomości?' }}")
    printed = [words.render({"n": n}, reader=Reader("pl")) for n in (1, 3, 5)]
    assert printed == ["wiadomość", "wiadomości", "wiadomości!"]


@pytest.mark.parametrize("language", ["", "xx", "de_CH", "../../etc/passwd", "e" * 500, "zh-Hant-TW"])
@pytest.mark.parametrize("zone", ["", "Mars/Base", "../../etc/passwd", "Asia/Kolkata", "\x00"])
def test_an_unknown_language_or_zone_is_no_fault(language: str, zone: str) -> None:
    assert parse("{{ at | date }}").render(VALUES, reader=Reader(language, zone))


def test_a_template_tells_which_variables_it_reads() -> None:
    source = (
        "{{ user.name }}{% for t in user.tags %}{{ t.x }}{% endfor %}{% assign u = actor %}{{ u.name }}"
        "{% if a.b[c.d].e == 1 %}{% elsif f %}{% endif %}{{ 1 | plus: g.h }}{% case i %}{% when j %}{% endcase %}"
    )
    read = {".".join(path) for path in parse(source).variables}
    assert read == {"user.name", "user.tags", "actor", "a.b", "c.d", "f", "g.h", "i", "j"}


def test_only_what_writes_moments_reads_the_zone() -> None:
    assert parse("{{ at | date }}").reads_zone
    assert not parse("{{ at }}").reads_zone


FAULTS = {
    "{{ a | upcas }}": "There is no filter 'upcas'; did you mean 'upcase'?",
    "\n\n{% iff a %}": "Line 3: There is no tag 'iff'; did you mean 'if'?",
    "{{ a | truncate: 1, 2, 3 }}": "The filter 'truncate' takes 0 to 2 values, not 3.",
    "{{ a | upcase: 1 }}": "The filter 'upcase' takes 0 values, not 1.",
    "\n{{ a | plural: one: 'x' }}": "Line 2: The filter 'plural' needs a form for all other numbers: "
    'other: "# things".',
    "{{ a | plural: once: 'x', other: 'y' }}": "The filter 'plural' has no argument 'once'; "
    "it takes zero, one, two, few, many, other.",
    "{{ a": "{{ is not closed: }} is missing within 300 characters.",
    "{{ }}": "There is nothing between the braces; write a variable's name.",
    "{% for a in b %}": "Expected tag endfor, found end of expression.",
    "{% for user in b %}{% endfor %}{{ user }}{% assign user = 1 %}": "'user' is a variable already; assign to "
    "another name.",
}


@pytest.mark.parametrize(("source", "words"), FAULTS.items(), ids=FAULTS.keys())
def test_a_fault_says_what_is_wrong_and_where(source: str, words: str) -> None:
    with pytest.raises(LiquidFault) as caught:
        parse(source, reserved={"user"})
    assert str(caught.value) == words


def test_what_is_filled_into_a_url_stays_in_its_place() -> None:
    link = parse("https://example.com/{{ room }}?q={{ q }}", url=True)
    assert link.render({"room": "../a b", "q": "1&x=2#y"}) == "https://example.com/..%2Fa%20b?q=1%26x%3D2%23y"


def test_a_value_that_begins_a_url_is_taken_whole() -> None:
    assert parse("{{ page }}#{{ at }}", url=True).render({"page": " https://example.com/a?b=c ", "at": "x y"}) == (
        "https://example.com/a?b=c#x%20y"
    )


def test_a_result_is_cut_or_a_fault() -> None:
    words = parse("{{ a }} and so on")
    assert words.render({"a": "one two three"}, most=8, cut=True) == "one two…"
    with pytest.raises(LiquidFault, match="longer than 8"):
        words.render({"a": "one two three"}, most=8)
    assert parse("no gaps").render({}, most=3, cut=True) == "no…"


_pieces = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["{{", "}}", "{%", "%}", "|", ":", ",", "[", "]", "(1..9)", ".", "'", '"', "-", "\n", " ", "=="]),
    st.sampled_from([*TAGS, *FILTERS, *(f"end{tag}" for tag in TAGS), "else", "when", "elsif", "in", "contains"]),
    st.sampled_from(
        ["user", "user.name", "items", "count", "forloop.parentloop", "blank", "empty", "nil", "99", "1e9"]
    ),
)
_whole = st.lists(
    st.one_of(
        _pieces,
        st.lists(_pieces, max_size=6).map(lambda parts: "{{ " + " ".join(parts) + " }}"),
        st.lists(_pieces, max_size=6).map(lambda parts: "{% " + " ".join(parts) + " %}"),
        st.builds(
            lambda name, form: "{{ " + name + " | " + form + " }}",
            st.sampled_from(["user", "items", "count", "'x'", "9.5"]),
            st.sampled_from([*FILTERS, "round: count", "truncate: items", "plural: other: user", "currency: items"]),
        ),
    ),
    max_size=12,
).map("".join)


@settings(max_examples=400, deadline=None)
@given(_whole, st.booleans())
def test_no_text_raises_anything_else(source: str, url: bool) -> None:
    with suppress(LiquidFault):
        parse(source, url=url, reserved={"user"}).render(VALUES, reader=GERMAN)
