"""Probes: /livez (the process answers), /readyz (it can do its work), /metrics (for Prometheus)."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from tidings.lib.metrics import Metrics
from tidings.storage import StoreUnavailable
from tidings.web.auth import container_of

router = APIRouter(include_in_schema=False)


@router.api_route("/livez", methods=["GET", "HEAD"])
async def livez() -> Response:
    """Say that the process answers."""
    return JSONResponse({"status": "ok"})


@router.api_route("/readyz", methods=["GET", "HEAD"])
async def readyz(request: Request) -> Response:
    """Say whether the database answers and a worker is alive: 200, or 503 with what is missing."""
    try:
        readiness = await container_of(request).system.readiness()
    except StoreUnavailable:
        return JSONResponse({"status": "unavailable", "database": "unavailable"}, status_code=503)
    status = {"status": "ok" if readiness.ready else "unavailable", "database": "ok", "workers": readiness.workers}
    return JSONResponse(status, status_code=200 if readiness.ready else 503)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Give the metrics of this process."""
    found: Metrics = request.app.state.metrics
    body, media_type = found.render()
    return Response(body, media_type=media_type)
