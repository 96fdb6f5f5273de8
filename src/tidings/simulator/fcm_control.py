"""FCM's part of the control port: projects with their accounts, phones, switches and counters."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated

import msgspec

from tidings.simulator.answers import Request, Response
from tidings.simulator.faults import Fault, FaultKind
from tidings.simulator.fcm import Fcm
from tidings.simulator.flavours import JSON

Name = Annotated[str, msgspec.Meta(min_length=4, max_length=63, pattern=r"^[a-z][a-z0-9-]+$")]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class _Project(msgspec.Struct, forbid_unknown_fields=True):
    project: Name
    api_enabled: bool | None = None
    permitted: bool | None = None
    key_revoked: bool | None = None
    account_deleted: bool | None = None


class _Phones(msgspec.Struct, forbid_unknown_fields=True):
    project: Name
    count: Annotated[int, msgspec.Meta(ge=1, le=50_000)]
    faults: dict[FaultKind, _Share] = {}
    seed: str | None = None


class _Next(msgspec.Struct, forbid_unknown_fields=True):
    kind: FaultKind
    times: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1
    retry_after: Annotated[int, msgspec.Meta(ge=0, le=86_400)] | None = 1


class FcmControl:
    """Answers under /fcm."""

    def __init__(self, fcm: Fcm) -> None:
        self._fcm = fcm

    def routes(self) -> dict[str, dict[str, Callable[[Request], Response]]]:
        """Give what answers which path and method."""
        return {
            "/fcm/projects": {"POST": self._project},
            "/fcm/phones": {"POST": self._phones},
            "/fcm/faults": {"POST": self._faults},
            "/fcm/tokens": {"DELETE": self._forget},
            "/fcm/summary": {"GET": self._summary},
        }

    def _project(self, request: Request) -> Response:
        asked = msgspec.json.decode(request.body, type=_Project)
        project = self._fcm.oauth.project(asked.project)
        for name in ("api_enabled", "permitted", "key_revoked", "account_deleted"):
            if (value := getattr(asked, name)) is not None:
                setattr(project, name, value)
        return _json(201, {"service_account": project.file()})

    def _phones(self, request: Request) -> Response:
        asked = msgspec.json.decode(request.body, type=_Phones)
        shares = [(Fault(kind), share) for kind, share in asked.faults.items()]
        return _json(201, {"tokens": self._fcm.make(asked.project, asked.count, shares=shares, seed=asked.seed)})

    def _faults(self, request: Request) -> Response:
        asked = msgspec.json.decode(request.body, type=_Next)
        self._fcm.script.add(Fault(asked.kind, retry_after=asked.retry_after), times=asked.times)
        return Response(204)

    def _forget(self, request: Request) -> Response:
        return _json(200, {"forgotten": self._fcm.oauth.forget()})

    def _summary(self, request: Request) -> Response:
        fcm = self._fcm
        counted = {"phones": len(fcm.phones), "validated": fcm.validated, "to_topics": fcm.to_topics}
        return _json(200, {**counted, "tokens_given": fcm.oauth.given, "projects": sorted(fcm.oauth.projects)})


def _json(status: int, content: dict[str, object]) -> Response:
    return Response(status, (JSON, ("cache-control", "no-store")), json.dumps(content).encode())
