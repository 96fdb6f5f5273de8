"""The page that asks where notifications have no buttons: whoever has the link answers once, and may change it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from tests.integration.web.instance import push_subscription

from tidings.domain.campaign import NotificationStatus
from tidings.lib.clock import FixedClock
from tidings.web.public.answer_words import WORDS, language_of
from tidings.wiring import Container

QUESTION: dict[str, Any] = {
    "to": {"all": True},
    "title": "Was the ferry <on> time?",
    "body": "One tap is enough.",
    "actions": [
        {"id": "yes", "title": "Yes & happy"},
        {"id": "no", "title": "No"},
        {"id": "map", "title": "Map", "url": "https://www.example.com/map?a=1&b=2"},
    ],
    "locales": {"de": {"title": "War die Fähre pünktlich?", "body": "", "actions": {"yes": "Ja", "no": "Nein"}}},
    "ttl": 3_600,
}


class Asked:
    """A notification that was sent to two devices, and the links of both."""

    def __init__(self, container: Container, browser: httpx2.AsyncClient, api: httpx2.AsyncClient) -> None:
        self.container, self.browser, self.api = container, browser, api
        self.notification = ""
        self.links: list[str] = []

    async def ask(self, question: dict[str, Any] = QUESTION) -> Asked:
        ids = []
        for locale in ("en", "de-AT"):
            body = {"subscription": push_subscription(), "locale": locale}
            ids.append((await self.browser.post("/push/subscribe", json=body)).json()["id"])
        sent = await self.api.post("/api/v1/notifications", json=question)
        assert sent.status_code == 202, sent.text
        self.notification = sent.json()["id"]
        app = await self.container.apps.ensure_first()
        row = await self.container.store.read(lambda tx: tx.notifications.get(app.id, self.notification))
        devices = [
            await self.container.store.read(lambda tx, one=one: tx.subscriptions.get(app.id, one))  # type: ignore[misc]
            for one in ids
        ]
        assert row is not None
        pairs = self.container.deliveries.encode_many([(row.id, one.id) for one in devices if one is not None])
        self.links = [f"/v1/{app.public_id}/push/answers/{delivery}/{token}" for delivery, token in pairs]
        return self

    async def answer(self, link: str, action: str) -> httpx2.Response:
        answer = await self.browser.post(link, data={"action": action})
        if answer.status_code == 303:
            return await self.browser.get(answer.headers["location"])
        return answer

    async def counted(self) -> tuple[int, dict[str, int]]:
        found = (await self.api.get(f"/api/v1/notifications/{self.notification}")).json()
        return found["counts"]["answered"], found["answers"]


@pytest.fixture
async def asked(container: Container, browser: httpx2.AsyncClient, api: httpx2.AsyncClient, vapid_key: str) -> Asked:
    return await Asked(container, browser, api).ask()


def buttons(page: httpx2.Response) -> list[tuple[str, str]]:
    return re.findall(r'<button name="action" value="(\w+)"[^>]*>([^<]*)</button>', page.text)


async def test_it_asks_in_words_that_are_safe_and_changes_nothing_by_being_looked_at(asked: Asked) -> None:
    page = await asked.browser.get(asked.links[0])
    assert page.status_code == 200
    assert "Was the ferry &lt;on&gt; time?" in page.text
    assert "<on>" not in page.text
    assert buttons(page) == [("yes", "Yes &amp; happy"), ("no", "No")]
    assert '<a href="https://www.example.com/map?a=1&amp;b=2"' in page.text
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "form-action 'self'" in policy
    assert "<script" not in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert await asked.counted() == (0, {})


async def test_an_answer_counts_once_and_can_be_changed(asked: Asked) -> None:
    thanked = await asked.answer(asked.links[0], "yes")
    assert "Thank you! Your answer: Yes &amp; happy" in thanked.text
    assert await asked.counted() == (1, {"yes": 1})
    await asked.answer(asked.links[0], "yes")
    assert await asked.counted() == (1, {"yes": 1})
    changed = await asked.answer(asked.links[0], "no")
    assert "Your answer: No" in changed.text
    assert 'value="no" aria-pressed="true"' in changed.text
    assert await asked.counted() == (1, {"no": 1})
    await asked.answer(asked.links[1], "yes")
    assert await asked.counted() == (2, {"no": 1, "yes": 1})


async def test_it_speaks_the_language_of_the_device(asked: Asked) -> None:
    page = await asked.browser.get(asked.links[1])
    assert '<html lang="de">' in page.text
    assert buttons(page) == [("yes", "Ja"), ("no", "Nein")]
    assert "One tap" not in page.text
    assert "Antwort: Ja</p>" in (await asked.answer(asked.links[1], "yes")).text


async def test_a_link_says_nothing_of_who_got_the_device_since(
    container: Container, browser: httpx2.AsyncClient, api: httpx2.AsyncClient, vapid_key: str, clock: FixedClock
) -> None:
    for user, name in (("anna", "Anna A."), ("bert", "Bert Secret")):
        await api.put(f"/api/v1/users/{user}", json={"attributes": {"name": name}, "locale": "en"})
    device = push_subscription()
    kept = (await browser.post("/push/subscribe", json={"subscription": device, "user": {"id": "anna"}})).json()
    words = {"title": "Hi {{ user.name | default: 'you' }}, come?", "actions": [{"id": "yes", "title": "Yes"}]}
    template = (await api.post("/api/v1/templates", json={"name": "Asks", **words})).json()
    sent = await api.post("/api/v1/notifications", json={"to": {"users": ["anna"]}, "template": template["id"]})
    app = await container.apps.ensure_first()
    row = await container.store.read(lambda tx: tx.notifications.get(app.id, sent.json()["id"]))
    found = await container.store.read(lambda tx: tx.subscriptions.get(app.id, kept["id"]))
    assert row is not None
    assert found is not None
    ((delivery, token),) = container.deliveries.encode_many([(row.id, found.id)])
    link = f"/v1/{app.public_id}/push/answers/{delivery}/{token}"
    assert "Hi Anna A., come?" in (await browser.get(link)).text
    clock.at += timedelta(seconds=1)
    taken = {"subscription": device, "user": {"id": "bert"}, "id": kept["id"], "secret": kept["secret"]}
    assert (await browser.post("/push/subscribe", json=taken)).status_code in (200, 201)
    page = await browser.get(link)
    assert "Hi you, come?" in page.text
    answered = await browser.post(link, data={"action": "yes"}, follow_redirects=True)
    for one in (page, answered):
        assert "Bert" not in one.text
        assert "Anna" not in one.text


async def test_it_takes_answers_after_the_time_to_live(asked: Asked, clock: FixedClock) -> None:
    clock.at += timedelta(days=2)
    assert "Thank you!" in (await asked.answer(asked.links[0], "no")).text
    assert (await asked.counted())[1] == {"no": 1}


@pytest.mark.parametrize("action", ["", "maybe", "map", "yes\x00"])
async def test_what_was_not_asked_is_no_answer(asked: Asked, action: str) -> None:
    assert (await asked.answer(asked.links[0], action)).status_code == 410
    assert await asked.counted() == (0, {})


async def test_links_that_we_did_not_make_lead_to_a_kind_word(asked: Asked) -> None:
    app, delivery, token = asked.links[0].split("/push/answers/")[0], *asked.links[0].split("/")[-2:]
    for link in (f"{app}/push/answers/{delivery}/{token[::-1]}", f"{app}/push/answers/x/y"):
        page = await asked.browser.get(link, headers={"accept-language": "fr-CA, en;q=0.5"})
        assert page.status_code == 404
        assert "Ce lien ne mène nulle part." in page.text
        assert (await asked.browser.post(link, data={"action": "yes"})).status_code == 404


async def test_another_apps_link_is_none(asked: Asked) -> None:
    other = (await asked.container.apps.create("Second")).app
    link = f"/v1/{other.public_id}/push/answers/" + asked.links[0].split("/push/answers/")[1]
    assert (await asked.browser.get(link)).status_code == 404


async def test_when_the_details_have_had_their_time_the_question_is_closed(asked: Asked) -> None:
    store, now = asked.container.store, asked.container.clock.now()
    await asked.answer(asked.links[0], "yes")
    app = await asked.container.apps.ensure_first()
    row = await store.read(lambda tx: tx.notifications.get(app.id, asked.notification))
    assert row is not None
    done, anyhow = NotificationStatus.DONE, tuple(NotificationStatus)
    await store.write(lambda tx: tx.notifications.set_status(row.id, done, allowed_from=anyhow, now=now))
    while await store.write(lambda tx: tx.retention.clear_details(row.id, limit=100, now=now)):
        pass
    for link in asked.links:
        page = await asked.answer(link, "no")
        assert page.status_code == 410
        assert "Thank you for wanting to answer." in page.text
    assert await asked.counted() == (1, {"yes": 1})


async def test_whoever_was_erased_is_asked_nothing(asked: Asked) -> None:
    app = await asked.container.apps.ensure_first()
    (first, _) = (await asked.api.get("/api/v1/subscriptions")).json()["data"]
    await asked.api.post(f"/api/v1/subscriptions/{first['id']}/erase", params={"app": app.public_id})
    statuses = sorted([(await asked.browser.get(link)).status_code for link in asked.links])
    assert statuses == [200, 410]


async def test_what_asks_nothing_has_no_page(
    container: Container, browser: httpx2.AsyncClient, api: httpx2.AsyncClient, vapid_key: str
) -> None:
    asked = await Asked(container, browser, api).ask(
        {"to": {"all": True}, "title": "x", "actions": [QUESTION["actions"][2]]}
    )
    assert (await asked.browser.get(asked.links[0])).status_code == 410


async def test_a_templated_question_has_each_persons_words(
    container: Container, browser: httpx2.AsyncClient, api: httpx2.AsyncClient, vapid_key: str
) -> None:
    made = await api.post(
        "/api/v1/templates",
        json={
            "name": "Ask",
            "title": "Is {{ place }} nice, {{ user.name | default: 'friend' }}?",
            "actions": [{"id": "y", "title": "Yes"}],
        },
    )
    assert made.status_code == 201, made.text
    templated = {"to": {"all": True}, "template": made.json()["id"], "variables": {"place": "Rab"}}
    asked = await Asked(container, browser, api).ask(templated)
    assert "Is Rab nice, friend?" in (await browser.get(asked.links[0])).text


def test_languages_are_found_in_tags_and_in_what_browsers_say() -> None:
    assert language_of("pt-BR") == "pt"
    assert language_of(None, "xx", "sv, nl;q=0.8, en;q=0.5") == "nl"
    assert language_of("det", "deutsch", "") == "en"
    assert language_of(";;,,*", "x" * 10_000) == "en"
    for words in WORDS.values():
        assert "{answer}" in words.thanks
