"""Relays: topics and conditions of FCM, and Apple's channels: one message goes there for all who follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from tidings.domain.app import Credential, Integration
from tidings.domain.audience import Relayed, Relaying
from tidings.domain.audit import SYSTEM, Action, Actor, Subject
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.relay import NewRelay, Relay
from tidings.lib.clock import Clock
from tidings.lib.egress import HostPolicy
from tidings.lib.ids import Ids
from tidings.lib.outcalls import Call
from tidings.providers import Channel, Finding, HasChannels, Provider, TakesCredentials, provider
from tidings.services.devices import credential_for, integration_of
from tidings.services.paging import Page, page_from, position_from
from tidings.services.registration import hash_of
from tidings.storage import Store, Transaction

FCM = "fcm"
_FIELDS = {Relaying.FCM_TOPIC: "topic", Relaying.FCM_CONDITION: "condition"}
"""What such a target is called where a device's token would stand."""


@dataclass(frozen=True, slots=True)
class ChannelDetails:
    """A channel as people see it, with what it is at the service."""

    relay: Relay
    channel: Channel


class Relays:
    """Finds what a message is to be relayed to, and makes and deletes channels."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        ids: Ids,
        policy: HostPolicy,
        call: Call,
        provider: Callable[[str], Provider] = provider,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._policy = policy
        self._call = call
        self._provider = provider

    async def audience(self, app_id: int, kind: Relaying, name: str, *, integration: str | None = None) -> Relayed:
        """Give the audience of what is named: a topic, a condition, or a channel by its id here.

        Raises AUDIENCE_INVALID, INTEGRATION_MISSING, INTEGRATION_UNCLEAR, NOT_FOUND.
        """
        if kind is Relaying.APNS_CHANNEL:
            found = await self._store.read(lambda tx: _channel(tx, app_id, name))
            return Relayed(kind, found.label, found.public_id)
        via = self._provider(FCM)
        assert isinstance(via, TakesCredentials)
        try:
            address, origin = via.address_from({_FIELDS[kind]: name}, policy=self._policy)
        except CatalogueError as wrong:
            fault = FieldFault(f"to.{kind}", wrong.detail)
            raise CatalogueError(
                ErrorCode.AUDIENCE_INVALID, f"{fault.field}: {fault.message}", faults=(fault,)
            ) from None
        public_id, secret, now = self._ids.new("rly"), self._ids.secret(), self._clock.now()
        named: Mapping[str, str] = {} if integration is None else {"integration": integration}

        def store(tx: Transaction) -> Relay:
            key = credential_for(tx, app_id, FCM, via, named)
            new = NewRelay(app_id, FCM, address, origin, key.id, label=name)
            return tx.relays.ensure(new, public_id=public_id, secret_hash=hash_of(secret), now=now)

        return Relayed(kind, name, (await self._store.write(store)).public_id)

    async def create_channel(
        self, app_id: int, integration: str, *, label: str, environment: str | None, keeps: bool, by: Actor = SYSTEM
    ) -> ChannelDetails:
        """Make a channel at the service and keep it here. Raises NOT_FOUND, CREDENTIALS_INVALID, CHANNEL_REFUSED."""
        via, key = await self._key(app_id, integration)
        where = environment or key.settings.get("environment", "")
        now = self._clock.now()
        request = via.new_channel_request(key, environment=where, keeps=keeps, now=now.timestamp())
        found = via.new_channel(await self._call(request))
        if isinstance(found, Finding):
            raise _refused(found)
        channel = Channel(found, keeps, where)
        return await self._keep(app_id, key, via, channel, label=label, by=by, now=now)

    async def adopt_channel(
        self, app_id: int, integration: str, channel: Channel, *, label: str, by: Actor = SYSTEM
    ) -> ChannelDetails:
        """Keep a channel that was made elsewhere. Raises NOT_FOUND."""
        via, key = await self._key(app_id, integration)
        where = channel.environment or key.settings.get("environment", "")
        known = Channel(channel.id, channel.keeps, where)
        return await self._keep(app_id, key, via, known, label=label, by=by, now=self._clock.now())

    async def channels(self, app_id: int, integration: str, *, cursor: str | None, limit: int) -> Page[ChannelDetails]:
        """List the channels of an integration, newest first. Raises NOT_FOUND, INVALID_CURSOR."""
        after = position_from(cursor)
        via, _ = await self._key(app_id, integration)

        def look(tx: Transaction) -> list[ChannelDetails]:
            found = integration_of(tx, app_id, integration)
            rows = tx.relays.channels(found.id, after=after, limit=limit + 1)
            return [ChannelDetails(row, via.channel_at(row.address)) for row in rows]

        return page_from(await self._store.read(look), limit=limit, position=lambda row: row.relay.id)

    async def delete_channel(self, app_id: int, integration: str, public_id: str, *, by: Actor = SYSTEM) -> None:
        """End a channel at the service and here. Raises NOT_FOUND, CHANNEL_REFUSED; then it stays."""
        via, key = await self._key(app_id, integration)
        relay = await self._store.read(lambda tx: _channel(tx, app_id, public_id, of=key.id))
        now = self._clock.now()
        request = via.end_channel_request(key, via.channel_at(relay.address), now=now.timestamp())
        refusal = via.channel_ended(await self._call(request))
        if refusal is not None:
            raise _refused(refusal)

        def end(tx: Transaction) -> None:
            tx.relays.end(relay.id)
            about = Subject("channel", public_id, relay.label)
            tx.audit.add(by, Action.CHANNEL_DELETED, app_id=app_id, subject=about, now=now)

        await self._store.write(end)

    async def _keep(
        self, app_id: int, key: Credential, via: HasChannels, channel: Channel, *, label: str, by: Actor, now: datetime
    ) -> ChannelDetails:
        address, origin = via.channel_address(channel)
        public_id, secret = self._ids.new("chn"), self._ids.secret()
        new = NewRelay(app_id, key.provider, address, origin, key.id, label=label, channel=True)

        def store(tx: Transaction) -> Relay:
            kept = tx.relays.ensure(new, public_id=public_id, secret_hash=hash_of(secret), now=now)
            about = Subject("channel", kept.public_id, kept.label)
            tx.audit.add(by, Action.CHANNEL_CREATED, app_id=app_id, subject=about, now=now)
            return kept

        return ChannelDetails(await self._store.write(store), channel)

    async def _key(self, app_id: int, integration: str) -> tuple[HasChannels, Credential]:
        def look(tx: Transaction) -> tuple[Integration, Credential]:
            found = integration_of(tx, app_id, integration)
            return found, tx.credentials.of_integration(found.id)[0]

        found, key = await self._store.read(look)
        via: object = self._provider(found.provider)
        if not isinstance(via, HasChannels):
            raise CatalogueError(ErrorCode.NOT_FOUND, f"{found.provider} has no broadcast channels.")
        return via, key


def _channel(tx: Transaction, app_id: int, public_id: str, *, of: int | None = None) -> Relay:
    found = tx.relays.get(app_id, public_id) if public_id.startswith("chn_") else None
    if found is None or (of is not None and found.credential_id != of):
        raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no channel {public_id[:64]!r}.")
    return found


def _refused(finding: Finding) -> CatalogueError:
    return CatalogueError(ErrorCode.CHANNEL_REFUSED, f"{finding.detail} {finding.mend}")
