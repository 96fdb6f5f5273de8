"""API keys and one-time set-up links: only hashes of them are stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from tidings.domain.app import ApiKey, SetupToken
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.instance import api_keys, setup_tokens

k = api_keys.c
t = setup_tokens.c


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
        created_by: str | None = None,
        expires_at: datetime | None = None,
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
                created_by=created_by,
                expires_at=expires_at,
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

    def purge(self, *, now: datetime) -> int:
        """Forget set-up links whose time is over; give how many."""
        return self._scope.connection.execute(delete(setup_tokens).where(t.expires_at <= now)).rowcount

    def add_setup_token(self, *, token_hash: bytes, expires_at: datetime, member_id: int | None = None) -> None:
        """Store a one-time link; with a member it signs them in, without one it makes the first."""
        self._scope.connection.execute(
            insert(setup_tokens).values(token_hash=token_hash, expires_at=expires_at, member_id=member_id)
        )

    def setup_token(self, token_hash: bytes, *, now: datetime) -> SetupToken | None:
        """Look at a one-time link that is good."""
        query = select(t.member_id).where(t.token_hash == token_hash, t.expires_at > now)
        row = self._scope.connection.execute(query).first()
        return None if row is None else SetupToken(row.member_id)

    def spend_setup_token(self, token_hash: bytes, *, now: datetime) -> SetupToken | None:
        """Use a one-time link up; None unless this is the first use before its end."""
        spent = self._scope.connection.execute(
            delete(setup_tokens).where(t.token_hash == token_hash).returning(t.expires_at, t.member_id)
        ).first()
        return SetupToken(spent.member_id) if spent is not None and spent.expires_at > now else None

    def forget_setup_tokens(self) -> None:
        """End every link that would make a first member."""
        self._scope.connection.execute(delete(setup_tokens).where(t.member_id.is_(None)))


def _key(row: AnyRow) -> ApiKey:
    return ApiKey(
        id=row.id,
        public_id=row.public_id,
        app_id=row.app_id,
        name=row.name,
        prefix=row.prefix,
        scopes=tuple(row.scopes),
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
