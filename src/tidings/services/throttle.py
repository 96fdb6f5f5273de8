"""The brake on signing in: by account and address, by account, by address; kept in the database."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.member import Member, email_key
from tidings.domain.throttle import ACCOUNT, ADDRESS, CODE, PAIR, Patience
from tidings.lib.clock import Clock
from tidings.lib.networks import network_of
from tidings.storage import Store, Transaction


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt, counted as a failure before it is looked at: many at once cannot outrun the brake."""

    counted: tuple[tuple[bytes, Patience], ...]
    forgiven: tuple[bytes, ...]
    whose: str | None = None
    """The network of a stranger; None from where a member is signed in already."""

    def forgive(self, tx: Transaction) -> None:
        """Take the count back where the attempt succeeded; an address alone stays counted, for its other accounts."""
        tx.throttle.forget(self.forgiven)


class Throttle:
    """Counts attempts, and refuses those that come too soon, before anything costly is done for them."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def password(self, email: str, address: str | None, *, member: Member | None) -> Attempt:
        """Let an attempt with a password pass. Raises LOCKED_OUT.

        From where a member is signed in already, strangers' attempts on the account do not count.
        """
        network = network_of(address or "") or "nowhere"
        account = email_key(email)
        pair, whole = self._name("pair", account, network), self._name("account", account)
        counted = [(pair, PAIR), (whole, ACCOUNT)]
        # Whoever has many accounts behind one address signs in from this machine, a proxy that tells nobody included.
        counted.append((self._name("address", network), ADDRESS))

        def known(tx: Transaction) -> bool:
            return member is not None and address is not None and tx.sessions.known_address(member.id, address)

        at_home = await self._store.read(known)
        if at_home:
            counted.remove((whole, ACCOUNT))
        return await self._enter(counted, forgiven=(pair, whole), whose=None if at_home else network)

    async def code(self, member: Member) -> Attempt:
        """Let an attempt with a code pass. Raises LOCKED_OUT."""
        name = self._name("code", member.public_id)
        return await self._enter([(name, CODE)], forgiven=(name,))

    async def _enter(
        self, counted: Sequence[tuple[bytes, Patience]], *, forgiven: tuple[bytes, ...], whose: str | None = None
    ) -> Attempt:
        now = self._clock.now()
        names = [name for name, _ in counted]
        # Looked at first without a write, so that a flood of refused ones costs little.
        _refuse(await self._store.read(lambda tx: tx.throttle.blocked_until(names, now=now)), now)

        def count(tx: Transaction) -> datetime | None:
            tx.throttle.hold(names)
            until = tx.throttle.blocked_until(names, now=now)
            if until is None:
                for name, patience in counted:
                    tx.throttle.count(name, patience, now=now)
            return until

        _refuse(await self._store.write(count), now)
        return Attempt(tuple(counted), forgiven, whose)

    def _name(self, *parts: str) -> bytes:
        return self._store.sealer.blind_index("\0".join(parts).encode(), context="sign-in failures")


def _refuse(until: datetime | None, now: datetime) -> None:
    if until is not None:
        seconds = max(1, math.ceil((until - now).total_seconds()))
        words = f"Too many attempts failed; the next is looked at in {seconds} s."
        raise CatalogueError(ErrorCode.LOCKED_OUT, words, retry_after=seconds)
