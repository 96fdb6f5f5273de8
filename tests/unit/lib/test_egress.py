from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from tidings.lib.egress import (
    MAX_URL,
    AddressGuard,
    CheckedUrl,
    ForbiddenUrl,
    HostPolicy,
    UrlFault,
    checked_url,
    resolves_publicly,
)

KNOWN = HostPolicy(
    hosts=frozenset({"fcm.googleapis.com", "updates.push.services.mozilla.com"}),
    suffixes=(".push.apple.com", ".notify.windows.com", ".push.services.mozilla.com"),
)
ANY = HostPolicy(hosts=frozenset(), suffixes=(), any_public=True)
PORTS = HostPolicy(hosts=frozenset({"id.example.org"}), suffixes=(), any_port=True)
INSECURE = HostPolicy(hosts=frozenset({"fcm.googleapis.com"}), suffixes=(), allow_insecure=True)

TAKEN = [
    ("https://fcm.googleapis.com/fcm/send/abc:def_-", "https://fcm.googleapis.com"),
    ("https://fcm.googleapis.com:443/fcm/send/abc", "https://fcm.googleapis.com"),
    ("https://FCM.GoogleAPIs.com/wp/abc", "https://fcm.googleapis.com"),
    ("HTTPS://fcm.googleapis.com/wp/abc", "https://fcm.googleapis.com"),
    ("https://fcm.googleapis.com", "https://fcm.googleapis.com"),
    ("https://fcm.googleapis.com?x=y", "https://fcm.googleapis.com"),
    ("https://fcm.googleapis.com/a/../b//c?d=@e:f", "https://fcm.googleapis.com"),
    ("https://updates.push.services.mozilla.com/wpush/v2/gAAA", "https://updates.push.services.mozilla.com"),
    ("https://web.push.apple.com/QNo", "https://web.push.apple.com"),
    ("https://a.b.push.apple.com/QNo", "https://a.b.push.apple.com"),
    ("https://wns2-pn1p.notify.windows.com/w/?token=BQ%2f", "https://wns2-pn1p.notify.windows.com"),
]

