"""Apple's hosts, the kinds of push with their topics and limits, and what names an app, a team and a key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.platforms import ApplePush


class Environment(StrEnum):
    """Which of Apple's two worlds a token lives in; they know nothing of each other."""

    PRODUCTION = "production"
    SANDBOX = "sandbox"

    @property
    def origin(self) -> str:
        """Where it is reached."""
        return _ORIGINS[self]

    @property
    def other(self) -> Environment:
        """The one that it is taken for by mistake."""
        return Environment.SANDBOX if self is Environment.PRODUCTION else Environment.PRODUCTION


_ORIGINS = {
    Environment.PRODUCTION: "https://api.push.apple.com",
    Environment.SANDBOX: "https://api.sandbox.push.apple.com",
}
_SPELLINGS = {
    "production": Environment.PRODUCTION,
    "sandbox": Environment.SANDBOX,
    "development": Environment.SANDBOX,
}
"""`development` is what Xcode's entitlement `aps-environment` calls the sandbox."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What one type of push insists on.

    `suffix` follows the bundle id in the topic. `priority` is the only one that is taken, `once` means that Apple
    must not keep the message, `key_only` that no certificate may send it. `named` is whether the app gets our ids
    beside the payload.
    """

    suffix: str = ""
    largest: int = 4096
    priority: int | None = None
    once: bool = False
    key_only: bool = False
    named: bool = True


RULES = {
    ApplePush.ALERT: Rules(),
    ApplePush.BACKGROUND: Rules(priority=5),
    ApplePush.LOCATION: Rules(".location-query", key_only=True, named=False),
    ApplePush.VOIP: Rules(".voip", largest=5120),
    ApplePush.COMPLICATION: Rules(".complication"),
    ApplePush.FILE_PROVIDER: Rules(".pushkit.fileprovider", named=False),
    ApplePush.MDM: Rules(named=False),
    ApplePush.LIVE_ACTIVITY: Rules(".push-type.liveactivity", key_only=True, named=False),
    ApplePush.PUSH_TO_TALK: Rules(".voip-ptt", priority=10, once=True),
    ApplePush.WIDGETS: Rules(".push-type.widgets", named=False),
    ApplePush.CONTROLS: Rules(".push-type.controls", named=False),
}
"""Source: Apple, "Sending notification requests to APNs"; the last three from the pages of PushToTalk and WidgetKit."""

LONGEST_COLLAPSE_ID = 64
"""Bytes of `apns-collapse-id`."""


class Kind(StrEnum):
    """What a token was handed out for: each has a topic of its own, and refuses the pushes of the others."""

    APP = "app"
    LOCATION = "location"
    VOIP = "voip"
    COMPLICATION = "complication"
    FILE_PROVIDER = "fileprovider"
    MDM = "mdm"
    LIVE_ACTIVITY = "liveactivity"
    PUSH_TO_TALK = "pushtotalk"
    WIDGETS = "widgets"
    CONTROLS = "controls"
    CHANNEL = "channel"
    """No device, but a broadcast channel of Live Activities: one message for all who follow it."""

    @property
    def takes(self) -> frozenset[ApplePush]:
        """The types of push that it takes."""
        if self is Kind.APP:
            return frozenset({ApplePush.ALERT, ApplePush.BACKGROUND})
        return frozenset({ApplePush.LIVE_ACTIVITY if self is Kind.CHANNEL else ApplePush(self.value)})


def environment_from(value: object, *, field: str = "environment") -> Environment:
    """Read `production`, `sandbox` or Xcode's `development`; raises INVALID_REQUEST."""
    found = _SPELLINGS.get(value.strip().lower()) if isinstance(value, str) else None
    if found is None:
        raise refused(field, "It is `production` (App Store and TestFlight) or `sandbox` (run from Xcode).")
    return found


_IDENTIFIER = re.compile(r"[A-Z0-9]{10}")
_BUNDLE_ID = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_LONGEST_BUNDLE_ID = 155


def identifier_from(value: str, *, field: str, name: str) -> str:
    """Check a Key ID or Team ID: ten letters and digits; raises CREDENTIALS_INVALID."""
    found = value.strip().upper()
    if not _IDENTIFIER.fullmatch(found):
        raise unusable(field, f"A {name} has 10 letters and digits, such as `2X9R4HXF34`; see Apple's developer site.")
    return found


def bundle_id_from(value: str) -> str:
    """Check the app's bundle id, which must come without the suffix of a topic; raises CREDENTIALS_INVALID."""
    found = value.strip()
    if not _BUNDLE_ID.fullmatch(found) or len(found) > _LONGEST_BUNDLE_ID:
        raise unusable("bundle_id", "A bundle id looks like `com.example.app`; it is in Xcode under Signing.")
    bare = without_suffix(found)
    if bare != found:
        suffix = found.removeprefix(bare)
        raise unusable("bundle_id", f"Leave `{suffix}` out: give `{bare}`, the topic follows from it.")
    return found


def without_suffix(topic: str) -> str:
    """Give the bundle id of a topic, which a certificate for calls alone names in its place."""
    suffix = next((one.suffix for one in RULES.values() if one.suffix and topic.endswith(one.suffix)), "")
    return topic.removesuffix(suffix)


def refused(field: str, why: str) -> CatalogueError:
    """Say which field of a request is wrong."""
    return CatalogueError(ErrorCode.INVALID_REQUEST, f"{field}: {why}", faults=(FieldFault(field, why),))


def unusable(field: str, why: str) -> CatalogueError:
    """Say what is wrong with a key or certificate."""
    return CatalogueError(ErrorCode.CREDENTIALS_INVALID, why, faults=(FieldFault(field, why),))
