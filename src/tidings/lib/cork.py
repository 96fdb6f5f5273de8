"""Corks: while many small writes are made to a connection, the kernel fills whole packets with them (Linux)."""

from __future__ import annotations

import socket

_OPTION = getattr(socket, "TCP_CORK", None)


class Corks:
    """Corks the connections it was told of while a block runs; what is left goes out at its end, so nothing waits.

    Descriptors belong to somebody else, who closes them without a word. A number that is a descriptor of something else
    by then does no harm: corking another connection neither, and what is no connection says so and is forgotten.
    """

    def __init__(self) -> None:
        self._sockets: dict[int, socket.socket] = {}

    def add(self, descriptor: int) -> None:
        """Cork this connection from now on."""
        if _OPTION is not None:
            self._forget(descriptor)
            self._sockets[descriptor] = socket.socket(fileno=descriptor)

    def __enter__(self) -> None:
        self._set(1)

    def __exit__(self, *_: object) -> None:
        self._set(0)

    def __del__(self) -> None:
        self.clear()  # forgotten with its client: the sockets would close numbers that are somebody else's by then

    def clear(self) -> None:
        """Forget them all, without closing any."""
        for descriptor in list(self._sockets):
            self._forget(descriptor)

    def _set(self, corked: int) -> None:
        broken = []
        for descriptor, connection in self._sockets.items():
            try:
                connection.setsockopt(socket.IPPROTO_TCP, _OPTION, corked)  # type: ignore[arg-type]
            except OSError:
                broken.append(descriptor)
        for descriptor in broken:
            self._forget(descriptor)

    def _forget(self, descriptor: int) -> None:
        if descriptor in self._sockets:
            self._sockets.pop(descriptor).detach()
