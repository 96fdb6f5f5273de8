"""Whoever reports what happened waits for no push service, not even for one that never answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

import httpx2
import pytest
from tests.integration.web.instance import OPERATOR, client_of

from support.campaign import app_with_subscribers, working
from tidings import wiring
from tidings.settings import Settings
from tidings.simulator.answers import Answer, Stall
from tidings.simulator.faults import Fault, FaultKind
from tidings.simulator.flavours import Flavour
from tidings.simulator.run import Running
from tidings.web.app import create_app
from tidings.wiring import Container

DEVICES = 50
EVENTS = 200
WAITED_FOR = 20
"""Seconds after which a sender gives up on a push service: whoever waits for one waits as long."""

TRIGGER = {
    "name": "Tell everybody",
    "event_type": "message.posted",
    "audience": {"everyone": True},
    "template": {"title": "{{ n }}"},
}


@dataclass(frozen=True, slots=True)
class Never(Fault):
    """A push service that takes a message and never answers."""

    asked: list[str] = field(default_factory=list)

    def answer(self, flavour: Flavour) -> Answer:
        self.asked.append(flavour.name)
        return Stall()


@pytest.fixture
async def container(tmp_path: Path) -> AsyncIterator[Container]:
    settings = Settings(
        data=tmp_path / "data",
        public_url="https://push.example.com",
        senders=1,
        allow_insecure_endpoints=True,
        tripwire_recipients=0,
    )
    async with wiring.opened(settings) as opened:
        yield opened


async def test_an_event_is_taken_at_once_while_a_push_service_hangs(container: Container, simulator: Running) -> None:
    never = Never(FaultKind.SLOW, tries=1_000)
    await app_with_subscribers(container, simulator, DEVICES, faults=((never, 1.0),))
    api = client_of(create_app(container, operator_token=OPERATOR), Authorization=f"Bearer {OPERATOR}")
    async with api, working(container):
        kind = {"name": "Posted", "variables": {"properties": {"n": {"type": "integer"}}}}
        assert (await api.put("/api/v1/event-types/message.posted", json=kind)).status_code == 201
        assert (await api.post("/api/v1/triggers", json=TRIGGER)).status_code == 201
        await reported(api, 0)
        async with asyncio.timeout(60):
            while len(never.asked) < DEVICES:
                await api.get("/api/v1/notifications")
        took = [await reported(api, n) for n in range(1, EVENTS + 1)]
        shown = (await api.get("/api/v1/notifications", params={"limit": 200})).json()["data"]
        assert {one["counts"]["sent"] for one in shown} == {0}
        print(f"p50 {quantiles(took, n=100)[49] * 1e3:.1f} ms, p99 {quantiles(took, n=100)[98] * 1e3:.1f} ms")
        assert quantiles(took, n=100)[98] < WAITED_FOR / 4


async def reported(api: httpx2.AsyncClient, n: int) -> float:
    """Report an event; give how many seconds that took."""
    begun = time.perf_counter()
    answer = await api.post("/api/v1/events", json={"type": "message.posted", "data": {"n": n}})
    took = time.perf_counter() - begun
    assert answer.status_code == 202, answer.text
    return took
