"""Phones in a campaign: an integration of FCM against the simulator, and devices that registered with it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tidings import wiring
from tidings.domain.app import App
from tidings.domain.subscription import NewSubscription
from tidings.providers import provider
from tidings.settings import Settings
from tidings.simulator.faults import Fault
from tidings.simulator.run import Running
from tidings.wiring import Container

AT_GOOGLE = ("fcm.googleapis.com", "oauth2.googleapis.com")
OF_BROWSERS = ("updates.push.services.mozilla.com", "web.push.apple.com", "wns2-par02p.notify.windows.com")
"""Where the other browsers' messages go; Chrome's go to the first of Google's."""

PROJECT = "tidings-test"


@asynccontextmanager
async def leading_to(simulator: Running, folder: Path, database_url: str | None = None) -> AsyncIterator[Container]:
    """Open an instance for which the addresses of all push services lead to the simulator."""
    settings = Settings(
        data=folder,
        database_url=database_url,
        public_url="https://push.example.com",
        senders=2,
        allow_insecure_endpoints=True,
        push_host_map=led_to(simulator),
    )
    async with wiring.opened(settings) as container:
        yield container


def led_to(simulator: Running) -> list[str]:
    """Give TIDINGS_PUSH_HOST_MAP: every push service's name, and where it is here."""
    apple = {"api.push.apple.com": simulator.apns, "api.sandbox.push.apple.com": simulator.apns_sandbox}
    apple |= {
        "api-manage-broadcast.push.apple.com": simulator.apns,
        "api-manage-broadcast.sandbox.push.apple.com": simulator.apns_sandbox,
    }
    urls = {**dict.fromkeys((*AT_GOOGLE, *OF_BROWSERS), simulator.push), **apple}
    return [f"{host}=127.0.0.1:{urlsplit(url).port}" for host, url in urls.items()]


def account(simulator: Running, project: str = PROJECT) -> str:
    """Give the file of a project's service account."""
    return json.dumps(simulator.fcm.oauth.project(project).file())


async def integrated(container: Container, simulator: Running, app: App, project: str = PROJECT) -> str:
    """Add the integration; give its id."""
    fields = {"service_account": account(simulator, project)}
    added = await container.phones.integrations.add(app.id, "fcm", label=project, fields=fields)
    assert added.integration is not None
    return added.integration.public_id


async def with_phones(
    container: Container,
    simulator: Running,
    app: App,
    integration: str,
    count: int,
    *,
    faults: tuple[tuple[Fault, float], ...] = (),
    project: str = PROJECT,
) -> list[str]:
    """Register phones with an integration; give their tokens."""
    details = await container.phones.integrations.get(app.id, integration)
    key = details.keys[0].credential
    tokens = simulator.fcm.make(project, count, shares=faults, seed=f"phones {count}")
    rows = []
    for token in tokens:
        address, origin = provider("fcm").address_from({"token": token}, policy=container.policy)
        new = NewSubscription(app_id=app.id, provider="fcm", address=address, origin=origin, credential_id=key.id)
        rows.append((new, container.ids.new("sub"), b"h" * 32))
    added = await container.store.write(lambda tx: tx.subscriptions.add_many(rows, now=container.clock.now()))
    assert added == (count, 0)
    return tokens
