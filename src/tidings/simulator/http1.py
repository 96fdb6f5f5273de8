"""One HTTP/1.1 connection: for clients that speak nothing newer, and for the plain servers of the simulator."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import h11

from tidings.simulator.answers import BODY_KEPT, Answer, Handler, Later, Response, Stall, request_from

LINGER = 2.0
"""Seconds an early answer has to reach a client that is still sending, before the connection is closed."""


class Http1Session:
    """Speaks HTTP/1.1 (RFC 9112) on one transport, one request after the other."""

    def __init__(self, transport: asyncio.Transport, handler: Handler, *, date: Callable[[], str]) -> None:
        self._transport = transport
        self._handler = handler
        self._date = date
        self._loop = asyncio.get_running_loop()
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=65_536)
        self._head: h11.Request | None = None
        self._body = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self._answering = False
        self._discarding = False
        self._closed = False

    def receive(self, data: bytes) -> None:
        """Take bytes from the wire and answer every request they complete."""
        if self._discarding:
            return
        self._h11.receive_data(data)
        self._advance()

    def receive_end(self) -> None:
        """Take note that the client will send no more; whoever does that while it waits has given up."""
        if self._answering:
            self.close()
        else:
            self.receive(b"")

    def close(self) -> None:
        """Send what is waiting, then close the connection."""
        self.lost()
        self._transport.close()

    def lost(self) -> None:
        """Forget everything that was to be answered later."""
        self._closed = True
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _advance(self) -> None:
        while not (self._answering or self._closed):
            try:
                event = self._h11.next_event()
            except h11.RemoteProtocolError as error:
                self._refuse(error)
                return
            if event is h11.NEED_DATA:
                if self._h11.they_are_waiting_for_100_continue:
                    self._write(h11.InformationalResponse(status_code=100, headers=[]))
                return
            if isinstance(event, h11.Request):
                self._head, self._body = event, bytearray()
            elif isinstance(event, h11.Data):
                self._body += event.data
                if len(self._body) > BODY_KEPT:
                    self._complete()
            elif isinstance(event, h11.EndOfMessage):
                self._complete()
            else:
                self.close()

    def _complete(self) -> None:
        head = self._head
        if head is None:
            return
        self._head, self._answering = None, True
        target = head.target.decode("latin-1")
        request = request_from(head.method.decode("latin-1"), target, list(head.headers), bytes(self._body))
        self._answer(self._handler(request), bodiless=head.method == b"HEAD")

    def _answer(self, answer: Answer, *, bodiless: bool) -> None:
        if isinstance(answer, Response):
            self._respond(answer, bodiless=bodiless)
        elif isinstance(answer, Later):
            self._timer = self._loop.call_later(answer.seconds, self._resume, answer, bodiless)
        elif not isinstance(answer, Stall):
            self.close()

    def _resume(self, later: Later, bodiless: bool) -> None:
        self._timer = None
        self._answer(later.then(), bodiless=bodiless)
        self._advance()

    def _respond(self, response: Response, *, bodiless: bool) -> None:
        headers = [("Date", self._date()), *response.headers]
        if response.status != 204:
            headers.append(("Content-Length", str(len(response.body))))
        if self._h11.their_state is not h11.DONE:
            headers.append(("Connection", "close"))
        self._write(h11.Response(status_code=response.status, headers=headers))
        if response.body and not bodiless:
            self._write(h11.Data(data=response.body))
        self._write(h11.EndOfMessage())
        if self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
            self._h11.start_next_cycle()
            self._answering = False
        elif self._h11.their_state is h11.SEND_BODY:
            # RFC 9112 §9.6: to close at once would reset the connection and could destroy the answer on its way.
            self._discarding = True
            self._timer = self._loop.call_later(LINGER, self.close)
        else:
            self.close()

    def _refuse(self, error: h11.RemoteProtocolError) -> None:
        if self._h11.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            headers = [("Connection", "close"), ("Content-Length", "0"), ("Date", self._date())]
            self._write(h11.Response(status_code=error.error_status_hint or 400, headers=headers))
        self.close()

    def _write(self, event: h11.InformationalResponse | h11.Response | h11.Data | h11.EndOfMessage) -> None:
        data = self._h11.send(event)
        if data:
            self._transport.write(data)
