"""The body of a send: written once for all recipients of a language, with holes for what is each one's own."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from itertools import count
from typing import Any

from tidings.domain.errors import FieldFault
from tidings.domain.message import Rendered, Urgency
from tidings.domain.outcome import Refused
from tidings.domain.platforms import PLAIN, Android, Apns, ApplePush, Wake, Web, aps_from
from tidings.domain.showing import Size
from tidings.providers import Draft, Envelope

LARGEST = 4_096
"""Bytes of keys and values of a message to a device."""
LARGEST_TO_TOPIC = 2_048
"""The same to a topic (ErrorCode reference, INVALID_ARGUMENT)."""

DELIVERY, RECEIPT, URL, ACTIONS = "tidings_delivery", "tidings_token", "tidings_url", "tidings_actions"
TITLE, BODY, IMAGE = "tidings_title", "tidings_body", "tidings_image"
OURS = "tidings_"
"""What our own members of `data` begin with."""

_RESERVED = frozenset({"from", "message_type", "gcm", "collapse_key", "notification"})
_RESERVED_STARTS = ("google", "gcm.", OURS)
"""Names in `data` that FCM keeps for itself or overwrites (Message.data; ErrorCode reference), and ours."""

_ID_SIZE, _TOKEN_SIZE = 32, 16
_LONGEST_COLLAPSE_ID = 64
"""Bytes of an apns-collapse-id."""

_HOLES = ("delivery", "receipt", "ttl", "expires")
_FILLED = {"delivery": "0" * _ID_SIZE, "receipt": "0" * _TOKEN_SIZE, "ttl": "0", "expires": "0"}
"""Holes with as many bytes as their content has; `ttl` and `expires` stand where nothing is counted."""


def data_fault(data: Mapping[str, Any]) -> FieldFault | None:
    """Name the first member of `data` that FCM would refuse or overwrite; None when it takes all."""
    for name in data:
        if not name or name in _RESERVED or name.startswith(_RESERVED_STARTS):
            words = f"FCM keeps {name!r} for itself; choose another name, or leave `fcm` out of `channels`."
            return FieldFault(f"data.{name}", words if name else "FCM takes no empty name.")
    return None


def push_type_fault(rendered: Rendered) -> FieldFault | None:
    """Name a kind of Apple's push that FCM does not carry; None for those that it does."""
    kind = rendered.platforms.apples_own
    if kind is None:
        return None
    words = f"FCM carries no {kind.value!r} to Apple's devices; it goes through APNs alone."
    return FieldFault("platforms.apns.push_type", words)


def draft_from(rendered: Rendered) -> Draft | Refused:
    """Write the JSON once; `parts` alternate text and the names of holes. Refused, after "the message", if too long."""
    if data_fault(rendered.data) is not None:
        return Refused("has a name in `data` that FCM keeps for itself")
    if push_type_fault(rendered) is not None:
        return Refused("is of a kind of Apple's push that FCM does not carry")
    try:
        plain = _json(_message(rendered, dict.fromkeys(_HOLES, "")))
        mark = next(mark for number in count() if (mark := f"<{number}>") not in plain)
        text = _json(_message(rendered, {hole: f"{mark}{hole}{mark}" for hole in _HOLES}))
    except (TypeError, ValueError, RecursionError):
        return Refused("has data that cannot be written as JSON")
    size = _whole_size(rendered)
    if size > LARGEST:
        return Refused(f"is {size - LARGEST} bytes too long: {LARGEST} fit into a push")
    parts = re.split(f"{re.escape(mark)}([a-z]+){re.escape(mark)}", text[1:-1])
    encoded = tuple(part.encode("utf-8", "replace") for part in parts)
    return Draft(encoded, rendered.urgency.value, rendered.collapse_id)


def sizes_of(rendered: Rendered) -> tuple[Size, ...]:
    """Measure keys and values, on the platform where they are the most."""
    return (Size(_whole_size(rendered), LARGEST),)


def _whole_size(rendered: Rendered) -> int:
    return payload_size(_message(rendered, _FILLED))


def body_from(draft: Draft, target: bytes, envelope: Envelope, *, now: float, only_validate: bool = False) -> bytes:
    """Fill a draft for one target, a JSON member such as `"token":"..."` (`now` in Unix seconds)."""
    holes = {
        b"delivery": envelope.delivery_id.encode("ascii"),
        b"receipt": envelope.receipt_token.encode("ascii"),
        b"ttl": b"%d" % envelope.ttl,
        b"expires": b"%d" % (now + envelope.ttl),
    }
    filled = list(draft.parts)
    for place in range(1, len(filled), 2):
        filled[place] = holes[filled[place]]
    begin = b'{"validate_only":true,"message":{' if only_validate else b'{"message":{'
    return b"".join((begin, target, b",", *filled, b"}}"))


def payload_size(message: Mapping[str, Any]) -> int:
    """Count the bytes of keys and values that a device gets, on the platform where these are the most."""
    common = _size(message.get("data", {}))
    shown = message.get("notification", {})
    android = shown | message.get("android", {}).get("notification", {})
    browser = shown | message.get("webpush", {}).get("notification", {})
    apple = len(_json(message.get("apns", {}).get("payload", {})).encode("utf-8", "replace"))
    return common + max(_size(android), _size(browser), apple)


