"""What Apple looks at before it takes a message: headers and body come in, what they ask for goes out, or a reason."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from tidings.simulator.answers import Request
from tidings.simulator.apns.reasons import No

SUFFIXES = {
    "alert": "",
    "background": "",
    "mdm": "",
    "location": ".location-query",
    "voip": ".voip",
    "complication": ".complication",
    "fileprovider": ".pushkit.fileprovider",
    "liveactivity": ".push-type.liveactivity",
    "pushtotalk": ".voip-ptt",
    "widgets": ".push-type.widgets",
    "controls": ".push-type.controls",
}
KEY_ONLY = frozenset({"location", "liveactivity"})
LARGEST, LARGEST_CALL, LARGEST_BROADCAST = 4096, 5120, 5120

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NUMBER = re.compile(r"[0-9]{1,15}")
_ONCE = ("apns-id", "apns-topic", "apns-push-type", "apns-priority", "apns-expiration", "apns-collapse-id")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a good request asks for; `expiration` in Unix seconds, 0 to try once."""

    push_type: str
    priority: int
    expiration: int
    collapse_id: str | None


def judged(request: Request) -> Asked | No:
    """Judge the headers of a push, in an order of our own: Apple tells of one mistake at a time."""
    headers = request.headers
    doubled = next((name for name in _ONCE if ", " in headers.get(name, "")), None)
    if doubled:
        return No("DuplicateHeaders", f"{doubled} is there twice")
    if "apns-id" in headers and not _UUID.fullmatch(headers["apns-id"]):
        return No("BadMessageId", "apns-id is no UUID")
    expiration = headers.get("apns-expiration", "0")
    if not _NUMBER.fullmatch(expiration):
        return No("BadExpirationDate", "apns-expiration is no number of seconds")
    push_type = headers.get("apns-push-type", "alert")
    if push_type not in SUFFIXES:
        return No("InvalidPushType", f"there is no push type {push_type[:40]!r}")
    priority = headers.get("apns-priority", "10")
    if priority not in {"1", "5", "10"} or (push_type == "background" and priority == "10"):
        return No("BadPriority", f"priority {priority[:10]} for {push_type}")
    collapse_id = headers.get("apns-collapse-id")
    if collapse_id is not None and not 0 < len(collapse_id.encode()) <= 64:
        return No("BadCollapseId", "apns-collapse-id has 1 to 64 bytes")
    return Asked(push_type, int(priority), int(expiration), collapse_id)


def topic_fault(topic: str | None, asked: Asked, *, allowed: tuple[str, ...] | frozenset[str] | None) -> No | None:
    """Judge the topic against the push type, and against what the sender may send to (None: anything of the team)."""
    if not topic:
        return No("MissingTopic", "there is no apns-topic")
    suffix = SUFFIXES[asked.push_type]
    longer = [one for one in SUFFIXES.values() if one and topic.endswith(one)]
    if (suffix and not topic.endswith(suffix)) or (not suffix and longer):
        return No("BadTopic", f"the topic of {asked.push_type} ends in {suffix or 'the bundle id'}")
    if allowed is not None and topic not in allowed and topic.removesuffix(suffix) not in allowed:
        return No("TopicDisallowed", "this key or certificate may not send to the topic")
    return None


def payload_fault(body: bytes, *, largest: int) -> No | None:
    """Judge the body."""
    if not body:
        return No("PayloadEmpty", "there is no body")
    if len(body) > largest:
        return No("PayloadTooLarge", f"{len(body)} bytes, {largest} is the most")
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        payload = None
    return None if isinstance(payload, dict) else No("PayloadEmpty", "the body is no JSON object")
