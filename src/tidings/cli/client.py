"""A client of our own REST API: of the running server, or of an instance opened in this process."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tidings.cli.failure import CommandFailed
from tidings.cli.instance import FolderLock, RunningServer, read_run_file, server_or_lock, uses_files
from tidings.cli.output import Output
from tidings.domain.errors import CATALOGUE, ErrorCode

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Response

    from tidings.settings import Settings
    from tidings.wiring import Container

FINAL = frozenset({"cancelled", "done"})
IN_PROCESS = "http://localhost"
POLL_SECONDS = 0.2
SETTLED = ("sent", "failed", "expired", "skipped")
"""The counts that add up to the audience once everybody's way has ended."""
MENDS: dict[str, str] = {
    ErrorCode.APP_REQUIRED: "Name one with --app; `tidings app list` shows them.",
    ErrorCode.INVALID_REQUEST: "Mend it and try again.",
    ErrorCode.NOT_FOUND: "Check the id, and with several Apps also --app.",
    ErrorCode.VAPID_KEY_MISSING: "Run: tidings vapid generate --subject mailto:you@example.com",
}
"""What the catalogue says to those who write requests, said to those who type commands."""

NAMES = {
    "allow_origins": "Origin",
    "disallow_origins": "Origin",
    "origins": "Origin",
    "ttl": "--ttl",
    "subject": "Contact",
    "url": "URL",
    "send_at": "--at",
}
"""Fields whose names in a request are not what people call them."""


@dataclass(frozen=True, slots=True)
class Api:
    """The REST API as commands use it: JSON in and out, a refusal is a CommandFailed."""

    http: AsyncClient
    in_process: bool
    app: str | None = None

    async def of_app(self, name: str) -> Api:
        """Give the same API for one App, named by its id or its name."""
        apps = await self.every("/apps")
        found = [app for app in apps if name in (app["id"], app["name"])]
        if len(found) != 1:
            why = f"There is no App {name!r}." if not found else f"{len(found)} Apps are called {name!r}."
            raise CommandFailed(why, "Name it by its id; `tidings app list` shows them.", code="app_not_found")
        return replace(self, app=found[0]["id"])

    async def get(self, path: str, **query: object) -> Any:
        """Read one resource."""
        return _document(await self.http.get(path, params=self._query(query)))

    async def post(self, path: str, body: object = None, *, headers: Mapping[str, str] | None = None) -> Any:
        """Create or do something."""
        return _document(await self.http.post(path, json=body, params=self._query({}), headers=dict(headers or {})))

    async def put(self, path: str, body: object) -> Any:
        """Create or replace one resource."""
        return _document(await self.http.put(path, json=body, params=self._query({})))

    async def patch(self, path: str, body: object) -> Any:
        """Change one resource."""
        return _document(await self.http.patch(path, json=body, params=self._query({})))

    async def delete(self, path: str) -> None:
        """Remove one resource."""
        _document(await self.http.delete(path, params=self._query({})))

    async def erase(self, path: str, **query: object) -> Any:
        """Remove one resource and give the receipt."""
        return _document(await self.http.delete(path, params=self._query(query)))

    async def every(self, path: str, **query: object) -> list[Any]:
        """Read a whole list, page by page."""
        return [row async for row in self.rows(path, **query)]

    async def rows(self, path: str, **query: object) -> AsyncIterator[Any]:
        """Read a list row by row, a page of 200 at a time."""
        cursor: str | None = None
        while True:
            page = await self.get(path, **query, limit=200, cursor=cursor)
            for row in page["data"]:
                yield row
            cursor = page.get("next_cursor")
            if not cursor:
                return

    async def upload(self, path: str, content: AsyncIterator[bytes], **query: object) -> Any:
        """Send a body piece by piece."""
        headers = {"Content-Type": "application/octet-stream"}
        return _document(
            await self.http.post(path, content=content, params=self._query(query), headers=headers, timeout=None)
        )

    async def download(self, path: str, **query: object) -> AsyncIterator[bytes]:
        """Receive a body piece by piece."""
        async with self.http.stream("GET", path, params=self._query(query), timeout=None) as answer:
            if answer.status_code >= 400:
                await answer.aread()
                _document(answer)
            async for piece in answer.aiter_bytes():
                yield piece

    async def progress(self, notification: str) -> AsyncIterator[Any]:
        """Follow a notification until it is final; yields `{status, counts, rate, eta_seconds}`.

        The server streams it. In this process nothing streams, so the same figures are read again and again.
        """
        if self.in_process:
            async for state in self._polled(notification):
                yield state
            return
        path = f"/notifications/{notification}/progress"
        async with self.http.stream("GET", path, params=self._query({}), timeout=None) as answer:
            if answer.status_code >= 400:
                await answer.aread()
                _document(answer)
            async for line in answer.aiter_lines():
                if line.startswith("data:"):
                    yield json.loads(line[5:])

    async def _polled(self, notification: str) -> AsyncIterator[Any]:
        clock = asyncio.get_running_loop().time
        started = clock()
        while True:
            found = await self.get(f"/notifications/{notification}")
            counts = found["counts"]
            settled = settled_of(counts)
            rate = settled / max(clock() - started, POLL_SECONDS)
            left = (counts["audience"] - settled) / rate if rate else None
            yield {"status": found["status"], "counts": counts, "rate": rate, "eta_seconds": left}
            if found["status"] in FINAL:
                return
            await asyncio.sleep(POLL_SECONDS)

    def _query(self, query: Mapping[str, object]) -> dict[str, str]:
        given = {name: str(value) for name, value in query.items() if value is not None}
        return {"app": self.app, **given} if self.app else given


