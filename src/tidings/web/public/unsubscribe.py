"""One click to turn an event's pushes off, without signing in: a page shows it, a request does it (RFC 8058)."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.services.preferences import LinkedTo
from tidings.storage import StoreUnavailable
from tidings.web.auth import container_of
from tidings.web.errors import BUSY_SECONDS
from tidings.web.security import defaults_of

MOST = 2_048
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
button:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


async def unsubscribe(request: Request) -> Response:
    """GET shows what the link turns off, and changes nothing: mail programs look at links. POST does it.

    Neither cookies nor an origin are asked for: who has the link may do what it says, and no more.
    """
    container = container_of(request)
    try:
        app = await container.apps.resolve(request.path_params.get("app"))
        query = {name: value for name, value in request.query_params.items() if len(value) <= MOST}
        if request.method == "POST":
            form = await _form(request)
            undo = form.get("undo") == ["1"]
            found = await container.people.preferences.turn(app, query, enabled=undo)
            return _page(request, _done(found, app.name), 200)
        found = await container.people.preferences.linked(app, query)
        return _page(request, _done(found, app.name) if not found.enabled else _question(found, app.name), 200)
    except CatalogueError as fault:
        return _page(request, _fault(fault), fault.entry.status)
    except StoreUnavailable:
        busy = CatalogueError(ErrorCode.SERVICE_BUSY)
        return _page(request, _fault(busy), 503, {"Retry-After": str(BUSY_SECONDS)})


async def _form(request: Request) -> dict[str, list[str]]:
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MOST:
            raise CatalogueError(ErrorCode.BODY_TOO_LARGE, f"The form is longer than {MOST} bytes.")
    return parse_qs(raw.decode("utf-8", "replace"))


def _question(about: LinkedTo, app: str) -> tuple[str, str, str]:
    name = about.kind.name or about.kind.key
    if about.kind.mandatory:
        return f"{name} cannot be turned off", f"{app} sends it to everybody it concerns.", ""
    words = f"{app} will not push “{name}” to any of your devices. It still comes to the bell on the site."
    return f"Turn off “{name}”?", words, _button("Turn off", "")


def _done(about: LinkedTo, app: str) -> tuple[str, str, str]:
    name = about.kind.name or about.kind.key
    if about.enabled:
        return f"“{name}” is on", f"{app} pushes it to your devices again.", _button("Turn off", "", plain=True)
    undo = '<input type="hidden" name="undo" value="1">'
    return f"“{name}” is off", f"{app} does not push it to you any more.", _button("Turn on again", undo, plain=True)


def _fault(fault: CatalogueError) -> tuple[str, str, str]:
    return fault.entry.title, fault.entry.mend, ""


def _button(label: str, fields: str, *, plain: bool = False) -> str:
    look = ' class="plain"' if plain else ""
    one_click = '<input type="hidden" name="List-Unsubscribe" value="One-Click">'
    return f'<form method="post">{fields or one_click}<button{look}>{label}</button></form>'


def _page(
    request: Request, words: tuple[str, str, str], status: int, headers: dict[str, str] | None = None
) -> Response:
    title, text, form = words
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1><p>{escape(text)}</p>{form}</main></body></html>"
    )
    more = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store", **(headers or {})}
    return HTMLResponse(html, status_code=status, headers={**defaults_of(_base(request)), **more})


def _base(request: Request) -> str:
    return container_of(request).settings.base_url
