"""Channels as Apple manages them: made, read, listed and deleted under `/1/apps/{bundle id}/`."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass

from tidings.simulator.answers import Request, Response
from tidings.simulator.apns.reasons import No

MOST = 10_000
"""Channels of an app in an environment."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel: whose it is ("" for one that any app may send to), and whether it keeps its last message."""

    app: str
    keeps: bool


Known = dict[tuple[str, str], Channel]
"""By environment and id."""


def answered(
    request: Request,
    known: Known,
    *,
    app: str,
    every: bool,
    environment: str,
    allowed: frozenset[str] | None,
    random_bytes: Callable[[int], bytes],
) -> Response | No:
    """Do what is asked of an app's channels; `allowed` are the apps that the sender may speak for, None for all."""
    if allowed is not None and app not in allowed:
        return No("TopicMismatch", f"the sender may not speak for {app}")
    mine = {name: one for (where, name), one in known.items() if where == environment and one.app == app}
    if every:
        if request.method != "GET":
            return No("MethodNotAllowed", "channels are listed with GET")
        return _json(200, {"channels": sorted(mine)})
    if request.method == "POST":
        return _made(request, known, app=app, environment=environment, full=len(mine) >= MOST, random=random_bytes)
    name = request.headers.get("apns-channel-id", "")
    if not name:
        return No("MissingChannelId", "there is no apns-channel-id")
    if name not in mine:
        return No("ChannelNotRegistered", "the app has no such channel")
    if request.method == "GET":
        return _json(200, {"message-storage-policy": int(mine[name].keeps), "push-type": "LiveActivity"})
    if request.method == "DELETE":
        del known[environment, name]
        return Response(204)
    return No("MethodNotAllowed", "a channel is made, read or deleted")


def _made(
    request: Request, known: Known, *, app: str, environment: str, full: bool, random: Callable[[int], bytes]
) -> Response | No:
    try:
        asked = json.loads(request.body)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict) or asked.get("push-type") != "LiveActivity":
        return No("BadRequestPayload", "`push-type` is LiveActivity")
    if asked.get("message-storage-policy") not in (0, 1):
        return No("MissingChannelQueueSize", "`message-storage-policy` is 0 or 1")
    if full:
        return No("CannotCreateChannelConfig", f"an app has {MOST} channels at most")
    name = base64.b64encode(random(16)).decode()
    known[environment, name] = Channel(app, bool(asked["message-storage-policy"]))
    return Response(201, (("apns-channel-id", name),))


def _json(status: int, content: object) -> Response:
    return Response(status, (("content-type", "application/json"),), json.dumps(content).encode())
