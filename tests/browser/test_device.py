"""What may happen to a device in its life, in both browsers: other people, other keys, other vendors, turned off."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.async_api import expect

from support.visitor import SUBSCRIPTION, Visitor, eventually
from tidings.simulator import base64url

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

VENDOR = "/OneSignalSDKWorker.js"


async def test_who_signed_out_gets_nothing_more_on_this_device_and_who_signs_in_does(visitor: Visitor) -> None:
    page = await visitor.enables(user=f"{visitor.user}-first")
    first, second = f"{visitor.user}-first", f"{visitor.user}-second"
    await visitor.sent("For the first", user=first)
    await visitor.sees("For the first")
    await visitor.signs_in(page, None)
    assert (await visitor.sent("Too late", user=first))["audience"] == 0
    await visitor.signs_in(page, second)
    assert (await visitor.sent("Too late", user=first))["audience"] == 0
    assert (await visitor.sent("For the second", user=second))["audience"] == 1
    await visitor.sees("For the second")
    assert visitor.seen("Too late") == []


async def test_a_new_key_is_taken_over_without_a_question(visitor: Visitor) -> None:
    page = await visitor.enables()
    before, held = await visitor.device(page), await visitor.subscription(page)
    await visitor.instance.command("vapid", "rotate")
    page = await visitor.opens()

    async def moved() -> bool:
        known = await page.evaluate(f"{SUBSCRIPTION}.then((s) => s && s.endpoint)")
        return bool(known) and known != held["endpoint"]

    await eventually(moved)
    await expect(page.locator("#state")).to_have_text("registered")
    assert await page.evaluate("window.asked") == 0
    assert (await visitor.device(page))["id"] == before["id"], "the device keeps its row"
    sent = await visitor.sent("With the new key")
    assert sent["audience"] == 1
    await visitor.sees("With the new key")


async def test_another_vendors_worker_is_taken_over_with_its_permission(visitor: Visitor) -> None:
    visitor.place.files[VENDOR] = (
        "text/javascript",
        "addEventListener('push', (e) => e.waitUntil(registration.showNotification('The vendor speaks')));",
    )
    page = await visitor.opens()
    await visitor.browser.grant(visitor.place.origin)
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    key = base64url.encoded(point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
    endpoint = await page.evaluate(
        """async ([worker, key]) => {
          const registration = await navigator.serviceWorker.register(worker);
          while (!registration.active) await new Promise((resolve) => setTimeout(resolve, 50));
          const options = { userVisibleOnly: true, applicationServerKey: key };
          return (await registration.pushManager.subscribe(options)).endpoint;
        }""",
        [VENDOR, key],
    )
    page = await visitor.opens()
    await expect(page.locator("#state")).to_have_text("registered")
    assert await page.evaluate("window.asked") == 0
    assert (await visitor.subscription(page))["endpoint"] != endpoint
    await visitor.signs_in(page, visitor.user)
    sent = await visitor.sent("Ours now")
    await visitor.sees("Ours now")
    await visitor.counted(sent, shown=1)
    assert visitor.seen("The vendor speaks") == []


async def test_turning_off_ends_it(visitor: Visitor) -> None:
    page = await visitor.enables()
    device = await visitor.device(page)
    await page.locator("#disable").click()
    await expect(page.locator("#state")).to_have_text("unregistered")
    stored = await visitor.instance.rest("GET", f"/subscriptions/{device['id']}")
    assert stored["status"] == "unsubscribed"
    assert (await visitor.sent("Nobody hears"))["audience"] == 0
    assert visitor.seen("Nobody hears") == []


async def test_the_same_notification_twice_is_shown_once(visitor: Visitor) -> None:
    page = await visitor.enables()
    to = await visitor.subscription(page)
    twice = {
        "notification": {"title": "Once", "body": "and no more", "tag": "5d41402abc4b2a76b9719d911017c592"},
        "tidings": {"d": "5d41402abc4b2a76b9719d911017c592", "t": "Zm9vYmFyYmF6cXV4"},
    }
    await visitor.receives(to, json.dumps(twice).encode())
    await visitor.sees("Once")
    await visitor.receives(to, json.dumps(twice).encode())
    await visitor.sent("And then another")
    await visitor.sees("And then another")
    assert len([one for one in visitor.seen("Once") if not one.replaces]) == 1


async def test_whatever_comes_something_is_shown(visitor: Visitor) -> None:
    page = await visitor.enables()
    to = await visitor.subscription(page)
    host = visitor.place.origin.removeprefix("http://")
    for number, garbage in enumerate(
        [b"\x00\xff not json", b"[1, 2]", b'{"notification": {"title": 7, "actions": "x"}}']
    ):
        await visitor.receives(to, garbage)
        await visitor.sees(host, times=number + 1)
    await visitor.receives_bytes(to, b"")
    await visitor.sees(host, times=4)
    # What does not even decrypt never reaches the worker, in any browser; what comes after it does.
    await visitor.receives_bytes(to, bytes(120))
    await visitor.sent("After the garbage")
    await visitor.sees("After the garbage")
