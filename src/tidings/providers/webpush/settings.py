"""The push services of the world: their hosts, what fits into their messages, and which contact they accept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.lib.egress import HostPolicy


class Family(StrEnum):
    """Who runs a push service: each answers in its own way."""

    GOOGLE = "google"
    MOZILLA = "mozilla"
    APPLE = "apple"
    MICROSOFT = "microsoft"
    UNKNOWN = "unknown"

    @property
    def label(self) -> str:
        """Its name for people, who call the unknown ones others."""
        return "other" if self is Family.UNKNOWN else self.value


PUSH_HOSTS = frozenset({"fcm.googleapis.com", "updates.push.services.mozilla.com"})
PUSH_SUFFIXES = (".push.services.mozilla.com", ".push.apple.com", ".notify.windows.com")
"""Where browsers subscribe unless the operator adds hosts, as UnifiedPush needs."""

_FAMILIES = {
    "fcm.googleapis.com": Family.GOOGLE,
    "jmt17.google.com": Family.GOOGLE,  # what Chromium without Google's own keys hands out
}
_FAMILY_SUFFIXES = {
    ".push.services.mozilla.com": Family.MOZILLA,
    ".push.apple.com": Family.APPLE,
    ".notify.windows.com": Family.MICROSOFT,
}

LARGEST = 3993
"""Bytes of plaintext with its padding: 4096 less the header of 86, the delimiter and the tag of 16 (RFC 8291 §4)."""
LARGEST_MOZILLA = 2700
"""Firefox for Android gets its pushes through FCM as base64 in JSON of at most 4096 bytes, and the endpoint does not
tell a phone from a desktop."""
BUCKETS = (256, 512, 1024, 2048)
"""Sizes that plaintexts are padded to, so that the length tells little; a longer one is not padded."""


@dataclass(frozen=True, slots=True)
class PushService:
    """What an endpoint's first part says: origin (the audience of tokens), host, family, largest plaintext in bytes."""

    origin: str
    host: str
    family: Family
    largest: int


def service_at(endpoint: str) -> PushService:
    """Say which push service an endpoint that was checked belongs to."""
    end = endpoint.find("/", 8)  # after `https://`, and one character into the host after `http://`
    return _service(endpoint if end < 0 else endpoint[:end])


@lru_cache(maxsize=1024)
def _service(start: str) -> PushService:
    parts = urlsplit(start)
    host = parts.hostname or ""
    standard = {"https": 443, "http": 80}.get(parts.scheme)
    port = "" if parts.port in (None, standard) else f":{parts.port}"
    name = f"[{host}]" if ":" in host else host
    family = _family(host)
    largest = LARGEST_MOZILLA if family is Family.MOZILLA else LARGEST
    return PushService(f"{parts.scheme}://{name}{port}", host, family, largest)


def _family(host: str) -> Family:
    if host in _FAMILIES:
        return _FAMILIES[host]
    return next((family for suffix, family in _FAMILY_SUFFIXES.items() if host.endswith(suffix)), Family.UNKNOWN)


@lru_cache(maxsize=1024)
def padded_size(size: int, *, largest: int) -> int:
    """Give the size in bytes that a plaintext of `size` bytes is padded to, never beyond `largest`."""
    return max(size, min(largest, next((bucket for bucket in BUCKETS if size <= bucket), size)))


def default_policy(
    *, extra_hosts: Sequence[str] = (), mapped_hosts: Sequence[str] = (), allow_insecure: bool = False
) -> HostPolicy:
    """Say which endpoints are taken: the known push services and what the operator adds.

    An extra host is `push.example.com`, `.example.com` for all below it, or `*` for any public host; a mapped host is
    one of TIDINGS_PUSH_HOST_MAP. ValueError if an entry is none of these.
    """
    hosts = PUSH_HOSTS.union(host.strip().lower() for host in mapped_hosts)
    suffixes: tuple[str, ...] = PUSH_SUFFIXES
    any_public = False
    for entry in extra_hosts:
        name = entry.strip().lower()
        if name == "*":
            any_public = True
        elif name.startswith((".", "*.")):
            suffixes += (name.removeprefix("*"),)
        else:
            hosts |= {name}
    return HostPolicy(hosts=hosts, suffixes=suffixes, any_public=any_public, allow_insecure=allow_insecure)


_MAILBOX = re.compile(r"[A-Za-z0-9._+'~-]{1,64}@([^@]+)", re.ASCII)
_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]", re.ASCII | re.IGNORECASE)
_PRIVATE_ENDINGS = frozenset({"localhost", "local", "invalid", "test", "example", "internal", "lan", "onion", "arpa"})
_LONGEST_CONTACT = 254


def contact_checked(text: str) -> str:
    """Give the contact (`sub` of RFC 8292 §2.1) as it may be sent, or raise CONTACT_INVALID.

    Apple answers 403 BadJwtToken to a contact with no public domain, with a space or with `mailto:` twice, while the
    other services say nothing: so its rule holds for all. A bare e-mail address gets its `mailto:`.
    """
    contact = text.strip()
    if "@" in contact and ":" not in contact:
        contact = f"mailto:{contact}"
    if not contact.isascii() or not contact.isprintable() or " " in contact:
        raise _refused("The contact has a space or a character outside ASCII.")
    if len(contact) > _LONGEST_CONTACT:
        raise _refused(f"The contact has more than {_LONGEST_CONTACT} characters.")
    scheme, _, rest = contact.partition(":")
    match scheme.lower():
        case "mailto":
            mailbox = _MAILBOX.fullmatch(rest)
            if mailbox is None:
                raise _refused("The contact is not `mailto:` with one e-mail address.")
            _check_public(mailbox[1])
        case "https":
            _check_public(_host_of(contact))
        case _:
            raise _refused("The contact begins with neither `mailto:` nor `https:`.")
    return f"{scheme.lower()}:{rest}"


def _host_of(url: str) -> str:
    try:
        parts = urlsplit(url)
        if parts.username is None and parts.port != 0:
            return parts.hostname or ""
    except ValueError:
        pass
    raise _refused("The contact is not an address of a site.")


def _check_public(domain: str) -> None:
    try:
        ip_address(domain)
    except ValueError:
        pass
    else:
        raise _refused(f"`{domain}` is an IP address, not a public domain.")
    if not _NAME.fullmatch(domain) or domain.rpartition(".")[2].lower() in _PRIVATE_ENDINGS:
        raise _refused(f"`{domain}` is not a public domain.")


def _refused(why: str) -> CatalogueError:
    return CatalogueError(
        ErrorCode.CONTACT_INVALID, f"{why} Give `mailto:you@your-domain` or the `https:` address of your site."
    )
