"""Ways: what the requests to devices of one kind in one place share, and one recipient's own put into it."""

from __future__ import annotations

from typing import NamedTuple

from tidings.domain.subscription import Address
from tidings.lib.exchange import ClientIdentity, Request
from tidings.providers import Draft, Envelope
from tidings.providers.apns.address import Place
from tidings.providers.apns.message import Plan, payload_from
from tidings.providers.apns.settings import RULES, Kind


class Way(NamedTuple):
    """What a turn's requests share. `body` is None where each recipient has its own."""

    url: str
    """All of it for a channel, up to the device's token for all else."""
    lines: tuple[str, ...]
    identity: ClientIdentity
    cautious: bool
    by_channel: bool
    body: bytes | None


def way_of(
    draft: Draft,
    plan: Plan,
    place: Place,
    *,
    bundle_id: str,
    expires: int,
    authorization: str | None,
    identity: ClientIdentity,
) -> Way:
    """Write what is shared; without an `authorization` it is the certificate that says who we are.

    `expires` is in Unix seconds.
    """
    by_channel = place.kind is Kind.CHANNEL
    # A channel that keeps nothing refuses a message that is to be kept.
    once = plan.once or (by_channel and not place.extra)
    lines = [
        f"apns-push-type: {plan.push_type}",
        f"apns-priority: {plan.priority}",
        f"apns-expiration: {0 if once else expires}",
    ]
    if not by_channel:
        lines.append(f"apns-topic: {bundle_id}{RULES[plan.push_type].suffix}")
    if draft.collapse_id:
        lines.append(f"apns-collapse-id: {draft.collapse_id}")
    if authorization is not None:
        lines.append(f"authorization: {authorization}")
    path = f"/4/broadcasts/apps/{bundle_id}" if by_channel else "/3/device/"
    body = _mdm(place) if place.kind is Kind.MDM else None
    return Way(f"{place.environment.origin}{path}", tuple(lines), identity, authorization is not None, by_channel, body)


def request_from(way: Way, draft: Draft, to: Address, envelope: Envelope) -> Request:
    """Put one recipient's own into it."""
    number = envelope.delivery_id
    own: tuple[str, ...] = (f"apns-id: {number[:8]}-{number[8:12]}-{number[12:16]}-{number[16:20]}-{number[20:]}",)
    if draft.collapse_id is None:
        own += (f"apns-collapse-id: {number}",)
    if way.by_channel:
        url, own = way.url, (*own, f"apns-channel-id: {to.target}")
    else:
        url = way.url + to.target
    body = payload_from(draft, envelope) if way.body is None else way.body
    return Request(url, way.lines + own, body, way.identity, way.cautious, own=len(own))


def _mdm(place: Place) -> bytes:
    """Write what wakes a managed device: nothing but its own PushMagic (Apple, Mobile Device Management Protocol)."""
    return b'{"mdm":"%s"}' % place.extra.encode("ascii").replace(b"\\", b"\\\\").replace(b'"', b'\\"')
