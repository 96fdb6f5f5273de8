"""What waits for a browser that is away, or that has not said it got it."""

from __future__ import annotations

from collections.abc import Iterable

from tidings.simulator.push_service import PushMessage


class Postbox:
    """The messages of one device by id, oldest first, each with the channel it came in by."""

    def __init__(self) -> None:
        self._stored: dict[str, tuple[PushMessage, str]] = {}

    def __len__(self) -> int:
        return len(self._stored)

    def __contains__(self, message_id: str) -> bool:
        return message_id in self._stored

    def keep(self, message: PushMessage, channel: str) -> None:
        """Keep a message in place of an older one of its topic (RFC 8030 §5.4); without a TTL it is now or never."""
        if message.topic is not None:
            for stored, its_channel in list(self._stored.values()):
                if stored.topic == message.topic and its_channel == channel:
                    del self._stored[stored.id]
        if message.ttl > 0:
            self._stored[message.id] = (message, channel)

    def drop(self, message_ids: Iterable[str]) -> None:
        """Forget what was delivered or taken back."""
        for message_id in message_ids:
            self._stored.pop(message_id, None)

    def waiting(self, *, now: float) -> list[tuple[PushMessage, str]]:
        """Forget what has outlived its TTL and give the rest; `now` in Unix seconds."""
        self.drop([one.id for one, _ in self._stored.values() if one.received_at + one.ttl < now])
        return list(self._stored.values())
