"""Send with firebase-admin, by `send_each` as its documentation shows: `fcm_peer.py JOB COUNT`.

Waits for its start and prints JSON.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path

import firebase_admin
import timed
from firebase_admin import credentials, messaging
from google.oauth2.credentials import Credentials

AT_ONCE = 500


class Token(credentials.Base):
    def get_credential(self) -> Credentials:
        return Credentials(token="ya29." + "x" * 200)


def main() -> None:
    file, count = Path(sys.argv[1]), int(sys.argv[2])
    job = json.loads(file.read_text())
    messaging._MessagingService.FCM_URL = job["origin"] + "/v1/projects/{0}/messages:send"
    firebase_admin.initialize_app(Token(), {"projectId": job["project"]})

    def message(number: int) -> messaging.Message:
        return messaging.Message(
            token=f"{number:022d}:APA91b{number:0134d}",
            notification=messaging.Notification(title=job["title"], body=job["body"]),
            data={"tidings_delivery": f"{number:032x}", "tidings_token": "A" * 16, "tidings_url": job["link"]},
            android=messaging.AndroidConfig(priority="normal", ttl=timedelta(hours=1)),
        )

    messaging.send_each([message(0)])
    begun = timed.begin()
    accepted = 0
    for start in range(0, count, AT_ONCE):
        batch = [message(number) for number in range(start, min(start + AT_ONCE, count))]
        accepted += messaging.send_each(batch).success_count
    timed.end(begun, accepted)


main()
