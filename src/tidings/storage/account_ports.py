"""The ports of what those who run an instance are and did: members, sessions, the audit log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol

from tidings.domain.audit import Action, Actor, Entry, Subject
from tidings.domain.member import Invitation, Member, Membership, Session, SignedIn, Stage
from tidings.domain.permission import Role


class Members(Protocol):
    """People of the dashboard, their roles, and the links that let them in. E-mail addresses are case-folded."""

    def hold(self) -> None:
        """Let nobody else change members or roles until the transaction ends: what the last one is must be exact."""
        ...

    def add(
        self, *, public_id: str, name: str, email: str, password: str | None, super_admin: bool, now: datetime
    ) -> Member:
        """Store a new member. Raises EMAIL_TAKEN."""
        ...

    def any(self) -> bool: ...
    def get(self, public_id: str) -> Member | None: ...
    def by_id(self, member_id: int) -> Member | None: ...
    def by_email(self, email: str) -> Member | None: ...
    def all(self) -> list[Member]: ...
    def of_app(self, app_id: int) -> list[Membership]: ...
    def roles(self, member_id: int) -> dict[int, Role]: ...
    def set_role(self, member_id: int, app_id: int, role: Role, *, now: datetime) -> None: ...
    def leave(self, member_id: int, app_id: int) -> bool: ...
    def rename(self, member_id: int, *, name: str, email: str) -> None:
        """Change name and address. Raises EMAIL_TAKEN."""
        ...

    def set_password(self, member_id: int, password: str | None) -> None: ...
    def set_super_admin(self, member_id: int, super_admin: bool) -> None: ...
    def set_disabled(self, member_id: int, at: datetime | None) -> None: ...
    def super_admins(self) -> int:
        """Count the super admins that are not disabled."""
        ...

    def owners(self, app_id: int) -> int:
        """Count the owners of an App that are not disabled."""
        ...

    def invite(
        self,
        *,
        public_id: str,
        app_id: int,
        email: str,
        role: Role,
        token_hash: bytes,
        invited_by: str,
        now: datetime,
        expires_at: datetime,
    ) -> Invitation:
        """Store an invitation in place of an earlier one of the same person to the same App."""
        ...

    def invitations(self, app_id: int, *, now: datetime) -> list[Invitation]: ...
    def invitation(self, token_hash: bytes, *, now: datetime) -> Invitation | None: ...
    def withdraw(self, app_id: int, public_id: str) -> Invitation | None: ...
    def spend_invitation(self, token_hash: bytes, *, now: datetime) -> Invitation | None:
        """Use an invitation up; None unless this is the first use before its end."""
        ...

    def add_reset(self, member_id: int, *, token_hash: bytes, expires_at: datetime) -> None: ...
    def spend_reset(self, token_hash: bytes, *, now: datetime) -> int | None:
        """Use a reset link up, and every other of the same member; give whose it is."""
        ...

    def forget_resets(self, member_id: int) -> None: ...
    def purge(self, *, now: datetime) -> int:
        """Forget invitations and reset links whose time is over; give how many."""
        ...


class Sessions(Protocol):
    """Browsers that are signed in, by the hash of their token."""

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
    ) -> Session: ...
    def find(self, token_hash: bytes, *, now: datetime, seen_since: datetime) -> SignedIn | None:
        """Give a session in force of a member who is not disabled."""
        ...

    def touch(self, session_id: int, *, address: str | None, now: datetime) -> None:
        """Note that it was used, and that its member was here."""
        ...

    def authenticate(self, session_id: int, *, now: datetime) -> None: ...
    def of_member(self, member_id: int, *, now: datetime, seen_since: datetime) -> list[Session]: ...
    def known_address(self, member_id: int, address: str) -> bool:
        """Whether a session in store of this member was used from there."""
        ...

    def end(self, token_hash: bytes) -> Session | None: ...
    def end_one(self, member_id: int, public_id: str) -> bool: ...
    def end_all(self, member_id: int, *, but: int | None = None) -> int: ...
    def purge(self, *, now: datetime, seen_since: datetime) -> int: ...


class Audit(Protocol):
    """The audit log: a chain of entries for each App, and one for the instance (`app_id` None)."""

    def add(
        self,
        actor: Actor,
        action: Action,
        *,
        app_id: int | None,
        subject: Subject,
        detail: Mapping[str, Any] | None = None,
        now: datetime,
    ) -> Entry:
        """Write an entry; it is stored if and only if the transaction's changes are."""
        ...

    def pseudonym(self, app_id: int, external_id: str) -> str:
        """Name an end user so that an entry about them can be found again, and nothing can be read from it."""
        ...

    def page(
        self,
        *,
        app_id: int | None,
        instance: bool = False,
        actor: str | None = None,
        action: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after: int = 0,
        limit: int,
    ) -> list[Entry]:
        """List newest first: one App's entries, the instance's own with `instance`, or all with neither."""
        ...

    def chains(self) -> list[int | None]: ...
    def walk(self, app_id: int | None) -> Iterator[Entry]:
        """Give a chain from its beginning."""
        ...
