"""Others beside us: pywebpush and node web-push, same subscriptions, same sink; installed when they are asked for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from tidings.bench.campaign import MESSAGE
from tidings.bench.crowd import addresses
from tidings.bench.sink import Sink
from tidings.lib.crypto import POINT_SIZE, base64url_from, generate_key, point_from, scalar_from

PYTHON_PACKAGE = "pywebpush==2.5.0"
NODE_PACKAGE = "web-push@3.6.7"

COMPARE = Path(__file__).parents[3] / "bench" / "compare"
"""The peers' own code; part of the source tree, not of the package."""

_SUBSCRIBERS = 500


class How(StrEnum):
    """In which way a peer is called."""

    SHOWN = "shown"
    """As its page shows it."""
    KEPT = "kept"
    """With a key that is read once and connections that are kept, which takes a caller who knows of them."""


class PeerMissing(Exception):
    """A peer cannot be run here; the message says why."""


@dataclass(frozen=True, slots=True)
class Peer:
    """CPU microseconds of one message, and messages a second, of one process."""

    name: str
    cpu: float
    rate: float
    how: How | None = None


def write_job(sink: Sink, folder: Path) -> Path:
    """Write what peers need: subscriptions, a VAPID key, the sink's certificate, a payload."""
    key = generate_key()
    subscriptions = [
        {
            "endpoint": to.target,
            "keys": {
                "p256dh": base64url_from(to.keys[:POINT_SIZE]),
                "auth": base64url_from(to.keys[POINT_SIZE:]),
            },
        }
        for to in addresses(_SUBSCRIBERS, base=f"{sink.origin}/push/")
    ]
    notification = {"title": MESSAGE.title, "body": MESSAGE.body, "navigate": MESSAGE.url, "tag": "0" * 32}
    job = {
        "subscriptions": subscriptions,
        "payload": json.dumps({"web_push": 8030, "notification": notification}).ljust(256),
        "private_key": base64url_from(scalar_from(key)),
        "public_key": base64url_from(point_from(key)),
        "subject": "mailto:ops@example.com",
        "ca_file": str(sink.ca_file),
    }
    file = folder / "job.json"
    file.write_text(json.dumps(job))
    return file


def pywebpush(job: Path, how: How, *, cache: Path, count: int) -> Peer:
    """Run pywebpush; raises PeerMissing."""
    command = [sys.executable, str(script("peer.py")), str(job), str(count), how]
    packages = installed(PYTHON_PACKAGE, cache=cache)
    trust = {"REQUESTS_CA_BUNDLE": _ca_file(job), "NO_PROXY": "*"}
    return replace(run_peer(PYTHON_PACKAGE, command, cache, PYTHONPATH=str(packages), **trust), how=how)


def _ca_file(job: Path) -> str:
    return str(json.loads(job.read_text())["ca_file"])


def installed(package: str, *, cache: Path) -> Path:
    """Install a package of Python's into a folder of its own; raises PeerMissing."""
    packages = cache / package.partition("==")[0]
    if not packages.exists():
        _run([sys.executable, "-m", "pip", "install", "--quiet", "--target", str(packages), package], cache)
    return packages


def web_push(job: Path, how: How, *, cache: Path, count: int) -> Peer:
    """Run node web-push; raises PeerMissing."""
    found, node, npm = script("peer.mjs"), shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise PeerMissing("Node.js is not installed")
    folder = cache / "node"
    if not (folder / "node_modules").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _run([npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), NODE_PACKAGE], folder)
    command = [node, str(found), str(job), str(count), how]
    return replace(run_peer(NODE_PACKAGE, command, folder, NODE_EXTRA_CA_CERTS=_ca_file(job)), how=how)


def script(name: str) -> Path:
    """Find a peer's own code; raises PeerMissing."""
    found = COMPARE / name
    if not found.exists():
        raise PeerMissing("the peers are part of the source tree, which this is not")
    return found


def run_peer(name: str, command: Sequence[str], folder: Path, **environment: str) -> Peer:
    """Run a peer and read what it says of itself; raises PeerMissing."""
    said = json.loads(_run(command, folder, **environment))
    return Peer(name, cpu=said["cpu"], rate=said["rate"])


def _run(command: Sequence[str], folder: Path, **environment: str) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(  # noqa: S603 - commands of this file
        command, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    if done.returncode:
        raise PeerMissing((done.stderr.strip() or done.stdout.strip())[-300:])
    return done.stdout
