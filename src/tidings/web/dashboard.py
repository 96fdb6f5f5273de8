"""The dashboard's built files at `/`: hashed assets for ever, everything else asked for again."""

from __future__ import annotations

import gzip
from functools import lru_cache
from pathlib import Path

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Match, Route
from starlette.types import Scope

from tidings.web.caching import takes_gzip
from tidings.web.security import secured

FOLDER = Path(__file__).parent / "static" / "dashboard"
HASHED = "assets/"
"""Vite puts a hash of the content into these names."""

PACKED = {".js": "text/javascript", ".css": "text/css"}
"""What is sent gzipped; fonts and pictures are packed as they are."""

NOT_PAGES = ("api/", "push/", "v1/", "docs/", "assets/")
"""Below these an address that is not there is an error, not a page of the dashboard."""

DOTTED = ("event-types/", "users/")
"""Below these a dot belongs to a name that people gave, such as `conversation.escalated`, and begins no suffix."""

_NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Tidings</title><link rel="stylesheet" href="/docs/reference.css">
<main class="plain"><h1>Tidings is running</h1>
<p>The dashboard is not built in this source folder. Run <code>make dashboard</code>, then reload this page.
The published package has it built.</p>
<p>The API is at work: see <a href="/docs">the reference</a>.</p></main></html>
"""


class _Pages(Route):
    """A route that has no say in the methods of what it does not serve."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match pages; below the other addresses an unknown one is 404 whatever the method, and never 405."""
        match, found = super().matches(scope)
        if match is Match.PARTIAL and scope["path"].lstrip("/").startswith(NOT_PAGES):
            return Match.NONE, {}
        return match, found


def install(app: FastAPI) -> None:
    """Serve the dashboard for every address that nothing else under `app` has; call it last."""
    root = FOLDER.resolve()

    async def serve(request: Request) -> Response:
        name = request.path_params["path"]
        file = _found(root, name)
        if file is not None:
            return _asset(request, file) if name.startswith(HASHED) else _file(file)
        if f"{name}/".startswith(NOT_PAGES) or (Path(name).suffix and not name.startswith(DOTTED)):
            raise HTTPException(404)
        index = root / "index.html"
        if not index.is_file():
            return secured(HTMLResponse(_NOT_BUILT, headers={"Cache-Control": "no-store"}))
        return _file(index)

    app.router.routes.append(_Pages("/{path:path}", serve, methods=["GET"], include_in_schema=False))


def _found(root: Path, name: str) -> Path | None:
    try:
        file = (root / name).resolve()
        return file if name and file.is_relative_to(root) and file.is_file() else None
    except (OSError, ValueError):  # longer than a file's name may be, or with bytes that none has
        return None


def _file(file: Path) -> Response:
    return secured(FileResponse(file, headers={"Cache-Control": "no-cache"}))


def _asset(request: Request, file: Path) -> Response:
    """Give a file whose name changes with its content; scripts and styles gzipped, where the browser takes that."""
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    if file.suffix not in PACKED:
        return secured(FileResponse(file, headers=headers))
    headers["Vary"] = "Accept-Encoding"
    if not takes_gzip(request):
        return secured(FileResponse(file, headers=headers))
    headers["Content-Encoding"] = "gzip"
    return secured(Response(_packed(file), headers=headers, media_type=PACKED[file.suffix]))


@lru_cache(maxsize=256)
def _packed(file: Path) -> bytes:
    return gzip.compress(file.read_bytes(), mtime=0)
