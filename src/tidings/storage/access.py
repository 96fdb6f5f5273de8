"""API keys, dashboard sessions and one-time set-up links: only hashes of them are stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from tidings.domain.app import ApiKey
from tidings.storage.schema import api_keys, sessions, setup_tokens
from tidings.storage.scope import AnyRow, Scope

k = api_keys.c


class SqlAccess:
    """Implements `storage.Access`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add_key(
        self,
        *,
        public_id: str,
        app_id: int | None,
        name: str,
        prefix: str,
        key_hash: bytes,
        scopes: Sequence[str],
        now: datetime,
    ) -> ApiKey:
        """Store a new key by its hash."""
        row = self._scope.connection.execute(
            insert(api_keys)
            .values(
                public_id=public_id,
                app_id=app_id,
                name=name,
                prefix=prefix,
                key_hash=key_hash,
                scopes=list(scopes),
                created_at=now,
            )
            .returning(api_keys)
        ).one()
        return _key(row)

    def key_by_hash(self, key_hash: bytes) -> ApiKey | None:
        """Find a key that is not revoked."""
        row = self._scope.connection.execute(
            select(api_keys).where(k.key_hash == key_hash, k.revoked_at.is_(None))
        ).first()
        return _key(row) if row else None

    def keys(self) -> list[ApiKey]:
        """List all keys, revoked ones too, newest first."""
        return [_key(row) for row in self._scope.connection.execute(select(api_keys).order_by(k.id.desc()))]

    def touch_key(self, key_id: int, *, now: datetime) -> None:
        """Note that the key was used."""
        self._scope.connection.execute(update(api_keys).where(k.id == key_id).values(last_used_at=now))

    def revoke_key(self, public_id: str, *, now: datetime) -> bool:
        """End a key for good; False when it is unknown or revoked already."""
        revoked = update(api_keys).where(k.public_id == public_id, k.revoked_at.is_(None)).values(revoked_at=now)
        return self._scope.connection.execute(revoked).rowcount == 1

    def add_session(self, *, token_hash: bytes, expires_at: datetime, now: datetime) -> None:
        """Store a session, and forget those that have ended."""
        self._scope.connection.execute(delete(sessions).where(sessions.c.expires_at <= now))
        self._scope.connection.execute(
            insert(sessions).values(token_hash=token_hash, created_at=now, expires_at=expires_at)
        )

    def session_valid(self, token_hash: bytes, *, now: datetime) -> bool:
        """Say whether the session is there and has not ended."""
        s = sessions.c
        query = select(s.token_hash).where(s.token_hash == token_hash, s.expires_at > now)
        return self._scope.connection.execute(query).first() is not None

    def end_session(self, token_hash: bytes) -> None:
        """Forget a session."""
        self._scope.connection.execute(delete(sessions).where(sessions.c.token_hash == token_hash))

    def purge(self, *, now: datetime) -> int:
        """Forget sessions and set-up links whose time is over; give how many."""
        ended = (delete(table).where(table.c.expires_at <= now) for table in (sessions, setup_tokens))
        return sum(self._scope.connection.execute(one).rowcount for one in ended)

    def add_setup_token(self, *, token_hash: bytes, expires_at: datetime) -> None:
        """Store a one-time link."""
        self._scope.connection.execute(insert(setup_tokens).values(token_hash=token_hash, expires_at=expires_at))

    def spend_setup_token(self, token_hash: bytes, *, now: datetime) -> bool:
        """Use a one-time link up; True for the first use before its end."""
        t = setup_tokens.c
        spent = self._scope.connection.execute(
            delete(setup_tokens).where(t.token_hash == token_hash).returning(t.expires_at)
        ).first()
        return spent is not None and spent.expires_at > now


def _key(row: AnyRow) -> ApiKey:
    return ApiKey(
        id=row.id,
        public_id=row.public_id,
        app_id=row.app_id,
        name=row.name,
        prefix=row.prefix,
        scopes=tuple(row.scopes),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
