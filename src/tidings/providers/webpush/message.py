"""The payload: declarative JSON that Safari shows by itself and every service worker reads, cut for quick filling."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

from tidings.domain.message import Action, Rendered
from tidings.domain.outcome import Refused
from tidings.domain.showing import Size
from tidings.providers import Draft, Envelope
from tidings.providers.webpush.settings import LARGEST, LARGEST_MOZILLA, Family

DECLARATIVE = 8030
"""The number that marks a declarative push message (WebKit and the Push API both compare it as a number)."""

_ID_SIZE = 32
_TOKEN_SIZE = 16


def draft_from(rendered: Rendered) -> Draft | Refused:
    """Write the JSON once for all recipients; `parts` are what stands around delivery ids and receipt token.

    Refused, in words that follow "the message", if it fits no push or cannot be written as JSON. `Draft.collapse_id`
    holds the Topic, not the author's collapse id.
    """
    rendered = _own(rendered)
    try:
        parts = tuple(part.encode("utf-8", "replace") for part in _parts(rendered))
    except (TypeError, ValueError, RecursionError):
        return Refused("has data that cannot be written as JSON")
    size = _size(parts)
    if size > LARGEST:
        return Refused(f"is {size - LARGEST} bytes too long: {LARGEST} fit into a push")
    topic = None if rendered.collapse_id is None else topic_from(rendered.collapse_id)
    return Draft(parts=parts, urgency=rendered.urgency.value, collapse_id=topic)


def sizes_of(rendered: Rendered) -> tuple[Size, ...]:
    """Measure the payload for those that take less, and for all others."""
    size = _size(tuple(part.encode("utf-8", "replace") for part in _parts(_own(rendered))))
    return (Size(size, LARGEST_MOZILLA, Family.MOZILLA.label), Size(size, LARGEST))


def _own(rendered: Rendered) -> Rendered:
    """Put what the message says in browsers alone in place of what it says everywhere."""
    own = rendered.platforms.webpush
    if own is None:
        return rendered
    differs = {name: getattr(own, name) for name in ("title", "body", "url", "icon", "image")}
    return replace(rendered, **{name: value for name, value in differs.items() if value is not None})


def excess(draft: Draft, *, largest: int) -> int:
    """Say by how many bytes a draft is too long for a push service that takes `largest`; 0 if it fits."""
    return max(0, _size(draft.parts) - largest)


def payload_from(draft: Draft, envelope: Envelope) -> bytes:
    """Fill a draft for one recipient."""
    delivery, token = envelope.delivery_id.encode("ascii"), envelope.receipt_token.encode("ascii")
    if len(draft.parts) == 3:
        before, between, after = draft.parts
        return b"".join((before, delivery, between, token, after))
    before, middle, between, after = draft.parts
    return b"".join((before, delivery, middle, delivery, between, token, after))


def _size(parts: tuple[bytes, ...]) -> int:
    return sum(map(len, parts)) + (len(parts) - 2) * _ID_SIZE + _TOKEN_SIZE


def topic_from(collapse_id: str) -> str:
    """Hash a collapse id to the 32 hex characters that every service takes as Topic (RFC 8030 §5.4)."""
    return hashlib.sha256(collapse_id.encode("utf-8", "replace")).hexdigest()[:_ID_SIZE]


def _parts(rendered: Rendered) -> tuple[str, ...]:
    notification: dict[str, Any] = {
        "title": rendered.title,
        "body": rendered.body,
        "navigate": rendered.url,
        "lang": rendered.language,
        "icon": rendered.icon,
        "app_badge": rendered.badge_count,
        "data": rendered.data or None,
    }
    extra = {"a": [_action(action) for action in rendered.actions] or None, "i": rendered.image}
    # Without a page to open there is nothing declarative: Safari then wakes the service worker, as all others do.
    mark = "" if rendered.url is None else f'"web_push":{DECLARATIVE},'
    head = f'{{{mark}"notification":{_json(notification)[:-1]},"tag":"'
    tail = f'"}},"tidings":{{{_json(extra)[1:-1]}'
    tail += '"d":"' if tail.endswith("{") else ',"d":"'
    end = ('","t":"', '"}}')
    if rendered.collapse_id is None:
        return (head, tail, *end)
    return (head + _json(rendered.collapse_id)[1:-1] + tail, *end)


def _action(action: Action) -> dict[str, str]:
    named = {"id": action.id, "title": action.title}
    return named if action.url is None else named | {"url": action.url}


def _json(value: object) -> str:
    if isinstance(value, dict):
        value = {name: member for name, member in value.items() if member is not None}
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
