"""Whatever the browsers of visitors send in headers, addresses and forms is read, or refused as documented."""

from __future__ import annotations

import asyncio
import string
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urlsplit

from hypothesis import example, given
from hypothesis import strategies as st
from starlette.requests import Request
from tests.unit.web.test_strangers import asked, tried

from tidings.domain.app import App
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.lib.clock import FixedClock
from tidings.services.apps import origin_from
from tidings.services.identity import identity_token
from tidings.services.paging import word_from
from tidings.services.region import locale_from
from tidings.web.caching import is_fresh, takes_gzip
from tidings.web.public.door import is_allowed
from tidings.web.public.feed import FIRST, MOST, _limit
from tidings.web.public.languages import languages_of
from tidings.web.public.page import MOST_FORM, form_of
from tidings.web.public.person import LONGEST, person_of

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SITE = App(1, "app_1", "Site", identity_secret=b"0" * 64, origins=("https://www.example.org",), created_at=NOW)
HEADER = st.binary(max_size=80)
SOUP = st.lists(st.sampled_from([*",;=q01.*-_ \"'", "de", "en-GB", "gzip", "W/", "%00", "%ff", "\xff"])).map("".join)


def visited(**headers: bytes) -> Request:
    container = SimpleNamespace(
        clock=FixedClock(NOW), limiter=None, settings=SimpleNamespace(base_url="https://push.example.com")
    )
    app = SimpleNamespace(state=SimpleNamespace(container=container))
    lines = [(name.replace("_", "-").encode(), value) for name, value in headers.items()]
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "scheme": "https", "query_string": b""}
    return Request({**scope, "headers": [(b"host", b"push.example.com"), *lines], "app": app})


@given(user=HEADER | st.text(max_size=210).map(lambda text: quote(text, errors="replace").encode()), token=HEADER)
@example(b"%ed%a0%80", b"1.a")
@example(b"%00", b"1.a")
@example(b"%", b"9" * 300)
def test_who_a_page_says_that_somebody_is(user: bytes, token: bytes) -> None:
    read = tried(lambda: asyncio.run(person_of(visited(tidings_user=user, tidings_token=token), SITE)), CatalogueError)
    assert isinstance(read, CatalogueError)  # none of them is signed
    assert read.code in (ErrorCode.IDENTITY_REQUIRED, ErrorCode.IDENTITY_INVALID)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=LONGEST))
def test_any_name_that_is_signed_is_read_as_it_was_written(user: str) -> None:
    token = identity_token(SITE.identity_secret, user, expires=int(NOW.timestamp()) + 60)
    request = visited(tidings_user=quote(user, safe="").encode(), tidings_token=token.encode())
    read = tried(lambda: asyncio.run(person_of(request, SITE)), CatalogueError)
    assert read == user or (isinstance(read, CatalogueError) and "\ufffd" in user)


@given(HEADER | st.sampled_from([b"https://www.example.org", b"null", b"http://localhost:3000", b"http://[::1"]))
@example(b"https://www.example.org.evil.example")
@example(b"https://www.example.org@evil.example")
@example("https://www.example.org\xa0".encode("latin-1"))
def test_an_origin_of_a_page(origin: bytes) -> None:
    request = visited(origin=origin)
    allowed = is_allowed(request.headers["origin"], SITE, request)
    assert allowed == (origin in (b"https://www.example.org", b"https://push.example.com"))


@given(HEADER)
def test_an_origin_where_none_is_set_is_this_machines(origin: bytes) -> None:
    request = visited(origin=b"http://" + origin)
    if is_allowed(request.headers["origin"], replace(SITE, origins=()), request):
        host = urlsplit(request.headers["origin"]).hostname or ""
        assert host in ("localhost", "127.0.0.1", "::1", "push.example.com") or host.endswith(".localhost")


@given(st.text(max_size=60) | st.text(string.ascii_lowercase + ":/.[]@-xn0", max_size=30).map("https://{}".format))
def test_an_origin_that_an_administrator_types(text: str) -> None:
    origin = tried(lambda: origin_from(text), ValueError)
    if isinstance(origin, ValueError):
        assert str(origin)
    else:
        assert origin == origin_from(origin)
        assert origin.isascii()
        assert urlsplit(origin).path == ""


@given(SOUP | st.text(max_size=60))
def test_languages_and_what_a_browser_has_already(text: str) -> None:
    request = visited(
        accept_language=text.encode("latin-1", "replace"),
        accept_encoding=text.encode("latin-1", "replace"),
        if_none_match=text.encode("latin-1", "replace"),
    )
    assert all(locale_from(tag) == tag for tag in languages_of(request))
    assert takes_gzip(request) in (True, False)
    assert is_fresh(request, '"never"') is (text.strip() == "*")


@given(st.none() | st.text(max_size=12) | st.text("0123456789", max_size=9))
@example("0001" + "0" * 5_000)
@example("00011000000")
def test_how_many_items_a_page_asks_for(text: str | None) -> None:
    read = tried(lambda: _limit(text), CatalogueError)
    if isinstance(read, int):
        assert 0 < read <= MOST
        assert read == (FIRST if text is None else int(text))
    else:
        assert read.code is ErrorCode.INVALID_REQUEST


@given(st.text(max_size=40) | st.binary(max_size=30).map(lambda raw: raw.hex()))
def test_a_cursor_of_a_list_that_is_in_the_order_of_words(text: str) -> None:
    read = tried(lambda: word_from(text), CatalogueError)
    if isinstance(read, CatalogueError):
        assert read.code is ErrorCode.INVALID_CURSOR
    else:
        assert read
        assert "\0" not in read


@given(
    st.binary(max_size=200) | st.lists(st.sampled_from([b"&", b"=", b"undo", b"1", b"%", b"%ff", b"+"])).map(b"".join)
)
@example(b"&" * MOST_FORM)
@example(b"=" * (MOST_FORM + 1))
def test_a_form_of_a_page(content: bytes) -> None:
    read = tried(lambda: asyncio.run(form_of(asked(content, []))), CatalogueError)
    if isinstance(read, CatalogueError):
        assert (read.code, len(content) > MOST_FORM) == (ErrorCode.BODY_TOO_LARGE, True)
    else:
        assert all(values for values in read.values())
