"""PostgreSQL's locks at the tripwire: who stores several notifications at once does not wait for who waits for him."""

from __future__ import annotations

from datetime import timedelta

import pytest

from support.between import Between
from support.stored import Given
from tidings.domain.audience import Users
from tidings.domain.campaign import NewNotification
from tidings.domain.message import Message
from tidings.domain.safety import TripLimits
from tidings.lib.clock import FixedClock
from tidings.pipeline.flow import Frozen
from tidings.services.tripwire import Terms, Tripwire
from tidings.storage import Store, Transaction

pytestmark = pytest.mark.postgres


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
