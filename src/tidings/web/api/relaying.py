"""Whom `to` names: found where it takes a look, in segments and at push services that send on by themselves."""

from __future__ import annotations

from tidings.domain.audience import Audience, Members, Relayed, Relaying
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.message import Message
from tidings.domain.platforms import ApplePush
from tidings.services.relays import Relays
from tidings.services.segments import Segments
from tidings.web.api.message import NotificationBody, To, WarningOut, through

UNKNOWN = WarningOut(
    code="devices_unknown",
    message="The push service sends it on to every device that follows; how many these are is not known here, and it "
    "counts as one.",
)


async def members_of(segments: Segments, app_id: int, to: To) -> Members:
    """Give whom `to` names, but for what is relayed. Raises AUDIENCE_INVALID."""
    if to.segment is None or to.model_fields_set != {"segment"}:
        return to.audience()
    return await segments.audience(app_id, to.segment)


async def audience_of(
    relays: Relays, segments: Segments, app_id: int, body: NotificationBody, words: Message | None = None
) -> Audience:
    """Give whom a message is for; `words` are those of its template.

    Raises AUDIENCE_INVALID, and what `Relays.audience` raises.
    """
    named = body.to.relayed()
    if named is None:
        return through(await members_of(segments, app_id, body.to), body.channels)
    if body.channels is not None:
        raise _refused("channels", "What is sent on by a push service goes through that one alone; leave it out.")
    if named[0] is Relaying.APNS_CHANNEL:
        own = (words.platforms if words else body.platforms.platforms()).apns
        if own is None or own.type is not ApplePush.LIVE_ACTIVITY:
            raise _refused("platforms.apns.live_activity", "A broadcast channel takes Live Activities alone.")
    return await relays.audience(app_id, *named, integration=body.to.integration)


def is_known(audience: Audience) -> bool:
    """Tell whether it is known how many devices an audience has."""
    return not isinstance(audience, Relayed)


def _refused(field: str, why: str) -> CatalogueError:
    return CatalogueError(ErrorCode.AUDIENCE_INVALID, f"{field}: {why}", faults=(FieldFault(field, why),))
