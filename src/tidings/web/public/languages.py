"""The languages that a request asks for."""

from __future__ import annotations

from starlette.requests import Request

from tidings.services.region import locale_from

MOST = 10
"""Languages of a request that are looked at."""


def languages_of(request: Request) -> tuple[str, ...]:
    """Give the languages to try for whoever asks, best first: the parameter `locale`, else Accept-Language."""
    asked = locale_from(request.query_params.get("locale", "")[:35])
    if asked is not None:
        return (asked,)
    parts = request.headers.get("accept-language", "")[:200].split(",")[:MOST]
    return tuple(tag for part in parts if (tag := locale_from(part.partition(";")[0])))
