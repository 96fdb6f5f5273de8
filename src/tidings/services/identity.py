"""Signed identities: how a site's server vouches for who is signed in, without talking to us.

The token is `<expiry>.<signature>`: the expiry in Unix seconds, and the HMAC-SHA256 in lower-case hex of
`<user id>\\n<expiry>` under the App's identity secret, whose shown characters are the key.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.storage import Transaction


def identity_token(secret: bytes, user_id: str, *, expires: int) -> str:
    """Sign a user id until `expires` (Unix seconds)."""
    signature = hmac.new(secret, f"{user_id}\n{expires}".encode(), hashlib.sha256).hexdigest()
    return f"{expires}.{signature}"


def check_identity(secret: bytes, user_id: str, token: str, *, now: datetime) -> None:
    """Raise IDENTITY_INVALID unless the token was signed for this user and has not expired."""
    expiry, _, signature = token.partition(".")
    if not (expiry.isascii() and expiry.isdigit() and len(expiry) <= 12 and signature.isascii()):
        raise CatalogueError(ErrorCode.IDENTITY_INVALID, "The token is not of the form `<expiry>.<signature>`.")
    expected = identity_token(secret, user_id, expires=int(expiry)).partition(".")[2]
    if not hmac.compare_digest(expected, signature):
        raise CatalogueError(ErrorCode.IDENTITY_INVALID, "The token was not signed for this user with this secret.")
    if int(expiry) <= now.timestamp():
        raise CatalogueError(ErrorCode.IDENTITY_INVALID, "The token has expired.")


def identity_required(tx: Transaction, app_id: int) -> bool:
    """Tell whether the App takes a user's id from a browser only when it is signed."""
    return tx.instance.value(_setting(app_id)) == b"1"


def require_identity(tx: Transaction, app_id: int, required: bool) -> None:
    """Set whether the App takes a user's id from a browser only when it is signed."""
    tx.instance.set_value(_setting(app_id), b"1" if required else b"0")


def _setting(app_id: int) -> str:
    return f"app:{app_id}:signed_identity"
