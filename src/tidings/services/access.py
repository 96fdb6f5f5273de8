"""Who may do what: API keys, sessions of the dashboard, and the one-time links that begin them."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from tidings.domain.app import ApiKey
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.lib.clock import Clock
from tidings.lib.ids import Ids
from tidings.storage import Store, StoreUnavailable, Transaction

SESSION_LIFE = timedelta(days=30)
SETUP_LIFE = timedelta(hours=24)
_TOUCH_EVERY = timedelta(minutes=1)
"""A key's last use is noted no more often: a write for every request would cost more than the request."""

_KEY = re.compile(r"tdg_([0-9a-f]{64})_([0-9a-f]{8})", re.ASCII)
_SHOWN = len("tdg_") + 8


class Scope(StrEnum):
    """What a key may do: read everything but secrets, send and keep users, or all of it."""

    READ = "read"
    SEND = "send"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new API key, and its text that is shown this once."""

    api_key: ApiKey
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser."""

    token: str = field(repr=False)
    expires_at: datetime


class Access:
    """Issues, checks and revokes what opens the API."""

    def __init__(self, *, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def create_key(self, *, name: str, scopes: Sequence[Scope], app_id: int | None) -> IssuedKey:
        """Make an API key for one App, or for all with `app_id` None; only its hash is kept."""
        secret = self._ids.secret()
        text = f"tdg_{secret}_{_checksum(secret)}"
        public_id, now = self._ids.new("key"), self._clock.now()
        stored = await self._store.write(
            lambda tx: tx.access.add_key(
                public_id=public_id,
                app_id=app_id,
                name=name,
                prefix=text[:_SHOWN],
                key_hash=_hash(text),
                scopes=[scope.value for scope in dict.fromkeys(scopes)],
                now=now,
            )
        )
        return IssuedKey(stored, text)

    async def authenticate(self, text: str) -> ApiKey:
        """Give the key whose text this is. Raises UNAUTHORIZED."""
        match = _KEY.fullmatch(text)
        if match is None or _checksum(match[1]) != match[2]:
            raise CatalogueError(
                ErrorCode.UNAUTHORIZED,
                "This is no API key of Tidings; perhaps it was cut off when it was copied.",
            )
        key_hash, now = _hash(text), self._clock.now()
        key = await self._store.read(lambda tx: tx.access.key_by_hash(key_hash))
        if key is None or key.revoked_at is not None:
            raise CatalogueError(ErrorCode.UNAUTHORIZED, "This API key was revoked, or belongs to another instance.")
        if key.last_used_at is None or now - key.last_used_at >= _TOUCH_EVERY:
            with suppress(StoreUnavailable):  # a full disk must not lock the operator out of reading
                await self._store.write(lambda tx: tx.access.touch_key(key.id, now=now))
        return key

    async def keys(self, *, app_id: int | None = None) -> list[ApiKey]:
        """List the keys in force: all, or those that reach one App."""
        keys = await self._store.read(lambda tx: tx.access.keys())
        return [key for key in keys if key.revoked_at is None and (app_id is None or key.app_id in (None, app_id))]

    async def revoke_key(self, public_id: str, *, app_id: int | None = None) -> None:
        """End a key at once; with `app_id` only one of that App. Raises NOT_FOUND."""
        now = self._clock.now()

        def revoke(tx: Transaction) -> bool:
            keys = tx.access.keys()
            mine = app_id is None or any(key.public_id == public_id and key.app_id == app_id for key in keys)
            return mine and tx.access.revoke_key(public_id, now=now)

        if not await self._store.write(revoke):
            raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no API key {public_id[:64]!r}.")

    async def new_setup_token(self) -> str:
        """Make the secret of a one-time link `<base>/setup#<token>`, good for 24 hours."""
        token = self._ids.secret()
        expires_at = self._clock.now() + SETUP_LIFE
        await self._store.write(lambda tx: tx.access.add_setup_token(token_hash=_hash(token), expires_at=expires_at))
        return token

    async def sign_in(self, setup_token: str) -> Session:
        """Spend a one-time link for a session. Raises SETUP_LINK_INVALID."""
        token, now = self._ids.secret(), self._clock.now()
        expires_at = now + SESSION_LIFE

        def spend(tx: Transaction) -> bool:
            if not tx.access.spend_setup_token(_hash(setup_token), now=now):
                return False
            tx.access.add_session(token_hash=_hash(token), expires_at=expires_at, now=now)
            return True

        if not await self._store.write(spend):
            raise CatalogueError(ErrorCode.SETUP_LINK_INVALID)
        return Session(token, expires_at)

    async def is_signed_in(self, token: str) -> bool:
        """Tell whether a session is in force."""
        now = self._clock.now()
        return await self._store.read(lambda tx: tx.access.session_valid(_hash(token), now=now))

    async def sign_out(self, token: str) -> None:
        """End a session; one that has ended already is fine."""
        await self._store.write(lambda tx: tx.access.end_session(_hash(token)))


def _hash(text: str) -> bytes:
    # 256 random bits need no slow hash.
    return hashlib.sha256(text.encode()).digest()


def _checksum(secret: str) -> str:
    return f"{zlib.crc32(secret.encode()):08x}"
