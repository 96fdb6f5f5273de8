"""A worker: the dispatcher, the runners, the sender processes and the periodic duties of one process."""

from __future__ import annotations

import asyncio
import os
import random
import socket
from datetime import datetime
from functools import partial

from tidings.providers import provider
from tidings.storage import Transaction
from tidings.wiring import Container
from tidings.worker.dispatcher import Dispatcher
from tidings.worker.eventing import Eventing
from tidings.worker.feeding import Feeding
from tidings.worker.granting import GrantedPool
from tidings.worker.leases import Leases
from tidings.worker.periodic import BEAT_EVERY, PURGE_EVERY, ROLL_UP_EVERY, again_and_again, beat, purge
from tidings.worker.runner import Runner
from tidings.worker.sender import SenderOptions
from tidings.worker.senders import SenderPool
from tidings.worker.signs import Meters
from tidings.worker.webhooks import Telling

SHARDS_PER_SENDER = 3
"""Shards under way for each sender: enough that it never waits, few enough that pause and fairness bite."""

URGENT_PER_SENDER = 5
"""Shards with a message to a few that are carried besides, so that they wait for no campaign. With those above as many
as a shard of the lowest priority lets pass: so it has its turn however many urgent ones wait."""


class Worker:
    """Delivers what is in the database from `start` to `stop`."""

    def __init__(self, container: Container) -> None:
        settings = container.settings
        self._container = container
        self._id = container.ids.new("wrk")
        meters, owner = Meters(container.metrics), f"{socket.gethostname()}/{os.getpid()}/{self._id}"
        self.pool = SenderPool(
            size=settings.senders,
            meters=meters,
            options=SenderOptions(
                allow_loopback=settings.allow_insecure_endpoints,
                insecure=settings.allow_insecure_endpoints,
                connect_to=container.push_host_map,
            ),
        )
        self._runner = Runner(
            meters=meters,
            store=container.store,
            clock=container.clock,
            pool=GrantedPool(self.pool, container.phones.grants),
            deliveries=container.deliveries,
            provider=provider,
            chance=random.random,  # jitter, not a secret
            owner=owner,
        )
        self._eventing = Eventing(
            store=container.store,
            bus=container.bus,
            clock=container.clock,
            ids=container.ids,
            tripwire=container.automation.tripwire,
            owner=owner,
        )
        self._telling = Telling(
            store=container.store,
            clock=container.clock,
            ids=container.ids,
            delivery=container.automation.telling,
            metrics=container.metrics,
        )
        self._feeding = Feeding(store=container.store, bus=container.bus, clock=container.clock)
        self._dispatcher = Dispatcher(
            flow=container.flow,
            store=container.store,
            bus=container.bus,
            clock=container.clock,
            run_shard=self._runner.run,
            heed=self._runner.heed,
            window=settings.senders * SHARDS_PER_SENDER,
            reserve=settings.senders * URGENT_PER_SENDER,
            leases=Leases(owner) if settings.database_url is not None else None,
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start everything; returns at once."""
        container = self._container
        if container.settings.database_url is None:
            # One process has a SQLite folder to itself: who held these leases is dead, so nobody waits for them.
            now = container.clock.now()
            await container.store.write(partial(_free, now=now))
        await self.pool.start()
        self._tasks = [
            asyncio.create_task(self._dispatcher.run()),
            asyncio.create_task(
                beat(
                    container.store,
                    container.clock,
                    worker_id=self._id,
                    senders=container.settings.senders,
                    counted=self.pool.share_with,
                )
            ),
            asyncio.create_task(self._eventing.run()),
            asyncio.create_task(self._telling.run()),
            asyncio.create_task(self._feeding.run()),
            *self._duties(),
        ]

    def _duties(self) -> list[asyncio.Task[None]]:
        container = self._container
        duties = (
            ("tidy", container.flow.tidy, BEAT_EVERY),
            ("purge", partial(purge, container.store, container.clock), PURGE_EVERY),
            ("roll_up", container.stats.roll_up, ROLL_UP_EVERY),
            ("erase", container.erasure.go_on, ROLL_UP_EVERY),
            ("retention", container.retention.run, PURGE_EVERY),
            ("webhooks", self._telling.tidy, PURGE_EVERY),
        )
        return [
            asyncio.create_task(again_and_again(duty, name=name, seconds=seconds)) for name, duty, seconds in duties
        ]

    async def stop(self) -> None:
        """Finish the chunks in hand and stop; the rest waits in the database for the next worker."""
        self._runner.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.pool.close()


def _free(tx: Transaction, *, now: datetime) -> None:
    tx.shards.free_leases(now=now)
    tx.lanes.free(now=now)
    tx.webhook_messages.free(now=now)
