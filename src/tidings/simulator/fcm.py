"""FCM HTTP v1 as Google runs it: checks a send as its schema, its project and its device want it, and answers so."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from tidings.lib.clock import Clock
from tidings.simulator import base64url
from tidings.simulator.answers import Answer, Later, Request, Response
from tidings.simulator.faults import Fault, Patience, Script, assigned
from tidings.simulator.fcm_oauth import OAuth, Project
from tidings.simulator.fcm_schema import violation
from tidings.simulator.flavours.manner import Flavour, FlavourName, Taken
from tidings.simulator.journal import Arrival, Journal, Reading, Refused
from tidings.simulator.refusals import Reason, Refusal
from tidings.simulator.subscribers import NO_FAULT, Tally

HOSTS = ("https://fcm.googleapis.com", "https://oauth2.googleapis.com")
LARGEST, LARGEST_TO_TOPIC = 4_096, 2_048

_SEND = re.compile(r"/v1/projects/([^/]+)/messages:send")
_TOPIC = re.compile(r"[A-Za-z0-9-_.~%]+", re.ASCII)
_JSON = ("content-type", "application/json; charset=UTF-8")
_TARGETS = ("token", "fid", "topic", "condition")
_FCM = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
_BAD = "type.googleapis.com/google.rpc.BadRequest"
_TOO_BIG = (400, "INVALID_ARGUMENT", "Android message is too big", "INVALID_ARGUMENT")
_REFUSALS = {
    Reason.UNKNOWN: (404, "NOT_FOUND", "Requested entity was not found.", "UNREGISTERED"),
    Reason.GONE: (404, "NOT_FOUND", "NotRegistered", "UNREGISTERED"),
    Reason.TOO_LARGE: _TOO_BIG,
    Reason.THROTTLED: (429, "RESOURCE_EXHAUSTED", "Device message rate exceeded.", "QUOTA_EXCEEDED"),
    Reason.UNAVAILABLE: (503, "UNAVAILABLE", "The service is currently unavailable.", "UNAVAILABLE"),
}


class Phone:
    """One simulated app on one device: whose project it registered with, its misfortune, and what it has seen."""

    __slots__ = ("_patience", "project", "seen", "tally", "token")

    def __init__(self, token: str, project: str, *, fault: Fault | None, tally: Tally) -> None:
        self.token = token
        self.project = project
        self.tally = tally
        self.seen: dict[str, int] = {}
        self._patience = Patience(fault)

    def met_by(self, delivery: str) -> Fault | None:
        """Give the fault that this try meets, None if it passes."""
        return self._patience.met_by(delivery)

    def take(self, delivery: str) -> None:
        """Count a message as the app would."""
        self.tally.arrived(delivery, self.seen)
        self.tally.decrypted += 1


class Fcm:
    """The service; `handle` answers what `takes` says is for it."""

    def __init__(
        self,
        *,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        journal: Journal,
        tally: Callable[[str], Tally],
    ) -> None:
        self.oauth = OAuth(clock=clock, random_bytes=random_bytes)
        self.script = Script()
        self.phones: dict[str, Phone] = {}
        self.validated = 0
        self.to_topics = 0
        self._clock = clock
        self._random_bytes = random_bytes
        self._journal = journal
        self._tally = tally

    def make(
        self, project: str, count: int, *, shares: Sequence[tuple[Fault, float]] = (), seed: str | None = None
    ) -> list[str]:
        """Make phones whose app registered with a project, the same ones for the same seed; give their tokens."""
        self.oauth.project(project)
        made = []
        for number, fault in enumerate(assigned(shares, count=count, seed=seed or "fcm")):
            token = self._token(project, seed, number)
            if token not in self.phones:
                tally = self._tally(f"fcm {fault.kind if fault else NO_FAULT}")
                tally.subscribers += 1
                self.phones[token] = Phone(token, project, fault=fault, tally=tally)
            made.append(token)
        return made

    def _token(self, project: str, seed: str | None, number: int) -> str:
        drawn = None if seed is None else hashlib.shake_256(f"phone {project} {seed} {number}".encode())
        stuff = drawn.digest(98) if drawn else self._random_bytes(98)
        return f"{base64url.encoded(stuff[:8])}:APA91b{base64url.encoded(stuff[8:])}"

    def takes(self, request: Request) -> bool:
        """Say whether a request is for FCM's API or Google's tokens, not for an endpoint of a browser."""
        return request.path == "/token" or request.path.startswith("/v1/projects/")

    def handle(self, request: Request) -> Answer:
        """Answer one request."""
        if request.path == "/token":
            return self.oauth.token(request)
        scripted = self.script.take()
        answer = scripted.answer(FLAVOUR) if scripted else None
        if answer is not None:
            return answer
        if scripted is not None:
            return Later(scripted.seconds, partial(self._sent, request))
        return self._sent(request)

    def _sent(self, request: Request) -> Answer:
        named = _SEND.fullmatch(request.path)
        if named is None or request.method != "POST":
            return Response(404, (("content-type", "text/html; charset=UTF-8"),), _PAGE)
        caller = self.oauth.bearer(request.headers.get("authorization", ""))
        if caller is None:
            return _error(401, "UNAUTHENTICATED", _UNAUTHENTICATED, reason="ACCESS_TOKEN_EXPIRED")
        if (refused := self._of_project(named[1], caller)) is not None:
            return refused
        message, only_validate = _message_of(request.body)
        if isinstance(message, Response):
            return message
        return self._addressed(named[1], message, only_validate=only_validate)

    def _of_project(self, name: str, caller: Project) -> Response | None:
        project = self.oauth.projects.get(name)
        if project is None or caller.id != name or not project.permitted:
            words = (
                "Permission 'cloudmessaging.messages.create' denied on resource "
                f"'//cloudresourcemanager.googleapis.com/projects/{name}' (or it may not exist)."
            )
            return _error(403, "PERMISSION_DENIED", words, reason="IAM_PERMISSION_DENIED")
        if not project.api_enabled:
            words = (
                f"Firebase Cloud Messaging API has not been used in project {name} before or it is disabled. Enable it "
                "by visiting https://console.developers.google.com/apis/api/fcm.googleapis.com/overview then retry."
            )
            return _error(403, "PERMISSION_DENIED", words, reason="SERVICE_DISABLED")
        return None

    def _addressed(self, project: str, message: Mapping[str, Any], *, only_validate: bool) -> Answer:
        targets = [kind for kind in _TARGETS if kind in message]
        if len(targets) != 1:
            return _invalid("message", "Recipient of the message is not set, or set more than once.")
        kind, value = targets[0], message[targets[0]]
        many = kind in ("topic", "condition")
        if kind == "topic" and not _TOPIC.fullmatch(value):
            return _invalid("message.topic", "Malformed topic name")
        if _size(message) > (LARGEST_TO_TOPIC if many else LARGEST):
            return _error(*_TOO_BIG[:3], code=_TOO_BIG[3])
        if many:
            self.validated += only_validate
            return self._accepted(project) if only_validate else self._relayed(project, kind, value, message)
        return self._to_phone(project, value, message, only_validate=only_validate)

    def _to_phone(self, project: str, token: str, message: Mapping[str, Any], *, only_validate: bool) -> Answer:
        phone = self.phones.get(token)
        if phone is None:
            words = "The registration token is not a valid FCM registration token"
            return self._refused(token, _error(400, "INVALID_ARGUMENT", words, code="INVALID_ARGUMENT"))
        if phone.project != project:
            answer = _error(403, "PERMISSION_DENIED", "SenderId mismatch", code="SENDER_ID_MISMATCH")
            return self._refused(token, answer, phone)
        delivery = str(message.get("data", {}).get("tidings_delivery") or self._random_bytes(8).hex())
        fault = phone.met_by(delivery)
        if fault is not None:
            scripted = fault.answer(FLAVOUR)
            if scripted is None:
                return Later(fault.seconds, partial(self._arrived, project, phone, message, delivery))
            return self._refused(token, scripted, phone)
        if only_validate:
            self.validated += 1
            return self._accepted(project)
        return self._arrived(project, phone, message, delivery)

    def _relayed(self, project: str, kind: str, name: str, message: Mapping[str, Any]) -> Response:
        self.to_topics += 1
        delivery = str(message.get("data", {}).get("tidings_delivery") or self._random_bytes(8).hex())
        return self._noted(project, message, delivery, to=name[:64], recipient=kind)

    def _arrived(self, project: str, phone: Phone, message: Mapping[str, Any], delivery: str) -> Response:
        phone.take(delivery)
        return self._noted(project, message, delivery, to=phone.token[:8], recipient="phone")

    def _noted(self, project: str, message: Mapping[str, Any], delivery: str, *, to: str, recipient: str) -> Response:
        data, android = message.get("data", {}), message.get("android", {})
        shown = {**message.get("notification", {}), **android.get("notification", {})}
        payload = {
            "notification": {
                "title": shown.get("title") or data.get("tidings_title"),
                "body": shown.get("body") or data.get("tidings_body"),
                "navigate": data.get("tidings_url"),
            },
            "fcm": message,
        }
        arrival = Arrival(
            at=self._clock.now().timestamp(),
            to=to,
            recipient=recipient,
            delivery=delivery,
            reading=Reading.DECRYPTED,
            plaintext=json.dumps(payload, ensure_ascii=False).encode("utf-8", "replace"),
            size=_size(message),
            ttl=int(str(android.get("ttl", "0s")).removesuffix("s")),
            urgency=str(android.get("priority", "")).lower(),
            topic=android.get("collapse_key"),
            flavour="fcm",
        )
        self._journal.arrived(arrival)
        return self._accepted(project)

    def _accepted(self, project: str) -> Response:
        name = f"projects/{project}/messages/0:{self._random_bytes(12).hex()}"
        return Response(200, (_JSON,), json.dumps({"name": name}).encode())

    def _refused(self, token: str, answer: Answer, phone: Phone | None = None) -> Answer:
        if phone is not None:
            phone.tally.refused += 1
        status = answer.status if isinstance(answer, Response) else type(answer).__name__.lower()
        why = _why(answer) if isinstance(answer, Response) else "scripted"
        self._journal.refused(Refused(self._clock.now().timestamp(), token[:8], "fcm", status, why))
        return answer


def _message_of(body: bytes) -> tuple[Mapping[str, Any] | Response, bool]:
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return _invalid("", "Invalid JSON payload received."), False
    wrong = violation(asked)
    if wrong is not None:
        return _invalid(*wrong), False
    message = asked.get("message", {})
    for name in message.get("data", {}):
        if name in ("from", "message_type") or name.startswith(("google.", "gcm.notification.")):
            return _invalid("message.data", f"Invalid data payload key: {name}"), False
    return message, bool(asked.get("validate_only") or asked.get("validateOnly"))


def _why(answer: Response) -> str:
    """Say what an answer says: its code, and its words."""
    error = json.loads(answer.body)["error"]
    codes = [one["errorCode"] for one in error["details"] if "errorCode" in one]
    return f"{codes[0] if codes else error['status']}: {error['message']}"[:200]


def _size(message: Mapping[str, Any]) -> int:
    android = {**message.get("notification", {}), **message.get("android", {}).get("notification", {})}
    pairs = [*message.get("data", {}).items(), *android.items()]
    return sum(len(str(name).encode()) + len(str(value).encode("utf-8", "replace")) for name, value in pairs)


def _invalid(field: str, words: str) -> Response:
    details = [{"@type": _BAD, "fieldViolations": [{"field": field, "description": words}]}]
    return _response(400, "INVALID_ARGUMENT", words, details)


def _error(status: int, name: str, words: str, *, code: str = "", reason: str = "") -> Response:
    details: list[dict[str, Any]] = [{"@type": _FCM, "errorCode": code}] if code else []
    if reason:
        details.append({"@type": _INFO, "reason": reason, "domain": "googleapis.com"})
    return _response(status, name, words, details)


def _response(
    status: int, name: str, words: str, details: Sequence[Mapping[str, Any]], *more: tuple[str, str]
) -> Response:
    body = {"error": {"code": status, "message": words, "status": name, "details": details}}
    return Response(status, (_JSON, *more), json.dumps(body).encode())


def _refuse(refusal: Refusal) -> Response:
    status, name, words, code = _REFUSALS[refusal.reason]
    waiting = () if refusal.retry_after is None else (("retry-after", str(refusal.retry_after)),)
    return _response(status, name, words, [{"@type": _FCM, "errorCode": code}], *waiting)


def _never(_: Taken) -> Response:
    raise AssertionError("FCM gives its own answers to what it takes")


FLAVOUR = Flavour(FlavourName.GOOGLE, HOSTS[0], "/v1/projects/", _never, _refuse)
"""How scripted faults are worded here."""

_UNAUTHENTICATED = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
    "authentication credential."
)
_PAGE = b"<!DOCTYPE html><html lang=en><title>Error 404 (Not Found)!!1</title><p>The requested URL was not found.</p>"
