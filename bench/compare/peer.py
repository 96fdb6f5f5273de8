"""Send with pywebpush, as its page shows it, over one session: `peer.py SUBSCRIPTIONS COUNT`; prints JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import requests
from py_vapid import Vapid
from pywebpush import webpush


def main() -> None:
    file, count = Path(sys.argv[1]), int(sys.argv[2])
    job = json.loads(file.read_text())
    subscriptions, data = job["subscriptions"], job["payload"]
    vapid = Vapid.from_raw(job["private_key"].encode())
    session = requests.Session()
    session.verify, session.trust_env = job["ca_file"], False

    def send(number: int) -> int:
        answer = webpush(
            subscriptions[number % len(subscriptions)],
            data,
            vapid_private_key=vapid,
            vapid_claims={"sub": job["subject"]},
            ttl=3600,
            headers={"Urgency": "normal", "Topic": f"{number:032x}"},
            requests_session=session,
        )
        return int(answer.status_code)

    send(0)
    cpu, wall = time.process_time(), time.perf_counter()
    accepted = sum(send(number) == 201 for number in range(count))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(json.dumps({"accepted": accepted, "cpu": cpu / count * 1e6, "rate": count / wall}))


main()