REFUSED = [
    # not a URL, or one that two parsers could read differently
    ("", UrlFault.INVALID),
    ("fcm.googleapis.com/x", UrlFault.INVALID),
    ("//fcm.googleapis.com/x", UrlFault.INVALID),
    ("https:/fcm.googleapis.com/x", UrlFault.INVALID),
    ("https:fcm.googleapis.com/x", UrlFault.INVALID),
    ("https:///fcm.googleapis.com/x", UrlFault.INVALID),
    ("https://", UrlFault.INVALID),
    ("https://?fcm.googleapis.com", UrlFault.INVALID),
    ("https:\\\\fcm.googleapis.com/x", UrlFault.INVALID),
    ("https://evil.example\\@fcm.googleapis.com/", UrlFault.INVALID),
    ("https://fcm.googleapis.com\\.evil.example/", UrlFault.INVALID),
    (" https://fcm.googleapis.com/x", UrlFault.INVALID),
    ("https://fcm.googleapis.com/x ", UrlFault.INVALID),
    ("https://fcm.googleapis.com/a b", UrlFault.INVALID),
    ("ht\ttps://fcm.googleapis.com/x", UrlFault.INVALID),
    ("https://fcm.google\tapis.com/x", UrlFault.INVALID),
    ("https://fcm.googleapis.com/x\n", UrlFault.INVALID),
    ("https://fcm.googleapis.com/x\r\nHost: evil.example", UrlFault.INVALID),
    ("https://fcm.googleapis.com/\x00", UrlFault.INVALID),
    ("https://fcm.googleapis.com/\x7f", UrlFault.INVALID),
    ("https://fcm.googleapis.com/ü", UrlFault.INVALID),
    ("https://fcm.googleapis.com/x#y", UrlFault.INVALID),
    ("https://fcm.googleapis.com#@evil.example/", UrlFault.INVALID),
    # hosts that are no DNS names
    ("https://fcm.googleapis.com./x", UrlFault.INVALID),
    ("https://.googleapis.com/x", UrlFault.INVALID),
    ("https://.push.apple.com/x", UrlFault.INVALID),
    ("https://a..push.apple.com/x", UrlFault.INVALID),
    ("https://-a.push.apple.com/x", UrlFault.INVALID),
    ("https://a_b.push.apple.com/x", UrlFault.INVALID),
    ("https://a%2eb.push.apple.com/x", UrlFault.INVALID),
    ("https://127.0.0.1%2f.push.apple.com/x", UrlFault.INVALID),
    ("https://" + "a" * 64 + ".push.apple.com/x", UrlFault.INVALID),
    ("https://" + "a." * 125 + "push.apple.com/x", UrlFault.INVALID),
    ("https://f\u0441m.googleapis.com/x", UrlFault.INVALID),  # Cyrillic es
    ("https://fcm.googleapis\u3002com/x", UrlFault.INVALID),  # ideographic full stop, a dot to IDNA
    ("https://\uff11\uff12\uff17.0.0.1/", UrlFault.INVALID),  # fullwidth digits
    ("https://\u2460\u2461\u2466.0.0.1/", UrlFault.INVALID),  # circled digits
    # not https
    ("http://fcm.googleapis.com/x", UrlFault.INSECURE),
    ("ftp://fcm.googleapis.com/x", UrlFault.INSECURE),
    ("file:///etc/passwd", UrlFault.INSECURE),
    ("gopher://fcm.googleapis.com/x", UrlFault.INSECURE),
    ("ws://fcm.googleapis.com/x", UrlFault.INSECURE),
    # a user before the host
    ("https://fcm.googleapis.com@evil.example/", UrlFault.USERINFO),
    ("https://user:password@fcm.googleapis.com/", UrlFault.USERINFO),
    ("https://@fcm.googleapis.com/", UrlFault.USERINFO),
    ("https://evil.example:443@fcm.googleapis.com/", UrlFault.USERINFO),
    # IP addresses, in every notation
    ("https://127.0.0.1/", UrlFault.IP_LITERAL),
    ("https://8.8.8.8/", UrlFault.IP_LITERAL),
    ("https://127.0.0.1./", UrlFault.IP_LITERAL),
    ("https://127.1/", UrlFault.IP_LITERAL),
    ("https://127.0.1/", UrlFault.IP_LITERAL),
    ("https://0/", UrlFault.IP_LITERAL),
    ("https://2130706433/", UrlFault.IP_LITERAL),
    ("https://0x7f000001/", UrlFault.IP_LITERAL),
    ("https://0X7F000001/", UrlFault.IP_LITERAL),
    ("https://0x7f.1/", UrlFault.IP_LITERAL),
    ("https://017700000001/", UrlFault.IP_LITERAL),
    ("https://0177.0.0.01/", UrlFault.IP_LITERAL),
    ("https://127.0.0.0x1/", UrlFault.IP_LITERAL),
    ("https://169.254.169.254/latest/meta-data", UrlFault.IP_LITERAL),
    ("https://[::1]/", UrlFault.IP_LITERAL),
    ("https://[::]/", UrlFault.IP_LITERAL),
    ("https://[::ffff:127.0.0.1]/", UrlFault.IP_LITERAL),
    ("https://[::ffff:7f00:1]/", UrlFault.IP_LITERAL),
    ("https://[fe80::1%25eth0]/", UrlFault.IP_LITERAL),
    ("https://[2a00:1450:4001::1]:443/", UrlFault.IP_LITERAL),
    ("https://[v1.fcm.googleapis.com]/", UrlFault.IP_LITERAL),
    ("https://[::1/", UrlFault.INVALID),
    ("https://[::1]fcm.googleapis.com/", UrlFault.INVALID),
    # ports
    ("https://fcm.googleapis.com:80/", UrlFault.PORT),
    ("https://fcm.googleapis.com:9200/", UrlFault.PORT),
    ("https://fcm.googleapis.com:/", UrlFault.PORT),
    ("https://fcm.googleapis.com:0443/", UrlFault.PORT),
    ("https://fcm.googleapis.com:443:22/", UrlFault.PORT),
    ("https://fcm.googleapis.com:+443/", UrlFault.PORT),
    # other hosts
    ("https://evil.example/x.googleapis.com", UrlFault.HOST),
    ("https://evil.example/https://fcm.googleapis.com/", UrlFault.HOST),
    ("https://evil.example?.push.apple.com/", UrlFault.HOST),
    ("https://fcm.googleapis.com.evil.example/", UrlFault.HOST),
    ("https://evilfcm.googleapis.com/", UrlFault.HOST),
    ("https://storage.googleapis.com/", UrlFault.HOST),
    ("https://evilpush.apple.com/", UrlFault.HOST),
    ("https://push.apple.com/", UrlFault.HOST),
    ("https://notify.windows.com.evil.example/", UrlFault.HOST),
    ("https://xn--fm-cmc.googleapis.com/", UrlFault.HOST),
    ("https://localhost/", UrlFault.HOST),
    ("https://metadata.google.internal/", UrlFault.HOST),
]


