"""A TCP connection to one of several addresses, whichever answers first, and to none that is not allowed (RFC 8305)."""

from __future__ import annotations

import errno
import os
import socket
from collections import deque
from collections.abc import Callable
from selectors import EVENT_WRITE, BaseSelector

from tidings.lib.exchange import FailureKind
from tidings.lib.http2.resolve import Found, Place

STAGGER = 0.25
"""Seconds after which the next address is tried beside those that have not answered (RFC 8305 §8)."""

MOST_ADDRESSES = 16
"""Addresses of one name that are tried."""

_UNDER_WAY = frozenset({0, errno.EINPROGRESS, errno.EWOULDBLOCK})


def alternating(found: list[tuple[int, Place]]) -> list[tuple[int, Place]]:
    """Put families in turns, so that one which leads nowhere holds up nothing (RFC 8305 §4)."""
    first = [one for one in found if one[0] == found[0][0]]
    others = [one for one in found if one[0] != found[0][0]]
    turns = [one for pair in zip(first, others, strict=False) for one in pair]
    shorter = min(len(first), len(others))
    return [*turns, *first[shorter:], *others[shorter:]]


class Dial:
    """Connects to what a name was resolved to. Each address is judged when it is about to be connected to.

    Ends with one call: `connected` with a socket that does not block, or `failed` with the kind and words.
    """

    def __init__(
        self,
        *,
        selector: BaseSelector,
        allows: Callable[[str], bool],
        connected: Callable[[socket.socket], None],
        failed: Callable[[FailureKind, str], None],
        now: Callable[[], float],
    ) -> None:
        self._selector = selector
        self._allows = allows
        self._connected = connected
        self._failed = failed
        self._now = now
        self._rest: deque[tuple[int, Place]] = deque()
        self._sockets: dict[socket.socket, Callable[[int], None]] = {}
        self._refused = self._tried = self._over = False
        self._words = "it has no address"
        self.due: float | None = None
        """When `tick` is to be called."""

    def resolved(self, found: Found) -> None:
        """Take the addresses and try the first."""
        if self._over:
            return
        if isinstance(found, OSError) or not found:
            self._end()
            words = (found.strerror or str(found)) if isinstance(found, OSError) else "no address"
            self._failed(FailureKind.DNS, f"its name leads nowhere: {words}")
            return
        self._rest.extend(alternating(found)[:MOST_ADDRESSES])
        self._next()

    def tick(self) -> None:
        """Try the next address if the others take long."""
        if self.due is not None and self._now() >= self.due:
            self._next()

    def close(self) -> None:
        """Give up without a word."""
        self._end()

    def _next(self) -> None:
        self.due = None
        while self._rest:
            family, place = self._rest.popleft()
            if not self._allows(str(place[0])):
                self._refused = True
                continue
            self._tried = True
            if self._begin(family, place):
                self.due = self._now() + STAGGER if self._rest else None
                return
        if not self._sockets:
            self._end()
            if self._refused and not self._tried:
                self._failed(FailureKind.FORBIDDEN_ADDRESS, "its addresses may not be called")
            else:
                self._failed(FailureKind.CONNECT, f"no connection: {self._words}")

    def _begin(self, family: int, place: Place) -> bool:
        try:
            opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        except OSError as error:  # no such family here, or no descriptor left
            self._words = error.strerror or str(error)
            return False
        opened.setblocking(False)
        code = opened.connect_ex(place)
        if code not in _UNDER_WAY:
            self._words = os.strerror(code)
            opened.close()
            return False

        def answered(_: int) -> None:
            self._answered(opened)

        self._sockets[opened] = answered
        self._selector.register(opened, EVENT_WRITE, answered)
        return True

    def _answered(self, opened: socket.socket) -> None:
        if opened not in self._sockets:  # another one, found ready at the same look, was taken and this one closed
            return
        code = opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self._selector.unregister(opened)
        del self._sockets[opened]
        if not code:
            self._end()
            self._connected(opened)
            return
        self._words = os.strerror(code)
        opened.close()
        self._next()

    def _end(self) -> None:
        self._over = True
        self.due = None
        self._rest.clear()
        for opened in self._sockets:
            self._selector.unregister(opened)
            opened.close()
        self._sockets.clear()
