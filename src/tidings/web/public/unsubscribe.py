"""One click to turn an event's pushes off, without signing in: a page shows it, a request does it (RFC 8058)."""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import Response

from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.services.preferences import LinkedTo
from tidings.storage import StoreUnavailable
from tidings.web.auth import container_of
from tidings.web.errors import BUSY_SECONDS
from tidings.web.public.page import MOST_FORM, form_of, page


async def unsubscribe(request: Request) -> Response:
    """GET shows what the link turns off, and changes nothing: mail programs look at links. POST does it.

    Neither cookies nor an origin are asked for: who has the link may do what it says, and no more.
    """
    container = container_of(request)
    try:
        app = await container.apps.resolve(request.path_params.get("app"))
        query = {name: value for name, value in request.query_params.items() if len(value) <= MOST_FORM}
        if request.method == "POST":
            form = await form_of(request)
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
    return page(request, title=title, content=f"<p>{escape(text)}</p>{form}", status=status, headers=headers)
