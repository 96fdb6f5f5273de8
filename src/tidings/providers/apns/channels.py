"""Broadcast channels of Live Activities, made and deleted at a host of their own."""

from __future__ import annotations

import re

from tidings.domain.app import Credential
from tidings.domain.subscription import Address
from tidings.lib.exchange import Answer, ClientIdentity, NetworkFailure, Request
from tidings.providers import Channel, Finding
from tidings.providers.apns.address import Place, place_from
from tidings.providers.apns.credential import is_certificate
from tidings.providers.apns.reading import reason_in
from tidings.providers.apns.settings import Environment, Kind, unusable

MANAGERS = {
    Environment.PRODUCTION: "https://api-manage-broadcast.push.apple.com:2196",
    Environment.SANDBOX: "https://api-manage-broadcast.sandbox.push.apple.com:2195",
}
"""Source: Apple, "Sending channel management requests to APNs"."""

CHANNEL_ID = re.compile(r"[A-Za-z0-9+/=_-]{8,128}")
STORED = "stored"

_LOOK = "channel"
_WORDS = {
    "FeatureNotEnabled": (
        "Broadcast is switched off for this app.",
        "Switch on `Broadcast Capability` of the app's Push Notifications: Apple's developer site, Identifiers.",
    ),
    "CannotCreateChannelConfig": ("The app has as many channels as Apple allows.", "Delete those that have ended."),
    "InvalidProviderToken": ("Apple does not recognise the key.", "Test the integration's connection: it says more."),
    "ExpiredProviderToken": ("Apple says that our token is too old.", "Set this server's clock, then try again."),
    "TopicMismatch": ("The channel belongs to another app.", "Compare the bundle id with the one it was made for."),
}
_GONE = frozenset({"ChannelNotRegistered", "BadChannelId"})


def refuse_certificate(credential: Credential) -> None:
    """Raise CREDENTIALS_INVALID for a certificate: Apple takes Live Activities with keys alone."""
    if is_certificate(credential):
        raise unusable("integration", "Channels want a .p8 key: Apple takes no Live Activities by certificate.")


def request_of(
    credential: Credential, environment: Environment, authorization: str, *, keeps: bool = False, ends: str = ""
) -> Request:
    """Write the request for a new channel, or for the end of the one that is named."""
    url = f"{MANAGERS[environment]}/1/apps/{credential.settings['bundle_id']}/channels"
    headers = (f"authorization: {authorization}", "content-type: application/json")
    identity = ClientIdentity(credential.fingerprint)
    if ends:
        return Request(url, (*headers, f"apns-channel-id: {ends}"), b"", identity, method="DELETE")
    body = b'{"message-storage-policy":%d,"push-type":"LiveActivity"}' % keeps
    return Request(url, headers, body, identity)


def id_from(answer: Answer) -> str | Finding:
    """Read the id of a new channel, or why there is none."""
    if not isinstance(answer, NetworkFailure) and answer.status == 201:
        found = answer.headers.get("apns-channel-id", "")
        if CHANNEL_ID.fullmatch(found):
            return found
    return _refusal(answer)


def ended(answer: Answer) -> Finding | None:
    """Read the answer to a deletion: a channel that Apple does not know has ended too."""
    if not isinstance(answer, NetworkFailure) and (answer.status in (200, 204) or reason_in(answer) in _GONE):
        return None
    return _refusal(answer)


def address_of(channel: Channel) -> tuple[Address, str]:
    """Give where a message to a channel goes: address and origin."""
    environment = Environment(channel.environment)
    place = Place(environment, Kind.CHANNEL, STORED if channel.keeps else "")
    return Address(channel.id, place.keys), environment.origin


def channel_at(address: Address) -> Channel:
    """Read what `address_of` gave."""
    place = place_from(address.keys)
    return Channel(address.target, place.extra == STORED, place.environment.value)


def _refusal(answer: Answer) -> Finding:
    if isinstance(answer, NetworkFailure):
        detail = f"Apple's host for channels was not reached ({answer.kind})."
        return Finding(_LOOK, ok=False, detail=detail, mend="Let this server reach its ports 2195 and 2196.")
    reason = reason_in(answer)
    detail, mend = _WORDS.get(reason) or (
        f"Apple refused it: {answer.status} {reason}".rstrip() + ".",
        "Test the integration's connection; it says what is wrong with the credentials.",
    )
    return Finding(_LOOK, ok=False, detail=detail, mend=mend)
