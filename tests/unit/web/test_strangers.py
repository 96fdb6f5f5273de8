"""Whatever bytes a stranger sends, each reader of them gives a value or the error it documents, and nothing else."""

from __future__ import annotations

import asyncio
import importlib
import json
import pkgutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError
from starlette.requests import Request

from tidings.domain.app import App
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.lib.crypto import Malformed, private_key_from_text
from tidings.lib.egress import AddressGuard, ForbiddenUrl, HostPolicy, checked_url
from tidings.lib.networks import network_of
from tidings.providers.webpush.provider import WebPush
from tidings.providers.webpush.settings import default_policy
from tidings.services.device import device_from
from tidings.services.identity import check_identity
from tidings.settings import Settings
from tidings.web import public
from tidings.web.hosts import TrustHosts, host_in
from tidings.web.limits import credential_of
from tidings.web.public.door import MAX_BODY, body_of

PUBLIC = [importlib.import_module(f"{public.__name__}.{one.name}") for one in pkgutil.iter_modules(public.__path__)]
DECODERS = {
    name: decoder
    for module in PUBLIC
    for name, decoder in sorted(vars(module).items())
    if isinstance(decoder, msgspec.json.Decoder)
}
"""Of every module of the public API, so that a new one is read to as well."""

REFUSALS = {
    ErrorCode.INVALID_JSON,
    ErrorCode.INVALID_REQUEST,
    ErrorCode.BODY_TOO_LARGE,
    ErrorCode.CONTENT_TYPE_UNSUPPORTED,
}
KEYS = (
    "subscription",
    "endpoint",
    "keys",
    "p256dh",
    "auth",
    "user",
    "id",
    "token",
    "tags",
    "delivery",
    "event",
    "secret",
)
NAMES = st.sampled_from(KEYS) | st.text(max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=15,
)
PEM = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg8Oo4RtFVtP0FP1y6
-----END PRIVATE KEY-----
"""


T = TypeVar("T")
E = TypeVar("E", bound=Exception)


def tried(read: Callable[[], T], error: type[E]) -> T | E:
    """Give what was read, or the error that is documented; any other one fails the test."""
    try:
        return read()
    except error as refused:
        return refused


def asked(content: bytes, headers: list[tuple[bytes, bytes]]) -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)


def test_every_decoder_of_the_public_api_is_among_them() -> None:
    assert {"subscribe_decoder", "receipt_decoder", "marks_decoder", "topics_decoder"} <= set(DECODERS)
    assert len(DECODERS) >= 10


@pytest.mark.parametrize("name", DECODERS)
@given(content=st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()))
@example(b"[" * 5_000)
@example(b"1" * 5_000)
@example(b'"' + b"x" * (MAX_BODY + 1) + b'"')
@example(b'{"subscription": {"endpoint": "\\ud800", "keys": {}}}')
@example(b"\xef\xbb\xbf{}")
def test_a_body_of_the_public_api(name: str, content: bytes) -> None:
    headers = [(b"content-type", b"application/json; charset=utf-8")]
    read = tried(lambda: asyncio.run(body_of(asked(content, headers), DECODERS[name])), CatalogueError)
    if isinstance(read, CatalogueError):
        assert read.code in REFUSALS
        assert read.detail.isprintable()
    else:
        assert isinstance(read, msgspec.Struct)


@given(st.binary(max_size=60))
def test_a_content_type(kind: bytes) -> None:
    with pytest.raises(CatalogueError) as refused:
        asyncio.run(body_of(asked(b"{}", [(b"content-type", kind + b"x")]), DECODERS["subscribe_decoder"]))
    assert refused.value.code is ErrorCode.CONTENT_TYPE_UNSUPPORTED


@given(st.dictionaries(st.sampled_from(KEYS), JSON, max_size=8))
@example({"endpoint": "https://fcm.googleapis.com/x", "keys": {"p256dh": "A" * 87, "auth": "A" * 22}})
@example({"endpoint": "https://fcm.googleapis.com/x", "keys": [["p256dh"]]})
def test_a_subscription(subscription: dict[str, Any]) -> None:
    read = tried(lambda: WebPush().address_from(subscription, policy=default_policy()), CatalogueError)
    if isinstance(read, CatalogueError):
        assert read.code.startswith("subscription_")
    else:
        address, origin = read
        assert address.target.lower().startswith(origin)


@given(
    st.text(max_size=400) | st.text("-BEGIN PRIVATEKY\n\\r=AQab09+/_", max_size=200).map(lambda text: PEM[:60] + text)
)
@example(PEM)
@example(PEM * 200)
@example("-----BEGIN EC PARAMETERS-----")
def test_a_private_key(text: str) -> None:
    read = tried(lambda: private_key_from_text(text), Malformed)
    if isinstance(read, Malformed):
        assert len(text) < 20 or text not in str(read), "it says nothing of the key"
    else:
        assert read.curve.name == "secp256r1"


@given(st.text(max_size=120), st.text(max_size=60))
@example(token="9" * 13 + ".x", user="u")
@example(token="1", user="")
@example(token="1770000000.x", user="u")
@example(token="٣.x", user="u")
def test_a_signed_identity(token: str, user: str) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    until = now + timedelta(days=1)
    site = App(1, "app_1", "My site", (), b"s" * 32, now, earlier_secret=b"e" * 32, earlier_until=until)
    with pytest.raises(CatalogueError) as refused:
        check_identity(site, user, token, now=now)
    assert refused.value.code is ErrorCode.IDENTITY_INVALID


@given(st.text(max_size=400))
def test_a_user_agent(text: str) -> None:
    device = device_from(text)
    assert device is None or (device.isprintable() and len(device) <= 200)


HOSTS = st.sampled_from(["fcm.googleapis.com", "a.push.apple.com", "127.0.0.1", "evil.example", "[::1]", "localhost"])
PARTS = st.lists(
    st.sampled_from(["https://", "http:", "//", "@", ":443", "\\", "#", "?", "%2e", ".", "/", "\t", "x"]) | HOSTS
)
URLS = st.text(max_size=60) | PARTS.map("".join) | PARTS.map(lambda parts: "https://" + "".join(parts))
ANY = HostPolicy(hosts=frozenset(), suffixes=(), any_public=True)


@given(URLS, st.sampled_from([default_policy(), ANY]))
@example("https://fcm.googleapis.com/x", default_policy())
def test_a_url_means_the_same_to_us_and_to_another_parser(url: str, policy: HostPolicy) -> None:
    checked = tried(lambda: checked_url(url, policy=policy), ForbiddenUrl)
    if isinstance(checked, ForbiddenUrl):
        assert checked.detail.isprintable()
        return
    parts = urlsplit(url)
    assert (checked.scheme, checked.host, checked.port) == (parts.scheme, parts.hostname, parts.port or 443)
    assert parts.username is None
    assert policy.allows(checked.host)
    assert not checked.host[-1].isdigit() or not checked.host.rpartition(".")[2].isdigit()


@given(st.integers(0, 2**32 - 1))
def test_an_ipv4_address_inside_another_one_is_never_called(number: int) -> None:
    v4 = int(IPv4Address(number))
    for wrapped in (
        v4,  # compatible
        0xFFFF << 32 | v4,  # mapped
        0xFFFF << 48 | v4,  # translated (RFC 2765)
        0x0064_FF9B << 96 | v4,  # NAT64
        0x0064_FF9B_0001 << 80 | v4,  # NAT64, of one network
        0x2002 << 112 | v4 << 80,  # 6to4
        0x2001_0000 << 96 | v4 << 64,  # Teredo, its server
        0x2001_0000 << 96 | (v4 ^ 0xFFFF_FFFF),  # Teredo, its client
        0x2606_4700 << 96 | 0x5EFE << 32 | v4,  # ISATAP
        0x2606_4700 << 96 | 0x0200_5EFE << 32 | v4,
    ):
        assert not AddressGuard(allow_loopback=False).allows(str(IPv6Address(wrapped)))


@given(st.text(max_size=60))
def test_an_address_of_a_caller_or_of_a_name(text: str) -> None:
    assert isinstance(AddressGuard().allows(text), bool)
    assert network_of(text) is None or set(network_of(text) or "") <= set("0123456789abcdef.:/")


@given(st.binary(max_size=80) | PARTS.map(lambda parts: "".join(parts).encode()))
@example(b"push.example.com:99999999999999999999")
def test_a_host_header(header: bytes) -> None:
    trust = TrustHosts(None, base_url="https://push.example.com", allowed=[], docs_url="")  # type: ignore[arg-type]
    host = host_in(header.decode("latin-1"))
    if trust._judge(header):
        assert host is not None
        assert (
            host in ("push.example.com", "localhost") or host.endswith(".localhost") or host[-1] in "0123456789abcdef:"
        )


@given(st.binary(max_size=200), st.binary(max_size=100))
def test_a_cookie_and_a_key(cookie: bytes, authorization: bytes) -> None:
    headers = [(b"cookie", cookie), (b"authorization", authorization)]
    kind, number = credential_of({"type": "http", "headers": headers}, "tidings_session")
    assert kind == "api"
    assert isinstance(number, int)


@given(st.sampled_from(sorted(set(Settings.model_fields) - {"data", "key_file"})), st.text(max_size=40))
def test_a_setting(name: str, value: str) -> None:
    given: dict[str, Any] = {name: value}
    read = tried(lambda: Settings(**given), ValidationError)
    assert isinstance(read, Settings) or name in str(read)
