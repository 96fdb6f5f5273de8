"""Everything that goes to one origin as one identity: its connections, and the calls that wait for one."""

from __future__ import annotations

from collections import deque

from tidings.lib.exchange import ClientIdentity
from tidings.lib.http2.call import Call
from tidings.lib.http2.connection import STREAMS
from tidings.lib.http2.link import Link
from tidings.lib.http2.request_head import start_of
from tidings.lib.transfer import Origin

IDLE = 118.0
"""Seconds after which a connection that nobody used is not used any more: what lies between may have forgotten it."""

HTTPS = 443


class Place:
    """Connections to one origin; `opening` counts those that do not stand yet. `mapped` is where it is instead."""

    def __init__(self, origin: Origin, identity: ClientIdentity | None, *, mapped: str | None, insecure: bool) -> None:
        authority = origin.text.partition("://")[2]
        self.origin = origin.text
        self.identity = identity
        self.start = start_of(authority)
        self.name = origin.host.strip("[]").rstrip(".")
        """What its certificate has to be for."""
        self.verified = not (insecure and (origin.loopback or mapped is not None))
        self.exempt = insecure and mapped is not None
        """Whether the guard is not asked."""
        _, port = _divided(authority)
        host, other = _divided(mapped) if mapped is not None else (origin.host, None)
        self.address = (host.strip("[]") or origin.host.strip("[]"), int(other or port or HTTPS))
        """What is resolved and connected to: host and port."""
        self.queue: deque[Call] = deque()
        self.links: list[Link] = []
        self.opening = 0
        self.streams = STREAMS
        """Calls that one connection takes, as far as we know."""
        self.not_before = 0.0
        """When another connection may be tried, after one that failed."""

    @property
    def idle(self) -> bool:
        """Tell whether nothing would be lost with it."""
        return not (self.queue or self.links or self.opening)

    def hand_out(self, now: float) -> None:
        """Give waiting calls to connections with room for them."""
        queue = self.queue
        for link in list(self.links):
            connection = link.connection
            if not connection.calls and now - max(connection.heard_at, link.since) > IDLE:
                link.say_goodbye()
                continue
            free = connection.free
            while free > 0 and queue:
                call = queue.popleft()
                if call.over:
                    continue
                if call.request.cautious and connection.calls and not connection.proven:
                    queue.appendleft(call)
                    break
                connection.send(call)
                free -= 1

    def wanted(self) -> int:
        """Tell how many connections more the waiting calls need, not counting those that will take some of them."""
        while self.queue and self.queue[0].over:
            self.queue.popleft()
        if not self.queue:
            return 0
        young = [link.connection for link in self.links if not (link.connection.leaving or link.connection.settled)]
        if self.queue[0].request.cautious:
            unproven = [link for link in self.links if not (link.connection.leaving or link.connection.proven)]
            return 0 if unproven or self.opening else 1
        each = max(1, self.streams)
        expected = self.opening * each + sum(each - len(connection.calls) for connection in young)
        return -(-max(0, len(self.queue) - expected) // each)


def _divided(authority: str) -> tuple[str, str | None]:
    """Part `host:port`; None where there is no port."""
    host, colon, port = authority.rpartition(":")
    return (host, port or None) if colon and not port.endswith("]") else (authority, None)
