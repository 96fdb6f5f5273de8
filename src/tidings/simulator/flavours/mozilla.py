"""Mozilla's autopush: JSON with a number for every mistake (autopush-rs, autoendpoint/src/error.rs)."""

from __future__ import annotations

import json
from dataclasses import replace
from http import HTTPStatus

from tidings.simulator.answers import Response
from tidings.simulator.flavours.manner import JSON, Flavour, FlavourName, Taken, headers_of
from tidings.simulator.judge import Rules
from tidings.simulator.refusals import VAPID, Reason, Refusal

MESSAGES = "/m/"
"""Before a message's id: where a message that still waits can be taken back."""

_NUMBERS: dict[Reason, tuple[int, int | None]] = {
    Reason.NO_SUCH_PATH: (404, None),
    Reason.METHOD: (405, None),
    Reason.UNKNOWN: (404, 102),
    Reason.GONE: (410, 106),
    Reason.TOO_LARGE: (413, 104),
    Reason.TTL: (400, 111),
    Reason.URGENCY: (400, 111),
    Reason.TOPIC: (400, 113),
    Reason.CODING: (400, 110),
    Reason.THROTTLED: (429, 201),
    Reason.UNAVAILABLE: (503, 201),
    **dict.fromkeys(VAPID, (401, 109)),
}
"""Reason -> (status, errno)."""


def _refused(refusal: Refusal) -> Response:
    status, errno = _NUMBERS[refusal.reason]
    headers = [JSON]
    if refusal.reason is Reason.GONE:
        headers.append(("cache-control", "max-age=86400"))
    if refusal.reason in VAPID:
        headers.append(("www-authenticate", "vapid"))
    if refusal.reason is Reason.METHOD:
        headers.append(("allow", "POST"))
    body = {
        "code": status,
        "errno": errno,
        "error": HTTPStatus(status).phrase,
        "message": refusal.detail,
        "more_info": "http://autopush.readthedocs.io/en/latest/http.html#error-codes",
    }
    return Response(status, headers_of(refusal, *headers), json.dumps(body).encode())


def _constrained(refusal: Refusal) -> Response:
    words = "This message is intended for a constrained device and is limited in size"
    return _refused(replace(refusal, detail=words) if refusal.reason is Reason.TOO_LARGE else refusal)


def _accepted(taken: Taken) -> Response:
    return Response(201, (("location", f"{taken.origin}{MESSAGES}{taken.id}"), ("ttl", str(taken.ttl))))


MOZILLA = Flavour(
    FlavourName.MOZILLA,
    "https://updates.push.services.mozilla.com",
    "/wpush/v2/",
    _accepted,
    _refused,
    rules=Rules(largest=5630, contact=False),
    patience={Reason.UNAVAILABLE: 120},
)
MOZILLA_ANDROID = replace(
    MOZILLA,
    name=FlavourName.MOZILLA_ANDROID,
    refuse=_constrained,
    # As base64 in a JSON document of at most 4 096 bytes it goes on to the phone through FCM, which waits 28 days.
    rules=Rules(largest=3015, longest_ttl=28 * 24 * 3600, contact=False),
)
STRICT = replace(MOZILLA, name=FlavourName.STRICT, rules=Rules(), patience={})
"""Mozilla's words, a body of 4 096 bytes, and Apple's rule for the contact."""
