"""Where the demo leads messages to apps, and what it leaves to the real services."""

from __future__ import annotations

import pytest

from tidings.cli.demo import Simulator
from tidings.cli.demo_phones import PHONES
from tidings.lib.detours import Detours
from tidings.lib.transfer import target_at

PUSH, APPLE, SANDBOX = (f"https://localhost:{port}" for port in (40001, 40007, 40008))


@pytest.fixture
def detours() -> Detours:
    simulator = Simulator(
        push=PUSH,
        autopush="ws://127.0.0.1:40002/",
        control="http://127.0.0.1:40003",
        site="http://localhost:40004",
        gcm="http://127.0.0.1:40005",
        mcs="https://localhost:40006",
        apns=APPLE,
        apns_sandbox=SANDBOX,
        chromium=[],
        ca="ca.pem",
    )
    assert simulator.subscribers > PHONES
    return Detours(dict(entry.split("=", 1) for entry in simulator.host_map()))


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://fcm.googleapis.com/v1/projects/harbour-demo/messages:send", "127.0.0.1:40001"),
        ("https://oauth2.googleapis.com/token", "127.0.0.1:40001"),
        ("https://api.push.apple.com/3/device/ab", "127.0.0.1:40007"),
        ("https://api.sandbox.push.apple.com/3/device/ab", "127.0.0.1:40008"),
        ("https://api-manage-broadcast.push.apple.com/1/apps/com.example/channels", "127.0.0.1:40007"),
        ("https://jmt17.google.com/fcm/send/abc", "127.0.0.1:40001"),
        ("https://fcm.googleapis.com/fcm/send/abc", None),
        ("https://fcm.googleapis.com/wp/abc", None),
        ("https://web.push.apple.com/QGg", None),
        ("https://updates.push.services.mozilla.com/wpush/v2/abc", None),
    ],
)
def test_what_goes_to_apps_comes_to_the_simulator_and_what_goes_to_real_browsers_does_not(
    detours: Detours, url: str, place: str | None
) -> None:
    target = target_at(url)
    assert target is not None
    assert detours.of(target.origin.host, target.path) == place
