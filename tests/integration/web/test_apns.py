"""APNs over the API: credentials in, shown without their secrets, and when a certificate ends."""

from __future__ import annotations

import base64
from datetime import timedelta

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.integration.web.instance import problem

from support.apple import BUNDLE_ID, SETTINGS, TOKEN, p8, push_certificate
from tidings.cli.checks import State, of_system
from tidings.lib.clock import FixedClock


async def added(api: httpx2.AsyncClient, credentials: dict[str, str], *, label: str = "iPhones") -> dict[str, object]:
    body = {"provider": "apns", "label": label, "credentials": credentials}
    answer = await api.post("/api/v1/integrations", json=body)
    assert answer.status_code == 201, answer.text
    shown: dict[str, object] = answer.json()
    return shown


def certificate(clock: FixedClock, *, left: timedelta) -> dict[str, str]:
    made = push_certificate(BUNDLE_ID, starts=clock.now() + left - timedelta(days=395))
    return {"certificate": base64.b64encode(made.p12()).decode(), "password": "open sesame"}


async def test_a_key_is_stored_and_never_shown(api: httpx2.AsyncClient) -> None:
    text = p8()
    shown = await added(api, {"key": text, **SETTINGS})
    assert shown["settings"] == {**SETTINGS, "auth": "key", "account": BUNDLE_ID}
    everything = (await api.get("/api/v1/integrations")).text
    assert "PRIVATE KEY" not in everything
    assert text.splitlines()[1][:40] not in everything


async def test_what_is_wrong_is_said_by_field(api: httpx2.AsyncClient) -> None:
    body = {"provider": "apns", "label": "x", "credentials": {"key": p8(), **SETTINGS, "team_id": "nope"}}
    refused = problem(await api.post("/api/v1/integrations", json=body), 422, "credentials_invalid")
    assert [one["field"] for one in refused["errors"]] == ["team_id"]


async def test_devices_register_in_their_own_environment_or_the_integrations(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient
) -> None:
    await added(api, {"key": p8(), **SETTINGS})
    own = {"provider": "apns", "token": TOKEN, "environment": "production"}
    assert (await browser.post("/push/devices", json=own)).status_code == 201
    other = {"provider": "apns", "token": TOKEN[::-1]}
    assert (await browser.post("/push/devices", json=other)).status_code == 201
    call = {"provider": "apns", "token": "ab" * 32, "kind": "voip"}
    assert (await browser.post("/push/devices", json=call)).status_code == 201
    listed = (await api.get("/api/v1/subscriptions")).json()["data"]
    assert sorted(one["service"] if "service" in one else one["provider"] for one in listed) == ["apns"] * 3
    bad = await browser.post("/push/devices", json={"provider": "apns", "token": "x"})
    problem(bad, 422, "device_token_invalid")


@pytest.mark.parametrize(
    ("left", "days", "within", "state"),
    [
        (timedelta(days=31), None, None, None),
        (timedelta(days=29, hours=1), 30, 30, State.WARN),
        (timedelta(days=12), 12, 12, State.WARN),
        (timedelta(days=3), 3, 3, State.FAIL),
        (timedelta(hours=5), 1, 3, State.FAIL),
        (-timedelta(days=1), 0, 0, State.FAIL),
    ],
)
async def test_a_certificate_that_ends_is_said_everywhere(
    api: httpx2.AsyncClient,
    browser: httpx2.AsyncClient,
    clock: FixedClock,
    left: timedelta,
    days: int | None,
    within: int | None,
    state: State | None,
) -> None:
    clock.at = clock.at.replace(microsecond=0)
    shown = await added(api, certificate(clock, left=left))
    ends = (clock.now() + left).isoformat().replace("+00:00", "Z")
    assert shown["expires_at"] == ends
    overview = (await api.get("/api/v1/stats/overview")).json()["attention"]
    assert [(one["days"], one["within"]) for one in overview] == ([] if within is None else [(days, within)])
    system = (await api.get("/api/v1/system")).json()
    assert system["apps"][0]["attention"] == overview
    found = [one for one in of_system(system) if "certificate" in one.found]
    assert [one.state for one in found] == ([] if state is None else [state])
    families = text_string_to_metric_families((await browser.get("/metrics")).text)
    told = {sample.name: sample for family in families for sample in family.samples}
    sample = told["tidings_credentials_expire_seconds"]
    assert (sample.labels, sample.value) == ({"provider": "apns"}, left.total_seconds())


async def test_live_activities_that_are_not_whole_are_refused(api: httpx2.AsyncClient) -> None:
    activity = {"event": "update", "timestamp": 1_798_761_600, "content_state": {"home": 2}}

    async def judged(own: dict[str, object]) -> int:
        body = {"to": {"all": True}, "title": "2 : 1", "platforms": {"apns": own}, "channels": ["apns"]}
        return (await api.post("/api/v1/notifications", json=body)).status_code

    assert await judged({"push_type": "liveactivity", "live_activity": activity, "relevance_score": 75}) == 202
    for wrong in (
        {"push_type": "liveactivity"},
        {"live_activity": activity},
        {"push_type": "liveactivity", "live_activity": activity | {"event": "start"}},
        {"push_type": "liveactivity", "live_activity": activity | {"attributes": {"match": 42}}},
        {"push_type": "liveactivity", "live_activity": {"event": "update", "timestamp": 1}},
        {"push_type": "voip", "background": True},
        {"background": True, "priority": 10},
        {"relevance_score": 75},
        {"silent": True, "sound": "bell.caf"},
        {"collapse_id": "x" * 65},
    ):
        assert await judged(wrong) == 422, wrong
