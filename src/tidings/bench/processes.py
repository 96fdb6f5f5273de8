"""Processor time, memory and open files of processes, read from /proc; Linux only."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Footprint:
    """What one process holds at a moment: resident memory in bytes, and open files."""

    memory: int
    files: int


def cpu_seconds(pids: Iterable[int]) -> float:
    """Add up the user and system time of processes, in seconds."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


def footprint(pid: int) -> Footprint:
    """Give what a process holds now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return Footprint(memory=pages * _PAGE, files=len(os.listdir(f"/proc/{pid}/fd")))


def children_of(pid: int) -> list[int]:
    """Give the process ids of a process's children."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
