"""What a sender process does, in this process and without a database: encrypt, send, read the answers."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tidings.bench.crowd import addresses
from tidings.bench.encrypt import credential, draft
from tidings.bench.sink import Sink
from tidings.domain.outcome import Accepted
from tidings.lib.egress import AddressGuard
from tidings.lib.http import Client
from tidings.pipeline.deliver import Chunk, Delivery, EndOfChunks, Parcel
from tidings.providers import provider

CHUNK = 200


def measure_sending(sink: Sink, *, messages: int) -> float:
    """Give the CPU microseconds of one message; raises RuntimeError when the sink did not take them all."""
    with Client(guard=AddressGuard(allow_loopback=True), ca_file=str(sink.ca_file)) as client:
        delivery = Delivery(client, provider=provider)
        sent(delivery, list(_chunks(sink, CHUNK)))  # connections stand, modules are loaded
        chunks = list(_chunks(sink, messages))
        begun = time.process_time()
        accepted = sent(delivery, chunks)
        used = time.process_time() - begun
    if accepted != messages:
        raise RuntimeError(f"the sink took {accepted} of {messages}")
    return used / messages * 1e6


def sent(delivery: Delivery, chunks: list[Chunk]) -> int:
    """Send chunks and count the messages that were taken."""
    rest = iter(chunks)

    def take(_wait: bool) -> Chunk | None:
        chunk = next(rest, None)
        if chunk is None:
            raise EndOfChunks
        return chunk

    return sum(isinstance(one.outcome, Accepted) for settled in delivery.run(take) for one in settled)


def _chunks(sink: Sink, messages: int) -> Iterator[Chunk]:
    signed, shared = credential(), draft()
    parcels = [
        Parcel(
            subscription_id=number,
            draft=0,
            credential_id=signed.id,
            origin=sink.origin,
            target=to.target,
            keys=to.keys,
            delivery_id=f"{number:032x}",
            receipt_token="A" * 16,
        )
        for number, to in enumerate(addresses(messages, base=f"{sink.origin}/push/"))
    ]
    for number, start in enumerate(range(0, messages, CHUNK)):
        yield Chunk(
            number=number,
            expires_at=time.time() + 3_600,
            drafts=(("webpush", shared),),
            credentials={signed.id: signed},
            parcels=tuple(parcels[start : start + CHUNK]),
        )
