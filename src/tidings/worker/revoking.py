"""Sends that can be taken back: of a shard that was lost to another worker, what has not left is not ours to send."""

from __future__ import annotations

import asyncio

from tidings.domain.delivery import Priority, Shard
from tidings.domain.outcome import Outcome
from tidings.pipeline.deliver import Chunk
from tidings.worker.granting import Pool


class Revoked(Exception):
    """Nobody waits for these outcomes any more, and nobody would store them."""


class Revocable:
    """Sends the chunks of shards, one of each at a time."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._under_way: dict[int, asyncio.Task[dict[int, Outcome]]] = {}
        self._revoked: set[int] = set()

    async def send(self, chunk: Chunk, *, of: Shard) -> dict[int, Outcome]:
        """Send a shard's chunk; give the outcome of each parcel.

        Raises Revoked where that was said meanwhile, and CancelledError where the senders end.
        """
        sending = self._pool.send(chunk, policy=of.policy, urgent=of.priority is Priority.AT_ONCE)
        task = self._under_way[of.id] = asyncio.ensure_future(sending)
        try:
            await asyncio.wait([task])
        finally:
            del self._under_way[of.id]
            revoked = of.id in self._revoked
            self._revoked.discard(of.id)
            task.cancel()
        if revoked:
            raise Revoked
        return task.result()

    def revoke(self, shard: Shard) -> None:
        """Take back what has not left of a shard."""
        if task := self._under_way.get(shard.id):
            self._revoked.add(shard.id)
            task.cancel()
