"""An instance in this process: the real store, flow and services behind the real application."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import FastAPI

from tidings.bus import bus_from
from tidings.lib.clock import FixedClock
from tidings.lib.egress import AddressGuard, HostPolicy
from tidings.lib.ids import Ids
from tidings.lib.metrics import Metrics
from tidings.lib.opaque import OpaquePairs
from tidings.pipeline.flow import Flow
from tidings.providers import provider
from tidings.providers.webpush.settings import default_policy
from tidings.services.access import Access
from tidings.services.apps import Apps
from tidings.services.credentials import Credentials
from tidings.services.notifications import Notifications
from tidings.services.subscriptions import Subscriptions
from tidings.services.system import System
from tidings.services.transfers import Transfers
from tidings.services.users import Users
from tidings.settings import Settings
from tidings.storage import Store

OPERATOR = "operator-token"
HOST = "fcm.googleapis.com"


@dataclass
class Names:
    """What names resolve to; a test changes it."""

    addresses: dict[str, list[str]] = field(default_factory=dict)

    async def __call__(self, host: str) -> Sequence[str]:
        return self.addresses.get(host, ["142.250.180.10"])


@dataclass
class Box:
    """What `wiring.Container` holds, with a clock and a resolver that tests steer."""

    settings: Settings
    store: Store
    clock: FixedClock
    ids: Ids
    policy: HostPolicy
    guard: AddressGuard
    flow: Flow
    deliveries: OpaquePairs
    apps: Apps
    access: Access
    credentials: Credentials
    subscriptions: Subscriptions
    transfers: Transfers
    users: Users
    notifications: Notifications
    system: System
    metrics: Metrics
    names: Names


def box(settings: Settings, store: Store, clock: FixedClock) -> Box:
    ids, names, guard = Ids(clock), Names(), AddressGuard()
    policy = default_policy(extra_hosts=settings.extra_push_hosts, mapped_hosts=(), allow_insecure=False)
    deliveries = OpaquePairs(store.sealer.derive("delivery ids"))  # type: ignore[attr-defined]
    flow = Flow(store=store, bus=bus_from(None), clock=clock, ids=ids, deliveries=deliveries, provider=provider)
    subscriptions = Subscriptions(store=store, clock=clock, ids=ids, policy=policy, guard=guard, resolve=names)
    return Box(
        settings=settings,
        store=store,
        clock=clock,
        ids=ids,
        policy=policy,
        guard=guard,
        flow=flow,
        deliveries=deliveries,
        apps=Apps(store=store, clock=clock, ids=ids),
        access=Access(store=store, clock=clock, ids=ids),
        credentials=Credentials(store=store, clock=clock, ids=ids, contact=settings.contact),
        subscriptions=subscriptions,
        transfers=Transfers(store=store, clock=clock, ids=ids, subscriptions=subscriptions),
        users=Users(store=store, clock=clock),
        notifications=Notifications(store=store, flow=flow),
        system=System(store=store, clock=clock, settings=settings),
        metrics=Metrics(),
        names=names,
    )


def client_of(app: FastAPI, **headers: str) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)  # type: ignore[arg-type]
    return httpx2.AsyncClient(transport=transport, base_url="https://push.example.com", headers=headers)


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def push_subscription(path: str = "", host: str = HOST) -> dict[str, Any]:
    """A subscription as a browser makes it, with a real key pair."""
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    raw = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return {
        "endpoint": f"https://{host}/fcm/send/{path or os.urandom(12).hex()}",
        "expirationTime": None,
        "keys": {"p256dh": base64url(raw), "auth": base64url(os.urandom(16))},
    }


def problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """Assert that an answer is an error in the one shape, and give its body."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    assert body["status"] == status
    assert body["type"] == f"https://push.example.com/docs/errors#{code}"
    assert body["title"]
    assert body["detail"]
    assert body["mend"]
    return body
