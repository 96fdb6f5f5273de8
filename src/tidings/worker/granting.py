"""Granting: each chunk gets what opens its push services, and gets it anew, once, where that is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from tidings.domain.app import Credential
from tidings.domain.campaign import InDoubtPolicy
from tidings.domain.outcome import GRANT_REFUSED, Misconfigured, Outcome
from tidings.pipeline.deliver import Chunk, Parcel
from tidings.services.grants import Grants


class Pool(Protocol):
    """Sender processes behind one method, and the way to take back what has not left."""

    async def send(self, chunk: Chunk, *, policy: InDoubtPolicy, urgent: bool = False) -> dict[int, Outcome]:
        """Send a chunk; give the outcome of each parcel by subscription id."""
        ...

    def recall(self, unwanted: frozenset[int]) -> None:
        """Let nothing more leave of these notifications."""
        ...


class GrantedPool:
    """A pool whose chunks carry tokens. Secrets that tokens are fetched with stay in this process."""

    def __init__(self, pool: Pool, grants: Grants) -> None:
        self._pool = pool
        self._grants = grants

    async def send(self, chunk: Chunk, *, policy: InDoubtPolicy, urgent: bool = False) -> dict[int, Outcome]:
        """Send a chunk; what a service refused for its token alone goes out once more, with a new one."""
        outcomes, granted = await self._granted(chunk, chunk.credentials, refused={})
        outcomes |= await self._pool.send(granted, policy=policy, urgent=urgent)
        if again := _without_grant(granted.parcels, outcomes):
            tokens = {one.credential_id: granted.credentials[one.credential_id].secret for one in again.values()}
            rest = replace(granted, parcels=tuple(again.values()))
            for one in again:
                del outcomes[one]  # what becomes of it now counts, and if nobody knows, it is in doubt
            lost, renewed = await self._granted(rest, {one: chunk.credentials[one] for one in tokens}, refused=tokens)
            outcomes |= lost
            outcomes |= await self._pool.send(renewed, policy=policy, urgent=urgent)
        return outcomes

    def recall(self, unwanted: frozenset[int]) -> None:
        """Let nothing more leave of these notifications."""
        self._pool.recall(unwanted)

    async def _granted(
        self, chunk: Chunk, credentials: dict[int, Credential], *, refused: dict[int, bytes]
    ) -> tuple[dict[int, Outcome], Chunk]:
        """Open a chunk's credentials; give the outcomes of parcels that get no token, and the chunk of the others."""
        outcomes: dict[int, Outcome] = {}
        usable: dict[int, Credential] = {}
        for number, credential in credentials.items():
            opened = await self._grants.granted(credential, refused=refused.get(number))
            if isinstance(opened, Credential):
                usable[number] = opened
                continue
            outcomes |= {one.subscription_id: opened for one in chunk.parcels if one.credential_id == number}
        if outcomes:
            left = tuple(one for one in chunk.parcels if one.credential_id in usable)
            return outcomes, replace(chunk, parcels=left, credentials=usable)
        return outcomes, replace(chunk, credentials=usable)


def _without_grant(parcels: Iterable[Parcel], outcomes: Mapping[int, Outcome]) -> dict[int, Parcel]:
    """Give the parcels, by subscription, that were refused for their token alone."""
    if Misconfigured not in set(map(type, outcomes.values())):
        return {}  # as nearly always: no recipient is looked at alone
    return {
        one.subscription_id: one
        for one in parcels
        if isinstance(found := outcomes.get(one.subscription_id), Misconfigured) and found.reason == GRANT_REFUSED
    }
