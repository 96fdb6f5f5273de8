"""Integrations whose credentials are made at a vendor: added, replaced without a restart, proved and taken away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from tidings.domain.app import Credential, Integration
from tidings.domain.audit import SYSTEM, Action, Actor, Subject
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.subscription import Subscription
from tidings.lib.clock import Clock
from tidings.lib.ids import Ids
from tidings.lib.outcalls import Call
from tidings.providers import (
    CHANNELS,
    REGISTRY,
    ChecksKeys,
    Finding,
    GeneratesKeys,
    NeedsGrant,
    NewCredential,
    ProvesCredentials,
    Provider,
    TakesCredentials,
    provider,
)
from tidings.services.credentials import IntegrationDetails, details, note
from tidings.services.devices import integration_of
from tidings.services.doubts import with_doubts
from tidings.services.grants import Grants
from tidings.services.paging import Page, page_from, position_from
from tidings.services.proofs import Proof, kept
from tidings.storage import Store, Transaction

ACCOUNT = "account"
"""Among an integration's settings: what its devices belong to at the vendor."""

REMOVED_REASON = "integration_removed"
"""Kept with the devices of an integration that was taken away."""

UNSEEN = timedelta(days=270)
"""After so long without a connection Google gives a device's token up; its app has most likely gone."""

STAYS = ("environment", "messages_per_minute")
"""Fields of credentials that say how to send, not with what: where new ones do not have them, the old ones hold."""

_ANY = -1
"""In place of the id of a credential that is not stored yet."""


