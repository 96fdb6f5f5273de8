"""What a request to send is answered: the notification that was stored, and what its author should know of it."""

from __future__ import annotations

from fastapi import Response
from pydantic import BaseModel, Field

from tidings.domain.campaign import NotificationStatus
from tidings.domain.safety import HoldReason
from tidings.pipeline.flow import Acceptance
from tidings.web.api.message import WarningOut, too_large_out
from tidings.web.api.relaying import UNKNOWN, is_known


class Accepted(BaseModel):
    """A notification that is stored and on its way."""

    id: str
    status: NotificationStatus
    audience: int = Field(description="Devices it is for, counted at this moment.")
    held_because: HoldReason | None = Field(
        default=None, description="Only where the tripwire holds it: it waits until somebody resumes or cancels it."
    )
    warnings: list[WarningOut] | None = Field(
        default=None,
        description="Only where the message is too long for some push services, or goes to devices that nobody counts.",
    )


def accepted_out(response: Response, accepted: Acceptance) -> Accepted:
    """Show what was stored, and say in the headers where it is and whether it was there already."""
    if accepted.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    row = accepted.notification
    warnings = [too_large_out(*one) for one in accepted.too_large_for]
    if not is_known(row.audience):
        warnings.append(UNKNOWN)
    response.headers["Location"] = f"/api/v1/notifications/{row.public_id}"
    return Accepted(
        id=row.public_id,
        status=row.status,
        audience=row.counts.audience,
        held_because=row.held_because,
        warnings=warnings or None,
    )
