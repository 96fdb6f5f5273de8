"""Passwords: which are taken, and how they are kept: Argon2id, on threads of its own, so many at a time."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.lib.turns import Crowded, Turns

T = TypeVar("T")

LEAST = 10
MOST = 256
"""Characters of a password."""

ITERATIONS = 2
LANES = 1
MEMORY = 19_456
"""KiB. With the two above what the OWASP Password Storage Cheat Sheet asks for at least; about 40 ms of one core."""

NICE = 10
"""How far the threads step back behind everything else of this machine."""

MOST_WAITING = 64
"""Passwords that wait to be looked at, before others are told to come back: the free attempts of two addresses."""

LEAST_SCORE = 2
"""Of zxcvbn's scores: at least a million guesses by somebody who knows what people choose."""

LOOKED_AT = 40
"""Characters that are looked at for it; the time it takes grows faster than their number."""

_PARAMETERS = f"$argon2id$v=19$m={MEMORY},t={ITERATIONS},p={LANES}$"
_BUSY_SECONDS = 2


class Passwords:
    """Makes and checks PHC strings. A core stays free for everything else where there are two.

    Who has shown something already, a session or a link, goes before strangers; those take turns by their network, so
    that however many come from one, or from many, members get in.
    """

    def __init__(
        self, *, random_bytes: Callable[[int], bytes] = secrets.token_bytes, at_once: int | None = None
    ) -> None:
        self._random_bytes = random_bytes
        at_once = at_once or max(1, (os.cpu_count() or 1) // 2)
        self._turns = Turns(at_once=at_once, most=MOST_WAITING)
        self._threads = ThreadPoolExecutor(
            at_once, thread_name_prefix="tidings-password", initializer=_let_others_go_first
        )
        self._nobodys: str | None = None
        self._making = threading.Lock()

    async def hash(self, password: str) -> str:
        """Give the PHC string of a password. Raises SERVICE_BUSY."""
        salt = self._random_bytes(16)
        return await self._run(lambda: _derived(password, salt), whose=None)

    async def matches(self, password: str, phc: str | None, *, whose: str | None = None) -> bool:
        """Say whether it is the password; as slow, and no, where there is none. Raises SERVICE_BUSY.

        `whose` is the network of a stranger, None for who has shown something already.
        """

        def look() -> bool:
            nobodys = self._stand_in()
            return _matches(password, phc or nobodys)

        return await self._run(look, whose) and phc is not None

    def _stand_in(self) -> str:
        """Give the password of whoever is not there: finding out who is must take no less time."""
        with self._making:
            if self._nobodys is None:
                self._nobodys = _derived(self._random_bytes(32).hex(), self._random_bytes(16))
            return self._nobodys

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T], whose: str | None) -> T:
        try:
            async with self._turns.turn(whose):
                return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except Crowded:
            words = "Too many people sign in at this moment."
            raise CatalogueError(ErrorCode.SERVICE_BUSY, words, retry_after=_BUSY_SECONDS) from None


def outdated(phc: str) -> bool:
    """Say whether it was made with other costs than a new one would be."""
    return not phc.startswith(_PARAMETERS)


def check_password(password: str, *, email: str) -> None:
    """Raise PASSWORD_TOO_WEAK for what is guessed first."""
    why = _weakness(normal(password), email.strip().casefold())
    if why:
        fault = FieldFault("password", why)
        raise CatalogueError(ErrorCode.PASSWORD_TOO_WEAK, why, faults=(fault,))


def normal(password: str) -> str:
    """Give the password in the form in which every keyboard means the same (NIST SP 800-63B §5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def _weakness(password: str, email: str) -> str | None:
    if len(password) < LEAST:
        return f"Use at least {LEAST} characters; a few words in a row are easy to remember."
    if len(password) > MOST:
        return f"Use at most {MOST} characters."
    folded = password.casefold()
    if folded in (email, email.partition("@")[0]) or (email and email in folded):
        return "The password must not be your e-mail address."
    from zxcvbn import zxcvbn  # its lists take megabytes, and few processes ever ask

    found = zxcvbn(folded[:LOOKED_AT], user_inputs=[email, email.partition("@")[0]])
    if found["score"] < LEAST_SCORE:
        said = found["feedback"]["warning"]
        return f"{said} Choose another one." if said else "This password is among those that are tried first."
    return None


def _let_others_go_first() -> None:
    # Requests wait for the event loop; whoever signs in can wait a little. Elsewhere threads have no priority of
    # their own.
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


def _derived(password: str, salt: bytes) -> str:
    kdf = Argon2id(salt=salt, length=32, iterations=ITERATIONS, lanes=LANES, memory_cost=MEMORY)
    return kdf.derive_phc_encoded(normal(password).encode())


def _matches(password: str, phc: str) -> bool:
    try:
        Argon2id.verify_phc_encoded(normal(password).encode(), phc)
    except InvalidKey:
        return False
    return True
