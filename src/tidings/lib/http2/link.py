"""A connection with its socket and TLS: bytes are moved as the socket is ready, and written in one piece a turn."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector

from tidings.lib.exchange import FailureKind
from tidings.lib.http2.answer_head import AnswerHeads
from tidings.lib.http2.connection import Connection
from tidings.lib.http2.frames import Code, goaway

PIECE = 65_536
"""Bytes read from a socket at once."""

MOST_PIECES = 16
"""Reads from one socket before the others have their turn."""


class Link:
    """One TLS connection. `opened` is called once with the protocol that the peer chose, or `failed` before that.

    `ended` tells that nothing goes any more; what had no answer by then is in the connection's `done`.
    """

    def __init__(
        self,
        opened_socket: socket.socket,
        *,
        context: ssl.SSLContext,
        name: str,
        heads: AnswerHeads,
        selector: BaseSelector,
        opened: Callable[[str | None], None],
        failed: Callable[[FailureKind, str], None],
        now: Callable[[], float],
    ) -> None:
        self._socket = opened_socket
        self._selector = selector
        self._opened = opened
        self._failed = failed
        self._now = now
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self._unsent = b""
        self._shaken = False
        self._watched = EVENT_READ
        self.ended = False
        self.since = now()
        """When it began to stand, by the clock that `now` reads."""
        self.connection = Connection(heads)
        for option, value in ((socket.IPPROTO_TCP, socket.TCP_NODELAY), (socket.SOL_SOCKET, socket.SO_KEEPALIVE)):
            opened_socket.setsockopt(option, value, 1)
        selector.register(opened_socket, EVENT_READ, self.ready)

    def shake(self) -> None:
        """Begin or go on with the handshake."""
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._send()
        except (ssl.SSLError, ssl.CertificateError, ValueError) as error:
            self._send()  # the alert that says so
            self._give_up(FailureKind.TLS, f"TLS: {error}")
        else:
            self._shaken = True
            self._opened(self._tls.selected_alpn_protocol())
            if not self.ended:
                self._read()  # what came along with the end of the handshake
                self.flush()

    def ready(self, mask: int) -> None:
        """Do what the socket is ready for."""
        if mask & EVENT_WRITE:
            self._send()
        if mask & EVENT_READ and not self.ended:
            self._receive()

    def flush(self) -> None:
        """Write what the connection has to say."""
        out = self.connection.out
        if out and self._shaken and not self.ended:
            said = b"".join(out)
            out.clear()
            try:
                self._tls.write(said)
            except ssl.SSLError as error:
                self.close(f"TLS: {error}")
                return
        if self._outgoing.pending:
            self._send()
        if self.connection.broken and not self.ended:
            self.close()

    def close(self, words: str = "the connection was closed") -> None:
        """Close the socket; whoever waits gets no answer."""
        if self.ended:
            return
        self.ended = True
        self.connection.end(words)
        self._selector.unregister(self._socket)
        self._socket.close()

    def say_goodbye(self) -> None:
        """Tell the peer that we go, as far as it listens, and close."""
        if self._shaken and not self.ended:
            self.connection.out.append(goaway(Code.NO_ERROR))
            self.flush()
        self.close()

    def _receive(self) -> None:
        try:
            for _ in range(MOST_PIECES):
                data = self._socket.recv(PIECE)
                if not data:
                    self._over("the peer closed the connection")
                    return
                self._incoming.write(data)
                if not self._shaken:
                    self.shake()
                else:
                    self._read()
                if self.ended or len(data) < PIECE:
                    return
        except BlockingIOError:
            return
        except OSError as error:
            self._over(error.strerror or str(error))

    def _read(self) -> None:
        """Decrypt what is whole: an answer of its own record each with some peers, so all of them go on together."""
        tls, incoming, pieces, words = self._tls, self._incoming, [], None
        try:
            while incoming.pending or tls.pending():
                piece = tls.read(PIECE)
                if not piece:
                    words = "the peer closed the connection"
                    break
                pieces.append(piece)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            words = f"TLS: {error}"
        if pieces:
            self.connection.receive(b"".join(pieces), self._now())
        if words is not None:
            self.close(words)

    def _send(self) -> None:
        data = self._unsent + self._outgoing.read()
        try:
            sent = self._socket.send(data) if data else 0
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._unsent = b""
            if self._shaken:
                self._hear_out(error.strerror or str(error))
            elif not self.ended:
                self._give_up(FailureKind.TLS, f"TLS: {error.strerror}")
            return
        self._unsent = data[sent:]
        watched = EVENT_READ | EVENT_WRITE if self._unsent else EVENT_READ
        if watched != self._watched and not self.ended:
            self._watched = watched
            self._selector.modify(self._socket, watched, self.ready)

    def _hear_out(self, words: str) -> None:
        """Read what a peer said before it stopped listening: answers, or which calls it did not work on."""
        if not self.ended and not self.connection.broken:
            self._receive()
        self.close(words)

    def _over(self, words: str) -> None:
        if self._shaken:
            self.close(words)
        else:
            self._give_up(FailureKind.TLS, f"TLS: {words} during the handshake")

    def _give_up(self, kind: FailureKind, words: str) -> None:
        if not self.ended:
            self.close(words)
            self._failed(kind, words)