def _size(value: object) -> int:
    if isinstance(value, Mapping):
        return sum(len(str(name).encode("utf-8", "replace")) + _size(one) for name, one in value.items())
    if isinstance(value, list):
        return sum(map(_size, value))
    return len((value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "replace"))


def _message(rendered: Rendered, hole: Mapping[str, str]) -> dict[str, Any]:
    android, apns = rendered.platforms.android or Android(), rendered.platforms.apns or PLAIN
    tag = rendered.collapse_id or hole["delivery"]
    shown = _present({"title": rendered.title, "body": rendered.body, "image": rendered.image})
    # What stands beside the platforms' parts FCM shows on Apple's devices too, also of a push that shall show nothing.
    for_all = apns.type is not ApplePush.BACKGROUND and not android.data_only
    message: dict[str, Any] = {
        "data": _data(rendered, hole, whole=android.data_only),
        # Apple's and browsers' notifications are whole in their own parts, so that Android may do without.
        "notification": shown if for_all else None,
        "android": _android(rendered, android, hole, tag, inherited={} if for_all else shown),
        "apns": _apple(rendered, apns, hole, tag),
        "webpush": _browser(rendered, rendered.platforms.webpush or Web(), hole, tag),
    }
    return _present(message)


def _data(rendered: Rendered, hole: Mapping[str, str], *, whole: bool) -> dict[str, str]:
    ours = {
        DELIVERY: hole["delivery"],
        RECEIPT: hole["receipt"],
        URL: rendered.url,
        ACTIONS: _json([_present({"id": one.id, "title": one.title, "url": one.url}) for one in rendered.actions])
        if rendered.actions
        else None,
    }
    if whole:
        ours |= {TITLE: rendered.title, BODY: rendered.body, IMAGE: rendered.image}
    theirs = {name: one if isinstance(one, str) else _json(one) for name, one in rendered.data.items()}
    return {**theirs, **_present(ours)}


def _android(
    rendered: Rendered, own: Android, hole: Mapping[str, str], tag: str, *, inherited: Mapping[str, Any]
) -> dict[str, Any]:
    wake = own.priority or (Wake.HIGH if rendered.urgency is Urgency.HIGH else Wake.NORMAL)
    notification = {
        "title": own.title,
        "body": own.body,
        "image": own.image,
        "icon": own.icon,
        "color": own.color,
        "sound": own.sound,
        "tag": own.tag or tag,
        "click_action": own.click_action,
        "channel_id": own.channel_id,
        "ticker": own.ticker,
        "sticky": own.sticky or None,
        "local_only": own.local_only or None,
        "visibility": own.visibility.value.upper() if own.visibility else None,
        "notification_count": rendered.badge_count if own.badge is None else own.badge,
    }
    return _present(
        {
            # Only what its author lets replace another: of collapsible messages FCM keeps four kinds for a device
            # that is away, and paces them.
            "collapse_key": rendered.collapse_id,
            "priority": wake.value.upper(),
            "ttl": f"{hole['ttl']}s",
            "restricted_package_name": own.restricted_package_name,
            "direct_boot_ok": own.direct_boot_ok or None,
            "notification": None if own.data_only else {**inherited, **_present(notification)},
        }
    )


def _apple(rendered: Rendered, own: Apns, hole: Mapping[str, str], tag: str) -> dict[str, Any]:
    asleep = own.type is ApplePush.BACKGROUND
    calm = rendered.urgency in (Urgency.LOW, Urgency.VERY_LOW)
    headers = {
        "apns-push-type": own.type.value,
        # Apple takes no other priority for what shows nothing.
        "apns-priority": "5" if asleep else str(own.priority or (5 if calm else 10)),
        "apns-expiration": "0" if own.once else hole["expires"],
        "apns-collapse-id": _fitting(own.collapse_id or tag),
    }
    options = {"image": rendered.image} if rendered.image and not asleep else None
    return _present({"headers": headers, "payload": {"aps": aps_from(rendered), **own.payload}, "fcm_options": options})


def _browser(rendered: Rendered, own: Web, hole: Mapping[str, str], tag: str) -> dict[str, Any]:
    link = own.url or rendered.url
    notification = {
        "title": own.title or rendered.title,
        "body": rendered.body if own.body is None else own.body,
        "icon": own.icon or rendered.icon,
        "image": own.image or rendered.image,
        "tag": tag,
        "lang": rendered.language,
        "actions": [{"action": one.id, "title": one.title} for one in rendered.actions] or None,
    }
    return _present(
        {
            "headers": {"TTL": hole["ttl"], "Urgency": rendered.urgency.value},
            "notification": _present(notification),
            # FCM takes no link but https.
            "fcm_options": {"link": link} if link and link.startswith("https://") else None,
        }
    )


def _fitting(tag: str) -> str:
    raw = tag.encode("utf-8", "replace")
    return tag if len(raw) <= _LONGEST_COLLAPSE_ID else hashlib.sha256(raw).hexdigest()[:_ID_SIZE]


def _present(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in members.items() if one is not None}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
