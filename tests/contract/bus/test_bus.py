"""What every bus keeps to; a new bus is one more parameter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tidings.bus import REGISTRY, Bell, Bus, Doorbell, bus_from


@pytest.fixture(params=sorted(REGISTRY))
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    made = bus_from(None if request.param == "local" else f"{request.param}://127.0.0.1")
    yield made
    await made.close()


class TestBus:
    async def test_every_listener_hears_every_bell_in_order(self, bus: Bus) -> None:
        listeners = [bus.listen(), bus.listen()]
        for number in range(3):
            await bus.ring(Doorbell(Bell.WORK, number))
        for listener in listeners:
            heard = [await asyncio.wait_for(anext(listener), 30) for _ in range(3)]
            assert heard == [Doorbell(Bell.WORK, number) for number in range(3)]

    async def test_ringing_without_listeners_does_not_wait(self, bus: Bus) -> None:
        await asyncio.wait_for(bus.ring(Doorbell(Bell.CONTROL, 1)), 30)

    async def test_a_listener_that_does_not_listen_holds_up_nobody(self, bus: Bus) -> None:
        bus.listen()
        listening = bus.listen()
        for number in range(5_000):
            await bus.ring(Doorbell(Bell.WORK, number))
        assert await asyncio.wait_for(anext(listening), 30) == Doorbell(Bell.WORK, 0)

    async def test_closing_ends_all_listeners(self, bus: Bus) -> None:
        listener = bus.listen()
        await bus.close()
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(anext(listener), 30)


def test_an_unknown_bus_is_refused_with_the_names_of_those_there_are() -> None:
    with pytest.raises(ValueError, match="local"):
        bus_from("carrier-pigeon://loft")
