"""Packing: a batch goes in, the chunk that a sender is handed comes out, and who cannot be sent to at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from operator import itemgetter

from tidings.domain.outcome import Outcome, Refused
from tidings.domain.subscription import Recipient
from tidings.lib.opaque import OpaquePairs
from tidings.pipeline.deliver import Chunk, Parcel
from tidings.providers import Draft
from tidings.worker.drafts import Drafts, Kind
from tidings.worker.load import Batch

_kind: Callable[[Recipient], Kind] = itemgetter(1, 5)
_parcel: Callable[[tuple[object, ...]], Parcel] = partial(tuple.__new__, Parcel)
"""Both do what a function of Python's own would, without one in between: there is a call for each recipient."""


def packed(batch: Batch, drafts: Drafts, *, deliveries: OpaquePairs) -> tuple[Chunk, dict[int, Outcome]]:
    """Make the chunk of a batch; the outcomes are of those for whom the message fits no push, by subscription id."""
    if batch.notification.message.templated is not None:
        return _packed_for_each(batch, drafts, deliveries=deliveries)
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
    parcels = _parcels(batch.notification.id, recipients, [places[kind] for kind in map(_kind, recipients)], deliveries)
    return _chunk(batch, drafts.made, parcels), refused


def _packed_for_each(batch: Batch, drafts: Drafts, *, deliveries: OpaquePairs) -> tuple[Chunk, dict[int, Outcome]]:
    """Do so where what is said depends on the person: drafts are of this chunk alone, so that none pile up."""
    made, places = drafts.for_each(batch.recipients, batch.people)
    able = [(one, place) for one, place in zip(batch.recipients, places, strict=True) if isinstance(place, int)]
    refused: dict[int, Outcome] = {
        one.subscription_id: place
        for one, place in zip(batch.recipients, places, strict=True)
        if isinstance(place, Refused)
    }
    recipients, drafted = [one for one, _ in able], [place for _, place in able]
    return _chunk(batch, made, _parcels(batch.notification.id, recipients, drafted, deliveries)), refused


def _chunk(batch: Batch, made: Sequence[tuple[str, Draft]], parcels: tuple[Parcel, ...]) -> Chunk:
    return Chunk(
        number=0,
        expires_at=batch.notification.expires_at.timestamp(),
        drafts=tuple(made),
        credentials=batch.credentials,
        parcels=parcels,
        notification_id=batch.notification.id,
    )


def _parcels(
    notification_id: int,
    recipients: Sequence[Recipient],
    drafts: Sequence[int | Refused],
    deliveries: OpaquePairs,
) -> tuple[Parcel, ...]:
    if not recipients:
        return ()
    ids, _, credentials, targets, keys, _, origins, _ = zip(*recipients, strict=True)
    names, tokens = zip(*deliveries.encode_many([(notification_id, one) for one in ids]), strict=True)
    columns = zip(ids, drafts, credentials, origins, targets, keys, names, tokens, strict=True)
    return tuple(map(_parcel, columns))
