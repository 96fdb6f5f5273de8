"""Browsers that are signed in: rows of `sessions`, found by the hash of their token."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ScalarSelect, Table, and_, delete, func, insert, select, update

from tidings.domain.member import Session, SignedIn, Stage
from tidings.domain.permission import Role
from tidings.storage.members import member_from
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.accounts import (
    members,
    memberships,
    oidc_identities,
    oidc_providers,
    passkeys,
    recovery_codes,
    sessions,
)

s = sessions.c
m = members.c


def _count(table: Table) -> ScalarSelect[int]:
    return select(func.count()).select_from(table).where(table.c.member_id == s.member_id).scalar_subquery()


_FOUND = (
    select(
        sessions,
        *(column.label(f"whose_{column.name}") for column in m),
        _count(passkeys).label("n_passkeys"),
        _count(recovery_codes).label("n_recovery_codes"),
    )
    .join(members, m.id == s.member_id)
    .where(m.disabled_at.is_(None))
)
_ROLES = select(memberships.c.app_id, memberships.c.role)
_VOUCHING = (
    select(oidc_providers.c.id)
    .select_from(oidc_identities)
    .outerjoin(oidc_providers, oidc_providers.c.issuer == oidc_identities.c.issuer)
    .order_by(oidc_providers.c.id)
)


class SqlSessions:
    """Implements `storage.ports.accounts.Sessions`."""

    def __init__(self, scope: Scope) -> None:
        self._run = scope.connection.execute

    def add(
        self,
        *,
        public_id: str,
        token_hash: bytes,
        member_id: int,
        stage: Stage,
        device: str,
        address: str | None,
        now: datetime,
        expires_at: datetime,
    ) -> Session:
        """Store a session that begins now."""
        values = {
            "public_id": public_id,
            "token_hash": token_hash,
            "member_id": member_id,
            "stage": stage.value,
            "device": device,
            "address": address,
            "created_at": now,
            "seen_at": now,
            "authenticated_at": now,
            "expires_at": expires_at,
        }
        return _session(self._run(insert(sessions).values(values).returning(sessions)).one())

    def find(self, token_hash: bytes, *, now: datetime, seen_since: datetime) -> SignedIn | None:
        """Give a session in force of a member who is not disabled, with what they are in Apps."""
        in_force = and_(s.token_hash == token_hash, s.expires_at > now, s.seen_at > seen_since)
        row = self._run(_FOUND.where(in_force)).first()
        if row is None:
            return None
        roles = self._run(_ROLES.where(memberships.c.member_id == row.member_id))
        vouching = self._run(_VOUCHING.where(oidc_identities.c.member_id == row.member_id)).scalars().all()
        return SignedIn(
            _session(row),
            member_from(row, prefix="whose_"),
            {one.app_id: Role(one.role) for one in roles},
            passkeys=row.n_passkeys,
            recovery_codes=row.n_recovery_codes,
            providers=tuple(dict.fromkeys(one for one in vouching if one is not None)),
            vouched_for=bool(vouching),
        )

    def touch(self, session_id: int, *, address: str | None, now: datetime) -> None:
        """Note that it was used, and that its member was here."""
        touched = update(sessions).where(s.id == session_id).values(seen_at=now, address=address)
        row = self._run(touched.returning(s.member_id)).first()
        if row is not None:
            self._run(update(members).where(m.id == row.member_id).values(last_seen_at=now))

    def authenticate(self, session_id: int, *, now: datetime) -> None:
        """Note that its member has just shown who they are."""
        self._run(update(sessions).where(s.id == session_id).values(authenticated_at=now))

    def of_member(self, member_id: int, *, now: datetime, seen_since: datetime) -> list[Session]:
        """List the open sessions of a member, the last used first."""
        in_force = and_(s.member_id == member_id, s.expires_at > now, s.seen_at > seen_since)
        query = select(sessions).where(in_force, s.stage == Stage.OPEN.value).order_by(s.seen_at.desc(), s.id.desc())
        return [_session(row) for row in self._run(query)]

    def known_address(self, member_id: int, address: str) -> bool:
        """Say whether an open session of this member was used from that address."""
        query = select(s.id).where(s.member_id == member_id, s.address == address, s.stage == Stage.OPEN.value)
        return self._run(query.limit(1)).first() is not None

    def end(self, token_hash: bytes) -> Session | None:
        """Forget a session; give which it was."""
        row = self._run(delete(sessions).where(s.token_hash == token_hash).returning(sessions)).first()
        return _session(row) if row else None

    def end_one(self, member_id: int, public_id: str) -> bool:
        """Forget one session of a member."""
        return self._run(delete(sessions).where(s.member_id == member_id, s.public_id == public_id)).rowcount == 1

    def end_all(self, member_id: int, *, but: int | None = None) -> int:
        """Forget the sessions of a member, all but one if it is named; give how many."""
        gone = delete(sessions).where(s.member_id == member_id)
        return self._run(gone if but is None else gone.where(s.id != but)).rowcount

    def purge(self, *, now: datetime, seen_since: datetime) -> int:
        """Forget what has ended; give how many."""
        return self._run(delete(sessions).where((s.expires_at <= now) | (s.seen_at <= seen_since))).rowcount


def _session(row: AnyRow) -> Session:
    return Session(
        id=row.id,
        public_id=row.public_id,
        member_id=row.member_id,
        stage=Stage(row.stage),
        device=row.device,
        address=row.address,
        created_at=row.created_at,
        seen_at=row.seen_at,
        authenticated_at=row.authenticated_at,
        expires_at=row.expires_at,
    )