@pytest.mark.parametrize(("url", "origin"), TAKEN)
def test_a_url_of_a_known_host_is_taken_with_its_origin(url: str, origin: str) -> None:
    assert checked_url(url, policy=KNOWN).origin == origin


@pytest.mark.parametrize(("url", "fault"), REFUSED)
def test_a_forbidden_url_is_refused_with_its_fault(url: str, fault: UrlFault) -> None:
    with pytest.raises(ForbiddenUrl) as caught:
        checked_url(url, policy=KNOWN)
    assert caught.value.fault is fault
    assert "/x" not in caught.value.detail


def test_the_longest_url_is_taken_and_one_character_more_is_not() -> None:
    url = "https://fcm.googleapis.com/".ljust(MAX_URL, "a")
    assert checked_url(url, policy=KNOWN).host == "fcm.googleapis.com"
    with pytest.raises(ForbiddenUrl) as caught:
        checked_url(url + "a", policy=KNOWN)
    assert caught.value.fault is UrlFault.TOO_LONG


@pytest.mark.parametrize("host", ["push.example.org", "xn--bcher-kva.example.org"])
def test_any_public_takes_every_public_name(host: str) -> None:
    assert checked_url(f"https://{host}/up", policy=ANY).host == host


def test_a_policy_may_take_other_ports_and_nothing_else_that_is_insecure() -> None:
    assert checked_url("https://id.example.org:8443/", policy=PORTS).origin == "https://id.example.org:8443"
    for url, fault in (
        ("https://id.example.org:0/", UrlFault.PORT),
        ("https://id.example.org:65536/", UrlFault.PORT),
        ("http://id.example.org:8080/", UrlFault.INSECURE),
        ("https://127.0.0.1:8443/", UrlFault.IP_LITERAL),
        ("https://localhost:8443/", UrlFault.HOST),
    ):
        with pytest.raises(ForbiddenUrl) as caught:
            checked_url(url, policy=PORTS)
        assert caught.value.fault is fault


@pytest.mark.parametrize(
    "host",
    ["localhost", "intranet", "a.localhost", "printer.local", "metadata.google.internal", "nas.home.arpa"],
)
def test_any_public_refuses_names_that_are_never_public(host: str) -> None:
    with pytest.raises(ForbiddenUrl) as caught:
        checked_url(f"https://{host}/up", policy=ANY)
    assert caught.value.fault is UrlFault.HOST


@pytest.mark.parametrize(
    ("url", "checked"),
    [
        ("http://localhost:8080/p", CheckedUrl("http", "localhost", 8080, "http://localhost:8080")),
        ("http://localhost/p", CheckedUrl("http", "localhost", 80, "http://localhost")),
        ("https://push.localhost:9/p", CheckedUrl("https", "push.localhost", 9, "https://push.localhost:9")),
        ("https://127.0.0.1:8443/p", CheckedUrl("https", "127.0.0.1", 8443, "https://127.0.0.1:8443")),
        ("https://127.9.9.9/p", CheckedUrl("https", "127.9.9.9", 443, "https://127.9.9.9")),
        ("http://[::1]:80/p", CheckedUrl("http", "::1", 80, "http://[::1]")),
        (
            "http://fcm.googleapis.com/p",
            CheckedUrl("http", "fcm.googleapis.com", 80, "http://fcm.googleapis.com"),
        ),
        (
            "https://fcm.googleapis.com:65535/p",
            CheckedUrl("https", "fcm.googleapis.com", 65535, "https://fcm.googleapis.com:65535"),
        ),
    ],
)
def test_insecure_also_takes_http_loopback_and_any_port(url: str, checked: CheckedUrl) -> None:
    assert checked_url(url, policy=INSECURE) == checked


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://127.1/", UrlFault.IP_LITERAL),
        ("http://2130706433/", UrlFault.IP_LITERAL),
        ("http://10.0.0.1/", UrlFault.IP_LITERAL),
        ("http://0.0.0.0/", UrlFault.IP_LITERAL),
        ("http://169.254.169.254/", UrlFault.IP_LITERAL),
        ("http://::1/", UrlFault.INVALID),
        ("http://[::ffff:127.0.0.1]/", UrlFault.IP_LITERAL),
        ("http://[127.0.0.1]/", UrlFault.IP_LITERAL),
        ("http://[::1%25lo]/", UrlFault.IP_LITERAL),
        ("http://evil.example/", UrlFault.HOST),
        ("http://localhost.evil.example/", UrlFault.HOST),
        ("http://a..localhost/", UrlFault.INVALID),
        ("http://localhost:0/", UrlFault.PORT),
        ("http://localhost:65536/", UrlFault.PORT),
        ("ftp://localhost/", UrlFault.INSECURE),
        ("http://user@localhost/", UrlFault.USERINFO),
        ("http://localhost/#a", UrlFault.INVALID),
    ],
)
def test_insecure_takes_nothing_else(url: str, fault: UrlFault) -> None:
    with pytest.raises(ForbiddenUrl) as caught:
        checked_url(url, policy=INSECURE)
    assert caught.value.fault is fault


