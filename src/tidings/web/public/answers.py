"""The page behind the click where a notification has no buttons: it asks, takes an answer, and lets it be changed."""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.message import Action
from tidings.services.answers import Question
from tidings.storage import StoreUnavailable
from tidings.web.auth import container_of
from tidings.web.errors import BUSY_SECONDS
from tidings.web.public.answer_words import WORDS, AnswerWords, language_of
from tidings.web.public.page import form_of, page

_FAULTS = {ErrorCode.ANSWER_CLOSED: "closed", ErrorCode.ANSWER_LINK_INVALID: "unknown"}


async def answers(request: Request) -> Response:
    """GET asks, and changes nothing: previews look at links. POST takes the answer.

    Neither cookies nor an origin are asked for: who has the link may do what it says, and no more.
    """
    container, named = container_of(request), request.path_params
    accepted = request.headers.get("accept-language", "")
    try:
        app = await container.apps.resolve(named.get("app"))
        link = named["delivery"], named["token"]
        if request.method == "POST":
            chosen = (await form_of(request)).get("action", [""])[0]
            await container.people.answers.answer(app, *link, chosen)
            return RedirectResponse(request.url.path, status_code=303)
        asked = await container.people.answers.look(app, *link)
        language = language_of(asked.locale, asked.language, accepted)
        return _asking(request, asked, WORDS[language], app.name)
    except CatalogueError as fault:
        return _refusing(request, fault, accepted)
    except StoreUnavailable:
        return _refusing(request, CatalogueError(ErrorCode.SERVICE_BUSY), accepted, {"Retry-After": str(BUSY_SECONDS)})


def _asking(request: Request, asked: Question, words: AnswerWords, app: str) -> Response:
    content = f'<p dir="auto">{escape(asked.body)}</p>' if asked.body else ""
    if asked.chosen is not None:
        thanks = escape(words.thanks.replace("{answer}", asked.chosen.title))
        content += f'<p class="said" role="status" dir="auto">{thanks}</p>'
        content += f"<p>{escape(words.change if asked.open else words.closed)}</p>"
    if asked.open:
        buttons = "".join(_button(one, asked.chosen) for one in asked.answers)
        content += f'<form class="answers" method="post">{buttons}</form>'
    content += "".join(
        f'<p><a href="{escape(one.url)}" rel="noreferrer" dir="auto">{escape(one.title)}</a></p>'
        for one in asked.actions
        if one.url is not None
    )
    content += f"<p>{escape(app)}</p>"
    return page(request, title=asked.title, content=content, language=asked.language or words.language)


def _button(one: Action, chosen: Action | None) -> str:
    mine = chosen is not None and one.id == chosen.id
    look = ' class="plain"' if chosen is not None and not mine else ""
    pressed = f' aria-pressed="{str(mine).lower()}"'
    return f'<button name="action" value="{escape(one.id)}"{look}{pressed} dir="auto">{escape(one.title)}</button>'


def _refusing(
    request: Request, fault: CatalogueError, accepted: str, headers: dict[str, str] | None = None
) -> Response:
    words = WORDS[language_of(accepted)]
    kind = _FAULTS.get(fault.code)
    title = getattr(words, kind) if kind else fault.entry.title
    text = getattr(words, f"{kind}_mend") if kind else fault.entry.mend
    return page(
        request,
        title=title,
        content=f"<p>{escape(text)}</p>",
        status=fault.entry.status,
        language=words.language if kind else "en",
        headers=headers,
    )
