"""Whatever is uploaded, and whatever a header or a provider says: a value, or the error that is documented."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.lib.id_token import TokenRefused, key_id_of, verified_claims
from tidings.providers.apns import opening
from tidings.providers.apns.credential import credential_from as apns_from
from tidings.providers.fcm.settings import account_from
from tidings.services.oidc_sign_in import local_path
from tidings.web.api.notifications import idempotency_key
from tidings.web.callers import address_of

T = TypeVar("T")
E = TypeVar("E", bound=Exception)


def tried(read: Callable[[], T], error: type[E]) -> T | E:
    """Give what was read, or the error that is documented; any other one fails the test."""
    try:
        return read()
    except error as refused:
        return refused


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=6),
    max_leaves=15,
)
UPLOAD_REFUSALS = {ErrorCode.CREDENTIALS_INVALID, ErrorCode.INVALID_REQUEST}
NAMES = {"key_id": "ABC123DEFG", "team_id": "DEF123GHIJ", "bundle_id": "com.example.app"}
P8 = "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n"
# How a PKCS#12 file begins: version 3, and a content that says its length.
PKCS12 = bytes.fromhex("308203020201033082")


@given(st.text(max_size=300) | st.binary(max_size=150).map(lambda raw: P8.format(base64.b64encode(raw).decode())))
@example(P8.format("A" * 9_000))
@example(P8.format(""))
@example("AQ")
@example("A" * 42 + "E")
def test_a_key_of_apple(text: str) -> None:
    with pytest.raises(CatalogueError) as refused:
        apns_from({"key": text, **NAMES})
    assert refused.value.code in UPLOAD_REFUSALS
    assert len(text) < 20 or text not in refused.value.detail, "it says nothing of the key"


@given(
    st.dictionaries(st.sampled_from([*NAMES, "key", "certificate", "password", "environment"]), st.text(max_size=60))
)
def test_any_fields_of_apple(fields: dict[str, str]) -> None:
    # A certificate that is one in form is opened in a process of its own; below is what that does.
    fields = {**fields, "certificate": ""} if fields.get("certificate") else fields
    with pytest.raises(CatalogueError) as refused:
        apns_from(fields)
    assert refused.value.code in UPLOAD_REFUSALS


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda tail: PKCS12 + tail), st.binary(max_size=20))
@example(b"", b"")
@example(b"\x30" * 400, b"x")
def test_a_certificate_of_apple(data: bytes, password: bytes) -> None:
    codes = {opening.WRONG, opening.UNREADABLE, opening.NO_KEY, opening.NO_CERTIFICATE, opening.OTHER_KEY}
    assert opening._pem_from(data, password) in codes


@given(st.text(max_size=200) | JSON.map(json.dumps) | st.dictionaries(
    st.sampled_from(["type", "project_id", "private_key", "private_key_id", "client_email", "token_uri"]), JSON,
).map(json.dumps))  # fmt: skip
@example("[" * 5_000)
@example('{"type": "service_account", "private_key": "' + "A" * 5_000 + '"}')
@example("1" * 5_000)
def test_a_service_account(text: str) -> None:
    with pytest.raises(CatalogueError) as refused:
        account_from(text)
    assert refused.value.code in UPLOAD_REFUSALS
    assert len(text) < 30 or text not in refused.value.detail


@given(st.text(max_size=200))
@example("\x7f")
@example("é")
@example(" ")
def test_an_idempotency_key(text: str) -> None:
    read = tried(lambda: asyncio.run(idempotency_key(text)), CatalogueError)
    if isinstance(read, CatalogueError):
        assert read.code is ErrorCode.IDEMPOTENCY_KEY_INVALID
    else:
        assert read == text
        assert 1 <= len(text) <= 128
        assert text.isprintable()
        assert text.isascii()


PLACES = st.sampled_from(["10.0.0.7", "203.0.113.9", "::1", "[2001:db8::1]:443", "1.2.3.4:5", "unknown", "_x", " ", ""])
FORWARDED = st.binary(max_size=60) | st.lists(PLACES, max_size=5).map(lambda some: ", ".join(some).encode())


@given(
    st.lists(st.tuples(st.sampled_from([b"x-forwarded-for", b"x-forwarded-proto"]), FORWARDED), max_size=3),
    st.sampled_from([["10.0.0.0/8"], []]),
)
@example([(b"x-forwarded-for", b"1.2.3.4" + b", 10.0.0.7" * 2_000)], ["10.0.0.0/8"])
def test_where_a_proxy_says_that_somebody_comes_from(headers: list[tuple[bytes, bytes]], trusted: list[str]) -> None:
    seen: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope)

    scope: Any = {"type": "http", "scheme": "http", "client": ("10.0.0.7", 1), "headers": headers}
    asyncio.run(ProxyHeadersMiddleware(app, trusted_hosts=trusted)(scope, None, None))  # type: ignore[arg-type]
    address = address_of(seen)
    assert address is None or len(address) <= 64
    if not trusted:
        assert (address, seen["scheme"]) == ("10.0.0.7", "http")
    assert seen["scheme"] in ("http", "https", "ws", "wss")


SEGMENTS = JSON.map(lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode())
HEADS = st.fixed_dictionaries(
    {
        "alg": st.sampled_from(["RS256", "ES256", "HS256", "none", 1, [], {"RS256": 1}]),
        "kid": st.sampled_from(["one", "", None, 1, []]),
    },
    optional={"crit": JSON, "b64": JSON, "jwk": JSON, "jku": st.just("https://evil.example"), "zip": st.just("DEF")},
).map(lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode())
KEYS = [{"kty": "RSA", "kid": "one", "n": "7" * 342, "e": "AQAB"}, {"kty": "EC", "kid": "two", "crv": "P-256"}]


@given(
    st.text(max_size=100) | st.tuples(HEADS | SEGMENTS, SEGMENTS, st.text("AQab09-_", max_size=90)).map(".".join),
    st.just(KEYS) | st.lists(st.dictionaries(st.sampled_from(["kty", "kid", "n", "e", "x", "y", "crv", "use"]), JSON)),
)
@example("." * 2, KEYS)
@example("é.a.b", KEYS)
@example("a" * 20_000, KEYS)
def test_a_providers_token(token: str, keys: list[dict[str, Any]]) -> None:
    read = tried(
        lambda: verified_claims(token, keys, issuer="https://i", client_id="c", nonce="n", now=1.0), TokenRefused
    )
    assert isinstance(read, TokenRefused)
    assert str(read).isprintable()
    named = tried(lambda: key_id_of(token), TokenRefused)
    assert isinstance(named, str | TokenRefused)


@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from(["/", "\\", "//", "evil.example", "https:", "\t", "%2f"])).map("".join)
)
def test_the_page_to_come_back_to(text: str) -> None:
    path = local_path(text)
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))
    assert path.isprintable()
