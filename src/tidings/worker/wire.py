"""What travels between a worker and its senders: chunks as columns, outcomes as short as they can be told.

An object for each recipient would cost either side more than what is done with it.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from tidings.domain.outcome import Accepted, Outcome
from tidings.pipeline.deliver import Chunk, Parcel, Settled

_make = Parcel._make


class Report(NamedTuple):
    """Outcomes: of those who accepted, their subscriptions and the services' own names for it, by chunk."""

    accepted: dict[int, tuple[list[int], list[str]]]
    others: list[tuple[int, int, Outcome]]

    def outcomes(self) -> Iterator[tuple[int, dict[int, Outcome]]]:
        """Give (chunk, outcomes by subscription), a chunk's accepted ones at once."""
        for chunk, (subscriptions, refs) in self.accepted.items():
            if any(refs):
                named = zip(subscriptions, refs, strict=True)
                yield chunk, {subscription: Accepted(ref) if ref else _ACCEPTED for subscription, ref in named}
            else:
                yield chunk, dict.fromkeys(subscriptions, _ACCEPTED)
        for chunk, subscription, outcome in self.others:
            yield chunk, {subscription: outcome}


_ACCEPTED = Accepted()


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
    report = Report({}, [])
    for chunk, subscription, outcome in settled:
        if type(outcome) is Accepted:
            found = report.accepted.get(chunk)
            if found is None:
                found = report.accepted[chunk] = ([], [])
            found[0].append(subscription)
            found[1].append(outcome.ref)
        else:
            report.others.append((chunk, subscription, outcome))
    return pickle.dumps(tuple(report), protocol=pickle.HIGHEST_PROTOCOL)


def report_from(message: bytes | bytearray) -> Report:
    """Unpack outcomes."""
    return Report(*pickle.loads(message))  # noqa: S301 - our own child wrote it
