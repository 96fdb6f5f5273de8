"""Signed identities: how a site's server vouches for who is signed in, without talking to us.

The token is `<expiry>.<signature>`: the expiry in Unix seconds, and the HMAC-SHA256 in lower-case hex of
`<user id>\\n<expiry>` under the App's identity secret, whose shown characters are the key.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime, timedelta

from tidings.domain.app import App
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.storage import Transaction

LONGEST_LIFE = timedelta(days=31)
"""For how long a token may be good."""

_EXPIRY = re.compile(r"[1-9][0-9]{0,11}", re.ASCII)


def identity_token(secret: bytes, user_id: str, *, expires: int) -> str:
    """Sign a user id until `expires` (Unix seconds)."""
    signature = hmac.new(secret, f"{user_id}\n{expires}".encode(), hashlib.sha256).hexdigest()
    return f"{expires}.{signature}"


def check_identity(app: App, user_id: str, token: str, *, now: datetime) -> None:
    """Raise IDENTITY_INVALID unless the token was signed for this user of this App, and is in force.

    A token signed with the secret before the one in force passes while that holds. One that is good for longer than
    LONGEST_LIFE is refused: whoever copied it could be this person for as long.
    """
    expiry, _, signature = token.partition(".")
    if _EXPIRY.fullmatch(expiry) is None or not signature.isascii():
        raise CatalogueError(ErrorCode.IDENTITY_INVALID, "The token is not of the form `<expiry>.<signature>`.")
    expires = int(expiry)
    secrets = [app.identity_secret]
    if app.earlier_secret is not None and app.earlier_until is not None and now < app.earlier_until:
        secrets.append(app.earlier_secret)
    expected = [identity_token(secret, user_id, expires=expires).partition(".")[2] for secret in secrets]
    if not any([hmac.compare_digest(one, signature) for one in expected]):  # noqa: C419 - each is compared, always
        raise CatalogueError(ErrorCode.IDENTITY_INVALID, "The token was not signed for this user with this secret.")
    if expires <= now.timestamp():
        raise CatalogueError(ErrorCode.IDENTITY_INVALID, "The token has expired.")
    if expires > (now + LONGEST_LIFE).timestamp():
        raise CatalogueError(
            ErrorCode.IDENTITY_INVALID, f"The token is good for more than {LONGEST_LIFE.days} days; sign shorter ones."
        )


def identity_required(tx: Transaction, app_id: int) -> bool:
    """Tell whether the App takes a user's id from a browser only when it is signed."""
    return tx.instance.value(_setting(app_id)) == b"1"


def require_identity(tx: Transaction, app_id: int, required: bool) -> None:
    """Set whether the App takes a user's id from a browser only when it is signed."""
    tx.instance.set_value(_setting(app_id), b"1" if required else b"0")


def _setting(app_id: int) -> str:
    return f"app:{app_id}:signed_identity"
