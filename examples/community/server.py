"""The Lamp Room: a small forum whose members hear of what concerns them, in the bell and as a push.

TIDINGS_KEY=... TIDINGS_SECRET=... python server.py
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import sys
import time
from dataclasses import dataclass, field
from html import escape
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

MEMBERS = {"mia": "Mia", "noah": "Noah", "zoe": "Zoe", "kim": "Kim"}


# --- Tidings: who the members are, what happens, and who sits at this browser -----------------------------------------


def call(method: str, path: str, body: object) -> None:
    """Say something to Tidings. It answers when it has stored it, and waits for no push service."""
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    with urlopen(Request(f"{TIDINGS}/api/v1{path}", json.dumps(body).encode(), headers, method=method), timeout=20):
        pass


def event(kind: str, actor: str | None, users: list[str], **data: object) -> dict[str, object]:
    """Say what happened, whom it concerns, and who did it: they are not told of themselves."""
    happened: dict[str, object] = {"type": kind, "users": users, "data": data}
    return {**happened, "actor": actor} if actor else happened


def identity_token(user: str, lifetime: int = 3600) -> str:
    """Sign who sits at a browser, so that nobody can say they are somebody else."""
    expiry = int(time.time()) + lifetime
    return f"{expiry}." + hmac.new(SECRET.encode(), f"{user}\n{expiry}".encode(), hashlib.sha256).hexdigest()


# --- The forum: each of these does something, and tells what happened -------------------------------------------------


@dataclass
class Topic:
    id: str
    author: str
    title: str
    replies: list[tuple[str, str]] = field(default_factory=list)
    accepted: int | None = None

    @property
    def url(self) -> str:
        return f"{HERE}/community/topic/{self.id}"

    def known(self) -> dict[str, str]:
        return {"id": self.id, "title": self.title, "url": self.url}


topics: dict[str, Topic] = {}
messages: list[tuple[str, str, str]] = []
keepers: set[str] = set()


def start(member: str, title: str) -> str:
    topic = Topic(str(len(topics) + 1), member, title)
    topics[topic.id] = topic
    return topic.url


def reply(member: str, topic: Topic, text: str) -> str:
    topic.replies.append((member, text))
    number = len(topic.replies)
    url = f"{topic.url}#reply-{number}"
    about = {"topic": topic.known(), "reply": {"id": f"{topic.id}-{number}", "text": text, "url": url}}
    mentioned = [name for name in re.findall(r"@(\w+)", text) if name in MEMBERS]
    happened = [
        event("topic.reply", member, [topic.author], **about),
        event("topic.followed_reply", member, [], **about),
        *(event("member.mentioned", member, [name], **about) for name in mentioned),
    ]
    call("POST", "/events", happened)
    return url


def accept(member: str, topic: Topic, number: int) -> str:
    if member == topic.author and topic.accepted is None:
        topic.accepted = number
        answerer = topic.replies[number - 1][0]
        happened = [event("answer.accepted", member, [answerer], topic=topic.known())]
        if answerer not in keepers:
            keepers.add(answerer)
            badge = {"name": "Lamp keeper", "url": f"{HERE}/community/profile"}
            happened.append(event("badge.awarded", None, [answerer], badge=badge))
        call("POST", "/events", happened)
    return topic.url


def write(member: str, to: str, text: str) -> str:
    messages.append((member, to, text))
    call(
        "POST",
        "/events",
        [event("message.received", member, [to], message={"text": text, "url": f"{HERE}/community/messages"})],
    )
    return f"{HERE}/community/messages"


# --- Its pages --------------------------------------------------------------------------------------------------------


def form(content: str) -> str:
    return f"<form method='post'>{content}</form>"


def front(member: str | None) -> str:
    rows = "".join(
        f'<li><a href="{one.url}">{escape(one.title)}</a> by {MEMBERS[one.author]}</li>' for one in topics.values()
    )
    ask = form("<label>Ask something <input name='title' required></label><button>Start a topic</button>")
    return f"<h2>Topics</h2><ol>{rows}</ol>{ask if member else ''}"


def thread(member: str | None, topic: Topic) -> str:
    rows = ""
    for number, (who, text) in enumerate(topic.replies, 1):
        button = f"<button name='accept' value='{number}'>Accept this answer</button>"
        mark = "<strong>Accepted</strong>" if topic.accepted == number else ""
        own = button if member == topic.author and topic.accepted is None else mark
        rows += f"<li id='reply-{number}'>{MEMBERS[who]}: {escape(text)} {form(own)}</li>"
    page = f"<h2>{escape(topic.title)}</h2><p>by {MEMBERS[topic.author]}</p><ol>{rows}</ol>"
    if member is None:
        return page
    # Whoever began a topic hears of each reply anyway.
    follow = "" if member == topic.author else f'<button id="follow" data-topic="topic:{topic.id}" hidden></button>'
    # It comes in when its state is known, and must move nothing that somebody is about to press.
    return page + form("<label>Reply <input name='text' required></label><button>Reply</button>") + follow


def inbox(member: str) -> str:
    rows = "".join(f"<li>{MEMBERS[one]}: {escape(text)}</li>" for one, to, text in messages if to == member)
    people = "".join(f'<option value="{one}">{name}</option>' for one, name in MEMBERS.items() if one != member)
    to = f"<label>To <select name='to'>{people}</select></label>"
    return f"<h2>Messages</h2><ol>{rows}</ol>" + form(
        f"{to}<label>Message <input name='text' required></label><button>Send</button>"
    )


def profile(member: str) -> str:
    badge = "<p>Badge: Lamp keeper</p>" if member in keepers else ""
    return f"<h2>Profile: {MEMBERS[member]}</h2>{badge}<h3>Notification Settings</h3><div id='settings'></div>"


class Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        member = self.member()
        name, _, rest = path.removeprefix("/community/").partition("/")
        if path == "/community/":
            self.page(member, front(member))
        elif name == "topic" and rest in topics:
            self.page(member, thread(member, topics[rest]))
        elif name == "messages" and member:
            self.page(member, inbox(member))
        elif name == "profile" and member:
            self.page(member, profile(member))
        elif name == "sign-in":
            who = parse_qs(urlsplit(self.path).query).get("as", [""])[0]
            self.away("/community/", f"member={who}; Path=/; HttpOnly; SameSite=Lax")
        elif name in ("sw.js", "community.js", "style.css", "site.webmanifest", "icon.svg"):
            self.answer((PAGES / name).read_text().replace("{{tidings}}", TIDINGS), guess_type(name)[0] or "text/plain")
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        given = {name: values[0] for name, values in parse_qs(body).items()}
        member = self.member()
        name, _, rest = self.path.removeprefix("/community/").partition("/")
        if member is None:
            self.send_error(403)
        elif name == "topic" and "accept" in given:
            self.away(accept(member, topics[rest], int(given["accept"])))
        elif name == "topic":
            self.away(reply(member, topics[rest], given["text"]))
        elif name == "messages":
            self.away(write(member, given["to"], given["text"]))
        else:
            self.away(start(member, given["title"]))

    def member(self) -> str | None:
        """Whoever is signed in; a real forum would ask for a password first."""
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get("member")
        return cookie.value if cookie and cookie.value in MEMBERS else None

    def page(self, member: str | None, content: str) -> None:
        people = " · ".join(f'<a href="/community/sign-in?as={one}">{name}</a>' for one, name in MEMBERS.items())
        known = {
            "tidings": TIDINGS,
            "member": member or "",
            "token": identity_token(member) if member else "",
            "who": f"{MEMBERS[member]} · <a href='/community/sign-in?as='>Sign out</a>"
            if member
            else f"Sign in: {people}",
            "content": content,
        }
        html = (PAGES / "page.html").read_text()
        self.answer(re.sub(r"\{\{(\w+)\}\}", lambda gap: known[gap[1]], html), "text/html; charset=utf-8")

    def answer(self, content: str, media_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", f"default-src 'self' {TIDINGS}; img-src 'self' data:")
        self.end_headers()
        self.wfile.write(content.encode())

    def away(self, to: str, cookie: str | None = None) -> None:
        self.send_response(303)
        if cookie is not None:
            self.send_header("Set-Cookie", cookie)
        self.send_header("Location", to)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    try:
        for who, name in MEMBERS.items():
            call("PUT", f"/users/{who}", {"attributes": {"name": name}})
    except OSError as error:
        sys.exit(f"{TIDINGS} took nothing ({error}): start `tidings up`, and make TIDINGS_KEY as the README.md says.")
    print(f"The Lamp Room: {HERE}/community/", flush=True)
    ThreadingHTTPServer(("127.0.0.1", PORT), Site).serve_forever()
