"""What `tidings doctor` finds of the bus."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from tidings.bus import BusRefused, bus_from
from tidings.cli.checks import Finding, State

PATIENCE = 5.0
"""Seconds within which the server answers."""


async def of_bus(url: str | None) -> list[Finding]:
    """Connect as the server does; nothing where doorbells ring in one process alone."""
    if not url:
        return []
    try:
        bus = bus_from(url)
    except BusRefused as refused:
        return [Finding("Bus", State.FAIL, refused.what, refused.mend)]
    where = urlsplit(url).netloc.rpartition("@")[2]  # without the password
    try:
        async with asyncio.timeout(PATIENCE):
            await bus.connected()
    except TimeoutError:
        mend = (
            "Check TIDINGS_BUS_URL, user and password, and that nats-server runs. Workers look every second meanwhile."
        )
        return [Finding("Bus", State.WARN, f"{where} does not let us in", mend)]
    finally:
        await bus.close()
    return [Finding("Bus", State.OK, f"{where} takes doorbells")]
