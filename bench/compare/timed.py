"""The start line and the watch of a peer's process: all of them begin at once, when the last is ready."""

from __future__ import annotations

import json
import resource
import sys


def begin() -> float:
    """Say that this process is ready, wait for the start, and give the CPU seconds until here."""
    print("ready", flush=True)
    sys.stdin.readline()
    return used()


def end(begun: float, accepted: int) -> None:
    """Say how many messages were taken, and the CPU seconds since."""
    print(json.dumps({"accepted": accepted, "cpu": used() - begun}), flush=True)


def used() -> float:
    """Give the CPU seconds of this process and of those that it started, user and system."""
    both = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(one.ru_utime + one.ru_stime for one in both)
