"""Packing: a batch goes in, the chunk that a sender is handed comes out, and who cannot be sent to at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import itemgetter

from tidings.domain.outcome import Outcome, Refused
from tidings.domain.subscription import Recipient
from tidings.lib.opaque import OpaquePairs
from tidings.pipeline.deliver import Chunk, Parcel
from tidings.worker.drafts import Drafts, Kind
from tidings.worker.load import Batch

_kind: Callable[[Recipient], Kind] = itemgetter(1, 5)
_parcel: Callable[[tuple[object, ...]], Parcel] = partial(tuple.__new__, Parcel)
"""Both do what a function of Python's own would, without one in between: there is a call for each recipient."""


def packed(batch: Batch, drafts: Drafts, *, deliveries: OpaquePairs) -> tuple[Chunk, dict[int, Outcome]]:
    """Make the chunk of a batch; the outcomes are of those for whom the message fits no push, by subscription id."""
    recipients = batch.recipients
    places = {kind: drafts.index_for(kind) for kind in dict.fromkeys(map(_kind, recipients))}
    refused: dict[int, Outcome] = {
        one.subscription_id: why
        for kind, why in places.items()
        if isinstance(why, Refused)
        for one in recipients
        if _kind(one) == kind
    }
    if refused:
        recipients = tuple(one for one in recipients if one.subscription_id not in refused)
    chunk = Chunk(
        number=0,
        expires_at=batch.notification.expires_at.timestamp(),
        drafts=tuple(drafts.made),
        credentials=batch.credentials,
        parcels=_parcels(batch.notification.id, recipients, places, deliveries),
        notification_id=batch.notification.id,
    )
    return chunk, refused


def _parcels(
    notification_id: int,
    recipients: Sequence[Recipient],
    places: Mapping[Kind, int | Refused],
    deliveries: OpaquePairs,
) -> tuple[Parcel, ...]:
    if not recipients:
        return ()
    ids, _, credentials, targets, keys, _, origins, _ = zip(*recipients, strict=True)
    drafts = [places[kind] for kind in map(_kind, recipients)]
    names, tokens = zip(*deliveries.encode_many([(notification_id, one) for one in ids]), strict=True)
    columns = zip(ids, drafts, credentials, origins, targets, keys, names, tokens, strict=True)
    return tuple(map(_parcel, columns))
