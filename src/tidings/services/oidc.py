"""The OpenID providers that members may sign in with: set, removed, tested."""

from __future__ import annotations

import re
from dataclasses import replace

from tidings.domain.audit import Action, Actor, Subject
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.member import OidcProvider
from tidings.lib.clock import Clock
from tidings.lib.egress import ForbiddenUrl
from tidings.services.oidc_provider import Discovered, Providers
from tidings.storage import Store, Transaction

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?", re.ASCII)
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.ASCII)


class Oidc:
    """Keeps providers."""

    def __init__(self, *, store: Store, clock: Clock, providers: Providers, base_url: str) -> None:
        self._store = store
        self._clock = clock
        self._providers = providers
        self._base_url = base_url

    async def all(self) -> list[OidcProvider]:
        """List the providers, by name."""
        return await self._store.read(lambda tx: tx.oidc.all())

    def redirect_uri(self, provider_id: str) -> str:
        """Give the address that the provider has to know."""
        return redirect_uri(self._base_url, provider_id)

    async def put(self, wanted: OidcProvider, *, by: Actor) -> OidcProvider:
        """Store a provider; an empty secret keeps the one before. Raises INVALID_REQUEST."""
        _check(wanted)
        try:
            self._providers.check_url(wanted.issuer)
        except ForbiddenUrl as fault:
            raise _invalid("issuer", f"It cannot be called: {fault}") from fault
        now = self._clock.now()

        def put(tx: Transaction) -> OidcProvider:
            before = tx.oidc.get(wanted.id)
            # A secret goes only to whom it was given for.
            kept = before.client_secret if before and before.issuer == wanted.issuer else ""
            secret = wanted.client_secret or kept
            if not secret:
                raise _invalid("client_secret", "This field is required for a new provider or issuer.")
            stored = replace(wanted, client_secret=secret, created_at=before.created_at if before else now)
            tx.oidc.put(stored)
            detail = {
                "issuer": stored.issuer,
                "domains": list(stored.domains),
                "create": stored.create.value if stored.create else "never",
            }
            about = Subject("oidc_provider", stored.id, stored.name)
            tx.audit.add(by, Action.OIDC_PROVIDER_SET, app_id=None, subject=about, detail=detail, now=now)
            return stored

        return await self._store.write(put)

    async def remove(self, provider_id: str, *, by: Actor) -> None:
        """Forget a provider. Raises NOT_FOUND."""
        now = self._clock.now()

        def remove(tx: Transaction) -> None:
            found = provider_of(tx, provider_id)
            tx.oidc.remove(provider_id)
            about = Subject("oidc_provider", found.id, found.name)
            tx.audit.add(by, Action.OIDC_PROVIDER_REMOVED, app_id=None, subject=about, now=now)

        await self._store.write(remove)

    async def test(self, provider_id: str) -> Discovered:
        """Ask a provider for what it says of itself. Raises NOT_FOUND, OIDC_FAILED."""
        provider = await self._store.read(lambda tx: provider_of(tx, provider_id))
        return await self._providers.discover(provider.issuer, anew=True)


def _check(wanted: OidcProvider) -> None:
    if not _ID.fullmatch(wanted.id):
        raise _invalid("id", "Use up to 32 lower-case letters, digits and hyphens.")
    for number, domain in enumerate(wanted.domains):
        if not _DOMAIN.fullmatch(domain):
            raise _invalid(f"domains.{number}", "Write a domain as example.com.")
    if wanted.create is not None and wanted.app_id is None:
        raise _invalid("app", "Say which App new members join.")


def _invalid(name: str, words: str) -> CatalogueError:
    return CatalogueError(ErrorCode.INVALID_REQUEST, f"{name}: {words}", faults=(FieldFault(name, words),))


def provider_of(tx: Transaction, provider_id: str) -> OidcProvider:
    """Find a provider. Raises NOT_FOUND."""
    found = tx.oidc.get(provider_id)
    if found is None:
        raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no sign-in provider {provider_id[:64]!r}.")
    return found


def redirect_uri(base_url: str, provider_id: str) -> str:
    """Give the address of ours that a provider sends browsers back to."""
    return f"{base_url}/api/v1/session/oidc/{provider_id}/callback"
