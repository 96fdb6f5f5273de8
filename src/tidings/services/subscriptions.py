"""Subscriptions: browsers register, refresh and leave; operators list, tag, delete, import and export."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from tidings.domain.app import App, Credential, CredentialStatus
from tidings.domain.audit import SYSTEM, Action, Actor, ActorKind, Subject, is_person
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.subscription import Address, Ending, Subscription, SubscriptionStatus
from tidings.domain.webhook import WebhookEvent
from tidings.lib.clock import Clock
from tidings.lib.egress import AddressGuard, HostPolicy, getaddrinfo, resolves_publicly
from tidings.lib.ids import Ids
from tidings.providers import BROWSER, Provider, provider
from tidings.services.doubts import with_doubts
from tidings.services.enrolment import Arrival, enrol
from tidings.services.identity import check_identity
from tidings.services.paging import Page, page_from, position_from
from tidings.services.registration import Registered, Registration, new_from, proves
from tidings.services.tags import merged_tags
from tidings.services.web_push import check_web_push
from tidings.storage import Store, Transaction

_VERDICT_LIFE = timedelta(seconds=60)
_VERDICTS = 1_000
_USABLE = (CredentialStatus.CURRENT, CredentialStatus.RETIRED)


class Subscriptions:
    """Everything about browsers and devices but delivery. `mapped_hosts` are called elsewhere, so not resolved."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        ids: Ids,
        policy: HostPolicy,
        guard: AddressGuard,
        mapped_hosts: Sequence[str] = (),
        resolve: Callable[[str], Awaitable[Sequence[str]]] = getaddrinfo,
        provider: Callable[[str], Provider] = provider,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._policy = policy
        self._guard = guard
        self._mapped = frozenset(mapped_hosts)
        self._resolve = resolve
        self._provider = provider
        self._verdicts: dict[str, tuple[datetime, bool | None]] = {}

    async def register(self, app: App, registration: Registration) -> Registered:
        """Store a browser's registration or refresh it; see `enrolment.py` for what it may change.

        Raises WEB_PUSH_OFF, SUBSCRIPTION_*, VAPID_KEY_* and IDENTITY_INVALID; then nothing is stored.
        """
        address, origin = self.address_from(registration.subscription)
        await self.check_host(origin)
        verified = self._verified(app, registration)
        secret, public_id, now = self._ids.secret(), self._ids.new("sub"), self._clock.now()

        def store(tx: Transaction) -> Registered:
            check_web_push(tx, app.id)
            credential = credential_for(tx, app.id, registration.vapid_key)
            new = new_from(
                registration, app_id=app.id, provider=BROWSER, address=address, origin=origin, credential=credential
            )
            return enrol(tx, Arrival(registration, new, verified, now, public_id, secret))

        return await self._store.write(store)

    async def unregister(
        self,
        app: App,
        *,
        secret: str,
        endpoint: str | None = None,
        public_id: str | None = None,
        reason: Ending = Ending.BY_DEVICE,
    ) -> None:
        """Turn a device off and keep the reason; one we do not know is off already.

        Raises SUBSCRIPTION_SECRET_REQUIRED for the endpoint of a device with another secret, and for an id alone
        whose secret this is not, whether there is such a device or not.
        """

        def end(tx: Transaction) -> None:
            there, named = tx.subscriptions.hold(app.id, target=endpoint, public_id=public_id)
            found = named if named is not None and proves(secret, named.secret_hash) else there
            if found is None and endpoint is not None:
                return
            if found is None or not proves(secret, found.secret_hash):
                raise CatalogueError(
                    ErrorCode.SUBSCRIPTION_SECRET_REQUIRED, "The secret is not the one this device was given."
                )
            if found.subscription.status is not SubscriptionStatus.UNSUBSCRIBED:
                tx.subscriptions.set_status(found.subscription.id, SubscriptionStatus.UNSUBSCRIBED, reason)
                left = WebhookEvent.SUBSCRIPTION_UNSUBSCRIBED
                tx.outbox.device(app.id, found.subscription.id, left, reason, now=self._clock.now())

        await self._store.write(end)

    async def page(
        self,
        app_id: int,
        *,
        cursor: str | None,
        limit: int,
        status: SubscriptionStatus | None = None,
        user: str | None = None,
    ) -> Page[Subscription]:
        """List subscriptions, newest first. Raises INVALID_CURSOR."""
        after = position_from(cursor)

        def look(tx: Transaction) -> list[Subscription]:
            rows = tx.subscriptions.page(app_id, after=after, limit=limit + 1, status=status, user_external_id=user)
            return with_doubts(tx, rows)

        return page_from(await self._store.read(look), limit=limit, position=lambda row: row.id)

    async def get(self, app_id: int, public_id: str) -> Subscription:
        """Give one subscription. Raises NOT_FOUND."""
        return await self._store.read(lambda tx: with_doubts(tx, [_found(tx, app_id, public_id)])[0])

    async def delete(self, app_id: int, public_id: str, *, by: Actor = SYSTEM) -> None:
        """Forget a subscription with its address. Raises NOT_FOUND."""
        now = self._clock.now()

        def delete(tx: Transaction) -> None:
            if not tx.subscriptions.delete(app_id, public_id):
                raise _not_found(public_id)
            if by.kind is not ActorKind.SYSTEM:
                about = Subject("subscription", public_id)
                tx.audit.add(by, Action.SUBSCRIPTION_DELETED, app_id=app_id, subject=about, now=now)

        await self._store.write(delete)

    async def set_tags(
        self, app_id: int, public_id: str, changes: Mapping[str, str | None], *, by: Actor = SYSTEM
    ) -> Subscription:
        """Set the tags named in `changes` and take away those that are None there. Raises NOT_FOUND."""
        now = self._clock.now()

        def change(tx: Transaction) -> Subscription:
            # Held, for the device may change its tags at the same moment.
            known = tx.subscriptions.hold(app_id, public_id=public_id)[1]
            if known is None:
                raise _not_found(public_id)
            found = known.subscription
            tags = merged_tags(found.tags, changes)
            tx.subscriptions.set_tags(found.id, tags)
            if is_person(by):
                about, detail = Subject("subscription", public_id), {"tags": sorted(changes)}
                tx.audit.add(by, Action.SUBSCRIPTION_CHANGED, app_id=app_id, subject=about, detail=detail, now=now)
            return with_doubts(tx, [replace(found, tags=tags)])[0]

        return await self._store.write(change)

    def address_from(self, registration: Mapping[str, object]) -> tuple[Address, str]:
        """Validate what a browser or a file calls a subscription; give address and origin. Raises SUBSCRIPTION_*."""
        return self._provider(BROWSER).address_from(registration, policy=self._policy)

    async def check_host(self, origin: str) -> None:
        """Raise SUBSCRIPTION_ENDPOINT_PRIVATE when the host leads to an address that may not be called.

        A courtesy at the door: delivery asks again for every connection. A name that does not resolve now passes.
        """
        host = urlsplit(origin).hostname or ""
        if host in self._mapped:
            return
        now = self._clock.now()
        known = self._verdicts.get(host)
        if known is None or now - known[0] > _VERDICT_LIFE:
            if len(self._verdicts) >= _VERDICTS:
                self._verdicts.clear()
            known = now, await resolves_publicly(host, guard=self._guard, resolve=self._resolve)
            self._verdicts[host] = known
        if known[1] is False:
            raise CatalogueError(
                ErrorCode.SUBSCRIPTION_ENDPOINT_PRIVATE, f"`{host}` leads to an address that may not be called."
            )

    def _verified(self, app: App, registration: Registration) -> bool:
        if registration.user_id is None or registration.user_token is None:
            return False
        check_identity(app, registration.user_id, registration.user_token, now=self._clock.now())
        return True


def credential_for(tx: Transaction, app_id: int, vapid_key: str | None) -> Credential:
    """Find the key a subscription was made with; without a name, the current one.

    Raises VAPID_KEY_MISSING when the App has none, VAPID_KEY_UNKNOWN for one that is not ours or was revoked.
    """
    current = tx.credentials.current(app_id, BROWSER)
    if current is None:
        raise CatalogueError(ErrorCode.VAPID_KEY_MISSING)
    name = (vapid_key or "").rstrip("=")
    if name in ("", current.fingerprint):
        return current
    found = tx.credentials.by_fingerprint(app_id, BROWSER, name)
    if found is None or found.status not in _USABLE:
        raise CatalogueError(ErrorCode.VAPID_KEY_UNKNOWN)
    return found


def _found(tx: Transaction, app_id: int, public_id: str) -> Subscription:
    found = tx.subscriptions.get(app_id, public_id)
    if found is None:
        raise _not_found(public_id)
    return found


def _not_found(public_id: str) -> CatalogueError:
    return CatalogueError(ErrorCode.NOT_FOUND, f"There is no subscription {public_id[:64]!r}.")
