"""How each push service words its answers: one flavour, one value."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from tidings.simulator.answers import Response
from tidings.simulator.judge import Reason, Refusal

JSON = ("content-type", "application/json")


@dataclass(frozen=True, slots=True)
class Flavour:
    """A push service's manner: its name, the path before the token, and how it words a refusal."""

    name: str
    prefix: str
    refuse: Callable[[Refusal], Response]


_MOZILLA: dict[Reason, tuple[int, int | None]] = {
    Reason.NO_SUCH_PATH: (404, None),
    Reason.METHOD: (405, None),
    Reason.UNKNOWN: (404, 102),
    Reason.GONE: (410, 106),
    Reason.TOO_LARGE: (413, 104),
    Reason.TTL: (400, 111),
    Reason.URGENCY: (400, 111),
    Reason.TOPIC: (400, 113),
    Reason.CODING: (400, 110),
    Reason.VAPID: (401, 109),
    Reason.THROTTLED: (429, None),
    Reason.UNAVAILABLE: (503, 201),
}
"""Reason -> (status, errno), as autopush answers (autoendpoint/src/error.rs)."""


def _mozilla(refusal: Refusal) -> Response:
    status, errno = _MOZILLA[refusal.reason]
    headers = [JSON]
    if refusal.reason is Reason.GONE:
        headers.append(("cache-control", "max-age=86400"))
    if refusal.reason is Reason.VAPID:
        headers.append(("www-authenticate", "vapid"))
    if refusal.reason is Reason.METHOD:
        headers.append(("allow", "POST"))
    if refusal.retry_after is not None:
        headers.append(("retry-after", str(refusal.retry_after)))
    body = {
        "code": status,
        "errno": errno,
        "error": HTTPStatus(status).phrase,
        "message": refusal.detail,
        "more_info": "http://autopush.readthedocs.io/en/latest/http.html#error-codes",
    }
    return Response(status, tuple(headers), json.dumps(body).encode())


MOZILLA = Flavour("mozilla", "/wpush/v2/", _mozilla)
