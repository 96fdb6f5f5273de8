"""A whole campaign against the simulator: messages a second, and the CPU of our own processes for each message."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from tidings import wiring
from tidings.domain.audience import Everyone
from tidings.domain.campaign import NewNotification, NotificationStatus
from tidings.domain.message import Message
from tidings.domain.subscription import NewSubscription
from tidings.providers import provider
from tidings.settings import Settings
from tidings.wiring import Container
from tidings.worker.run import Worker

TICKS = 100
"""Clock ticks a second in /proc/PID/stat, on every Linux there is."""


def cpu_seconds(pids: list[int]) -> float:
    """Add up user and system time of processes."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


async def measure_campaign(*, subscribers: int) -> dict[str, Any]:
    """Send one campaign; give its rate and CPU microseconds a message (our processes, not the simulator's)."""
    with tempfile.TemporaryDirectory() as folder:
        simulator = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tidings.simulator",
            "--folder",
            folder,
            "--decrypt",
            "0",
            stdout=asyncio.subprocess.PIPE,
        )
        assert simulator.stdout is not None
        try:
            ready = json.loads(await simulator.stdout.readline())
            settings = Settings(data=Path(folder) / "data", allow_insecure_endpoints=True)
            async with wiring.opened(settings) as container:
                return await _campaign(container, ready["control"], subscribers)
        finally:
            simulator.terminate()
            await simulator.wait()


async def _campaign(container: Container, control: str, subscribers: int) -> dict[str, Any]:
    app = await container.apps.ensure_first()
    change = await container.credentials.generate(app.id, "webpush", settings={"subject": "mailto:ops@example.com"})
    made = await asyncio.to_thread(_subscribers, control, subscribers, change.credential.fingerprint)
    webpush = provider("webpush")
    rows = []
    for one in made:
        address, origin = webpush.address_from(one, policy=container.policy)
        new = NewSubscription(
            app_id=app.id, provider="webpush", address=address, origin=origin, credential_id=change.credential.id
        )
        rows.append((new, container.ids.new("sub"), b"\0" * 32))
    await container.store.write(lambda tx: tx.subscriptions.add_many(rows, now=container.clock.now()))
    worker = Worker(container)
    await worker.start()
    try:
        await asyncio.sleep(2)  # the senders load their modules
        before, main_before, begun = cpu_seconds(worker.pool.pids), time.process_time(), time.perf_counter()
        accepted = await container.flow.accept(
            NewNotification(
                app_id=app.id,
                message=Message(title="Hello", body="World of notifications", url="https://example.com/x"),
                audience=Everyone(),
            )
        )
        status = accepted.notification.status
        while status is not NotificationStatus.DONE:
            await asyncio.sleep(0.05)
            found = await container.store.read(lambda tx: tx.notifications.by_id(accepted.notification.id))
            assert found is not None
            status = found.status
        seconds = time.perf_counter() - begun
        senders, main = cpu_seconds(worker.pool.pids) - before, time.process_time() - main_before
    finally:
        await worker.stop()
    return {
        "subscribers": subscribers,
        "rate": subscribers / seconds,
        "cpu": {
            "whole way, senders": senders / subscribers * 1e6,
            "whole way, main process": main / subscribers * 1e6,
            "whole way": (senders + main) / subscribers * 1e6,
        },
    }


def _subscribers(control: str, count: int, public_key: str) -> list[dict[str, Any]]:
    assert base64.urlsafe_b64decode(public_key + "=")
    body = json.dumps({"count": count, "vapid_key": public_key}).encode()
    with urlopen(Request(f"{control}/subscribers", data=body, headers={"content-type": "application/json"})) as answer:
        return list(json.loads(answer.read())["subscriptions"])
