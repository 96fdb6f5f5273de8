"""A round through an OpenID provider: code flow with PKCE, bound to the browser, and never a link by guesswork."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode, urlsplit

from tidings.domain.audit import Action, Actor, Subject, nobody
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.member import OidcProvider, SignedIn, Stage
from tidings.lib.clock import Clock
from tidings.lib.id_token import TokenRefused
from tidings.lib.ids import Ids
from tidings.services.oidc import provider_of, redirect_uri
from tidings.services.oidc_members import check_asked_anew, confirm, connect, enter
from tidings.services.oidc_provider import Providers, failed
from tidings.services.sessions import Opened, Sessions, Visit, subject_of
from tidings.storage import Store, Transaction

PATIENCE = timedelta(minutes=10)
"""How long somebody may take at the provider."""

_KIND = "oidc"


class Purpose(StrEnum):
    """What a round is for."""

    SIGN_IN = "sign_in"
    CONFIRM = "confirm"
    """Show again who you are: the provider is to ask anew, whatever session the browser has there."""
    CONNECT = "connect"
    """Let the provider vouch for the account that is signed in."""


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the browser goes, and what its cookie keeps until it comes back."""

    url: str = field(repr=False)
    cookie: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Back:
    """What a provider sent the browser back with, and whose browser it is."""

    state: str = field(repr=False)
    code: str | None = field(repr=False)
    issuer: str | None
    cookie: str | None = field(repr=False)
    visit: Visit
    replaces: str | None = field(repr=False)
    me: SignedIn | None


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody came back, to the page they wanted: with a session that was opened, or the fault that none was."""

    purpose: Purpose
    next: str
    opened: Opened | None = None
    fault: CatalogueError | None = None


class OidcSignIn:
    """Sends browsers to providers, and takes in who comes back."""

    def __init__(
        self, *, store: Store, clock: Clock, ids: Ids, sessions: Sessions, providers: Providers, base_url: str
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._sessions = sessions
        self._providers = providers
        self._base_url = base_url

    async def start(self, provider_id: str, *, next: str, purpose: Purpose, me: SignedIn | None) -> Departure:
        """Send a browser to a provider. Raises NOT_FOUND, OIDC_FAILED."""
        provider = await self._store.read(lambda tx: provider_of(tx, provider_id))
        at = await self._providers.discover(provider.issuer)
        state, nonce, verifier, cookie = (self._ids.secret() for _ in range(4))
        now = self._clock.now()
        kept = {
            "provider": provider.id,
            "purpose": purpose.value,
            "session": me.session.public_id if me else None,
            "began": now.timestamp(),
            "nonce": nonce,
            "verifier": verifier,
            "browser": sha256(cookie.encode()).hexdigest(),
            "next": local_path(next),
        }
        expires_at = now + PATIENCE
        await self._store.write(lambda tx: tx.factors.ask(state, _KIND, kept, member_id=None, expires_at=expires_at))
        query = {
            "response_type": "code",
            "client_id": provider.client_id,
            "redirect_uri": redirect_uri(self._base_url, provider.id),
            "scope": "openid email profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        if purpose is Purpose.CONFIRM:
            query |= {"prompt": "login", "max_age": "0"}
        joint = "&" if urlsplit(at.authorization_endpoint).query else "?"
        return Departure(f"{at.authorization_endpoint}{joint}{urlencode(query)}", cookie)

    async def disconnect(self, provider_id: str, me: SignedIn, *, by: Actor) -> None:
        """Let a provider vouch for a member no longer. Raises NOT_FOUND, and ACCOUNT_CONFLICT for the last way in."""
        now = self._clock.now()

        def disconnect(tx: Transaction) -> None:
            provider = provider_of(tx, provider_id)
            tx.members.hold()
            there = tx.members.by_id(me.member.id)
            others = [one for one in tx.oidc.of_member(me.member.id) if one != provider.id]
            if there is None or not (there.password or others or tx.factors.passkey_count(me.member.id)):
                raise CatalogueError(ErrorCode.ACCOUNT_CONFLICT, "This is your only way in; set a password first.")
            if not tx.oidc.unlink(provider.issuer, me.member.id):
                raise CatalogueError(ErrorCode.NOT_FOUND, f"{provider.name} does not vouch for you.")
            if there.email_confirmed:
                # Else its next word about the address would lead here again.
                tx.members.rename(there.id, name=there.name, email=there.email, email_confirmed=False)
            about, detail = subject_of(me.member), {"provider": provider.id}
            tx.audit.add(by, Action.OIDC_UNLINKED, app_id=None, subject=about, detail=detail, now=now)

        await self._store.write(disconnect)

    async def finish(self, provider_id: str, back: Back) -> Arrival:
        """Take in who comes back with a code; a fault is told in the Arrival, for the page that they come back to.

        The state is good once, and in the browser it was made for alone; `issuer` is RFC 9207's, where it is sent.
        """
        now = self._clock.now()
        kept = await self._store.write(lambda tx: tx.factors.answered(back.state, _KIND, member_id=None, now=now))
        purpose = Purpose(kept["purpose"]) if kept else Purpose.SIGN_IN
        try:
            if kept is None or kept["provider"] != provider_id:
                raise failed("This attempt is too old, or was finished already; begin again.")
            if kept["browser"] != sha256((back.cookie or "").encode()).hexdigest():
                raise failed("This attempt was begun in another browser; begin again.")
            if back.code is None:
                raise failed("The provider did not let you in.")
            opened = await self._taken_in(provider_id, purpose, kept, back, code=back.code)
        except CatalogueError as fault:
            return Arrival(purpose, kept["next"] if kept else "/", fault=fault)
        return Arrival(purpose, kept["next"], opened)

    async def _taken_in(
        self, provider_id: str, purpose: Purpose, kept: Mapping[str, Any], back: Back, *, code: str
    ) -> Opened | None:
        try:
            provider = await self._store.read(lambda tx: provider_of(tx, provider_id))
            if back.issuer is not None and back.issuer != provider.issuer:
                raise failed("The answer is of another issuer.")
            claims = await self._claims(provider, code, kept)
            opening = self._sessions.opening(back.visit, replaces=back.replaces)
            if purpose is Purpose.SIGN_IN:
                public_id = self._ids.new("mem")
                return await self._store.write(lambda tx: enter(tx, provider, claims, opening, public_id=public_id))
            me = back.me
            if me is None or me.session.stage is not Stage.OPEN or me.session.public_id != kept["session"]:
                raise failed("You are no longer signed in as you were when this was begun; begin again.")
            if purpose is Purpose.CONFIRM:
                check_asked_anew(claims, kept["began"])
                await self._store.write(lambda tx: confirm(tx, provider, claims, me, opening))
            else:
                await self._store.write(lambda tx: connect(tx, provider, claims, me, opening))
        except CatalogueError:
            await self._note_refusal(provider_id, back.visit)
            raise
        return None

    async def _claims(self, provider: OidcProvider, code: str, kept: Mapping[str, Any]) -> dict[str, Any]:
        at = await self._providers.discover(provider.issuer)
        try:
            return await self._providers.claims(
                provider,
                at,
                code=code,
                verifier=kept["verifier"],
                redirect_uri=redirect_uri(self._base_url, provider.id),
                nonce=kept["nonce"],
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
