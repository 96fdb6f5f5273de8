"""The port of relays: topics, conditions and channels that a push service sends on to devices we do not know."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from tidings.domain.relay import NewRelay, Relay


class Relays(Protocol):
    """Relays have rows beside those of devices, so that a delivery to one is like any other; no audience holds them."""

    def ensure(self, new: NewRelay, *, public_id: str, secret_hash: bytes, now: datetime) -> Relay:
        """Store a relay, or note that the one that is there is used; it is one for its key and what it is."""
        ...

    def get(self, app_id: int, public_id: str) -> Relay | None: ...
    def channels(self, integration_id: int, *, after: int, limit: int) -> list[Relay]:
        """List the channels of an integration, newest first; `after` is the id of the last one seen, 0 to begin."""
        ...

    def end(self, relay_id: int) -> None:
        """Let nothing go there any more; what was sent stays counted, and the row goes in time."""
        ...
