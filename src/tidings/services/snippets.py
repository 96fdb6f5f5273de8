"""What a site pastes to let its visitors subscribe: three ways in, with the addresses of one App."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

WORKER = "/tidings-sw.js"
PACKAGE = "tidings-web"
CHECK = "await Tidings.check()"


class Way(StrEnum):
    """How a site brings in the service worker."""

    FILE = "file"
    WORKER = "worker"
    NPM = "npm"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: what, and the code for it."""

    title: str
    code: str


@dataclass(frozen=True, slots=True)
class Snippet:
    """One way in; `when` says for whom it is."""

    way: Way
    title: str
    when: str
    steps: tuple[Step, ...]


def snippets_for(server: str, app: str) -> tuple[Snippet, ...]:
    """Write the three ways for an App; `server` is the address that browsers reach the instance at."""
    base = f"{server}/v1/{app}/push"
    load = f"importScripts({_js(f'{base}/service-worker.js')});"
    return (
        Snippet(
            Way.FILE,
            "A file on your site",
            "Choose this if your site has no service worker.",
            (
                Step(f"Save this as {WORKER} at the root of your site", load),
                Step("Paste this into your pages", _page(base, "Tidings.init();")),
            ),
        ),
        Snippet(
            Way.WORKER,
            "A worker you have",
            "Your site has a service worker already, such as that of a PWA. It keeps its own update policy.",
            (
                Step("Put this at the top of your worker", f"self.__tidingsKeepWaiting = true;\n{load}"),
                Step(
                    "Paste this into your pages, with the address of your worker",
                    _page(base, 'Tidings.init({ serviceWorker: { path: "/sw.js" } });'),
                ),
            ),
        ),
        Snippet(
            Way.NPM,
            "npm",
            "You bundle your pages. This works once version 0.1 is on npm; until then use the file way, "
            "or build sdk/ yourself (npm pack).",
            (
                Step("Install the package", f"npm install {PACKAGE}"),
                Step(f"Save this where your bundler puts files as they are, so that it is served as {WORKER}", load),
                Step(
                    "Call it in your pages, with the id of your button",
                    f'import * as Tidings from "{PACKAGE}";\n\n'
                    f"Tidings.init({{ server: {_js(server)}, app: {_js(app)} }});\n"
                    'document.querySelector("#enable-push").onclick = () => Tidings.subscribe();',
                ),
            ),
        ),
    )


def policy_for(server: str) -> str:
    """Write what a Content-Security-Policy of the site needs for every one of the ways."""
    parts = urlsplit(server)
    origin = f"{parts.scheme}://{parts.netloc}"
    return f"script-src 'self' {origin}; connect-src 'self' {origin}; worker-src 'self'"


def _page(base: str, init: str) -> str:
    return (
        f'<script src="{base}/sdk.js"></script>\n'
        '<button id="enable-push">Enable notifications</button>\n'
        "<script>\n"
        f"  {init}\n"
        '  document.querySelector("#enable-push").onclick = () => Tidings.subscribe();\n'
        "</script>"
    )


def _js(text: str) -> str:
    return json.dumps(text)
