"""The runner: carries one shard, chunk by chunk, from its claim to its end."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from tidings.domain.campaign import InDoubtPolicy, Notification
from tidings.domain.delivery import Shard
from tidings.domain.outcome import Accepted, Outcome
from tidings.lib import tracing
from tidings.lib.clock import Clock
from tidings.lib.log import Logger
from tidings.lib.opaque import OpaquePairs
from tidings.lib.tracing import Step
from tidings.pipeline.settle import Pair, Verdicts, expired
from tidings.providers import Provider
from tidings.services.sorting import pair_of
from tidings.storage import Store, StoreUnavailable, T, Transaction
from tidings.worker.drafts import Drafts
from tidings.worker.granting import Pool
from tidings.worker.judging import judged, next_look, parted, settlement_of, tried_of
from tidings.worker.load import Batch, doubtful, goes_on, in_doubt, inherited, opened, place_of, ran_out, rest, unwanted
from tidings.worker.packing import packed
from tidings.worker.revoking import Revocable, Revoked
from tidings.worker.signs import Event, Meters

LEASE = 60.0
"""Seconds a shard is held without a sign of life; renewed three times as often."""

KEPT = 1_800.0
LONGEST_PAUSE = 5.0
"""Seconds for which outcomes are kept that the database does not take, and between two tries."""

MOST_CLAIMS = 20
"""Claims of a shard without a step forward before it is given up as dead."""

MOST_STUMBLES = 10
"""Claims, one in each `LEASE`, of a shard that cannot even be read: workers may be updated meanwhile and read it."""

PROOF = timedelta(days=1)
"""How long an origin's acceptance of a key speaks for the key."""

log = Logger(__name__)


