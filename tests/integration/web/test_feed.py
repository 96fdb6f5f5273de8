"""The bell at the wire: a person's feed in pages and live, and what they do with it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from tests.integration.web.instance import problem
from tests.integration.web.test_preferences import signed
from tests.integration.web.test_triggers import serve

from tidings.bus.local import LocalBus
from tidings.domain.app import App
from tidings.domain.feed import Fill
from tidings.lib.clock import FixedClock
from tidings.services import feed_watch
from tidings.storage import Transaction
from tidings.wiring import Container
from tidings.worker import feeding
from tidings.worker.feeding import Feeding


@pytest.fixture
async def app_(container: Container, api: httpx2.AsyncClient) -> App:
    await api.put("/api/v1/users/u-42", json={"locale": "de"})
    await api.put("/api/v1/event-types/topic.reply", json={"name": "Replies"})
    return await container.apps.ensure_first()


async def told(api: httpx2.AsyncClient, title: str, **more: Any) -> str:
    body = {"to": {"users": ["u-42"]}, "title": title, **more}
    answer = await api.post("/api/v1/notifications", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


class Bell:
    def __init__(self, browser: httpx2.AsyncClient, who: dict[str, str]) -> None:
        self.browser, self.who = browser, who

    async def get(self, **query: Any) -> dict[str, Any]:
        answer = await self.browser.get("/push/feed", params=query, headers=self.who)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def titles(self, **query: Any) -> list[str]:
        return [one["title"] for one in (await self.get(**query))["data"]]

    async def post(self, what: str, **body: Any) -> tuple[int, int]:
        answer = await self.browser.post(f"/push/feed/{what}", json=body, headers=self.who)
        assert answer.status_code == 200, answer.text
        return answer.json()["unread"], answer.json()["unseen"]


@pytest.fixture
def bell(browser: httpx2.AsyncClient, app_: App, clock: FixedClock) -> Bell:
    return Bell(browser, signed(app_, clock))


async def test_a_person_finds_what_they_were_told_in_their_language(
    api: httpx2.AsyncClient, bell: Bell, clock: FixedClock
) -> None:
    action = {"id": "go", "title": "Go", "url": "https://www.example.com/go"}
    words = {"url": "https://www.example.com/t/7", "locales": {"de": {"title": "Neue Antwort"}}, "actions": [action]}
    one = await told(api, "New reply", body="Anna wrote", type="topic.reply", data={"topic": 7}, **words)
    clock.at += timedelta(seconds=1)
    await told(api, "To everybody", to={"all": True})
    await told(api, "To somebody else", to={"users": ["u-43"]})
    found = await bell.get()
    assert (found["unread"], found["unseen"], found["next_cursor"]) == (2, 2, None)
    assert found["data"][1] == {
        "id": one,
        "type": "topic.reply",
        "title": "Neue Antwort",
        "body": "Anna wrote",
        "url": "https://www.example.com/t/7",
        "icon": None,
        "image": None,
        "actions": [action],
        "data": {"topic": 7},
        "language": "de",
        "at": "2026-11-21T12:00:00Z",
        "seen": False,
        "read": False,
        "archived": False,
    }
    assert found["data"][0]["title"] == "To everybody"


async def test_pages_go_back_to_the_first(api: httpx2.AsyncClient, bell: Bell) -> None:
    for n in range(5):
        await told(api, f"No. {n}")
    found, cursor = [], None
    while True:
        page = await bell.get(limit=2, **({"cursor": cursor} if cursor else {}))
        found += [one["title"] for one in page["data"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert found == [f"No. {n}" for n in (4, 3, 2, 1, 0)]


async def test_reading_seeing_and_putting_away_count(api: httpx2.AsyncClient, bell: Bell) -> None:
    ids = [await told(api, f"No. {n}") for n in range(3)]
    assert await bell.post("seen") == (3, 0)
    assert await bell.post("read", ids=[ids[0]]) == (2, 0)
    assert await bell.post("archive", ids=[ids[1]]) == (1, 0)
    assert await bell.titles() == ["No. 2", "No. 0"]
    assert await bell.titles(archived="true") == ["No. 1"]
    assert await bell.post("read", all=True) == (0, 0)
    assert await bell.post("archive", all=True) == (0, 0)
    assert await bell.titles() == []


async def test_one_persons_marks_are_not_anothers(
    api: httpx2.AsyncClient, bell: Bell, browser: httpx2.AsyncClient, app_: App, clock: FixedClock
) -> None:
    mine = await told(api, "To both", to={"users": ["u-42", "u-43"]})
    other = Bell(browser, signed(app_, clock, "u-43"))
    assert await other.post("archive", ids=[mine]) == (0, 0)
    assert await bell.titles() == ["To both"]


async def test_what_is_off_for_push_comes_to_the_bell_and_channels_decide(api: httpx2.AsyncClient, bell: Bell) -> None:
    off = {"event_types": {"topic.reply": {"push": False}}}
    await bell.browser.put("/push/preferences", json=off, headers=bell.who)
    await told(api, "Reply", type="topic.reply")
    await told(api, "In the bell alone", channels=["feed"])
    await told(api, "By push alone", channels=["webpush", "fcm", "apns", "webhook"])
    assert await bell.titles() == ["In the bell alone", "Reply"]
    off = {"event_types": {"topic.reply": {"feed": False}}}
    await bell.browser.put("/push/preferences", json=off, headers=bell.who)
    await told(api, "Another reply", type="topic.reply")
    assert await bell.titles() == ["In the bell alone", "Reply"]


async def test_an_event_type_that_is_not_declared_is_refused(api: httpx2.AsyncClient, app_: App) -> None:
    body = {"to": {"users": ["u-42"]}, "title": "x", "type": "no.such"}
    problem(await api.post("/api/v1/notifications", json=body), 422, "event_type_unknown")


@pytest.mark.parametrize(
    ("path", "body"),
    [("read", {}), ("read", {"ids": ["a"], "all": True}), ("archive", {"ids": ["x" * 65]}), ("read", {"id": "a"})],
)
async def test_marks_that_say_nothing_are_refused(bell: Bell, path: str, body: dict[str, Any]) -> None:
    answer = await bell.browser.post(f"/push/feed/{path}", json=body, headers=bell.who)
    problem(answer, 422, "invalid_request")


async def test_cursors_of_others_and_limits_beyond_reason_are_refused(bell: Bell) -> None:
    for query, code, status in (({"cursor": "abc"}, "invalid_cursor", 422), ({"limit": "0"}, "invalid_request", 422)):
        answer = await bell.browser.get("/push/feed", params=query, headers=bell.who)
        assert (answer.json()["code"], answer.status_code) in ((code, status), (code, 400))
    # Zeros before a number make it no smaller, and one of thousands of digits is read by none.
    for limit in ("101", "0000101", "00011000000", "0001" + "0" * 5_000, "1e1", "²", "-1", ""):
        problem(await bell.browser.get("/push/feed", params={"limit": limit}, headers=bell.who), 422, "invalid_request")
    again = {**bell.who, "Last-Event-ID": "abc"}
    assert (await bell.browser.get("/push/feed/stream", headers=again)).json()["code"] == "invalid_cursor"


class Stream:
    """A stream as the application gives it to a server: the test's HTTP client waits for the end of an answer."""

    def __init__(self, app: Any, who: dict[str, str], **headers: str) -> None:
        self.app, self.headers = app, {**who, **headers}
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.gone = asyncio.Event()

    async def __aenter__(self) -> Stream:
        raw = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
        scope = {
            "type": "http", "method": "GET", "path": "/push/feed/stream", "raw_path": b"/push/feed/stream",
            "query_string": b"", "headers": [(b"host", b"push.example.com"), *raw], "scheme": "https",
            "server": ("push.example.com", 443), "client": ("192.0.2.1", 1), "http_version": "1.1", "root_path": "",
        }  # fmt: skip

        async def receive() -> dict[str, Any]:
            await self.gone.wait()
            return {"type": "http.disconnect"}

        self.task = asyncio.create_task(self.app(scope, receive, self.sent.put))
        self.start = await asyncio.wait_for(self.sent.get(), 10)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.gone.set()
        await asyncio.wait_for(self.task, 10)

    async def events(self) -> AsyncIterator[tuple[str, Any]]:
        while True:
            message = await asyncio.wait_for(self.sent.get(), 10)
            lines = dict(line.split(": ", 1) for line in message["body"].decode().splitlines() if ": " in line)
            if "event" in lines:
                self.last = lines.get("id", "")
                yield lines["event"], json.loads(lines["data"])
            elif message["body"].startswith(b":"):
                yield "comment", None

    async def next(self, kind: str) -> Any:
        async for event, data in self.events():
            if event == kind:
                return data


