"""The body: the message as JSON, written once and filled for each recipient; and its signature."""

from __future__ import annotations

import json

from tidings.domain.message import Rendered
from tidings.domain.outcome import Refused
from tidings.domain.showing import MEMBERS, Showing, Shown, Size
from tidings.lib.signed_webhooks import signed_headers
from tidings.providers import Draft, Envelope
from tidings.providers.webhook.settings import LARGEST

SHOWS = dict.fromkeys(MEMBERS, Showing(Shown.APP, "Your server gets it."))
"""What a receiver makes of a message: whatever it likes."""

_IDS = 32 + 16


def draft_from(rendered: Rendered) -> Draft | Refused:
    """Write the JSON that recipients share; Refused, in words that follow "the message", if it is too long."""
    try:
        parts = _parts(rendered)
    except (TypeError, ValueError, RecursionError):
        return Refused("has data that cannot be written as JSON")
    size = _size(parts)
    if size > LARGEST:
        return Refused(f"is {size - LARGEST} bytes too long: {LARGEST} fit into a push")
    return Draft(parts, rendered.urgency.value, rendered.collapse_id)


def sizes_of(rendered: Rendered) -> tuple[Size, ...]:
    """Measure the body."""
    return (Size(_size(_parts(rendered)), LARGEST),)


def _size(parts: tuple[bytes, ...]) -> int:
    return sum(map(len, parts)) + _IDS


def _parts(rendered: Rendered) -> tuple[bytes, ...]:
    said = {
        "title": rendered.title,
        "body": rendered.body,
        "url": rendered.url,
        "icon": rendered.icon,
        "image": rendered.image,
        "badge_count": rendered.badge_count,
        "actions": [{"id": one.id, "title": one.title, "url": one.url} for one in rendered.actions],
        "language": rendered.language,
        "urgency": rendered.urgency.value,
        "collapse_id": rendered.collapse_id,
        "data": rendered.data,
    }
    whole = json.dumps(said, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    before = b'{"type":"notification","message":' + whole.encode("utf-8", "replace") + b',"delivery":"'
    return (before, b'","token":"', b'"}')


def body_from(draft: Draft, envelope: Envelope) -> bytes:
    """Fill a draft for one recipient."""
    before, between, after = draft.parts
    return b"".join((before, envelope.delivery_id.encode(), between, envelope.receipt_token.encode(), after))


def headers_from(secret: bytes, name: str, body: bytes, *, now: float) -> tuple[str, ...]:
    """Sign as Standard Webhooks does: id, moment and body under HMAC-SHA256."""
    signed = signed_headers((secret,), message_id=name, timestamp=int(now), body=body)
    return ("Content-Type: application/json", *signed)
