"""What every bus keeps to; a new bus is one more parameter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from support.nats import NatsServer
from tidings.bus import REGISTRY, Bell, Bus, BusRefused, Doorbell, bus_from


@pytest.fixture(params=["local", "nats", "nats that is not there"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    url = None
    if request.param != "local":
        server: NatsServer = request.getfixturevalue("nats")
        url = server.url
        if "not there" in request.param:
            server.kill()
    made = bus_from(url)
    yield made
    await made.close()


def test_every_bus_is_tested() -> None:
    assert REGISTRY.keys() == {"local", "nats", "tls"}, "tls is nats over TLS"


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

    async def test_it_says_when_doorbells_reach_everybody(self, bus: Bus, request: pytest.FixtureRequest) -> None:
        if "not there" in request.node.callspec.params["bus"]:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(bus.connected(), 0.5)
        else:
            await asyncio.wait_for(bus.connected(), 30)

    async def test_closing_ends_all_listeners(self, bus: Bus) -> None:
        listener = bus.listen()
        await bus.close()
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(anext(listener), 30)


def test_an_unknown_bus_is_refused_with_the_names_of_those_there_are() -> None:
    with pytest.raises(BusRefused, match="local, nats, tls"):
        bus_from("carrier-pigeon://loft")
