"""Sending parcels over a client that answers as the test wants."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from heapq import heappop, heappush

from tidings.domain.app import Credential
from tidings.domain.message import Rendered
from tidings.domain.outcome import Accepted, Gone, Held, Outcome, Refused, Throttled, ThrottleScope, Unavailable
from tidings.domain.subscription import Address
from tidings.lib.egress import HostPolicy
from tidings.lib.exchange import Answer, FailureKind, NetworkFailure, Reply, Request
from tidings.lib.pacing import REST, TRIP
from tidings.pipeline.deliver import Chunk, Delivery, EndOfChunks, Key, Parcel, Settled
from tidings.pipeline.origins import Origins
from tidings.providers import Draft, Envelope


class Client:
    """Answers a request some polls after it was submitted."""

    def __init__(self, answer: Callable[[Request], Answer], *, room: int = 4, polls: int = 1) -> None:
        self.answer = answer
        self.capacity = room
        self.polls = polls
        self.flying: deque[tuple[int, Key, Request]] = deque()
        self.polled = 0
        self.most = 0
        self.requests: list[Request] = []

    @property
    def room(self) -> int:
        return self.capacity - len(self.flying)

    def submit(self, key: Key, request: Request) -> None:
        assert self.room > 0
        self.requests.append(request)
        self.flying.append((self.polled + self.polls, key, request))
        self.most = max(self.most, len(self.flying))

    def poll(self, timeout: float) -> list[tuple[Key, Answer]]:
        self.polled += 1
        due = [one for one in self.flying if one[0] <= self.polled]
        self.flying = deque(one for one in self.flying if one[0] > self.polled)
        return [(key, self.answer(request)) for _, key, request in due]


class Plain:
    """A provider whose requests say who they are for."""

    name = "plain"

    def address_from(self, registration: Mapping[str, object], *, policy: HostPolicy) -> tuple[Address, str]:
        raise NotImplementedError

    def draft(self, rendered: Rendered) -> Draft | Refused:
        raise NotImplementedError

    def request(
        self, draft: Draft, to: Address, envelope: Envelope, *, credential: Credential, now: float
    ) -> Request | Refused:
        if to.target == "refuse":
            return Refused("too_large")
        return Request(to.target, (f"TTL: {envelope.ttl}", credential.fingerprint), envelope.delivery_id.encode())

    def outcome(self, to: Address, answer: Answer, *, now: float) -> Outcome:
        if isinstance(answer, NetworkFailure):
            return Unavailable(None, answer.kind)
        return Accepted() if answer.status == 201 else Gone("gone")


CREDENTIAL = Credential(id=7, integration_id=1, app_id=1, provider="plain", fingerprint="F", secret=b"")


def chunk(number: int, *targets: str, first: int = 1, expires_at: float = 1_000.0) -> Chunk:
    return Chunk(
        number=number,
        expires_at=expires_at,
        drafts=(("plain", Draft((b"",), "normal")),),
        credentials={7: CREDENTIAL},
        parcels=tuple(
            Parcel(first + index, 0, 7, target, target, b"", f"{first + index:032x}", "t")
            for index, target in enumerate(targets)
        ),
    )


def taking(*chunks: Chunk | None) -> tuple[Callable[[bool], Chunk | None], list[bool]]:
    waiting = deque(chunks)
    asked: list[bool] = []

    def take(wait: bool) -> Chunk | None:
        asked.append(wait)
        if not waiting:
            raise EndOfChunks
        return waiting.popleft()

    return take, asked


def ok(_: Request) -> Answer:
    return Reply(201, {}, b"")


def run(client: Client, *chunks: Chunk | None, now: float = 0.0, origins: Origins | None = None) -> list[Settled]:
    take, _ = taking(*chunks)
    delivery = Delivery(client, provider=lambda _: Plain(), origins=origins, now=lambda: now, ticks=lambda: now)
    return [one for batch in delivery.run(take) for one in batch]


def test_every_parcel_has_exactly_one_outcome() -> None:
    settled = run(Client(ok), chunk(1, *["a"] * 50), chunk(2, *["b"] * 50, first=51))
    assert sorted(one.subscription_id for one in settled) == list(range(1, 101))
    assert {one.chunk for one in settled} == {1, 2}
    assert {one.outcome for one in settled} == {Accepted()}


def test_the_window_is_filled_and_never_exceeded() -> None:
    client = Client(ok, room=10, polls=3)
    run(client, chunk(1, *["a"] * 100))
    assert client.most == 10


def test_a_new_chunk_is_taken_while_a_slow_answer_is_awaited() -> None:
    slow = Client(ok, room=100, polls=30)
    take, asked = taking(chunk(1, "slow"), None, None, chunk(2, "fast", first=2))
    delivery = Delivery(slow, provider=lambda _: Plain(), now=lambda: 0.0)
    settled = [one for batch in delivery.run(take) for one in batch]
    assert len(settled) == 2
    assert asked[0] is True, "with nothing on its way it may block"
    assert asked[1] is False, "with something on its way it must not"
    assert len(slow.requests) == 2


def test_a_push_service_without_room_holds_up_nobody_else() -> None:
    client = Client(ok, room=10, polls=5)
    settled = run(client, chunk(1, *["slow"] * 6, "fast", "fast"), origins=Origins(most=2, places=10))
    assert len(settled) == 8
    assert [request.url for request in client.requests[:4]] == ["slow", "slow", "fast", "fast"]


def test_a_push_service_without_room_holds_up_nobody_else_even_with_more_parcels_than_requests_fit() -> None:
    client = Client(ok, room=10, polls=5)
    settled = run(client, chunk(1, *["slow"] * 50, "fast"), origins=Origins(most=2))
    assert len(settled) == 51
    assert [request.url for request in client.requests].index("fast") <= 4


def test_a_push_service_that_does_not_answer_gets_no_more_and_its_parcels_come_back_to_be_tried_later() -> None:
    client = Client(
        lambda request: ok(request) if request.url == "well" else NetworkFailure(FailureKind.TIMEOUT), room=4, polls=2
    )
    settled = run(client, chunk(1, *["dead"] * 60, *["well"] * 60))
    assert sum(request.url == "dead" for request in client.requests) < TRIP + 4
    assert sum(one.outcome == Accepted() for one in settled) == 60
    given_back = [one.outcome for one in settled if one.outcome == Unavailable(REST, "origin_silent")]
    assert len(given_back) > 60 - TRIP - 4
    assert len(settled) == 120


def test_a_parcel_that_ran_out_while_it_waited_is_not_sent() -> None:
    client = Client(ok, room=1)
    take, _ = taking(chunk(1, "a", "b", expires_at=130.0))
    delivery = Delivery(client, provider=lambda _: Plain(), now=lambda: 131.0 if client.requests else 100.0)
    settled = [one for batch in delivery.run(take) for one in batch]
    assert [request.url for request in client.requests] == ["a"]
    assert {one.subscription_id: one.outcome for one in settled}[2] == Unavailable(None, "ttl_ended")


def test_a_request_that_cannot_be_made_is_an_outcome_and_sends_nothing() -> None:
    client = Client(ok)
    settled = run(client, chunk(1, "a", "refuse", "b"))
    assert {one.subscription_id: one.outcome for one in settled}[2] == Refused("too_large")
    assert [request.url for request in client.requests] == ["a", "b"]


def test_requests_that_cannot_be_made_take_up_no_place() -> None:
    client = Client(ok, room=2)
    settled = run(client, chunk(1, *["refuse"] * 300, "a"))
    assert sum(one.outcome == Refused("too_large") for one in settled) == 300
    assert [request.url for request in client.requests] == ["a"]


def test_failures_of_the_network_are_outcomes() -> None:
    settled = run(Client(lambda _: NetworkFailure(FailureKind.TIMEOUT)), chunk(1, "a"))
    assert settled == [Settled(1, 1, Unavailable(None, "timeout"))]


def test_the_time_left_goes_on_the_wire_and_is_never_below_a_minute() -> None:
    client = Client(ok)
    run(client, chunk(1, "a", expires_at=1_000.0), chunk(2, "b", first=2, expires_at=130.0), now=100.0)
    assert [request.headers[0] for request in client.requests] == ["TTL: 900", "TTL: 60"]


def test_it_ends_when_the_chunks_do() -> None:
    assert run(Client(ok)) == []


IDLE = 3_600.0


def after_an_hour(client: Client, *then: Chunk, origins: Origins) -> list[Settled]:
    """Send a first chunk, wait an hour for the next, as a sender does that has nothing to do, and send that."""
    clock = [1_000.0]
    chunks = deque((chunk(1, "a", expires_at=9_000.0), *then))

    def take(wait: bool) -> Chunk | None:
        if not chunks:
            raise EndOfChunks
        if not wait:
            return None
        clock[0] += IDLE * (len(chunks) == len(then))
        return chunks.popleft()

    delivery = Delivery(
        client, provider=lambda _: Plain(), origins=origins, now=lambda: clock[0], ticks=lambda: clock[0]
    )
    return [one for batch in delivery.run(take) for one in batch]


def test_the_time_left_is_what_is_left_after_an_hour_with_nothing_to_do() -> None:
    client = Client(ok)
    after_an_hour(client, chunk(2, "a", first=2, expires_at=1_000.0 + IDLE + 300), origins=Origins(most=50))
    assert [request.headers[0] for request in client.requests] == ["TTL: 8000", "TTL: 300"]


def test_what_ran_out_in_an_hour_with_nothing_to_do_is_not_sent() -> None:
    client = Client(ok)
    settled = after_an_hour(client, chunk(2, "a", first=2, expires_at=1_000.0 + IDLE), origins=Origins(most=50))
    assert len(client.requests) == 1
    assert settled[1].outcome == Unavailable(None, "ttl_ended")


def test_a_quick_service_is_not_held_for_slow_after_an_hour_with_nothing_to_do() -> None:
    client, origins = Client(ok, room=100, polls=20), Origins(most=50)
    settled = after_an_hour(client, chunk(2, *["a"] * 900, first=2, expires_at=20_000.0), origins=origins)
    assert {one.outcome for one in settled} == {Accepted()}
    assert origins.tarries("a", life=60.0, now=1_000.0 + IDLE) is None


class Told(Plain):
    """A provider that reads 429 as a throttle of the whole service."""

    def outcome(self, to: Address, answer: Answer, *, now: float) -> Outcome:
        assert isinstance(answer, Reply)
        return Throttled(60.0, ThrottleScope.ORIGIN) if answer.status == 429 else Accepted()


def test_what_a_service_asked_for_keeps_the_parcels_after_it_from_being_sent_and_no_others() -> None:
    client = Client(lambda request: Reply(429 if request.url == "busy" else 201, {}, b""), room=4, polls=2)
    take, _ = taking(chunk(1, *["busy"] * 40, *["well"] * 40))
    delivery = Delivery(client, provider=lambda _: Told(), now=lambda: 0.0, ticks=lambda: 0.0)
    settled = [one for batch in delivery.run(take) for one in batch]
    outcomes = [one.outcome for one in settled]
    assert len({one.subscription_id for one in settled}) == 80
    assert sum(request.url == "busy" for request in client.requests) <= 4
    assert outcomes.count(Accepted()) == 40
    rested = [one for one in outcomes if isinstance(one, Throttled) and one.reason == Held.RESTS]
    assert len(rested) >= 36
    assert all(60 <= (one.after or 0) <= 75 for one in rested)


def test_a_rest_outlasts_a_clock_that_is_set_back_or_forward() -> None:
    clock = iter([0.0, 0.0, *([-1e6, 1e3] * 100)])
    client = Client(lambda _: Reply(429, {}, b""), room=1)
    take, _ = taking(chunk(1, *["busy"] * 20, expires_at=1e9))
    delivery = Delivery(client, provider=lambda _: Told(), now=lambda: next(clock), ticks=lambda: 0.0)
    settled = [one for batch in delivery.run(take) for one in batch]
    assert len(client.requests) == 1
    assert len(settled) == 20


class Clocked:
    """A client on a clock of its own: an answer takes as long as its URL says, and a poll waits for the next one."""

    def __init__(self, seconds: Callable[[str], float], *, room: int = 100) -> None:
        self.now = 0.0
        self.room = room
        self.answered: list[tuple[float, str]] = []
        self.most: dict[str, int] = {}
        self.most_slow = 0
        self._open: Counter[str] = Counter()
        self._seconds = seconds
        self._flying: list[tuple[float, Key, str]] = []

    def submit(self, key: Key, request: Request) -> None:
        assert self.room > 0
        self.room -= 1
        heappush(self._flying, (self.now + self._seconds(request.url), key, request.url))
        self._open[request.url] += 1
        self.most[request.url] = max(self.most.get(request.url, 0), self._open[request.url])
        slow = sum(count for url, count in self._open.items() if self._seconds(url) > 1)
        self.most_slow = max(self.most_slow, slow)

    def poll(self, timeout: float) -> list[tuple[Key, Answer]]:
        if timeout and self._flying:
            self.now = max(self.now, min(self.now + timeout, self._flying[0][0]))
        due = []
        while self._flying and self._flying[0][0] <= self.now:
            due.append(heappop(self._flying))
        self.room += len(due)
        for at, _, url in due:
            self._open[url] -= 1
            self.answered.append((at, url))
        return [(key, Reply(201, {}, b"")) for _, key, _ in due]


def clocked(client: Clocked, *targets: str) -> dict[str, list[Outcome]]:
    """Send to all in chunks of 200, mixed as they come."""
    chunks = [
        chunk(number, *targets[at : at + 200], first=at + 1, expires_at=1e6)
        for number, at in enumerate(range(0, len(targets), 200))
    ]
    take, _ = taking(*chunks)
    delivery = Delivery(client, provider=lambda _: Plain(), now=lambda: client.now, ticks=lambda: client.now)
    outcomes: dict[str, list[Outcome]] = {}
    for batch in delivery.run(take):
        for one in batch:
            outcomes.setdefault(targets[one.subscription_id - 1], []).append(one.outcome)
    return outcomes


def test_slow_services_together_hold_half_of_what_is_in_flight_and_quick_ones_hardly_notice() -> None:
    slow = ("slow-1", "slow-2", "slow-3")
    client = Clocked(lambda url: 19.0 if url in slow else 0.05)
    outcomes = clocked(client, *(slow[n % 3] if n % 2 else "quick" for n in range(8000)))
    assert outcomes["quick"] == [Accepted()] * 4000
    assert max(at for at, url in client.answered if url == "quick") < 10.0
    assert client.most_slow <= 50 + len(slow)  # and one each that found out
    for name in slow:
        accepted = outcomes[name].count(Accepted())
        later = [one for one in outcomes[name] if one != Accepted()]
        assert accepted > 20
        assert {one.reason for one in later if isinstance(one, Throttled)} == {Held.SLOW}
        assert all(isinstance(one, Throttled) and 5.0 <= (one.after or 0) <= 20.0 for one in later)


def test_a_service_that_becomes_slow_gives_its_places_back_as_they_come_free() -> None:
    client = Clocked(lambda url: 19.0 if url == "tired" and client.now > 5.0 else 0.05)
    clocked(client, *["tired"] * 12_000, *["quick", "tired"] * 2000)
    assert client.most["tired"] == 100
    assert max(at for at, url in client.answered if url == "quick") < 35.0


def test_a_quick_service_may_have_everything() -> None:
    client = Clocked(lambda url: 0.05)
    assert clocked(client, *["quick"] * 5000) == {"quick": [Accepted()] * 5000}
    assert client.most["quick"] == 100
