"""Agrees with eight peers side by side, by the compiled part beside this file (`lanes.c`), where there is one.

It draws its private keys from the system (getentropy), holds them on the stack and wipes it; Python never sees them.
`scripts/compile.py` builds it where there is a C compiler, and nothing but speed depends on it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path

from tidings.lib.agreement.agreed import Agree, Agreed, is_point
from tidings.lib.crypto import POINT_SIZE, SCALAR_SIZE

LIBRARY = Path(__file__).with_name("_lanes.so")
"""What the C is compiled to; there only where it could be."""

_PROCESSOR = Path("/proc/cpuinfo")
_RESULT_SIZE = POINT_SIZE + SCALAR_SIZE
_NO_POINT = bytes(POINT_SIZE)


def load_lanes(library: Path = LIBRARY) -> Agree:
    """Load the compiled part; raises OSError where there is none or the processor cannot do it."""
    loaded = ctypes.CDLL(str(library))
    if not loaded.tidings_lanes_able():
        raise OSError("this processor has no AVX-512 IFMA")
    return Lanes(loaded).agreed


def is_possible() -> bool:
    """Say whether the processor could do it, as far as Linux tells."""
    try:
        flags = next(line for line in _PROCESSOR.read_text().splitlines() if line.startswith("flags")).split()
    except (OSError, StopIteration):
        return False
    return {"avx512f", "avx512ifma"}.issubset(flags)


class Lanes:
    """Agrees by the compiled part; it keeps nothing between calls, so that threads may share it."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._agree = library.tidings_lanes_agree

    def agreed(self, peers: Sequence[bytes], keys: Sequence[bytes] | None = None) -> list[Agreed | None]:
        """Agree as `agreed_by_objects` does; `keys` (32 bytes each) are for known answers, else new ones are drawn."""
        many = len(peers)
        if keys is not None and (len(keys) != many or any(len(key) != SCALAR_SIZE for key in keys)):
            raise ValueError(f"known keys are {SCALAR_SIZE} bytes each, and one for each point")
        formed = [peer if is_point(peer) else _NO_POINT for peer in peers]
        results = ctypes.create_string_buffer(_RESULT_SIZE * many)
        valid = ctypes.create_string_buffer(many)
        status = self._agree(many, b"".join(formed), None if keys is None else b"".join(keys), results, valid)
        if status != 0:
            raise OSError(f"keys could not be agreed on (status {status} of lanes.c)")
        raw, points = results.raw, valid.raw
        return [
            (raw[at : at + POINT_SIZE], raw[at + POINT_SIZE : at + _RESULT_SIZE]) if points[number] else None
            for number, at in enumerate(range(0, many * _RESULT_SIZE, _RESULT_SIZE))
        ]
