"""Public ids: a prefix that says what it is, then 26 characters that sort by time (a ULID in lower case)."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from tidings.lib.clock import Clock

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class Ids:
    """Makes ids such as `sub_01jd8k3v5x0000000000000000`: 48 bits of milliseconds, 80 of chance."""

    def __init__(self, clock: Clock, random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._clock = clock
        self._random_bytes = random_bytes

    def new(self, prefix: str) -> str:
        """Make a new id with that prefix."""
        milliseconds = int(self._clock.now().timestamp() * 1000)
        number = milliseconds << 80 | int.from_bytes(self._random_bytes(10), "big")
        return f"{prefix}_" + "".join(ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))

    def secret(self) -> str:
        """Make a secret of 256 bits in URL-safe text."""
        return self._random_bytes(32).hex()
