"""Quay Chat: a widget for the visitors of a shop, a desk for its team, and a push for whatever needs a person.

TIDINGS_KEY=... TIDINGS_SECRET=... python server.py
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import queue
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
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

TEAM: dict[str, dict[str, object]] = {
    "olga": {"name": "Olga", "role": "owner"},
    "adam": {"name": "Adam", "role": "admin"},
    "ben": {"name": "Ben", "role": "operator", "available": False},
    "cleo": {"name": "Cleo", "role": "operator", "available": False},
    "sue": {"name": "Sue", "role": "super_admin"},
}


# --- Tidings: who the team is, what happens, and who sits at this browser ---------------------------------------------

jobs = ThreadPoolExecutor(1)
"""What is told to Tidings waits here, so that a visitor waits for nobody."""


def call(method: str, path: str, body: object) -> None:
    """Say something to Tidings."""
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    with urlopen(Request(f"{TIDINGS}/api/v1{path}", json.dumps(body).encode(), headers, method=method), timeout=20):
        pass


def report(kind: str, data: dict[str, object]) -> None:
    """Tell that something happened; who hears of it, and how often, is for the triggers of the preset."""
    jobs.submit(call, "POST", "/events", {"type": kind, "data": data}).add_done_callback(complain)


def complain(job: Future[None]) -> None:
    if error := job.exception():
        print(f"Tidings was not told: {error}", file=sys.stderr)


def introduce(user: str) -> None:
    """Tell who somebody is; the triggers ask for `role` and `available`."""
    call("PUT", f"/users/{user}", {"attributes": TEAM[user]})


def identity_token(user: str, lifetime: int = 3600) -> str:
    """Sign who sits at a browser, so that nobody can say they are somebody else."""
    expiry = int(time.time()) + lifetime
    return f"{expiry}." + hmac.new(SECRET.encode(), f"{user}\n{expiry}".encode(), hashlib.sha256).hexdigest()


# --- The chat ---------------------------------------------------------------------------------------------------------

chats: dict[str, list[dict[str, str]]] = {}
listeners: dict[str, list[queue.Queue[dict[str, str]]]] = {}


def say(chat: str, who: str, text: str) -> None:
    line = {"who": who, "text": text}
    chats.setdefault(chat, []).append(line)
    for listener in listeners.get(chat, []):
        listener.put(line)


def about(chat: str) -> dict[str, object]:
    return {"id": chat, "url": f"{HERE}/desk?chat={chat}"}


def on_message(given: dict[str, str]) -> None:
    chat, name, text = given["chat"], given["name"], given["text"]
    say(chat, name, text)
    say(chat, "Quay", f"Thank you, {name}. We ship everywhere the sea goes. Anything else?")
    report("conversation.message", {"conversation": about(chat), "visitor": {"name": name}, "message": text})


def on_handoff(given: dict[str, str]) -> None:
    chat, name = given["chat"], given["name"]
    say(chat, "Quay", "A colleague will be with you in a moment.")
    last = next((line["text"] for line in reversed(chats[chat]) if line["who"] == name), "")
    report("conversation.escalated", {"conversation": about(chat), "visitor": {"name": name}, "message": last})


def on_lead(given: dict[str, str]) -> None:
    report("lead.captured", {"lead": {"name": given["name"], "email": given["email"], "url": f"{HERE}/desk"}})


def on_error(given: dict[str, str]) -> None:
    """Widget Monitor: hears of everything; what is worth an alert is for the trigger."""
    error = {"type": given["type"], "severity": given["severity"], "message": given["message"], "url": f"{HERE}/desk"}
    report("widget.error", {"error": error})


VISITOR = {"/chat/message": on_message, "/chat/handoff": on_handoff, "/chat/lead": on_lead, "/monitor": on_error}


# --- The site ---------------------------------------------------------------------------------------------------------


class Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        if path == "/chat/stream":
            self.stream(query["chat"][0])
        elif path == "/desk/chats":
            self.answer(json.dumps(chats).encode(), "application/json")
        elif path == "/desk/sign-in":
            self.send_response(303)
            self.send_header("Set-Cookie", f"user={query['as'][0]}; Path=/; HttpOnly; SameSite=Lax")
            self.send_header("Location", "/desk")
            self.end_headers()
        else:
            self.page({"/": "visitor.html", "/desk": "desk.html"}.get(path, path.lstrip("/")))

    def do_POST(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path in VISITOR:
            VISITOR[self.path](given)
        elif self.path == "/desk/available" and (user := self.user()):
            TEAM[user]["available"] = given["available"]
            introduce(user)
        elif self.path == "/desk/message" and (user := self.user()):
            say(given["chat"], str(TEAM[user]["name"]), given["text"])
        else:
            return self.send_error(404)
        self.answer(b"{}", "application/json")

    def user(self) -> str | None:
        """Whoever is signed in; a real desk would ask for a password first."""
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get("user")
        return cookie.value if cookie and cookie.value in TEAM else None

    def stream(self, chat: str) -> None:
        """The live answers of a chat. Nothing is sent to anybody's device from in here."""
        listener: queue.Queue[dict[str, str]] = queue.Queue()
        listeners.setdefault(chat, []).append(listener)
        self.head("text/event-stream")
        try:
            for line in chats.get(chat, []):
                self.wfile.write(f"data: {json.dumps(line)}\n\n".encode())
            while True:
                try:
                    self.wfile.write(f"data: {json.dumps(listener.get(timeout=15))}\n\n".encode())
                except queue.Empty:
                    self.wfile.write(b": still here\n\n")
        except OSError:
            listeners[chat].remove(listener)

    def page(self, name: str) -> None:
        file = PAGES / name
        if not name or file.parent != PAGES or not file.is_file():
            return self.send_error(404)
        user = self.user()
        if name == "desk.html" and user is None:
            name, file = "sign-in.html", PAGES / "sign-in.html"
        known = {"tidings": TIDINGS, "user": user or "", "token": identity_token(user) if user else ""}
        known |= {key: str(value) for key, value in TEAM.get(user or "", {}).items()}
        content = file.read_text()
        for key, value in known.items():
            content = content.replace(f"{{{{{key}}}}}", value)
        self.answer(content.encode(), guess_type(name)[0] or "text/plain")

    def answer(self, content: bytes, media_type: str) -> None:
        self.head(media_type)
        self.wfile.write(content)

    def head(self, media_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", f"default-src 'self' {TIDINGS}; img-src 'self' data:")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    try:
        for person in TEAM:
            introduce(person)
    except OSError as error:
        sys.exit(f"{TIDINGS} took nothing ({error}): start `tidings up`, and make TIDINGS_KEY as the README.md says.")
    print(f"Quay Chat: {HERE}/ for visitors, {HERE}/desk for the team", flush=True)
    ThreadingHTTPServer(("127.0.0.1", PORT), Site).serve_forever()
