"""Members, what they are in Apps, and the links that let them in: `members`, `memberships`, `invitations`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, insert, select, update

from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.member import Invitation, Member, Membership, email_key
from tidings.domain.permission import Role
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.accounts import invitations, members, memberships, password_resets

m = members.c
r = memberships.c
i = invitations.c
p = password_resets.c


class SqlMembers:
    """Implements `storage.ports.accounts.Members`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._run = scope.connection.execute

    def hold(self) -> None:
        """Let nobody else change members or roles until the transaction ends."""
        self._scope.dialect.hold(self._scope.connection, "members")

    def add(
        self,
        *,
        public_id: str,
        name: str,
        email: str,
        password: str | None,
        super_admin: bool,
        now: datetime,
        email_confirmed: bool = False,
    ) -> Member:
        """Store a new member. Raises EMAIL_TAKEN."""
        self._check_free(email)
        values = {
            "public_id": public_id,
            "name": name,
            "email": email.strip(),
            "email_key": email_key(email),
            "password": password,
            "super_admin": int(super_admin),
            "email_confirmed": int(email_confirmed),
            "created_at": now,
        }
        return member_from(self._run(insert(members).values(values).returning(members)).one())

    def any(self) -> bool:
        """Say whether there is a member at all."""
        return self._run(select(m.id).limit(1)).first() is not None

    def get(self, public_id: str) -> Member | None:
        """Find by public id."""
        row = self._run(select(members).where(m.public_id == public_id)).first()
        return member_from(row) if row else None

    def by_id(self, member_id: int) -> Member | None:
        """Find by id."""
        row = self._run(select(members).where(m.id == member_id)).first()
        return member_from(row) if row else None

    def by_email(self, email: str) -> Member | None:
        """Find by e-mail address, however it is written."""
        row = self._run(select(members).where(m.email_key == email_key(email))).first()
        return member_from(row) if row else None

    def all(self) -> list[Member]:
        """List all, oldest first."""
        return [member_from(row) for row in self._run(select(members).order_by(m.id))]

    def of_app(self, app_id: int) -> list[Membership]:
        """List who belongs to an App, oldest first."""
        query = select(members, r.role).join(memberships, r.member_id == m.id).where(r.app_id == app_id).order_by(m.id)
        return [Membership(member_from(row), app_id, Role(row.role)) for row in self._run(query)]

    def roles(self, member_id: int) -> dict[int, Role]:
        """Give what a member is in each App of theirs."""
        rows = self._run(select(r.app_id, r.role).where(r.member_id == member_id).order_by(r.app_id))
        return {row.app_id: Role(row.role) for row in rows}

    def set_role(self, member_id: int, app_id: int, role: Role, *, now: datetime) -> None:
        """Let a member into an App, or change what they are in it; their reset links end.

        Whoever made one had power over what they were, and need not have it over what they are now.
        """
        stored = self._scope.dialect.upsert(memberships, key=("member_id", "app_id"), update=("role",))
        self._run(stored, {"member_id": member_id, "app_id": app_id, "role": role.value, "created_at": now})
        self.forget_resets(member_id)

    def leave(self, member_id: int, app_id: int) -> bool:
        """Take a member out of an App; False when they are not in it."""
        gone = delete(memberships).where(r.member_id == member_id, r.app_id == app_id)
        return self._run(gone).rowcount == 1

    def rename(self, member_id: int, *, name: str, email: str, email_confirmed: bool) -> None:
        """Change name and address, and whether that is known to be theirs. Raises EMAIL_TAKEN."""
        self._check_free(email, but=member_id)
        values = {
            "name": name,
            "email": email.strip(),
            "email_key": email_key(email),
            "email_confirmed": int(email_confirmed),
        }
        self._run(update(members).where(m.id == member_id).values(values))

    def set_password(self, member_id: int, password: str | None) -> None:
        """Store a PHC string, or none at all."""
        self._run(update(members).where(m.id == member_id).values(password=password))

    def set_super_admin(self, member_id: int, super_admin: bool) -> None:
        """Give or take the whole instance; reset links end, as with a role."""
        self._run(update(members).where(m.id == member_id).values(super_admin=int(super_admin)))
        self.forget_resets(member_id)

    def set_disabled(self, member_id: int, at: datetime | None) -> None:
        """Shut a member out, or let them in again with None."""
        self._run(update(members).where(m.id == member_id).values(disabled_at=at))

    def super_admins(self) -> int:
        """Count the super admins that are not disabled."""
        query = select(func.count()).select_from(members).where(m.super_admin == 1, m.disabled_at.is_(None))
        return int(self._run(query).scalar_one())

    def owners(self, app_id: int) -> int:
        """Count the owners of an App that are not disabled."""
        query = (
            select(func.count())
            .select_from(memberships)
            .join(members, m.id == r.member_id)
            .where(r.app_id == app_id, r.role == Role.OWNER.value, m.disabled_at.is_(None))
        )
        return int(self._run(query).scalar_one())

    def invite(
        self,
        *,
        public_id: str,
        app_id: int,
        email: str,
        role: Role,
        token_hash: bytes,
        invited_by: str,
        inviter_id: str | None,
        now: datetime,
        expires_at: datetime,
    ) -> Invitation:
        """Store an invitation in place of an earlier one of the same person to the same App."""
        self._run(delete(invitations).where(i.app_id == app_id, i.email == email_key(email)))
        values = {
            "public_id": public_id,
            "app_id": app_id,
            "email": email_key(email),
            "role": role.value,
            "token_hash": token_hash,
            "invited_by": invited_by,
            "inviter_id": inviter_id,
            "created_at": now,
            "expires_at": expires_at,
        }
        return _invitation(self._run(insert(invitations).values(values).returning(invitations)).one())

    def invitations(self, app_id: int, *, now: datetime) -> list[Invitation]:
        """List the invitations to an App that are still good, newest first."""
        query = select(invitations).where(i.app_id == app_id, i.expires_at > now).order_by(i.id.desc())
        return [_invitation(row) for row in self._run(query)]

    def invitations_by(self, inviter_id: str) -> list[Invitation]:
        """List what a member or key has invited to, in any App."""
        return [_invitation(row) for row in self._run(select(invitations).where(i.inviter_id == inviter_id))]

    def invitation(self, token_hash: bytes, *, now: datetime) -> Invitation | None:
        """Look at an invitation that is still good."""
        row = self._run(select(invitations).where(i.token_hash == token_hash, i.expires_at > now)).first()
        return _invitation(row) if row else None

    def withdraw(self, app_id: int, public_id: str) -> Invitation | None:
        """Take an invitation back; give which it was."""
        gone = delete(invitations).where(i.app_id == app_id, i.public_id == public_id).returning(invitations)
        row = self._run(gone).first()
        return _invitation(row) if row else None

    def spend_invitation(self, token_hash: bytes, *, now: datetime) -> Invitation | None:
        """Use an invitation up; None unless this is the first use before its end."""
        row = self._run(delete(invitations).where(i.token_hash == token_hash).returning(invitations)).first()
        return _invitation(row) if row is not None and row.expires_at > now else None

    def spend_invitations_to(self, email: str, *, now: datetime) -> list[Invitation]:
        """Use up every invitation to an address; give those that were still good, oldest first."""
        gone = self._run(delete(invitations).where(i.email == email_key(email)).returning(invitations)).all()
        return [_invitation(row) for row in sorted(gone, key=lambda row: row.id) if row.expires_at > now]

    def add_reset(self, member_id: int, *, token_hash: bytes, maker_id: str | None, expires_at: datetime) -> None:
        """Store a reset link in place of an earlier one."""
        self.forget_resets(member_id)
        values = {"member_id": member_id, "token_hash": token_hash, "maker_id": maker_id, "expires_at": expires_at}
        self._run(insert(password_resets).values(values))

    def reset_of(self, token_hash: bytes, *, now: datetime) -> Member | None:
        """Look whose reset link this is, if it is still good."""
        query = select(members).join(password_resets, p.member_id == m.id)
        row = self._run(query.where(p.token_hash == token_hash, p.expires_at > now)).first()
        return member_from(row) if row else None

    def spend_reset(self, token_hash: bytes, *, now: datetime) -> int | None:
        """Use a reset link up; give whose it is, None unless this is the first use before its end."""
        gone = delete(password_resets).where(p.token_hash == token_hash).returning(p.member_id, p.expires_at)
        row = self._run(gone).first()
        return int(row.member_id) if row is not None and row.expires_at > now else None

    def forget_resets(self, member_id: int) -> None:
        """End the reset links of a member."""
        self._run(delete(password_resets).where(p.member_id == member_id))

    def forget_resets_by(self, maker_id: str) -> None:
        """End the reset links that a member or key made."""
        self._run(delete(password_resets).where(p.maker_id == maker_id))

    def purge(self, *, now: datetime) -> int:
        """Forget invitations and reset links whose time is over; give how many."""
        ended = (delete(table).where(table.c.expires_at <= now) for table in (invitations, password_resets))
        return sum(self._run(one).rowcount for one in ended)

    def _check_free(self, email: str, *, but: int | None = None) -> None:
        found = self.by_email(email)
        if found is not None and found.id != but:
            raise CatalogueError(ErrorCode.EMAIL_TAKEN)


def member_from(row: AnyRow, *, prefix: str = "") -> Member:
    """Read a member out of a row that has all columns of `members`, under a prefix where it has others too."""
    found = {name.removeprefix(prefix): value for name, value in row._mapping.items() if name.startswith(prefix)}
    return Member(
        id=found["id"],
        public_id=found["public_id"],
        name=found["name"],
        email=found["email"],
        password=found["password"],
        super_admin=bool(found["super_admin"]),
        totp=found["totp_since"] is not None,
        created_at=found["created_at"],
        last_seen_at=found["last_seen_at"],
        disabled_at=found["disabled_at"],
        email_confirmed=bool(found["email_confirmed"]),
    )


def _invitation(row: AnyRow) -> Invitation:
    return Invitation(
        id=row.id,
        public_id=row.public_id,
        app_id=row.app_id,
        email=row.email,
        role=Role(row.role),
        invited_by=row.invited_by,
        inviter_id=row.inviter_id,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
