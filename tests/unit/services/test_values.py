"""The services' pure parts: origins, cursors, identities, devices, pace."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.domain.app import App
from tidings.domain.campaign import Counts
from tidings.domain.errors import CatalogueError
from tidings.services.apps import origin_from
from tidings.services.device import device_from
from tidings.services.identity import check_identity, identity_token
from tidings.services.notifications import pace_between
from tidings.services.paging import page_from, position_from

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
APP = App(1, "app_1", "My site", (), b"secret", NOW)


@pytest.mark.parametrize(
    ("given_as", "origin"),
    [
        ("https://www.example.com", "https://www.example.com"),
        (" HTTPS://WWW.Example.com:443/ ", "https://www.example.com"),
        ("https://example.com:8443", "https://example.com:8443"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_an_origin_is_kept_as_browsers_send_it(given_as: str, origin: str) -> None:
    assert origin_from(given_as) == origin


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "example.com",
        "https://",
        "https://*.example.com",
        "https://a/b",
        "https://a?b",
        "https://u@a",
        "http://a",
        "https://a:99999",
        "ftp://a",
        "null",
        "https://[::1",
        "https://exa mple.com",
        "https://a\tb.example",
        "https://example.com\\evil",
        "https://<script>.example",
        "https://a,b",
        "https://stra\u00dfe.example",
        "https://[fe80::1%25eth0]",
    ],
)
def test_what_is_no_origin_says_why(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        origin_from(text)


def test_a_page_ends_with_the_cursor_of_the_next() -> None:
    page = page_from([9, 8, 7], limit=2, position=lambda row: row)
    assert page.data == [9, 8]
    assert position_from(page.next_cursor) == 8
    assert page_from([9, 8], limit=2, position=lambda row: row).next_cursor is None
    assert position_from(None) == 0


@given(st.text(max_size=80))
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    try:
        position = position_from(text)
    except CatalogueError as fault:
        outcome: object = fault.code
    else:
        outcome = 0 < position < 2**63
    assert outcome in (True, "invalid_cursor")


def test_an_identity_is_signed_as_the_documentation_says() -> None:
    # printf 'u-42\n1800000000' | openssl dgst -sha256 -hmac secret
    token = "1800000000.5f0cd41cbd4e9ac62456f8d1c8ee1ad9387959a9ab1703b03959e72ecfa6642a"
    assert identity_token(b"secret", "u-42", expires=1_800_000_000) == token
    check_identity(APP, "u-42", token, now=datetime.fromtimestamp(1_800_000_000 - 60, UTC))


def refusal(user_id: str, token: str, app: App) -> str:
    with pytest.raises(CatalogueError) as refused:
        check_identity(app, user_id, token, now=NOW)
    assert refused.value.code == "identity_invalid"
    return refused.value.detail


def soon(seconds: float = 600) -> int:
    return int(NOW.timestamp() + seconds)


def test_an_identity_is_one_persons_of_one_app_for_a_while() -> None:
    token = identity_token(b"secret", "anna", expires=soon())
    check_identity(APP, "anna", token, now=NOW)
    assert "not signed" in refusal("berta", token, APP)
    assert "not signed" in refusal("anna ", token, APP)
    assert "not signed" in refusal("anna", token, replace(APP, identity_secret=b"of another App"))
    assert "expired" in refusal("anna", identity_token(b"secret", "anna", expires=soon(0)), APP)
    assert "31 days" in refusal("anna", identity_token(b"secret", "anna", expires=soon(32 * 86_400)), APP)
    assert "31 days" in refusal("anna", identity_token(b"secret", "anna", expires=999_999_999_999), APP)
    later = token.replace(str(soon()), str(soon(700)))
    assert "not signed" in refusal("anna", later, APP), "the expiry is signed too"
    for changed in (token.upper(), f"0{token}", f" {token}", f"{token}\n", token[:-1], "", ".", "1." + "0" * 64):
        refusal("anna", changed, APP)


def test_the_secret_before_holds_for_its_time_of_grace() -> None:
    old, new = (identity_token(secret, "anna", expires=soon()) for secret in (b"old", b"new"))
    app = replace(APP, identity_secret=b"new", earlier_secret=b"old", earlier_until=NOW + timedelta(hours=1))
    for token in (old, new):
        check_identity(app, "anna", token, now=NOW)
    assert "not signed" in refusal("anna", old, replace(app, earlier_until=NOW))
    assert "not signed" in refusal("anna", old, replace(app, earlier_secret=None, earlier_until=None))
    assert "not signed" in refusal("berta", old, app)


@given(st.text(max_size=120))
def test_no_text_is_an_identity_by_chance(token: str) -> None:
    with pytest.raises(CatalogueError) as refused:
        check_identity(APP, "u-42", token, now=NOW)
    assert refused.value.code == "identity_invalid"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/142.0 Safari/537.36",
            "Chrome on Windows",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/142.0 Safari/537.36 Edg/142.0", "Edge on Windows"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/26.0 Safari/605.1",
            "Safari on macOS",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/26.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit Chrome/142.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Linux"),
        ("curl/8.0", None),
    ],
)
def test_a_device_is_named_by_browser_and_system(agent: str, name: str | None) -> None:
    assert device_from(agent) == name


def test_the_pace_is_what_was_settled_between_two_looks() -> None:
    before, now = Counts(audience=100, sent=10), Counts(audience=100, sent=25, failed=5)
    pace = pace_between(before, now, seconds=2)
    assert pace is not None
    assert (pace.rate, pace.eta_seconds) == (10, 7)
    assert pace_between(before, before, seconds=2) is None
