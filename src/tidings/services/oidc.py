"""Signing in with an OpenID provider: code flow with PKCE, bound to the browser, and never a link by guesswork."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode, urlsplit

from tidings.domain.audit import Action, Actor, Subject, nobody
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.member import Member, OidcProvider, Stage
from tidings.lib.clock import Clock
from tidings.lib.id_token import TokenRefused
from tidings.lib.ids import Ids
from tidings.services.invitations import new_member
from tidings.services.oidc_provider import Discovered, Providers, failed
from tidings.services.sessions import Opened, Opening, Sessions, Visit, actor_of, subject_of
from tidings.storage import Store, Transaction

PATIENCE = timedelta(minutes=10)
"""How long somebody may take at the provider."""

_KIND = "oidc"
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?", re.ASCII)
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the browser goes, and what its cookie keeps until it comes back."""

    url: str = field(repr=False)
    cookie: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody came back: their session, and the page they wanted."""

    opened: Opened
    next: str


class Oidc:
    """Keeps providers, sends browsers there, and lets in who comes back."""

    def __init__(
        self, *, store: Store, clock: Clock, ids: Ids, sessions: Sessions, providers: Providers, base_url: str
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._sessions = sessions
        self._providers = providers
        self._base_url = base_url

    async def all(self) -> list[OidcProvider]:
        """List the providers, by name."""
        return await self._store.read(lambda tx: tx.oidc.all())

    def redirect_uri(self, provider_id: str) -> str:
        """Give the address that the provider has to know."""
        return f"{self._base_url}/api/v1/session/oidc/{provider_id}/callback"

    async def put(self, wanted: OidcProvider, *, by: Actor) -> OidcProvider:
        """Store a provider; an empty secret keeps the one before. Raises INVALID_REQUEST, OIDC_FAILED."""
        _check(wanted)
        self._providers.check_url(wanted.issuer)
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
            found = _found(tx, provider_id)
            tx.oidc.remove(provider_id)
            about = Subject("oidc_provider", found.id, found.name)
            tx.audit.add(by, Action.OIDC_PROVIDER_REMOVED, app_id=None, subject=about, now=now)

        await self._store.write(remove)

    async def test(self, provider_id: str) -> Discovered:
        """Ask a provider for what it says of itself. Raises NOT_FOUND, OIDC_FAILED."""
        provider = await self._store.read(lambda tx: _found(tx, provider_id))
        return await self._providers.discover(provider.issuer)

    async def start(self, provider_id: str, *, next: str) -> Departure:
        """Send a browser to a provider. Raises NOT_FOUND, OIDC_FAILED."""
        provider = await self._store.read(lambda tx: _found(tx, provider_id))
        at = await self._providers.discover(provider.issuer)
        state, nonce, verifier, cookie = (self._ids.secret() for _ in range(4))
        kept = {
            "provider": provider.id,
            "nonce": nonce,
            "verifier": verifier,
            "browser": sha256(cookie.encode()).hexdigest(),
            "next": local_path(next),
        }
        expires_at = self._clock.now() + PATIENCE
        await self._store.write(lambda tx: tx.factors.ask(state, _KIND, kept, member_id=None, expires_at=expires_at))
        query = {
            "response_type": "code",
            "client_id": provider.client_id,
            "redirect_uri": self.redirect_uri(provider.id),
            "scope": "openid email profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        joint = "&" if urlsplit(at.authorization_endpoint).query else "?"
        return Departure(f"{at.authorization_endpoint}{joint}{urlencode(query)}", cookie)

    async def finish(
        self,
        provider_id: str,
        *,
        state: str,
        code: str | None,
        issuer: str | None,
        cookie: str | None,
        visit: Visit,
        replaces: str | None,
    ) -> Arrival:
        """Let in who comes back with a code. Raises OIDC_FAILED.

        The state is good once, and in the browser it was made for alone; `issuer` is RFC 9207's, where it is sent.
        """
        now = self._clock.now()
        kept = await self._store.write(lambda tx: tx.factors.answered(state, _KIND, member_id=None, now=now))
        if kept is None or kept["provider"] != provider_id:
            raise failed("This attempt is too old, or was finished already; begin again.")
        if kept["browser"] != sha256((cookie or "").encode()).hexdigest():
            raise failed("This attempt was begun in another browser; begin again.")
        if code is None:
            raise failed("The provider did not let you in.")
        try:
            provider = await self._store.read(lambda tx: _found(tx, provider_id))
            if issuer is not None and issuer != provider.issuer:
                raise failed("The answer is of another issuer.")
            claims = await self._claims(provider, code, kept)
            opening = self._sessions.opening(visit, replaces=replaces)
            public_id = self._ids.new("mem")
            opened = await self._store.write(lambda tx: _enter(tx, provider, claims, opening, public_id=public_id))
        except CatalogueError:
            await self._note_refusal(provider_id, visit)
            raise
        return Arrival(opened, kept["next"])

    async def _claims(self, provider: OidcProvider, code: str, kept: Mapping[str, Any]) -> dict[str, Any]:
        at = await self._providers.discover(provider.issuer)
        try:
            return await self._providers.claims(
                provider,
                at,
                code=code,
                verifier=kept["verifier"],
                redirect_uri=self.redirect_uri(provider.id),
                nonce=kept["nonce"],
                now=self._clock.now().timestamp(),
            )
        except TokenRefused as fault:
            raise failed(f"The provider's token was refused: {fault}.") from fault

    async def _note_refusal(self, provider_id: str, visit: Visit) -> None:
        now, by = self._clock.now(), nobody(visit.address)
        about, detail = Subject("oidc_provider", provider_id), {"way": "oidc"}
        await self._store.write(
            lambda tx: tx.audit.add(by, Action.SIGN_IN_REFUSED, app_id=None, subject=about, detail=detail, now=now)
        )


def local_path(next: str) -> str:
    """Give a path of our own to go to; anything else leads to the beginning."""
    own = next.startswith("/") and not next.startswith(("//", "/\\")) and next.isprintable() and "\\" not in next
    return next[:500] if own else "/"


def _enter(
    tx: Transaction, provider: OidcProvider, claims: Mapping[str, Any], opening: Opening, *, public_id: str
) -> Opened:
    member = tx.oidc.member(provider.issuer, claims["sub"])
    if member is None:
        member = _by_email(tx, provider, claims, opening, public_id=public_id)
        tx.oidc.link(provider.issuer, claims["sub"], member.id, now=opening.now)
        by, about = actor_of(member, opening.visit.address), subject_of(member)
        detail = {"provider": provider.id}
        tx.audit.add(by, Action.OIDC_LINKED, app_id=None, subject=about, detail=detail, now=opening.now)
    if member.disabled_at is not None:
        raise failed("This account is shut out.")
    if member.totp:
        # A provider vouches for who somebody is; a second factor that is set here is asked for here.
        return opening.open(tx, member, stage=Stage.SECOND_FACTOR)
    return opening.sign_in(tx, member, way=f"oidc:{provider.id}")


def _by_email(
    tx: Transaction, provider: OidcProvider, claims: Mapping[str, Any], opening: Opening, *, public_id: str
) -> Member:
    """Find or make the member of an address that the provider has verified, and that is of a listed domain."""
    email = claims.get("email")
    if not isinstance(email, str) or not 3 <= len(email) <= 254 or not email.isprintable():
        raise failed("The provider tells no e-mail address; let it give the scope `email`.")
    if claims.get("email_verified") is not True:
        raise failed("The provider has not verified the e-mail address.")
    if email.rpartition("@")[2].casefold() not in provider.domains:
        raise failed("The e-mail address is not of a domain that this provider signs in for.")
    tx.members.hold()
    known = tx.members.by_email(email)
    if known is not None:
        return known
    if provider.create is None or provider.app_id is None or tx.apps.by_id(provider.app_id) is None:
        raise failed("There is no member with this e-mail address; ask for an invitation.")
    name = claims.get("name")
    shown = name.strip()[:100] if isinstance(name, str) and name.isprintable() and name.strip() else email
    member = new_member(tx, opening, public_id=public_id, name=shown, email=email, phc=None)
    tx.members.set_role(member.id, provider.app_id, provider.create, now=opening.now)
    return member


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


def _found(tx: Transaction, provider_id: str) -> OidcProvider:
    found = tx.oidc.get(provider_id)
    if found is None:
        raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no sign-in provider {provider_id[:64]!r}.")
    return found
