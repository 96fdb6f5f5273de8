"""What members have beside a password: authenticator apps, recovery codes, passkeys; and what browsers were asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import delete, func, insert, select, update

from tidings.domain.member import Member, Passkey
from tidings.storage.members import member_from
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.accounts import challenges, members, passkeys, recovery_codes

m = members.c
r = recovery_codes.c
p = passkeys.c
c = challenges.c


class SqlFactors:
    """Implements `storage.ports.accounts.Factors`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._run = scope.connection.execute

    def set_totp(self, member: Member, seed: str, *, now: datetime | None) -> None:
        """Store a seed, sealed; with `now` it is in force, without it waits for a first code."""
        sealed = self._scope.sealer.seal(seed.encode(), context=_seed(member))
        values = {"totp_seed": sealed, "totp_since": now, "totp_step": 0}
        self._run(update(members).where(m.id == member.id).values(values))

    def begin_totp(self, member_id: int, *, now: datetime) -> None:
        """Put the seed in force that waits."""
        self._run(update(members).where(m.id == member_id).values(totp_since=now))

    def totp(self, member: Member) -> str | None:
        """Give the seed, in force or waiting; None without one."""
        sealed = self._run(select(m.totp_seed).where(m.id == member.id)).scalar()
        return None if sealed is None else self._scope.sealer.open(sealed, context=_seed(member)).decode()

    def spend_totp(self, member_id: int, step: int) -> bool:
        """Use a time step up; False where it, or a later one, was used before."""
        spent = update(members).where(m.id == member_id, m.totp_step < step).values(totp_step=step)
        return self._run(spent).rowcount == 1

    def remove_totp(self, member_id: int) -> None:
        """Forget the seed."""
        values = {"totp_seed": None, "totp_since": None, "totp_step": 0}
        self._run(update(members).where(m.id == member_id).values(values))

    def set_recovery_codes(self, member_id: int, hashes: Sequence[bytes]) -> None:
        """Store new recovery codes in place of all before."""
        self._run(delete(recovery_codes).where(r.member_id == member_id))
        if hashes:
            self._run(insert(recovery_codes), [{"member_id": member_id, "code_hash": one} for one in hashes])

    def spend_recovery_code(self, member_id: int, code_hash: bytes) -> bool:
        """Use a recovery code up; True for its first use."""
        return self._run(delete(recovery_codes).where(r.member_id == member_id, r.code_hash == code_hash)).rowcount == 1

    def add_passkey(
        self,
        member_id: int,
        *,
        public_id: str,
        name: str,
        credential_id: bytes,
        public_key: bytes,
        count: int,
        now: datetime,
    ) -> Passkey:
        """Store a passkey."""
        values = {
            "public_id": public_id,
            "member_id": member_id,
            "name": name,
            "webauthn_id": credential_id,
            "public_key": public_key,
            "sign_count": count,
            "created_at": now,
        }
        return _passkey(self._run(insert(passkeys).values(values).returning(passkeys)).one())

    def passkeys(self, member_id: int) -> list[Passkey]:
        """List a member's passkeys, oldest first."""
        return [_passkey(row) for row in self._run(select(passkeys).where(p.member_id == member_id).order_by(p.id))]

    def passkey_count(self, member_id: int) -> int:
        """Count a member's passkeys."""
        return int(self._run(select(func.count()).select_from(passkeys).where(p.member_id == member_id)).scalar_one())

    def passkey(self, credential_id: bytes) -> tuple[Passkey, Member] | None:
        """Find a passkey by its own id, with whose it is."""
        query = select(passkeys, *(column.label(f"whose_{column.name}") for column in m))
        row = self._run(query.join(members, m.id == p.member_id).where(p.webauthn_id == credential_id)).first()
        return None if row is None else (_passkey(row), member_from(row, prefix="whose_"))

    def use_passkey(self, passkey_id: int, *, count: int, now: datetime) -> bool:
        """Note a use with the authenticator's counter; False where the counter has not grown since the last one."""
        newer = (p.sign_count < count) | ((p.sign_count == 0) & (count == 0))
        used = update(passkeys).where(p.id == passkey_id, newer).values(sign_count=count, last_used_at=now)
        return self._run(used).rowcount == 1

    def rename_passkey(self, member_id: int, public_id: str, name: str) -> Passkey | None:
        """Give a passkey another name."""
        renamed = update(passkeys).where(p.member_id == member_id, p.public_id == public_id).values(name=name)
        row = self._run(renamed.returning(passkeys)).first()
        return _passkey(row) if row else None

    def remove_passkey(self, member_id: int, public_id: str) -> Passkey | None:
        """Forget a passkey; give which it was."""
        gone = delete(passkeys).where(p.member_id == member_id, p.public_id == public_id).returning(passkeys)
        row = self._run(gone).first()
        return _passkey(row) if row else None

    def remove_passkeys(self, member_id: int) -> int:
        """Forget every passkey of a member; give how many."""
        return self._run(delete(passkeys).where(p.member_id == member_id)).rowcount

    def ask(
        self, public_id: str, kind: str, state: dict[str, Any], *, member_id: int | None, expires_at: datetime
    ) -> None:
        """Remember what a browser was asked; the state is sealed."""
        sealed = self._scope.sealer.seal(msgspec.json.encode(state), context=_challenge(public_id, kind))
        values = {"public_id": public_id, "kind": kind, "member_id": member_id, "state": sealed}
        self._run(insert(challenges).values(values | {"expires_at": expires_at}))

    def answered(self, public_id: str, kind: str, *, member_id: int | None, now: datetime) -> dict[str, Any] | None:
        """Give what a browser was asked, once, in time, and only to the one who was asked."""
        gone = delete(challenges).where(c.public_id == public_id, c.kind == kind).returning(challenges)
        row = self._run(gone).first()
        if row is None or row.expires_at <= now or row.member_id != member_id:
            return None
        state: dict[str, Any] = msgspec.json.decode(
            self._scope.sealer.open(row.state, context=_challenge(public_id, kind))
        )
        return state

    def purge(self, *, now: datetime) -> int:
        """Forget what was asked and not answered; give how many."""
        return self._run(delete(challenges).where(c.expires_at <= now)).rowcount


def _seed(member: Member) -> str:
    return f"members|totp_seed|{member.public_id}"


def _challenge(public_id: str, kind: str) -> str:
    return f"challenges|{kind}|{public_id}"


def _passkey(row: AnyRow) -> Passkey:
    return Passkey(
        id=row.id,
        public_id=row.public_id,
        member_id=row.member_id,
        name=row.name,
        credential_id=row.webauthn_id,
        public_key=row.public_key,
        sign_count=row.sign_count,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
    )
