"""Grants: tokens that open a push service for an hour, fetched once for everybody and renewed before they end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from tidings.domain.app import Credential
from tidings.domain.outcome import FaultScope, Misconfigured, Unavailable
from tidings.lib.clock import Clock
from tidings.lib.outcalls import Call
from tidings.providers import Grant, NeedsGrant, Provider, provider

EARLY = 300.0
"""Seconds before its end at which a token is renewed: what is on its way then has time to arrive."""

FAULT_KEPT = 5.0
"""Seconds for which a failure is the answer for all who ask, so that a service that is down is not asked by each."""

EXPIRES_AT = "expires_at"
"""Among a credential's settings: when it ends by itself, as an ISO moment."""

ENDED = "credentials_expired"
"""The reason for which an integration whose credentials have ended is paused."""

MOST = 4_096
"""Tokens kept; beyond them the oldest go."""

Refusal = Misconfigured | Unavailable
Key = tuple[int, str]


class Grants:
    """Gives credentials as senders need them; one fetch at a time for each key, whoever asks for it."""

    def __init__(self, *, clock: Clock, call: Call, provider: Callable[[str], Provider] = provider) -> None:
        self._clock = clock
        self.call = call
        self._provider = provider
        self._known: dict[Key, Grant] = {}
        self._faults: dict[Key, tuple[float, Refusal]] = {}
        self._fetching: dict[Key, asyncio.Task[Grant | Refusal]] = {}

    async def opened(
        self, credential: Credential, *, refused: bytes | None = None, fresh: bool = False
    ) -> Credential | Refusal:
        """Give the credential with the token in place of its secret, or as it is where its provider needs none.

        `refused` is a token that was just refused: it is renewed unless somebody has done so already. The answer
        is the Refusal where there is no token to be had. A `fresh` one is fetched now, whatever is known; what is known
        stays the others' until there is another.
        """
        via: object = self._provider(credential.provider)
        if not isinstance(via, NeedsGrant):
            return credential
        if fresh:
            key = credential.id, credential.fingerprint
            refused = known.token if (known := self._known.get(key)) else None
            self._faults.pop(key, None)
        grant = await self._grant(via, credential, refused=refused)
        return replace(credential, secret=grant.token) if isinstance(grant, Grant) else grant

    async def granted(self, credential: Credential, *, refused: bytes | None = None) -> Credential | Refusal:
        """Give the credential as `opened` does, unless it has ended by itself: then nobody is asked in vain."""
        ends_at = credential.settings.get(EXPIRES_AT)
        if ends_at and self._clock.now() >= datetime.fromisoformat(ends_at):
            return Misconfigured(ENDED, FaultScope.CREDENTIAL)
        return await self.opened(credential, refused=refused)

    async def _grant(self, via: NeedsGrant, credential: Credential, *, refused: bytes | None) -> Grant | Refusal:
        key, now = (credential.id, credential.fingerprint), self._now()
        known = self._known.get(key)
        if known is not None and known.token != refused and now < known.expires_at - EARLY:
            return known
        fault = self._faults.get(key)
        if fault is not None and now < fault[0] + FAULT_KEPT:
            return known if known is not None and known.token != refused and now < known.expires_at else fault[1]
        task = self._fetching.get(key)
        if task is None:
            task = self._fetching[key] = asyncio.create_task(self._fetched(via, credential, key))
            task.add_done_callback(lambda _: self._fetching.pop(key, None))
        # Shielded: whoever gives up waiting must not take the token from the others.
        found = await asyncio.shield(task)
        if not isinstance(found, Grant) and known is not None and known.token != refused:
            return known if now < known.expires_at else found  # renewed early so that this does no harm
        return found

    async def _fetched(self, via: NeedsGrant, credential: Credential, key: Key) -> Grant | Refusal:
        found = via.grant_from(await self.call(via.grant_request(credential, now=self._now())), now=self._now())
        if isinstance(found, Grant):
            while len(self._known) >= MOST:
                del self._known[next(iter(self._known))]
            self._known[key] = found
            self._faults.pop(key, None)
        else:
            self._faults[key] = (self._now(), found)
        return found

    def _now(self) -> float:
        return self._clock.now().timestamp()
