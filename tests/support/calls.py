"""A call over HTTP/1.1 as a receiver of webhooks gets it, read from its connection and checked by its signature."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

SILENCE = 0
"""Instead of a status: the request is read, and nothing ever said."""


@dataclass(frozen=True)
class Call:
    """One request: its header fields by lower-case name, and its body."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.body)["data"]["events"]
        return found

    def signed_with(self, secret: str) -> bool:
        """Verify as Standard Webhooks' receivers do; any of the signatures will do."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = b".".join((self.id.encode(), self.headers["webhook-timestamp"].encode(), self.body))
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        given = [one.partition(",") for one in self.headers["webhook-signature"].split(" ")]
        return any(version == "v1" and hmac.compare_digest(said, expected) for version, _, said in given)


async def call_from(reader: asyncio.StreamReader) -> Call:
    """Read the next request of a connection. Raises IncompleteReadError at its end."""
    line, *fields = (await reader.readuntil(b"\r\n\r\n"))[:-4].decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in fields)}
    method, path, _ = line.split(" ")
    assert method == "POST"
    return Call(path, headers, await reader.readexactly(int(headers["content-length"])))
