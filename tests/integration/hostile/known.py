"""What there is in the instance that is to be attacked: ids that open something, and ids that may be used up."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
from tests.integration.hostile.conftest import Running
from tests.integration.web.instance import push_subscription

from support.pictures import picture
from tidings.services.identity import identity_token

NONE = "none_at_all"
CASTING_OFF = ("erase", "identity-secret", "earlier", "cancel", "drop")
"""Last words of paths whose success leaves nothing for those after them, as DELETE does."""

WORDS = {"audience": {"everyone": True}, "template": {"title": "x"}}


@dataclass(frozen=True)
class Known:
    """Values of parameters by name: `there` for most routes, `spare` for those after which they are gone."""

    there: Mapping[str, list[str]]
    spare: Mapping[str, list[str]]
    device: Mapping[str, str]
    subscription: Mapping[str, Any]

    def of(self, method: str, path: str) -> Mapping[str, list[str]]:
        """Give the values for one operation."""
        ends = method == "delete" or path.rpartition("/")[2] in CASTING_OFF
        streams = path.endswith("/feed/stream")
        found = self.spare if ends else self.there
        return {name: values for name, values in found.items() if not (streams and name.startswith("Tidings-"))}


def known(running: Running) -> Known:
    """Make one of everything, and one more to be used up."""
    with running.client() as operator:
        app = operator.get("/api/v1/apps").json()["data"][0]["id"]
        other = _made(operator, "/api/v1/apps", {"name": "To be used up"})
        secret = operator.post(f"/api/v1/apps/{app}/identity-secret").json()["identity_secret"]
        at = {"app": app}
        subscription = push_subscription("known")
        device = operator.post(f"/v1/{app}/push/subscribe", json={"subscription": subscription}).json()
        gone = operator.post(f"/v1/{app}/push/subscribe", json={"subscription": push_subscription()}).json()
        for user in ("u-1", "u-2"):
            assert operator.put(f"/api/v1/users/{user}", params=at, json={}).status_code == 201
            assert operator.put(f"/api/v1/users/{user}/topics/ferries", params=at).status_code == 201
        for key in ("ferry.late", "ferry.gone"):
            assert operator.put(f"/api/v1/event-types/{key}", params=at, json={"name": key}).status_code == 201
        to_all = {"to": {"all": True}, "title": "x"}
        ended, open_ = (_made(operator, "/api/v1/notifications", to_all, at) for _ in range(2))
        assert operator.post(f"/api/v1/notifications/{ended}/cancel", params=at).status_code == 200
        made = [_one_of_each(operator, at, n) for n in range(2)]
        erasure = operator.post(f"/api/v1/subscriptions/{gone['id']}/erase", params=at).json()["id"]
        hook = f"/api/v1/webhooks/{made[0]['webhook_id']}"
        assert operator.post(f"{hook}/test", params=at).status_code == 200
        message = operator.get(f"{hook}/messages", params=at).json()["data"][0]["id"]
        integration = operator.get("/api/v1/integrations", params=at).json()["data"][0]["id"]
    of_all = {
        "member_id": [running.members["ben"], NONE],
        "app": [app],
        "erasure_id": [erasure, NONE],
        "message_id": [message, NONE],
        "provider": ["webpush", NONE],
    }
    token = identity_token(secret.encode(), "u-1", expires=int(time.time()) + 86_400)
    there = {
        **of_all,
        **{name: [value, NONE] for name, value in made[0].items()},
        "app_id": [app],
        "subscription_id": [device["id"], NONE],
        "notification_id": [ended, open_, NONE],
        "external_id": ["u-1", "nobody", "a/b?c#d"],
        "key": ["ferry.late", "new.one"],
        "topic": ["ferries", "none", "a/b"],
        "integration": [integration, "webpush", NONE],
        "Tidings-User": ["u-1"],
        "Tidings-Token": [token],
    }
    spare = {
        **of_all,
        **{name: [value, NONE] for name, value in made[1].items()},
        "app_id": [other],
        "subscription_id": [gone["id"], NONE],
        "notification_id": [ended, NONE],
        "external_id": ["u-2", "nobody"],
        "key": ["ferry.gone", "none.such"],
        "topic": ["ferries", "none"],
    }
    return Known(there, spare, {"id": device["id"], "secret": device["secret"]}, subscription)


def _one_of_each(operator: httpx2.Client, at: Mapping[str, str], n: int) -> dict[str, str]:
    hook = {"url": f"https://hooks.example.com/{n}", "events": ["delivery.failed"]}
    rule = {"name": f"Late {n}", "event_type": "ferry.late", **WORDS}
    segment = {"name": f"All {n}", "conditions": "true"}
    photo = operator.post("/api/v1/images", params=at, content=picture("PNG", (8 + n, 8)))
    assert photo.status_code == 201, photo.text
    return {
        "image_id": str(photo.json()["id"]),
        "webhook_id": _made(operator, "/api/v1/webhooks", hook, at),
        "segment_id": _made(operator, "/api/v1/segments", segment, at),
        "template_id": _made(operator, "/api/v1/templates", {"name": f"Words {n}", "title": "x"}, at),
        "trigger_id": _made(operator, "/api/v1/triggers", rule, at),
        "event_id": _made(operator, "/api/v1/events", {"type": "ferry.late"}, at),
        "key_id": _made(operator, "/api/v1/keys", {"name": f"{n}", "scopes": ["read"]}, at),
        "invitation_id": _made(operator, "/api/v1/invitations", {"email": f"{n}@example.com", "role": "viewer"}, at),
    }


def _made(operator: httpx2.Client, path: str, body: Mapping[str, Any], at: Mapping[str, str] | None = None) -> str:
    answer = operator.post(path, params=at, json=body)
    assert answer.status_code in (201, 202), (path, answer.text)
    found = answer.json()
    return str(found["id"])
