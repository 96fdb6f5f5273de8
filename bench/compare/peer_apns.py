"""Send with aioapns, as its page shows it, a hundred at a time: `peer_apns.py JOB COUNT`.

Waits for its start and prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from pathlib import Path
from typing import Any

import aioapns
import timed
from aioapns.connection import APNsDevelopmentClientProtocol

AT_ONCE = 100


async def main(job: dict[str, Any], count: int) -> None:
    APNsDevelopmentClientProtocol.APNS_SERVER = "localhost"
    APNsDevelopmentClientProtocol.APNS_PORT = job["port"]
    context = ssl.create_default_context(cafile=job["ca_file"])
    context.set_alpn_protocols(["h2"])  # which it leaves out where it is handed a context
    client = aioapns.APNs(
        key=job["key"],
        key_id=job["key_id"],
        team_id=job["team_id"],
        topic=job["topic"],
        use_sandbox=True,
        ssl_context=context,
    )
    numbers = iter(range(count))

    async def send(number: int) -> bool:
        request = aioapns.NotificationRequest(
            device_token=f"{number:064x}",
            message={"aps": {"alert": job["alert"], "sound": "default"}},
            time_to_live=3600,
            push_type=aioapns.PushType.ALERT,
            collapse_key=f"{number:032x}",
        )
        return bool((await client.send_notification(request)).is_successful)

    async def worker() -> int:
        return sum([await send(number) for number in numbers])

    await send(0)
    begun = timed.begin()
    timed.end(begun, sum(await asyncio.gather(*(worker() for _ in range(AT_ONCE)))))


asyncio.run(main(json.loads(Path(sys.argv[1]).read_text()), int(sys.argv[2])))
