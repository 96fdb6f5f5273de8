"""Integrations and their keys: made once, rotated without losing anybody, replaced after a leak."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tidings.domain.app import Credential, CredentialStatus, Integration
from tidings.domain.audit import SYSTEM, Action, Actor, Subject
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.lib.clock import Clock
from tidings.lib.ids import Ids
from tidings.providers import BROWSER, GeneratesKeys, NewCredential, Provider, provider
from tidings.services.web_push import check_web_push
from tidings.storage import Store, Transaction

REVOKED_REASON = "key_revoked"
"""Kept with the subscriptions whose key was replaced after a leak."""


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A key as it stands after a change; `created` is False when it was there already.

    `invalidated` is how many active subscriptions the change made useless.
    """

    credential: Credential
    created: bool
    invalidated: int = 0


@dataclass(frozen=True, slots=True)
class KeyUse:
    """One key and how many active subscriptions were made with it."""

    credential: Credential
    active: int


@dataclass(frozen=True, slots=True)
class IntegrationDetails:
    """A provider in an App with its keys, newest first; `integration` is None when it was never set up."""

    provider: str
    integration: Integration | None
    keys: list[KeyUse]

    @property
    def configured(self) -> bool:
        """Whether there is a key that new subscriptions can use."""
        return any(key.credential.status is CredentialStatus.CURRENT for key in self.keys)


class Credentials:
    """Makes, takes over, rotates and shows the keys of providers whose keys we can make.

    `contact` is the address that push services get when neither the request nor the integration names one;
    `offered` are the providers that can be set up.
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        ids: Ids,
        contact: str | None = None,
        offered: Sequence[str] = (BROWSER,),
        provider: Callable[[str], Provider] = provider,
    ) -> None:
        self._defaults = {"subject": contact} if contact else {}
        self._store = store
        self._clock = clock
        self._ids = ids
        self._offered = offered
        self._provider = provider

    async def integrations(self, app_id: int) -> list[IntegrationDetails]:
        """List what is set up in an App; the browsers' provider is always there."""

        def look(tx: Transaction) -> list[IntegrationDetails]:
            found = tx.credentials.integrations(app_id)
            missing = [] if any(one.provider == BROWSER for one in found) else [unset(BROWSER)]
            return missing + [details(tx, one) for one in found]

        return await self._store.read(look)

    async def integration(self, app_id: int, provider: str) -> IntegrationDetails:
        """Show one integration, set up or not. Raises NOT_FOUND for a provider we do not know."""
        self._maker(provider)
        return await self._store.read(
            lambda tx: (
                details(tx, there) if (there := tx.credentials.integration(app_id, provider)) else unset(provider)
            )
        )

    async def current(self, app_id: int, provider: str = BROWSER) -> Credential:
        """Give the key for new subscriptions. Raises VAPID_KEY_MISSING."""
        found = await self._store.read(lambda tx: tx.credentials.current(app_id, provider))
        if found is None:
            raise CatalogueError(ErrorCode.VAPID_KEY_MISSING)
        return found

    async def offered(self, app_id: int) -> Credential:
        """Give the key that browsers may subscribe with. Raises WEB_PUSH_OFF and VAPID_KEY_MISSING."""
        await self._store.read(lambda tx: check_web_push(tx, app_id))
        return await self.current(app_id)

    async def generate(
        self, app_id: int, provider: str, *, settings: Mapping[str, str], force: bool = False, by: Actor = SYSTEM
    ) -> KeyChange:
        """Make the first key, or show the one that is there.

        `force`, for after a leak, makes a new one and revokes all before it: their subscriptions expire. Raises
        what the provider finds wrong with `settings`, such as CONTACT_INVALID, also where the key is there already.
        """
        maker = self._maker(provider)
        current = await self._store.read(lambda tx: tx.credentials.current(app_id, provider))
        if current is not None and not force:
            if settings:
                maker.generate_credential(await self._settings(app_id, provider, settings))
            return KeyChange(current, created=False)
        made = maker.generate_credential(await self._settings(app_id, provider, settings))

        def put(tx: Transaction) -> KeyChange:
            # Asked again: of two first calls at once, the second shows the key of the first.
            there = None if force else tx.credentials.current(app_id, provider)
            return (
                KeyChange(there, created=False) if there else self._put(tx, app_id, provider, made, revoke=force, by=by)
            )

        return await self._store.write(put)

    async def rotate(self, app_id: int, provider: str, *, settings: Mapping[str, str], by: Actor = SYSTEM) -> KeyChange:
        """Make a new key for new subscriptions; those made with the old ones keep working with them.

        Raises VAPID_KEY_MISSING when there is nothing to rotate.
        """
        await self.current(app_id, provider)
        made = self._maker(provider).generate_credential(await self._settings(app_id, provider, settings))
        return await self._store.write(lambda tx: self._put(tx, app_id, provider, made, revoke=False, by=by))

    async def take_over(
        self,
        app_id: int,
        provider: str,
        *,
        fields: Mapping[str, str],
        settings: Mapping[str, str],
        force: bool = False,
        by: Actor = SYSTEM,
    ) -> KeyChange:
        """Import a key made elsewhere and make it the current one; the one before retires, or is revoked by `force`.

        Raises what the provider finds wrong with it, such as VAPID_KEY_INVALID and VAPID_KEY_MISMATCH.
        """
        made = self._maker(provider).import_credential(fields, await self._settings(app_id, provider, settings))
        return await self._store.write(lambda tx: self._put(tx, app_id, provider, made, revoke=force, by=by))

    async def update(
        self, app_id: int, provider: str, *, settings: Mapping[str, str], resume: bool, by: Actor = SYSTEM
    ) -> IntegrationDetails:
        """Change the settings (the contact address) for all keys in force, and end a pause if asked to.

        Raises NOT_FOUND when the integration has not been set up, and what the provider finds wrong.
        """
        maker = self._maker(provider)
        merged = await self._settings(app_id, provider, settings)
        # A key that is thrown away at once: making one is how a provider judges settings.
        checked = maker.generate_credential(merged).settings if settings else merged
        now = self._clock.now()

        def change(tx: Transaction) -> IntegrationDetails:
            integration = tx.credentials.integration(app_id, provider)
            if integration is None:
                raise CatalogueError(ErrorCode.NOT_FOUND, f"{provider!r} has no key yet; make one first.")
            tx.credentials.set_integration(integration.id, settings=checked)
            if resume:
                tx.credentials.resume(integration.id)
            for one in tx.credentials.all(app_id, provider):
                if settings and one.status is not CredentialStatus.REVOKED:
                    tx.credentials.set_settings(one.id, checked)
            note(tx, integration, by, now=now, settings=sorted(settings), resumed=resume)
            return details(tx, tx.credentials.find(app_id, integration.public_id) or integration)

        return await self._store.write(change)

    def _put(
        self, tx: Transaction, app_id: int, provider: str, made: NewCredential, *, revoke: bool, by: Actor
    ) -> KeyChange:
        change = self._stored(tx, app_id, provider, made, revoke=revoke)
        integration = tx.credentials.integration(app_id, provider)
        known = (integration.public_id, integration.label) if integration else (None, provider)
        about = Subject("integration", *known)
        detail = {
            "key": made.fingerprint,
            "new": change.created,
            "revoked_earlier": revoke,
            "expired": change.invalidated,
        }
        tx.audit.add(by, Action.CREDENTIAL_ADDED, app_id=app_id, subject=about, detail=detail, now=self._clock.now())
        return change

    def _stored(self, tx: Transaction, app_id: int, provider: str, made: NewCredential, *, revoke: bool) -> KeyChange:
        integration = tx.credentials.ensure_integration(
            app_id,
            provider,
            public_id=self._ids.new("int"),
            label=provider,
            settings=made.settings,
            now=self._clock.now(),
        )
        invalidated = 0
        same = tx.credentials.by_fingerprint(app_id, provider, made.fingerprint)
        if same is not None and same.status is CredentialStatus.REVOKED:
            raise CatalogueError(ErrorCode.VAPID_KEY_INVALID, "This key was revoked here; make a new one.")
        for one in tx.credentials.all(app_id, provider):
            if one.fingerprint == made.fingerprint or one.status is CredentialStatus.REVOKED:
                continue
            if revoke:
                tx.outbox.expiring(app_id, one.id, REVOKED_REASON, now=self._clock.now())
                invalidated += tx.subscriptions.expire_made_with(one.id, reason=REVOKED_REASON)
                tx.credentials.set_status(one.id, CredentialStatus.REVOKED)
            elif one.status is CredentialStatus.CURRENT:
                tx.credentials.set_status(one.id, CredentialStatus.RETIRED)
        # A new key is also what mends an integration that a wrong one had stopped.
        tx.credentials.set_integration(integration.id, settings=made.settings)
        tx.credentials.resume(integration.id)
        if same is not None:
            tx.credentials.set_status(same.id, CredentialStatus.CURRENT)
            tx.credentials.set_settings(same.id, made.settings)
            return KeyChange(tx.credentials.by_id(same.id) or same, created=False, invalidated=invalidated)
        stored = tx.credentials.add(
            integration.id,
            fingerprint=made.fingerprint,
            secret=made.secret,
            settings=made.settings,
            now=self._clock.now(),
        )
        return KeyChange(stored, created=True, invalidated=invalidated)

    async def _settings(self, app_id: int, provider: str, given: Mapping[str, str]) -> dict[str, str]:
        integration = await self._store.read(lambda tx: tx.credentials.integration(app_id, provider))
        return {**self._defaults, **(integration.settings if integration else {}), **given}

    def _maker(self, name: str) -> GeneratesKeys:
        found: object = self._provider(name) if name in self._offered else None
        if not isinstance(found, GeneratesKeys):
            raise CatalogueError(
                ErrorCode.NOT_FOUND, f"There is no integration {name[:64]!r}; there is {', '.join(self._offered)}."
            )
        return found


