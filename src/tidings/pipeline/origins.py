"""What delivering learns of push services: outcomes come in; out go a window for each, and what may not be sent now."""

from __future__ import annotations

from typing import NamedTuple

from tidings.domain.outcome import Held, Outcome, Throttled, ThrottleScope, Unavailable
from tidings.lib.exchange import Answer, FailureKind, NetworkFailure
from tidings.lib.pacing import Breaker, Known, Pace, Promptness, Sign
from tidings.lib.quota import Gate, Limit

SILENT = frozenset({FailureKind.DNS, FailureKind.CONNECT, FailureKind.TLS, FailureKind.TIMEOUT})
"""Failures that mean that nobody is there."""

SPREAD = 0.25
LONGEST_SPREAD = 300.0
"""What a rest is lengthened by, at most, so that not all come back in its first moment: a share of it, and seconds."""

LEAST_WAIT = 5.0
"""Seconds, at least, after which a parcel comes back for which a slow service had no place."""

_GOLDEN = 0.6180339887498949


class Service:
    """What is known of one origin, whatever the key."""

    __slots__ = ("breaker", "pace", "promptness")

    def __init__(self, most: int) -> None:
        self.pace = Pace(most=most)
        self.breaker = Breaker()
        self.promptness = Promptness()

    @property
    def idle(self) -> bool:
        """Tell whether nothing would be lost with it."""
        return self.pace.idle and self.breaker.idle

    def withdraw(self, ticket: int) -> None:
        """Take back a request that did not go out after all."""
        self.pace.finish(ticket, Sign.NOTHING)
        self.breaker.withdraw()
        self.promptness.in_flight -= 1


class Flight(NamedTuple):
    """A request that went out: its ticket in the window, and what will learn from its answer."""

    ticket: int
    began: float
    service: Service
    gate: Gate


