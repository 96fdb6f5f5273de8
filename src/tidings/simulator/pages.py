"""Files of the package as answers: read once, typed by their ending, under a strict content security policy."""

from __future__ import annotations

from importlib.resources import files

from tidings.simulator.answers import Response

_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "webmanifest": "application/manifest+json",
}


def read(folder: str) -> dict[str, tuple[str, bytes]]:
    """Read the files of one folder beside this module: path (`/style.css`) -> media type, content."""
    found = {}
    for entry in sorted(files("tidings.simulator").joinpath(folder).iterdir(), key=lambda entry: entry.name):
        ending = entry.name.rpartition(".")[2]
        if ending in _TYPES:
            found[f"/{entry.name}"] = (_TYPES[ending], entry.read_bytes())
    return found


def answer(media_type: str, content: bytes, *, policy: str) -> Response:
    """Answer with one file; never cached, because the simulator's ports are used again by the next start."""
    headers = (
        ("content-type", media_type),
        ("cache-control", "no-store"),
        ("content-security-policy", policy),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
    )
    return Response(200, headers, content)


def plain(status: int, text: str) -> Response:
    """Answer with one line of text."""
    return Response(status, (("content-type", "text/plain; charset=utf-8"),), f"{text}\n".encode())
