"""Whom a provider's word leads to: by its own name for a person, once by an address, and never by guesswork."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidings.domain.audit import Action
from tidings.domain.member import Member, OidcProvider, SignedIn, Stage, email_key
from tidings.lib.id_token import LEEWAY, is_moment
from tidings.services.invitations import let_in, new_member
from tidings.services.oidc_provider import failed
from tidings.services.sessions import Opened, Opening, actor_of, subject_of
from tidings.storage import Transaction


def enter(
    tx: Transaction, provider: OidcProvider, claims: Mapping[str, Any], opening: Opening, *, public_id: str
) -> Opened:
    """Sign in whom the provider names; the second factor that they set here is asked for here.

    Raises OIDC_FAILED.
    """
    member = tx.oidc.member(provider.issuer, claims["sub"])
    if member is None:
        member = _by_email(tx, provider, claims, opening, public_id=public_id)
        _link(tx, provider, claims, member, opening)
    if member.disabled_at is not None:
        raise failed("This account is shut out.")
    if member.totp:
        # A provider vouches for who somebody is; a second factor that is set here is asked for here.
        return opening.open(tx, member, stage=Stage.SECOND_FACTOR)
    return opening.sign_in(tx, member, way=f"oidc:{provider.id}")


def confirm(tx: Transaction, provider: OidcProvider, claims: Mapping[str, Any], me: SignedIn, opening: Opening) -> None:
    """Note that whoever is signed in has shown again who they are. Raises OIDC_FAILED for somebody else."""
    named = tx.oidc.member(provider.issuer, claims["sub"])
    if named is None or named.id != me.member.id:
        raise failed("The provider named somebody else than you.")
    tx.sessions.authenticate(me.session.id, now=opening.now)


def connect(tx: Transaction, provider: OidcProvider, claims: Mapping[str, Any], me: SignedIn, opening: Opening) -> None:
    """Let the provider vouch for a member from now on, by an address that it would let in."""
    email = _verified_email(provider, claims)
    tx.members.hold()
    known = tx.oidc.member(provider.issuer, claims["sub"])
    if known is not None and known.id != me.member.id:
        raise failed("The provider vouches for another account here already.")
    if known is None:
        _link(tx, provider, claims, me.member, opening)
    here = tx.members.by_email(email)
    if here is not None and here.id == me.member.id:
        tx.members.rename(here.id, name=here.name, email=here.email, email_confirmed=True)


def _link(tx: Transaction, provider: OidcProvider, claims: Mapping[str, Any], member: Member, opening: Opening) -> None:
    tx.oidc.link(provider.issuer, claims["sub"], member.id, now=opening.now)
    by, about = actor_of(member, opening.visit.address), subject_of(member)
    detail = {"provider": provider.id}
    tx.audit.add(by, Action.OIDC_LINKED, app_id=None, subject=about, detail=detail, now=opening.now)


def _by_email(
    tx: Transaction, provider: OidcProvider, claims: Mapping[str, Any], opening: Opening, *, public_id: str
) -> Member:
    """Find or make the member of an address that the provider has verified, and that is of a listed domain.

    Who is not there is made by the invitations to this address, else as the provider's newcomers are.
    """
    email = _verified_email(provider, claims)
    tx.members.hold()
    known = tx.members.by_email(email)
    if known is not None:
        if not known.email_confirmed:
            # Else whoever types another's address would share an account with them, or give theirs away by a slip.
            raise failed("Only a person has named this address so far; who has the account connects it under Profile.")
        return known
    invited = [one for one in tx.members.spend_invitations_to(email, now=opening.now) if tx.apps.by_id(one.app_id)]
    newcomer = provider.create if provider.app_id is not None and tx.apps.by_id(provider.app_id) else None
    if not invited and newcomer is None:
        raise failed("There is no member with this e-mail address; ask for an invitation.")
    name = claims.get("name")
    shown = name.strip()[:100] if isinstance(name, str) and name.isprintable() and name.strip() else email
    member = new_member(tx, opening, public_id=public_id, name=shown, email=email, phc=None, email_confirmed=True)
    for invitation in invited:
        let_in(tx, invitation, member, by=actor_of(member, opening.visit.address), now=opening.now)
    if not invited and newcomer is not None and provider.app_id is not None:
        tx.members.set_role(member.id, provider.app_id, newcomer, now=opening.now)
    return member


def _verified_email(provider: OidcProvider, claims: Mapping[str, Any]) -> str:
    email = claims.get("email")
    if not isinstance(email, str) or not 3 <= len(email) <= 254 or not email.isprintable():
        raise failed("The provider tells no e-mail address; let it give the scope `email`.")
    if claims.get("email_verified") is not True:
        raise failed("The provider has not verified the e-mail address.")
    if email_key(email).rpartition("@")[2] not in provider.domains:
        raise failed("The e-mail address is not of a domain that this provider signs in for.")
    return email


def check_asked_anew(claims: Mapping[str, Any], began: float) -> None:
    """Raise OIDC_FAILED where the provider says that it asked before this round began.

    `auth_time` has to be there after `max_age` (OpenID Connect Core §2); of who leaves it out the token's own time
    is taken, which says that the provider still knows the person.
    """
    asked = claims.get("auth_time", claims["iat"])
    if not is_moment(asked) or asked + LEEWAY < began:
        raise failed("The provider did not ask again who you are.")
