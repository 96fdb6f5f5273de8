"""API keys, and the one-time links that let the first member in."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tidings.domain.app import ApiKey, App
from tidings.domain.audit import Action, Actor, Subject
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.member import Member
from tidings.domain.permission import Scope
from tidings.lib.clock import Clock
from tidings.lib.ids import Ids
from tidings.services.withdrawing import NOBODY, withdraw_beyond
from tidings.storage import Store, StoreUnavailable, Transaction

SETUP_LIFE = timedelta(hours=24)
_TOUCH_EVERY = timedelta(minutes=1)
"""A key's last use is noted no more often: a write for every request would cost more than the request."""

_KEY = re.compile(r"tdg_([0-9a-f]{64})_([0-9a-f]{8})", re.ASCII)
_SHOWN = len("tdg_") + 8


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new API key, and its text that is shown this once."""

    api_key: ApiKey
    text: str = field(repr=False)


class Access:
    """Issues, checks and revokes what opens the API to programs, and to the first member."""

    def __init__(self, *, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def create_key(
        self,
        *,
        name: str,
        scopes: Sequence[Scope],
        app: App | None,
        by: Actor,
        expires_at: datetime | None = None,
    ) -> IssuedKey:
        """Make an API key for one App, or for all with `app` None; only its hash is kept."""
        secret = self._ids.secret()
        text = f"tdg_{secret}_{_checksum(secret)}"
        public_id, now = self._ids.new("key"), self._clock.now()
        words = [scope.value for scope in dict.fromkeys(scopes)]

        def add(tx: Transaction) -> ApiKey:
            key = tx.access.add_key(
                public_id=public_id,
                app_id=app.id if app else None,
                name=name,
                prefix=text[:_SHOWN],
                key_hash=hash_of(text),
                scopes=words,
                now=now,
                created_by=by.name,
                expires_at=expires_at,
            )
            detail = {"scopes": words, "expires_at": expires_at.isoformat() if expires_at else None}
            tx.audit.add(by, Action.KEY_CREATED, app_id=key.app_id, subject=_subject(key), detail=detail, now=now)
            return key

        return IssuedKey(await self._store.write(add), text)

    async def authenticate(self, text: str) -> ApiKey:
        """Give the key whose text this is. Raises UNAUTHORIZED and KEY_EXPIRED."""
        match = _KEY.fullmatch(text)
        if match is None or _checksum(match[1]) != match[2]:
            raise CatalogueError(
                ErrorCode.UNAUTHORIZED,
                "This is no API key of Tidings; perhaps it was cut off when it was copied.",
            )
        key_hash, now = hash_of(text), self._clock.now()
        key = await self._store.read(lambda tx: tx.access.key_by_hash(key_hash))
        if key is None or key.revoked_at is not None:
            raise CatalogueError(ErrorCode.UNAUTHORIZED, "This API key was revoked, or belongs to another instance.")
        if key.expires_at is not None and key.expires_at <= now:
            raise CatalogueError(
                ErrorCode.KEY_EXPIRED, f"The API key {key.prefix}... ended at {key.expires_at:%Y-%m-%d %H:%M} UTC."
            )
        if key.last_used_at is None or now - key.last_used_at >= _TOUCH_EVERY:
            with suppress(StoreUnavailable):  # a full disk must not lock the operator out of reading
                await self._store.write(lambda tx: tx.access.touch_key(key.id, now=now))
        return key

    async def keys(self, *, app_ids: Collection[int] | None = None) -> list[ApiKey]:
        """List the keys that are not revoked: all, or those that reach one of the Apps."""
        keys = await self._store.read(lambda tx: tx.access.keys())
        return [
            key
            for key in keys
            if key.revoked_at is None and (app_ids is None or key.app_id is None or key.app_id in app_ids)
        ]

    async def revoke_key(self, public_id: str, *, by: Actor, app_ids: Collection[int] | None = None) -> None:
        """End a key at once; with `app_ids` only one of those Apps. Raises NOT_FOUND."""
        now = self._clock.now()

        def revoke(tx: Transaction) -> None:
            keys = tx.access.keys()
            found = next((key for key in keys if key.public_id == public_id), None)
            mine = found is not None and (app_ids is None or found.app_id in app_ids)
            if found is None or not mine or not tx.access.revoke_key(public_id, now=now):
                raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no API key {public_id[:64]!r}.")
            tx.audit.add(by, Action.KEY_REVOKED, app_id=found.app_id, subject=_subject(found), now=now)
            withdraw_beyond(tx, public_id, NOBODY, by=by, now=now)

        await self._store.write(revoke)

    async def new_setup_token(self, *, member: Member | None = None) -> str:
        """Make the secret of a one-time link `<base>/setup#<token>`, good for 24 hours.

        It makes the first member, or signs the one in that is named.
        """
        token = self._ids.secret()
        expires_at = self._clock.now() + SETUP_LIFE
        member_id = member.id if member else None
        await self._store.write(
            lambda tx: tx.access.add_setup_token(token_hash=hash_of(token), expires_at=expires_at, member_id=member_id)
        )
        return token


def hash_of(text: str) -> bytes:
    """Give what is stored of a secret that we made."""
    # 256 random bits need no slow hash.
    return hashlib.sha256(text.encode()).digest()


def _subject(key: ApiKey) -> Subject:
    return Subject("key", key.public_id, key.name)


def _checksum(secret: str) -> str:
    return f"{zlib.crc32(secret.encode()):08x}"
