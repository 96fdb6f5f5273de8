"""One call to a server of somebody else's choosing: what it takes, and what it never does."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import trustme

from tidings.lib.egress import AddressGuard, ForbiddenUrl, HostPolicy, UrlFault
from tidings.lib.exchange import FailureKind, NetworkFailure, Reply
from tidings.lib.fetch import Fetch, Fetcher

HERE = HostPolicy(hosts=frozenset(), suffixes=(), allow_insecure=True)


@dataclass
class Site:
    """A server that answers by path and keeps what it was asked."""

    port: int = 0
    asked: list[str] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next((int(line.split(":")[1]) for line in head.splitlines() if "content-length" in line.lower()), 0)
        self.asked.append(head + (await reader.readexactly(length)).decode())
        path = head.split()[1]
        if path == "/slow":
            await asyncio.Event().wait()
        if path == "/elsewhere":
            writer.write(b"HTTP/1.1 302 Found\r\nLocation: /small\r\nContent-Length: 0\r\n\r\n")
        else:
            body = b"x" * (1_000_000 if path == "/large" else 1_000)
            told = b"" if path == "/untold" else f"Content-Length: {len(body)}\r\n".encode()
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + told + b"\r\n" + body)
        await writer.drain()
        writer.close()


@pytest.fixture
async def site(authority: trustme.CA) -> AsyncIterator[Site]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    made = Site()
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0, ssl=context)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


@pytest.fixture
def fetcher(ca_file: str) -> Fetcher:
    return Fetcher(guard=AddressGuard(allow_loopback=True), policy=HERE, ca_file=ca_file, total_timeout=30)


async def test_it_gets_and_posts_and_gives_the_whole_answer(site: Site, fetcher: Fetcher) -> None:
    got = await fetcher.fetch(Fetch(f"https://localhost:{site.port}/untold?a=b", headers=("Accept: application/json",)))
    assert isinstance(got, Reply)
    assert (got.status, len(got.body), got.headers["connection"]) == (200, 1_000, "close")
    form = ("Content-Type: application/x-www-form-urlencoded",)
    posted = await fetcher.fetch(Fetch(f"https://localhost:{site.port}/t", "POST", headers=form, body=b"code=1"))
    assert isinstance(posted, Reply)
    assert site.asked[0].startswith("GET /untold?a=b HTTP/1.1\r\n")
    assert "Accept: application/json\r\n" in site.asked[0]
    assert site.asked[1].startswith("POST /t HTTP/1.1\r\n")
    assert site.asked[1].endswith("\r\n\r\ncode=1")
    assert form[0] in site.asked[1]


async def test_it_follows_nobody_elsewhere(site: Site, fetcher: Fetcher) -> None:
    answer = await fetcher.fetch(Fetch(f"https://localhost:{site.port}/elsewhere"))
    assert isinstance(answer, Reply)
    assert (answer.status, len(site.asked)) == (302, 1)


async def test_an_answer_that_is_too_long_is_none(site: Site, fetcher: Fetcher) -> None:
    answer = await fetcher.fetch(Fetch(f"https://localhost:{site.port}/large", most=10_000))
    assert answer == NetworkFailure(FailureKind.PROTOCOL, "the answer is longer than 10000 bytes")
    assert isinstance(await fetcher.fetch(Fetch(f"https://localhost:{site.port}/small", most=1_000)), Reply)


async def test_one_that_never_comes_ends_in_time(site: Site, ca_file: str) -> None:
    fetcher = Fetcher(guard=AddressGuard(allow_loopback=True), policy=HERE, ca_file=ca_file, total_timeout=0.3)
    answer = await fetcher.fetch(Fetch(f"https://localhost:{site.port}/slow"))
    assert isinstance(answer, NetworkFailure)
    assert answer.kind is FailureKind.TIMEOUT


async def test_a_certificate_that_nobody_signed_is_refused(site: Site) -> None:
    fetcher = Fetcher(guard=AddressGuard(allow_loopback=True), policy=HERE)
    answer = await fetcher.fetch(Fetch(f"https://localhost:{site.port}/small"))
    assert isinstance(answer, NetworkFailure)
    assert answer.kind is FailureKind.TLS
    assert site.asked == []


async def test_a_name_that_leads_to_this_machine_is_refused_without_a_connection(site: Site, ca_file: str) -> None:
    fetcher = Fetcher(guard=AddressGuard(), policy=HERE, ca_file=ca_file)
    answer = await fetcher.fetch(Fetch(f"https://localhost:{site.port}/small"))
    assert answer == NetworkFailure(FailureKind.FORBIDDEN_ADDRESS, "its addresses may not be called")
    assert site.asked == []


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://id.example.com/", UrlFault.INSECURE),
        ("file:///etc/passwd", UrlFault.INSECURE),
        ("gopher://id.example.com/", UrlFault.INSECURE),
        ("https://169.254.169.254/latest/meta-data", UrlFault.IP_LITERAL),
        ("https://[::ffff:7f00:1]/", UrlFault.IP_LITERAL),
        ("https://localhost/", UrlFault.HOST),
        ("https://metadata.google.internal/", UrlFault.HOST),
        ("https://id.example.com@evil.example/", UrlFault.USERINFO),
        ("https://id.example.com/\r\nX: y", UrlFault.INVALID),
    ],
)
async def test_a_url_that_leads_nowhere_good_is_not_called(url: str, fault: UrlFault) -> None:
    with pytest.raises(ForbiddenUrl) as caught:
        await Fetcher(guard=AddressGuard()).fetch(Fetch(url))
    assert caught.value.fault is fault


async def test_a_header_that_would_be_two_is_not_sent(site: Site, fetcher: Fetcher) -> None:
    answer = await fetcher.fetch(Fetch(f"https://localhost:{site.port}/small", headers=("A: b\r\nC: d",)))
    assert isinstance(answer, NetworkFailure)
    assert site.asked == []


async def test_proxies_of_the_environment_are_ignored(
    site: Site, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert isinstance(await fetcher.fetch(Fetch(f"https://localhost:{site.port}/small")), Reply)


async def test_the_url_and_its_secrets_are_shown_nowhere(fetcher: Fetcher) -> None:
    what = Fetch("https://id.example.com/?client_secret=s3cret", headers=("Authorization: s3cret",), body=b"s3cret")
    assert "s3cret" not in repr(what)


def test_what_an_administrator_sets_up_may_have_a_port_of_its_own() -> None:
    assert Fetcher(guard=AddressGuard()).checked("https://id.example.com:8443/x").port == 8443
