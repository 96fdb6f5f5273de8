"""What happened in the simulator, kept in memory and bounded: events for tests, arrived messages for people."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
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
    CHECK_IN = "check_in"
    REGISTER = "register"


class Reading(StrEnum):
    """What became of a message's body."""

    DECRYPTED = "decrypted"
    UNREADABLE = "unreadable"
    NOT_TRIED = "not_tried"
    EMPTY = "empty"
    PLAIN = "plain"
    """Nothing had to be decrypted: the push service itself reads it."""


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
    flavour: str = "strict"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """One push that was not taken: to whom, by whose rules, with which status, and why."""

    at: float
    to: str
    flavour: str
    status: int | str
    why: str


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
        self._refused: deque[tuple[int, Refused]] = deque(maxlen=MESSAGES_KEPT)
        self._refusals = 0

    def note(self, kind: EventKind, facts: Mapping[str, object]) -> None:
        """Keep one event."""
        self._events.append(_Event(self._clock.now().timestamp(), kind, facts))

    def arrived(self, arrival: Arrival) -> None:
        """Keep one accepted message."""
        self._arrived += 1
        self._arrivals.append((self._arrived, arrival))

    def refused(self, refused: Refused) -> None:
        """Keep one push that was not taken."""
        self._refusals += 1
        self._refused.append((self._refusals, refused))

    def refusals(self, *, limit: int, after: int = 0) -> list[dict[str, object]]:
        """Give the last refusals after number `after`, newest first."""
        newer = [pair for pair in reversed(self._refused) if pair[0] > after]
        return [{"n": number, **asdict(one)} for number, one in newer[:limit]]

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
    payload = notification_in(arrival.plaintext)
    shown, ours = (_object(payload.get(name)) for name in ("notification", "tidings"))
    aps = _object(payload.get("aps"))
    if aps:
        shown = _object(aps.get("alert")) | {"navigate": ours.get("u"), "app_badge": aps.get("badge")}
    text = None if arrival.plaintext is None else arrival.plaintext.decode("utf-8", "replace")
    return {
        "n": number,
        "at": arrival.at,
        "to": arrival.to,
        "recipient": arrival.recipient,
        "flavour": arrival.flavour,
        "delivery": arrival.delivery,
        "reading": arrival.reading,
        "title": shown.get("title"),
        "body": shown.get("body"),
        "navigate": shown.get("navigate"),
        "icon": shown.get("icon"),
        "image": ours.get("i"),
        "badge": shown.get("app_badge"),
        "actions": _actions(ours.get("a")),
        "payload": text,
        "size": arrival.size,
        "ttl": arrival.ttl,
        "urgency": arrival.urgency,
        "topic": arrival.topic,
        "headers": dict(arrival.headers),
    }


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _actions(value: object) -> list[dict[str, object]]:
    found = [_object(one) for one in value] if isinstance(value, list) else []
    return [{name: one.get(name) for name in ("id", "title", "url")} for one in found if one]


def _without_secrets(facts: Mapping[str, object]) -> dict[str, object]:
    headers = facts.get("headers")
    if not isinstance(headers, dict):
        return dict(facts)
    return {**facts, "headers": {name: value for name, value in headers.items() if name != "authorization"}}