class Origins:
    """The state of every push service as one sender sees it. Times are in seconds of a clock that is never set.

    A window and a breaker belong to an origin; a rest and a limit to a key at an origin, because push services count
    by key. `share` is this sender's part of a limit, and may change: each learns for itself, and together they must not
    exceed it.
    Of the `places` in flight, `most` of them for one origin, slow services together get half: the others need theirs
    for moments only.
    """

    def __init__(self, *, most: int, places: int | None = None, share: float = 1.0) -> None:
        self.share = share
        self._for_slow = max(1, (places or most) // 2)
        self._services: Known[str, Service] = Known(lambda: Service(most))
        self._gates: Known[tuple[int, str], Gate] = Known(Gate)
        self._limits: dict[str, Limit] = {}
        self._limited: dict[int, Limit] = {}
        self._numbers: dict[str, dict[int, int]] = {}
        self._slow = 0
        self._counted_at: float | None = None

    def limit(self, credential_id: int, *, of: str, a_minute: int) -> None:
        """Keep a key to what its service publishes, from the first request on.

        Keys of the same account share it; where they name different numbers, the smallest holds for all.
        """
        numbers = self._numbers.setdefault(of, {})
        numbers[credential_id] = a_minute
        most = min(numbers.values()) * self.share
        found = self._limits.get(of)
        if found is None:
            found = self._limits[of] = Limit(most)
        found.a_minute = most  # what has gone in this minute counts, whatever it was before
        self._limited[credential_id] = found

    def room(self, origin: str, *, now: float) -> int:
        """Tell how many more parcels for that origin should be taken on now.

        There is room where nothing is to be sent: nobody has to stand in line to be told so.
        """
        service = self._services.of(origin)
        if service.breaker.rest(now=now):
            return 1
        room, promptness = service.pace.room, service.promptness
        if room <= 0 or not promptness.slow(now=now):
            return room
        # Where nothing is known one request finds out, however many wait for others.
        finds_out = promptness.seconds is None and not promptness.in_flight
        return min(room, max(self._room_for_slow(now), int(finds_out)))

    def _room_for_slow(self, now: float) -> int:
        # Counted once a moment, as a sender's turn has one: there may be a thousand origins, and each parcel asks.
        if self._counted_at != now:
            prompt = (service.promptness for service in self._services.values())
            self._slow = sum(one.in_flight for one in prompt if one.in_flight and one.slow(now=now))
            self._counted_at = now
        return self._for_slow - self._slow

    def tarries(self, origin: str, *, life: float, now: float) -> Throttled | None:
        """Give the outcome of a parcel that would stand in line for a slow service; None for a quick one."""
        promptness = self._services.of(origin).promptness
        if not promptness.tarries(now=now):
            return None
        return Throttled(min(max(LEAST_WAIT, promptness.seconds or 0.0), life / 2), ThrottleScope.PROJECT, Held.SLOW)

    def held(
        self, origin: str, credential_id: int, *, chunk: int, life: float, now: float
    ) -> Throttled | Unavailable | None:
        """Give the outcome of a parcel that may not be sent now, None if it may: then it has to be sent.

        `life` are the seconds its message has left. A chunk's parcels get the same delay, so that they stay together,
        and those of different chunks different ones, so that they do not come back in one wave.
        """
        if rest := self._services.of(origin).breaker.rest(now=now):
            return Unavailable(rest, Held.SILENT)
        gate = self._gates.of((credential_id, origin))
        if rest := gate.rest(now=now):
            lot = chunk * _GOLDEN % 1  # parts any number of chunks evenly, and needs no chance
            spread = min(SPREAD * rest, LONGEST_SPREAD, max(0.0, life - rest) / 2)
            return Throttled(rest + spread * lot, ThrottleScope.PROJECT, Held.RESTS)
        if wait := gate.turn(now=now):
            # Our own guess, not the service's word: it must not be what lets a message run out of time.
            return Throttled(min(wait, life / 2), ThrottleScope.PROJECT, Held.PACED)
        limit = self._limited.get(credential_id)
        if limit is not None and (wait := limit.take(now=now)):
            return Throttled(min(wait, life / 2), ThrottleScope.PROJECT, Held.PACED)
        return None

    def start(self, origin: str, credential_id: int, *, now: float) -> Flight:
        """Count a request that goes out."""
        service = self._services.of(origin)
        service.breaker.start()
        service.promptness.start(now=now)
        self._slow += service.promptness.slow(now=now)
        return Flight(service.pace.start(), now, service, self._gates.of((credential_id, origin)))

    def withdraw(self, flight: Flight) -> None:
        """Take back a request that did not go out after all."""
        flight.service.withdraw(flight.ticket)
        self._counted_at = None

    def learn(self, flight: Flight, answer: Answer, outcome: Outcome, *, now: float) -> None:
        """Draw the conclusions from what became of a request."""
        self._counted_at = None
        after = 0.0
        if isinstance(outcome, Throttled):
            sign = self._throttled(flight.gate, outcome, now=now)
        else:
            sign = sign_of(answer, outcome)
            if sign is Sign.GOOD:
                flight.gate.passed()
            elif isinstance(outcome, Unavailable):
                after = outcome.after or 0.0
        service = flight.service
        service.pace.finish(flight.ticket, sign)
        service.promptness.finish(began=flight.began, now=now)
        service.breaker.note(sign, now=now, after=after)

    def _throttled(self, gate: Gate, outcome: Throttled, *, now: float) -> Sign:
        if outcome.scope is ThrottleScope.DEVICE:
            return Sign.GOOD
        if outcome.scope is ThrottleScope.UNSTATED and not gate.doubted():
            return Sign.GOOD
        a_minute = None if outcome.a_minute is None else outcome.a_minute * self.share
        gate.refused(now=now, after=outcome.after, a_minute=a_minute)
        return Sign.BUSY


def sign_of(answer: Answer, outcome: Outcome) -> Sign:
    """Tell what an answer says of the origin beyond the one address that was asked."""
    if isinstance(answer, NetworkFailure):
        return Sign.SILENT if answer.kind in SILENT else Sign.NOTHING
    return Sign.FAILING if isinstance(outcome, Unavailable) and answer.status >= 500 else Sign.GOOD
