"""Invitations: a link for one person into one App, good once and for a week."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tidings.domain.app import App
from tidings.domain.audit import Action, Actor
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.member import Invitation, Member, SignedIn
from tidings.domain.permission import Grants, Role
from tidings.lib.clock import Clock
from tidings.lib.ids import Ids
from tidings.services.access import hash_of
from tidings.services.members import check_owners
from tidings.services.passwords import Passwords, check_password
from tidings.services.sessions import Opened, Opening, Sessions, Visit, actor_of, subject_of
from tidings.services.withdrawing import subject_of_invitation
from tidings.storage import Store, Transaction

LIFE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Sent:
    """A new invitation, and the token of its link, which is shown this once."""

    invitation: Invitation
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Offer:
    """An invitation as the one who got it sees it; `known` tells whether they have an account already."""

    app: App
    invitation: Invitation
    known: bool


class Invitations:
    """Makes, shows, withdraws and takes up invitations. We send no mail: whoever invites passes the link on."""

    def __init__(self, *, store: Store, clock: Clock, ids: Ids, sessions: Sessions, passwords: Passwords) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._sessions = sessions
        self._passwords = passwords

    async def of_app(self, app_id: int) -> list[Invitation]:
        """List the invitations to an App that are still good, newest first."""
        now = self._clock.now()
        return await self._store.read(lambda tx: tx.members.invitations(app_id, now=now))

    async def invite(self, app: App, email: str, role: Role, *, grants: Grants, by: Actor) -> Sent:
        """Invite somebody; an earlier invitation of theirs to this App ends. Raises FORBIDDEN and EMAIL_TAKEN."""
        check_owners(grants, app, role)
        now, token, public_id = self._clock.now(), self._ids.secret(), self._ids.new("inv")

        def make(tx: Transaction) -> Invitation:
            member = tx.members.by_email(email)
            if member is not None and app.id in tx.members.roles(member.id):
                raise CatalogueError(ErrorCode.EMAIL_TAKEN, f"{member.name} belongs to {app.name} already.")
            made = tx.members.invite(
                public_id=public_id,
                app_id=app.id,
                email=email,
                role=role,
                token_hash=hash_of(token),
                invited_by=by.name,
                inviter_id=by.id,
                now=now,
                expires_at=now + LIFE,
            )
            tx.audit.add(
                by,
                Action.INVITATION_CREATED,
                app_id=app.id,
                subject=subject_of_invitation(made),
                detail=_detail(made),
                now=now,
            )
            return made

        return Sent(await self._store.write(make), token)

    async def withdraw(self, app: App, public_id: str, *, by: Actor) -> None:
        """Take an invitation back. Raises NOT_FOUND."""
        now = self._clock.now()

        def withdraw(tx: Transaction) -> None:
            gone = tx.members.withdraw(app.id, public_id)
            if gone is None:
                raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no invitation {public_id[:64]!r}.")
            tx.audit.add(
                by,
                Action.INVITATION_WITHDRAWN,
                app_id=app.id,
                subject=subject_of_invitation(gone),
                detail=_detail(gone),
                now=now,
            )

        await self._store.write(withdraw)

    async def look(self, token: str) -> Offer:
        """Show an invitation without using it up. Raises INVITATION_INVALID."""
        now = self._clock.now()

        def look(tx: Transaction) -> Offer:
            found = tx.members.invitation(hash_of(token), now=now)
            app = tx.apps.by_id(found.app_id) if found else None
            if found is None or app is None:
                raise CatalogueError(ErrorCode.INVITATION_INVALID)
            return Offer(app, found, tx.members.by_email(found.email) is not None)

        return await self._store.read(look)

    async def join(self, token: str, me: SignedIn, *, by: Actor) -> None:
        """Take an invitation up as somebody who is signed in. Raises INVITATION_INVALID."""
        now = self._clock.now()

        def join(tx: Transaction) -> None:
            tx.members.hold()
            let_in(tx, _spent(tx, token, now=now), me.member, by=by, now=now)

        await self._store.write(join)

    async def accept(
        self, token: str, *, name: str, password: str, visit: Visit, replaces: str | None = None
    ) -> Opened:
        """Take an invitation up as a new member. Raises INVITATION_INVALID, EMAIL_TAKEN and PASSWORD_TOO_WEAK."""
        offer = await self.look(token)
        if offer.known:
            raise CatalogueError(ErrorCode.EMAIL_TAKEN, "You have an account already: sign in, then open the link.")
        check_password(password, email=offer.invitation.email)
        phc = await self._passwords.hash(password)
        public_id, opening = self._ids.new("mem"), self._sessions.opening(visit, replaces=replaces)

        def accept(tx: Transaction) -> Opened:
            tx.members.hold()
            invitation = _spent(tx, token, now=opening.now)
            member = new_member(tx, opening, public_id=public_id, name=name, email=invitation.email, phc=phc)
            let_in(tx, invitation, member, by=actor_of(member, visit.address), now=opening.now)
            return opening.sign_in(tx, member, way="invitation")

        return await self._store.write(accept)


def new_member(
    tx: Transaction,
    opening: Opening,
    *,
    public_id: str,
    name: str,
    email: str,
    phc: str | None,
    email_confirmed: bool = False,
) -> Member:
    """Store a member who belongs to no App yet. Raises EMAIL_TAKEN.

    An invitation's link confirms no address: whoever made it can open it themselves, and wait for whose address it is.
    """
    member = tx.members.add(
        public_id=public_id,
        name=name,
        email=email,
        password=phc,
        super_admin=False,
        now=opening.now,
        email_confirmed=email_confirmed,
    )
    by = actor_of(member, opening.visit.address)
    tx.audit.add(by, Action.MEMBER_CREATED, app_id=None, subject=subject_of(member), now=opening.now)
    return member


def _spent(tx: Transaction, token: str, *, now: datetime) -> Invitation:
    invitation = tx.members.spend_invitation(hash_of(token), now=now)
    if invitation is None or tx.apps.by_id(invitation.app_id) is None:
        raise CatalogueError(ErrorCode.INVITATION_INVALID)
    return invitation


def let_in(tx: Transaction, invitation: Invitation, member: Member, *, by: Actor, now: datetime) -> None:
    """Give a member what an invitation offers, and write down that they took it up."""
    # Whoever is in the App already keeps what they are there: an invitation takes nothing away.
    if invitation.app_id not in tx.members.roles(member.id):
        tx.members.set_role(member.id, invitation.app_id, invitation.role, now=now)
    tx.audit.add(
        by,
        Action.INVITATION_ACCEPTED,
        app_id=invitation.app_id,
        subject=subject_of(member),
        detail=_detail(invitation),
        now=now,
    )


def _detail(invitation: Invitation) -> dict[str, str]:
    return {"role": invitation.role.value}
