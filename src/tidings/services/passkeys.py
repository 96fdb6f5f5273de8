"""Passkeys (WebAuthn): they stand for both factors, so the person must be verified by the device each time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestationConveyancePreference,
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from tidings.domain.audit import Action, Actor, Subject, nobody
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.member import Member, Passkey, SignedIn
from tidings.lib.clock import Clock
from tidings.lib.ids import Ids
from tidings.services.sessions import Opened, Sessions, Visit
from tidings.storage import Store, Transaction

PATIENCE = timedelta(minutes=5)
"""How long a browser has to answer."""

MOST = 20
"""Passkeys of one member."""

_REGISTER = "passkey-register"
_SIGN_IN = "passkey-sign-in"
_UV = UserVerificationRequirement.REQUIRED


class Passkeys:
    """Registers passkeys, and signs in by them. The public address says for which site they are."""

    def __init__(self, *, store: Store, clock: Clock, ids: Ids, sessions: Sessions, base_url: str) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._sessions = sessions
        parts = urlsplit(base_url)
        origin = f"{parts.scheme}://{parts.netloc}"
        self._server = Fido2Server(
            PublicKeyCredentialRpEntity(id=parts.hostname or "", name="Tidings"),
            attestation=AttestationConveyancePreference.NONE,
            verify_origin=lambda asked: asked == origin,
        )

    async def ask_registration(self, me: SignedIn) -> tuple[str, dict[str, Any]]:
        """Give an id and the options for `navigator.credentials.create`. Raises ACCOUNT_CONFLICT for too many."""
        known = await self.of_member(me.member)
        if len(known) >= MOST:
            raise _too_many()
        options, state = self._server.register_begin(
            PublicKeyCredentialUserEntity(
                id=me.member.public_id.encode(), name=me.member.email, display_name=me.member.name
            ),
            credentials=[AttestedCredentialData(one.public_key) for one in known],
            resident_key_requirement=ResidentKeyRequirement.REQUIRED,
            user_verification=_UV,
        )
        public_id = await self._ask(_REGISTER, state, member_id=me.member.id)
        return public_id, dict(options)["publicKey"]

    async def register(
        self, me: SignedIn, public_id: str, credential: Mapping[str, Any], *, name: str, by: Actor
    ) -> Passkey:
        """Store a passkey that a browser made. Raises FACTOR_INVALID and ACCOUNT_CONFLICT."""
        state = await self._answered(public_id, _REGISTER, member_id=me.member.id, refused=ErrorCode.FACTOR_INVALID)
        try:
            made = self._server.register_complete(state, credential).credential_data
        except Exception as fault:  # a credential is whatever a stranger's browser sends
            raise _refused(fault, ErrorCode.FACTOR_INVALID) from fault
        assert made is not None
        now, passkey_id, count = self._clock.now(), self._ids.new("pky"), 0

        def add(tx: Transaction) -> Passkey:
            # Counted again: what was asked for may be answered many times over at once.
            tx.members.hold()
            if tx.factors.passkey_count(me.member.id) >= MOST:
                raise _too_many()
            if tx.factors.passkey(made.credential_id) is not None:
                raise CatalogueError(ErrorCode.ACCOUNT_CONFLICT, "This passkey is registered already.")
            added = tx.factors.add_passkey(
                me.member.id,
                public_id=passkey_id,
                name=name,
                credential_id=made.credential_id,
                public_key=bytes(made),
                count=count,
                now=now,
            )
            tx.audit.add(by, Action.PASSKEY_ADDED, app_id=None, subject=_subject(added), now=now)
            return added

        return await self._store.write(add)

    async def of_member(self, member: Member) -> list[Passkey]:
        """List a member's passkeys, oldest first."""
        return await self._store.read(lambda tx: tx.factors.passkeys(member.id))

    async def rename(self, me: SignedIn, public_id: str, name: str, *, by: Actor) -> Passkey:
        """Give a passkey another name. Raises NOT_FOUND."""
        now = self._clock.now()

        def rename(tx: Transaction) -> Passkey:
            renamed = _there(tx.factors.rename_passkey(me.member.id, public_id, name), public_id)
            tx.audit.add(by, Action.PASSKEY_RENAMED, app_id=None, subject=_subject(renamed), now=now)
            return renamed

        return await self._store.write(rename)

    async def remove(self, me: SignedIn, public_id: str, *, by: Actor) -> None:
        """Forget a passkey. Raises NOT_FOUND."""
        now = self._clock.now()

        def remove(tx: Transaction) -> None:
            gone = _there(tx.factors.remove_passkey(me.member.id, public_id), public_id)
            tx.audit.add(by, Action.PASSKEY_REMOVED, app_id=None, subject=_subject(gone), now=now)

        await self._store.write(remove)

    async def ask_sign_in(self) -> tuple[str, dict[str, Any]]:
        """Give an id and the options for `navigator.credentials.get`; the device says which passkeys it has."""
        options, state = self._server.authenticate_begin(user_verification=_UV)
        return await self._ask(_SIGN_IN, state, member_id=None), dict(options)["publicKey"]

    async def sign_in(
        self, public_id: str, credential: Mapping[str, Any], *, visit: Visit, replaces: str | None
    ) -> Opened:
        """Sign in by a passkey, which stands for both factors. Raises PASSKEY_REFUSED."""
        passkey, count = await self._verified(public_id, credential, visit=visit, refused=ErrorCode.PASSKEY_REFUSED)
        opening = self._sessions.opening(visit, replaces=replaces)

        def enter(tx: Transaction) -> Opened | None:
            member = tx.members.by_id(passkey.member_id)
            if member is None or member.disabled_at is not None:
                return None
            if not tx.factors.use_passkey(passkey.id, count=count, now=opening.now):
                return None
            return opening.sign_in(tx, member, way="passkey")

        opened = await self._store.write(enter)
        if opened is None:
            await self._note_refusal(visit)
            raise CatalogueError(ErrorCode.PASSKEY_REFUSED)
        return opened

    async def confirm(self, me: SignedIn, public_id: str, credential: Mapping[str, Any], *, visit: Visit) -> None:
        """Confirm who somebody is by a passkey of theirs. Raises CONFIRMATION_WRONG."""
        passkey, count = await self._verified(public_id, credential, visit=visit, refused=ErrorCode.CONFIRMATION_WRONG)
        now = self._clock.now()
        if passkey.member_id != me.member.id or not await self._store.write(
            lambda tx: tx.factors.use_passkey(passkey.id, count=count, now=now)
        ):
            raise CatalogueError(ErrorCode.CONFIRMATION_WRONG, "The passkey was not accepted.")
        await self._sessions.confirm(me)

    async def _verified(
        self, public_id: str, credential: Mapping[str, Any], *, visit: Visit, refused: ErrorCode
    ) -> tuple[Passkey, int]:
        state = await self._answered(public_id, _SIGN_IN, member_id=None, refused=refused)
        try:
            answer = AuthenticationResponse.from_dict(credential)
            found = await self._store.read(lambda tx: tx.factors.passkey(answer.raw_id))
            if found is None:
                raise ValueError("this passkey is not known here")
            passkey, member = found
            handle = answer.response.user_handle
            if handle is not None and handle != member.public_id.encode():
                raise ValueError("the passkey belongs to somebody else")
            self._server.authenticate_complete(state, [AttestedCredentialData(passkey.public_key)], answer)
        except Exception as fault:  # a credential is whatever a stranger's browser sends
            await self._note_refusal(visit)
            raise _refused(fault, refused) from fault
        return passkey, answer.response.authenticator_data.counter

    async def _ask(self, kind: str, state: Mapping[str, Any], *, member_id: int | None) -> str:
        public_id, expires_at = self._ids.secret(), self._clock.now() + PATIENCE
        plain = {name: str(value) for name, value in state.items() if value is not None}
        await self._store.write(
            lambda tx: tx.factors.ask(public_id, kind, plain, member_id=member_id, expires_at=expires_at)
        )
        return public_id

    async def _answered(
        self, public_id: str, kind: str, *, member_id: int | None, refused: ErrorCode
    ) -> dict[str, Any]:
        now = self._clock.now()
        state = await self._store.write(lambda tx: tx.factors.answered(public_id, kind, member_id=member_id, now=now))
        if state is None:
            raise CatalogueError(refused, "This was asked too long ago, or answered already.")
        return state

    async def _note_refusal(self, visit: Visit) -> None:
        now, by = self._clock.now(), nobody(visit.address)
        detail = {"way": "passkey"}
        await self._store.write(
            lambda tx: tx.audit.add(
                by, Action.SIGN_IN_REFUSED, app_id=None, subject=Subject("member"), detail=detail, now=now
            )
        )


def _too_many() -> CatalogueError:
    return CatalogueError(ErrorCode.ACCOUNT_CONFLICT, f"You have {MOST} passkeys already; remove one first.")


def _refused(fault: Exception, code: ErrorCode) -> CatalogueError:
    if isinstance(fault, CatalogueError):
        return fault
    why = str(fault) if isinstance(fault, ValueError) else "it is malformed"
    return CatalogueError(code, f"The passkey was not accepted: {why[:120]}")


def _there(found: Passkey | None, public_id: str) -> Passkey:
    if found is None:
        raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no passkey {public_id[:64]!r}.")
    return found


def _subject(passkey: Passkey) -> Subject:
    return Subject("passkey", passkey.public_id, passkey.name)
