"""Probes: /livez (the process answers), /readyz (it can do its work), /metrics (for Prometheus)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from tidings.lib.metrics import Metrics
from tidings.services.system import Readiness
from tidings.storage import StoreUnavailable
from tidings.web.auth import container_of

MISSING = {
    "database": "The database does not answer, or takes nothing. "
    "Look whether it runs, has room and is held by no other program.",
    "schema": "The database is behind this version; run `tidings migrate`.",
    "workers": "No worker has given a sign of life for 15 seconds, so notifications wait. "
    "Start `tidings up` without `--no-worker`, or `tidings worker`.",
}
"""What is wrong when a part of /readyz is not, and how to mend it."""

router = APIRouter(include_in_schema=False)


@router.api_route("/livez", methods=["GET", "HEAD"])
async def livez() -> Response:
    """Say that the process answers."""
    return JSONResponse({"status": "ok"})


@router.api_route("/readyz", methods=["GET", "HEAD"])
async def readyz(request: Request) -> Response:
    """Say whether the database answers, is up to date, and a worker is alive: 200, or 503 with what is missing."""
    try:
        readiness = await container_of(request).system.readiness()
    except StoreUnavailable:
        problems = [MISSING["database"]]
        return JSONResponse({"status": "unavailable", "database": "unavailable", "problems": problems}, status_code=503)
    return JSONResponse(_told(readiness), status_code=200 if readiness.ready else 503)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Give the metrics of this process, and what the database knows of the whole instance."""
    await container_of(request).vitals.refresh()
    found: Metrics = request.app.state.metrics
    body, media_type = found.render()
    return Response(body, media_type=media_type)


def worker_probes(metrics: Metrics) -> Starlette:
    """Build what a worker without a server answers: that it lives, and the metrics of its own process."""

    async def alive(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def told(_: Request) -> Response:
        body, media_type = metrics.render()
        return Response(body, media_type=media_type)

    return Starlette(routes=[Route("/livez", alive), Route("/metrics", told)])


def _told(readiness: Readiness) -> dict[str, Any]:
    problems = []
    if readiness.behind:
        problems.append(MISSING["schema"])
    if not readiness.workers:
        problems.append(MISSING["workers"])
    return {
        "status": "ok" if readiness.ready else "unavailable",
        "database": "ok",
        "schema": "behind" if readiness.behind else "ok",
        "workers": readiness.workers,
        "sending": "paused" if readiness.paused else "on",
        **({"problems": problems} if problems else {}),
    }
