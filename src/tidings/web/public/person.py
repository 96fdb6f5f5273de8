"""Who asks: a person whom the site's server has vouched for, in two headers, as no page may read another's feed."""

from __future__ import annotations

import re
from urllib.parse import unquote

from starlette.requests import Request

from tidings.domain.app import App
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.lib.ratelimit import Rate
from tidings.services.identity import check_identity
from tidings.web.auth import container_of

USER = "Tidings-User"
"""The user's id, percent-encoded: headers carry no other letters."""

TOKEN = "Tidings-Token"  # noqa: S105 - a header's name
PERSON = Rate(300, 60.0)
"""What one person may ask, from all of their pages together."""

LONGEST = 200
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ufffd]")


async def is_still(request: Request, app: App, user: str, *, anew: bool) -> bool:
    """Tell whether who asked is still vouched for: a token ends, a secret is changed, an App is erased.

    `anew` looks at the App as it is now; else the clock alone is asked.
    """
    container = container_of(request)
    try:
        now_there = await container.apps.by_id(app.id) if anew else app
        check_identity(now_there, user, request.headers.get(TOKEN, "")[:256], now=container.clock.now())
    except CatalogueError:
        return False
    return True


async def person_of(request: Request, app: App) -> str:
    """Give the id of the person who asks. Raises IDENTITY_REQUIRED, IDENTITY_INVALID and RATE_LIMITED."""
    named, token = request.headers.get(USER, ""), request.headers.get(TOKEN, "")
    if not named or not token:
        raise CatalogueError(ErrorCode.IDENTITY_REQUIRED)
    user = unquote(named)
    if not 0 < len(user) <= LONGEST or _UNPRINTABLE.search(user):
        raise CatalogueError(ErrorCode.IDENTITY_INVALID, "The user's id is not one.")
    container = container_of(request)
    check_identity(app, user, token[:256], now=container.clock.now())
    limiter = container.limiter
    if limiter is not None and not limiter.take(("person", app.id, user), PERSON).allowed:
        raise CatalogueError(ErrorCode.RATE_LIMITED, f"More than {PERSON.count} a minute came from this person.")
    return user
