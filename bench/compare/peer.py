"""Send with pywebpush: `peer.py JOB COUNT HOW`; waits for its start, prints JSON.

HOW is `shown`, the call that its page shows, or `kept`: with the key read once and one session for all.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import requests
import timed
from py_vapid import Vapid
from pywebpush import webpush


def kept(job: dict[str, Any]) -> dict[str, Any]:
    session = requests.Session()
    session.verify, session.trust_env = job["ca_file"], False
    return {"vapid_private_key": Vapid.from_raw(job["private_key"].encode()), "requests_session": session}


def main() -> None:
    file, count, how = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    job = json.loads(file.read_text())
    subscriptions, data = job["subscriptions"], job["payload"]
    given = kept(job) if how == "kept" else {"vapid_private_key": job["private_key"]}

    def send(number: int) -> int:
        answer = webpush(
            subscriptions[number % len(subscriptions)],
            data,
            vapid_claims={"sub": job["subject"]},
            ttl=3600,
            headers={"Urgency": "normal", "Topic": f"{number:032x}"},
            **given,
        )
        return int(answer.status_code)

    send(0)
    begun = timed.begin()
    timed.end(begun, sum(send(number) == 201 for number in range(count)))


main()
