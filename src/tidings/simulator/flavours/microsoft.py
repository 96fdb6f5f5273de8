"""Microsoft's WNS: an empty body, and the reason in headers of its own."""

from __future__ import annotations

from tidings.simulator.answers import Response
from tidings.simulator.flavours.manner import Flavour, FlavourName, Taken, headers_of
from tidings.simulator.judge import Rules
from tidings.simulator.refusals import VAPID, Reason, Refusal

_STATUSES: dict[Reason, int] = {
    **dict.fromkeys(VAPID, 401),
    Reason.KEY_MISMATCH: 403,
    Reason.NO_SUCH_PATH: 404,
    Reason.UNKNOWN: 404,
    Reason.METHOD: 405,
    Reason.GONE: 410,
    Reason.TOO_LARGE: 413,
    Reason.THROTTLED: 406,
    Reason.UNAVAILABLE: 503,
}
_WORDS = {Reason.TTL: "Ttl value conflicts with X-WNS-Cache-Policy."}


def _refused(refusal: Refusal) -> Response:
    status = _STATUSES.get(refusal.reason, 400)
    became = "channelthrottled" if refusal.reason is Reason.THROTTLED else "dropped"
    said = (
        ("x-wns-notificationstatus", became),
        ("x-wns-status", became),
        ("x-wns-error-description", _WORDS.get(refusal.reason, refusal.detail)),
    )
    return Response(status, headers_of(refusal, *said))


def _accepted(taken: Taken) -> Response:
    return Response(
        201,
        (
            ("x-wns-notificationstatus", "received"),
            ("x-wns-status", "received"),
            ("x-wns-deviceconnectionstatus", "connected"),
            ("x-wns-msg-id", taken.id[:16].upper()),
            ("ms-cv", taken.id[16:24]),
        ),
    )


MICROSOFT = Flavour(
    FlavourName.MICROSOFT,
    "https://wns2-par02p.notify.windows.com",
    "/w/?token=",
    _accepted,
    _refused,
    rules=Rules(largest=5120, least_ttl=1, zero_ttl=("x-wns-cache-policy", "no-cache"), contact=False),
    # Real tokens are escaped base64; who unescapes or escapes them anew ends at another channel.
    ending="%2b%2f%3d",
)
