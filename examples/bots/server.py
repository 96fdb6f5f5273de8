"""Bot Salon: bots that reach people outside a conversation, in browsers and on phones, each in their own language.

TIDINGS_KEY=... TIDINGS_SECRET=... python server.py
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import sys
import time
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from mimetypes import guess_type
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

PORT = int(os.environ.get("PORT", "8000"))
HERE = f"http://localhost:{PORT}"
TIDINGS = os.environ.get("TIDINGS_URL", "http://localhost:8080")
try:
    KEY, SECRET = os.environ["TIDINGS_KEY"], os.environ["TIDINGS_SECRET"]
except KeyError as missing:
    sys.exit(f"Set {missing.args[0]} first; the README.md beside this file says how.")
PAGES = Path(__file__).parent / "pages"

BOTS = {"b-1": "Cleo", "b-2": "Otto"}
PEOPLE: dict[str, dict[str, object]] = {
    "ada": {"locale": "en", "attributes": {"name": "Ada", "offers": True}},
    "bruno": {"locale": "de", "attributes": {"name": "Bruno", "offers": False}},
    "ben": {"locale": "en", "attributes": {"name": "Ben", "role": "operator", "available": True}},
}


# --- Tidings: who people are, what happens, and who sits at this browser ----------------------------------------------


def call(method: str, path: str, body: object) -> None:
    """Say something to Tidings. It answers when it has stored it, and waits for no push service."""
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    with urlopen(Request(f"{TIDINGS}/api/v1{path}", json.dumps(body).encode(), headers, method=method), timeout=20):
        pass


def report(kind: str, users: list[str], **data: object) -> None:
    """Tell what happened and whom it concerns."""
    call("POST", "/events", {"type": kind, "users": users, "data": data})


def identity_token(user: str, lifetime: int = 3600) -> str:
    """Sign who sits at a browser, so that nobody can say they are somebody else."""
    expiry = int(time.time()) + lifetime
    return f"{expiry}." + hmac.new(SECRET.encode(), f"{user}\n{expiry}".encode(), hashlib.sha256).hexdigest()


# --- What the bots do when no conversation is open --------------------------------------------------------------------


def bot(given: dict[str, str]) -> dict[str, str]:
    return {"id": given["bot"], "name": BOTS[given["bot"]]}


def remind(given: dict[str, str]) -> None:
    appointment = {
        "id": f"{given['user']}-{given['at']}",
        "title": given["title"],
        "at": given["at"],
        "url": f"{HERE}/",
    }
    report("appointment.reminder", [given["user"]], appointment=appointment, bot=bot(given))


def update(given: dict[str, str]) -> None:
    subject = {"id": given["name"], "name": given["name"], "url": f"{HERE}/"}
    report("status.updated", [given["user"]], subject=subject, status=given["status"], bot=bot(given))


def offer(given: dict[str, str]) -> None:
    report(
        "offer.published",
        [],
        offer={"id": given["title"], "title": given["title"], "text": given["text"], "url": f"{HERE}/"},
    )


def escalate(given: dict[str, str]) -> None:
    conversation = {"id": f"c-{given['bot']}", "url": f"{HERE}/studio.html"}
    report("conversation.escalated", [], conversation=conversation, bot=bot(given), message=given["message"])


def install(given: dict[str, str]) -> None:
    """The app calls this when its user opts in: `provider` is fcm or apns, `token` what the phone's system gave."""
    call("POST", "/subscriptions", given)


ACTIONS = {"/remind": remind, "/update": update, "/offer": offer, "/escalate": escalate, "/app/install": install}


# --- The site ---------------------------------------------------------------------------------------------------------


class Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/sign-in":
            self.send_response(303)
            self.send_header("Set-Cookie", f"user={parse_qs(url.query)['as'][0]}; Path=/; HttpOnly; SameSite=Lax")
            self.send_header("Location", "/")
            return self.end_headers()
        name = "widget.html" if url.path == "/" else url.path.lstrip("/")
        file = PAGES / name
        if file.parent != PAGES or not file.is_file():
            return self.send_error(404)
        user = self.user()
        known = {"tidings": TIDINGS, "user": user, "token": identity_token(user) if user else ""}
        content = file.read_text()
        for key, value in known.items():
            content = content.replace(f"{{{{{key}}}}}", value)
        self.send_response(200)
        self.send_header("Content-Type", guess_type(name)[0] or "text/plain")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", f"default-src 'self' {TIDINGS}; img-src 'self' data:")
        self.end_headers()
        self.wfile.write(content.encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        ACTIONS[self.path]({name: values[0] for name, values in parse_qs(body).items()})
        self.send_response(303)
        self.send_header("Location", "/studio.html")
        self.end_headers()

    def user(self) -> str:
        """Whoever is signed in; a real site would ask for a password first."""
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get("user")
        return cookie.value if cookie and cookie.value in PEOPLE else ""

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    try:
        for who, known in PEOPLE.items():
            call("PUT", f"/users/{who}", known)
    except OSError as error:
        sys.exit(f"{TIDINGS} took nothing ({error}): start `tidings up`, and make TIDINGS_KEY as the README.md says.")
    print(f"Bot Salon: {HERE}/ for customers, {HERE}/studio.html for whoever keeps the bots", flush=True)
    ThreadingHTTPServer(("127.0.0.1", PORT), Site).serve_forever()
