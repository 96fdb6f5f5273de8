"""Ferry Times: a news site that tells its readers what is new, and asks what they think.

TIDINGS_KEY=... python server.py
"""

from __future__ import annotations

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from mimetypes import guess_type
from pathlib import Path
from urllib.parse import parse_qs
from urllib.request import Request, urlopen

PORT = int(os.environ.get("PORT", "8000"))
HERE = f"http://localhost:{PORT}"
TIDINGS = os.environ.get("TIDINGS_URL", "http://localhost:8080")
KEY = os.environ.get("TIDINGS_KEY") or sys.exit("Set TIDINGS_KEY first; the README.md beside this file says how.")
PAGES = Path(__file__).parent / "pages"


def report(kind: str, data: dict[str, object]) -> None:
    """Tell Tidings that something happened; it answers when that is stored, and waits for no push service."""
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    with urlopen(Request(f"{TIDINGS}/api/v1/events", json.dumps({"type": kind, "data": data}).encode(), headers)):
        pass


def publish(given: dict[str, str]) -> None:
    """An article is online. Saving it twice tells nobody twice: the trigger counts by its id."""
    article = {
        "id": given["slug"],
        "title": given["title"],
        "summary": given["summary"],
        "url": f"{HERE}/#{given['slug']}",
    }
    report("article.published", {"article": article})


def ask(given: dict[str, str]) -> None:
    """A question, with two buttons under the notification. Their answers are counted in the dashboard."""
    report("opinion.asked", {"question": {"id": given["slug"], "text": given["text"]}})


class Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        name = "index.html" if self.path == "/" else self.path.lstrip("/")
        file = PAGES / name
        if file.parent != PAGES or not file.is_file():
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Type", guess_type(name)[0] or "text/plain")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Content-Security-Policy", f"default-src 'self' {TIDINGS}; img-src 'self' data:")
        self.end_headers()
        self.wfile.write(file.read_text().replace("{{tidings}}", TIDINGS).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        {"/publish": publish, "/ask": ask}[self.path]({name: values[0] for name, values in parse_qs(body).items()})
        self.send_response(303)
        self.send_header("Location", "/editor.html")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    try:
        urlopen(f"{TIDINGS}/livez", timeout=20).close()
    except OSError as error:
        sys.exit(f"{TIDINGS} does not answer ({error}): start `tidings up`.")
    print(f"Ferry Times: {HERE}/ for readers, {HERE}/editor.html for its editors", flush=True)
    ThreadingHTTPServer(("127.0.0.1", PORT), Site).serve_forever()
