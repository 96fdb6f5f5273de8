"""What speaks against a device's token, as people see it."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from tidings.domain.outcome import Doubt
from tidings.domain.suspected import Suspected


class SuspectedOut(BaseModel):
    """What speaks against a device's token although the device may be well; it is kept, whatever comes."""

    reason: Doubt = Field(
        description="`device_token_refused`: of another environment, most likely. `address_foreign`: of another "
        "project or app."
    )
    times: int = Field(description="How often in a row it was refused while others were taken.")
    since: datetime
    last_at: datetime
    rests_until: datetime | None = Field(
        description="Until then nothing is sent to it, and sends are skipped with the reason; null while it is tried."
    )


def suspected_out(found: Suspected | None) -> SuspectedOut | None:
    """Show it, where there is something."""
    if found is None:
        return None
    return SuspectedOut(
        reason=found.reason,
        times=found.times,
        since=found.since,
        last_at=found.last_at,
        rests_until=found.rests_until,
    )
