"""Others beside us: pywebpush and node web-push, same subscriptions, same sink; installed when they are asked for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from tidings.bench.campaign import MESSAGE
from tidings.bench.crowd import addresses
from tidings.bench.sink import Sink
from tidings.bench.together import PeerMissing, Program, run_together
from tidings.lib.crypto import POINT_SIZE, base64url_from, generate_key, point_from, scalar_from

PYTHON_PACKAGE = "pywebpush==2.5.0"
NODE_PACKAGE = "web-push@3.6.7"

COMPARE = Path(__file__).parents[3] / "bench" / "compare"
"""The peers' own code; part of the source tree, not of the package."""

MESSAGES = 4_000
"""What a process sends in a real run. Node.js needs some two thousand until what is called often is compiled."""

_SUBSCRIBERS = 500
"""Subscriptions of one process, which it sends to again and again."""


class How(StrEnum):
    """In which way a peer is called."""

    SHOWN = "shown"
    """As its page shows it."""
    KEPT = "kept"
    """With a key that is read once and connections that are kept, which takes a caller who knows of them."""


@dataclass(frozen=True, slots=True)
class Peer:
    """CPU microseconds of one message, and messages a second, of all its processes that ran at once.

    `ours` is what a message costs us with as many processes that send, `times` how many times that the peer needs.
    """

    name: str
    cpu: float
    rate: float
    how: How | None = None
    processes: int = 1
    messages: int = 0
    ours: float | None = None
    times: float | None = None

    def beside(self, ours: float) -> Peer:
        """Put it beside what a message costs us, in CPU microseconds."""
        return replace(self, ours=ours, times=self.cpu / ours)


def write_jobs(sink: Sink, folder: Path, *, processes: int) -> list[Path]:
    """Write what each process needs: subscriptions of its own, a VAPID key, the sink's certificate, a payload."""
    key = generate_key()
    notification = {"title": MESSAGE.title, "body": MESSAGE.body, "navigate": MESSAGE.url, "tag": "0" * 32}
    shared = {
        "payload": json.dumps({"web_push": 8030, "notification": notification}).ljust(256),
        "private_key": base64url_from(scalar_from(key)),
        "public_key": base64url_from(point_from(key)),
        "subject": "mailto:ops@example.com",
        "ca_file": str(sink.ca_file),
    }
    files = []
    for number in range(processes):
        subscriptions = [
            {
                "endpoint": to.target,
                "keys": {
                    "p256dh": base64url_from(to.keys[:POINT_SIZE]),
                    "auth": base64url_from(to.keys[POINT_SIZE:]),
                },
            }
            for to in addresses(_SUBSCRIBERS, base=f"{sink.origin}/push/", start=number * _SUBSCRIBERS)
        ]
        file = folder / f"job-{number}.json"
        file.write_text(json.dumps(shared | {"subscriptions": subscriptions}))
        files.append(file)
    return files


def pywebpush(sink: Sink, *, cache: Path) -> Program:
    """Give pywebpush, installed; raises PeerMissing."""
    command = (sys.executable, str(script("peer.py")))
    packages = installed(PYTHON_PACKAGE, cache=cache)
    trust = {"REQUESTS_CA_BUNDLE": str(sink.ca_file), "NO_PROXY": "*"}
    return Program(PYTHON_PACKAGE, command, cache, {"PYTHONPATH": str(packages), **trust})


def web_push(sink: Sink, *, cache: Path) -> Program:
    """Give node web-push, installed; raises PeerMissing."""
    found, node, npm = script("peer.mjs"), shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise PeerMissing("Node.js is not installed")
    folder = cache / "node"
    if not (folder / "node_modules").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _run([npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), NODE_PACKAGE], folder)
    return Program(NODE_PACKAGE, (node, str(found)), folder, {"NODE_EXTRA_CA_CERTS": str(sink.ca_file)})


PEERS: tuple[Callable[..., Program], ...] = (pywebpush, web_push)


def run_peer(program: Program, jobs: Sequence[Path], how: How | None, *, messages: int, sink: Sink) -> Peer:
    """Run a process for each job, all at once, that many messages each; raises PeerMissing."""
    shares = [[str(job), str(messages), *([how] if how else [])] for job in jobs]
    work = run_together(program, shares, messages=messages, sink=sink)
    return Peer(
        program.name,
        cpu=work.cpu / work.messages * 1e6,
        rate=work.messages / work.seconds,
        how=how,
        processes=len(jobs),
        messages=work.messages,
    )


def installed(package: str, *, cache: Path) -> Path:
    """Install a package of Python's into a folder of its own; raises PeerMissing."""
    packages = cache / package.partition("==")[0]
    if not packages.exists():
        _run([sys.executable, "-m", "pip", "install", "--quiet", "--target", str(packages), package], cache)
    return packages


def script(name: str) -> Path:
    """Find a peer's own code; raises PeerMissing."""
    found = COMPARE / name
    if not found.exists():
        raise PeerMissing("the peers are part of the source tree, which this is not")
    return found


def _run(command: Sequence[str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(  # noqa: S603 - commands of this file
        command, cwd=folder, capture_output=True, text=True, check=False, env=os.environ
    )
    if done.returncode:
        raise PeerMissing((done.stderr.strip() or done.stdout.strip())[-300:])
