"""Delivering to services that throttle, fail and come back: real HTTP/2, and a clock that the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from support.wire import NewClient, Server
from tidings.domain.app import Credential
from tidings.domain.message import Rendered, Urgency
from tidings.domain.outcome import Accepted, Held, Outcome, Throttled, ThrottleScope, Unavailable
from tidings.lib.crypto import base64url_from, generate_key, point_from, scalar_from
from tidings.lib.egress import AddressGuard
from tidings.lib.http import Client
from tidings.lib.pacing import FIRST, PROBES, REST, STEADY, TRIP
from tidings.lib.quota import BELIEVED
from tidings.pipeline.deliver import Chunk, Delivery, EndOfChunks, Parcel
from tidings.pipeline.origins import Origins
from tidings.providers import Draft
from tidings.providers.webpush.provider import WebPush

GOOGLE, APPLE = "https://fcm.googleapis.com", "https://web.push.apple.com"
ONE, OTHER = "https://push.example.com", "https://other.example.com"
WEBPUSH = WebPush()
KEY = generate_key()
CREDENTIAL = Credential(
    1, 1, 1, "webpush", base64url_from(point_from(KEY)), scalar_from(KEY), settings={"subject": "mailto:a@example.com"}
)
KEYS = point_from(generate_key()) + b"a" * 16
NUMBERS = count(1)


class Sender:
    """What a sender process does, chunk by chunk, on a clock of its own."""

    def __init__(self, client: Client, *, share: float = 1.0) -> None:
        self.now = 0.0
        origins = Origins(most=100, share=share)
        self._delivery = Delivery(client, provider=lambda _: WEBPUSH, origins=origins, ticks=lambda: self.now)

    def send(self, *endpoints: str) -> list[Outcome]:
        drafted = WEBPUSH.draft(
            Rendered("Hello", "", None, None, None, None, (), Urgency.NORMAL, None, None, {}),
        )
        assert isinstance(drafted, Draft)
        parcels = tuple(
            Parcel(number, 0, 1, endpoint[: endpoint.index("/", 8)], endpoint, KEYS, f"{number:032x}", "t")
            for number, endpoint in enumerate(endpoints)
        )
        chunks = [Chunk(next(NUMBERS), 4e9, (("webpush", drafted),), {1: CREDENTIAL}, parcels)]

        def take(_: bool) -> Chunk | None:
            if not chunks:
                raise EndOfChunks
            return chunks.pop()

        outcomes = {one.subscription_id: one.outcome for settled in self._delivery.run(take) for one in settled}
        assert outcomes.keys() == set(range(len(endpoints)))
        return [outcomes[number] for number in range(len(endpoints))]


@contextmanager
def sending(new_client: NewClient, server: Server, ca_file: str, *, share: float = 1.0) -> Iterator[Sender]:
    hosts = ("fcm.googleapis.com", "web.push.apple.com", "push.example.com", "other.example.com")
    with new_client(
        guard=AddressGuard(allow_loopback=True), connect_to=dict.fromkeys(hosts, server.place), ca_file=ca_file
    ) as client:
        yield Sender(client, share=share)


def reasons(outcomes: list[Outcome]) -> set[str]:
    return {"accepted" if isinstance(one, Accepted) else str(one.reason) for one in outcomes}


def test_a_site_that_google_limits_is_paced_at_the_published_number_and_refused_no_more(
    server: Server, ca_file: str, new_client: NewClient
) -> None:
    with sending(new_client, server, ca_file, share=0.1) as sender:  # a tenth of 1 000 a minute
        server.allowed = 100
        first = sender.send(*(f"{GOOGLE}/fcm/send/{number}" for number in range(400)))
        assert first.count(Accepted("")) == 100
        assert BELIEVED <= server.refused <= 100, "what was in flight, and not the 300 that were too many"
        assert {"accepted", "throttled", Held.RESTS} == reasons(first)
        for minute in range(1, 4):
            sender.now = minute * 61.0
            server.allowed, server.refused = 100, 0
            paced = sender.send(*(f"{GOOGLE}/fcm/send/{number}" for number in range(300)))
            assert paced.count(Accepted("")) == 100
            assert server.refused == 0
            assert reasons(paced) == {"accepted", Held.PACED}


def test_a_device_of_google_that_gets_too_much_does_not_slow_down_the_site(
    server: Server, ca_file: str, new_client: NewClient
) -> None:
    with sending(new_client, server, ca_file) as sender:
        outcomes = sender.send(*(f"{GOOGLE}/{'status/429' if n % 40 == 0 else 'ok'}" for n in range(400)))
        assert reasons(outcomes) == {"accepted", "throttled"}
        assert len(server.seen) == 400


def test_devices_of_apple_that_get_too_much_hold_up_nobody(server: Server, ca_file: str, new_client: NewClient) -> None:
    with sending(new_client, server, ca_file) as sender:
        outcomes = sender.send(*[f"{APPLE}/status/429"] * 50, *[f"{APPLE}/ok"] * 50)
        assert outcomes[:50] == [Throttled(7.0, ThrottleScope.DEVICE)] * 50
        assert reasons(outcomes[50:]) == {"accepted"}
        assert len(server.seen) == 100


def test_a_service_that_asks_us_to_wait_gets_nothing_until_then_and_others_go_on(
    server: Server, ca_file: str, new_client: NewClient
) -> None:
    with sending(new_client, server, ca_file) as sender:
        outcomes = sender.send(*[f"{ONE}/status/429"] * 200, *[f"{OTHER}/ok"] * 50)
        asked = sum(one.path == "/status/429" for one in server.seen)
        assert asked <= FIRST + BELIEVED
        assert reasons(outcomes[200:]) == {"accepted"}
        waiting = [one for one in outcomes if isinstance(one, Throttled) and one.reason == Held.RESTS]
        assert len(waiting) == 200 - asked
        assert all(7.0 <= (one.after or 0) <= 7.0 * 1.25 for one in waiting)
        assert reasons(sender.send(*[f"{ONE}/ok"] * 5)) == {Held.RESTS}
        sender.now = 7.0
        assert reasons(sender.send(*[f"{ONE}/ok"] * 5)) == {"accepted"}


def test_a_service_that_only_fails_is_left_alone_and_found_again_by_a_few(
    server: Server, ca_file: str, new_client: NewClient
) -> None:
    with sending(new_client, server, ca_file) as sender:
        assert reasons(sender.send(*[f"{ONE}/mended"] * TRIP)) == {"service_overloaded"}
        sender.now = STEADY
        assert Unavailable(REST, Held.SILENT) in sender.send(*[f"{ONE}/mended"] * 200)
        seen = len(server.seen)
        assert seen < TRIP + FIRST
        sender.now += REST
        assert reasons(sender.send(*[f"{ONE}/mended"] * 200)) == {"service_overloaded", Held.SILENT}
        assert seen < len(server.seen) <= seen + PROBES, "it is no better"
        sender.now += REST
        server.allowed = 1
        assert "accepted" in reasons(sender.send(*[f"{ONE}/mended"] * 200))
        assert reasons(sender.send(*[f"{ONE}/mended"] * 200)) == {"accepted"}


def test_one_moment_of_errors_is_no_reason_to_stop(server: Server, ca_file: str, new_client: NewClient) -> None:
    with sending(new_client, server, ca_file) as sender:
        assert reasons(sender.send(*[f"{ONE}/mended"] * 200)) == {"service_overloaded"}
        server.allowed = 1
        assert reasons(sender.send(*[f"{ONE}/mended"] * 200)) == {"accepted"}
