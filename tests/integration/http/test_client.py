"""The client at the wire, against a server on loopback: what it sees is counted, nothing is timed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from tidings.lib.egress import AddressGuard
from tidings.lib.exchange import Answer, FailureKind, NetworkFailure, Reply, Request
from tidings.lib.http import Client

Server = Any  # tests/integration/http/conftest.py
Start = Callable[..., Server]

HEADERS = ("TTL: 60", "Urgency: normal", "Content-Encoding: aes128gcm", "Content-Type: application/octet-stream")
ORIGIN = "https://push.example.com"


def request(path: str = "/ok", *, base: str = ORIGIN, body: bytes = b"sealed") -> Request:
    return Request(url=base + path, headers=HEADERS, body=body)


@pytest.fixture
def client(server: Server, ca_file: str) -> Iterator[Client]:
    """A client that verifies certificates and reaches the server under the names of its certificate."""
    mapped = {"push.example.com": server.place, "other.example.com": server.place}
    guard = AddressGuard(allow_loopback=True)
    with Client(guard=guard, connect_to=mapped, ca_file=ca_file, total_timeout=10) as client:
        yield client


def one(client: Client, asked: Request) -> Answer:
    [(key, answer)] = list(client.exchange([("key", asked)]))
    assert key == "key"
    return answer


def status_of(answer: Answer) -> int:
    assert isinstance(answer, Reply), answer
    return answer.status


def failure_of(answer: Answer) -> FailureKind:
    assert isinstance(answer, NetworkFailure), answer
    return answer.kind


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


def test_a_thousand_requests_are_pulled_only_as_there_is_room(client: Client, server: Server) -> None:
    pulled, answered, most_ahead = 0, 0, 0

    def requests() -> Iterator[tuple[int, Request]]:
        nonlocal pulled, most_ahead
        for number in range(1000):
            pulled += 1
            most_ahead = max(most_ahead, pulled - answered)
            yield number, request()

    keys = set()
    for key, answer in client.exchange(requests()):
        assert status_of(answer) == 201
        keys.add(key)
        answered += 1
    assert keys == set(range(1000))
    assert len(server.seen) == 1000
    assert server.accepted == 1
    assert most_ahead <= 150  # a hundred in flight and what waits for room, and answers that are not given out yet
    assert client.in_flight == 0


def test_header_lines_url_and_body_arrive_exactly_as_given(start: Start, ca_file: str) -> None:
    server = start(alpn=("http/1.1",))
    guard = AddressGuard(allow_loopback=True)
    path = "/wpush/v2/../a//b;c/%7e%2F?q=[1]&d=:@!$'()*,~"
    lines = (
        "ttl: 60",
        "X-Case: Kept  inside",
        "Authorization: vapid t=a.b.c, k=d",
        "Content-Type: application/octet-stream",
    )
    with Client(guard=guard, connect_to={"push.example.com": server.place}, ca_file=ca_file) as client:
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


def test_a_server_without_http2_is_spoken_to_in_http1(start: Start, ca_file: str) -> None:
    server = start(alpn=("http/1.1",))
    guard = AddressGuard(allow_loopback=True)
    with Client(
        guard=guard, connect_to={"push.example.com": server.place}, ca_file=ca_file, max_host_connections=2
    ) as client:
        answers = dict(client.exchange((number, request()) for number in range(20)))
    assert {status_of(answer) for answer in answers.values()} == {201}
    assert server.accepted == 2
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


def test_a_server_that_says_nothing_times_out(server: Server, ca_file: str) -> None:
    guard = AddressGuard(allow_loopback=True)
    mapped = {"push.example.com": server.place}
    with Client(guard=guard, connect_to=mapped, ca_file=ca_file, total_timeout=0.5) as client:
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
    start: Start, ca_file: str, path: str, kind: FailureKind
) -> None:
    server = start(alpn=("http/1.1",))
    guard = AddressGuard(allow_loopback=True)
    with Client(guard=guard, connect_to={"push.example.com": server.place}, ca_file=ca_file) as client:
        assert failure_of(one(client, request(path))) is kind


def test_a_port_where_nobody_listens_is_a_connect_failure(start: Start, ca_file: str) -> None:
    server = start()
    server.stop()
    guard = AddressGuard(allow_loopback=True)
    with Client(guard=guard, connect_to={"push.example.com": server.place}, ca_file=ca_file) as client:
        answer = one(client, request("/secret"))
    assert failure_of(answer) is FailureKind.CONNECT
    assert isinstance(answer, NetworkFailure)
    assert answer.detail.startswith("push.example.com#")
    assert "secret" not in answer.detail
    assert len(answer.detail) <= 200


def test_a_name_that_does_not_exist_is_a_dns_failure() -> None:
    with Client(guard=AddressGuard()) as client:
        assert failure_of(one(client, request(base="https://nowhere.invalid"))) is FailureKind.DNS


def test_a_certificate_of_an_unknown_authority_is_refused(server: Server) -> None:
    with Client(guard=AddressGuard(allow_loopback=True), connect_to={"push.example.com": server.place}) as client:
        assert failure_of(one(client, request())) is FailureKind.TLS
    assert server.seen == []


def test_a_certificate_for_another_name_is_refused(server: Server, ca_file: str) -> None:
    guard = AddressGuard(allow_loopback=True)
    with Client(guard=guard, connect_to={"wrong.example.com": server.place}, ca_file=ca_file) as client:
        assert failure_of(one(client, request(base="https://wrong.example.com"))) is FailureKind.TLS
    assert server.seen == []


def test_insecure_takes_any_certificate_of_loopback_and_of_mapped_hosts_alone(server: Server) -> None:
    mapped = {"push.example.com": server.place}
    with Client(guard=AddressGuard(allow_loopback=True), connect_to=mapped, insecure=True) as client:
        assert status_of(one(client, request())) == 201
        assert status_of(one(client, request(base=f"https://localhost:{server.port}"))) == 201
        assert status_of(one(client, request(base=f"https://127.0.0.1:{server.port}"))) == 201


def test_insecure_does_not_trust_a_name_just_because_it_leads_to_loopback(server: Server, loopback_name: str) -> None:
    with Client(guard=AddressGuard(allow_loopback=True), insecure=True) as client:
        answer = one(client, request(base=f"https://{loopback_name}:{server.port}"))
    assert failure_of(answer) is FailureKind.TLS
    assert server.seen == []


@pytest.fixture
def loopback_name() -> str:
    """A name that only the resolver knows to be this machine."""
    import socket

    name = socket.gethostname()
    try:
        addresses = {str(found[4][0]) for found in socket.getaddrinfo(name, 443)}
    except OSError:
        addresses = set()
    if not addresses or not all(address.startswith("127.") or address == "::1" for address in addresses):
        pytest.skip("this machine's name does not resolve to loopback")
    return name


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "push.localhost"])
def test_loopback_is_refused_without_a_connection(server: Server, host: str) -> None:
    with Client(guard=AddressGuard()) as client:
        requests = [(number, request(base=f"https://{host}:{server.port}")) for number in range(3)]
        answers = [failure_of(answer) for _, answer in client.exchange(requests)]
    assert answers == [FailureKind.FORBIDDEN_ADDRESS] * 3
    assert server.accepted == 0


def test_a_name_that_resolves_to_loopback_is_refused_without_a_connection(server: Server, loopback_name: str) -> None:
    with Client(guard=AddressGuard()) as client:
        answer = one(client, request(base=f"https://{loopback_name}:{server.port}"))
    assert failure_of(answer) is FailureKind.FORBIDDEN_ADDRESS
    assert server.accepted == 0


def test_insecure_alone_does_not_open_loopback(server: Server) -> None:
    with Client(guard=AddressGuard(), insecure=True) as client:
        answer = one(client, request(base=f"https://localhost:{server.port}"))
    assert failure_of(answer) is FailureKind.FORBIDDEN_ADDRESS
    assert server.accepted == 0


def test_a_mapped_host_is_judged_by_the_guard_unless_insecure(server: Server, ca_file: str) -> None:
    mapped = {"push.example.com": server.place}
    with Client(guard=AddressGuard(), connect_to=mapped, ca_file=ca_file) as client:
        assert failure_of(one(client, request())) is FailureKind.FORBIDDEN_ADDRESS
    assert server.accepted == 0
    with Client(guard=AddressGuard(), connect_to=mapped, ca_file=ca_file, insecure=True) as client:
        assert status_of(one(client, request())) == 201


def test_http_is_refused_unless_insecure(start: Start) -> None:
    server = start(tls=False)
    plain = request(base=f"http://127.0.0.1:{server.port}")
    with Client(guard=AddressGuard(allow_loopback=True)) as client:
        assert failure_of(one(client, plain)) is FailureKind.PROTOCOL
    assert server.accepted == 0
    with Client(guard=AddressGuard(allow_loopback=True), insecure=True) as client:
        assert status_of(one(client, plain)) == 201


def test_proxies_of_the_environment_are_ignored(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert status_of(one(client, request())) == 201


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


def test_the_window_of_an_origin_halves_on_503_and_leaves_other_origins_alone(client: Client) -> None:
    assert (client.room_for(ORIGIN), client.room_for("https://other.example.com")) == (50, 50)
    list(client.exchange((number, request("/busy/50")) for number in range(50)))
    assert client.room_for(ORIGIN) == 25
    assert client.room_for("https://other.example.com") == 50


def test_a_status_that_says_slow_down_comes_with_its_retry_after(client: Client) -> None:
    answer = one(client, request("/status/429"))
    assert isinstance(answer, Reply)
    assert (answer.status, answer.headers) == (429, {"retry-after": "7"})


def test_the_window_of_an_origin_grows_with_good_answers(client: Client) -> None:
    list(client.exchange((number, request()) for number in range(300)))
    assert 53 <= client.room_for(ORIGIN) <= 58


def test_exchange_keeps_to_the_window_of_each_origin(client: Client, server: Server) -> None:
    list(client.exchange((number, request("/busy/50")) for number in range(50)))
    server.most_streams.clear()
    both = ((number, request(base=base)) for number in range(100) for base in (ORIGIN, "https://other.example.com"))
    answers = list(client.exchange(both))
    assert {status_of(answer) for _, answer in answers} == {201}
    assert len(answers) == 200
    assert server.most_streams["push.example.com"] <= 25 + 4  # a hundred good answers open it by four
    assert server.most_streams["other.example.com"] <= 50 + 2


def test_submit_and_poll_give_every_answer_under_its_key(client: Client) -> None:
    for number in range(20):
        client.submit(number, request())
    assert client.in_flight == 20
    assert client.room == 80
    keys = set()
    while client.in_flight:
        keys |= {key for key, answer in client.poll(1.0) if status_of(answer) == 201}
    assert keys == set(range(20))


def test_submit_without_room_says_so(server: Server, ca_file: str) -> None:
    guard = AddressGuard(allow_loopback=True)
    with Client(guard=guard, connect_to={"push.example.com": server.place}, ca_file=ca_file, in_flight=1) as client:
        client.submit("a", request())
        with pytest.raises(RuntimeError, match="poll for answers first"):
            client.submit("b", request())
        with pytest.raises(RuntimeError, match="poll for their answers first"):
            next(client.exchange([]))


def test_leaving_an_exchange_early_drops_what_is_in_flight_and_the_client_works_on(client: Client) -> None:
    with closing(client.exchange((number, request()) for number in range(500))) as answers:
        next(answers)
    assert client.in_flight == 0
    assert client.room_for(ORIGIN) >= 50
    assert status_of(one(client, request())) == 201


def test_closing_twice_is_fine(ca_file: str) -> None:
    client = Client(guard=AddressGuard(), ca_file=ca_file)
    client.close()
    client.close()
    assert client.in_flight == 0