@pytest.mark.parametrize("suffix", ["example.com", "", ".", "..example.com", ".Example.com", "*.example.com"])
def test_a_policy_refuses_a_suffix_that_is_not_on_a_label_boundary(suffix: str) -> None:
    with pytest.raises(ValueError, match="no host suffix"):
        HostPolicy(hosts=frozenset(), suffixes=(suffix,))


@pytest.mark.parametrize("host", ["Example.com", "https://example.com", "example.com:443", "example.com.", ""])
def test_a_policy_refuses_a_host_that_could_never_match(host: str) -> None:
    with pytest.raises(ValueError, match="no host name"):
        HostPolicy(hosts=frozenset({host}), suffixes=())


PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "142.250.185.74",
    "17.188.143.34",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2a00:1450:4001:82b::200a",
    "2606:4700::1111",
    "2001:4860:4860::8888",
    "2620:149:a44::1",
]

PRIVATE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.9",  # global to the registry, but a protocol assignment
    "192.0.0.192",
    "192.0.2.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.175.48.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "64:ff9b:1:ffff::808:808",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456:789a::1",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1111%eth0",
    "2606:4700::5efe:7f00:1",
    "2606:4700::200:5efe:808:808",
    "2620:4f:8000::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "",
    "localhost",
    "127.1",
    "0x7f000001",
    "2130706433",
    "0177.0.0.1",
    "8.8.8.8 ",
    "8.8.8.8/32",
    "[::1]",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_public_internet_is_allowed(address: str) -> None:
    assert AddressGuard().allows(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_any_other_address_is_refused(address: str) -> None:
    assert not AddressGuard().allows(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_allowing_loopback_allows_loopback_alone(address: str) -> None:
    loopback = address in {"127.0.0.1", "127.255.255.254", "::1"}
    assert AddressGuard(allow_loopback=True).allows(address) is loopback


def answers(*addresses: str) -> Callable[[str], Awaitable[Sequence[str]]]:
    async def resolve(host: str) -> Sequence[str]:
        return addresses

    return resolve


async def test_a_name_whose_addresses_are_all_public_resolves_publicly() -> None:
    resolve = answers("8.8.8.8", "2a00:1450:4001::1")
    assert await resolves_publicly("push.example.org", guard=AddressGuard(), resolve=resolve) is True


async def test_one_refused_address_among_public_ones_is_enough_to_refuse_a_name() -> None:
    resolve = answers("8.8.8.8", "10.0.0.1")
    assert await resolves_publicly("push.example.org", guard=AddressGuard(), resolve=resolve) is False


@pytest.mark.parametrize("fault", [OSError("offline"), TimeoutError(), UnicodeError("label too long")])
async def test_a_name_that_does_not_resolve_now_gets_no_verdict(fault: Exception) -> None:
    async def resolve(host: str) -> Sequence[str]:
        raise fault

    assert await resolves_publicly("push.example.org", guard=AddressGuard(), resolve=resolve) is None


async def test_a_name_without_addresses_gets_no_verdict() -> None:
    assert await resolves_publicly("push.example.org", guard=AddressGuard(), resolve=answers()) is None


async def test_a_resolver_that_never_answers_gets_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidings.lib.egress.RESOLVE_SECONDS", 0.01)

    async def resolve(host: str) -> Sequence[str]:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    assert await resolves_publicly("push.example.org", guard=AddressGuard(), resolve=resolve) is None


async def test_the_system_resolver_knows_localhost_as_loopback() -> None:
    assert await resolves_publicly("localhost", guard=AddressGuard()) is False
    assert await resolves_publicly("localhost", guard=AddressGuard(allow_loopback=True)) is True
