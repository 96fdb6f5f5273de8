"""What happened in the simulator, kept in memory and bounded: events for tests, arrived messages for people."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tidings.lib.clock import Clock

EVENTS_KEPT = 5_000
MESSAGES_KEPT = 500


class EventKind(StrEnum):
    """What the log tells."""

    PUSH = "push"
    CANCEL = "cancel"
    SOCKET_IN = "socket_in"
    SOCKET_OUT = "socket_out"
    SOCKET_CLOSED = "socket_closed"


class Reading(StrEnum):
    """What became of a message's body."""

    DECRYPTED = "decrypted"
    UNREADABLE = "unreadable"
    NOT_TRIED = "not_tried"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One accepted message: to whom (the token's beginning), its delivery id, and its plaintext if it was read."""

    at: float
    to: str
    recipient: str
    delivery: str
    reading: Reading
    plaintext: bytes | None
    size: int
    ttl: int
    urgency: str
    topic: str | None


@dataclass(frozen=True, slots=True)
class _Event:
    at: float
    kind: EventKind
    facts: Mapping[str, object]


class Journal:
    """Keeps the last events and the last messages; `clock` dates them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._events: deque[_Event] = deque(maxlen=EVENTS_KEPT)
        self._arrivals: deque[tuple[int, Arrival]] = deque(maxlen=MESSAGES_KEPT)
        self._arrived = 0

    def note(self, kind: EventKind, facts: Mapping[str, object]) -> None:
        """Keep one event."""
        self._events.append(_Event(self._clock.now().timestamp(), kind, facts))

    def arrived(self, arrival: Arrival) -> None:
        """Keep one accepted message."""
        self._arrived += 1
        self._arrivals.append((self._arrived, arrival))

    def events(self, *, limit: int = EVENTS_KEPT) -> list[dict[str, object]]:
        """Give the last events, oldest first; Authorization headers are left out."""
        chosen = list(self._events)[-limit:] if limit > 0 else []
        return [{"at": event.at, "kind": event.kind, **_without_secrets(event.facts)} for event in chosen]

    def messages(self, *, limit: int, after: int = 0) -> list[dict[str, object]]:
        """Give the last messages after number `after`, newest first."""
        newer = [pair for pair in reversed(self._arrivals) if pair[0] > after]
        return [_message(number, arrival) for number, arrival in newer[:limit]]


def notification_in(plaintext: bytes | None) -> dict[str, object]:
    """Read a payload as a JSON object; anything else gives an empty one."""
    try:
        payload = json.loads(plaintext or b"")
    except (ValueError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}


def _message(number: int, arrival: Arrival) -> dict[str, object]:
    shown = notification_in(arrival.plaintext).get("notification")
    shown = shown if isinstance(shown, dict) else {}
    text = None if arrival.plaintext is None else arrival.plaintext.decode("utf-8", "replace")
    return {
        "n": number,
        "at": arrival.at,
        "to": arrival.to,
        "recipient": arrival.recipient,
        "delivery": arrival.delivery,
        "reading": arrival.reading,
        "title": shown.get("title"),
        "body": shown.get("body"),
        "navigate": shown.get("navigate"),
        "payload": text,
        "size": arrival.size,
        "ttl": arrival.ttl,
        "urgency": arrival.urgency,
        "topic": arrival.topic,
    }


def _without_secrets(facts: Mapping[str, object]) -> dict[str, object]:
    headers = facts.get("headers")
    if not isinstance(headers, dict):
        return dict(facts)
    return {**facts, "headers": {name: value for name, value in headers.items() if name != "authorization"}}
