"""One click to turn an event's pushes off, without signing in: a page shows it, a request does it (RFC 8058)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from starlette.requests import Request
from starlette.responses import Response

from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.services.preferences import LinkedTo
from tidings.storage import StoreUnavailable
from tidings.web.auth import container_of
from tidings.web.errors import BUSY_SECONDS
from tidings.web.public.answer_words import language_of
from tidings.web.public.languages import languages_of
from tidings.web.public.page import MOST_FORM, form_of, page
from tidings.web.public.unsubscribe_words import WORDS, UnsubscribeWords


async def unsubscribe(request: Request) -> Response:
    """GET shows what the link turns off, and changes nothing: mail programs look at links. POST does it.

    Neither cookies nor an origin are asked for: who has the link may do what it says, and no more.
    """
    container, asked = container_of(request), languages_of(request)
    try:
        app = await container.apps.resolve(request.path_params.get("app"))
        query = {name: value for name, value in request.query_params.items() if len(value) <= MOST_FORM}
        found = await container.people.preferences.linked(app, query, asked=asked)
        if request.method != "POST":
            return _page(request, found.languages, (_question if found.enabled else _done)(found, app.name))
        if found.kind.mandatory:
            return _page(request, found.languages, _question(found, app.name), status=409)
        undo = (await form_of(request)).get("undo") == ["1"]
        found = await container.people.preferences.turn(app, query, enabled=undo, asked=asked)
        return _page(request, found.languages, _done(found, app.name))
    except CatalogueError as fault:
        return _refusing(request, asked, fault)
    except StoreUnavailable:
        busy = CatalogueError(ErrorCode.SERVICE_BUSY)
        return _refusing(request, asked, busy, {"Retry-After": str(BUSY_SECONDS)})


def _question(about: LinkedTo, app: str) -> tuple[str, str, str]:
    words, said = _words(about.languages), {"{name}": about.kind.name or about.kind.key, "{app}": app}
    if about.kind.mandatory:
        return _filled(words.always, said), _filled(words.always_more, said), ""
    more = f"{words.ask_more} {words.bell}" if about.in_bell else words.ask_more
    return _filled(words.ask, said), _filled(more, said), _button(words.turn_off, "")


def _done(about: LinkedTo, app: str) -> tuple[str, str, str]:
    words, said = _words(about.languages), {"{name}": about.kind.name or about.kind.key, "{app}": app}
    if about.enabled:
        return _filled(words.on, said), _filled(words.on_more, said), _button(words.turn_off, "", plain=True)
    undo = '<input type="hidden" name="undo" value="1">'
    return _filled(words.off, said), _filled(words.off_more, said), _button(words.turn_on, undo, plain=True)


def _words(languages: Sequence[str]) -> UnsubscribeWords:
    return WORDS[language_of(*languages)]


_GAP = re.compile(r"\{name\}|\{app\}")


def _filled(text: str, said: dict[str, str]) -> str:
    """Fill the gaps once: a name that has braces in it is left as it is."""
    return _GAP.sub(lambda gap: said[gap[0]], text)


def _button(label: str, fields: str, *, plain: bool = False) -> str:
    look = ' class="plain"' if plain else ""
    one_click = '<input type="hidden" name="List-Unsubscribe" value="One-Click">'
    return f'<form method="post">{fields or one_click}<button{look}>{escape(label)}</button></form>'


def _refusing(
    request: Request, asked: Sequence[str], fault: CatalogueError, headers: dict[str, str] | None = None
) -> Response:
    own = fault.code is ErrorCode.UNSUBSCRIBE_LINK_INVALID
    words, languages = _words(asked), asked if own else ()
    title, text = (words.unknown, words.unknown_mend) if own else (fault.entry.title, fault.entry.mend)
    return _page(request, languages, (title, text, ""), status=fault.entry.status, headers=headers)


def _page(
    request: Request,
    languages: Sequence[str],
    said: tuple[str, str, str],
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    title, text, form = said
    content, language = f"<p>{escape(text)}</p>{form}", language_of(*languages)
    return page(request, title=title, content=content, status=status, language=language, headers=headers)
