"""The sample site at an origin of its own: to a browser, a site it has never seen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tidings.lib.clock import SystemClock
from tidings.simulator.answers import Request, Response
from tidings.simulator.listener import HttpDate, Listener
from tidings.simulator.site import Site


@dataclass
class Place:
    """Harbour News on a port of its own. `files` are served besides, or instead: path -> media type, content."""

    site: Site
    port: int = 0
    files: dict[str, tuple[str, str]] = field(default_factory=dict)
    policies: list[str] = field(default_factory=list)
    """Every Content-Security-Policy that was sent."""

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"

    def handle(self, request: Request) -> Response:
        """Answer one request of a browser."""
        if request.path in self.files:
            media_type, content = self.files[request.path]
            return Response(200, (("content-type", media_type), ("cache-control", "no-store")), content.encode())
        answer = self.site.handle(request)
        self.policies += [value for name, value in answer.headers if name == "content-security-policy"]
        return answer


_SEEN: set[int] = set()
"""Ports that browsers know: the system gives a port out again, and what was allowed there is allowed still."""


@asynccontextmanager
async def running_place(tidings: str) -> AsyncIterator[Place]:
    """Serve the sample site of that Tidings on a port that was none's before."""
    place = Place(Site(tidings))
    listener = await Listener(place.handle, date=HttpDate(SystemClock())).open(port=0)
    while listener.port in _SEEN:
        await listener.close()
        listener = await Listener(place.handle, date=HttpDate(SystemClock())).open(port=0)
    place.port = listener.port
    _SEEN.add(place.port)
    try:
        yield place
    finally:
        await listener.close()
