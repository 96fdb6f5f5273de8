"""What travels between a worker and its senders: chunks as columns, outcomes as short as they can be told.

An object for each recipient would cost either side more than what is done with it. A sender talks to strangers, so what
it says is data of known types (MessagePack) and never a pickle, which could be any code; what it is told may be one.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple, get_args

from msgspec import MsgspecError, Raw
from msgspec.msgpack import Decoder, Encoder

from tidings.domain.outcome import Accepted, Outcome
from tidings.pipeline.deliver import Chunk, Parcel, Settled

_make = Parcel._make


Told = tuple[int, dict[int, Outcome]]
"""A chunk, and outcomes in it by subscription."""


class Report(NamedTuple):
    """Outcomes: of those who accepted, their subscriptions and the services' own names for it, by chunk."""

    accepted: dict[int, tuple[list[int], list[str]]]
    others: list[tuple[int, int, str, Raw]]
    """Chunk, subscription, the outcome's class and its fields."""

    def outcomes(self) -> Iterator[Told]:
        """Give them, a chunk's accepted ones at once; MsgspecError or KeyError for what is none."""
        for chunk, (subscriptions, refs) in self.accepted.items():
            if any(refs) or len(subscriptions) != len(refs):
                named = zip(subscriptions, refs, strict=True)
                yield chunk, {subscription: Accepted(ref) if ref else _ACCEPTED for subscription, ref in named}
            else:
                yield chunk, dict.fromkeys(subscriptions, _ACCEPTED)
        for chunk, subscription, kind, fields in self.others:
            yield chunk, {subscription: _OUTCOMES[kind].decode(fields)}


_ACCEPTED = Accepted()
_OUTCOMES: dict[str, Decoder[Outcome]] = {kind.__name__: Decoder(kind) for kind in get_args(Outcome)}
_REPORT = Decoder(Report)
_write = Encoder().encode


def bytes_from_chunk(chunk: Chunk) -> bytes:
    """Pack a chunk."""
    columns = tuple(zip(*chunk.parcels, strict=True))
    return pickle.dumps((replace(chunk, parcels=()), columns), protocol=pickle.HIGHEST_PROTOCOL)


def chunk_from(packed: tuple[Chunk, tuple[tuple[object, ...], ...]]) -> Chunk:
    """Make the chunk of what was unpacked."""
    chunk, columns = packed
    return replace(chunk, parcels=tuple(map(_make, zip(*columns, strict=True))))


def bytes_from_settled(settled: Iterable[Settled]) -> bytes:
    """Pack outcomes as a Report."""
    accepted: dict[int, tuple[list[int], list[str]]] = {}
    others: list[tuple[int, int, str, Outcome]] = []
    for chunk, subscription, outcome in settled:
        if type(outcome) is Accepted:
            found = accepted.get(chunk)
            if found is None:
                found = accepted[chunk] = ([], [])
            found[0].append(subscription)
            found[1].append(outcome.ref)
        else:
            others.append((chunk, subscription, type(outcome).__name__, outcome))
    return _write((accepted, others))


class Garbled(ConnectionError):
    """A sender said what is no report."""


def report_from(message: bytes | bytearray) -> list[Told]:
    """Unpack outcomes; Garbled for what are none."""
    try:
        return list(_REPORT.decode(message).outcomes())
    except (MsgspecError, KeyError, ValueError) as error:
        raise Garbled(f"a sender's report cannot be read: {error}") from None
