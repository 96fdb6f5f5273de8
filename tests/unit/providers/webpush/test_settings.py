"""Which hosts are push services, how much they take, and which contacts Apple accepts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.lib.egress import ForbiddenUrl, checked_url
from tidings.providers.webpush.settings import (
    Family,
    PushService,
    contact_checked,
    default_policy,
    padded_size,
    service_at,
)


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("mailto:push@example.com", "mailto:push@example.com"),
        ("push@example.com", "mailto:push@example.com"),
        ("  mailto:a.b+push@mail.example.co.uk \n", "mailto:a.b+push@mail.example.co.uk"),
        ("MAILTO:Push@Example.COM", "mailto:Push@Example.COM"),
        ("https://www.example.com", "https://www.example.com"),
        ("https://www.example.com:8443/contact?x=1", "https://www.example.com:8443/contact?x=1"),
        ("HTTPS://xn--bcher-kva.example.com/", "https://xn--bcher-kva.example.com/"),
        ("mailto:push@firma.xn--p1ai", "mailto:push@firma.xn--p1ai"),
    ],
)
def test_a_contact_with_a_public_domain_is_taken(text: str, sent: str) -> None:
    assert contact_checked(text) == sent


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mailto:",
        "mailto:push",
        "mailto:push@localhost",
        "mailto:push@mac.local",
        "mailto:push@site.invalid",
        "mailto:push@site.test",
        "mailto:push@site.example",
        "mailto:push@server.internal",
        "mailto:push@router.home.arpa",
        "mailto:mailto:push@example.com",
        "mailto: push@example.com",
        "mailto:<push@example.com>",
        "mailto:push@example.com,b@example.com",
        "mailto:push@example.com?subject=x",
        "mailto:push@@example.com",
        "mailto:push@example.com.",
        "mailto:push@-example.com",
        "mailto:push@192.0.2.1",
        "mailto:push@[192.0.2.1]",
        "mailto:push@example.123",
        "mailto:p\u00fcsh@example.com",
        "mailto:push@b\u00fccher.de",
        "mailto:push@example.com\x00",
        "push at example.com",
        "http://www.example.com",
        "https:",
        "https://",
        "https://localhost",
        "https://localhost:8080/x",
        "https://192.0.2.1/",
        "https://[::1]/",
        "https://2130706433/",
        "https://user@www.example.com",
        "https://www.example.com:99999/",
        "https://[www.example.com/",
        "ftp://www.example.com",
        "tel:+4912345",
        "javascript:alert(1)",
        "https://www.example.com/" + "a" * 300,
    ],
)
def test_a_contact_that_apple_would_refuse_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(CatalogueError) as refusal:
        contact_checked(text)
    assert refusal.value.code is ErrorCode.CONTACT_INVALID
    assert "mailto:you@your-domain" in refusal.value.detail


@given(
    st.text(max_size=80) | st.text(max_size=40).map("mailto:{}".format) | st.text(max_size=40).map("https://{}".format)
)
def test_any_text_is_a_contact_or_is_refused_by_code(text: str) -> None:
    try:
        contact = contact_checked(text)
    except CatalogueError:
        return
    assert contact.isascii()
    assert contact_checked(contact) == contact


@pytest.mark.parametrize(
    ("endpoint", "service"),
    [
        (
            "https://fcm.googleapis.com/fcm/send/a:b",
            PushService("https://fcm.googleapis.com", "fcm.googleapis.com", Family.GOOGLE, 3993),
        ),
        (
            "https://jmt17.google.com/fcm/send/a",
            PushService("https://jmt17.google.com", "jmt17.google.com", Family.GOOGLE, 3993),
        ),
        (
            "https://updates.push.services.mozilla.com/wpush/v2/x",
            PushService(
                "https://updates.push.services.mozilla.com", "updates.push.services.mozilla.com", Family.MOZILLA, 2700
            ),
        ),
        (
            "https://web.push.apple.com/x",
            PushService("https://web.push.apple.com", "web.push.apple.com", Family.APPLE, 3993),
        ),
        (
            "https://wns2-par02p.notify.windows.com/w/?token=%2b/x",
            PushService(
                "https://wns2-par02p.notify.windows.com", "wns2-par02p.notify.windows.com", Family.MICROSOFT, 3993
            ),
        ),
        (
            "https://Push.Example.NET:443/a",
            PushService("https://push.example.net", "push.example.net", Family.UNKNOWN, 3993),
        ),
        (
            "https://localhost:8443/wpush/v2/a",
            PushService("https://localhost:8443", "localhost", Family.UNKNOWN, 3993),
        ),
        ("http://[::1]:80/a", PushService("http://[::1]", "::1", Family.UNKNOWN, 3993)),
        ("http://a/b", PushService("http://a", "a", Family.UNKNOWN, 3993)),
        ("https://push.example.net", PushService("https://push.example.net", "push.example.net", Family.UNKNOWN, 3993)),
        (
            "https://fcm.googleapis.com.evil.example/x",
            PushService(
                "https://fcm.googleapis.com.evil.example", "fcm.googleapis.com.evil.example", Family.UNKNOWN, 3993
            ),
        ),
    ],
)
def test_an_endpoint_says_its_push_service(endpoint: str, service: PushService) -> None:
    assert service_at(endpoint) == service


@pytest.mark.parametrize(
    ("size", "largest", "padded"),
    [
        (0, 3993, 256),
        (256, 3993, 256),
        (257, 3993, 512),
        (1025, 3993, 2048),
        (2048, 2700, 2048),
        (2049, 2700, 2049),
        (3993, 3993, 3993),
        (1500, 1600, 1600),
        (3993, 2700, 3993),
    ],
)
def test_plaintexts_are_padded_to_the_next_bucket(size: int, largest: int, padded: int) -> None:
    assert padded_size(size, largest=largest) == padded


def test_the_default_policy_takes_the_four_services_and_nothing_that_looks_like_them() -> None:
    policy = default_policy()
    for url in (
        "https://fcm.googleapis.com/fcm/send/a",
        "https://updates.push.services.mozilla.com/wpush/v2/a",
        "https://updates-autopush.stage.push.services.mozilla.com/a",
        "https://web.push.apple.com/a",
        "https://wns2-pn1p.notify.windows.com/w/?token=a",
    ):
        assert checked_url(url, policy=policy).origin in url
    for url in (
        "https://fcm.googleapis.com.evil.example/",
        "https://evilpush.apple.com.example/",
        "https://push.apple.com/",
        "https://xnotify.windows.com/",
        "https://storage.googleapis.com/",
        "https://push.example.com/",
    ):
        with pytest.raises(ForbiddenUrl):
            checked_url(url, policy=policy)


def test_the_operator_can_add_hosts_suffixes_and_every_public_host() -> None:
    policy = default_policy(
        extra_hosts=["Push.Example.com", ".up.example.net", "*.up.example.org"], mapped_hosts=["jmt17.google.com"]
    )
    for host in ("push.example.com", "a.up.example.net", "a.b.up.example.org", "jmt17.google.com"):
        assert policy.allows(host)
    for host in ("x.push.example.com", "up.example.net", "example.org", "other.example"):
        assert not policy.allows(host)
    assert not policy.any_public
    assert not policy.allow_insecure
    assert default_policy(extra_hosts=["*"]).allows("anything.example.org")
    assert default_policy(allow_insecure=True).allow_insecure


@pytest.mark.parametrize(
    "entry", ["", "https://push.example.com", "push.example.com:8443", "a*.example.com", "*com/", "."]
)
def test_an_extra_host_that_is_none_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="write it as"):
        default_policy(extra_hosts=[entry])
