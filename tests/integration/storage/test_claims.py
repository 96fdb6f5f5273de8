"""Two processes after the same shards: each shard is claimed once, and a zombie stores nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from support.databases import Databases
from support.stored import Given, sent
from tidings.domain.campaign import Counts
from tidings.lib.clock import FixedClock
from tidings.lib.sealed import KeyRing
from tidings.storage.open import open_store

CLAIMING = """
import asyncio, json, sys
from datetime import datetime
from pathlib import Path
from tidings.lib.sealed import KeyRing
from tidings.storage.open import open_store

async def main(url, ring, owner, now, ids):
    store = open_store(database_url=url, folder=Path(), ring=KeyRing.parse(ring))
    moment = datetime.fromisoformat(now)
    print("ready", flush=True)
    sys.stdin.readline()
    claims = await asyncio.gather(*(
        store.write(lambda tx, one=one: tx.shards.claim(one, owner=owner, now=moment, lease=60))
        for one in json.loads(ids)
    ))
    print(json.dumps([claim.id for claim in claims if claim]), flush=True)
    await store.close()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.postgres
async def test_two_processes_never_both_win_a_shard(databases: Databases, clock: FixedClock) -> None:
    ring = KeyRing.generate()
    with databases.migrated() as url:
        store = open_store(database_url=url, folder=Path(), ring=ring)
        given = Given(store, clock.now())
        notification = await given.notification(await given.app())
        ids = [await given.shard(notification, n) for n in range(60)]
        racers = [
            subprocess.Popen(
                [sys.executable, "-c", CLAIMING, url, ring.text(), name, given.now.isoformat(), json.dumps(ids)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for name in ("one", "two")
        ]
        for racer in racers:
            assert racer.stdout is not None
            assert racer.stdout.readline() == "ready\n"
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write("go\n")
            racer.stdin.flush()
        won = [json.loads(racer.communicate(timeout=60)[0]) for racer in racers]
        assert Counter(won[0] + won[1]) == Counter(ids)
        assert await store.read(lambda tx: tx.shards.ready(now=given.now, limit=99)) == []
        await store.close()


@pytest.mark.postgres
async def test_a_zombie_in_another_process_settles_nothing(databases: Databases, clock: FixedClock) -> None:
    ring = KeyRing.generate()
    with databases.migrated() as url:
        stores = [open_store(database_url=url, folder=Path(), ring=ring) for _ in range(2)]
        zombie, heir = (Given(store, clock.now()) for store in stores)
        app = await zombie.app()
        ids = await zombie.devices(app, await zombie.credential(app), 2)
        notification = await zombie.notification(app)
        shard_id = await zombie.shard(notification)
        old = await zombie.claimed(shard_id, lease=60)
        new = await heir.claimed(shard_id, at=heir.later(61))
        assert not await zombie.settle(old, sent(ids[0]))
        assert await heir.settle(new, sent(*ids))
        assert not await zombie.settle(old, sent(ids[1]), chunk=2)
        assert (await heir.look(notification)).counts == Counts(audience=2, sent=2)
        for store in stores:
            await store.close()