async def test_what_comes_is_told_live_and_where_one_was_goes_on(
    api: httpx2.AsyncClient, bell: Bell, app: Any, container: Container, clock: FixedClock
) -> None:
    await told(api, "Before")
    newest = (await bell.get())["newest"]
    clock.at += timedelta(seconds=60)
    async with Stream(app, bell.who, **{"Last-Event-ID": newest}) as stream:
        head = dict(stream.start["headers"])
        assert (stream.start["status"], head[b"content-type"].split(b";")[0]) == (200, b"text/event-stream")
        assert head[b"cache-control"] == b"no-store"
        await stream.next("counts")
        one = await told(api, "Live")
        assert (await stream.next("item"))["id"] == one
        place = stream.last
        assert await stream.next("counts") == {"unread": 2, "unseen": 2}
        await bell.post("read", ids=[one])
        assert await stream.next("counts") == {"unread": 1, "unseen": 1}
    assert container.people.watch.streams == 0
    clock.at += timedelta(seconds=60)
    missed = await told(api, "While away", to={"all": True})
    async with Stream(app, bell.who, **{"Last-Event-ID": place}) as stream:
        # What was stored within the last seconds before may come again: it may have become visible out of order.
        assert [(await stream.next("item"))["id"] for _ in range(2)] == [one, missed]


