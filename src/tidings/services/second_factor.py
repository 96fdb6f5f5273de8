"""The second factor: an authenticator app's codes (RFC 6238), and recovery codes for when it is lost."""

from __future__ import annotations

import hmac
import io
import re
from dataclasses import dataclass, field

import pyotp
import segno

from tidings.domain.audit import Action, Actor, nobody
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.member import Member, SignedIn, Stage
from tidings.lib.clock import Clock
from tidings.lib.ids import ALPHABET, Ids
from tidings.services.sessions import Opened, Sessions, Visit, actor_of, subject_of
from tidings.services.throttle import Throttle
from tidings.storage import Store, Transaction

RECOVERY_CODES = 10
STEP = 30
"""Seconds that a code holds; the one before and the one after are taken too, for clocks that are off."""

ISSUER = "Tidings"
_SET_UP = "An app is set up already; remove it first."
_NO_FIRST = "Set a password first: the code is asked for after it."
_CODE = re.compile(r"[0-9]{6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Seed:
    """What an authenticator app takes: the secret in base32, the same as a URI, and that as a QR code in SVG."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)
    qr: str = field(repr=False)


class SecondFactor:
    """Sets codes up, takes them away, and checks them. Each is good once."""

    def __init__(self, *, store: Store, clock: Clock, ids: Ids, sessions: Sessions, throttle: Throttle) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._sessions = sessions
        self._throttle = throttle

    async def begin(self, me: SignedIn) -> Seed:
        """Make a seed, which is in force once a first code has been shown. Raises ACCOUNT_CONFLICT if one is."""
        secret = pyotp.random_base32()

        def begin(tx: Transaction) -> None:
            there = tx.members.by_id(me.member.id)
            if there is None or there.totp:
                raise CatalogueError(ErrorCode.ACCOUNT_CONFLICT, _SET_UP)
            if there.password is None and not tx.oidc.of_member(there.id):
                # Nothing would be there to come before the code: whoever signs out could never come back.
                raise CatalogueError(ErrorCode.ACCOUNT_CONFLICT, _NO_FIRST)
            tx.factors.set_totp(me.member, secret, now=None)

        await self._store.write(begin)
        uri = pyotp.TOTP(secret).provisioning_uri(name=me.member.email, issuer_name=ISSUER)
        code = segno.make(uri, error="m", micro=False)
        # With its namespace: a browser draws an SVG that it loads as an image only if that is there.
        svg = io.BytesIO()
        code.save(svg, kind="svg", xmldecl=False, nl=False, scale=5, border=2, dark="#000", light="#fff")
        return Seed(secret, uri, svg.getvalue().decode())

    async def complete(self, me: SignedIn, code: str, *, by: Actor) -> list[str]:
        """Put the seed in force by a first code; gives the recovery codes. Raises FACTOR_INVALID, LOCKED_OUT."""
        attempt = await self._throttle.code(me.member)
        codes, now = self._new_codes(), self._clock.now()

        def complete(tx: Transaction) -> bool:
            member = tx.members.by_id(me.member.id)
            if member is None or member.totp or not self._takes(tx, member, code):
                return False
            attempt.forgive(tx)
            tx.factors.begin_totp(member.id, now=now)
            tx.factors.set_recovery_codes(member.id, self._hashes(member, codes))
            tx.sessions.end_all(member.id, but=me.session.id)
            tx.sessions.authenticate(me.session.id, now=now)
            tx.audit.add(by, Action.TOTP_ADDED, app_id=None, subject=subject_of(member), now=now)
            return True

        if not await self._store.write(complete):
            raise CatalogueError(ErrorCode.FACTOR_INVALID)
        return codes

    async def remove(self, me: SignedIn, *, by: Actor) -> None:
        """Take the app and its recovery codes away."""
        now = self._clock.now()

        def remove(tx: Transaction) -> None:
            tx.factors.remove_totp(me.member.id)
            tx.factors.set_recovery_codes(me.member.id, ())
            if me.member.totp:
                tx.audit.add(by, Action.TOTP_REMOVED, app_id=None, subject=subject_of(me.member), now=now)

        await self._store.write(remove)

    async def new_recovery_codes(self, me: SignedIn, *, by: Actor) -> list[str]:
        """Make new recovery codes in place of those before. Raises ACCOUNT_CONFLICT without a second factor."""
        if not me.member.totp:
            raise CatalogueError(ErrorCode.ACCOUNT_CONFLICT, "Set an authenticator app up first.")
        codes, now = self._new_codes(), self._clock.now()

        def store(tx: Transaction) -> None:
            tx.factors.set_recovery_codes(me.member.id, self._hashes(me.member, codes))
            tx.audit.add(by, Action.RECOVERY_CODES_MADE, app_id=None, subject=subject_of(me.member), now=now)

        await self._store.write(store)
        return codes

    async def finish(
        self, half: SignedIn, *, code: str | None, recovery_code: str | None, visit: Visit, token: str
    ) -> Opened:
        """Turn half a session into a whole one, under a new token.

        Raises SECOND_FACTOR_WRONG, LOCKED_OUT, and ACCOUNT_CONFLICT for one that is whole already.
        """
        if half.session.stage is not Stage.SECOND_FACTOR:
            raise CatalogueError(ErrorCode.ACCOUNT_CONFLICT, "This session needs no second factor.")
        attempt = await self._throttle.code(half.member)
        opening = self._sessions.opening(visit, replaces=token)

        def finish(tx: Transaction) -> Opened | None:
            member = tx.members.by_id(half.member.id)
            if member is None or not member.totp or member.disabled_at is not None:
                return None
            way = self._way(tx, member, code=code, recovery_code=recovery_code)
            if way is None:
                by = nobody(visit.address)
                tx.audit.add(
                    by, Action.SIGN_IN_REFUSED, app_id=None, subject=subject_of(member),
                    detail={"way": "second_factor"}, now=opening.now,
                )  # fmt: skip
                return None
            attempt.forgive(tx)
            if way == "recovery_code":
                actor = actor_of(member, visit.address)
                subject = subject_of(member)
                tx.audit.add(actor, Action.RECOVERY_CODE_USED, app_id=None, subject=subject, now=opening.now)
            return opening.sign_in(tx, member, way=f"password+{way}")

        opened = await self._store.write(finish)
        if opened is None:
            raise CatalogueError(ErrorCode.SECOND_FACTOR_WRONG)
        return opened

    async def confirm(self, me: SignedIn, code: str) -> None:
        """Confirm who somebody is by a code. Raises CONFIRMATION_WRONG and LOCKED_OUT."""
        attempt = await self._throttle.code(me.member)

        def confirm(tx: Transaction) -> bool:
            member = tx.members.by_id(me.member.id)
            if member is None or not member.totp or not self._takes(tx, member, code):
                return False
            attempt.forgive(tx)
            return True

        if not await self._store.write(confirm):
            raise CatalogueError(ErrorCode.CONFIRMATION_WRONG, "The code was not accepted.")
        await self._sessions.confirm(me)

    def _way(self, tx: Transaction, member: Member, *, code: str | None, recovery_code: str | None) -> str | None:
        if code is not None:
            return "totp" if self._takes(tx, member, code) else None
        (spent,) = self._hashes(member, [recovery_code or ""])
        return "recovery_code" if tx.factors.spend_recovery_code(member.id, spent) else None

    def _takes(self, tx: Transaction, member: Member, code: str) -> bool:
        seed = tx.factors.totp(member)
        step = _step_of(seed, code, now=self._clock.now().timestamp()) if seed else None
        return step is not None and tx.factors.spend_totp(member.id, step)

    def _new_codes(self) -> list[str]:
        return [_readable(int(self._ids.secret(), 16)) for _ in range(RECOVERY_CODES)]

    def _hashes(self, member: Member, codes: list[str]) -> list[bytes]:
        # Keyed: fifty bits could be tried through by whoever has the database, and not the key ring.
        context = f"recovery_codes|{member.public_id}"
        plain = (re.sub(r"[\s-]", "", code).lower().encode() for code in codes)
        return [self._store.sealer.blind_index(one, context=context) for one in plain]


def _step_of(seed: str, code: str, *, now: float) -> int | None:
    """Give the time step whose code this is, of the present one and its neighbours; the present one first."""
    typed = re.sub(r"\s", "", code)
    if not _CODE.fullmatch(typed):
        return None
    present = int(now) // STEP
    totp = pyotp.TOTP(seed, interval=STEP)
    steps = (present, present - 1, present + 1)
    return next((step for step in steps if hmac.compare_digest(totp.generate_otp(step), typed)), None)


def _readable(number: int) -> str:
    letters = "".join(ALPHABET[number >> shift & 31] for shift in range(0, 50, 5))
    return f"{letters[:5]}-{letters[5:]}"
