"""POST /notifications/fit: bytes for each channel that the App has, and what is not simply shown there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.integration.web.instance import problem

from support.service_account import account_file
from tidings.domain.message import Message
from tidings.domain.showing import MEMBERS, Shown, Shows
from tidings.pipeline.render import render
from tidings.providers import Draft, Envelope, provider
from tidings.services.fits import NOT_JSON, fits

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "platforms.md"
EVERYTHING = Message(
    title="Fähre",
    body="High water",
    url="https://example.com/",
    icon="https://example.com/i.png",
    image="https://example.com/p.jpg",
    badge_count=1,
    collapse_id="tide",
    data={"pier": 3},
)


async def fit(api: httpx2.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await api.post("/api/v1/notifications/fit", json={"to": {"all": True}, **body})
    assert answer.status_code == 200, answer.text
    return {one["channel"]: one for one in answer.json()["channels"]}


async def test_an_app_is_told_of_the_channels_that_it_has(api: httpx2.AsyncClient, vapid_key: str) -> None:
    assert set(await fit(api, title="Tide")) == {"webpush"}
    credentials = {"service_account": account_file()}
    body = {"provider": "fcm", "label": "Phones", "credentials": credentials}
    assert (await api.post("/api/v1/integrations", json=body)).status_code == 201
    found = await fit(api, title="Tide", icon="https://example.com/i.png", url="https://example.com/")
    assert set(found) == {"webpush", "fcm"}
    assert [(one["service"], one["largest"], one["fits"]) for one in found["webpush"]["sizes"]] == [
        ("mozilla", 2700, True),
        ("", 3993, True),
    ]
    (size,) = found["fcm"]["sizes"]
    assert (size["largest"], size["fits"]) == (4096, True)
    assert [(one["member"], one["shown"]) for one in found["fcm"]["unshown"]] == [("url", "app"), ("icon", "no")]
    assert set(await fit(api, title="Tide", channels=["fcm", "apns"])) == {"fcm"}
    assert (await api.get("/api/v1/notifications")).json()["data"] == []


async def test_the_longest_language_counts_and_what_is_too_long_is_said(
    api: httpx2.AsyncClient, vapid_key: str
) -> None:
    short = (await fit(api, title="Tide"))["webpush"]["sizes"][0]["size"]
    found = (await fit(api, title="Tide", locales={"de": {"body": "ä" * 1_300}}))["webpush"]["sizes"]
    assert found[0]["size"] == found[1]["size"] > short + 2_600
    assert [one["fits"] for one in found] == [False, True]


async def test_what_is_no_notification_is_refused(api: httpx2.AsyncClient, vapid_key: str) -> None:
    problem(await api.post("/api/v1/notifications/fit", json={"to": {"all": True}}), 422, "invalid_request")


@pytest.mark.parametrize("channel", ["webpush", "apns", "webhook"])
def test_the_bytes_are_those_that_are_sent(channel: str) -> None:
    via: Any = provider(channel)
    rendered = render(EVERYTHING, None)
    draft = via.draft(rendered)
    assert isinstance(draft, Draft)
    envelope = Envelope("0" * 32, "A" * 16, 60)
    if channel == "webpush":
        from tidings.providers.webpush.message import payload_from

        sent = payload_from(draft, envelope)
    elif channel == "apns":
        from tidings.providers.apns.message import payload_from

        sent = payload_from(draft, envelope)
    else:
        from tidings.providers.webhook.message import body_from

        sent = body_from(draft, envelope)
    assert {one.size for one in via.sizes(rendered)} == {len(sent)}
    json.loads(sent)


def test_fcm_is_as_long_as_it_refuses_by() -> None:
    over = Message(title="Tide", body="x" * 5_000)
    (found,) = fits(over, channels=["fcm"])
    refused: Any = provider("fcm").draft(render(over, None))
    assert refused.reason == f"is {found.sizes[0].size - 4096} bytes too long: 4096 fit into a push"


def test_names_that_a_service_keeps_and_what_is_no_json_are_faults_and_not_errors() -> None:
    (kept,) = fits(Message(title="Tide", data={"from": "x"}), channels=["fcm"])
    assert kept.fault.startswith("data.from: FCM keeps")
    for one in fits(Message(title="Tide", data={"n": float("nan")})):
        assert (one.fault, one.sizes) == (NOT_JSON, ())


COLUMNS = ("webpush", "fcm", "apns")


def test_the_page_has_what_each_platform_makes_of_each_member() -> None:
    rows = []
    for member in MEMBERS:
        cells = []
        for name in COLUMNS:
            via: object = provider(name)
            assert isinstance(via, Shows)
            assert set(via.shows) == set(MEMBERS)
            found = via.shows[member]
            assert bool(found.words) is (found.shown is not Shown.YES)
            cells.append(found.words or "yes")
        rows.append(f"| `{member}` | {' | '.join(cells)} |")
    page = re.findall(r"^\| `.*$", PAGE.read_text(), re.M)
    assert page == rows, "\n".join(rows)
