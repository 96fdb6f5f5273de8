"""Topics at the wire: followed by the person and by the App's server, listed from both sides, within limits."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from tests.integration.web.instance import problem
from tests.integration.web.test_preferences import signed

from tidings.domain.app import App
from tidings.lib.clock import FixedClock
from tidings.wiring import Container


@pytest.fixture
async def app_(container: Container) -> App:
    return await container.apps.ensure_first()


async def followed(api: httpx2.AsyncClient, user: str) -> list[str]:
    answer = await api.get(f"/api/v1/users/{user}/topics", params={"limit": 200})
    assert answer.status_code == 200, answer.text
    return [one["topic"] for one in answer.json()["data"]]


async def test_the_apps_server_lets_a_person_follow_and_leave(api: httpx2.AsyncClient, clock: FixedClock) -> None:
    path = "/api/v1/users/team/u-42/topics/shelf/product:22"
    new = await api.put(path)
    assert (new.status_code, new.json()) == (201, {"topic": "shelf/product:22", "since": "2026-11-21T12:00:00Z"})
    clock.at += timedelta(hours=1)
    again = await api.put(path)
    assert (again.status_code, again.json()) == (200, new.json())
    assert (await api.put("/api/v1/users/team/u-42/topics/author:7")).status_code == 201
    assert await followed(api, "team/u-42") == ["author:7", "shelf/product:22"]
    assert (await api.get("/api/v1/users/team/u-42")).json()["id"] == "team/u-42", "whoever follows is known"
    assert (await api.get("/api/v1/topics/shelf/product:22")).json() == {"topic": "shelf/product:22", "followers": 1}
    for _ in range(2):
        assert (await api.delete(path)).status_code == 204
    assert await followed(api, "team/u-42") == ["author:7"]
    assert (await api.get("/api/v1/topics/shelf/product:22")).json()["followers"] == 0
    log = [one for one in (await api.get("/api/v1/audit")).json()["data"] if one["action"] == "follows.changed"]
    assert [one["detail"] for one in log] == [
        {"unfollowed": "shelf/product:22"},
        {"followed": "author:7"},
        {"followed": "shelf/product:22"},
    ]
    assert "u-42" not in json.dumps(log), "of people the log has pseudonyms"


async def test_many_people_follow_in_one_request_and_are_listed_in_pages(api: httpx2.AsyncClient) -> None:
    people = [f"u-{n:04}" for n in range(1_000)]
    body = {"follow": [*people, "u-0001"][:1_000], "unfollow": ["u-0002"]}
    done = await api.post("/api/v1/topics/harbour news/followers", json=body)
    assert (done.status_code, done.json()) == (200, {"followed": 999, "unfollowed": 0})
    back = await api.post("/api/v1/topics/harbour news/followers", json={"follow": people, "unfollow": ["u-0000"]})
    assert back.json() == {"followed": 1, "unfollowed": 1}
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": "200"} | ({"cursor": cursor} if cursor else {})
        page = (await api.get("/api/v1/topics/harbour news/followers", params=query)).json()
        seen += [one["user"] for one in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == people[1:]
    too_many = await api.post("/api/v1/topics/t/followers", json={"follow": [str(n) for n in range(1_001)]})
    assert problem(too_many, 422, "invalid_request")["errors"][0]["field"] == "follow"


async def test_nobody_follows_more_than_a_thousand_topics(
    api: httpx2.AsyncClient, container: Container, app_: App, browser: httpx2.AsyncClient, clock: FixedClock
) -> None:
    now = clock.now()
    await container.store.write(
        lambda tx: [tx.follows.follow(app_.id, f"t:{n}", ["full"], now=now) for n in range(1_000)]
    )
    body = problem(await api.put("/api/v1/users/full/topics/one-more"), 409, "topics_too_many")
    assert "full" in body["detail"]
    assert (await api.put("/api/v1/users/full/topics/t:7")).status_code == 200, "what is followed already is no more"
    many = await api.post("/api/v1/topics/one-more/followers", json={"follow": ["anna", "full"]})
    problem(many, 409, "topics_too_many")
    assert await followed(api, "anna") == [], "all of them, or none"
    who = signed(app_, clock, "full")
    problem(await browser.put("/push/topics", json={"follow": ["one-more"]}, headers=who), 409, "topics_too_many")
    swap = await browser.put("/push/topics", json={"follow": ["one-more"], "unfollow": ["t:0"]}, headers=who)
    assert (swap.status_code, len(swap.json()["topics"])) == (200, 1_000)


async def test_a_person_follows_and_leaves_by_themselves(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, app_: App, clock: FixedClock
) -> None:
    who = signed(app_, clock, "Ärger/7")

    async def change(**body: Any) -> list[str]:
        answer = await browser.put("/push/topics", json=body, headers=who)
        assert answer.status_code == 200, answer.text
        return [one["topic"] for one in answer.json()["topics"]]

    assert await change(follow=["product:22", "author:7", "product:22"]) == ["author:7", "product:22"]
    assert await change(unfollow=["author:7", "never"], follow=["show:1"]) == ["product:22", "show:1"]
    own = await browser.get("/push/topics", headers=who)
    assert own.json()["topics"][0] == {"topic": "product:22", "since": "2026-11-21T12:00:00Z"}
    assert await followed(api, "%C3%84rger/7") == ["product:22", "show:1"]
    assert (await browser.get("/push/topics", headers=signed(app_, clock, "u-1"))).json() == {"topics": []}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"follow": ["private:conversation:9"]}, 403, "topic_private"),
        ({"follow": [""]}, 422, "invalid_request"),
        ({"follow": ["x" * 201]}, 422, "invalid_request"),
        ({"follow": ["a\u0000b"]}, 422, "invalid_request"),
        ({"follow": [" a"]}, 422, "topic_invalid"),
        ({"follow": ["a/topics/b"]}, 422, "topic_invalid"),
        ({"follow": ["t"] * 101}, 422, "invalid_request"),
        ({"follow": "news"}, 422, "invalid_request"),
        ({"topics": ["news"]}, 422, "invalid_request"),
    ],
)
async def test_what_a_page_may_not_follow_is_refused_and_nothing_of_it_done(
    browser: httpx2.AsyncClient, app_: App, clock: FixedClock, body: dict[str, Any], status: int, code: str
) -> None:
    who = signed(app_, clock)
    assert (await browser.put("/push/topics", json={"follow": ["kept"]}, headers=who)).status_code == 200
    problem(await browser.put("/push/topics", json={"unfollow": ["kept"], **body}, headers=who), status, code)
    assert [one["topic"] for one in (await browser.get("/push/topics", headers=who)).json()["topics"]] == ["kept"]


async def test_topics_that_begin_with_private_are_the_servers_alone(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, app_: App, clock: FixedClock
) -> None:
    assert (await api.put("/api/v1/users/u-42/topics/private:conversation:9")).status_code == 201
    who = signed(app_, clock)
    left = await browser.put("/push/topics", json={"unfollow": ["private:conversation:9"]}, headers=who)
    assert left.json() == {"topics": []}, "to leave is everybody's right"


@pytest.mark.parametrize("topic", ["x" * 201, "%20a", "a%2Ftopics%2Fb%20", "a%1Fb"])
async def test_names_that_no_topic_has_are_refused(api: httpx2.AsyncClient, topic: str) -> None:
    for method in ("PUT", "DELETE"):
        answer = await api.request(method, f"/api/v1/users/u-42/topics/{topic}")
        assert answer.status_code == 422, answer.text
        assert answer.json()["code"] in ("topic_invalid", "invalid_request")


@pytest.mark.parametrize("cursor", ["%%%", "AA", "x", "gIA", ""])
async def test_a_cursor_of_no_page_is_refused(api: httpx2.AsyncClient, cursor: str) -> None:
    problem(await api.get("/api/v1/topics/t/followers", params={"cursor": cursor}), 400, "invalid_cursor")


async def test_what_a_person_follows_is_in_their_export_and_goes_with_them(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, app_: App, clock: FixedClock
) -> None:
    who = signed(app_, clock)
    assert (
        await browser.put("/push/topics", json={"follow": ["product:22", "author:7"]}, headers=who)
    ).status_code == 200
    exported = (await api.get("/api/v1/users/u-42/export")).json()
    assert [one["topic"] for one in exported["topics"]] == ["author:7", "product:22"]
    erased = await api.post("/api/v1/users/u-42/erase")
    assert erased.status_code in (200, 202), erased.text
    assert erased.json()["removed"]["topics"] == 2
    assert await followed(api, "u-42") == []
    assert (await api.get("/api/v1/topics/product:22")).json()["followers"] == 0


async def test_somebody_who_is_deleted_follows_nothing_any_more(api: httpx2.AsyncClient) -> None:
    assert (await api.put("/api/v1/users/u-42/topics/product:22")).status_code == 201
    assert (await api.delete("/api/v1/users/u-42")).status_code == 204
    assert (await api.get("/api/v1/topics/product:22")).json()["followers"] == 0
