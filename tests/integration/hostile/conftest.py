"""A whole instance behind a real socket, in a thread of its own, for callers that wait for their answers."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.integration.web.instance import OPERATOR, Names

from support.members import member_of
from tidings.bus import bus_from
from tidings.cli.serving import served
from tidings.domain.member import Member
from tidings.domain.permission import Role
from tidings.lib.clock import SystemClock
from tidings.lib.sealed import KeyRing
from tidings.services.sessions import Visit
from tidings.settings import Settings
from tidings.storage.open import open_store
from tidings.web.app import create_app
from tidings.web.callers import cookie_name
from tidings.wiring import Container, assembled

MEMBER = "member"
"""In place of a key's scope: a person at a browser, who may do everything, and what no key may besides."""


@dataclass
class Running:
    """Where it listens, what its document says, and keys by what they may do ("" is none)."""

    url: str = ""
    document: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)
    """Ids of a super admin, who calls, and of somebody to whom things are done."""
    sign_in: Callable[[], str] = field(default=str)
    """Gives the cookie of a new session of the super admin: a request may end the one that it comes with."""

    def client(self, scope: str = "operator") -> httpx2.Client:
        return httpx2.Client(base_url=self.url, headers=self.headers(scope), trust_env=False, timeout=60)

    def headers(self, scope: str) -> dict[str, str]:
        if scope == MEMBER:
            return {"Cookie": self.sign_in()}
        return {"Authorization": f"Bearer {self.keys[scope]}"} if self.keys[scope] else {}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An instance without limits and with a VAPID key; it answers until the module's tests end."""
    found, ready, stop = Running(), threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_live(tmp_path_factory.mktemp("data"), found, ready, stop)))
    thread.start()
    try:
        assert ready.wait(120)
        found.keys = {"": "", "operator": OPERATOR}
        with found.client() as operator:
            made = operator.post("/api/v1/integrations/webpush/keys", json={"subject": "mailto:ops@example.com"})
            assert made.status_code == 201, made.text
            for scope in ("admin", "send", "read"):
                made = operator.post("/api/v1/keys", json={"name": scope, "scopes": [scope]})
                found.keys[scope] = made.json()["key"]
            found.document = operator.get("/openapi.json").json()
        yield found
    finally:
        stop.set()
        thread.join(60)


async def _live(folder: Path, found: Running, ready: threading.Event, stop: threading.Event) -> None:
    store = open_store(database_url=None, folder=folder, ring=KeyRing.generate())
    settings = Settings(data=folder, rate_limits=False)
    container = assembled(settings, store=store, bus=bus_from(None), clock=SystemClock(), resolve=Names())
    site = await container.apps.ensure_first()
    anna = await member_of(container, {site.id: Role.OWNER}, super_admin=True, password="three quiet ferries")
    ben = await member_of(container, {site.id: Role.EDITOR})
    found.members = {"anna": anna.public_id, "ben": ben.public_id}
    loop = asyncio.get_running_loop()
    found.sign_in = lambda: asyncio.run_coroutine_threadsafe(_session_of(container, anna), loop).result(60)
    app = create_app(container, operator_token=OPERATOR)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with served(app, listener, stopping=app.state.stopping):
            ready.set()
            await asyncio.to_thread(stop.wait)
    await store.close()


async def _session_of(container: Container, member: Member) -> str:
    token = await container.access.new_setup_token(member=member)
    opened = await container.accounts.sign_in.with_link(token, visit=Visit(None, "A test"))
    return f"{cookie_name(container.settings.base_url)}={opened.token}"
