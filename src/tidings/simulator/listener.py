"""A listening socket on loopback that hands each connection to the protocol its client asked for."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from email.utils import formatdate
from typing import Self, cast

from tidings.lib.clock import Clock
from tidings.simulator.answers import Handler
from tidings.simulator.http1 import Http1Session
from tidings.simulator.http2 import Http2Session

HOST = "127.0.0.1"


class HttpDate:
    """The Date header (RFC 9110 §6.6.1), written once a second."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._second = -1
        self._text = ""

    def __call__(self) -> str:
        """Give the present second as an IMF-fixdate."""
        second = int(self._clock.now().timestamp())
        if second != self._second:
            self._second, self._text = second, formatdate(second, usegmt=True)
        return self._text


class _Connection(asyncio.Protocol):
    """One accepted connection: chooses HTTP/2 or HTTP/1.1 by ALPN, then only passes bytes on."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._session: Http2Session | Http1Session | None = None
        self.transport: asyncio.Transport | None = None
        self.gone = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        tls = transport.get_extra_info("ssl_object")
        self._session = self._listener.session_for(
            self.transport, http2=tls is not None and tls.selected_alpn_protocol() == "h2"
        )
        if self._session is None:
            self.transport.close()
            return
        self._listener.open_connections.add(self)
        self._listener.accepted += 1

    def data_received(self, data: bytes) -> None:
        if self._session:
            self._session.receive(data)

    def eof_received(self) -> bool:
        if self._session:
            self._session.receive_end()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._listener.open_connections.discard(self)
        if self._session:
            self._session.lost()
        self.gone.set_result(None)


class Listener:
    """One HTTP server of the simulator; `accepted` counts the connections it has seen.

    With `connected` each connection has a handler of its own, made from the client's certificate (DER, None without
    one), and speaks HTTP/2 or nothing.
    """

    def __init__(
        self,
        handler: Handler | None = None,
        *,
        date: Callable[[], str],
        max_streams: int = 100,
        connected: Callable[[bytes | None], Handler] | None = None,
    ) -> None:
        self.handler = handler
        self.accepted = 0
        self.open_connections: set[_Connection] = set()
        self._date = date
        self._max_streams = max_streams
        self._connected = connected
        self._server: asyncio.Server | None = None

    async def open(self, *, port: int, tls: ssl.SSLContext | None = None) -> Self:
        """Listen on loopback; port 0 takes a free one. Raises OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), HOST, port, ssl=tls)
        return self

    @property
    def port(self) -> int:
        """The port it listens on."""
        if self._server is None:
            raise RuntimeError("the listener is not open")
        return int(self._server.sockets[0].getsockname()[1])

    def session_for(self, transport: asyncio.Transport, *, http2: bool) -> Http2Session | Http1Session | None:
        """Make the protocol session of one connection; None for a protocol that is not spoken here."""
        handler = self.handler
        if self._connected is not None:
            tls = transport.get_extra_info("ssl_object")
            handler = self._connected(tls.getpeercert(binary_form=True) if tls else None)
            if not http2:
                return None
        if handler is None:
            raise RuntimeError("the listener has no handler")
        if http2:
            return Http2Session(transport, handler, date=self._date, max_streams=self._max_streams)
        return Http1Session(transport, handler, date=self._date)

    async def close(self) -> None:
        """Stop listening and cut every connection."""
        if self._server is None:
            return
        self._server.close()
        # An aborted transport reports its loss in a later turn of the loop; until then it is not closed.
        gone = [connection.gone for connection in self.open_connections]
        for connection in list(self.open_connections):
            if connection.transport:
                connection.transport.abort()
        await self._server.wait_closed()
        await asyncio.gather(*gone)
