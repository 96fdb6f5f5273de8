"""Sessions of the dashboard: server-side, found by the hash of a token that only the browser's cookie has."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tidings.domain.audit import Action, Actor, ActorKind, Subject
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.member import Member, Session, SignedIn, Stage
from tidings.lib.clock import Clock
from tidings.lib.ids import Ids
from tidings.services.access import hash_of
from tidings.storage import Store, StoreUnavailable, Transaction

IDLE = timedelta(days=14)
LIFE = timedelta(days=90)
HALF_LIFE = timedelta(minutes=5)
"""How long one has for the second factor."""

RECENT = timedelta(minutes=15)
"""How long ago somebody may have shown who they are, where a change asks for that."""

_TOUCH_EVERY = timedelta(minutes=1)
"""A write for every request would cost more than the request."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Where a request comes from: the address, and what its browser calls itself."""

    address: str | None
    device: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session, and the token for the browser's cookie."""

    token: str = field(repr=False)
    session: Session
    member: Member


def actor_of(member: Member, address: str | None) -> Actor:
    """Give a member as one who acts."""
    return Actor(ActorKind.MEMBER, member.public_id, member.name, address)


def subject_of(member: Member) -> Subject:
    """Give a member as one to whom something is done."""
    return Subject("member", member.public_id, member.name)


class Sessions:
    """Opens, finds and ends sessions."""

    def __init__(self, *, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    def opening(self, visit: Visit, *, replaces: str | None = None) -> Opening:
        """Prepare a session that a transaction opens; the browser's earlier one, by its token, ends with that."""
        return Opening(self._ids.secret(), self._ids.new("ses"), visit, self._clock.now(), replaces)

    async def find(self, token: str, *, address: str | None = None, used: bool = True) -> SignedIn | None:
        """Give the session of a token, whatever its stage, if it is in force.

        `used` is false where nobody does anything: a page that is left open must not keep its session for ever.
        """
        now = self._clock.now()
        token_hash = hash_of(token)
        found = await self._store.read(lambda tx: tx.sessions.find(token_hash, now=now, seen_since=now - IDLE))
        if used and found is not None and now - found.session.seen_at >= _TOUCH_EVERY:
            with suppress(StoreUnavailable):  # a full disk must not lock people out of reading
                await self._store.write(lambda tx: tx.sessions.touch(found.session.id, address=address, now=now))
        return found

    async def of_member(self, member_id: int) -> list[Session]:
        """List a member's open sessions, the last used first."""
        now = self._clock.now()
        return await self._store.read(lambda tx: tx.sessions.of_member(member_id, now=now, seen_since=now - IDLE))

    async def end(self, token: str, *, address: str | None = None) -> None:
        """Sign out; a session that has ended already is fine."""
        now = self._clock.now()

        def end(tx: Transaction) -> None:
            ended = tx.sessions.end(hash_of(token))
            member = tx.members.by_id(ended.member_id) if ended else None
            if member is not None:
                tx.audit.add(
                    actor_of(member, address), Action.SIGNED_OUT, app_id=None, subject=subject_of(member), now=now
                )

        await self._store.write(end)

    async def end_one(self, member: Member, public_id: str, *, by: Actor) -> None:
        """End one session of a member. Raises NOT_FOUND."""
        now = self._clock.now()

        def end(tx: Transaction) -> None:
            if not tx.sessions.end_one(member.id, public_id):
                raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no session {public_id[:64]!r}.")
            _note_ended(tx, member, 1, by=by, now=now)

        await self._store.write(end)

    async def end_others(self, member: Member, *, but: Session | None, by: Actor) -> int:
        """End every session of a member but this one; give how many."""
        now = self._clock.now()

        def end(tx: Transaction) -> int:
            ended = tx.sessions.end_all(member.id, but=but.id if but else None)
            if ended:
                _note_ended(tx, member, ended, by=by, now=now)
            return ended

        return await self._store.write(end)

    def is_recent(self, found: SignedIn) -> bool:
        """Say whether a member has shown lately who they are, or has nothing to show it with."""
        return not found.can_confirm or self._clock.now() - found.session.authenticated_at < RECENT

    async def confirm(self, found: SignedIn) -> None:
        """Note that a member has just shown who they are."""
        now = self._clock.now()
        await self._store.write(lambda tx: tx.sessions.authenticate(found.session.id, now=now))


@dataclass(frozen=True, slots=True)
class Opening:
    """What a transaction needs to open a session, and can be run again with."""

    token: str = field(repr=False)
    public_id: str
    visit: Visit
    now: datetime
    replaces: str | None = field(repr=False)

    def open(self, tx: Transaction, member: Member, *, stage: Stage = Stage.OPEN) -> Opened:
        """Open it, in place of the session that the browser had."""
        if self.replaces:
            tx.sessions.end(hash_of(self.replaces))
        session = tx.sessions.add(
            public_id=self.public_id,
            token_hash=hash_of(self.token),
            member_id=member.id,
            stage=stage,
            device=self.visit.device,
            address=self.visit.address,
            now=self.now,
            expires_at=self.now + (LIFE if stage is Stage.OPEN else HALF_LIFE),
        )
        return Opened(self.token, session, member)

    def sign_in(self, tx: Transaction, member: Member, *, way: str) -> Opened:
        """Open it for good, and write down who signed in, and how."""
        opened = self.open(tx, member)
        tx.audit.add(
            actor_of(member, self.visit.address),
            Action.SIGNED_IN,
            app_id=None,
            subject=subject_of(member),
            detail={"way": way, "device": self.visit.device},
            now=self.now,
        )
        return opened


def _note_ended(tx: Transaction, member: Member, number: int, *, by: Actor, now: datetime) -> None:
    tx.audit.add(
        by, Action.SESSIONS_ENDED, app_id=None, subject=subject_of(member), detail={"sessions": number}, now=now
    )
