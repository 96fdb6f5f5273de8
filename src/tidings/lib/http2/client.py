"""Many POSTs over HTTP/2 at once: calls wait at their places, connections are made as they are needed."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Hashable
from selectors import DefaultSelector
from typing import Any

from tidings.lib.detours import Detours
from tidings.lib.egress import AddressGuard
from tidings.lib.exchange import Answer, ClientIdentity, FailureKind, Request
from tidings.lib.http2.call import Call
from tidings.lib.http2.link import Link
from tidings.lib.http2.openings import Openings
from tidings.lib.http2.place import Place
from tidings.lib.http2.request_head import RequestHeads, with_method
from tidings.lib.http2.resolve import Resolver
from tidings.lib.http2.trust import Trust
from tidings.lib.transfer import Target

MOST_TRIES = 3
"""Times a call is sent to a peer that says it works on nothing."""

MOST_LINKS = 128
"""Connections in all; beyond that one that is not used has to go."""

MOST_PLACES = 1024
"""Origins remembered; strangers may name origins, so memory needs an end."""

PAUSE = 1.0
"""Seconds before a further connection is tried to an origin where one failed and others stand."""

SPARE = 256
"""Calls with an answer that may be kept behind a slow one, besides as many as are in flight."""

OTHERWISE = 600.0
"""Seconds for which an origin that speaks no HTTP/2 is not asked again."""


class Http2Client:
    """Belongs to one thread. `handed_back` has what has to go another way, as the peer speaks no HTTP/2."""

    def __init__(
        self,
        *,
        guard: AddressGuard,
        detours: Detours,
        insecure: bool,
        ca_file: str,
        connect_timeout: float,
        total_timeout: float,
        max_host_connections: int,
        now: Callable[[], float] = time.monotonic,
        resolver: Resolver | None = None,
    ) -> None:
        self._detours = detours
        self._by_path = detours.by_path
        self._insecure = insecure
        self._total_timeout = total_timeout
        self._most_connections = max_host_connections
        self._now = now
        self._selector = DefaultSelector()
        self._resolver = resolver or Resolver()
        self._heads = RequestHeads()
        self._places: dict[Hashable, Place] = {}
        self._waiting: dict[Place, None] = {}
        self._links: dict[Link, Place] = {}
        self._openings = Openings(
            selector=self._selector,
            resolver=self._resolver,
            guard=guard,
            trust=Trust(ca_file),
            timeout=connect_timeout,
            now=now,
            stands=self._stands,
            failed=self._not_opened,
        )
        self._ages: deque[Call] = deque()
        self._otherwise: dict[str, float] = {}
        self._restless = False
        self.in_flight = 0
        """Calls without an answer."""
        self.answers: list[tuple[Any, Answer]] = []
        self.handed_back: list[Call] = []

    @property
    def kept(self) -> int:
        """Count the calls that are remembered, those among them that have an answer too."""
        return len(self._ages)

    def fileno(self) -> int:
        """Give a descriptor that is readable when `turn` has something to do."""
        return self._selector.fileno()

    def speaks_otherwise(self, origin: str) -> bool:
        """Tell whether that origin was found to speak no HTTP/2 of late."""
        if origin not in self._otherwise:
            return False
        if self._otherwise[origin] > self._now():
            return True
        del self._otherwise[origin]
        return False

    def submit(self, key: Hashable, request: Request, target: Target) -> bool:
        """Take a call on; False if its header lines are none."""
        identity = request.identity
        origin, path = target
        at: Hashable = origin.text if identity is None else (origin.text, identity)
        if self._by_path:  # one origin is at two places
            at = (at, self._detours.of(origin.host, path))
        place = self._places.get(at) or self._new_place(at, target, identity)
        block = self._heads.block(place.start, path, request.headers, len(request.body), request.own)
        if block is None:
            return False
        if request.method != "POST":
            block = with_method(block, request.method)
        call = Call(key, request, origin.host, block, self._now())
        place.queue.append(call)
        self._ages.append(call)
        self._waiting[place] = None
        self.in_flight += 1
        return True

    def due(self) -> float:
        """Give the seconds until `turn` has to be called though nothing is ready."""
        if self._restless:  # a connection ended at last, and its calls may go elsewhere
            return 0.0
        now, total = self._now(), self._total_timeout
        due = self._ages[0].began + total if self._ages else now + total
        opening = self._openings.due()
        return max(0.0, (due if opening is None else min(due, opening)) - now)

    def turn(self, wait: float) -> None:
        """Read what came, waiting for it up to so many seconds, then send what may leave."""
        for key, mask in self._selector.select(wait):
            key.data(mask)
        self._openings.tick()
        self._expire()
        for link in list(self._links):
            self._collect(link)
        if self._waiting:
            for place in list(self._waiting):
                self._hand_out(place)
        self._restless = False
        for link in list(self._links):
            link.flush()
            if link.ended:
                self._collect(link)
                self._restless = True

    def drop(self) -> None:
        """Forget all calls; connections stay."""
        for call in self._ages:
            if not call.over:
                call.over = True
                if call.connection is not None:
                    call.connection.cancel(call)
        for place in self._waiting:
            place.queue.clear()
        self._ages.clear()
        self._waiting.clear()
        self.answers.clear()
        self.handed_back.clear()
        self.in_flight = 0

    def close(self) -> None:
        """Close everything."""
        self.drop()
        self._openings.close()
        for link in self._links:
            link.say_goodbye()
        self._links.clear()
        self._places.clear()
        self._selector.close()
        self._resolver.close()

    def _new_place(self, at: Hashable, target: Target, identity: ClientIdentity | None) -> Place:
        if len(self._places) >= MOST_PLACES:
            self._places = {key: place for key, place in self._places.items() if not place.idle}
        mapped = self._detours.of(target.origin.host, target.path)
        made = Place(target.origin, identity, mapped=mapped, insecure=self._insecure)
        self._places[at] = made
        return made

    def _answer(self, call: Call, answer: Answer) -> None:
        if not call.over:
            call.over = True
            self.in_flight -= 1
            self.answers.append((call.key, answer))

    def _expire(self) -> None:
        ages, now = self._ages, self._now()
        before = now - self._total_timeout
        while ages and (ages[0].over or ages[0].began <= before):
            call = ages.popleft()
            if call.over:
                continue
            connection = call.connection
            self._answer(call, call.failure(FailureKind.TIMEOUT, f"no answer within {self._total_timeout:g} s"))
            if connection is not None:
                connection.cancel(call)
                if connection.heard_at < call.began:
                    connection.leaving = True  # it may lead nowhere by now
        if len(ages) > 2 * self.in_flight + SPARE:
            self._ages = deque(call for call in ages if not call.over)

    def _collect(self, link: Link) -> None:
        """Take answers and what the peer did not work on; forget a connection that is over."""
        connection = link.connection
        if connection.done:
            for call, answer in connection.done:
                self._answer(call, answer)
            connection.done.clear()
        for call in connection.returned:
            self._again(call, self._links[link])
        connection.returned.clear()
        if connection.leaving and not connection.calls:
            link.say_goodbye()
        if link.ended:
            place = self._links.pop(link)
            place.links.remove(link)
        elif connection.settled:
            self._links[link].streams = connection.limit

    def _again(self, call: Call, place: Place) -> None:
        if call.tries >= MOST_TRIES:
            self._answer(call, call.failure(FailureKind.RESET, "HTTP/2: the peer works on none of our requests"))
        elif not call.over:
            call.connection = None
            place.queue.appendleft(call)
            self._waiting[place] = None

    def _hand_out(self, place: Place) -> None:
        now = self._now()
        place.hand_out(now)
        wanted = place.wanted()
        if not place.queue:
            del self._waiting[place]
        while (
            wanted > 0
            and place.queue
            and len(place.links) + place.opening < self._most_connections
            and now >= place.not_before
        ):
            wanted -= 1
            self._open(place)

    def _open(self, place: Place) -> None:
        if len(self._links) >= MOST_LINKS:
            idle = next((link for link in self._links if not link.connection.calls), None)
            if idle is not None:
                idle.say_goodbye()
                self._collect(idle)
        self._openings.begin(place)

    def _stands(self, place: Place, link: Link, protocol: str | None) -> None:
        if protocol == "h2":
            place.links.append(link)
            self._links[link] = place
            return
        link.close()
        if len(self._otherwise) >= MOST_PLACES:
            del self._otherwise[next(iter(self._otherwise))]
        self._otherwise[place.origin] = self._now() + OTHERWISE
        while place.queue:
            call = place.queue.popleft()
            if not call.over:
                call.over = True
                self.in_flight -= 1
                self.handed_back.append(call)

    def _not_opened(self, place: Place, kind: FailureKind, words: str) -> None:
        if any(not link.connection.leaving for link in place.links):
            place.not_before = self._now() + PAUSE
        elif not place.opening:
            for call in place.queue:
                self._answer(call, call.failure(kind, words))
            place.queue.clear()
