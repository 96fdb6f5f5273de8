"""Connections in the making: resolved, dialled, shaking hands; all of it within the time for connecting."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from selectors import EVENT_READ, BaseSelector
from socket import socket

from tidings.lib.egress import AddressGuard
from tidings.lib.exchange import FailureKind
from tidings.lib.http2.answer_head import AnswerHeads
from tidings.lib.http2.dial import Dial
from tidings.lib.http2.link import Link
from tidings.lib.http2.place import Place
from tidings.lib.http2.resolve import Resolver
from tidings.lib.http2.trust import Trust


class _Opening:
    """One of them; `link` once it shakes hands."""

    def __init__(self, place: Place, dial: Dial, due: float) -> None:
        self.place = place
        self.dial = dial
        self.due = due
        self.link: Link | None = None


class Openings:
    """Makes connections. Each ends with one call: `stands` with the link and what the peer speaks, or `failed`."""

    def __init__(
        self,
        *,
        selector: BaseSelector,
        resolver: Resolver,
        guard: AddressGuard,
        trust: Trust,
        timeout: float,
        now: Callable[[], float],
        stands: Callable[[Place, Link, str | None], None],
        failed: Callable[[Place, FailureKind, str], None],
    ) -> None:
        self._selector = selector
        self._resolver = resolver
        self._guard = guard
        self._trust = trust
        self._timeout = timeout
        self._now = now
        self._stands = stands
        self._failed = failed
        self._heads = AnswerHeads()
        self._all: list[_Opening] = []
        selector.register(resolver, EVENT_READ, lambda _: resolver.give())

    def begin(self, place: Place) -> None:
        """Make a connection to a place."""
        place.opening += 1
        dial = Dial(
            selector=self._selector,
            allows=(lambda _: True) if place.exempt else self._guard.allows,
            connected=lambda opened: self._connected(opening, opened),
            failed=lambda kind, words: self._give_up(opening, kind, words),
            now=self._now,
        )
        opening = _Opening(place, dial, self._now() + self._timeout)
        self._all.append(opening)
        self._resolver.ask(*place.address, dial.resolved)

    def due(self) -> float | None:
        """Say when `tick` has to be called."""
        return min((min(one.due, one.dial.due or one.due) for one in self._all), default=None)

    def tick(self) -> None:
        """Go on with those that wait, and give up those that take too long."""
        if not self._all:
            return
        now = self._now()
        for opening in list(self._all):
            if now < opening.due:
                opening.dial.tick()
            elif opening in self._all:
                self._close(opening)
                self._give_up(opening, FailureKind.TIMEOUT, f"no connection within {self._timeout:g} s")

    def close(self) -> None:
        """Give all of them up without a word."""
        for opening in self._all:
            self._close(opening)
        self._all.clear()

    def _close(self, opening: _Opening) -> None:
        opening.dial.close()
        if opening.link is not None:
            opening.link.close()

    def _connected(self, opening: _Opening, opened: socket) -> None:
        place = opening.place
        try:
            context = self._trust.context(verified=place.verified, identity=place.identity)
            link = opening.link = Link(
                opened,
                context=context,
                name=place.name,
                heads=self._heads,
                selector=self._selector,
                opened=partial(self._opened, opening),
                failed=partial(self._give_up, opening),
                now=self._now,
            )
        except (OSError, ValueError) as error:
            opened.close()
            self._give_up(opening, FailureKind.TLS, f"TLS: {error}")
        else:
            link.shake()

    def _opened(self, opening: _Opening, protocol: str | None) -> None:
        assert opening.link is not None
        self._all.remove(opening)
        opening.place.opening -= 1
        self._stands(opening.place, opening.link, protocol)

    def _give_up(self, opening: _Opening, kind: FailureKind, words: str) -> None:
        self._all.remove(opening)
        opening.place.opening -= 1
        self._failed(opening.place, kind, words)
