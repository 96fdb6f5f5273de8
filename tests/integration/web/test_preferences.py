"""Preferences at the wire: by the person, by the App's server, and with one click of a link."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from tests.integration.web.instance import problem, push_subscription

from tidings.domain.app import App
from tidings.lib.clock import FixedClock
from tidings.services.identity import identity_token
from tidings.storage import Transaction
from tidings.wiring import Container

TYPES = [
    {"key": "topic.reply", "name": "Replies", "category": "Discussions", "description": "Somebody answers you."},
    {"key": "badge.awarded", "name": "Badges", "category": "Discussions", "defaults": {"push": False, "feed": True}},
    {"key": "account.locked", "name": "Account locked", "category": "Account", "mandatory": True},
]

MANDATORY = {"account.locked": (True, True)}


def signed(app: App, clock: FixedClock, user: str = "u-42") -> dict[str, str]:
    expires = int((clock.now() + timedelta(hours=1)).timestamp())
    token = identity_token(app.identity_secret, user, expires=expires)
    return {"Tidings-User": quote(user, safe=""), "Tidings-Token": token}


@pytest.fixture
async def app_(container: Container, api: httpx2.AsyncClient) -> App:
    for one in TYPES:
        body = {name: value for name, value in one.items() if name != "key"}
        answer = await api.put(f"/api/v1/event-types/{one['key']}", json=body)
        assert answer.status_code == 201, answer.text
    return await container.apps.ensure_first()


def switches(answer: httpx2.Response) -> dict[str, tuple[bool, bool]]:
    assert answer.status_code == 200, answer.text
    return {one["type"]: (one["push"]["enabled"], one["feed"]["enabled"]) for one in answer.json()["event_types"]}


async def test_a_person_reads_and_turns_their_own_switches(
    browser: httpx2.AsyncClient, app_: App, clock: FixedClock
) -> None:
    who = signed(app_, clock)
    found = await browser.get("/push/preferences", headers=who)
    assert switches(found) == {
        **MANDATORY,
        "badge.awarded": (False, True),
        "topic.reply": (True, True),
    }
    assert (found.json()["quiet_hours"], found.json()["quiet_hours_from"]) == (None, "app")
    assert found.json()["event_types"][2] == {
        "type": "topic.reply",
        "name": "Replies",
        "description": "Somebody answers you.",
        "category": "Discussions",
        "mandatory": False,
        "push": {"enabled": True, "default": True},
        "feed": {"enabled": True, "default": True},
    }
    body = {"event_types": {"topic.reply": {"push": False}, "badge.awarded": {"push": True, "feed": False}}}
    assert switches(await browser.put("/push/preferences", json=body, headers=who))["badge.awarded"] == (True, False)
    back = {"event_types": {"badge.awarded": {"push": None}}}
    found = await browser.put("/push/preferences", json=back, headers=who)
    assert switches(found) == {
        **MANDATORY,
        "badge.awarded": (False, False),
        "topic.reply": (False, True),
    }
    other = await browser.get("/push/preferences", headers=signed(app_, clock, "Ärger/7"))
    assert switches(other)["topic.reply"] == (True, True)


async def test_quiet_hours_are_the_persons_or_the_apps_or_none(
    browser: httpx2.AsyncClient, api: httpx2.AsyncClient, app_: App, clock: FixedClock
) -> None:
    who = signed(app_, clock)

    async def said(quiet: object) -> tuple[Any, str]:
        answer = await browser.put("/push/preferences", json={"quiet_hours": quiet}, headers=who)
        assert answer.status_code == 200, answer.text
        return answer.json()["quiet_hours"], answer.json()["quiet_hours_from"]

    night = {"from": "22:00", "to": "07:00", "time_zone": "Europe/Vienna"}
    assert (await api.put("/api/v1/quiet-hours", json={"from": "21:30", "to": "06:00"})).status_code == 200
    of_app = {"from": "21:30", "to": "06:00", "time_zone": None}
    assert (await api.get("/api/v1/quiet-hours")).json() == {"quiet_hours": of_app}
    assert await said("default") == (of_app, "app")
    assert await said(night) == (night, "person")
    assert await said(None) == (None, "person")
    assert (await api.delete("/api/v1/quiet-hours")).status_code == 204
    assert await said("default") == (None, "app")
    assert (await api.get("/api/v1/quiet-hours")).json() == {"quiet_hours": None}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"event_types": {"no.such": {"push": False}}}, 422, "event_type_unknown"),
        ({"event_types": {"account.locked": {"push": False}}}, 409, "preference_mandatory"),
        ({"event_types": {"account.locked": {"feed": False}}}, 409, "preference_mandatory"),
        ({"event_types": {"topic.reply": {"email": False}}}, 422, "invalid_request"),
        ({"event_types": {"topic.reply": {"push": "no"}}}, 422, "invalid_request"),
        ({"quiet_hours": {"from": "22:00", "to": "24:00"}}, 422, "invalid_request"),
        ({"quiet_hours": {"from": "22:00", "to": "22:00"}}, 422, "invalid_request"),
        ({"quiet_hours": {"from": "22:00", "to": "07:00", "time_zone": "Mars/Olympus"}}, 422, "invalid_request"),
        ({"quiet_hours": "always"}, 422, "invalid_request"),
        ({"colour": "red"}, 422, "invalid_request"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_changes_nothing(
    browser: httpx2.AsyncClient,
    api: httpx2.AsyncClient,
    app_: App,
    clock: FixedClock,
    body: dict[str, Any],
    status: int,
    code: str,
) -> None:
    who = signed(app_, clock)
    before = (await browser.get("/push/preferences", headers=who)).json()
    change = body | {"event_types": {"topic.reply": {"push": False}} | body.get("event_types", {})}
    problem(await browser.put("/push/preferences", json=change, headers=who), status, code)
    problem(await api.put("/api/v1/users/u-42/preferences", json=change), status, code)
    assert (await browser.get("/push/preferences", headers=who)).json() == before


@pytest.mark.parametrize("path", ["/preferences", "/topics", "/feed", "/feed/stream"])
async def test_nobody_reads_for_another(browser: httpx2.AsyncClient, app_: App, clock: FixedClock, path: str) -> None:
    mine = signed(app_, clock)
    for headers, status, code in (
        ({}, 401, "identity_required"),
        ({"Tidings-User": "u-42"}, 401, "identity_required"),
        ({**mine, "Tidings-User": "u-43"}, 403, "identity_invalid"),
        ({**mine, "Tidings-Token": mine["Tidings-Token"].replace(".", ".0")}, 403, "identity_invalid"),
        ({**mine, "Tidings-User": "u%0042"}, 403, "identity_invalid"),
    ):
        problem(await browser.get(f"/push{path}", headers=headers), status, code)
    clock.at += timedelta(seconds=3_601)
    problem(await browser.get(f"/push{path}", headers=mine), 403, "identity_invalid")


async def test_pages_of_the_apps_sites_may_ask_and_others_may_not(browser: httpx2.AsyncClient, app_: App) -> None:
    asks = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "tidings-user,tidings-token"}
    answer = await browser.options("/push/preferences", headers={"Origin": "http://localhost:8000", **asks})
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-methods"] == "GET, PUT"
    assert {"Tidings-User", "Tidings-Token"} <= set(answer.headers["access-control-allow-headers"].split(", "))
    assert (await browser.options("/push/feed", headers={"Origin": "https://evil.example", **asks})).status_code == 403


async def test_the_apps_server_changes_them_in_a_persons_name(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, app_: App, clock: FixedClock
) -> None:
    body = {"event_types": {"topic.reply": {"push": False}}, "quiet_hours": {"from": "22:00", "to": "07:00"}}
    answer = await api.put("/api/v1/users/team/u-42/preferences", json=body)
    assert switches(answer)["topic.reply"] == (False, True)
    assert (
        switches(await browser.get("/push/preferences", headers=signed(app_, clock, "team/u-42")))["topic.reply"][0]
        is False
    )
    assert (await api.get("/api/v1/users/team/u-42/preferences")).json()["quiet_hours"]["to"] == "07:00"
    log = (await api.get("/api/v1/audit")).json()["data"]
    assert log[0]["action"] == "preferences.changed"
    assert "u-42" not in str(log[0])


async def test_one_click_turns_it_off_and_another_on_again(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, app_: App
) -> None:
    listed = (await api.get("/api/v1/users/u-42/preferences")).json()["event_types"]
    link = next(one["unsubscribe_url"] for one in listed if one["type"] == "topic.reply")
    assert link.startswith(f"https://push.example.com/v1/{app_.public_id}/push/unsubscribe?user=u-42&type=topic.reply&")

    async def push() -> bool:
        return switches(await api.get("/api/v1/users/u-42/preferences"))["topic.reply"][0]

    shown = await browser.get(link)
    assert (shown.status_code, await push()) == (200, True), "to look changes nothing"
    assert "Turn off “Replies”?" in shown.text
    assert "script" not in shown.headers["content-security-policy"]
    assert 'method="post"' in shown.text
    # As a mail program does it (RFC 8058 §3.2): no cookie, no page, another origin.
    done = await browser.post(link, content="List-Unsubscribe=One-Click", headers={"Origin": "null"})
    assert (done.status_code, await push()) == (200, False)
    assert "“Replies” is off" in done.text
    assert (await browser.post(link, content="List-Unsubscribe=One-Click")).status_code == 200
    assert "is off" in (await browser.get(link)).text
    undone = await browser.post(link, content="undo=1")
    assert ("is on" in undone.text, await push()) == (True, True)


async def test_a_link_opens_nothing_but_what_it_is_for(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, app_: App
) -> None:
    listed = (await api.get("/api/v1/users/u-42/preferences")).json()["event_types"]
    links = {one["type"]: one["unsubscribe_url"] for one in listed}
    link = links["topic.reply"]
    for bad in (
        link.replace("u-42", "u-43"),
        link.replace("topic.reply", "badge.awarded"),
        link[:-1],
        link + "0",
        re.sub(r"signature=.*", "signature=", link),
        f"/v1/{app_.public_id}/push/unsubscribe",
        f"/v1/{app_.public_id}/push/unsubscribe?delivery=00&token=00",
    ):
        for answer in (await browser.get(bad), await browser.post(bad)):
            assert (answer.status_code, "leads to nothing" in answer.text) == (404, True), bad
    assert switches(await api.get("/api/v1/users/u-43/preferences"))["topic.reply"][0]
    mandatory = await browser.post(links["account.locked"])
    assert (mandatory.status_code, "cannot be turned off" in mandatory.text) == (409, True)


async def test_every_push_carries_such_a_link_in_its_id_and_token(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container, app_: App, vapid_key: str
) -> None:
    body = {"subscription": push_subscription(), "vapid_key": vapid_key, "user": {"id": "u-42"}}
    made = await browser.post("/push/subscribe", json=body)
    assert made.status_code == 201
    sent = await api.post(
        "/api/v1/notifications", json={"to": {"users": ["u-42"]}, "title": "Anna answers", "type": "topic.reply"}
    )
    assert sent.status_code == 202, sent.text

    def ids(tx: Transaction) -> tuple[int, int]:
        found = tx.notifications.get(app_.id, sent.json()["id"])
        (device,) = tx.subscriptions.page(app_.id, after=0, limit=2)
        assert found is not None
        return found.id, device.id

    ((delivery, token),) = container.deliveries.encode_many([await container.store.read(ids)])
    link = f"/v1/{app_.public_id}/push/unsubscribe?delivery={delivery}&token={token}"
    # Somebody else signs in on the device: the old push is none of theirs, and turns nothing of theirs off.
    other = {**body, **made.json(), "user": {"id": "u-43"}}
    other.pop("status")
    assert (await browser.post("/push/subscribe", json=other)).status_code == 200
    for answer in (await browser.get(link), await browser.post(link)):
        assert (answer.status_code, "leads to nothing" in answer.text) == (404, True)
    assert switches(await api.get("/api/v1/users/u-43/preferences"))["topic.reply"] == (True, True)
    assert (await browser.post("/push/subscribe", json={**other, "user": {"id": "u-42"}})).status_code == 200
    assert "Turn off “Replies”?" in (await browser.get(link)).text
    assert (await browser.post(link)).status_code == 200
    assert switches(await api.get("/api/v1/users/u-42/preferences"))["topic.reply"] == (False, True)


@pytest.mark.parametrize("to", [{"all": True}, {"tags": {"floor": "2"}}, {"subscriptions": []}, {"segment": ""}])
async def test_a_link_in_a_push_to_many_turns_nothing_off_for_whoever_has_the_device_since(
    api: httpx2.AsyncClient,
    browser: httpx2.AsyncClient,
    container: Container,
    app_: App,
    vapid_key: str,
    clock: FixedClock,
    to: dict[str, object],
) -> None:
    body = {"subscription": push_subscription(), "vapid_key": vapid_key, "tags": {"floor": "2"}}
    made = await browser.post("/push/subscribe", json={**body, "user": {"id": "u-42"}})
    assert made.status_code == 201
    if "subscriptions" in to:
        to = {"subscriptions": [made.json()["id"]]}
    if "segment" in to:
        segment = {"name": "Somebody", "conditions": 'subscription.tags.floor == "2"'}
        to = {"segment": (await api.post("/api/v1/segments", json=segment)).json()["id"]}
    clock.at += timedelta(minutes=1)
    sent = await api.post("/api/v1/notifications", json={"to": to, "title": "Low tide", "type": "topic.reply"})
    assert sent.status_code == 202, sent.text

    def ids(tx: Transaction) -> tuple[int, int]:
        found = tx.notifications.get(app_.id, sent.json()["id"])
        (device,) = tx.subscriptions.page(app_.id, after=0, limit=2)
        assert found is not None
        return found.id, device.id

    ((delivery, token),) = container.deliveries.encode_many([await container.store.read(ids)])
    link = f"/v1/{app_.public_id}/push/unsubscribe?delivery={delivery}&token={token}"
    assert "Turn off “Replies”?" in (await browser.get(link)).text
    clock.at += timedelta(minutes=1)
    secret = {"id": made.json()["id"], "secret": made.json()["secret"]}
    moved = await browser.post("/push/subscribe", json={**body, **secret, "user": {"id": "u-43"}})
    assert moved.status_code == 200, moved.text
    for answer in (await browser.get(link), await browser.post(link)):
        assert (answer.status_code, "leads to nothing" in answer.text) == (404, True)
    assert switches(await api.get("/api/v1/users/u-43/preferences"))["topic.reply"] == (True, True)


GERMAN = {"name": "Antworten", "description": "Jemand antwortet dir.", "category": "Diskussionen"}


async def in_languages(api: httpx2.AsyncClient, app: App, *, person: str | None, app_language: str | None) -> None:
    """Name the replies in German and Portuguese too, and say what the person and the App speak."""
    body = {name: value for name, value in TYPES[0].items() if name != "key"}
    locales = {"de": GERMAN, "pt-BR": {"name": "Respostas {app}"}}
    assert (await api.put("/api/v1/event-types/topic.reply", json={**body, "locales": locales})).status_code == 200
    if person:
        await api.put("/api/v1/users/u-42", json={"locale": person})
    if app_language:
        await api.patch(f"/api/v1/apps/{app.public_id}", json={"language": app_language})


def reply_in(answer: httpx2.Response) -> dict[str, str]:
    assert answer.status_code == 200, answer.text
    (found,) = (one for one in answer.json()["event_types"] if one["type"] == "topic.reply")
    return {key: found[key] for key in GERMAN}


@pytest.mark.parametrize(
    ("locale", "accepts", "person", "of_app", "name"),
    [
        (None, None, None, None, "Replies"),
        ("de-AT", "pt-BR", "pt-BR", None, "Antworten"),
        (None, "fr-FR,fr;q=0.9,de;q=0.8", None, "pt-BR", "Antworten"),
        (None, "en-GB,de;q=0.5", "de", "de", "Replies"),
        ("fr", "de", "pt-BR", "de", "Respostas {app}"),
        ("fr", None, "fr", "de", "Antworten"),
        ("fr", None, "fr", "ja", "Replies"),
        ("not a tag", "de", None, None, "Antworten"),
    ],
)
async def test_names_are_in_the_language_of_device_person_or_app(
    api: httpx2.AsyncClient,
    browser: httpx2.AsyncClient,
    app_: App,
    clock: FixedClock,
    locale: str | None,
    accepts: str | None,
    person: str | None,
    of_app: str | None,
    name: str,
) -> None:
    await in_languages(api, app_, person=person, app_language=of_app)
    headers = signed(app_, clock) | ({"Accept-Language": accepts} if accepts else {})
    query = {"locale": locale} if locale else {}
    said = reply_in(await browser.get("/push/preferences", headers=headers, params=query))
    assert said["name"] == name
    assert said == reply_in(await browser.put("/push/preferences", json={}, headers=headers, params=query))
    if name == "Antworten":
        assert said == GERMAN
    if name.startswith("Respostas"):
        assert said == {**GERMAN, "name": name, "description": "Somebody answers you.", "category": "Discussions"}


async def test_the_apps_server_reads_names_in_the_persons_language_or_in_another(
    api: httpx2.AsyncClient, app_: App
) -> None:
    await in_languages(api, app_, person="de", app_language=None)
    path = "/api/v1/users/u-42/preferences"
    assert reply_in(await api.get(path)) == GERMAN == reply_in(await api.put(path, json={}))
    assert reply_in(await api.get(path, params={"locale": "en"}))["name"] == "Replies"
    problem(await api.get(path, params={"locale": "no tag"}), 422, "invalid_request")


async def test_the_page_that_turns_one_off_speaks_the_persons_language(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, app_: App
) -> None:
    await in_languages(api, app_, person="pt-BR", app_language="de")
    listed = (await api.get("/api/v1/users/u-42/preferences")).json()["event_types"]
    links = {one["type"]: one["unsubscribe_url"] for one in listed}
    german = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}
    asked = await browser.get(links["topic.reply"], headers=german)
    assert "„Antworten“ abschalten?" in asked.text
    assert '<html lang="de">' in asked.text
    done = await browser.post(links["topic.reply"], content="List-Unsubscribe=One-Click", headers=german)
    assert "„Antworten“ ist aus" in done.text
    assert "Wieder einschalten" in done.text
    # A mail program says no language: then that of the person. What is named like a gap of the page is only a name.
    undone = await browser.post(links["topic.reply"], content="undo=1")
    assert "“Respostas {app}” está ativado" in undone.text
    always = await browser.post(links["account.locked"], headers=german)
    assert (always.status_code, "lässt sich nicht abschalten" in always.text) == (409, True)
    gone = await browser.get(links["topic.reply"] + "0", headers=german)
    assert (gone.status_code, "führt ins Leere" in gone.text, '<html lang="de">' in gone.text) == (404, True, True)


async def test_the_page_says_that_it_still_comes_to_the_bell_where_it_does(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, app_: App
) -> None:
    path = "/api/v1/users/u-42/preferences"
    kind = "topic.reply"
    link = next(one["unsubscribe_url"] for one in (await api.get(path)).json()["event_types"] if one["type"] == kind)
    assert "still comes to the bell" in (await browser.get(link)).text
    await api.put(path, json={"event_types": {kind: {"feed": False}}})
    shown = (await browser.get(link)).text
    assert ("Turn off “Replies”?" in shown, "bell" in shown) == (True, False)


async def test_a_switch_that_there_is_not_is_named(browser: httpx2.AsyncClient, app_: App, clock: FixedClock) -> None:
    body = {"event_types": {"topic.reply": {"sms": False}}}
    answer = await browser.put("/push/preferences", json=body, headers=signed(app_, clock))
    assert problem(answer, 422, "invalid_request")["detail"] == "event_types[...].sms: There is no such field here."
