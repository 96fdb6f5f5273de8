"""VAPID keys over REST: generated once, rotated, imported, replaced after a leak."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest
from tests.integration.web.instance import problem, push_subscription
from tests.support.vapid import new_keys

KEYS = "/api/v1/integrations/webpush/keys"


async def subscribe(browser: httpx2.AsyncClient, key: str) -> None:
    answer = await browser.post("/push/subscribe", json={"subscription": push_subscription(), "vapid_key": key})
    assert answer.status_code == 201


async def integration(api: httpx2.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await api.get("/api/v1/integrations")).json()["data"][0]
    return found


async def test_before_there_is_a_key_the_integration_is_shown_as_missing(api: httpx2.AsyncClient) -> None:
    found = await integration(api)
    assert (found["provider"], found["configured"], found["keys"]) == ("webpush", False, [])


async def test_generating_twice_shows_the_key_that_is_there(api: httpx2.AsyncClient, vapid_key: str) -> None:
    answer = await api.post(KEYS, json={"action": "generate"})
    assert answer.status_code == 200
    assert answer.json()["public_key"] == vapid_key
    assert len(vapid_key) == 87
    assert "private" not in answer.text


async def test_of_two_first_calls_at_once_both_show_the_same_key(api: httpx2.AsyncClient) -> None:
    body = {"action": "generate", "subject": "mailto:ops@example.com"}
    answers = await asyncio.gather(*(api.post(KEYS, json=body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.json()["public_key"] for answer in answers}) == 1
    assert len((await integration(api))["keys"]) == 1


async def test_a_contact_that_apple_refuses_is_refused(api: httpx2.AsyncClient) -> None:
    for subject in ("mailto:me@localhost", "nobody", "ftp://example.com"):
        problem(await api.post(KEYS, json={"action": "generate", "subject": subject}), 422, "contact_invalid")
    assert (await integration(api))["keys"] == []


async def test_rotation_loses_nobody(api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str) -> None:
    await subscribe(browser, vapid_key)
    rotated = await api.post(KEYS, json={"action": "rotate"})
    assert (rotated.status_code, rotated.json()["invalidated"]) == (201, 0)
    fresh = rotated.json()["public_key"]
    assert (await browser.get("/push/vapid-key")).json() == {"public_key": fresh}
    await subscribe(browser, fresh)
    await subscribe(browser, vapid_key)
    keys = [(key["public_key"], key["status"], key["subscriptions"]) for key in (await integration(api))["keys"]]
    assert keys == [(fresh, "current", 1), (vapid_key, "retired", 2)]


async def test_rotating_nothing_says_so(api: httpx2.AsyncClient) -> None:
    problem(await api.post(KEYS, json={"action": "rotate"}), 404, "vapid_key_missing")


async def test_force_after_a_leak_expires_what_it_invalidates(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str
) -> None:
    await subscribe(browser, vapid_key)
    await subscribe(browser, vapid_key)
    answer = await api.post(KEYS, json={"action": "generate", "force": True})
    assert (answer.status_code, answer.json()["invalidated"]) == (201, 2)
    rows = (await api.get("/api/v1/subscriptions", params={"status": "expired"})).json()["data"]
    assert [row["status_reason"] for row in rows] == ["key_revoked"] * 2
    body = {"subscription": push_subscription(), "vapid_key": vapid_key}
    problem(await browser.post("/push/subscribe", json=body), 422, "vapid_key_unknown")


async def test_a_key_is_imported_and_the_one_before_keeps_its_subscribers(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str
) -> None:
    await subscribe(browser, vapid_key)
    keys = new_keys()
    body = {"action": "import", "private_key": keys.private, "public_key": keys.public}
    answer = await api.post(KEYS, json=body)
    assert (answer.status_code, answer.json()["public_key"], answer.json()["invalidated"]) == (201, keys.public, 0)
    assert (await api.post(KEYS, json=body)).status_code == 200
    problem(await api.post(KEYS, json={**body, "public_key": vapid_key}), 422, "vapid_key_mismatch")
    problem(await api.post(KEYS, json={**body, "private_key": "AAAA"}), 422, "vapid_key_invalid")
    errors = problem(await api.post(KEYS, json={"action": "import"}), 422, "invalid_request")["errors"]
    assert errors[0]["field"] == "private_key"


async def test_the_contact_changes_without_a_new_key(api: httpx2.AsyncClient, vapid_key: str) -> None:
    path = "/api/v1/integrations/webpush"
    answer = await api.patch(path, json={"settings": {"subject": "mailto:new@example.com"}, "resume": True})
    assert answer.json()["settings"]["subject"] == "mailto:new@example.com"
    shown = (await api.post(KEYS, json={"action": "generate"})).json()
    assert (shown["subject"], shown["public_key"]) == ("mailto:new@example.com", vapid_key)
    problem(await api.patch(path, json={"settings": {"subject": "nobody"}}), 422, "contact_invalid")


@pytest.mark.parametrize("provider", ["pigeon", "fake"])
async def test_an_integration_that_is_not_there_is_not_found(api: httpx2.AsyncClient, provider: str) -> None:
    answer = await api.post(f"/api/v1/integrations/{provider}/keys", json={"action": "generate"})
    problem(answer, 404, "not_found")
