"""What keeps an accident small: the tripwire, the count that was confirmed, the pause of the whole instance."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from tests.integration.web.instance import client_of, problem

from tidings.domain.subscription import Address, NewSubscription
from tidings.lib.clock import FixedClock
from tidings.services import tripwire
from tidings.wiring import Container

PATH = "/api/v1/notifications"
EVERYBODY = {"to": {"all": True}, "title": "The ferry is late"}


async def subscribers(container: Container, count: int) -> int:
    """Store devices in the only App; give its id."""
    (app,) = await container.store.read(lambda tx: tx.apps.all())
    key = await container.store.read(lambda tx: tx.credentials.current(app.id, "webpush"))
    assert key is not None
    rows = [
        (
            NewSubscription(
                app_id=app.id,
                provider="webpush",
                address=Address(f"https://fcm.googleapis.com/fcm/send/{number}", b"\x04" * 81),
                origin="https://fcm.googleapis.com",
                credential_id=key.id,
                user_external_id=f"u-{number}",
            ),
            container.ids.new("sub"),
            b"h" * 32,
        )
        for number in range(count)
    ]
    await container.store.write(lambda tx: tx.subscriptions.add_many(rows, now=container.clock.now()))
    return app.id


async def sent(api: httpx2.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await api.post(PATH, json={**EVERYBODY, **body})
    assert answer.status_code == 202, answer.text
    made: dict[str, Any] = answer.json()
    return made


class TestTheSameWordsAgain:
    async def test_to_most_subscribers_are_held_until_somebody_says_that_they_are_meant(
        self, api: httpx2.AsyncClient, container: Container, vapid_key: str
    ) -> None:
        await subscribers(container, 150)
        assert "held_because" not in await sent(api)
        again = await sent(api)
        assert (again["status"], again["held_because"]) == ("paused", "repeat_tripwire")
        shown = (await api.get(f"{PATH}/{again['id']}")).json()
        assert (shown["status"], shown["held_because"]) == ("paused", "repeat_tripwire")
        assert (await api.get("/api/v1/stats/overview")).json()["held"] == 1
        resumed = (await api.post(f"{PATH}/{again['id']}/resume")).json()
        assert (resumed["status"], resumed["held_because"]) == ("queued", None)

    async def test_at_the_same_time_go_out_once(
        self, api: httpx2.AsyncClient, container: Container, vapid_key: str
    ) -> None:
        await subscribers(container, 150)
        made = await asyncio.gather(*(sent(api) for _ in range(10)))
        assert sorted(one["status"] for one in made) == ["paused"] * 9 + ["queued"]

    @pytest.mark.parametrize(
        "change",
        [
            {"confirm_volume": True},
            {"title": "The ferry is later"},
            {"body": "Pier 4"},
            {"to": {"users": [f"u-{number}" for number in range(70)]}},
        ],
    )
    async def test_pass_where_they_are_others_or_meant_or_to_the_smaller_part(
        self, api: httpx2.AsyncClient, container: Container, vapid_key: str, change: dict[str, Any]
    ) -> None:
        await subscribers(container, 150)
        await sent(api)
        assert (await sent(api, **change))["status"] == "queued"

    async def test_pass_after_half_an_hour(
        self, api: httpx2.AsyncClient, container: Container, clock: FixedClock, vapid_key: str
    ) -> None:
        await subscribers(container, 150)
        await sent(api)
        clock.at += timedelta(minutes=29)
        assert (await sent(api))["status"] == "paused"
        clock.at += timedelta(minutes=1)
        assert (await sent(api))["status"] == "queued"

    async def test_pass_where_the_audience_is_small_enough_to_be_trying_things_out(
        self, api: httpx2.AsyncClient, container: Container, vapid_key: str
    ) -> None:
        await subscribers(container, tripwire.REPEAT_LEAST - 1)
        assert {(await sent(api))["status"] for _ in range(3)} == {"queued"}


class TestFarMoreThanThereAreSubscribers:
    @pytest.fixture(autouse=True)
    def _low(self, container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
        from dataclasses import replace

        wire = container.notifications._tripwire
        monkeypatch.setattr(wire, "_limits", replace(wire._limits, recipients=100))

    async def test_is_held_and_goes_out_once_somebody_says_so_for_all_of_it(
        self, api: httpx2.AsyncClient, container: Container, clock: FixedClock, vapid_key: str
    ) -> None:
        await subscribers(container, 30)
        statuses = [(await sent(api, title=f"News {number}"))["status"] for number in range(7)]
        assert statuses == ["queued"] * 5 + ["paused"] * 2
        assert (await api.post(f"{PATH}/held", json={"action": "send"})).json() == {"count": 2}
        assert (await api.get("/api/v1/stats/overview")).json()["held"] == 0
        assert (await sent(api, title="News 8"))["status"] == "queued", "the count begins anew"

    async def test_of_single_people_is_held_too_and_can_be_cancelled_at_one_stroke(
        self, api: httpx2.AsyncClient, container: Container, vapid_key: str
    ) -> None:
        await subscribers(container, 10)
        made = [await sent(api, to={"users": [f"u-{number % 10}"]}, title=f"{number}") for number in range(103)]
        assert [one["status"] for one in made] == ["queued"] * 100 + ["paused"] * 3
        assert made[-1]["held_because"] == "volume_tripwire"
        assert (await api.post(f"{PATH}/held", json={"action": "cancel"})).json() == {"count": 3}
        shown = (await api.get(f"{PATH}/{made[-1]['id']}")).json()
        assert (shown["status"], shown["reasons"]) == ("cancelled", {"cancelled": 1})
        assert (await sent(api))["status"] == "paused", "a cancelled accident goes on being one"

    async def test_is_sent_at_once_when_it_is_said_to_be_meant_and_is_forgotten_with_time(
        self, api: httpx2.AsyncClient, container: Container, clock: FixedClock, vapid_key: str
    ) -> None:
        await subscribers(container, 30)
        for number in range(5):
            await sent(api, title=f"{number}")
        assert (await sent(api, confirm_volume=True))["status"] == "queued"
        clock.at += timedelta(minutes=11)
        assert (await sent(api, title="Later"))["status"] == "queued"

    async def test_is_refused_once_too_much_of_it_waits(
        self, api: httpx2.AsyncClient, container: Container, vapid_key: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tripwire, "MOST_HELD", 2)
        await subscribers(container, 101)
        for number in range(7):
            await sent(api, title=f"{number}")
        refused = await api.post(PATH, json={**EVERYBODY, "title": "8"})
        assert "held" in problem(refused, 409, "too_many_held")["mend"]
        assert len((await api.get(PATH)).json()["data"]) == 7

    async def test_the_same_key_gives_what_is_held_and_holds_nothing_twice(
        self, api: httpx2.AsyncClient, container: Container, vapid_key: str
    ) -> None:
        await subscribers(container, 101)
        for number in range(5):
            await sent(api, title=f"{number}")
        headers = {"Idempotency-Key": "one"}
        first, second = [await api.post(PATH, json=EVERYBODY, headers=headers) for _ in range(2)]
        assert first.json() == second.json()
        assert first.json()["status"] == "paused"
        assert (await api.get("/api/v1/stats/overview")).json()["held"] == 1


class TestTheCountThatWasConfirmed:
    @pytest.mark.parametrize(("there", "expected", "stored"), [
        (50, 50, True), (50, 49, False), (50, 51, False), (0, 0, True), (300, 303, True), (300, 304, False),
        (300, 0, False),
    ])  # fmt: skip
    async def test_must_be_the_one_that_is_frozen_or_nothing_is_stored(
        self, api: httpx2.AsyncClient, container: Container, vapid_key: str, there: int, expected: int, stored: bool
    ) -> None:
        await subscribers(container, there)
        headers = {"Idempotency-Key": "the question"}
        answer = await api.post(PATH, json={**EVERYBODY, "expect_audience": expected}, headers=headers)
        if stored:
            assert (answer.status_code, answer.json()["audience"]) == (202, there)
            return
        found = problem(answer, 409, "audience_changed")
        assert found["errors"] == [{"field": "expect_audience", "message": f"The audience holds {there}."}]
        assert (await api.get(PATH)).json()["data"] == []
        again = await api.post(PATH, json={**EVERYBODY, "expect_audience": there}, headers=headers)
        assert again.status_code == 202, "the key belongs to what was stored, and nothing was"

    async def test_of_a_request_that_is_repeated_is_the_one_it_was_stored_with(
        self, api: httpx2.AsyncClient, container: Container, vapid_key: str
    ) -> None:
        await subscribers(container, 3)
        body, headers = {**EVERYBODY, "expect_audience": 3}, {"Idempotency-Key": "k"}
        first = await api.post(PATH, json=body, headers=headers)
        (one,) = (await api.get("/api/v1/subscriptions?limit=1")).json()["data"]
        assert (await api.delete(f"/api/v1/subscriptions/{one['id']}")).status_code == 204
        assert (await api.post(PATH, json=body, headers=headers)).json() == first.json()


class TestThePauseOfTheInstance:
    async def test_is_shown_with_who_and_why_and_ends_when_it_is_resumed(
        self, api: httpx2.AsyncClient, clock: FixedClock, vapid_key: str
    ) -> None:
        assert (await api.get("/api/v1/system")).json()["paused"] is None
        paused = {"since": "2026-11-21T12:00:00Z", "by": "operator", "reason": "Wrong link"}
        assert (await api.post("/api/v1/system/pause", json={"reason": "Wrong link"})).json() == paused
        clock.at += timedelta(minutes=1)
        assert (await api.post("/api/v1/system/pause")).json() == paused, "the first one stays"
        for path in ("/api/v1/system", "/api/v1/stats/overview"):
            assert (await api.get(path)).json()["paused"] == paused
        assert (await sent(api))["status"] == "queued", "what is accepted meanwhile waits"
        assert (await api.post("/api/v1/system/resume")).status_code == 204
        assert (await api.post("/api/v1/system/resume")).status_code == 204
        assert (await api.get("/api/v1/system")).json()["paused"] is None

    async def test_is_not_for_a_key_of_one_app(self, app: FastAPI, api: httpx2.AsyncClient) -> None:
        (mine,) = (await api.get("/api/v1/apps")).json()["data"]
        made = await api.post("/api/v1/keys", json={"name": "x", "scopes": ["admin"], "app": mine["id"]})
        async with client_of(app, Authorization=f"Bearer {made.json()['key']}") as client:
            problem(await client.post("/api/v1/system/pause"), 403, "forbidden")


async def test_twenty_requests_with_one_key_make_one_notification(api: httpx2.AsyncClient, vapid_key: str) -> None:
    headers = {"Idempotency-Key": "order 17"}
    same = [api.post(PATH, json=EVERYBODY, headers=headers) for _ in range(20)]
    answers = await asyncio.gather(*same, api.post(PATH, json={**EVERYBODY, "title": "Other"}, headers=headers))
    *alike, other = answers
    taken = [answer for answer in alike if answer.status_code == 202]
    if len(taken) == 20:
        problem(other, 409, "idempotency_key_reused")
    else:  # the other one was first
        assert (other.status_code, len(taken)) == (202, 0)
    assert len({answer.text for answer in taken}) <= 1
    assert sum("idempotency-replayed" not in answer.headers for answer in (*taken, other) if answer.is_success) == 1
    assert len((await api.get(PATH)).json()["data"]) == 1
