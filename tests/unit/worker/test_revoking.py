"""What is said of a send that ends early: whether its shard was lost, or the worker only ends."""

from __future__ import annotations

import asyncio

import pytest

from tidings.domain.campaign import InDoubtPolicy
from tidings.domain.delivery import Shard
from tidings.domain.outcome import Outcome
from tidings.pipeline.deliver import Chunk
from tidings.worker.revoking import Revocable, Revoked


class Pool:
    """Senders that never answer, and end when they are told to."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.answer: asyncio.Future[dict[int, Outcome]] = asyncio.get_running_loop().create_future()

    async def send(self, chunk: Chunk, *, policy: InDoubtPolicy, urgent: bool = False) -> dict[int, Outcome]:
        self.begun.set()
        return await self.answer

    def recall(self, unwanted: frozenset[int]) -> None:
        """Nobody does here."""


CHUNK = Chunk(1, 0.0, (), {}, ())
SHARD = Shard(
    id=1, notification_id=1, app_id=1, n=0, low=1, high=9, retries=(), lease_token=1, attempt=1, cursor=0, chunk_done=0,
    chunk_open=None, policy=InDoubtPolicy.RESEND,
)  # fmt: skip


async def test_a_shard_that_was_lost_is_told_from_senders_that_end() -> None:
    for lost in (True, False):
        pool = Pool()
        sending = Revocable(pool)
        under_way = asyncio.create_task(sending.send(CHUNK, of=SHARD))
        await pool.begun.wait()
        if lost:
            sending.revoke(SHARD)
        else:
            pool.answer.cancel()
        with pytest.raises(Revoked if lost else asyncio.CancelledError):
            await under_way
        assert pool.answer.cancelled()
