"""Calls that the main process makes itself, a few an hour: tokens to fetch, credentials to prove."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from tidings.lib.egress import AddressGuard
from tidings.lib.exchange import Answer, Request
from tidings.lib.http import Client

Call = Callable[[Request], Awaitable[Answer]]
"""Sends one request and gives its answer, an error too."""


def caller(*, guard: AddressGuard, connect_to: Mapping[str, str], insecure: bool = False) -> Call:
    """Make a Call over a client of its own for each request: what is called so seldom keeps no connection open."""

    def exchange(request: Request) -> Answer:
        with Client(guard=guard, connect_to=connect_to, insecure=insecure, in_flight=1) as client:
            return next(answer for _, answer in client.exchange([(0, request)]))

    async def call(request: Request) -> Answer:
        return await asyncio.to_thread(exchange, request)

    return call
