"""One exchange on its way: what was asked, and what came back so far, cut to what is kept."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING

from tidings.lib.exchange import FailureKind, NetworkFailure, Reply, Request
from tidings.lib.log import cut
from tidings.lib.transfer import BODY_KEPT, digest

if TYPE_CHECKING:
    from tidings.lib.http2.connection import Connection

NOTHING: Mapping[str, str] = {}


class Call:
    """A request and its answer so far. `stream` is 0 while it has none; `over` once there is an answer."""

    __slots__ = (
        "began",
        "block",
        "body",
        "connection",
        "headers",
        "host",
        "key",
        "length",
        "over",
        "read",
        "request",
        "status",
        "stream",
        "tries",
    )

    def __init__(self, key: Hashable, request: Request, host: str, block: bytes, began: float) -> None:
        self.key = key
        self.request = request
        self.host = host
        self.block = block
        self.began = began
        self.tries = 0
        self.over = False
        self.connection: Connection | None = None
        self.stream = self.status = self.read = 0
        self.length = -1
        self.headers = NOTHING
        self.body: bytearray | None = None

    def take(self, piece: bytes) -> None:
        """Take a piece of the body."""
        if self.body is None:
            self.body = bytearray()
        if len(self.body) < BODY_KEPT:
            self.body += piece[: BODY_KEPT - len(self.body)]
        self.read += len(piece)

    @property
    def enough(self) -> bool:
        """Tell whether all of the body that is kept has come, so that a fault behind it does not matter."""
        return self.body is not None and len(self.body) >= BODY_KEPT

    def reply(self, now: float) -> Reply:
        """Give the answer as it stands."""
        return Reply(self.status, self.headers, bytes(self.body or b""), now - self.began)

    def failure(self, kind: FailureKind, words: str) -> NetworkFailure:
        """Give no answer, and why; the path of the URL is not named, but recognisable."""
        return NetworkFailure(kind, cut(f"{self.host}#{digest(self.request.url)}: {words}"))
