"""Members and their roles: who belongs to which App, who may change whom, and who must be left."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from tidings.domain.app import App
from tidings.domain.audit import Action, Actor
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.member import Member, SignedIn, email_key
from tidings.domain.permission import Grants, Permission, Role
from tidings.lib.clock import Clock
from tidings.lib.ids import Ids
from tidings.services.access import hash_of
from tidings.services.sessions import subject_of
from tidings.services.withdrawing import withdraw_what_member_may_not
from tidings.storage import Store, Transaction

RESET_LIFE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class MemberDetails:
    """A member as others see them; `role` is theirs in the App that was asked about."""

    member: Member
    role: Role | None
    two_factor: bool


@dataclass(frozen=True, slots=True)
class Link:
    """A link's token, which is shown this once, in seconds of its life."""

    token: str = field(repr=False)
    seconds: int


class Members:
    """Lists members, changes what they are, and takes them out. The last one stays, however many try at once."""

    def __init__(self, *, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def of_app(self, app_id: int) -> list[MemberDetails]:
        """List who belongs to an App, oldest first."""

        def look(tx: Transaction) -> list[MemberDetails]:
            return [_details(tx, one.member, one.role) for one in tx.members.of_app(app_id)]

        return await self._store.read(look)

    async def all(self) -> list[MemberDetails]:
        """List every member of the instance, oldest first."""
        return await self._store.read(lambda tx: [_details(tx, one, None) for one in tx.members.all()])

    async def by_email(self, email: str) -> Member:
        """Find a member by their e-mail address. Raises NOT_FOUND."""
        found = await self._store.read(lambda tx: tx.members.by_email(email))
        if found is None:
            raise CatalogueError(ErrorCode.NOT_FOUND, "There is no member with this e-mail address.")
        return found

    async def set_role(self, app: App, public_id: str, role: Role, *, grants: Grants, by: Actor) -> MemberDetails:
        """Change what a member is in an App. Raises NOT_FOUND, FORBIDDEN and LAST_OWNER."""
        now = self._clock.now()

        def change(tx: Transaction) -> MemberDetails:
            tx.members.hold()
            member, before = _in_app(tx, app, public_id)
            if role is not before:
                check_owners(grants, app, before, role)
                if before is Role.OWNER:
                    _check_owner_left(tx, app, member)
                tx.members.set_role(member.id, app.id, role, now=now)
                detail = {"from": before.value, "to": role.value}
                subject = subject_of(member)
                tx.audit.add(by, Action.MEMBER_ROLE_CHANGED, app_id=app.id, subject=subject, detail=detail, now=now)
                withdraw_what_member_may_not(tx, public_id, by=by, now=now)
            return _details(tx, member, role)

        return await self._store.write(change)

    async def remove(self, app: App, public_id: str, *, grants: Grants, by: Actor) -> None:
        """Take a member out of an App. Raises NOT_FOUND, FORBIDDEN and LAST_OWNER."""
        now = self._clock.now()

        def remove(tx: Transaction) -> None:
            tx.members.hold()
            member, role = _in_app(tx, app, public_id)
            check_owners(grants, app, role)
            if role is Role.OWNER:
                _check_owner_left(tx, app, member)
            tx.members.leave(member.id, app.id)
            detail = {"role": role.value}
            tx.audit.add(by, Action.MEMBER_REMOVED, app_id=app.id, subject=subject_of(member), detail=detail, now=now)
            withdraw_what_member_may_not(tx, public_id, by=by, now=now)

        await self._store.write(remove)

    async def set_super_admin(self, public_id: str, wanted: bool, *, by: Actor) -> MemberDetails:
        """Give the whole instance to a member, or take it. Raises NOT_FOUND and LAST_SUPER_ADMIN."""
        now = self._clock.now()

        def change(tx: Transaction) -> MemberDetails:
            tx.members.hold()
            member = _found(tx, public_id)
            if member.super_admin != wanted:
                if not wanted:
                    _check_super_admin_left(tx, member)
                tx.members.set_super_admin(member.id, wanted)
                action = Action.SUPER_ADMIN_GRANTED if wanted else Action.SUPER_ADMIN_TAKEN
                tx.audit.add(by, action, app_id=None, subject=subject_of(member), now=now)
                withdraw_what_member_may_not(tx, public_id, by=by, now=now)
            return _details(tx, _found(tx, public_id), None)

        return await self._store.write(change)

    async def set_disabled(self, public_id: str, wanted: bool, *, by: Actor) -> MemberDetails:
        """Shut a member out, whose sessions and links end at once, or let them in again.

        Raises NOT_FOUND and LAST_SUPER_ADMIN.
        """
        now = self._clock.now()

        def change(tx: Transaction) -> MemberDetails:
            tx.members.hold()
            member = _found(tx, public_id)
            if (member.disabled_at is not None) != wanted:
                if wanted:
                    _check_super_admin_left(tx, member)
                    tx.sessions.end_all(member.id)
                    tx.members.forget_resets(member.id)
                tx.members.set_disabled(member.id, now if wanted else None)
                action = Action.MEMBER_DISABLED if wanted else Action.MEMBER_ENABLED
                tx.audit.add(by, action, app_id=None, subject=subject_of(member), now=now)
                withdraw_what_member_may_not(tx, public_id, by=by, now=now)
            return _details(tx, _found(tx, public_id), None)

        return await self._store.write(change)

    async def reset_link(self, public_id: str, *, grants: Grants, by: Actor) -> Link:
        """Make a link that sets a new password; one before it ends. Raises NOT_FOUND and FORBIDDEN.

        Whoever makes it could use it, so it takes power over everything that the member may do anywhere.
        """
        now, token = self._clock.now(), self._ids.secret()

        def make(tx: Transaction) -> None:
            member = _ruled(tx, public_id, grants, "make the link")
            tx.members.add_reset(member.id, token_hash=hash_of(token), maker_id=by.id, expires_at=now + RESET_LIFE)
            tx.audit.add(by, Action.RESET_LINK_MADE, app_id=None, subject=subject_of(member), now=now)

        await self._store.write(make)
        return Link(token, int(RESET_LIFE.total_seconds()))

    async def reset_second_factor(self, public_id: str, *, grants: Grants, by: Actor) -> MemberDetails:
        """Take away what a member lost: authenticator app, recovery codes and passkeys. Their sessions end.

        Raises NOT_FOUND and FORBIDDEN; as a link for a new password, it takes power over all that the member may do.
        """
        now = self._clock.now()

        def reset(tx: Transaction) -> MemberDetails:
            member = _ruled(tx, public_id, grants, "do it")
            passkeys = tx.factors.remove_passkeys(member.id)
            tx.factors.remove_totp(member.id)
            tx.factors.set_recovery_codes(member.id, ())
            ended = tx.sessions.end_all(member.id)
            detail = {"totp": member.totp, "passkeys": passkeys, "sessions": ended}
            about = subject_of(member)
            tx.audit.add(by, Action.SECOND_FACTOR_RESET, app_id=None, subject=about, detail=detail, now=now)
            return _details(tx, _found(tx, public_id), None)

        return await self._store.write(reset)

    async def rename(self, me: SignedIn, *, name: str | None, email: str | None, by: Actor) -> None:
        """Change one's own name and address. Raises EMAIL_TAKEN."""
        now = self._clock.now()

        def change(tx: Transaction) -> None:
            member = me.member
            wanted = name or member.name, email or member.email
            if wanted == (member.name, member.email):
                return
            # Nobody has shown that a new address is theirs, so that no provider's word about it leads here.
            same = email_key(wanted[1]) == email_key(member.email)
            confirmed = member.email_confirmed and same
            tx.members.rename(member.id, name=wanted[0], email=wanted[1], email_confirmed=confirmed)
            changed = [what for what, value in (("name", name), ("email", email)) if value]
            subject = subject_of(member)
            tx.audit.add(by, Action.MEMBER_CHANGED, app_id=None, subject=subject, detail={"changed": changed}, now=now)

        await self._store.write(change)


def check_owners(grants: Grants, app: App, *roles: Role) -> None:
    """Raise FORBIDDEN where one of the roles is the owner's and the caller is no owner: nobody raises themselves."""
    if Role.OWNER in roles and not grants.in_app(Permission.OWNER_MANAGE, app.id):
        raise CatalogueError(ErrorCode.FORBIDDEN, f"This needs the permission `{Permission.OWNER_MANAGE}`.")


def _ruled(tx: Transaction, public_id: str, grants: Grants, what: str) -> Member:
    """Find a member over whose every role the caller has power. Raises NOT_FOUND and FORBIDDEN."""
    member = _found(tx, public_id)
    roles = tx.members.roles(member.id)
    whole = grants.on_instance(Permission.INSTANCE_MEMBERS)
    rules = bool(roles) and not member.super_admin and all(_rules(grants, *one) for one in roles.items())
    if not (whole or rules):
        raise CatalogueError(ErrorCode.FORBIDDEN, f"This member may do more than you; ask a super admin to {what}.")
    return member


def _rules(grants: Grants, app_id: int, role: Role) -> bool:
    wanted = Permission.OWNER_MANAGE if role is Role.OWNER else Permission.MEMBER_MANAGE
    return grants.in_app(wanted, app_id)


def _check_owner_left(tx: Transaction, app: App, member: Member) -> None:
    last = member.disabled_at is None and tx.members.owners(app.id) == 1
    if last and tx.members.super_admins() == 0:
        raise CatalogueError(ErrorCode.LAST_OWNER, f"{member.name} is the last owner of {app.name}.")


def _check_super_admin_left(tx: Transaction, member: Member) -> None:
    if member.super_admin and member.disabled_at is None and tx.members.super_admins() == 1:
        raise CatalogueError(ErrorCode.LAST_SUPER_ADMIN, f"{member.name} is the last super admin.")


def _found(tx: Transaction, public_id: str) -> Member:
    found = tx.members.get(public_id)
    if found is None:
        raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no member {public_id[:64]!r}.")
    return found


def _in_app(tx: Transaction, app: App, public_id: str) -> tuple[Member, Role]:
    found = tx.members.get(public_id)
    role = tx.members.roles(found.id).get(app.id) if found else None
    if found is None or role is None:
        raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no member {public_id[:64]!r} in {app.name}.")
    return found, role


def _details(tx: Transaction, member: Member, role: Role | None) -> MemberDetails:
    return MemberDetails(member, role, member.totp or tx.factors.passkey_count(member.id) > 0)
