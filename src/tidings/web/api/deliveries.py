"""What became of one recipient, as people see it."""

from __future__ import annotations

from pydantic import BaseModel, Field

from tidings.services.notifications import DeliveryDetails


class DeliveryOut(BaseModel):
    """One recipient's final state."""

    subscription: str | None = Field(description="null when it was deleted since.")
    user: str | None
    name: str | None = Field(description="What the App's server calls the person, in the attribute `name`.")
    device: str | None
    status: str
    reason: str
    attempt: int


def delivery_out(row: DeliveryDetails) -> DeliveryOut:
    """Show a delivery."""
    device = row.subscription
    name = row.user.attributes.get("name") if row.user else None
    return DeliveryOut(
        subscription=device.public_id if device else None,
        user=device.user_external_id if device else None,
        name=name if isinstance(name, str) else None,
        device=device.device if device else None,
        status=row.settled.status.name.lower(),
        reason=row.settled.reason,
        attempt=row.settled.attempt,
    )
