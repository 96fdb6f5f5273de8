"""Google's FCM as browsers' endpoints reach it: short texts, never JSON."""

from __future__ import annotations

from tidings.simulator.answers import Response
from tidings.simulator.flavours.manner import Flavour, FlavourName, Taken, headers_of
from tidings.simulator.judge import Rules
from tidings.simulator.refusals import VAPID, Reason, Refusal

TEXT = ("content-type", "text/plain; charset=utf-8")
CHROMIUM = "jmt17.google.com"
"""The host that Chromium without Google's own keys, such as a distribution's, hands out."""

_INVALID = (403, "invalid JWT provided")
_WORDS: dict[Reason, tuple[int, str]] = {
    **dict.fromkeys(VAPID, _INVALID),
    Reason.NO_SUCH_PATH: (404, "not found"),
    Reason.METHOD: (405, "method not allowed"),
    Reason.UNKNOWN: (
        404,
        "A valid push subscription endpoint should be specified in the URL as such: "
        "https://fcm.googleapis.com/wp/dHIoDxE7Hdg:APA91bH1Zj0kNa",
    ),
    Reason.GONE: (410, "push subscription has unsubscribed or expired."),
    Reason.KEY_MISMATCH: (
        403,
        "the VAPID credentials in the authorization header do not correspond to the credentials used to create the "
        "subscriptions.",
    ),
    Reason.AUDIENCE: (403, "aud claim in the token MUST include the origin of the push resource URL"),
    Reason.TOO_LARGE: (413, ""),
    Reason.THROTTLED: (429, ""),
    Reason.UNAVAILABLE: (503, ""),
}


def _refused(refusal: Refusal) -> Response:
    # What it says of a header it does not take is not known; its status is.
    status, words = _WORDS.get(refusal.reason, (400, refusal.detail))
    allow = (("allow", "POST"),) if refusal.reason is Reason.METHOD else ()
    if not words:
        return Response(status, headers_of(refusal, *allow))
    return Response(status, headers_of(refusal, TEXT, *allow), f"{words}\n".encode())


def _accepted(taken: Taken) -> Response:
    return Response(201, (("location", f"https://fcm.googleapis.com/0:{taken.at:.0f}%25{taken.id[:16]}"),))


GOOGLE = Flavour(
    FlavourName.GOOGLE,
    "https://fcm.googleapis.com",
    "/fcm/send/",
    _accepted,
    _refused,
    rules=Rules(contact=False),
    hosts=frozenset({CHROMIUM}),
    patience={Reason.THROTTLED: 60},
)
