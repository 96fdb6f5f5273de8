"""The reference: /docs draws the OpenAPI document with our own script, /docs/errors is the error catalogue."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, Response

from tidings.domain.errors import CATALOGUE
from tidings.web.caching import is_fresh
from tidings.web.errors import CATALOGUE_ORDER
from tidings.web.security import secured

FOLDER = Path(__file__).parent / "reference"
FILES = frozenset({"reference.js", "reference.css", "icon.svg"})

router = APIRouter(include_in_schema=False)


@router.api_route("/docs", methods=["GET", "HEAD"])
async def reference_page(request: Request) -> Response:
    """Show the reference of the REST API."""
    return _page((FOLDER / "index.html").read_text(encoding="utf-8"))


@router.api_route("/docs/errors", methods=["GET", "HEAD"])
async def errors_page(request: Request) -> Response:
    """Show every error with its anchor."""
    template = (FOLDER / "errors.html").read_text(encoding="utf-8")
    return _page(template.replace("<!-- errors -->", "\n".join(map(_entry, CATALOGUE_ORDER))))


@router.api_route("/docs/{name}", methods=["GET", "HEAD"])
async def reference_file(request: Request, name: str) -> Response:
    """Serve a file of the reference."""
    if name not in FILES:
        raise HTTPException(404)
    answer = FileResponse(FOLDER / name, headers={"Cache-Control": "no-cache"}, stat_result=(FOLDER / name).stat())
    if is_fresh(request, answer.headers["etag"]):
        return Response(status_code=304, headers={"ETag": answer.headers["etag"]})
    return secured(answer)


def _page(html: str) -> Response:
    return secured(HTMLResponse(html, headers={"Cache-Control": "no-cache"}))


def _entry(code: str) -> str:
    entry = next(found for known, found in CATALOGUE.items() if known == code)
    mend = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(entry.mend))
    return (
        f'<section id="{code}"><h2><a href="#{code}">{code}</a> <span class="status">{entry.status}</span></h2>'
        f"<p>{escape(entry.title)}.</p><p>{mend}</p></section>"
    )
