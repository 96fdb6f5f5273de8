"""Deliver: parcels come in, outcomes go out; while sockets wait for answers, the next messages are encrypted.

This is what a sender process does. It knows no database and keeps nothing between parcels but connections and tokens.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from typing import NamedTuple, Protocol, cast

from tidings.domain.app import Credential
from tidings.domain.outcome import Held, Outcome, Refused, Throttled, ThrottleScope, Unavailable
from tidings.domain.subscription import Address
from tidings.lib.exchange import Answer, Request
from tidings.lib.pacing import Waiting
from tidings.pipeline.origins import Flight, Origins
from tidings.providers import BuildsTogether, Draft, Envelope, HasQuota, Provider

BURST = 32
"""Messages encrypted before the sockets are looked at again: some milliseconds. Fewer make a tenth more of it all, as
whatever comes between turns the curve's tables out of the cache."""

IDLE = 0.005
"""Seconds to wait for the sockets before asking for another chunk."""

ASIDE = 500
"""Parcels that wait aside for room at their origins, at most; a sender holds two chunks of 200."""

LINE_FOR_SLOW = ASIDE // 2
"""How long that line may be for a parcel of a slow service: beyond that it comes back, to be tried later."""

LEAST_TTL = 60
"""Seconds: push services refuse or drop a TTL of 0."""

RECALLED = Throttled(0.0, ThrottleScope.DEVICE, Held.RECALLED)
"""What becomes of a parcel whose chunk was taken back before it left."""


class Parcel(NamedTuple):
    """One recipient's part of a chunk; a tuple, because it is made and pickled once for each recipient."""

    subscription_id: int
    draft: int
    credential_id: int
    origin: str
    target: str
    keys: bytes
    delivery_id: str
    receipt_token: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """100 to 200 parcels of one notification with what they share. `expires_at` is in Unix seconds.

    `share` is what a sender may have of a limit as it is now, where that is not what it was started with.
    """

    number: int
    expires_at: float
    drafts: tuple[tuple[str, Draft], ...]
    credentials: dict[int, Credential]
    parcels: tuple[Parcel, ...]
    notification_id: int = 0
    share: float | None = None


class Recall(NamedTuple):
    """Take back what has not left yet of these chunks."""

    chunks: frozenset[int]


class Settled(NamedTuple):
    """What became of one parcel of one chunk."""

    chunk: int
    subscription_id: int
    outcome: Outcome


Key = tuple[int, int]
"""(number of the chunk, subscription id): what an answer is recognised by."""


class EndOfChunks(Exception):
    """There will be no further chunk."""


class HttpClient(Protocol):
    """What delivering needs of `lib/http.py`."""

    @property
    def room(self) -> int:
        """How many more requests it takes now."""
        ...

    def submit(self, key: Key, request: Request) -> None:
        """Begin an exchange."""
        ...

    def poll(self, timeout: float) -> list[tuple[Key, Answer]]:
        """Move bytes; wait up to `timeout` seconds for something to happen; give what was answered."""
        ...


