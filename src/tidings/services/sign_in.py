"""Signing in: a set-up link that makes the first member, a password, the link of the demo."""

from __future__ import annotations

from typing import Literal

from tidings.domain.audit import Action, Subject, nobody
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.member import Member, Stage
from tidings.domain.permission import Role
from tidings.lib.clock import Clock
from tidings.lib.ids import Ids
from tidings.services.access import hash_of
from tidings.services.passwords import Passwords, check_password, outdated
from tidings.services.sessions import Opened, Opening, Sessions, Visit, actor_of, subject_of
from tidings.services.throttle import Throttle
from tidings.storage import Store, Transaction


class SignIn:
    """Lets members in. Every way ends in a session that is new, and the one before it in this browser is gone."""

    def __init__(
        self, *, store: Store, clock: Clock, ids: Ids, sessions: Sessions, passwords: Passwords, throttle: Throttle
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._sessions = sessions
        self._passwords = passwords
        self._throttle = throttle

    async def is_set_up(self) -> bool:
        """Say whether there is a member at all."""
        return await self._store.read(lambda tx: tx.members.any())

    async def link_wants(self, token: str) -> Literal["first_member", "demo"]:
        """Say what a set-up link is for. Raises SETUP_LINK_INVALID."""
        now = self._clock.now()

        def look(tx: Transaction) -> Literal["first_member", "demo"]:
            found = tx.access.setup_token(hash_of(token), now=now)
            if found is None or (found.member_id is None and tx.members.any()):
                raise CatalogueError(ErrorCode.SETUP_LINK_INVALID)
            return "first_member" if found.member_id is None else "demo"

        return await self._store.read(look)

    async def set_up(
        self, token: str, *, name: str, email: str, password: str, visit: Visit, replaces: str | None = None
    ) -> Opened:
        """Spend a set-up link: make the first member, super admin and owner of every App there is.

        Raises SETUP_LINK_INVALID and PASSWORD_TOO_WEAK.
        """
        await self.link_wants(token)
        check_password(password, email=email)
        phc = await self._passwords.hash(password)
        public_id, opening = self._ids.new("mem"), self._sessions.opening(visit, replaces=replaces)
        now = opening.now

        def make(tx: Transaction) -> Opened:
            tx.members.hold()
            spent = tx.access.spend_setup_token(hash_of(token), now=now)
            if spent is None or spent.member_id is not None or tx.members.any():
                raise CatalogueError(ErrorCode.SETUP_LINK_INVALID)
            tx.access.forget_setup_tokens()
            member = first_member(tx, opening, public_id=public_id, name=name, email=email, phc=phc)
            return opening.sign_in(tx, member, way="setup_link")

        return await self._store.write(make)

    async def with_link(self, token: str, *, visit: Visit, replaces: str | None = None) -> Opened:
        """Spend a link that names a member, as the demo's does. Raises SETUP_LINK_INVALID."""
        opening = self._sessions.opening(visit, replaces=replaces)

        def spend(tx: Transaction) -> Opened:
            spent = tx.access.spend_setup_token(hash_of(token), now=opening.now)
            member = tx.members.by_id(spent.member_id) if spent and spent.member_id is not None else None
            if member is None or member.disabled_at is not None:
                raise CatalogueError(ErrorCode.SETUP_LINK_INVALID)
            return opening.sign_in(tx, member, way="link")

        return await self._store.write(spend)

    async def with_password(self, email: str, password: str, *, visit: Visit, replaces: str | None = None) -> Opened:
        """Sign in; where a second factor is set the session is good for that alone.

        Raises SIGN_IN_REFUSED and LOCKED_OUT.
        """
        member = await self._store.read(lambda tx: tx.members.by_email(email))
        attempt = await self._throttle.password(email, visit.address, member=member)
        phc = member.password if member is not None and member.disabled_at is None else None
        right = await self._passwords.matches(password, phc, whose=attempt.whose)
        if member is None or not right:
            await self._refuse(member, visit)
            raise CatalogueError(ErrorCode.SIGN_IN_REFUSED)
        fresh = await self._passwords.hash(password) if phc and outdated(phc) else None
        opening = self._sessions.opening(visit, replaces=replaces)

        def enter(tx: Transaction) -> Opened:
            # Asked again: the password may have been changed, or the member shut out, while it was looked at.
            now_there = tx.members.by_id(member.id)
            if now_there is None or now_there.password != phc or now_there.disabled_at is not None:
                raise CatalogueError(ErrorCode.SIGN_IN_REFUSED)
            attempt.forgive(tx)
            if fresh:
                tx.members.set_password(member.id, fresh)
            if now_there.totp:
                return opening.open(tx, now_there, stage=Stage.SECOND_FACTOR)
            return opening.sign_in(tx, now_there, way="password")

        return await self._store.write(enter)

    async def _refuse(self, member: Member | None, visit: Visit) -> None:
        now = self._clock.now()
        # What was typed is not written down: it may be a password in the wrong field.
        subject = subject_of(member) if member else Subject("member")
        await self._store.write(
            lambda tx: tx.audit.add(
                nobody(visit.address), Action.SIGN_IN_REFUSED, app_id=None, subject=subject, now=now
            )
        )

    async def ensure_demo_owner(self, *, name: str, email: str) -> Member:
        """Give the demo's owner, who has no password; on an instance without members make them."""
        public_id, opening = self._ids.new("mem"), self._sessions.opening(Visit(None, ""))

        def ensure(tx: Transaction) -> Member:
            tx.members.hold()
            found = tx.members.by_email(email)
            return found or first_member(tx, opening, public_id=public_id, name=name, email=email, phc=None)

        return await self._store.write(ensure)


def first_member(
    tx: Transaction, opening: Opening, *, public_id: str, name: str, email: str, phc: str | None
) -> Member:
    """Store a super admin who owns every App there is."""
    member = tx.members.add(
        public_id=public_id, name=name, email=email, password=phc, super_admin=True, now=opening.now
    )
    for app in tx.apps.all():
        tx.members.set_role(member.id, app.id, Role.OWNER, now=opening.now)
    by = actor_of(member, opening.visit.address)
    tx.audit.add(by, Action.MEMBER_CREATED, app_id=None, subject=subject_of(member), now=opening.now)
    return member
