"""The payload: what all recipients share is written once, cut where each one's own ids go."""

from __future__ import annotations

import hashlib
import json
import re
from functools import lru_cache
from typing import Any, NamedTuple

from tidings.domain.message import Rendered, Urgency
from tidings.domain.outcome import Refused
from tidings.domain.platforms import PLAIN, Apns, ApplePush, aps_from
from tidings.domain.showing import Size
from tidings.providers import Draft, Envelope
from tidings.providers.apns.settings import LONGEST_COLLAPSE_ID, RULES

_ID_SIZE = 32
_TOKEN_SIZE = 16
_PLAIN = re.compile(rf"[\x21-\x7e]{{1,{LONGEST_COLLAPSE_ID}}}")
_PRIORITIES = {Urgency.VERY_LOW: 1, Urgency.LOW: 5, Urgency.NORMAL: 10, Urgency.HIGH: 10}
_COLLAPSES = frozenset({ApplePush.ALERT, ApplePush.BACKGROUND})
"""Types that get a collapse id unasked, so that a message sent again after a crash replaces itself."""


class Plan(NamedTuple):
    """The headers that all recipients of a draft share. `once`: Apple shall not keep it for a device that is away."""

    push_type: ApplePush
    priority: int
    once: bool


def draft_from(rendered: Rendered) -> Draft | Refused:
    """Write headers and JSON once; Refused, in words that follow "the message", if it fits no push.

    `parts` are the plan and what stands around delivery id and receipt token, or the plan and the whole.
    """
    own = rendered.platforms.apns or PLAIN
    rules = RULES[own.type]
    try:
        pieces = _encoded(rendered, own)
    except (TypeError, ValueError, RecursionError):
        return Refused("has data that cannot be written as JSON")
    size = _size(pieces)
    if size > rules.largest:
        return Refused(f"is {size - rules.largest} bytes too long: {rules.largest} fit into a push")
    priority = rules.priority or own.priority or _PRIORITIES[rendered.urgency]
    plan = f"{own.type} {priority} {int(own.once or rules.once)}".encode()
    return Draft(parts=(plan, *pieces), urgency=rendered.urgency.value, collapse_id=_collapse_id(rendered, own))


def sizes_of(rendered: Rendered) -> tuple[Size, ...]:
    """Measure the payload."""
    own = rendered.platforms.apns or PLAIN
    return (Size(_size(_encoded(rendered, own)), RULES[own.type].largest),)


@lru_cache(maxsize=256)
def plan_from(part: bytes) -> Plan:
    """Read the first part of a draft."""
    push_type, priority, once = part.decode("ascii").split()
    return Plan(ApplePush(push_type), int(priority), once == "1")


def payload_from(draft: Draft, envelope: Envelope) -> bytes:
    """Fill a draft for one recipient."""
    if len(draft.parts) == 2:
        return draft.parts[1]
    _, before, between, after = draft.parts
    delivery, token = envelope.delivery_id.encode("ascii"), envelope.receipt_token.encode("ascii")
    return b"".join((before, delivery, between, token, after))


def _collapse_id(rendered: Rendered, own: Apns) -> str | None:
    """Give a collapse id as Apple takes it: the author's own if it fits into a header, else its hash.

    None is the delivery's own id, and an empty text none at all.
    """
    text = own.collapse_id or rendered.collapse_id
    if text is None:
        return None if own.type in _COLLAPSES else ""
    if _PLAIN.fullmatch(text):
        return text
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:LONGEST_COLLAPSE_ID]


def _encoded(rendered: Rendered, own: Apns) -> tuple[bytes, ...]:
    return tuple(piece.encode("utf-8", "replace") for piece in _pieces(rendered, own))


def _size(pieces: tuple[bytes, ...]) -> int:
    return sum(map(len, pieces)) + (_ID_SIZE + _TOKEN_SIZE if len(pieces) > 1 else 0)


def _pieces(rendered: Rendered, own: Apns) -> tuple[str, ...]:
    root = dict(own.payload)
    if own.type is not ApplePush.MDM:
        root["aps"] = aps_from(rendered)
    if not RULES[own.type].named:
        return (_json(root),)
    if rendered.data:
        root["data"] = rendered.data
    root.pop("tidings", None)
    ours: dict[str, Any] = {}
    if rendered.url is not None:
        ours["u"] = rendered.url
    if rendered.image is not None:
        ours["i"] = rendered.image
    if rendered.actions:
        ours["a"] = [
            {"id": one.id, "title": one.title} | ({} if one.url is None else {"url": one.url})
            for one in rendered.actions
        ]
    comma = "," if ours else ""
    return (f'{_json(root)[:-1]},"tidings":{{{_json(ours)[1:-1]}{comma}"d":"', '","t":"', '"}}')


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
