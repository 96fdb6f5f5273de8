"""Templates by people who mean ill: each is refused when it is read, or bounded in its work, time and memory."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any

import pytest

from tidings.lib.liquid import LiquidFault, Reader, parse
from tidings.lib.liquid.cost import MOST_WORK, work_of
from tidings.lib.liquid.filters import LONGEST

SECONDS = 0.05
MEGABYTES = 10

LONG: dict[str, Any] = {
    "text": "ab ß" * 4_000,
    "list": ["x" * 100] * 1_000,
    "few": list(range(100)),
    "deep": {"a": [{"b": list(range(500))}] * 20},
    "number": 10**400,
    "float": 1e308,
    "user": {"name": "Ada", "tags": ["a", "b"]},
}

REFUSED = {
    "code of another language": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "a range of a thousand million": "{% for i in (1..1000000000) %}x{% endfor %}",
    "a range, joined": "{{ (1..100000000) | join: 'xxxxxxxx' }}",
    "a range that turns round": "{% for i in (1..1000000000) reversed %}{% endfor %}",
    "another template": "{% include 'secrets' %}",
    "another template, rendered": "{% render 'secrets' %}",
    "a tag of the library's": "{% tablerow i in list %}{% endtablerow %}",
    "a text kept": "{% capture a %}x{% endcapture %}",
    "raw words": "{% raw %}" * 200,
    "a counter": "{% increment a %}",
    "doubling by a filter that is not there": "{% assign a = 'x' | append: 'x' %}",
    "replacing": "{{ text | replace: 'a', 'aaaaaaaaaaaaaaaaaaaa' }}",
    "a format of a thousand million characters": "{{ 1 | date: '%1000000000d' }}",
    "base64": "{{ text | base64_encode }}",
    "loops in a wide body": "{% for i in list %}" + "{{ i | upcase }}" * 100 + "{% endfor %}",
    "blocks in blocks": "{% if a %}" * 100 + "{% endif %}" * 100,
    "loops in loops, too deep": "{% for i in list %}" * 20 + "{% endfor %}" * 20,
    "what is never closed": "{{" * 2_000,
    "a tag never closed": "{% if " * 600,
    "spaces without end": "{{" + " " * 4_000,
    "spaces between braces": "{{" + " " * 200 + "a}}",
    "brackets in brackets": "{{ a" + "[a" * 100 + "]" * 100 + " }}",
    "more than a template may be": "x" * 5_000,
    "more tags than there may be": "{{ a }}" * 400,
    "a chain of conditions": "{% if " + " and ".join(["a"] * 100) + " %}{% endif %}",
    "a name of the recipient's, set anew": "{% assign user = text %}{{ user.name }}",
    "an end without a beginning": "{% endfor %}{% endif %}",
    "a control character in a tag": "{{ a\x00 }}",
    "half of a surrogate in a tag": "{{ \ud800 | \udfff }}",
    "a number of four thousand digits": "{{ " + "9" * 3_000 + " | times: 2 }}",
    "an index that is no name": "{{ [0] }}",
}

BOUNDED = {
    "an attribute of an object": "{{ user.__class__ }}{{ user.name.__init__ }}{{ list.append }}",
    "the clock": "{{ now }}{{ today }}",
    "numbers without end": "{{ number }}",
    "numbers beyond numbers": "{{ float | times: 10 }}",
    "division by nothing": "{{ 1 | divided_by: 0 }}",
    "loops in loops": "{% for a in list %}{% for b in list %}x{% endfor %}{% endfor %}",
    "the widest loop": "{% for a in few %}" + "{% assign b = text | upcase %}" * 3 + "{% endfor %}",
    "the widest question": "{% for a in few %}" + "{% if text == b %}{% endif %}" * 6 + "{% endfor %}",
    "the widest search": "{% for a in few %}" + "{% if text contains 'bab' %}{% endif %}" * 6 + "{% endfor %}",
    "dates in a loop": "{% for a in few %}{% assign b = a | date: 'full' %}{% endfor %}",
    "a whole list": "{% for a in list %}{{ a }}{% endfor %}",
    "an empty loop over a long list": "{% for a in list reversed %}{% endfor %}",
    "letters that grow": "{{ text | upcase }}" * 12,
    "a long text, often": "{{ text }}" * 200,
    "a list in a text": "{{ list | join: text }}",
    "objects": "{{ deep }}",
    "comparing what is deep": "{% if deep == deep %}{% endif %}" * 60,
    "names set again and again": "{% assign a = text %}" * 150,
    "looking for a long text": "{% if text contains text %}{% endif %}" * 60,
    "a loop that begins before its beginning": "{% for a in list limit: -5 offset: -10 %}{% endfor %}",
    "a loop that goes on": "{% for a in list offset: continue %}{% endfor %}" * 2,
    "moments beyond time": "{{ number | date }}{{ float | date }}",
    "a plural of much": "{{ 1 | plural: other: '" + "#" * 200 + "' }}",
    "an overlong cut": "{{ text | truncate: 100000, text }}",
    "a dark currency": "{{ 1 | currency: text }}",
}


@pytest.mark.parametrize("source", REFUSED.values(), ids=REFUSED.keys())
def test_what_could_do_harm_is_refused_when_it_is_read(source: str) -> None:
    with pytest.raises(LiquidFault):
        _measured(lambda: parse(source, reserved={"user"}))


@pytest.mark.parametrize("source", BOUNDED.values(), ids=BOUNDED.keys())
def test_what_may_be_written_is_bounded(source: str) -> None:
    template = parse(source, reserved={"user"})
    reader = Reader("de", "Europe/Berlin")
    _fill("{{ 1 | currency: 'EUR' }}{{ 0 | date }}", reader)  # reads the language's rules, which stay

    def fill() -> str:
        try:
            return template.render(LONG, reader=reader, cut=True)
        except LiquidFault as fault:
            return fault.words

    result = _measured(fill)

    assert len(result) <= LONGEST
    if template._parsed is not None:
        assert work_of(template._parsed)[0] <= MOST_WORK


@pytest.mark.parametrize("source", [*REFUSED.values(), *BOUNDED.values()])
def test_nothing_of_the_server_shows(source: str) -> None:
    try:
        result = parse(source).render(LONG, cut=True)
    except LiquidFault as fault:
        result = str(fault)
    assert not any(word in result for word in ("<class", "object at 0x", "Traceback", "/lib/python"))


def _fill(source: str, reader: Reader) -> str:
    return parse(source).render(LONG, reader=reader, cut=True)


def _measured(work: Any) -> Any:
    tracemalloc.start()
    begun = time.thread_time()
    try:
        return work()
    finally:
        seconds = time.thread_time() - begun
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < MEGABYTES * 1_000_000
        assert seconds < SECONDS
