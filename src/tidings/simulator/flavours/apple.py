"""Apple's push service for the web: JSON with one reason, an `apns-id`, and the strictest look at the contact."""

from __future__ import annotations

import json
import uuid

from tidings.simulator.answers import Response
from tidings.simulator.flavours.manner import JSON, Flavour, FlavourName, Taken, headers_of
from tidings.simulator.judge import Rules
from tidings.simulator.refusals import VAPID, Reason, Refusal

_REASONS: dict[Reason, tuple[int, str]] = {
    **dict.fromkeys(VAPID, (403, "BadJwtToken")),
    Reason.NO_SUCH_PATH: (404, "BadPath"),
    Reason.UNKNOWN: (404, "BadPath"),
    Reason.METHOD: (405, "MethodNotAllowed"),
    Reason.GONE: (410, "Unregistered"),
    Reason.TOO_LARGE: (413, "PayloadTooLarge"),
    Reason.TTL: (400, "BadTtl"),
    Reason.URGENCY: (400, "BadUrgency"),
    Reason.TOPIC: (400, "BadWebPushTopic"),
    Reason.CODING: (400, "BadWebPushRequest"),
    Reason.NO_AUTHORIZATION: (400, "BadAuthorizationHeader"),
    Reason.BAD_AUTHORIZATION: (400, "BadAuthorizationHeader"),
    Reason.PUBLIC_KEY: (403, "BadVapidPublicKey"),
    Reason.KEY_MISMATCH: (400, "VapidPkHashMismatch"),
    Reason.THROTTLED: (429, "TooManyRequests"),
    Reason.UNAVAILABLE: (503, "ServiceUnavailable"),
}
_NAMESPACE = uuid.UUID("8b0c7b5e-50c5-4f0e-9c7a-1e6f3c7f5b11")


def _refused(refusal: Refusal) -> Response:
    status, reason = _REASONS[refusal.reason]
    # The number of a refusal tells nobody anything here, so the same words have the same one.
    number = str(uuid.uuid5(_NAMESPACE, f"{refusal.reason} {refusal.detail}")).upper()
    return Response(
        status, headers_of(refusal, JSON, ("apns-id", number)), json.dumps({"reason": reason}).replace(" ", "").encode()
    )


def _accepted(taken: Taken) -> Response:
    return Response(201, (("apns-id", str(uuid.UUID(taken.id)).upper()),))


APPLE = Flavour(
    FlavourName.APPLE,
    "https://web.push.apple.com",
    "/",
    _accepted,
    _refused,
    rules=Rules(least_ttl=1, decodable_topic=True),
)
