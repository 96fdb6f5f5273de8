"""What is written from the sources: kept in its place, or compared with what is there."""

from __future__ import annotations

import sys
from pathlib import Path


def written(path: Path, text: str) -> int:
    """Write it, or with --check say by the exit code whether it is there as it should be."""
    if "--check" in sys.argv:
        return 0 if path.exists() and path.read_text() == text else 1
    path.write_text(text)
    return 0
