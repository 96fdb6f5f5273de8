"""A connection to whichever address answers first, also where several are found to have answered at the same look."""

from __future__ import annotations

import socket
from selectors import EVENT_WRITE, DefaultSelector

from tidings.lib.exchange import FailureKind
from tidings.lib.http2.dial import STAGGER, Dial


def test_two_addresses_that_answer_at_once_give_one_connection() -> None:
    taken: list[socket.socket] = []
    failed: list[FailureKind] = []
    now = 0.0
    with DefaultSelector() as selector, socket.create_server(("127.0.0.1", 0)) as server:
        place = server.getsockname()
        dial = Dial(
            selector=selector,
            allows=lambda _: True,
            connected=taken.append,
            failed=lambda kind, _: failed.append(kind),
            now=lambda: now,
        )
        dial.resolved([(socket.AF_INET, place), (socket.AF_INET, place)])
        now += STAGGER
        dial.tick()
        ready = selector.select(5)
        while len(ready) < 2:
            ready = selector.select(5)
        for key, _ in ready:
            key.data(EVENT_WRITE)
        assert len(taken) == 1
        assert failed == []
        assert not selector.get_map()
        taken[0].close()
