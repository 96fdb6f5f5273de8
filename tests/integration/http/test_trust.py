"""Whom the client connects to and believes: certificates, the address guard, what `insecure` opens."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from support.wire import NewClient, Server, failure_of, one, request, status_of
from tidings.lib.egress import AddressGuard
from tidings.lib.exchange import FailureKind
from tidings.lib.http import Client


@pytest.fixture
def loopback_name() -> str:
    """A name that only the resolver knows to be this machine."""
    name = socket.gethostname()
    try:
        addresses = {str(found[4][0]) for found in socket.getaddrinfo(name, 443)}
    except OSError:
        addresses = set()
    if not addresses or not all(address.startswith("127.") or address == "::1" for address in addresses):
        pytest.skip("this machine's name does not resolve to loopback")
    return name


def test_a_certificate_of_an_unknown_authority_is_refused(server: Server, new_client: NewClient) -> None:
    with new_client(guard=AddressGuard(allow_loopback=True), connect_to={"push.example.com": server.place}) as client:
        assert failure_of(one(client, request())) is FailureKind.TLS
    assert server.seen == []


def test_a_certificate_for_another_name_is_refused(server: Server, ca_file: str, new_client: NewClient) -> None:
    guard = AddressGuard(allow_loopback=True)
    with new_client(guard=guard, connect_to={"wrong.example.com": server.place}, ca_file=ca_file) as client:
        assert failure_of(one(client, request(base="https://wrong.example.com"))) is FailureKind.TLS
    assert server.seen == []


def test_insecure_takes_any_certificate_of_loopback_and_of_mapped_hosts_alone(
    server: Server, new_client: NewClient
) -> None:
    mapped = {"push.example.com": server.place}
    with new_client(guard=AddressGuard(allow_loopback=True), connect_to=mapped, insecure=True) as client:
        assert status_of(one(client, request())) == 201
        assert status_of(one(client, request(base=f"https://localhost:{server.port}"))) == 201
        assert status_of(one(client, request(base=f"https://127.0.0.1:{server.port}"))) == 201


def test_insecure_does_not_trust_a_name_just_because_it_leads_to_loopback(
    server: Server, loopback_name: str, new_client: NewClient
) -> None:
    with new_client(guard=AddressGuard(allow_loopback=True), insecure=True) as client:
        answer = one(client, request(base=f"https://{loopback_name}:{server.port}"))
    assert failure_of(answer) is FailureKind.TLS
    assert server.seen == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "push.localhost"])
def test_loopback_is_refused_without_a_connection(server: Server, host: str, new_client: NewClient) -> None:
    with new_client(guard=AddressGuard()) as client:
        requests = [(number, request(base=f"https://{host}:{server.port}")) for number in range(3)]
        answers = [failure_of(answer) for _, answer in client.exchange(requests)]
    assert answers == [FailureKind.FORBIDDEN_ADDRESS] * 3
    assert server.accepted == 0


def test_a_name_that_resolves_to_loopback_is_refused_without_a_connection(
    server: Server, loopback_name: str, new_client: NewClient
) -> None:
    with new_client(guard=AddressGuard()) as client:
        answer = one(client, request(base=f"https://{loopback_name}:{server.port}"))
    assert failure_of(answer) is FailureKind.FORBIDDEN_ADDRESS
    assert server.accepted == 0


def test_insecure_alone_does_not_open_loopback(server: Server, new_client: NewClient) -> None:
    with new_client(guard=AddressGuard(), insecure=True) as client:
        answer = one(client, request(base=f"https://localhost:{server.port}"))
    assert failure_of(answer) is FailureKind.FORBIDDEN_ADDRESS
    assert server.accepted == 0


def test_a_mapped_host_is_judged_by_the_guard_unless_insecure(
    server: Server, ca_file: str, new_client: NewClient
) -> None:
    mapped = {"push.example.com": server.place}
    with new_client(guard=AddressGuard(), connect_to=mapped, ca_file=ca_file) as client:
        assert failure_of(one(client, request())) is FailureKind.FORBIDDEN_ADDRESS
    assert server.accepted == 0
    with new_client(guard=AddressGuard(), connect_to=mapped, ca_file=ca_file, insecure=True) as client:
        assert status_of(one(client, request())) == 201


def test_http_is_refused_unless_insecure(start: Callable[..., Server], new_client: NewClient) -> None:
    server = start(tls=False)
    plain = request(base=f"http://127.0.0.1:{server.port}")
    with new_client(guard=AddressGuard(allow_loopback=True)) as client:
        assert failure_of(one(client, plain)) is FailureKind.PROTOCOL
    assert server.accepted == 0
    with new_client(guard=AddressGuard(allow_loopback=True), insecure=True) as client:
        assert status_of(one(client, plain)) == 201


def test_proxies_of_the_environment_are_ignored(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert status_of(one(client, request())) == 201


def test_what_begins_with_a_path_is_led_elsewhere_and_the_rest_of_the_host_is_not(
    start: Callable[..., Server], ca_file: str, new_client: NewClient
) -> None:
    whole, api = start(), start()
    mapped = {"push.example.com": whole.place, "Push.Example.com/status/": api.place}
    paths = ["/ok", "/status/201", "/status/503", "/ok", "/statuses"]
    with new_client(guard=AddressGuard(allow_loopback=True), connect_to=mapped, ca_file=ca_file) as client:
        list(client.exchange((path, request(path)) for path in paths))
        for path in paths:
            one(client, request(path))
    assert sorted({seen.path for seen in whole.seen}) == ["/ok", "/statuses"]
    assert sorted({seen.path for seen in api.seen}) == ["/status/201", "/status/503"]
    assert len(whole.seen) + len(api.seen) == 2 * len(paths)
    assert {*whole.names, *api.names} == {"push.example.com"}


def test_insecure_trusts_no_more_of_a_host_than_the_path_that_is_led_elsewhere(
    start: Callable[..., Server], new_client: NewClient
) -> None:
    api = start()
    mapped = {"localhost/status/": api.place}
    with new_client(guard=AddressGuard(), connect_to=mapped, insecure=True) as client:
        assert status_of(one(client, request("/status/201", base="https://localhost"))) == 201
        assert failure_of(one(client, request("/ok", base="https://localhost"))) is FailureKind.FORBIDDEN_ADDRESS
    assert [seen.path for seen in api.seen] == ["/status/201"]
