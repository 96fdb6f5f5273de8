"""The demo's sample site "Harbour News": one page with an Enable button, wired to a Tidings server."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from tidings.simulator import pages
from tidings.simulator.answers import Request, Response

WORKER = "/tidings-sw.js"
_APP = re.compile(r"[A-Za-z0-9_]{1,64}")


class Site:
    """Answers the site's port; `handle` is a Handler."""

    def __init__(self, tidings: str, *, app: str | None = None) -> None:
        self._files = pages.read("site")
        self._scripts = self._origin = ""
        self.connect(tidings, app=app)

    def connect(self, tidings: str, *, app: str | None = None) -> None:
        """Use the SDK of the Tidings server at that address, and that App if it has several.

        Raises ValueError when the address is not an http or https origin or the App's id has other characters.
        """
        parts = urlsplit(tidings)
        if parts.scheme not in {"http", "https"} or not re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", parts.netloc):
            raise ValueError(f"{tidings[:80]!r} is not the address of a Tidings server, such as http://localhost:8080")
        if app is not None and not _APP.fullmatch(app):
            raise ValueError(f"{app[:80]!r} is not the id of an App")
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._scripts = f"{self._origin}/v1/{app}/push" if app else f"{self._origin}/push"

    def handle(self, request: Request) -> Response:
        """Answer one request of a browser."""
        if request.method not in {"GET", "HEAD"}:
            return pages.plain(405, "This site is only read.")
        if request.path == WORKER:
            return self._answer("text/javascript; charset=utf-8", self._worker())
        path = "/index.html" if request.path == "/" else request.path
        found = self._files.get(path)
        if found is None:
            return pages.plain(404, "Harbour News has no such page.")
        media_type, content = found
        if path == "/index.html":
            content = content.replace(b"{{scripts}}", self._scripts.encode()).replace(
                b"{{tidings}}", self._origin.encode()
            )
        return self._answer(media_type, content)

    def _worker(self) -> bytes:
        return f'importScripts("{self._scripts}/service-worker.js");\n'.encode()

    def _answer(self, media_type: str, content: bytes) -> Response:
        # The worker's own policy governs what it may import, so it goes out with every file.
        policy = (
            f"default-src 'none'; script-src 'self' {self._origin}; connect-src 'self' {self._origin}; "
            "style-src 'self'; img-src 'self' data:; manifest-src 'self'; worker-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        return pages.answer(media_type, content, policy=policy)