class Runner:
    """Carries shards; several of its `run` calls go on at once."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        pool: Pool,
        deliveries: OpaquePairs,
        provider: Callable[[str], Provider],
        chance: Callable[[], float],
        owner: str,
        meters: Meters,
    ) -> None:
        self._store = store
        self._clock = clock
        self._pool = pool
        self._deliveries = deliveries
        self._provider = provider
        self._chance = chance
        self._owner = owner
        self._meters = meters
        self._stopping = False
        self._in_hand: Counter[int] = Counter()
        self._drafts: dict[int, Drafts] = {}
        self._heeded = 0
        self._sending = Revocable(pool)

    def stop(self) -> None:
        """Finish the chunks that are being sent, settle them and give their shards back."""
        self._stopping = True

    async def run(self, shard_id: int) -> bool:
        """Claim and carry a shard; False when there was nothing to claim."""
        asked, heeded = time.time_ns(), self._heeded
        try:
            begun = await self._store.write(partial(self._begin, shard_id=shard_id, now=self._clock.now()))
        except StoreUnavailable:
            raise
        except Exception as odd:
            # It cannot even be read: were it not put aside, it would be looked at again all the time.
            await self._store.write(partial(self._stumble, shard_id=shard_id, fault=_named(odd), now=self._clock.now()))
            raise
        if begun is None:
            return False
        shard, batch = begun
        if batch is not None:
            with tracing.span(Step.CLAIM, of=batch.of, begun=asked, shard=shard.id, attempt=shard.attempt):
                pass  # whose it is was not known before
        self._in_hand[shard.notification_id] += 1
        renewing = asyncio.create_task(self._renew(shard))
        try:
            if self._heeded != heeded:
                with suppress(StoreUnavailable):  # who looked meanwhile did not know that this one was in hand
                    await self.heed()
            await self._carry(shard, batch)
        except StoreUnavailable:
            raise
        except Revoked:
            log.warning(Event.LEASE_LOST, shard=shard.id)
        except Exception as fault:
            name = _named(fault)
            with suppress(StoreUnavailable):
                await self._store.write(lambda tx: tx.shards.note_fault(shard.id, shard.lease_token, name))
            raise
        finally:
            renewing.cancel()
            self._in_hand -= Counter([shard.notification_id])
            if shard.notification_id not in self._in_hand:
                self._drafts.pop(shard.notification_id, None)
            with suppress(asyncio.CancelledError):
                await renewing
        return True

    async def heed(self) -> None:
        """Take back what has not left yet of notifications that were paused or cancelled."""
        self._heeded += 1
        ids = frozenset(self._in_hand)
        self._pool.recall(await self._store.read(partial(unwanted, ids=ids)) if ids else ids)

    def _begin(self, tx: Transaction, *, shard_id: int, now: datetime) -> tuple[Shard, Batch | None] | None:
        shard = tx.shards.claim(shard_id, owner=self._owner, now=now, lease=LEASE)
        if shard is None:
            return None
        if shard.attempt > MOST_CLAIMS:
            # Whoever carries it dies in the same place again and again: it must not take the others along.
            tx.shards.bury(shard.id, shard.lease_token, because="worker_died", now=now)
            tx.notifications.finish_if_settled(shard.notification_id, now=now)
            log.error(Event.SHARD_BURIED, shard=shard.id, chunk=shard.chunk_open)
            return None
        if _in_doubt(shard) and shard.chunk_high is not None:
            return shard, doubtful(tx, shard, high=shard.chunk_high)
        return shard, inherited(opened(tx, shard, cursor=shard.cursor, number=shard.chunk_done + 1, now=now), shard)

    def _stumble(self, tx: Transaction, *, shard_id: int, fault: str, now: datetime) -> None:
        ended = tx.shards.stumble(shard_id, owner=self._owner, fault=fault, now=now, lease=LEASE, most=MOST_STUMBLES)
        if ended is not None:
            tx.notifications.finish_if_settled(ended, now=now)
            log.error(Event.SHARD_BURIED, shard=shard_id)

    async def _carry(self, shard: Shard, batch: Batch | None) -> None:
        skipped = _in_doubt(shard)
        cursor = shard.cursor
        while batch is not None:
            if batch.waits and not skipped and not ran_out(batch, now=self._clock.now()):
                await self._wait(shard, batch)
                return
            with tracing.span(Step.CHUNK, of=batch.of, shard=shard.id, chunk=batch.number, recipients=len(batch.tries)):
                verdicts = Verdicts(deliveries=in_doubt(batch.tries)) if skipped else await self._try(batch, shard)
                skipped, cursor = False, batch.cursor
                settled, batch = await self._settle(shard, batch, verdicts)
            if not settled:
                return
        await self._end(shard, cursor)

    async def _try(self, batch: Batch, shard: Shard) -> Verdicts:
        """Send a batch and decide what follows from each outcome."""
        now = self._clock.now()
        if ran_out(batch, now=now):
            return Verdicts(deliveries=expired(batch.tries))
        outcomes = await self._send(batch, shard)
        now = self._clock.now()
        accepted, others = parted(batch, outcomes)
        self._meters.count_accepted(map(place_of, accepted))
        self._meters.count((one.provider, one.origin, outcome) for one, outcome in others)
        tried, working = tried_of(batch, others), set(map(pair_of, accepted))
        working |= await self._proven({one.pair for one in tried if one.needs_proof} - working, now)
        return judged(batch, outcomes, tried=tried, working=working, now=now, chance=self._chance)

    async def _proven(self, refused: set[Pair], now: datetime) -> set[Pair]:
        """Keep the pairs that lately worked for others: anybody can register one address that answers oddly."""
        if not refused:
            return refused
        since = now - PROOF
        try:
            return await self._store.read(
                lambda tx: {pair for pair in refused if tx.subscriptions.reached_since(*pair, since=since)}
            )
        except StoreUnavailable:
            return refused  # nothing is paused that we know nothing of; the next try asks again

    async def _send(self, batch: Batch, shard: Shard) -> dict[int, Outcome]:
        chunk, outcomes = packed(batch, self._drafts_of(batch.notification), deliveries=self._deliveries)
        if not shard.retries and not any(batch.tries.values()):
            waited = (self._clock.now() - batch.notification.send_at).total_seconds()
            self._meters.wait_seconds.labels(shard.priority.name.lower()).observe(max(0.0, waited))
        begun = time.monotonic()
        with tracing.span(Step.SEND, of=batch.of, recipients=len(chunk.parcels)) as span:
            outcomes |= await self._sending.send(chunk, of=shard)
            if span is not None:
                span.tell(accepted=sum(isinstance(one, Accepted) for one in outcomes.values()))
        self._meters.chunk_seconds.observe(time.monotonic() - begun)
        return batch.known(outcomes)

    def _drafts_of(self, notification: Notification) -> Drafts:
        """Compose what its recipients share once for all shards that are in hand."""
        if notification.id not in self._drafts:
            self._drafts[notification.id] = Drafts(notification.message, self._provider)
        return self._drafts[notification.id]

    async def _settle(self, shard: Shard, batch: Batch, verdicts: Verdicts) -> tuple[bool, Batch | None]:
        """Store a batch's verdicts and load the next batch in one transaction; (False, None) if the lease is lost."""
        now, settlement = self._clock.now(), settlement_of(shard, batch, verdicts)

        def store(tx: Transaction, *, alone: bool = False) -> tuple[bool, Batch | None]:
            if not tx.shards.settle(settlement, now=now):
                return False, None
            for (credential_id, origin), reason in verdicts.misconfigured.items():
                tx.credentials.pause(credential_id, origin, reason=reason, now=now)
                log.warning(Event.INTEGRATION_PAUSED, credential=credential_id, origin=origin, reason=reason)
            if self._stopping or alone:
                return True, None
            return True, opened(tx, shard, cursor=batch.cursor, number=batch.number + 1, now=now, of=batch.notification)

        begun = time.monotonic()
        with tracing.span(Step.SETTLE, of=batch.of):
            try:
                stored = await self._persistently(store)
            except StoreUnavailable:
                raise
            except Exception:
                # What comes next cannot be read, say. What was sent must not be lost for that, nor sent again.
                await self._persistently(partial(store, alone=True))
                raise
        self._meters.settle_seconds.observe(time.monotonic() - begun)
        return stored

    async def _persistently(self, work: Callable[[Transaction], T]) -> T:
        """Write what must not be lost: what was sent is known only here. After the lease, too: the token guards it."""
        pauses = 0.0
        while True:
            try:
                return await self._store.write(work)
            except StoreUnavailable:
                if pauses >= KEPT:
                    raise
            await asyncio.sleep(pause := min(LONGEST_PAUSE, max(0.1, pauses)))
            pauses += pause

    async def _wait(self, shard: Shard, batch: Batch) -> None:
        """Give the shard back until the next look at a paused integration: one row waits, not a new one each time."""
        now = self._clock.now()
        await self._persistently(partial(rest, shard=shard, until=next_look(batch, now), now=now))

    async def _end(self, shard: Shard, cursor: int) -> None:
        """Finish the shard, or give it back when its notification was paused, this worker stops or somebody is left."""
        now = self._clock.now()

        def end(tx: Transaction) -> None:
            tx.shards.wait_for_owner(shard.id)  # so that what `goes_on` reads of it holds to the end
            if self._stopping or goes_on(tx, shard, cursor, now=now):
                tx.shards.release(shard.id, shard.lease_token)
            else:
                tx.shards.finish(shard.id, shard.lease_token)
            # After a release too: if the notification was cancelled, nobody else completes its counters.
            tx.notifications.finish_if_settled(shard.notification_id, now=now)

        await self._persistently(end)

    async def _renew(self, shard: Shard) -> None:
        pause = LEASE / 3
        while True:
            await asyncio.sleep(pause)
            now = self._clock.now()
            try:
                if not await self._store.write(partial(_renewed, shard=shard, now=now)):
                    self._sending.revoke(shard)
            except StoreUnavailable:
                pause = LEASE / 12  # soon: once the database is back, others wait only so long for a sign of us
            else:
                pause = LEASE / 3


def _in_doubt(shard: Shard) -> bool:
    return shard.chunk_open is not None and shard.policy is InDoubtPolicy.SKIP


def _named(fault: Exception) -> str:
    """Name a fault for people; its text stays in the log, as it may quote what is nobody's business."""
    return f"fault:{type(fault).__name__}"


def _renewed(tx: Transaction, *, shard: Shard, now: datetime) -> bool:
    return tx.shards.renew(shard.id, shard.lease_token, now=now, lease=LEASE)
