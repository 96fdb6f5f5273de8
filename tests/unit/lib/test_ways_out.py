"""One way out: whoever calls somebody else does so through lib/http.py or lib/fetch.py, where the guard is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import tidings

ROOT = Path(tidings.__file__).parent

CALLERS = frozenset(
    (
        *(
            "aiohttp",
            "ftplib",
            "http.client",
            "httpcore",
            "httpx",
            "httpx2",
            "imaplib",
            "poplib",
            "nats",
        ),
        *("pycurl", "requests"),
        *("smtplib", "socket", "socketserver", "ssl", "urllib.request", "urllib3", "websockets", "xmlrpc.client"),
    )
)
"""Modules with which a connection can be opened."""

OPENERS = frozenset({"open_connection", "create_connection", "open_unix_connection", "create_datagram_endpoint"})
"""Functions of asyncio that open one."""

ALLOWED = {
    "lib/curl.py": {"pycurl", "socket"},  # the client of delivery: asks the guard for each connection
    "lib/http2/dial.py": {"socket"},  # and so does this one
    "lib/http2/link.py": {"socket", "ssl"},  # TLS over a socket that was dialled
    "lib/http2/openings.py": {"socket"},  # its type
    "lib/http2/resolve.py": {"socket"},  # names, and what wakes whoever waits for one
    "lib/http2/trust.py": {"ssl"},  # contexts
    "lib/fetch.py": {"pycurl", "socket"},  # one call at a time: asks it too
    "lib/egress.py": {"socket"},  # the name of a kind of socket, for the resolver
    "lib/cork.py": {"socket"},  # an option of sockets that are open
    "cli/egress.py": {"http.client"},  # `tidings doctor` calls the four push services of its own table
    "cli/client.py": {"httpx2"},  # the instance's own API: the address is in run.json, which only its owner writes
    "cli/serving.py": {"socket"},  # listens
    "cli/up.py": {"socket"},  # the type of what listens
    "cli/demo.py": {"httpx2", "socket"},  # the simulator beside it
    "worker/child.py": {"socket"},  # a pair of pipes
    "worker/periodic.py": {"socket"},  # this machine's name
    "worker/run.py": {"socket"},
    "bus/__init__.py": {"import_module"},  # members of these families by name
    "bus/nats.py": {"nats"},  # the operator's own server
    "providers/__init__.py": {"import_module"},
    "storage/postgres_store.py": {"import_module"},  # the operator's own database
}
DEVELOPMENT = ("bench/", "simulator/", "testing/")
"""Never part of a running instance: what they call is on this machine."""


def ways_out(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Attribute) and node.attr in OPENERS:
            yield node.attr
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("__import__", "import_module"):
            yield "import_module"
        for name in names:
            parts = name.split(".")
            yield from (found for found in (".".join(parts[:1]), ".".join(parts[:2])) if found in CALLERS)


def test_no_other_module_opens_connections() -> None:
    found = {
        str(path.relative_to(ROOT)): set(ways_out(ast.parse(path.read_text())))
        for path in sorted(ROOT.rglob("*.py"))
        if not str(path.relative_to(ROOT)).startswith(DEVELOPMENT)
    }
    more = {name: ways - ALLOWED.get(name, set()) for name, ways in found.items()}
    assert {name: ways for name, ways in more.items() if ways} == {}, "use lib/fetch.py, which asks the guard"


def test_a_way_out_is_seen_however_it_is_written() -> None:
    for line in (
        "import socket",
        "import urllib.request as r",
        "from urllib import request",
        "from http.client import HTTPSConnection",
        "def f():\n    from httpx2 import AsyncClient",
        "import asyncio\nasyncio.open_connection('a', 1)",
        "loop.create_connection(f)",
        "__import__('socket')",
    ):
        assert set(ways_out(ast.parse(line))), line
    for line in ("import urllib.parse", "from urllib.parse import urlsplit", "import http", "import asyncio"):
        assert not set(ways_out(ast.parse(line))), line