class Integrations:
    """Keeps the integrations of providers that devices with apps are reached through."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        ids: Ids,
        grants: Grants,
        call: Call,
        provider: Callable[[str], Provider] = provider,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._grants = grants
        self._call = call
        self._provider = provider

    async def add(
        self, app_id: int, name: str, *, label: str, fields: Mapping[str, str], by: Actor = SYSTEM
    ) -> IntegrationDetails:
        """Store a further integration with its credentials. Raises CREDENTIALS_INVALID, INTEGRATION_LABEL_TAKEN."""
        made = await self._made(name, fields)
        public_id, now = self._ids.new("int"), self._clock.now()

        def store(tx: Transaction) -> IntegrationDetails:
            settings = {**made.settings, ACCOUNT: made.account}
            added = tx.credentials.add_integration(
                app_id, name, public_id=public_id, label=label, settings=settings, now=now
            )
            if added is None:
                raise _taken(label)
            tx.credentials.replace(
                added.id, fingerprint=made.fingerprint, secret=made.secret, settings=settings, now=now
            )
            _note_added(tx, added, made, by, now=now)
            return details(tx, added)

        return await self._store.write(store)

    async def get(self, app_id: int, public_id: str) -> IntegrationDetails:
        """Show one. Raises NOT_FOUND."""
        return await self._store.read(lambda tx: details(tx, integration_of(tx, app_id, public_id)))

    async def update(
        self,
        app_id: int,
        public_id: str,
        *,
        label: str | None = None,
        fields: Mapping[str, str] | None = None,
        force: bool = False,
        resume: bool = False,
        by: Actor = SYSTEM,
    ) -> IntegrationDetails:
        """Give it another label or other credentials; workers send with them from the next chunk on.

        Credentials of another account reach none of its devices: INTEGRATION_ACCOUNT_DIFFERS unless it has none that
        are active, or `force`. Raises NOT_FOUND, CREDENTIALS_INVALID, INTEGRATION_LABEL_TAKEN.
        """
        there = (await self.get(app_id, public_id)).integration
        made = await self._made_anew(there, fields) if there and fields is not None else None
        now = self._clock.now()

        def change(tx: Transaction) -> IntegrationDetails:
            found = integration_of(tx, app_id, public_id)
            if label is not None and not tx.credentials.rename(found.id, label):
                raise _taken(label)
            if made is not None:
                self._replace(tx, found, made, force=force)
                _note_added(tx, found, made, by, now=now)
            if resume:
                tx.credentials.resume(found.id)
            note(tx, found, by, now=now, label=label, resumed=resume)
            return details(tx, integration_of(tx, app_id, public_id))

        return await self._store.write(change)

    async def remove(self, app_id: int, public_id: str, *, force: bool = False, by: Actor = SYSTEM) -> int:
        """Forget an integration and its keys; its devices expire. Raises NOT_FOUND, INTEGRATION_IN_USE."""
        now = self._clock.now()

        def remove(tx: Transaction) -> int:
            found = integration_of(tx, app_id, public_id)
            self._taker(found.provider)
            active = sum(key.active for key in details(tx, found).keys)
            if active and not force:
                raise CatalogueError(ErrorCode.INTEGRATION_IN_USE, f"{active} active devices are reached through it.")
            for key in tx.credentials.of_integration(found.id):
                tx.outbox.expiring(app_id, key.id, REMOVED_REASON, now=now)
            expired = tx.credentials.remove(found.id, reason=REMOVED_REASON)
            about = Subject("integration", found.public_id, found.label)
            detail = {"provider": found.provider, "expired": expired}
            tx.audit.add(by, Action.INTEGRATION_REMOVED, app_id=app_id, subject=about, detail=detail, now=now)
            return expired

        return await self._store.write(remove)

    async def unseen(self, integration: Integration) -> int:
        """Count the active devices of it that were not seen for so long that their tokens have most likely ended."""
        since = self._clock.now() - UNSEEN
        return await self._store.read(lambda tx: tx.credentials.unseen(integration.id, since=since))

    async def suspected(self, integration: Integration) -> int:
        """Count the active devices of it whose address looks as if it belonged elsewhere."""
        return await self._store.read(lambda tx: tx.subscriptions.count_misplaced(integration.id))

    async def devices(
        self, app_id: int, public_id: str, *, cursor: str | None, limit: int, search: str = ""
    ) -> Page[Subscription]:
        """List the devices whose names hold `search`, newest first. Raises NOT_FOUND, INVALID_CURSOR."""
        after = position_from(cursor)

        def look(tx: Transaction) -> list[Subscription]:
            found = integration_of(tx, app_id, public_id)
            page = tx.subscriptions.page(app_id, after=after, limit=limit + 1, integration_id=found.id, search=search)
            return with_doubts(tx, page)

        return page_from(await self._store.read(look), limit=limit, position=lambda row: row.id)

    async def prove(self, app_id: int, public_id: str, *, by: Actor = SYSTEM, ends_pause: bool = True) -> Proof:
        """Try the stored credentials at the vendor and keep how it went; a success ends a pause.

        Who may only look (`ends_pause` False) changes neither. Raises NOT_FOUND.
        """

        def look(tx: Transaction) -> Credential:
            found = integration_of(tx, app_id, public_id)
            self._prover(found.provider)
            return tx.credentials.of_integration(found.id)[0]

        tried = await self._store.read(look)
        proof = await self._proved(tried, grants=self._grants)
        if ends_pause:
            now = self._clock.now()

            def keep(tx: Transaction) -> None:
                found = integration_of(tx, app_id, public_id)
                there = tx.credentials.of_integration(found.id)[0]
                if (there.fingerprint, there.settings) != (tried.fingerprint, tried.settings):
                    return  # replaced meanwhile: it was others that were tried
                tx.credentials.set_integration(found.id, settings=found.settings | kept(proof, now=now))
                if proof.ok and found.paused_because is not None:
                    tx.credentials.resume(found.id)
                    note(tx, found, by, now=now, resumed=True)

            await self._store.write(keep)
        return proof

    async def prove_upload(self, app_id: int, name: str, fields: Mapping[str, str]) -> Proof:
        """Try credentials before they are saved; nothing is stored. Raises what is wrong with them.

        Of a provider whose keys we can make too, `subject` is the contact, and the others are the key.
        """
        maker = self._prover(name)
        if isinstance(maker, GeneratesKeys):
            made = maker.import_credential(fields, {"subject": fields.get("subject", "")})
        else:
            made = await self._made(name, fields)
        settings = {**made.settings, ACCOUNT: made.account}
        credential = Credential(_ANY, _ANY, app_id, name, made.fingerprint, made.secret, settings)
        return await self._proved(credential, grants=Grants(clock=self._clock, call=self._call))

    async def _proved(self, credential: Credential, *, grants: Grants) -> Proof:
        via: object = self._provider(credential.provider)
        findings: list[Finding] = []
        opened = await grants.opened(credential, fresh=True)
        if isinstance(via, NeedsGrant):
            findings.append(via.grant_finding(None if isinstance(opened, Credential) else opened))
        if isinstance(opened, Credential) and isinstance(via, ProvesCredentials):
            if isinstance(via, ChecksKeys):
                findings += via.own_findings(opened)
            probes = via.probes(opened, now=self._clock.now().timestamp())
            answers = await asyncio.gather(*(self._call(request) for request in probes))
            now = self._clock.now().timestamp()
            findings += [via.finding(opened, *pair, now=now) for pair in zip(probes, answers, strict=True)]
        warnings = via.warnings(credential.settings) if isinstance(via, TakesCredentials) else ()
        return Proof(tuple(findings), warnings)

    def _replace(self, tx: Transaction, found: Integration, made: NewCredential, *, force: bool) -> None:
        active = sum(key.active for key in details(tx, found).keys)
        account = found.settings.get(ACCOUNT, "")
        if account != made.account and active and not force:
            raise CatalogueError(
                ErrorCode.INTEGRATION_ACCOUNT_DIFFERS,
                f"These credentials are of {made.account}; the {active} active devices belong to {account}.",
            )
        settings = {**made.settings, ACCOUNT: made.account}
        tx.credentials.set_integration(found.id, settings=settings)
        tx.credentials.replace(
            found.id, fingerprint=made.fingerprint, secret=made.secret, settings=settings, now=self._clock.now()
        )
        # New credentials are what mends an integration that wrong ones had stopped.
        tx.credentials.resume(found.id)

    async def _made(self, name: str, fields: Mapping[str, str]) -> NewCredential:
        """Read an upload beside the loop: opening a certificate waits for a process."""
        return await asyncio.to_thread(self._taker(name).credential_from, fields)

    async def _made_anew(self, there: Integration, fields: Mapping[str, str]) -> NewCredential:
        """Read an upload that replaces another; of the same account, what it leaves out stays as it was."""
        made = await self._made(there.provider, fields)
        kept = {name: value for name in STAYS if name not in fields and (value := there.settings.get(name))}
        if kept and made.account == there.settings.get(ACCOUNT):
            with suppress(CatalogueError):  # a certificate may not be for the environment of the one before
                return await self._made(there.provider, {**fields, **kept})
        return made

    def _prover(self, name: str) -> ProvesCredentials | TakesCredentials:
        """Give a provider whose credentials can be tried."""
        found: object = self._provider(name) if name in CHANNELS and name in REGISTRY else None
        return found if isinstance(found, ProvesCredentials) else self._taker(name)

    def _taker(self, name: str) -> TakesCredentials:
        found: object = self._provider(name) if name in CHANNELS and name in REGISTRY else None
        if not isinstance(found, TakesCredentials):
            raise CatalogueError(
                ErrorCode.INVALID_REQUEST,
                f"The credentials of {name[:32]!r} are not uploaded.",
                faults=(FieldFault("provider", "Its credentials are not uploaded here."),),
            )
        return found


def _note_added(tx: Transaction, found: Integration, made: NewCredential, by: Actor, *, now: datetime) -> None:
    about = Subject("integration", found.public_id, found.label)
    detail = {"provider": found.provider, "account": made.account, "key": made.fingerprint}
    tx.audit.add(by, Action.CREDENTIAL_ADDED, app_id=found.app_id, subject=about, detail=detail, now=now)


def _taken(label: str) -> CatalogueError:
    words = "Another integration of this provider has this label."
    return CatalogueError(
        ErrorCode.INTEGRATION_LABEL_TAKEN, f"{label[:64]!r}: {words}", faults=(FieldFault("label", words),)
    )