async def test_very_many_at_once_all_come_and_each_once(
    api: httpx2.AsyncClient, bell: Bell, app: Any, clock: FixedClock
) -> None:
    """More in the seconds that are looked at anew than are told at a time, and more than are kept as told."""
    newest = (await bell.get())["newest"]
    async with Stream(app, bell.who, **{"Last-Event-ID": newest}) as stream:
        await stream.next("counts")
        for part in range(2):
            wanted = [await told(api, f"Tide {part} {n}") for n in range(130)]
            came = [(await stream.next("item"))["id"] for _ in wanted]
            assert came == wanted
            clock.at += timedelta(seconds=3)
        place = stream.last
    clock.at += timedelta(seconds=60)
    missed = [await told(api, f"Missed {n}") for n in range(70)]
    async with Stream(app, bell.who, **{"Last-Event-ID": place}) as stream:
        came = [(await stream.next("item"))["id"] for _ in range(260 + 70)]
        assert (len(set(came)), came[-70:]) == (330, missed)


async def test_a_stream_says_that_it_is_there_and_ends_with_the_server(
    bell: Bell, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidings.web.public.feed.QUIET", 0.05)
    async with Stream(app, bell.who) as stream:
        await stream.next("comment")
        app.state.stopping.set()
        await asyncio.wait_for(stream.task, 10)


@pytest.mark.parametrize("end", ["the token's time is over", "the secret is changed", "the App is erased"])
async def test_a_stream_ends_with_what_it_was_opened_with(
    api: httpx2.AsyncClient,
    bell: Bell,
    app: Any,
    app_: App,
    clock: FixedClock,
    monkeypatch: pytest.MonkeyPatch,
    end: str,
) -> None:
    """Whoever copied a token hears nothing once it is over, however long they have listened."""
    monkeypatch.setattr("tidings.web.public.feed.QUIET", 0.05)
    async with Stream(app, bell.who) as stream:
        await stream.next("counts")
        if end == "the token's time is over":
            clock.at += timedelta(hours=2)
        elif end == "the secret is changed":
            changed = await api.post(f"/api/v1/apps/{app_.public_id}/identity-secret", json={"grace_hours": 0})
            assert changed.status_code in (200, 201), changed.text
            await told(api, "For whom the new secret vouches")
        else:
            assert (await api.post("/api/v1/apps", json={"name": "Another"})).status_code == 201
            gone = await api.delete(f"/api/v1/apps/{app_.public_id}", params={"confirm": app_.name})
            assert gone.status_code in (200, 202), gone.text
            app.state.container.people.watch.wake(app_.id, None)
        await asyncio.wait_for(stream.task, 30)
        left = [stream.sent.get_nowait() for _ in range(stream.sent.qsize())]
        assert b"new secret" not in b"".join(one.get("body", b"") for one in left)


async def test_streams_of_one_person_and_of_a_process_are_limited(
    bell: Bell, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_watch, "MOST_OF_ONE", 1)
    async with Stream(app, bell.who):
        problem(await bell.browser.get("/push/feed/stream", headers=bell.who), 429, "rate_limited")
        monkeypatch.setattr(feed_watch, "MOST", 1)
        monkeypatch.setattr(feed_watch, "MOST_OF_ONE", 9)
        problem(await bell.browser.get("/push/feed/stream", headers=bell.who), 503, "service_busy")
    async with Stream(app, bell.who) as stream:
        assert stream.start["status"] == 200


async def test_a_look_is_for_everybody_whose_bell_is_open(
    api: httpx2.AsyncClient, bell: Bell, app: Any, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many listen, the database is asked once each time, and idle streams ask nothing."""
    asked: list[int] = []
    read = container.store.read

    async def counted(work: Any) -> Any:
        asked.append(1)
        return await read(work)

    streams = [Stream(app, bell.who) for _ in range(8)]
    for one in streams:
        await one.__aenter__()
        await one.next("counts")
    monkeypatch.setattr(container.people.watch, "_every", 0.01)
    object.__setattr__(container.people.watch, "_store", type("Counted", (), {"read": staticmethod(counted)}))
    before = len(asked)
    for _ in range(1_000):
        if len(asked) >= before + 5:
            break
        await asyncio.sleep(0.01)
    assert len(asked) >= before + 5, "one watcher looks"
    one = await told(api, "For all of their pages")
    assert {(await stream.next("item"))["id"] for stream in streams} == {one}
    for stream in streams:
        await stream.__aexit__()


async def test_everyone_but_the_actor_finds_what_a_trigger_told(
    api: httpx2.AsyncClient,
    bell: Bell,
    browser: httpx2.AsyncClient,
    container: Container,
    app_: App,
    clock: FixedClock,
) -> None:
    trigger = {
        "name": "Tell all",
        "event_type": "topic.reply",
        "audience": {"everyone": True},
        "template": {"title": "A reply by {{ actor.id }}"},
    }
    assert (await api.post("/api/v1/triggers", json=trigger)).status_code == 201
    event = {"type": "topic.reply", "actor": "u-43", "data": {}}
    assert (await api.post("/api/v1/events", json=event)).status_code == 202
    await serve(container)
    assert await bell.titles() == ["A reply by u-43"]
    other = Bell(browser, signed(app_, clock, "u-43"))
    assert (await other.titles(), (await other.get())["unread"]) == ([], 0)


async def test_whom_a_rule_names_by_the_thousand_finds_it_once_it_is_filled(
    api: httpx2.AsyncClient, bell: Bell, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidings.pipeline.reach.MOST_NAMED", 1)
    for user, role in (("u-42", "admin"), ("u-43", "admin"), ("u-44", "admin"), ("u-45", "guest")):
        await api.put(f"/api/v1/users/{user}", json={"attributes": {"role": role}})
    trigger = {
        "name": "Tell admins",
        "event_type": "topic.reply",
        "audience": {"users_where": 'user.role == "admin"'},
        "template": {"title": "For {{ user.id }}"},
    }
    assert (await api.post("/api/v1/triggers", json=trigger)).status_code == 201
    await api.post("/api/v1/events", json={"type": "topic.reply", "actor": "u-44", "data": {}})
    await serve(container)
    assert await bell.titles() == []
    await Feeding(store=container.store, bus=LocalBus(), clock=container.clock).look()
    assert (await bell.titles(), (await bell.get())["unread"]) == (["For u-42"], 1)
    app = await container.apps.ensure_first()
    users = ("u-42", "u-43", "u-44", "u-45")
    rows = await container.store.read(lambda tx: [tx.feed.of_user(app.id, one, after=0, limit=9) for one in users])
    assert [len(one) for one in rows] == [1, 1, 0, 0]


async def test_one_that_cannot_be_read_is_given_up_and_holds_up_no_other(
    api: httpx2.AsyncClient, bell: Bell, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = (await api.post("/api/v1/segments", json={"name": "Known", "conditions": 'user.locale == "de"'})).json()
    broken = await told(api, "Broken", to={"segment": segment["id"]})
    await told(api, "Whole", to={"segment": segment["id"]})
    step = feeding.next_step

    def breaks(tx: Transaction, fill: Fill) -> Any:
        found = step(tx, fill)
        if found.notification is not None and found.notification.public_id == broken:
            raise ValueError("cannot be read")
        return found

    monkeypatch.setattr(feeding, "next_step", breaks)
    worker = Feeding(store=container.store, bus=LocalBus(), clock=container.clock)
    await worker.look()
    await worker.look()
    assert await bell.titles() == ["Whole"]
