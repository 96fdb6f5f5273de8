"""The people of the dashboard, what they are in Apps, and their sessions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tidings.domain.permission import Role


@dataclass(frozen=True, slots=True)
class Member:
    """A person who signs in. `password` is a PHC string, None where they sign in by other ways only."""

    id: int
    public_id: str
    name: str
    email: str
    password: str | None = field(repr=False)
    super_admin: bool
    totp: bool
    created_at: datetime
    last_seen_at: datetime | None
    disabled_at: datetime | None
    email_confirmed: bool = True
    """False once the member has chosen the address alone: nobody has shown yet that it is theirs."""


def email_key(email: str) -> str:
    """Give what two ways to write the same address have in common.

    Letters beyond ASCII stay as they are: folded, the Kelvin sign would be a k, and another's address somebody else's.
    """
    return "".join(one.lower() if one.isascii() else one for one in email.strip())


@dataclass(frozen=True, slots=True)
class Membership:
    """What a member is in one App."""

    member: Member
    app_id: int
    role: Role


class Stage(StrEnum):
    """How far a session is: open, or waiting for the second factor and good for nothing else."""

    OPEN = "open"
    SECOND_FACTOR = "second_factor"


@dataclass(frozen=True, slots=True)
class Session:
    """A browser of a member. It ends at `expires_at`, or when it was not seen for the idle time."""

    id: int
    public_id: str
    member_id: int
    stage: Stage
    device: str
    address: str | None
    created_at: datetime
    seen_at: datetime
    authenticated_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session with whose it is and what they are in Apps: all that a request needs to know."""

    session: Session
    member: Member
    roles: dict[int, Role]
    passkeys: int = 0
    recovery_codes: int = 0
    providers: tuple[str, ...] = ()
    """Ids of the providers that vouch for the member."""
    vouched_for: bool = False
    """Whether a provider ever did, removed since or not."""

    @property
    def can_confirm(self) -> bool:
        """Whether the member ever had anything to show again who they are; the demo's owner has not.

        Whose provider was removed has nothing left, and is not trusted for that: a new password lets them in again.
        """
        return self.member.password is not None or self.member.totp or self.passkeys > 0 or self.vouched_for


@dataclass(frozen=True, slots=True)
class Invitation:
    """An offer to join an App; its link carries the token whose hash alone is kept."""

    id: int
    public_id: str
    app_id: int
    email: str
    role: Role
    invited_by: str
    inviter_id: str | None
    """Public id of the member or key that invited; None for the operator of the machine."""
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Passkey:
    """A WebAuthn credential. `public_key` is COSE; `sign_count` the highest counter seen."""

    id: int
    public_id: str
    member_id: int
    name: str
    credential_id: bytes
    public_key: bytes = field(repr=False)
    sign_count: int
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class OidcProvider:
    """An OpenID provider that members may sign in with.

    `create` is the role in App `app_id` that strangers of the listed domains get; None lets in known members only.
    """

    id: str
    name: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    domains: tuple[str, ...]
    create: Role | None
    app_id: int | None
    created_at: datetime
