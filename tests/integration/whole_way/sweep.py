"""Every GET that an instance has, from its own document: a route that is new is read without a test naming it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import httpx2

BESIDES = ("/", "/docs", "/docs/errors", "/livez", "/readyz", "/metrics")
"""What is read by somebody and not part of the API."""

FIRST = 20.0
"""Seconds for the first event of a stream that does not end by itself."""


@dataclass
class Read:
    """What was answered by template of a path, and to which of them something other than a refusal was."""

    answers: dict[str, bytes] = field(default_factory=dict)
    opened: set[str] = field(default_factory=set)

    def add(self, path: str, answer: httpx2.Response, body: bytes) -> None:
        assert answer.status_code < 500 or answer.status_code == 503, (path, body)
        self.answers[path] = self.answers.get(path, b"") + f"{dict(answer.headers)} ".encode() + body
        if answer.status_code < 400:
            self.opened.add(path)


async def read_everything(clients: Collection[httpx2.AsyncClient], ids: Mapping[str, str]) -> Read:
    """Ask each GET of the document as each client; a parameter that `ids` has no value for fails the test."""
    found = Read()
    for client in clients:
        document = (await client.get("/openapi.json")).json()
        operations = {path: methods["get"] for path, methods in document["paths"].items() if "get" in methods}
        for path, operation in operations.items():
            address = filled(path, ids)
            streams = "text/event-stream" in operation["responses"].get("200", {}).get("content", {})
            if streams:
                await _read_stream(client, path, address, found)
            else:
                answer = await client.get(address)
                found.add(path, answer, answer.content)
        for path in BESIDES:
            answer = await client.get(path)
            found.add(path, answer, answer.content)
    return found


def filled(path: str, ids: Mapping[str, str]) -> str:
    """Put ids into a path; one that is missing is a route that nobody has looked into."""
    for name, value in ids.items():
        path = path.replace(f"{{{name}}}", value)
    assert "{" not in path, f"nothing is known to put into {path}"
    return path


async def _read_stream(client: httpx2.AsyncClient, path: str, address: str, found: Read) -> None:
    async with client.stream("GET", address) as answer:
        body = b""
        async with asyncio.timeout(FIRST):
            async for part in answer.aiter_bytes():
                body += part
                if b"data:" in body:
                    break
        found.add(path, answer, body)
