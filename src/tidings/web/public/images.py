"""Uploaded pictures at their public address: for ever the same bytes, and nothing that a browser would run."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.storage import StoreUnavailable
from tidings.web.auth import container_of
from tidings.web.caching import is_fresh
from tidings.web.errors import BUSY_SECONDS, problem

_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Content-Disposition": "inline",
    "Access-Control-Allow-Origin": "*",
}


async def image(request: Request) -> Response:
    """Show a picture."""
    try:
        found, data = await container_of(request).images.shown(request.path_params["name"])
    except CatalogueError as fault:
        return problem(request, fault)
    except StoreUnavailable:
        return problem(request, CatalogueError(ErrorCode.SERVICE_BUSY), headers={"Retry-After": str(BUSY_SECONDS)})
    headers = {**_HEADERS, "ETag": f'"{found.public_id}"'}
    if is_fresh(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(data, media_type=found.media_type, headers=headers)
