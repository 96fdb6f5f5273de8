"""The public routes, each under /v1/{app}/push and, for an instance with one App, under /push."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from tidings.web.public.answers import answers
from tidings.web.public.devices import leave, register
from tidings.web.public.door import Handler, behind_door
from tidings.web.public.feed import archive, feed, read, seen, stream
from tidings.web.public.images import image
from tidings.web.public.preferences import get_preferences, put_preferences
from tidings.web.public.push import event, funnel, receipt, subscribe, tags, unsubscribe, vapid_key
from tidings.web.public.scripts import NAMES, script
from tidings.web.public.topics import get_topics, put_topics
from tidings.web.public.unsubscribe import unsubscribe as unsubscribe_page

PREFIXES = ("/v1/{app}/push", "/push")

_PATHS: dict[str, dict[str, Handler]] = {
    "/subscribe": {"POST": subscribe, "DELETE": unsubscribe},
    "/devices": {"POST": register, "DELETE": leave},
    "/vapid-key": {"GET": vapid_key},
    "/receipts": {"POST": receipt},
    "/funnel/{step}": {"POST": funnel},
    "/tags": {"PUT": tags},
    "/events": {"POST": event},
    "/preferences": {"GET": get_preferences, "PUT": put_preferences},
    "/topics": {"GET": get_topics, "PUT": put_topics},
    "/feed": {"GET": feed},
    "/feed/stream": {"GET": stream},
    "/feed/read": {"POST": read},
    "/feed/archive": {"POST": archive},
    "/feed/seen": {"POST": seen},
}


def public_routes() -> list[BaseRoute]:
    """Make the routes; OPTIONS answers a browser's preflight on each."""
    return [
        Route("/push/images/{name}", image, methods=["GET"]),
        *_of_apps(),
    ]


def _of_apps() -> list[BaseRoute]:
    return [
        route
        for prefix in PREFIXES
        for route in (
            *(Route(prefix + path, behind_door(of), methods=[*of, "OPTIONS"]) for path, of in _PATHS.items()),
            Route(f"{prefix}/unsubscribe", unsubscribe_page, methods=["GET", "POST"]),
            Route(f"{prefix}/answers/{{delivery}}/{{token}}", answers, methods=["GET", "POST"]),
            *(Route(f"{prefix}/{name}", script(name), methods=["GET", "OPTIONS"]) for name in NAMES),
        )
    ]
