"""Python's collector of cycles, told what a process does: much that stays, and many values that are in no cycle."""

from __future__ import annotations

import gc

COLLECT_EVERY = 20_000
"""New objects between two looks; each chunk of messages makes thousands of tuples, and none that needs one."""


def spare() -> None:
    """Leave alone what is there by now, and look less often; for a process that has loaded and goes on for long."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY, 20, 20)
