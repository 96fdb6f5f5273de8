from __future__ import annotations

import os
import pickle
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack

from tidings.domain.outcome import (
    Accepted,
    FaultScope,
    Gone,
    Held,
    KeyMismatch,
    Misconfigured,
    Outcome,
    Refused,
    Throttled,
    ThrottleScope,
    Unavailable,
    Unmapped,
)
from tidings.pipeline.deliver import Chunk, Parcel, Recall, Settled
from tidings.worker.child import LONGEST_REPORT, SenderProcess
from tidings.worker.sender import LENGTH, TELL_AT_ONCE, TELL_WITHIN, Inbox, Outbox
from tidings.worker.wire import Garbled, bytes_from_chunk, bytes_from_settled, chunk_from, report_from


def chunk_of(count: int, *, number: int = 7) -> Chunk:
    parcels = tuple(
        Parcel(
            subscription_id=n,
            draft=n % 2,
            credential_id=3,
            origin="https://push.example.com",
            target=f"https://push.example.com/{n}",
            keys=bytes([n % 256]) * 81,
            delivery_id=f"{n:032x}",
            receipt_token="t" * 16,
        )
        for n in range(count)
    )
    return Chunk(number=number, expires_at=12.5, drafts=(), credentials={}, parcels=parcels, notification_id=9)


@pytest.mark.parametrize("count", [0, 1, 200])
def test_a_chunk_arrives_as_it_was(count: int) -> None:
    chunk = chunk_of(count)
    assert chunk_from(pickle.loads(bytes_from_chunk(chunk))) == chunk


def test_every_outcome_arrives_with_its_chunk_and_subscription() -> None:
    outcomes: list[tuple[int, int, Outcome]] = [
        (1, 10, Accepted()),
        (1, 11, Accepted("https://push.example.com/m/1")),
        (2, 10, Accepted()),
        (1, 12, Gone("unsubscribed")),
        (2, 13, Throttled(7.0, ThrottleScope.DEVICE)),
    ]
    told = [
        (chunk, *one)
        for chunk, some in report_from(bytes_from_settled([Settled(*one) for one in outcomes]))
        for one in some.items()
    ]
    assert sorted(told, key=lambda one: one[:2]) == sorted(outcomes, key=lambda one: one[:2])


@pytest.mark.parametrize(
    "outcome",
    [
        Accepted("\u00fc" * 200),
        Gone("g"),
        KeyMismatch("k"),
        Refused("r"),
        Misconfigured("m", FaultScope.CREDENTIAL),
        Throttled(None, ThrottleScope.UNSTATED, Held.PACED, 1000),
        Unavailable(1.5, "u"),
        Unmapped(299, "x"),
    ],
)
def test_each_kind_of_outcome_arrives_as_it_was(outcome: Outcome) -> None:
    assert report_from(bytes_from_settled([Settled(1, 2, outcome)])) == [(1, {2: outcome})]


class Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.mkdir, ("unpickled",))


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\xc1",
        pickle.dumps(Trap()),
        pickle.dumps(({}, [])),
        msgpack.encode(({}, [], 1)),
        msgpack.encode(({1: ([1, 2], ["one"])}, [])),
        msgpack.encode(({"1": ([1], [""])}, [])),
        msgpack.encode(({1: ([1], [2])}, [])),
        msgpack.encode(({}, [(1, 2, "Trap", {})])),
        msgpack.encode(({}, [(1, 2, "Gone", {})])),
        msgpack.encode(({}, [(1, 2, "Throttled", {"after": "soon", "scope": "device"})])),
        msgpack.encode(({}, [(1, 2, "Throttled", {"after": 1.0, "scope": "everything"})])),
    ],
)
def test_what_is_no_report_is_refused_and_nothing_of_it_runs(
    said: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Garbled):
        report_from(said)
    assert list(tmp_path.iterdir()) == []


@given(st.binary(max_size=200))
def test_any_bytes_are_a_report_or_refused(said: bytes) -> None:
    with suppress(Garbled):
        for chunk, some in report_from(said):
            assert isinstance(chunk, int)
            assert all(isinstance(one, int) and isinstance(outcome, Outcome) for one, outcome in some.items())


def test_a_sender_that_announces_more_than_any_says_is_refused_before_it_says_it() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sender = SenderProcess.__new__(SenderProcess)
        sender._incoming, sender._inbox = ours, bytearray()
        theirs.send(LENGTH.pack(LONGEST_REPORT + 1))
        with pytest.raises(Garbled):
            sender.received()


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def told() -> Iterator[tuple[Outbox, Clock, Connection]]:
    reader, writer = os.pipe()
    clock = Clock()
    with closing(Connection(reader, writable=False)) as end:
        yield Outbox(writer, done=lambda _: None, now=clock), clock, end
        os.close(writer)


def heard(end: Connection) -> list[int]:
    found: list[int] = []
    while end.poll():
        (length,) = LENGTH.unpack(os.read(end.fileno(), LENGTH.size))
        found += [one for _, some in report_from(os.read(end.fileno(), length)) for one in some]
    return found


def test_the_worker_is_told_at_once_when_a_chunk_is_done(told: tuple[Outbox, Clock, Connection]) -> None:
    outbox, _, end = told
    outbox.expected(chunk_of(2))
    outbox.put([Settled(7, 0, Accepted())])
    assert heard(end) == []
    outbox.put([Settled(7, 1, Accepted())])
    assert heard(end) == [0, 1]


def test_the_worker_is_told_when_many_outcomes_wait(told: tuple[Outbox, Clock, Connection]) -> None:
    outbox, _, end = told
    outbox.expected(chunk_of(200))
    for n in range(TELL_AT_ONCE):
        outbox.put([Settled(7, n, Accepted())])
    assert heard(end) == list(range(TELL_AT_ONCE))


def test_no_outcome_waits_for_long_even_if_none_follows(told: tuple[Outbox, Clock, Connection]) -> None:
    outbox, clock, end = told
    outbox.expected(chunk_of(200))
    outbox.put([Settled(7, 5, Accepted())])
    clock.now += 2 * TELL_WITHIN
    outbox.put([])
    assert heard(end) == [5]


def test_nothing_is_taken_when_there_is_none(told: tuple[Outbox, Clock, Connection]) -> None:
    outbox, _, end = told
    assert outbox.expected(None) is None
    outbox.put([])
    assert heard(end) == []


def test_a_recall_is_remembered_as_long_as_its_chunk_is_under_way() -> None:
    ours, theirs = socket.socketpair()
    with ours, closing(Connection(theirs.detach())) as pipe, closing(Connection(ours.detach())) as worker:
        inbox = Inbox(pipe)
        worker.send_bytes(bytes_from_chunk(chunk_of(2)))
        assert inbox.take(True) is not None
        worker.send_bytes(pickle.dumps(Recall(frozenset({7, 8}))))
        assert inbox.recalled(7)
        assert not inbox.recalled(8), "it never had that one"
        inbox.done(7)
        assert not inbox.recalled(7)
