"""Every reason that Apple documents, with the status it comes with."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tidings.simulator.answers import Response
from tidings.simulator.flavours import JSON

STATUSES = {
    **dict.fromkeys(
        (
            "BadCollapseId",
            "BadDeviceToken",
            "BadExpirationDate",
            "BadMessageId",
            "BadPriority",
            "BadTopic",
            "DeviceTokenNotForTopic",
            "DuplicateHeaders",
            "IdleTimeout",
            "InvalidPushType",
            "MissingDeviceToken",
            "MissingTopic",
            "PayloadEmpty",
            "TopicDisallowed",
            "BadChannelId",
            "BadRequestParams",
            "BadRequestPayload",
            "MissingChannelQueueSize",
            "CannotCreateChannelConfig",
            "ChannelNotRegistered",
            "FeatureNotEnabled",
            "MissingChannelId",
            "MissingPushType",
            "TopicMismatch",
        ),
        400,
    ),
    **dict.fromkeys(
        (
            "BadCertificate",
            "BadCertificateEnvironment",
            "BadEnvironmentKeyIdInToken",
            "BadEnvironmentKeyInToken",
            "ExpiredProviderToken",
            "Forbidden",
            "InvalidProviderToken",
            "MissingProviderToken",
            "UnrelatedKeyIdInToken",
        ),
        403,
    ),
    "BadPath": 404,
    "MethodNotAllowed": 405,
    "ExpiredToken": 410,
    "Unregistered": 410,
    "PayloadTooLarge": 413,
    "TooManyProviderTokenUpdates": 429,
    "TooManyRequests": 429,
    "InternalServerError": 500,
    "ServiceUnavailable": 503,
    "Shutdown": 503,
}
"""Reason -> status (Apple, "Handling notification responses from APNs" and the same for broadcasts)."""


@dataclass(frozen=True, slots=True)
class No:
    """Refused: `reason` is Apple's word, `detail` ours for the journal; `since` (Unix seconds) is told with a 410."""

    reason: str
    detail: str = ""
    since: float | None = None
    retry_after: int | None = None

    @property
    def status(self) -> int:
        """The status it comes with."""
        return STATUSES[self.reason]

    def response(self, headers: tuple[tuple[str, str], ...]) -> Response:
        """Write the answer."""
        said: dict[str, object] = {"reason": self.reason}
        if self.status == 410 and self.since is not None:
            said["timestamp"] = int(self.since * 1000)
        waiting = () if self.retry_after is None else (("retry-after", str(self.retry_after)),)
        return Response(self.status, (*headers, JSON, *waiting), json.dumps(said, separators=(",", ":")).encode())
