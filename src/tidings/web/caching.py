"""What a browser has already, and what it takes packed."""

from __future__ import annotations

import re

from starlette.requests import Request

_NOTHING = re.compile(r"q\s*=\s*0(\.0*)?")


def is_fresh(request: Request, etag: str) -> bool:
    """Tell whether `If-None-Match` names this entity tag (RFC 9110 §13.1.2, weak comparison)."""
    wanted = request.headers.get("if-none-match", "")
    return wanted.strip() == "*" or etag in {tag.strip().removeprefix("W/") for tag in wanted.split(",")}


def takes_gzip(request: Request) -> bool:
    """Tell whether `Accept-Encoding` names gzip, and not to refuse it with a weight of 0 (RFC 9110 §12.5.3)."""
    accepted = request.headers.get("accept-encoding", "")
    weights = {
        coding.strip(): weight.strip() for coding, _, weight in (one.partition(";") for one in accepted.split(","))
    }
    return "gzip" in weights and not _NOTHING.fullmatch(weights["gzip"])
