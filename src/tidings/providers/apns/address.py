"""What an app registers: its device token with what it is for and where it lives, kept in an Address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.subscription import Address
from tidings.lib.crypto import Malformed, bytes_from_base64
from tidings.providers.apns.settings import Environment, Kind, environment_from

_TOKEN = re.compile(r"(?:[0-9a-f]{2}){32,100}")
"""Apple says that the length changes and is not to be relied on."""
_MAGIC = re.compile(r"[\x21-\x7e]{1,128}")


class Place(NamedTuple):
    """What `Address.keys` says: which environment, what the token is for, and what goes with it.

    `extra` is the PushMagic of a managed device, or `stored` for a channel that keeps its last message.
    """

    environment: Environment
    kind: Kind
    extra: str = ""

    @property
    def keys(self) -> bytes:
        """Give the form that is stored."""
        return " ".join(part for part in (self.environment, self.kind, self.extra) if part).encode("ascii")


@lru_cache(maxsize=1024)
def place_from(keys: bytes) -> Place:
    """Read what `Place.keys` gave."""
    environment, kind, *extra = keys.decode("ascii").split(" ")
    return Place(Environment(environment), Kind(kind), extra[0] if extra else "")


def address_from(registration: Mapping[str, object]) -> tuple[Address, Environment]:
    """Take `token` (hex) with its `environment` and `kind`.

    Without an environment it is production, without a kind the app itself. A managed device (`mdm`) also has its
    `push_magic`. Raises DEVICE_TOKEN_INVALID or INVALID_REQUEST.
    """
    given = registration.get("environment")
    environment = Environment.PRODUCTION if given is None else environment_from(given)
    kind = _kind(registration.get("kind"))
    magic = registration.get("push_magic", "")
    if kind is not Kind.MDM:
        magic = ""
    elif not isinstance(magic, str) or not _MAGIC.fullmatch(magic):
        raise _invalid("push_magic", "A managed device sends its PushMagic with its token; give it too.")
    return Address(_token(registration.get("token")), Place(environment, kind, str(magic)).keys), environment


def _kind(value: object) -> Kind:
    if value is None:
        return Kind.APP
    if not isinstance(value, str) or value not in list(Kind) or value == Kind.CHANNEL:
        names = ", ".join(kind for kind in Kind if kind is not Kind.CHANNEL)
        raise _invalid("kind", f"It is one of {names}.")
    return Kind(value)


def _token(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise _invalid("token", "There is no device token.")
    token = "".join(value.split()).strip("<>").lower()
    if _TOKEN.fullmatch(token):
        return token
    try:
        size = len(bytes_from_base64(value))
    except Malformed:
        size = 0
    if 32 <= size <= 100:
        why = 'It is base64; send the bytes as hex: `deviceToken.map { String(format: "%02x", $0) }.joined()`.'
    elif ":" in value:
        why = "It is a token of Firebase, not of Apple; register it for FCM."
    else:
        why = "A device token is at least 64 hexadecimal digits, two for each byte."
    raise _invalid("token", why)


def _invalid(field: str, why: str) -> CatalogueError:
    return CatalogueError(ErrorCode.DEVICE_TOKEN_INVALID, why, faults=(FieldFault(field, why),))
