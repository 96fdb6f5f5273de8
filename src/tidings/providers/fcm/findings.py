"""Faults of credentials in plain words: what is wrong, and what to do about it where."""

from __future__ import annotations

from collections.abc import Mapping

from tidings.domain.outcome import Accepted, Misconfigured, Outcome, Throttled, Unavailable
from tidings.providers import UNREACHED, Finding
from tidings.providers.fcm.outcomes import Reason, unanswered

TOKEN = "access_token"  # noqa: S105 - the name of a look
"""The look at whether Google gives a token for the key."""
SEND = "send"
"""The look at whether FCM would take a message of the project, validated and not delivered."""

_ACCOUNTS = "Google Cloud Console, IAM & Admin, Service accounts"
_NEW_KEY = "Generate a new key (Firebase Console, Project settings, Service accounts) and upload it here."

_TOKEN_WORDS = {
    Reason.KEY_REVOKED: ("Google does not know this key: it was deleted or disabled.", _NEW_KEY),
    Reason.CLOCK_SKEW: (
        "Google refuses our signature for its time: this machine's clock is minutes away from the right one.",
        "Set the clock, best by NTP; `tidings doctor` shows how far it is out.",
    ),
    Reason.ACCOUNT_MISSING: ("Google does not know this service account: it was deleted.", _NEW_KEY),
    Reason.ACCOUNT_DISABLED: ("The service account is disabled.", f"Enable it: {_ACCOUNTS}."),
    Reason.GRANT_DENIED: ("Google gives no token for this key.", _NEW_KEY),
}
_SEND_WORDS = {
    Reason.API_DISABLED: (
        "The Firebase Cloud Messaging API is switched off in {project_id}.",
        "Switch it on: https://console.cloud.google.com/apis/library/fcm.googleapis.com?project={project_id}. "
        "It takes a few minutes.",
    ),
    Reason.PERMISSION: (
        "{client_email} may not send messages for {project_id}, or there is no such project.",
        "Check the project's id. Give the account the role `Firebase Cloud Messaging API Admin` there: Google Cloud "
        "Console, IAM.",
    ),
    Reason.PROJECT: (
        "There is no project {project_id}, or it was deleted.",
        "Check the project's id: Firebase Console, Project settings, General.",
    ),
    Reason.GRANT_REFUSED: ("FCM refuses the token that Google has just given.", "Try again in a minute."),
}
_NO_ANSWER = {unanswered(kind): words for kind, words in UNREACHED.items()}
_TROUBLE = frozenset({Reason.GRANT_UNAVAILABLE, Reason.SERVICE_ERROR, Reason.SERVICE_OVERLOADED})


def grant_finding_from(fault: Misconfigured | Unavailable | None) -> Finding:
    """Say whether Google gives a token, and if not, why."""
    if fault is None:
        return Finding(TOKEN, ok=True, detail="Google gives a token for this key.")
    detail, mend = _TOKEN_WORDS.get(Reason(fault.reason), _unreached("oauth2.googleapis.com", fault.reason))
    return Finding(TOKEN, ok=False, detail=detail, mend=mend)


def send_finding_from(outcome: Outcome, settings: Mapping[str, str]) -> Finding:
    """Say whether FCM takes messages of the project, and if not, why."""
    names = {name: settings.get(name, "") for name in ("project_id", "client_email")}
    if isinstance(outcome, Accepted):
        return Finding(SEND, ok=True, detail=f"FCM takes messages for {names['project_id']}.")
    if isinstance(outcome, Throttled):
        return Finding(SEND, ok=True, detail="FCM knows the project; it takes no more messages at the moment.")
    detail, mend = _SEND_WORDS.get(Reason(outcome.reason)) or _unreached("fcm.googleapis.com", outcome.reason)
    return Finding(SEND, ok=False, detail=detail.format(**names), mend=mend.format(**names))


def _unreached(host: str, reason: str) -> tuple[str, str]:
    if why := _NO_ANSWER.get(Reason(reason)):
        mend = f"Let this server reach {host} on port 443; `tidings doctor` shows what is in the way."
        return f"{host} was not reached. {why}", mend
    if reason in _TROUBLE:
        return f"{host} has trouble of its own.", "Test again in a few minutes."
    return (
        f"{host} answered what nobody expects here ({reason}).",
        "Test again; if it stays, see whether a proxy between this server and Google answers in its place.",
    )
