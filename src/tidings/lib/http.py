"""The HTTP client: many POSTs in flight at once; errors come as values.

HTTP/2 over TLS is our own (`lib/http2`), as almost all that is sent goes so. libcurl does the rest: peers that speak
no HTTP/2, proxies, http.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import certifi

from tidings.lib.curl import CurlClient
from tidings.lib.detours import Detours
from tidings.lib.egress import AddressGuard
from tidings.lib.exchange import Answer, FailureKind, NetworkFailure, Request
from tidings.lib.http2.client import Http2Client
from tidings.lib.transfer import digest, target_at

STEPS_PER_TURN = 16
"""Requests between two looks at the sockets: a look costs as much for one as for many."""

K = TypeVar("K", bound=Hashable)


class Client:
    """Sends many requests at once; belongs to one thread and is not carried across a fork.

    `connect_to` sends a host elsewhere (`{"push.example.com": "127.0.0.1:8443"}`), or what begins with a path there
    (`push.example.com/v1/`), under its own name in TLS and Host.
    `insecure`, for development, takes http, exempts what `connect_to` names from the guard, and does not verify the
    certificates of those and of loopback. Without `proxy` the environment's proxies are ignored; with one, the proxy
    decides what can be reached, as no address but its own is seen here. `by_curl` leaves everything to libcurl. Times
    are in seconds; `now` is the clock of HTTP/2, never set, as libcurl has its own.
    """

    def __init__(
        self,
        *,
        guard: AddressGuard,
        connect_to: Mapping[str, str] | None = None,
        insecure: bool = False,
        ca_file: str | None = None,
        in_flight: int = 100,
        connect_timeout: float = 5,
        total_timeout: float = 20,
        max_host_connections: int = 6,
        proxy: str | None = None,
        by_curl: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        detours = Detours(connect_to or {})
        trusted = ca_file or certifi.where()
        self._most = in_flight
        self._failed: list[tuple[Any, Answer]] = []
        self._curl = CurlClient(
            guard=guard,
            detours=detours,
            insecure=insecure,
            ca_file=trusted,
            in_flight=in_flight,
            connect_timeout=connect_timeout,
            total_timeout=total_timeout,
            max_host_connections=max_host_connections,
            proxy=proxy,
        )
        self._http2 = Http2Client(
            guard=guard,
            detours=detours,
            insecure=insecure,
            ca_file=trusted,
            connect_timeout=connect_timeout,
            total_timeout=total_timeout,
            max_host_connections=max_host_connections,
            now=now,
        )
        self._by_curl = by_curl or proxy is not None
        self.room = in_flight
        """How many more requests `submit` takes now."""

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def in_flight(self) -> int:
        """Count the requests that have no answer yet."""
        return self._most - self.room

    def submit(self, key: Hashable, request: Request) -> None:
        """Send a request; its answer comes out of `poll` with that key. RuntimeError when there is no room."""
        if self.room <= 0:
            raise RuntimeError(f"{self._most} requests are in flight already; poll for answers first")
        self.room -= 1
        target = target_at(request.url)
        origin = target.origin if target else None
        if not target or not origin or self._by_curl or not origin.secure or self._http2.speaks_otherwise(origin.text):
            self._curl.submit(key, request)
        elif not self._http2.submit(key, request, target):
            words = f"{origin.host}#{digest(request.url)}: a header line that cannot be written as HTTP"
            self._failed.append((key, NetworkFailure(FailureKind.PROTOCOL, words)))

    def poll(self, timeout: float) -> list[tuple[Any, Answer]]:
        """Move bytes and give what was answered; if that is nothing, wait for more, at most `timeout` seconds."""
        answers = self._turn(0.0)
        if not answers and timeout > 0 and self.in_flight:
            answers = self._turn(timeout)
        self.room += len(answers)
        return answers

    def exchange(self, requests: Iterable[tuple[K, Request]]) -> Iterator[tuple[K, Answer]]:
        """Send all requests and give the answers as they come; a request is pulled only when there is room for it.

        So the caller makes the next one while others are in flight. Leaving early drops what has no answer yet.
        """
        if self.room < self._most:
            raise RuntimeError("other requests are in flight; poll for their answers first")
        source, more, steps = iter(requests), True, 0
        try:
            while True:
                steps += 1
                if steps % STEPS_PER_TURN == 0:
                    yield from self.poll(0)
                if more and self.room > 0:
                    pulled = next(source, None)
                    more = pulled is not None
                    if pulled is not None:
                        self.submit(*pulled)
                elif self.in_flight:
                    yield from self.poll(1.0)
                else:
                    break
        finally:
            self._drop()

    def close(self) -> None:
        """Drop what is in flight and close every connection; closing twice is fine."""
        self._drop()
        self._http2.close()
        self._curl.close()

    def _drop(self) -> None:
        self._http2.drop()
        self._curl.drop()
        self._failed.clear()
        self.room = self._most

    def _turn(self, wait: float) -> list[tuple[Any, Answer]]:
        http2, curl = self._http2, self._curl
        if wait and curl.in_flight:
            self._wait(wait)
            wait = 0.0
        http2.turn(min(wait, http2.due()) if wait else 0.0)
        answers, http2.answers = http2.answers, []
        while http2.handed_back:
            call = http2.handed_back.pop()
            curl.submit(call.key, call.request)
        if curl.in_flight:
            answers += curl.poll(0)
        if self._failed:
            answers += self._failed
            self._failed.clear()
        return answers

    def _wait(self, wait: float) -> None:
        """Wait for either's sockets."""
        reads, writes, due = self._curl.waiting_for()
        select.select([self._http2.fileno(), *reads], writes, [], min(wait, due, self._http2.due()))
