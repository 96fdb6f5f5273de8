"""Testing a connection without a device: a made-up token, and what Apple's answer to it says of the credentials."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tidings.domain.app import Credential
from tidings.domain.message import Rendered, Urgency
from tidings.lib.exchange import Answer, FailureKind, NetworkFailure, Reply
from tidings.providers import UNREACHED, Envelope, Finding
from tidings.providers.apns.credential import expiry_of, is_certificate
from tidings.providers.apns.reading import reason_in
from tidings.providers.apns.settings import Environment

DUMMY = "0" * 64
"""No device's token: an answer that calls it bad has let the credentials pass."""
PROBE = Rendered("Test", "", None, None, None, None, (), Urgency.LOW, None, None, {})
ENVELOPE = Envelope("0" * 32, "0" * 16, 60)

_PASSED = frozenset({"BadDeviceToken", "DeviceTokenNotForTopic", "Unregistered", "ExpiredToken"})
_SKEW = 60
"""Seconds by which clocks may differ before it is said."""

_BUNDLE = (
    "Apple does not let these credentials send to `{bundle}`.",
    "Compare the bundle id with the one in Xcode under Signing & Capabilities; the app must have Push Notifications "
    "switched on, and belong to the same team.",
)
_WORDS = {
    "TopicDisallowed": _BUNDLE,
    "BadTopic": _BUNDLE,
    "MissingTopic": _BUNDLE,
    "InvalidProviderToken": (
        "Apple does not recognise the key: the Key ID or the Team ID is another key's, or the key was revoked.",
        "The Key ID is in the file's name (AuthKey_<Key ID>.p8), the Team ID under Membership details. Under Keys on "
        "Apple's developer site, see that the key is still there and has APNs switched on.",
    ),
    "ExpiredProviderToken": (
        "Apple says that our token is too old, although it was just made: this server's clock is behind.",
        "Set the clock (`timedatectl set-ntp true`), then test again.",
    ),
    "BadEnvironmentKeyIdInToken": (
        "The key was made for the other environment alone, not for {environment}.",
        "Make a key for this environment on Apple's developer site, or choose the other environment.",
    ),
    "BadCertificateEnvironment": (
        "The certificate was made for the other environment alone, not for {environment}.",
        "Make one of the kind `Apple Push Notification service SSL (Sandbox & Production)`, or choose the other "
        "environment.",
    ),
    "BadCertificate": (
        "Apple refuses the certificate: it was revoked, or is not one for push.",
        "Make a new one on Apple's developer site under Certificates, or use a .p8 key, which never expires.",
    ),
    "Forbidden": (
        "Apple forbids this to the team of the key.",
        "See on Apple's developer site that the membership has not ended and that agreements are accepted.",
    ),
    "MissingProviderToken": ("Apple saw neither a key nor a certificate.", "Upload the credentials again."),
    "UnrelatedKeyIdInToken": ("Apple saw another key on the same connection.", "Test again in a minute."),
    "TooManyProviderTokenUpdates": (
        "Apple has seen too many new tokens of this key within 20 minutes.",
        "Does another server send with the same key? Wait for 20 minutes, then test again.",
    ),
}
_WORDS["BadEnvironmentKeyInToken"] = _WORDS["BadEnvironmentKeyIdInToken"]
_OTHER_WORLD = frozenset({"BadEnvironmentKeyIdInToken", "BadEnvironmentKeyInToken", "BadCertificateEnvironment"})


def environments_of(credential: Credential) -> tuple[Environment, ...]:
    """Give where a credential is worth trying: the integration's own environment first."""
    own = Environment(credential.settings["environment"])
    stated = credential.settings.get("environments", "")
    able = {Environment(name) for name in stated.split()} or set(Environment)
    return (own, own.other) if own.other in able else (own,)


def finding_from(credential: Credential, environment: Environment, answer: Answer, *, now: float) -> Finding:
    """Say in plain words what an answer to the made-up token means."""
    expiry = expiry_of(credential)
    if expiry is not None and expiry.timestamp() <= now:
        return _bad(
            environment,
            f"The certificate expired on {expiry:%d %B %Y}.",
            "Make a new one on Apple's developer site, or use a .p8 key, which never expires.",
        )
    if isinstance(answer, NetworkFailure):
        return _unreached(credential, environment, answer)
    reason = reason_in(answer)
    if answer.status == 200 or reason in _PASSED:
        return Finding(environment, ok=True, detail=_accepted(credential, environment))
    if reason in _OTHER_WORLD and environment != credential.settings["environment"]:
        return Finding(environment, ok=True, detail=f"Not for {environment}: these credentials are for the other one.")
    skew = _skew(answer, now=now)
    if skew and reason in ("InvalidProviderToken", "ExpiredProviderToken"):
        side = "ahead of" if skew > 0 else "behind"
        return _bad(
            environment,
            f"This server's clock is {abs(skew)} seconds {side} Apple's, so that Apple refuses our token ({reason}).",
            "Set the clock (`timedatectl set-ntp true`), then test again.",
        )
    detail, mend = _WORDS.get(reason) or _unknown(answer, reason)
    words = {"bundle": credential.settings["bundle_id"], "environment": environment.value}
    return _bad(environment, detail.format(**words), mend)


def warnings_of(settings: Mapping[str, str]) -> tuple[str, ...]:
    """Say what goes wrong most often with APNs, and when a certificate ends."""
    known = (
        "Sandbox and production are separate, and the environment has to match how the app was built and signed: run "
        "from Xcode it is sandbox, from TestFlight and the App Store production. A wrong one does not fail in silence "
        "here: each refused token is counted, and where all are refused the integration pauses and says so.",
    )
    if "expires_at" not in settings:
        return known
    return (*known, f"The certificate expires on {datetime.fromisoformat(settings['expires_at']):%d %B %Y}.")


def _accepted(credential: Credential, environment: Environment) -> str:
    what = "certificate" if is_certificate(credential) else "key"
    return f"Apple accepts the {what} for {credential.settings['bundle_id']} in {environment}."


def _unreached(credential: Credential, environment: Environment, failure: NetworkFailure) -> Finding:
    host = environment.origin.removeprefix("https://")
    detail = f"{host} was not reached. {UNREACHED[failure.kind]} ({failure.detail})"
    if failure.kind is FailureKind.TLS and is_certificate(credential):
        return _bad(environment, detail, "The certificate may have been revoked; make a new one, or use a .p8 key.")
    return _bad(environment, detail, "Let this server reach the host on port 443, or on 2197 by TIDINGS_PUSH_HOST_MAP.")


def _unknown(answer: Reply, reason: str) -> tuple[str, str]:
    said = f"{answer.status} {reason}".strip().replace("{", "").replace("}", "")
    if answer.status >= 500:
        return f"Apple's service has trouble of its own ({said}).", "Test again in a few minutes."
    return (
        f"Apple answered {said}, which nobody expects here.",
        "Test again; if it stays, look it up in Apple's table: Handling notification responses from APNs.",
    )


def _skew(answer: Reply, *, now: float) -> int:
    """Give by how many seconds our clock is ahead of theirs (behind: negative), 0 if that is little or unknown."""
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", "")).astimezone(UTC).timestamp()
    except (ValueError, TypeError, OverflowError):
        return 0
    return round(now - theirs) if abs(now - theirs) > _SKEW else 0


def _bad(environment: Environment, detail: str, mend: str) -> Finding:
    return Finding(environment, ok=False, detail=detail, mend=mend)
