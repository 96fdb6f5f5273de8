"""The control port's part for APNs: keys, certificates, devices and what befalls them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tidings.simulator.answers import Request, Response
from tidings.simulator.apns.channels import Channel
from tidings.simulator.apns.devices import Fault, Mishap
from tidings.simulator.apns.judge import SUFFIXES
from tidings.simulator.apns.reasons import STATUSES
from tidings.simulator.apns.senders import BOTH, PRODUCTION, SANDBOX, Certificate, Key, public_key
from tidings.simulator.apns.service import ApnsService
from tidings.simulator.flavours import JSON

MOST_AT_ONCE = 50_000

_Environment = Literal["production", "sandbox"]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Tries = Annotated[int, msgspec.Meta(ge=0, le=1_000)]
_Seconds = Annotated[float, msgspec.Meta(ge=0, le=600)]
_Token = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64,200}$")]


class _NewKey(msgspec.Struct, forbid_unknown_fields=True):
    team_id: str
    key_id: str
    public_key: str | None = None
    environments: tuple[_Environment, ...] = (PRODUCTION, SANDBOX)
    topics: list[str] | None = None


class _NewCertificate(msgspec.Struct, forbid_unknown_fields=True):
    certificate: str
    topics: list[str]
    environments: tuple[_Environment, ...] = (PRODUCTION, SANDBOX)


class _Revoked(msgspec.Struct, forbid_unknown_fields=True):
    name: str


class _FaultShare(msgspec.Struct, forbid_unknown_fields=True):
    share: _Share
    tries: _Tries = 0
    seconds: _Seconds = 2.0
    retry_after: Annotated[int, msgspec.Meta(ge=0, le=86_400)] | None = None


class _NewDevices(msgspec.Struct, forbid_unknown_fields=True):
    count: Annotated[int, msgspec.Meta(ge=1, le=MOST_AT_ONCE)] = 1
    topic: str = "com.example.app"
    push_type: str = "alert"
    environment: _Environment = SANDBOX
    faults: dict[str, _Share | _FaultShare] = {}
    seed: str | int = "0"
    token: _Token | None = None


class _Ended(msgspec.Struct, forbid_unknown_fields=True):
    token: _Token
    environment: _Environment = SANDBOX
    at: float | None = None
    expired: bool = False


class _Channel(msgspec.Struct, forbid_unknown_fields=True):
    channel: str
    environment: _Environment = SANDBOX
    keeps: bool = False


class _NextAnswers(msgspec.Struct, forbid_unknown_fields=True):
    kind: str
    times: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1
    seconds: _Seconds = 2.0
    retry_after: Annotated[int, msgspec.Meta(ge=0, le=86_400)] | None = None


class ApnsControl:
    """Answers what begins with `/apns/`; a caller's mistake raises ValueError."""

    def __init__(self, service: ApnsService) -> None:
        self._service = service

    @property
    def routes(self) -> dict[str, dict[str, Callable[[Request], Response]]]:
        """Path -> method -> what answers."""
        return {
            "/apns/keys": {"POST": self._key},
            "/apns/certificates": {"POST": self._certificate},
            "/apns/revoked": {"POST": self._revoke},
            "/apns/devices": {"POST": self._devices},
            "/apns/ended": {"POST": self._end},
            "/apns/channels": {"POST": self._channel},
            "/apns/faults": {"POST": self._script, "DELETE": self._clear},
            "/apns/summary": {"GET": self._summary},
        }

    def _key(self, request: Request) -> Response:
        asked = msgspec.json.decode(request.body, type=_NewKey)
        topics = None if asked.topics is None else frozenset(asked.topics)
        private = ec.generate_private_key(ec.SECP256R1()) if asked.public_key is None else None
        public = private.public_key() if private else public_key(asked.public_key or "")
        self._service.senders.add_key(Key(asked.team_id, asked.key_id, public, frozenset(asked.environments), topics))
        if private is None:
            return Response(204)
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return _json(201, {"key": pem.decode()})

    def _certificate(self, request: Request) -> Response:
        asked = msgspec.json.decode(request.body, type=_NewCertificate)
        known = Certificate(tuple(asked.topics), frozenset(asked.environments) or BOTH)
        return _json(201, {"name": self._service.senders.add_certificate(asked.certificate, known)})

    def _revoke(self, request: Request) -> Response:
        asked = msgspec.json.decode(request.body, type=_Revoked)
        if not self._service.senders.revoke(asked.name):
            raise ValueError(f"there is no key or certificate {asked.name[:80]!r}")
        return Response(204)

    def _devices(self, request: Request) -> Response:
        asked = msgspec.json.decode(request.body, type=_NewDevices)
        if asked.push_type not in SUFFIXES:
            raise ValueError(f"there is no push type {asked.push_type[:40]!r}")
        topic = asked.topic + SUFFIXES[asked.push_type]
        if asked.token is not None:
            made = [self._service.devices.add(asked.token, topic=topic, environment=asked.environment)]
        else:
            shares = [_fault_share(kind, share) for kind, share in asked.faults.items()]
            made = self._service.devices.make(
                asked.count, topic=topic, environment=asked.environment, shares=shares, seed=str(asked.seed)
            )
        return _json(201, {"devices": [{"token": one.token, "environment": one.environment} for one in made]})

    def _end(self, request: Request) -> Response:
        asked = msgspec.json.decode(request.body, type=_Ended)
        device = self._service.devices.find(asked.environment, asked.token)
        if device is None:
            raise ValueError("there is no such token in this environment")
        device.ended = self._service.clock.now().timestamp() if asked.at is None else asked.at
        device.expired = asked.expired
        return Response(204)

    def _channel(self, request: Request) -> Response:
        asked = msgspec.json.decode(request.body, type=_Channel)
        self._service.devices.channels[asked.environment, asked.channel] = Channel("", asked.keeps)
        return Response(204)

    def _script(self, request: Request) -> Response:
        asked = msgspec.json.decode(request.body, type=_NextAnswers)
        fault = Fault(_kind(asked.kind), seconds=asked.seconds, retry_after=asked.retry_after)
        self._service.script.extend([fault] * asked.times)
        return Response(204)

    def _clear(self, request: Request) -> Response:
        left = len(self._service.script)
        self._service.script.clear()
        return _json(200, {"cleared": left})

    def _summary(self, request: Request) -> Response:
        return _json(200, self._service.devices.summary())


def _fault_share(kind: str, share: float | _FaultShare) -> tuple[Fault, float]:
    if isinstance(share, float):
        return Fault(_kind(kind)), share
    fault = Fault(_kind(kind), tries=share.tries, seconds=share.seconds, retry_after=share.retry_after)
    return fault, share.share


def _kind(name: str) -> str:
    if name not in STATUSES and name not in list(Mishap):
        raise ValueError(f"there is no {name[:40]!r}: it is one of Apple's reasons, or {', '.join(Mishap)}")
    return name


def _json(status: int, content: dict[str, object]) -> Response:
    return Response(status, (JSON, ("cache-control", "no-store")), msgspec.json.encode(content))
