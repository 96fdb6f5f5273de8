"""Packing: a batch goes in, the chunk that a sender is handed comes out, and who cannot be sent to at all."""

from __future__ import annotations

from collections.abc import Callable

from tidings.domain.outcome import Outcome, Refused
from tidings.lib.opaque import OpaquePairs
from tidings.pipeline.deliver import Chunk, Parcel
from tidings.providers import Provider
from tidings.worker.drafts import Drafts
from tidings.worker.load import Batch


def packed(
    batch: Batch, *, deliveries: OpaquePairs, provider: Callable[[str], Provider]
) -> tuple[Chunk, dict[int, Outcome]]:
    """Make the chunk of a batch; the outcomes are of those for whom the message fits no push, by subscription id."""
    drafts = Drafts(batch.notification.message, provider)
    refused: dict[int, Outcome] = {}
    parcels: list[Parcel] = []
    pairs = [(batch.notification.id, one.subscription_id) for one in batch.recipients]
    for one, (delivery_id, token) in zip(batch.recipients, deliveries.encode_many(pairs), strict=True):
        index = drafts.index_for(one)
        if isinstance(index, Refused):
            refused[one.subscription_id] = index
            continue
        parcels.append(
            Parcel(
                subscription_id=one.subscription_id,
                draft=index,
                credential_id=one.credential_id,
                origin=one.origin,
                target=one.address.target,
                keys=one.address.keys,
                delivery_id=delivery_id,
                receipt_token=token,
            )
        )
    chunk = Chunk(
        number=0,
        expires_at=batch.notification.expires_at.timestamp(),
        drafts=tuple(drafts.made),
        credentials=batch.credentials,
        parcels=tuple(parcels),
        notification_id=batch.notification.id,
    )
    return chunk, refused
