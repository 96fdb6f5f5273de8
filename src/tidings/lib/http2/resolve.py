"""Names into addresses, in threads, because the system's resolver makes its caller wait."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from typing import Any

MOST_THREADS = 64
"""Names that are looked up at the same time; one whose servers are silent takes a thread for half a minute."""

Place = tuple[Any, ...]
Found = list[tuple[int, Place]] | OSError
"""Families of addresses with what `connect` takes, in the order to try them (RFC 6724); or why there are none."""

_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


def looked_up(host: str, port: int, flags: int = 0) -> Found:
    """Ask the system's resolver and wait for it."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=flags)
    except OSError as error:
        return error
    except UnicodeError:  # a label that is empty or longer than 63
        return OSError(f"{host!r} is no name")
    return [(family, place) for family, _, _, _, place in found]


class Resolver:
    """Looks names up; whoever waits on `fileno` calls `give` when it is readable."""

    def __init__(self, look_up: Callable[[str, int], Found] = looked_up) -> None:
        self._look_up = look_up
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._lock = threading.Lock()
        self._running = 0
        self._asked: deque[tuple[str, int, Callable[[Found], None]]] = deque()
        self._found: deque[tuple[Callable[[Found], None], Found]] = deque()

    def fileno(self) -> int:
        """Give the descriptor that becomes readable when something was found."""
        return self._ours.fileno()

    def ask(self, host: str, port: int, then: Callable[[Found], None]) -> None:
        """Look a name up and call `then`: at once for an address, else within a later `give`."""
        if host == "localhost" or host.endswith(".localhost"):
            then([(socket.AF_INET, ("127.0.0.1", port)), (socket.AF_INET6, ("::1", port, 0, 0))])  # RFC 6761 §6.3
            return
        try:
            ip_address(host)
        except ValueError:
            with self._lock:
                self._asked.append((host, port, then))
                if self._running >= MOST_THREADS:
                    return
                self._running += 1
            threading.Thread(target=self._work, name="tidings-names", daemon=True).start()
        else:
            then(looked_up(host, port, _NUMERIC))

    def give(self) -> None:
        """Call back for all that was found."""
        with suppress(BlockingIOError):
            self._ours.recv(4096)
        while self._found:
            then, found = self._found.popleft()
            then(found)

    def close(self) -> None:
        """Forget whoever waits; threads end with what they are at."""
        with self._lock:
            self._asked.clear()
            self._theirs.close()
        self._ours.close()
        self._found.clear()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._asked:
                    self._running -= 1
                    return
                host, port, then = self._asked.popleft()
            self._found.append((then, self._look_up(host, port)))
            with self._lock:
                if self._theirs.fileno() >= 0:
                    self._theirs.send(b"\0")
