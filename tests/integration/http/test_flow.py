"""Many requests at once, pulled as there is room. Counted, never timed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from support.wire import NewClient, Server, one, request, status_of
from tidings.lib.egress import AddressGuard
from tidings.lib.exchange import Request
from tidings.lib.http import Client


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
    assert server.accepted <= 2  # ninety streams to a connection
    assert most_ahead <= 150  # a hundred in flight and what waits for room, and answers that are not given out yet
    assert client.in_flight == 0


def test_submit_and_poll_give_every_answer_under_its_key(client: Client) -> None:
    for number in range(20):
        client.submit(number, request())
    assert client.in_flight == 20
    assert client.room == 80
    keys = set()
    while client.in_flight:
        keys |= {key for key, answer in client.poll(1.0) if status_of(answer) == 201}
    assert keys == set(range(20))


def test_submit_without_room_says_so(server: Server, ca_file: str, new_client: NewClient) -> None:
    guard = AddressGuard(allow_loopback=True)
    with new_client(guard=guard, connect_to={"push.example.com": server.place}, ca_file=ca_file, in_flight=1) as client:
        client.submit("a", request())
        with pytest.raises(RuntimeError, match="poll for answers first"):
            client.submit("b", request())
        with pytest.raises(RuntimeError, match="poll for their answers first"):
            next(client.exchange([]))


def test_leaving_an_exchange_early_drops_what_is_in_flight_and_the_client_works_on(client: Client) -> None:
    with closing(client.exchange((number, request()) for number in range(500))) as answers:
        next(answers)
    assert client.in_flight == 0
    assert status_of(one(client, request())) == 201


def test_closing_twice_is_fine(ca_file: str, new_client: NewClient) -> None:
    client = new_client(guard=AddressGuard(), ca_file=ca_file)
    client.close()
    client.close()
    assert client.in_flight == 0
