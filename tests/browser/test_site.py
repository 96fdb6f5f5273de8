"""The sample site as it is: accessible in every state of the banner, and under a policy without `unsafe`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.async_api import expect

from support.axe import serious
from support.browsers import Chromium
from support.place import Place
from support.visitor import Visitor, explained
from tidings.simulator import base64url

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

KEY = base64url.encoded(
    ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
)


@pytest.mark.node
@pytest.mark.parametrize("browser", [Chromium], indirect=True, ids=["chromium"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious_with_the_banner_and_its_panels_open(
    visitor: Visitor, blocked: Place, scheme: Any
) -> None:
    page = await visitor.opens()
    await page.emulate_media(color_scheme=scheme)
    await page.reload()
    banner = page.get_by_role("region", name="Notifications")
    await banner.wait_for()
    assert await serious(page) == []
    denied = await visitor.browser.context.new_page()
    await denied.emulate_media(color_scheme=scheme)
    await denied.goto(blocked.origin)
    await expect(await explained(denied)).to_contain_text("blocked")
    assert await serious(denied) == []


async def test_the_policy_allows_nothing_unsafe(visitor: Visitor) -> None:
    page = await visitor.opens()
    await page.get_by_role("region", name="Notifications").wait_for()
    assert visitor.place.policies
    assert not [policy for policy in visitor.place.policies if "unsafe" in policy or "*" in policy]
    assert await page.evaluate("window.violations") == []


@pytest.mark.parametrize("browser", [Chromium], indirect=True, ids=["chromium"])
async def test_the_simulators_page_shows_what_arrived_and_why_something_was_refused(visitor: Visitor) -> None:
    made = await visitor.control("/subscribers", {"count": 1, "vapid_key": KEY, "seed": visitor.user})
    [to] = made["subscriptions"]
    message: dict[str, Any] = {"notification": {"title": "For the page", "body": "with a button"}}
    message |= {"tidings": {"a": [{"id": "yes", "title": "Yes, please"}]}}
    await visitor.receives(to, json.dumps(message).encode())
    token = to["endpoint"].rpartition("/")[2]

    page = await visitor.browser.context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    await page.goto(f"http://127.0.0.1:{visitor.instance.simulator['control']}/")
    await page.get_by_role("searchbox").fill(token[:8])
    shown = page.locator("#messages > li:visible")
    await expect(shown).to_have_count(1)
    await expect(shown).to_contain_text("For the page")
    await expect(shown.get_by_role("list", name="Buttons")).to_contain_text("Yes, please")
    await expect(shown).to_contain_text("decrypted")
    await visitor.pushes_unsigned(to["endpoint"])
    await expect(page.locator("#refusals")).to_contain_text("Missing Authorization Header")
    assert await serious(page) == []
    assert complaints == []
