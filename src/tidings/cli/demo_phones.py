"""Phones in the demo: an iPhone app and an Android app, each with its integration and devices at the simulator."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tidings.cli.demo_people import MARK, Person
from tidings.domain.app import App
from tidings.services.registration import Registration

if TYPE_CHECKING:
    from tidings.wiring import Container

IPHONES = 40
ANDROIDS = 20
PHONES = IPHONES + ANDROIDS

BUNDLE_ID = "com.example.harbour"
PROJECT = "harbour-demo"
TEAM_ID, KEY_ID = "HARBOURDEM", "SIMULATED1"
VERSIONS = ("2.4.0", "2.4.0", "2.3.1")

_IPHONES = ("iPhone 17", "iPhone 16 Pro", "iPhone 15", "iPhone SE", "iPad Air")
_ANDROIDS = ("Pixel 10", "Galaxy S25", "Galaxy A16", "Fairphone 6")
_AT_APPLE = {
    "Unregistered": {"share": 0.05},
    "TooManyRequests": {"share": 0.05, "tries": 1, "retry_after": 1},
    "ServiceUnavailable": {"share": 0.05, "tries": 1},
}
_AT_GOOGLE = {"gone": 0.05, "throttled": 0.05, "unavailable": 0.05}
"""What befalls one in twenty each: the app is gone, the device or the service says to come back later."""

Told = Callable[[str, dict[str, object]], Awaitable[Any]]
"""Tells the simulator something: path and body."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """The phones of one provider: how its credentials and tokens are made, and what each device says of itself."""

    provider: str
    label: str
    account: str
    count: int
    models: tuple[str, ...]
    place: Mapping[str, str]


_KINDS = (
    _Kind("apns", "iPhone app (simulated)", BUNDLE_ID, IPHONES, _IPHONES, {"environment": "production"}),
    _Kind("fcm", "Android app (simulated)", PROJECT, ANDROIDS, _ANDROIDS, {}),
)


async def phones(container: Container, app: App, told: Told, known: Sequence[Person], *, seed: int) -> set[str]:
    """Make the integrations work with the simulator that runs now, and register its phones; give their ids."""
    ids: set[str] = set()
    (apple, tokens), (google, others) = await asyncio.gather(_of_apple(told, seed), _of_google(told, seed))
    for kind, fields, given in zip(_KINDS, (apple, google), (tokens, others), strict=True):
        integration = await _integrated(container, app, kind, fields)
        chance = random.Random(f"{seed} {kind.provider}")  # noqa: S311 - a crowd, not a secret
        registered = await asyncio.gather(
            *(
                container.phones.devices.register(app, _device(kind, integration, token, known, chance), trusted=True)
                for token in given
            )
        )
        ids |= {one.subscription.public_id for one in registered}
    return ids


async def _of_apple(told: Told, seed: int) -> tuple[dict[str, str], list[str]]:
    made = await told("/apns/keys", {"team_id": TEAM_ID, "key_id": KEY_ID, "topics": [BUNDLE_ID]})
    wish = {"count": IPHONES, "topic": BUNDLE_ID, "environment": "production", "faults": _AT_APPLE, "seed": seed}
    devices = (await told("/apns/devices", wish))["devices"]
    fields = {"key": made["key"], "key_id": KEY_ID, "team_id": TEAM_ID, "bundle_id": BUNDLE_ID}
    return fields, [one["token"] for one in devices]


async def _of_google(told: Told, seed: int) -> tuple[dict[str, str], list[str]]:
    account = (await told("/fcm/projects", {"project": PROJECT}))["service_account"]
    wish = {"project": PROJECT, "count": ANDROIDS, "faults": _AT_GOOGLE, "seed": str(seed)}
    return {"service_account": json.dumps(account)}, (await told("/fcm/phones", wish))["tokens"]


async def _integrated(container: Container, app: App, kind: _Kind, fields: dict[str, str]) -> str:
    """Add the integration, or give the one of an earlier start the keys of this simulator; give its id."""
    service = container.phones.integrations
    for one in await container.credentials.integrations(app.id):
        there = one.integration
        if there is not None and one.provider == kind.provider and there.settings.get("account") == kind.account:
            await service.update(app.id, there.public_id, fields=fields)
            return there.public_id
    added = await service.add(app.id, kind.provider, label=kind.label, fields=fields)
    assert added.integration is not None
    return added.integration.public_id


def _device(kind: _Kind, integration: str, token: str, known: Sequence[Person], chance: random.Random) -> Registration:
    person = chance.choice(known)
    return Registration(
        subscription={"provider": kind.provider, "token": token, "integration": integration, **kind.place},
        user_id=person.external_id,
        locale=person.locale,
        time_zone=person.time_zone,
        tags={**MARK, "plan": person.plan, "topic": chance.choice(("ferries", "weather", "market", "culture"))},
        device=chance.choice(kind.models),
        app_version=chance.choice(VERSIONS),
    )
