"""Conditional requests: has the browser the same bytes already?"""

from __future__ import annotations

from starlette.requests import Request


def is_fresh(request: Request, etag: str) -> bool:
    """Tell whether `If-None-Match` names this entity tag (RFC 9110 §13.1.2, weak comparison)."""
    wanted = request.headers.get("if-none-match", "")
    return wanted.strip() == "*" or etag in {tag.strip().removeprefix("W/") for tag in wanted.split(",")}
