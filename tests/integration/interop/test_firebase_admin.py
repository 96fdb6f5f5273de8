"""Google's own SDK for servers: it takes every message that we make, and would send the same."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from hypothesis import HealthCheck, given, settings

from support.peers import PEERS, python_with
from support.rendered import messages
from tidings.domain.app import Credential
from tidings.domain.message import Rendered
from tidings.domain.subscription import Address
from tidings.lib.exchange import Request
from tidings.providers import Draft, Envelope
from tidings.providers.fcm.provider import Fcm

CREDENTIAL = Credential(1, 1, 1, "fcm", "0" * 40, b"ya29.token", {"project_id": "my-app", "client_email": "a@b"})
ENVELOPE = Envelope("0123456789abcdef0123456789abcdef", "AAAAbbbbCCCC0123", 3_600)
BODIES = 200


def sent(rendered: Rendered) -> dict[str, Any] | None:
    draft = Fcm().draft(rendered)
    if not isinstance(draft, Draft):
        return None
    request = Fcm().request(draft, Address("abc:def"), ENVELOPE, credential=CREDENTIAL, now=1_798_761_600.0)
    assert isinstance(request, Request)
    body: dict[str, Any] = json.loads(request.body)
    return body


def pruned(value: Any) -> Any:
    """Leave out nulls, empty objects and lists, as the SDK does."""
    if isinstance(value, dict):
        return {name: left for name, one in value.items() if (left := pruned(one)) not in ({}, [], None)}
    return [pruned(one) for one in value] if isinstance(value, list) else value


def test_firebase_admin_encodes_every_message_of_the_model_as_we_do() -> None:
    bodies: list[dict[str, Any]] = []

    @settings(max_examples=BODIES, database=None, suppress_health_check=list(HealthCheck))
    @given(messages)
    def collect(rendered: Rendered) -> None:
        if (body := sent(rendered)) is not None:
            bodies.append(body)

    collect()
    assert len(bodies) > BODIES / 2
    finished = subprocess.run(
        [python_with("firebase-admin==7.7.0"), "-W", "ignore", "firebase_encoder.py"],
        cwd=PEERS,
        input=json.dumps(bodies),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    for ours, theirs in zip(bodies, json.loads(finished.stdout), strict=True):
        # The SDK writes the enum's names in lower case; the discovery document has them in capitals, and both are read.
        theirs["android"]["priority"] = theirs["android"]["priority"].upper()
        if "visibility" in theirs["android"].get("notification", {}):
            theirs["android"]["notification"]["visibility"] = theirs["android"]["notification"]["visibility"].upper()
        assert pruned(ours["message"]) == pruned(theirs)
