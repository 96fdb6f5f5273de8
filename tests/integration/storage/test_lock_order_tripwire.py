"""PostgreSQL's locks at the tripwire: who stores several notifications at once does not wait for who waits for him."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from support.between import Between
from support.databases import Databases
from support.stored import Given
from tidings.domain.audience import Users
from tidings.domain.campaign import NewNotification
from tidings.domain.message import Message
from tidings.domain.safety import TripLimits
from tidings.lib.clock import FixedClock
from tidings.lib.sealed import KeyRing
from tidings.pipeline.flow import Frozen
from tidings.services.tripwire import Terms, Tripwire
from tidings.storage import Store, Transaction, postgres_store
from tidings.storage.open import open_store

pytestmark = pytest.mark.postgres


@pytest.fixture
async def store(databases: Databases, ring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    """A store that tries nothing again: a deadlock is an error."""
    monkeypatch.setattr(postgres_store, "MOST_TRIES", 1)
    with databases.migrated() as url:
        made = open_store(database_url=url, folder=Path(), ring=ring)
        yield made
        await made.close()


async def test_a_trigger_that_sends_twice_beside_a_request_near_the_limit(store: Store, clock: FixedClock) -> None:
    app = await Given(store, clock.now()).app()
    wire = Tripwire(TripLimits(recipients=1_000, repeat=timedelta()))
    gate = wire.gate(NewNotification(app.id, Message(title="Tide"), Users(("anna",))), Terms(), now=clock.now())
    between = Between(store)
    small_one_stored = between.after(gate)

    def twice(tx: Transaction) -> None:
        small_one_stored(tx, Frozen(1, 1))
        gate(tx, Frozen(500, 500))

    done = await between.both(store.write(twice), store.write(lambda tx: gate(tx, Frozen(500, 500))))
    assert done == (None, None)
