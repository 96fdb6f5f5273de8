"""A page for subscribers that needs no script: one look, one policy, one way to read its form."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.web.auth import container_of
from tidings.web.security import defaults_of

MOST_FORM = 2_048
"""Bytes of a form."""

_STYLE = """
:root{color-scheme:light dark;--paper:#fbfaf8;--ink:#26231f;--quiet:#6b665f;--line:#e3dfd8;--accent:#0b6e73;--on:#fff}
@media(prefers-color-scheme:dark){:root{--paper:#1c1a18;--ink:#ece8e2;--quiet:#a59f96;--line:#3a3632;--accent:#5fc4c6;
--on:#10201f}}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 Inter,system-ui,sans-serif}
main{max-width:26rem;margin:12vh auto;padding:0 1.25rem}
h1{font-size:1.375rem;line-height:1.3;margin:0 0 .5rem}
p{margin:0 0 1.5rem;color:var(--quiet)}
button{font:inherit;font-weight:600;min-height:2.75rem;padding:0 1.25rem;border-radius:8px;
border:1px solid var(--accent);background:var(--accent);color:var(--on);cursor:pointer}
button.plain{background:none;color:var(--accent);border-color:var(--line)}
button:focus-visible,a:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
form.answers{display:flex;flex-wrap:wrap;gap:.75rem;margin:0 0 1.5rem}
.answers button{flex:1 1 auto;min-width:7rem}
p.said{color:var(--ink);font-weight:600}
a{color:var(--accent)}
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


async def form_of(request: Request) -> dict[str, list[str]]:
    """Read a form. Raises BODY_TOO_LARGE."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MOST_FORM:
            raise CatalogueError(ErrorCode.BODY_TOO_LARGE, f"The form is longer than {MOST_FORM} bytes.")
    return parse_qs(raw.decode("utf-8", "replace"))


def page(
    request: Request,
    *,
    title: str,
    content: str,
    status: int = 200,
    language: str = "en",
    headers: dict[str, str] | None = None,
) -> Response:
    """Show a page; `content` is HTML, the title is escaped here."""
    html = (
        f'<!doctype html><html lang="{escape(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f'<body><main><h1 dir="auto">{escape(title)}</h1>{content}</main></body></html>'
    )
    base = container_of(request).settings.base_url
    more = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store", **(headers or {})}
    return HTMLResponse(html, status_code=status, headers={**defaults_of(base), **more})
