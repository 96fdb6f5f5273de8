"""What the public API takes from a browser, and everything it refuses without storing anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from tests.integration.web.instance import Names, base64url, problem, push_subscription

from tidings.services.identity import identity_token
from tidings.wiring import Container

Change = Callable[[dict[str, Any]], None]
ENDPOINT = "https://fcm.googleapis.com/fcm/send/abc"


def endpoint(value: str) -> Change:
    return lambda subscription: subscription.update(endpoint=value)


def key(name: str, value: str) -> Change:
    return lambda subscription: subscription["keys"].update({name: value})


def off_the_curve(subscription: dict[str, Any]) -> None:
    subscription["keys"]["p256dh"] = base64url(b"\x04" + b"\x01" * 64)


BAD = [
    ("a point that is not on the curve", off_the_curve, "subscription_key_invalid"),
    ("a compressed point", key("p256dh", base64url(b"\x02" + b"\x01" * 32)), "subscription_key_invalid"),
    ("a key that is not base64", key("p256dh", "!!!!"), "subscription_key_invalid"),
    ("15 bytes of auth", key("auth", base64url(b"\x01" * 15)), "subscription_auth_invalid"),
    ("17 bytes of auth", key("auth", base64url(b"\x01" * 17)), "subscription_auth_invalid"),
    ("no auth at all", key("auth", ""), "subscription_auth_invalid"),
    ("plain http", endpoint("http://fcm.googleapis.com/fcm/send/abc"), "subscription_endpoint_insecure"),
    ("a user name", endpoint("https://user@fcm.googleapis.com/x"), "subscription_endpoint_userinfo"),
    (
        "our host as a user name",
        endpoint("https://fcm.googleapis.com@evil.example/x"),
        "subscription_endpoint_userinfo",
    ),
    ("another port", endpoint("https://fcm.googleapis.com:8443/x"), "subscription_endpoint_port"),
    ("a fragment", endpoint(f"{ENDPOINT}#x"), "subscription_endpoint_invalid"),
    ("a dotted address", endpoint("https://127.0.0.1/x"), "subscription_endpoint_ip"),
    ("a decimal address", endpoint("https://2130706433/x"), "subscription_endpoint_ip"),
    ("a hexadecimal address", endpoint("https://0x7f000001/x"), "subscription_endpoint_ip"),
    ("an octal address", endpoint("https://0177.0.0.1/x"), "subscription_endpoint_ip"),
    ("a short address", endpoint("https://127.1/x"), "subscription_endpoint_ip"),
    ("an IPv6 address", endpoint("https://[::1]/x"), "subscription_endpoint_ip"),
    ("an IPv4 address in IPv6", endpoint("https://[::ffff:127.0.0.1]/x"), "subscription_endpoint_ip"),
    ("a metadata service", endpoint("https://169.254.169.254/latest"), "subscription_endpoint_ip"),
    (
        "a look-alike behind our host",
        endpoint("https://fcm.googleapis.com.evil.example/x"),
        "subscription_endpoint_forbidden",
    ),
    ("a look-alike before our host", endpoint("https://evilfcm.googleapis.com/x"), "subscription_endpoint_forbidden"),
    ("our host in the path", endpoint("https://evil.example/x.googleapis.com"), "subscription_endpoint_forbidden"),
    ("a misspelt host", endpoint("https://android.chromlum.info/x"), "subscription_endpoint_forbidden"),
    ("a host that redirects", endpoint("https://redirector.gvt1.com/x"), "subscription_endpoint_forbidden"),
    ("localhost", endpoint("https://localhost/x"), "subscription_endpoint_forbidden"),
    ("backslashes", endpoint("https:\\\\fcm.googleapis.com\\x"), "subscription_endpoint_invalid"),
    ("a line break", endpoint("https://fcm.googleapis.com/\nx"), "subscription_endpoint_invalid"),
    ("full-width letters", endpoint("https://\uff46cm.googleapis.com/x"), "subscription_endpoint_invalid"),
    ("no URL", endpoint("abc"), "subscription_endpoint_invalid"),
    ("an endpoint of 3 000 characters", endpoint(ENDPOINT + "a" * 3000), "subscription_endpoint_too_long"),
    ("the endpoint of a removed subscription", endpoint("https://permanently-removed.invalid/fcm"), None),
]


async def stored(api: httpx2.AsyncClient) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await api.get("/api/v1/subscriptions")).json()["data"]
    return rows


@pytest.mark.parametrize(("change", "code"), [(c, code) for _, c, code in BAD], ids=[name for name, _, _ in BAD])
async def test_a_bad_subscription_is_refused_by_its_own_code_and_nothing_is_stored(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str, change: Change, code: str | None
) -> None:
    subscription = push_subscription()
    change(subscription)
    answer = await browser.post("/push/subscribe", json={"subscription": subscription, "vapid_key": vapid_key})
    problem(answer, 422, code or answer.json()["code"])
    assert answer.json()["code"].startswith("subscription_")
    assert await stored(api) == []


async def test_a_body_of_ten_kilobytes_is_refused_before_it_is_read(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str
) -> None:
    subscription = push_subscription("a" * 10_000)
    problem(await browser.post("/push/subscribe", json={"subscription": subscription}), 413, "body_too_large")
    assert await stored(api) == []


async def test_a_name_that_leads_inside_is_refused(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str, names: Names
) -> None:
    names.addresses["fcm.googleapis.com"] = ["142.250.180.10", "10.0.0.5"]
    answer = await browser.post("/push/subscribe", json={"subscription": push_subscription()})
    assert "fcm.googleapis.com" in problem(answer, 422, "subscription_endpoint_private")["detail"]
    assert await stored(api) == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "invalid_json"),
        (b"\xff\xfe", 400, "invalid_json"),
        (b"[]", 422, "invalid_request"),
        (b"{}", 422, "invalid_request"),
        (b'{"subscription": {"endpoint": 5, "keys": {"p256dh": "", "auth": ""}}}', 422, "invalid_request"),
    ],
)
async def test_a_body_that_is_no_registration_is_refused(
    browser: httpx2.AsyncClient, vapid_key: str, body: bytes, status: int, code: str
) -> None:
    answer = await browser.post("/push/subscribe", content=body, headers={"Content-Type": "application/json"})
    problem(answer, status, code)


async def test_a_wrong_field_is_named_by_its_path(browser: httpx2.AsyncClient, vapid_key: str) -> None:
    answer = await browser.post("/push/subscribe", json={"subscription": {"endpoint": "x", "keys": {"auth": ""}}})
    assert problem(answer, 422, "invalid_request")["errors"][0]["field"] == "subscription.keys.p256dh"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"user": {"id": "a\x00b"}}, "user.id"),
        ({"user": {"id": "\x1b]0;mine\x07"}}, "user.id"),
        ({"tags": {"plan": "\x00"}}, "tags[...]"),
        ({"tags": {"pl\x00an": "pro"}}, "tags"),
        ({"locale": "de\x00"}, "locale"),
        ({"time_zone": "\x1b[31m"}, "time_zone"),
        ({"user": {"id": "anna\n"}}, "user.id"),
        ({"id": "sub_\x00", "secret": "0" * 64}, "id"),
        ({"vapid_key": "\x00"}, "vapid_key"),
    ],
)
async def test_a_control_character_is_refused_and_nothing_is_stored(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str, more: dict[str, Any], field: str
) -> None:
    answer = await browser.post("/push/subscribe", json={"subscription": push_subscription(), **more})
    errors = problem(answer, 422, "invalid_request")["errors"]
    assert errors[0]["message"] == "Control characters are not taken."
    assert errors[0]["field"].startswith(field)
    assert await stored(api) == []


async def test_a_form_cannot_subscribe(browser: httpx2.AsyncClient, vapid_key: str) -> None:
    answer = await browser.post("/push/subscribe", content=b"{}", headers={"Content-Type": "text/plain"})
    problem(answer, 415, "content_type_unsupported")


async def test_without_a_key_nobody_can_subscribe(browser: httpx2.AsyncClient) -> None:
    problem(await browser.get("/push/vapid-key"), 404, "vapid_key_missing")
    problem(await browser.post("/push/subscribe", json={"subscription": push_subscription()}), 404, "vapid_key_missing")


async def test_a_key_of_somebody_else_is_refused(browser: httpx2.AsyncClient, vapid_key: str) -> None:
    body = {"subscription": push_subscription(), "vapid_key": "B" + "A" * 86}
    problem(await browser.post("/push/subscribe", json=body), 422, "vapid_key_unknown")


class TestAKnownDevice:
    """Whoever learns an endpoint must not be able to take the device over."""

    @pytest.fixture
    async def registered(self, browser: httpx2.AsyncClient, vapid_key: str) -> dict[str, Any]:
        body = {
            "subscription": push_subscription(),
            "vapid_key": vapid_key,
            "user": {"id": "anna"},
            "tags": {"plan": "pro"},
            "locale": "de-AT",
        }
        answer = await browser.post("/push/subscribe", json=body)
        assert answer.status_code == 201
        return {**body, "secret": answer.json()["secret"], "id": answer.json()["id"]}

    def body(self, registered: dict[str, Any], **changes: Any) -> dict[str, Any]:
        kept = {name: registered[name] for name in ("subscription", "vapid_key")}
        return {**kept, **changes}

    async def row(self, api: httpx2.AsyncClient, registered: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = (await api.get(f"/api/v1/subscriptions/{registered['id']}")).json()
        return found

    async def test_comes_back_without_proof_and_changes_only_locale_and_last_visit(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, registered: dict[str, Any]
    ) -> None:
        body = self.body(registered, locale="fr", tags={"plan": "none"}, user={"id": "anna"})
        answer = await browser.post("/push/subscribe", json=body)
        assert answer.status_code == 200
        assert answer.json() == {"id": registered["id"], "status": "active"}
        row = await self.row(api, registered)
        assert (row["locale"], row["tags"], row["user"]) == ("fr", {"plan": "pro"}, "anna")

    async def test_shows_its_secret_and_may_change_everything(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, registered: dict[str, Any]
    ) -> None:
        body = self.body(registered, secret=registered["secret"], user={"id": "berta"}, tags={})
        answer = await browser.post("/push/subscribe", json=body)
        assert answer.status_code == 200
        assert answer.json()["secret"] == registered["secret"]
        row = await self.row(api, registered)
        assert (row["user"], row["tags"]) == ("berta", {})

    async def test_shows_its_secret_without_a_user_and_is_signed_out(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, registered: dict[str, Any]
    ) -> None:
        await browser.post("/push/subscribe", json=self.body(registered, secret=registered["secret"]))
        row = await self.row(api, registered)
        assert (row["user"], row["tags"]) == (None, {"plan": "pro"})

    @pytest.mark.parametrize("secret", [{}, {"secret": "0" * 64}])
    async def test_never_moves_to_another_user_unproven(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, registered: dict[str, Any], secret: dict[str, str]
    ) -> None:
        body = self.body(registered, user={"id": "mallory"}, **secret)
        problem(await browser.post("/push/subscribe", json=body), 403, "subscription_secret_required")
        assert (await self.row(api, registered))["user"] == "anna"

    async def test_never_changes_its_keys_unproven(
        self, browser: httpx2.AsyncClient, registered: dict[str, Any]
    ) -> None:
        registered["subscription"]["keys"] = push_subscription()["keys"]
        answer = await browser.post("/push/subscribe", json=self.body(registered))
        problem(answer, 403, "subscription_secret_required")

    async def test_moves_with_a_signed_identity_and_gets_a_new_secret(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container, registered: dict[str, Any]
    ) -> None:
        app = await container.apps.resolve(None)
        expires = int(container.clock.now().timestamp()) + 600
        token = identity_token(app.identity_secret, "berta", expires=expires)
        answer = await browser.post("/push/subscribe", json=self.body(registered, user={"id": "berta", "token": token}))
        assert answer.status_code == 200
        assert answer.json()["secret"] not in (None, registered["secret"])
        assert (await self.row(api, registered))["user"] == "berta"

    async def test_is_not_taken_by_somebody_who_knows_its_endpoint_and_can_sign_in(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, container: Container, registered: dict[str, Any]
    ) -> None:
        app = await container.apps.resolve(None)
        expires = int(container.clock.now().timestamp()) + 600
        body = self.body(registered)
        body["subscription"] = {**registered["subscription"], "keys": push_subscription()["keys"]}
        for user, status in (("mallory", 403), ("anna", 200)):
            body["user"] = {"id": user, "token": identity_token(app.identity_secret, user, expires=expires)}
            answer = await browser.post("/push/subscribe", json=body)
            assert answer.status_code == status, user
            assert ("secret" in answer.json()) is (user == "anna")
        assert (await self.row(api, registered))["user"] == "anna"

    async def test_is_turned_off_with_its_secret_alone(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, registered: dict[str, Any]
    ) -> None:
        body = {"endpoint": registered["subscription"]["endpoint"], "secret": "0" * 64}
        problem(await browser.request("DELETE", "/push/subscribe", json=body), 403, "subscription_secret_required")
        body["secret"] = registered["secret"]
        for _ in range(2):
            assert (await browser.request("DELETE", "/push/subscribe", json=body)).status_code == 204
        assert (await self.row(api, registered))["status"] == "unsubscribed"

    async def test_that_was_imported_is_claimed_by_whoever_has_both_its_keys(
        self, api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str
    ) -> None:
        subscription = push_subscription()
        assert (await api.post("/api/v1/subscriptions/import", json=[subscription])).json()["added"] == 1
        stolen = {**subscription, "keys": push_subscription()["keys"]}
        answer = await browser.post("/push/subscribe", json={"subscription": stolen, "user": {"id": "mallory"}})
        problem(answer, 403, "subscription_secret_required")
        body = {"subscription": subscription, "vapid_key": vapid_key, "user": {"id": "anna"}}
        answer = await browser.post("/push/subscribe", json=body)
        assert answer.status_code == 200
        assert answer.json()["secret"]
        again = await browser.post("/push/subscribe", json={**body, "user": {"id": "mallory"}})
        problem(again, 403, "subscription_secret_required")


async def test_a_forged_or_expired_identity_is_refused(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str, container: Container
) -> None:
    app = await container.apps.resolve(None)
    now = int(container.clock.now().timestamp())
    tokens = [
        "nonsense",
        f"{now + 600}.{'0' * 64}",
        identity_token(b"another secret", "anna", expires=now + 600),
        identity_token(app.identity_secret, "berta", expires=now + 600),
        identity_token(app.identity_secret, "anna", expires=now),
    ]
    for token in tokens:
        body = {"subscription": push_subscription(), "user": {"id": "anna", "token": token}}
        problem(await browser.post("/push/subscribe", json=body), 403, "identity_invalid")
    assert await stored(api) == []


async def test_an_app_can_insist_on_signed_identities(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str, container: Container
) -> None:
    app = await container.apps.resolve(None)
    changed = await api.patch(f"/api/v1/apps/{app.public_id}", json={"require_signed_identity": True})
    assert changed.json()["require_signed_identity"] is True
    body: dict[str, Any] = {"subscription": push_subscription(), "user": {"id": "anna"}}
    problem(await browser.post("/push/subscribe", json=body), 403, "identity_invalid")
    secret = (await api.post(f"/api/v1/apps/{app.public_id}/identity-secret")).json()["identity_secret"]
    expires = int(container.clock.now().timestamp()) + 60
    body["user"]["token"] = identity_token(secret.encode(), "anna", expires=expires)
    assert (await browser.post("/push/subscribe", json=body)).status_code == 201


async def test_the_device_is_named_after_its_browser(
    api: httpx2.AsyncClient, browser: httpx2.AsyncClient, vapid_key: str
) -> None:
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
    await browser.post("/push/subscribe", json={"subscription": push_subscription()}, headers={"User-Agent": agent})
    assert [row["device"] for row in await stored(api)] == ["Firefox on Linux"]