class Delivery:
    """Parcels on their way over one HTTP client.

    `now` is the time of day; `ticks` are seconds of a clock that is never set, because a rest must not depend on it.
    """

    def __init__(
        self,
        client: HttpClient,
        *,
        provider: Callable[[str], Provider],
        origins: Origins | None = None,
        now: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
        recalled: Callable[[int], bool] = lambda chunk: False,
    ) -> None:
        self._client = client
        self._provider = provider
        self._origins = origins or Origins(most=client.room)
        self._now = now
        self._ticks = ticks
        self._recalled = recalled
        self._waiting: dict[Key, tuple[Address, Provider, Flight]] = {}
        self._line: Waiting[tuple[Chunk, Parcel]] = Waiting()
        self._leaving: dict[tuple[int, int, int], tuple[Chunk, list[tuple[Parcel, Address, Flight]]]] = {}
        self._places = client.room
        """What the client takes on besides those that are leaving."""
        self._stuck = False
        self._tick = self._time = 0.0
        """Both clocks at the beginning of a turn, which takes milliseconds, or after the wait for a chunk in it."""

    def run(self, take: Callable[[bool], Chunk | None]) -> Iterator[list[Settled]]:
        """Send every parcel of every chunk and give the outcomes as they come, in no order; none after a wait in vain.

        A parcel whose origin has no room waits aside, so that a slow push service holds up nobody else's; if many wait
        already, it comes back. One whose origin is to be left alone comes back at once, to be tried later: waiting for
        it would hold up its chunk.

        `take(wait)` gives the next chunk, or None when there is none now (it may block only if `wait`), and raises
        EndOfChunks at the end. It is asked as soon as the last parcel before is on its way, so that the connections
        do not run dry between chunks and a slow answer holds up nobody else.
        """
        parcels: Iterator[tuple[Chunk, Parcel]] = iter(())
        ended = False
        while not (ended and not self._waiting and not self._line):
            settled: list[Settled] = []
            starved = False
            self._look_at_clocks()
            self._stuck = False
            for _ in range(BURST):
                if self._advance(parcels, settled):
                    continue
                if self._full:
                    break
                starved = True
                chunk, ended = self._next(take, ended=ended, wait=not (settled or self._busy))
                self._look_at_clocks()  # hours may have passed where nothing was to be done
                if chunk is None:
                    break
                self._limit(chunk)
                parcels = zip(repeat(chunk), chunk.parcels)
            self._depart(settled)
            waits = starved or self._full
            settled += self._answers(IDLE if waits else 0.0)
            if settled or waits:
                yield settled

    def _look_at_clocks(self) -> None:
        self._tick, self._time = self._ticks(), self._now()

    def _limit(self, chunk: Chunk) -> None:
        if chunk.share is not None:
            self._origins.share = chunk.share
        for number, credential in chunk.credentials.items():
            via: object = self._provider(credential.provider)
            quota = via.quota(credential) if isinstance(via, HasQuota) else None
            if quota is not None:
                self._origins.limit(number, of=quota.of, a_minute=quota.a_minute)

    def _advance(self, parcels: Iterator[tuple[Chunk, Parcel]], settled: list[Settled]) -> bool:
        """Bring one parcel further: onto its way, aside, or back at once; False when none can be."""
        if self._line:
            if not self._stuck and (due := self._line.take(self._room_for)):
                self._admit(*due, settled)
                return True
            self._stuck = True  # no room comes about in a turn, and looking again costs a look at every origin
            if len(self._line) > LINE_FOR_SLOW and (due := self._line.take(self._tarries)):
                settled.append(self._put_off(*due))
                return True
        if self._full or (pair := next(parcels, None)) is None:
            return False
        # Whoever waits aside has no room, so this one overtakes nobody at its own origin.
        origin = pair[1].origin
        if self._room_for(origin) > 0:
            self._admit(*pair, settled)
        else:
            self._line.put(origin, pair)
        return True

    def _tarries(self, origin: str) -> int:
        return self._origins.tarries(origin, life=0.0, now=self._tick) is not None

    def _put_off(self, chunk: Chunk, parcel: Parcel) -> Settled:
        life = max(0.0, chunk.expires_at - self._time)
        outcome = self._origins.tarries(parcel.origin, life=life, now=self._tick)
        return Settled(chunk.number, parcel.subscription_id, outcome or RECALLED)

    @property
    def _busy(self) -> bool:
        return bool(self._waiting or self._line or self._leaving)

    @property
    def _full(self) -> bool:
        return self._places <= 0 or len(self._line) >= ASIDE

    def _room_for(self, origin: str) -> int:
        return self._origins.room(origin, now=self._tick) if self._places > 0 else 0

    def _next(self, take: Callable[[bool], Chunk | None], *, ended: bool, wait: bool) -> tuple[Chunk | None, bool]:
        if ended:
            return None, True
        try:
            return take(wait), False
        except EndOfChunks:
            return None, True

    def _admit(self, chunk: Chunk, parcel: Parcel, settled: list[Settled]) -> None:
        """Let a parcel leave with the others of this turn, if nothing is in its way."""
        life, origin, key_id = chunk.expires_at - self._time, parcel.origin, parcel.credential_id
        outcome: Outcome | None
        if life <= 0:
            outcome = Unavailable(None, "ttl_ended")
        elif self._recalled(chunk.number):
            outcome = RECALLED
        else:
            outcome = self._origins.held(origin, key_id, chunk=chunk.number, life=life, now=self._tick)
        if outcome is not None:
            settled.append(Settled(chunk.number, parcel.subscription_id, outcome))
            return
        group = self._leaving.get((chunk.number, parcel.draft, key_id))
        if group is None:
            group = self._leaving[chunk.number, parcel.draft, key_id] = (chunk, [])
        flight = self._origins.start(origin, key_id, now=self._tick)
        group[1].append((parcel, Address(parcel.target, parcel.keys), flight))
        self._places -= 1

    def _depart(self, settled: list[Settled]) -> None:
        """Build the requests of all that may leave, and hand them over."""
        for (number, which, key_id), (chunk, leaving) in self._leaving.items():
            name, draft = chunk.drafts[which]
            via, ttl = self._provider(name), max(LEAST_TTL, int(chunk.expires_at - self._time))
            recipients = [(to, Envelope(one.delivery_id, one.receipt_token, ttl)) for one, to, _ in leaving]
            requests = _built(via, draft, recipients, credential=chunk.credentials[key_id], now=self._time)
            for (parcel, to, flight), request in zip(leaving, requests, strict=True):
                key = (number, parcel.subscription_id)
                if isinstance(request, Refused):
                    self._origins.withdraw(flight)
                    settled.append(Settled(*key, request))
                else:
                    self._waiting[key] = (to, via, flight)
                    self._client.submit(key, request)
        self._leaving.clear()
        self._places = self._client.room

    def _answers(self, timeout: float) -> list[Settled]:
        if not self._waiting:
            return []
        settled = []
        answers = self._client.poll(timeout)
        now, tick = self._now(), self._ticks()
        for key, answer in answers:
            to, via, flight = self._waiting.pop(key)
            outcome = via.outcome(to, answer, now=now)
            self._origins.learn(flight, answer, outcome, now=tick)
            settled.append(Settled(*key, outcome))
        self._places = self._client.room
        return settled


def _built(
    via: Provider, draft: Draft, recipients: Sequence[tuple[Address, Envelope]], *, credential: Credential, now: float
) -> list[Request | Refused]:
    if _builds_together(type(via)):
        return cast("BuildsTogether", via).requests(draft, recipients, credential=credential, now=now)
    return [via.request(draft, to, envelope, credential=credential, now=now) for to, envelope in recipients]


@cache
def _builds_together(kind: type[Provider]) -> bool:
    return issubclass(kind, BuildsTogether)  # in Python 3.11 as slow as signing: it goes through all that a class has
