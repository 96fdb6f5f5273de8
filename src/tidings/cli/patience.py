"""Connections on which no request begins: uvicorn waits for a head for ever, once a byte has come."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

HEAD_SECONDS = 30.0
"""In which the head of a request is to be here, from the connection's beginning or the head's first byte."""


class Patient(H11Protocol):
    """A connection that is closed when it brings no whole head, or goes on with the body of an answered request."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first head."""
        super().connection_made(transport)
        self._look()

    def data_received(self, data: bytes) -> None:
        """Wait for the rest of a head; what there was to wait for may have come."""
        super().data_received(data)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        super().connection_lost(exc)
        self._stop()

    def _look(self) -> None:
        if self._answers():
            self._stop()
        elif self._waiting is None and not self.transport.is_closing():
            self._waiting = self.loop.call_later(HEAD_SECONDS, self._close)

    def _stop(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _close(self) -> None:
        # A request may have begun without a byte more: one that was sent ahead of an answer.
        self._waiting = None
        if not self._answers():
            self.transport.close()

    def _answers(self) -> bool:
        cycle: object = self.cycle  # None before the first request, whatever its type says
        return isinstance(cycle, RequestResponseCycle) and not cycle.response_complete