def details(tx: Transaction, integration: Integration) -> IntegrationDetails:
    """Give an integration with its keys and their devices."""
    usage = tx.credentials.usage(integration.app_id, integration.provider)
    keys = [KeyUse(one, usage.get(one.id, 0)) for one in tx.credentials.of_integration(integration.id)]
    return IntegrationDetails(integration.provider, integration, keys)


def unset(name: str) -> IntegrationDetails:
    """Give a provider that was never set up."""
    return IntegrationDetails(name, None, [])


def note(
    tx: Transaction,
    integration: Integration,
    by: Actor,
    *,
    now: datetime,
    settings: Sequence[str] = (),
    label: str | None = None,
    resumed: bool = False,
) -> None:
    """Write down what was changed of an integration: which settings, never what they hold."""
    about = Subject("integration", integration.public_id, label or integration.label)
    if settings or label:
        detail = {"provider": integration.provider, "settings": list(settings), "label": label}
        action = Action.INTEGRATION_CHANGED
        tx.audit.add(by, action, app_id=integration.app_id, subject=about, detail=detail, now=now)
    if resumed and integration.paused_because is not None:
        detail = {"provider": integration.provider, "paused_because": integration.paused_because}
        action = Action.INTEGRATION_RESUMED
        tx.audit.add(by, action, app_id=integration.app_id, subject=about, detail=detail, now=now)
