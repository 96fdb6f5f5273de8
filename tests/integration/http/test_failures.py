"""Exchanges that break off: each becomes a value, and the client works on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.wire import HEADERS, ORIGIN, NewClient, Server, failure_of, one, request, status_of
from tidings.lib.egress import AddressGuard
from tidings.lib.exchange import FailureKind, NetworkFailure, Request
from tidings.lib.http import Client


def test_a_server_that_says_nothing_times_out(server: Server, ca_file: str, new_client: NewClient) -> None:
    guard = AddressGuard(allow_loopback=True)
    mapped = {"push.example.com": server.place}
    with new_client(guard=guard, connect_to=mapped, ca_file=ca_file, total_timeout=0.5) as client:
        assert failure_of(one(client, request("/slow"))) is FailureKind.TIMEOUT
    assert len(server.seen) == 1


@pytest.mark.parametrize("path", ["/close", "/reset", "/refuse", "/goaway"])
def test_an_answer_that_breaks_off_is_a_reset_and_the_next_request_works(client: Client, path: str) -> None:
    assert failure_of(one(client, request(path))) is FailureKind.RESET
    assert status_of(one(client, request())) == 201


def test_a_refused_stream_is_repeated_as_the_server_did_not_work_on_it(client: Client, server: Server) -> None:
    one(client, request("/refuse"))
    assert len(server.seen) > 1


def test_a_stream_that_broke_off_otherwise_is_not_repeated(client: Client, server: Server) -> None:
    one(client, request("/reset"))
    assert len(server.seen) == 1


@pytest.mark.parametrize(("path", "kind"), [("/cut", FailureKind.RESET), ("/garbage", FailureKind.PROTOCOL)])
def test_http1_that_breaks_off_or_is_no_http_is_told_apart(
    start: Callable[..., Server], ca_file: str, path: str, kind: FailureKind, new_client: NewClient
) -> None:
    server = start(alpn=("http/1.1",))
    guard = AddressGuard(allow_loopback=True)
    with new_client(guard=guard, connect_to={"push.example.com": server.place}, ca_file=ca_file) as client:
        assert failure_of(one(client, request(path))) is kind


def test_a_port_where_nobody_listens_is_a_connect_failure(
    start: Callable[..., Server], ca_file: str, new_client: NewClient
) -> None:
    server = start()
    server.stop()
    guard = AddressGuard(allow_loopback=True)
    with new_client(guard=guard, connect_to={"push.example.com": server.place}, ca_file=ca_file) as client:
        answer = one(client, request("/secret"))
    assert failure_of(answer) is FailureKind.CONNECT
    assert isinstance(answer, NetworkFailure)
    assert answer.detail.startswith("push.example.com#")
    assert "secret" not in answer.detail
    assert len(answer.detail) <= 200


def test_a_name_that_does_not_exist_is_a_dns_failure(new_client: NewClient) -> None:
    with new_client(guard=AddressGuard()) as client:
        assert failure_of(one(client, request(base="https://nowhere.invalid"))) is FailureKind.DNS


@pytest.mark.parametrize(
    "asked",
    [
        Request(url="https://push.example.com/a\nb", headers=HEADERS, body=b""),
        Request(url="https://user@push.example.com/", headers=HEADERS, body=b""),
        Request(url=f"{ORIGIN}/ok#fragment", headers=HEADERS, body=b""),
        Request(url="file:///etc/passwd", headers=HEADERS, body=b""),
        Request(url=f"{ORIGIN}/ok", headers=("TTL: 60\r\nHost: evil.example",), body=b""),
        Request(url=f"{ORIGIN}/ok", headers=("X: ü",), body=b""),
    ],
)
def test_a_request_that_cannot_be_written_as_http_is_a_value_and_not_sent(
    client: Client, server: Server, asked: Request
) -> None:
    assert failure_of(one(client, asked)) is FailureKind.PROTOCOL
    assert server.accepted == 0
