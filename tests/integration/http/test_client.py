"""The client at the wire: what a server on loopback sees of a request, and what is made of its answer."""

from __future__ import annotations

from collections.abc import Callable

from support.wire import ORIGIN, NewClient, Server, one, request, status_of
from tidings.lib.egress import AddressGuard
from tidings.lib.exchange import Reply, Request
from tidings.lib.http import Client


def test_a_reply_has_status_lower_case_headers_body_and_time(client: Client) -> None:
    answer = one(client, request())
    assert isinstance(answer, Reply)
    assert (answer.status, answer.body) == (201, b"stored")
    assert answer.headers == {"location": "https://push.example.com/m/1", "ttl": "60"}
    assert answer.seconds > 0


def test_http2_is_negotiated_and_the_host_keeps_its_name_in_tls_and_on_the_wire(client: Client, server: Server) -> None:
    assert status_of(one(client, request())) == 201
    assert server.protocols == ["h2"]
    assert server.names == ["push.example.com"]
    assert (b":authority", b"push.example.com") in server.seen[0].headers


def test_requests_share_one_connection_at_the_same_time(client: Client, server: Server) -> None:
    answers = list(client.exchange((number, request("/hold/40")) for number in range(40)))
    assert {status_of(answer) for _, answer in answers} == {201}
    assert server.accepted == 1
    assert server.most_streams == {"push.example.com": 40}


def test_header_lines_url_and_body_arrive_exactly_as_given(
    start: Callable[..., Server], ca_file: str, new_client: NewClient
) -> None:
    server = start(alpn=("http/1.1",))
    guard = AddressGuard(allow_loopback=True)
    path = "/wpush/v2/../a//b;c/%7e%2F?q=[1]&d=:@!$'()*,~"
    lines = (
        "ttl: 60",
        "X-Case: Kept  inside",
        "Authorization: vapid t=a.b.c, k=d",
        "Content-Type: application/octet-stream",
    )
    with new_client(guard=guard, connect_to={"push.example.com": server.place}, ca_file=ca_file) as client:
        assert status_of(one(client, Request(url=ORIGIN + path, headers=lines, body=b"\x00\xff\r\n"))) == 201
    assert server.seen[0].head.decode().split("\r\n") == [
        f"POST {path} HTTP/1.1",
        "Host: push.example.com",
        *lines[:3],
        "Content-Type: application/octet-stream",
        "Content-Length: 4",
        "",
        "",
    ]
    assert server.seen[0].body == b"\x00\xff\r\n"


def test_http2_carries_the_given_header_lines_and_none_of_its_own(client: Client, server: Server) -> None:
    one(client, request(body=b"x" * 5000))
    assert [pair for pair in server.seen[0].headers if not pair[0].startswith(b":")] == [
        (b"ttl", b"60"),
        (b"urgency", b"normal"),
        (b"content-encoding", b"aes128gcm"),
        (b"content-type", b"application/octet-stream"),
        (b"content-length", b"5000"),
    ]


def test_a_body_may_be_empty(client: Client, server: Server) -> None:
    assert status_of(one(client, Request(url=f"{ORIGIN}/ok", headers=("TTL: 60",), body=b""))) == 201
    assert server.seen[0].body == b""
    assert b"content-type" not in dict(server.seen[0].headers)


def test_a_server_without_http2_is_spoken_to_in_http1(
    start: Callable[..., Server], ca_file: str, new_client: NewClient
) -> None:
    server = start(alpn=("http/1.1",))
    guard = AddressGuard(allow_loopback=True)
    with new_client(
        guard=guard, connect_to={"push.example.com": server.place}, ca_file=ca_file, max_host_connections=2
    ) as client:
        answers = dict(client.exchange((number, request()) for number in range(20)))
    assert {status_of(answer) for answer in answers.values()} == {201}
    assert server.accepted == (2 if new_client.keywords["by_curl"] else 3)  # and the one that found out
    answer = answers[0]
    assert isinstance(answer, Reply)
    assert answer.headers["x-twice"] == "a, b"


def test_a_redirect_is_returned_and_not_followed(client: Client, server: Server) -> None:
    answer = one(client, request("/redirect"))
    assert isinstance(answer, Reply)
    assert (answer.status, answer.headers["location"]) == (307, "/ok")
    assert len(server.seen) == 1


def test_an_interim_answer_leaves_nothing_behind(client: Client) -> None:
    answer = one(client, request("/early"))
    assert isinstance(answer, Reply)
    assert answer.status == 201
    assert "x-early" not in answer.headers


def test_a_big_body_is_cut_and_the_connection_lives_on(client: Client, server: Server) -> None:
    answer = one(client, request("/big"))
    assert isinstance(answer, Reply)
    assert (answer.status, len(answer.body)) == (201, 8192)
    assert status_of(one(client, request())) == 201
    assert server.accepted == 1


def test_an_endless_body_is_stopped_and_the_status_stands(client: Client) -> None:
    answer = one(client, request("/endless"))
    assert isinstance(answer, Reply)
    assert (answer.status, len(answer.body)) == (201, 8192)


def test_too_many_headers_are_cut(client: Client) -> None:
    answer = one(client, request("/fat"))
    assert isinstance(answer, Reply)
    assert answer.status == 201
    assert len(answer.headers) == 64


def test_a_status_that_says_slow_down_comes_with_its_retry_after(client: Client) -> None:
    answer = one(client, request("/status/429"))
    assert isinstance(answer, Reply)
    assert (answer.status, answer.headers) == (429, {"retry-after": "7"})
