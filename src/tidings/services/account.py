"""One's own account: the password, and showing again who one is."""

from __future__ import annotations

from tidings.domain.audit import Action, Actor, nobody
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.member import SignedIn
from tidings.lib.clock import Clock
from tidings.services.access import hash_of
from tidings.services.passwords import Passwords, check_password
from tidings.services.sessions import Sessions, Visit, actor_of, subject_of
from tidings.services.throttle import Throttle
from tidings.storage import Store, Transaction


class Account:
    """Changes and resets passwords, and confirms who somebody is by one."""

    def __init__(
        self, *, store: Store, clock: Clock, sessions: Sessions, passwords: Passwords, throttle: Throttle
    ) -> None:
        self._store = store
        self._clock = clock
        self._sessions = sessions
        self._passwords = passwords
        self._throttle = throttle

    async def confirm_password(self, me: SignedIn, password: str, *, address: str | None) -> None:
        """Confirm by the password. Raises CONFIRMATION_WRONG and LOCKED_OUT."""
        await self._check(me, password, address=address)
        await self._sessions.confirm(me)

    async def change_password(self, me: SignedIn, *, current: str, new: str, by: Actor) -> None:
        """Set a new password; every other session ends. Who has none needs no current one.

        Raises CONFIRMATION_WRONG, LOCKED_OUT, PASSWORD_TOO_WEAK and ACCOUNT_CONFLICT.
        """
        member = me.member
        if member.password is not None:
            await self._check(me, current, address=by.address)
        check_password(new, email=member.email)
        phc, now = await self._passwords.hash(new), self._clock.now()

        def change(tx: Transaction) -> None:
            there = tx.members.by_id(member.id)
            if there is None or there.password != member.password:
                raise CatalogueError(ErrorCode.ACCOUNT_CONFLICT, "The password has just been changed elsewhere.")
            tx.members.set_password(member.id, phc)
            tx.members.forget_resets(member.id)
            tx.sessions.end_all(member.id, but=me.session.id)
            tx.sessions.authenticate(me.session.id, now=now)
            tx.audit.add(by, Action.PASSWORD_CHANGED, app_id=None, subject=subject_of(member), now=now)

        await self._store.write(change)

    async def reset_password(self, token: str, new: str, *, visit: Visit) -> None:
        """Spend a reset link for a new password; every session ends. Raises RESET_LINK_INVALID, PASSWORD_TOO_WEAK."""
        now = self._clock.now()
        whose = await self._store.read(lambda tx: tx.members.reset_of(hash_of(token), now=now))
        if whose is None or whose.disabled_at is not None:
            raise CatalogueError(ErrorCode.RESET_LINK_INVALID)
        check_password(new, email=whose.email)
        phc = await self._passwords.hash(new)

        def reset(tx: Transaction) -> None:
            spent = tx.members.spend_reset(hash_of(token), now=now)
            member = tx.members.by_id(spent) if spent is not None else None
            if member is None or member.disabled_at is not None:
                raise CatalogueError(ErrorCode.RESET_LINK_INVALID)
            tx.members.set_password(member.id, phc)
            tx.sessions.end_all(member.id)
            tx.audit.add(nobody(visit.address), Action.PASSWORD_RESET, app_id=None, subject=subject_of(member), now=now)

        await self._store.write(reset)

    async def _check(self, me: SignedIn, password: str, *, address: str | None) -> None:
        attempt = await self._throttle.password(me.member.email, address, member=me.member)
        if not await self._passwords.matches(password, me.member.password):
            now, by = self._clock.now(), actor_of(me.member, address)
            subject = subject_of(me.member)
            await self._store.write(
                lambda tx: tx.audit.add(by, Action.SIGN_IN_REFUSED, app_id=None, subject=subject, now=now)
            )
            raise CatalogueError(ErrorCode.CONFIRMATION_WRONG, "The password is wrong.")
        await self._store.write(attempt.forgive)
