"""What a send to FCM may hold: names and types as in Google's discovery document of FCM v1, revision 20261023."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEXT, TRUTH, NUMBER, MAP, ANY = "string", "boolean", "integer", "map", "object"

_NOTIFICATION = {"title": TEXT, "body": TEXT, "image": TEXT}
_ANDROID_NOTIFICATION = {
    **_NOTIFICATION,
    **dict.fromkeys(("icon", "color", "sound", "tag", "clickAction", "bodyLocKey", "titleLocKey", "channelId"), TEXT),
    **dict.fromkeys(("ticker", "eventTime", "notificationPriority", "visibility", "proxy"), TEXT),
    **dict.fromkeys(("sticky", "localOnly", "defaultSound", "defaultVibrateTimings", "defaultLightSettings"), TRUTH),
    "bypassProxyNotification": TRUTH,
    "notificationCount": NUMBER,
    "bodyLocArgs": [TEXT],
    "titleLocArgs": [TEXT],
    "vibrateTimings": [TEXT],
    "lightSettings": ANY,
}
_ANDROID = {
    **dict.fromkeys(("collapseKey", "priority", "ttl", "restrictedPackageName"), TEXT),
    **dict.fromkeys(("directBootOk", "bandwidthConstrainedOk", "restrictedSatelliteOk"), TRUTH),
    "data": MAP,
    "notification": _ANDROID_NOTIFICATION,
    "fcmOptions": {"analyticsLabel": TEXT},
}
_APNS = {
    "headers": MAP,
    "payload": ANY,
    "fcmOptions": {"analyticsLabel": TEXT, "image": TEXT},
    "liveActivityToken": TEXT,
}
_WEBPUSH = {
    "headers": MAP,
    "data": MAP,
    "notification": ANY,
    "fcmOptions": {"analyticsLabel": TEXT, "link": TEXT},
}
SEND = {
    "validateOnly": TRUTH,
    "message": {
        **dict.fromkeys(("name", "token", "fid", "topic", "condition"), TEXT),
        "data": MAP,
        "notification": _NOTIFICATION,
        "android": _ANDROID,
        "apns": _APNS,
        "webpush": _WEBPUSH,
        "fcmOptions": {"analyticsLabel": TEXT},
    },
}
"""SendMessageRequest: member -> its type, the members of an object, or the type of a list's items."""

_PLAIN: dict[str, type] = {TEXT: str, TRUTH: bool, NUMBER: int, ANY: dict}


def violation(value: object, schema: Any = SEND, place: str = "") -> tuple[str, str] | None:
    """Name the first field that is not as it should be, and what is wrong; both spellings of names are taken."""
    if isinstance(schema, str):
        return _plain_violation(value, schema, place)
    if isinstance(schema, list):
        items = value if isinstance(value, list) else None
        if items is None:
            return place, "Invalid value (list expected)"
        found = (violation(item, schema[0], f"{place}[{number}]") for number, item in enumerate(items))
        return next((one for one in found if one is not None), None)
    if not isinstance(value, Mapping):
        return place, f"Invalid value at '{place}' (object expected)"
    for name, one in value.items():
        where = f"{place}.{name}" if place else name
        known = schema.get(_camel(name))
        if known is None:
            return place, f"Invalid JSON payload received. Unknown name \"{name}\" at '{place}': Cannot find field."
        if (wrong := violation(one, known, where)) is not None:
            return wrong
    return None


def _plain_violation(value: object, kind: str, place: str) -> tuple[str, str] | None:
    if kind == MAP:
        pairs = value.items() if isinstance(value, Mapping) else None
        if pairs is None:
            return place, f"Invalid value at '{place}' (object expected)"
        for number, (_, one) in enumerate(pairs):
            if not isinstance(one, str):
                where = f"{place}[{number}].value"
                return where, f"Invalid value at '{where}' (TYPE_STRING), {one}"
        return None
    wanted = _PLAIN[kind]
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        return place, f"Invalid value at '{place}' (TYPE_{kind.upper()}), {value!r}"
    return None


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