def settled_of(counts: Any) -> int:
    """Add up whose way has ended."""
    return sum(counts[name] for name in SETTLED)


def _document(answer: Response) -> Any:
    """Give the JSON of an answer; raise what a problem document says (RFC 9457), with the catalogue's mend."""
    if answer.status_code < 400:
        return answer.json() if answer.content else None
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    code = str(problem.get("code", ""))
    why = str(problem.get("detail") or problem.get("title") or f"The server answered {answer.status_code}.")
    faults = [f"{_named(str(fault['field']))}: {fault['message']}" for fault in problem.get("errors") or ()]
    raise CommandFailed(
        "; ".join(faults) or why,
        MENDS.get(code) or _typed(str(problem.get("mend") or _mend(code))),
        code=code,
    )


def _typed(mend: str) -> str:
    """Leave out where a program finds the faults: they are printed already."""
    return (mend.partition(". ")[2] if mend.startswith("See `errors`") else mend) or MENDS[ErrorCode.INVALID_REQUEST]


def _named(field: str) -> str:
    """Name a field as people do: `allow_origins.0` is "Origin"; the body's own names are nobody's business here."""
    parts = [part for part in field.split(".") if not part.isdigit()]
    last = parts[-1] if parts else field
    return NAMES.get(last) or last.replace("_", " ").capitalize()


def _mend(code: str) -> str:
    try:
        return CATALOGUE[ErrorCode(code)].mend
    except ValueError:
        return "The server's log says more."


@asynccontextmanager
async def opened(settings: Settings, out: Output, *, worker: bool = False) -> AsyncIterator[Api]:
    """Open the API: over HTTP when a server has the instance, else the instance itself, under its lock.

    `worker` also runs delivery in this process when no server does; with PostgreSQL several may.
    """
    async with AsyncExitStack() as stack:
        server = await _attached(settings, stack)
        with else_says(
            "The server stopped answering", "Look at the terminal of `tidings up`; start it again if it ended."
        ):
            if server is not None:
                yield Api(http=await stack.enter_async_context(_remote(server)), in_process=False)
            else:
                from tidings.cli.serving import configure_logs
                from tidings.wiring import opened as wired

                # What goes wrong is the command's to say, in its own words; stdout is its result alone.
                configure_logs(level="ERROR")
                container = await stack.enter_async_context(wired(settings))
                if container.new_key_file is not None:
                    out.warn_of_key(container.new_key_file)
                api = await stack.enter_async_context(in_process(container))
                if worker:
                    await stack.enter_async_context(delivering(container))
                yield api


@contextmanager
def else_says(why: str, mend: str) -> Iterator[None]:
    """Say why and how to mend it where the server is gone while the block runs: what was asked of it is known there."""
    import httpx2

    try:
        yield
    except httpx2.TransportError as gone:
        raise CommandFailed(f"{why}: {type(gone).__name__}.", mend) from gone


async def _attached(settings: Settings, stack: AsyncExitStack) -> RunningServer | None:
    if uses_files(settings):
        found = await server_or_lock(settings)
        if isinstance(found, FolderLock):
            stack.enter_context(found)
            return None
        return found
    server = read_run_file(settings.data)
    return server if server is not None and await _answers(server) else None


async def _answers(server: RunningServer) -> bool:
    import httpx2

    try:
        async with httpx2.AsyncClient(trust_env=False, timeout=3) as http:
            return (await http.get(f"{server.url}/livez")).status_code == 200
    except httpx2.HTTPError:
        return False


def _remote(server: RunningServer) -> AsyncClient:
    import httpx2

    return httpx2.AsyncClient(
        base_url=f"{server.url}/api/v1", headers=_bearer(server.token), trust_env=False, timeout=60
    )


@asynccontextmanager
async def in_process(container: Container) -> AsyncIterator[Api]:
    """Give the API of an opened instance without a socket; makes the first App of an empty one."""
    import httpx2

    from tidings.web.app import create_app

    token = secrets.token_hex(32)
    transport = httpx2.ASGITransport(create_app(container, operator_token=token))
    async with httpx2.AsyncClient(transport=transport, base_url=f"{IN_PROCESS}/api/v1", headers=_bearer(token)) as http:
        await container.apps.ensure_first()
        yield Api(http=http, in_process=True)


@asynccontextmanager
async def delivering(container: Container) -> AsyncIterator[None]:
    """Run the delivery worker of an opened instance in this process while the block runs."""
    from tidings.worker.run import Worker

    worker = Worker(container)
    await worker.start()
    try:
        yield
    finally:
        await worker.stop()


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
