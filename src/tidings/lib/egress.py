"""Which URLs and addresses may be called when somebody else chose them (server-side request forgery)."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

MAX_URL = 2048
"""Longest URL taken, in characters."""

RESOLVE_SECONDS = 2.0
"""How long a name may take to resolve before there is no verdict."""

_PARTS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^#]*)(#.*)?", re.ASCII)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+", re.ASCII)
_PORT = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_DEFAULT_PORTS = {"https": 443, "http": 80}
# Names that never lead to the public internet: RFC 6761, RFC 6762, RFC 8375 and ICANN's `.internal`.
_PRIVATE_NAMES = (".localhost", ".local", ".internal", ".home.arpa")

# Every block of IANA's special-purpose registry (RFC 6890), and multicast. `is_global` of the standard library follows
# an older state of it, and what the registry calls global all the same (relays, AS112, AMT) is nobody's server.
_REFUSED_V4 = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
# IANA hands out global unicast from 2000::/3 alone: mapped, translated and all kinds of local fall away.
_GLOBAL_V6 = ip_network("2000::/3")
# IETF protocol assignments (with Teredo 2001::/32 and ORCHID), documentation twice, 6to4, AS112.
_REFUSED_V6 = tuple(map(ip_network, ("2001::/23", "2001:db8::/32", "3fff::/20", "2002::/16", "2620:4f:8000::/48")))
_ISATAP = (0x00005EFE, 0x02005EFE)
"""Upper half of an interface identifier that has an IPv4 address in its lower half (RFC 5214 §6.1)."""


class UrlFault(StrEnum):
    """Why a URL may not be called."""

    INVALID = "invalid"
    TOO_LONG = "too_long"
    INSECURE = "insecure"
    USERINFO = "userinfo"
    IP_LITERAL = "ip_literal"
    PORT = "port"
    HOST = "host"


class ForbiddenUrl(Exception):
    """A URL that may not be called; `detail` says what is wrong with it and holds nothing of its path."""

    def __init__(self, fault: UrlFault, detail: str) -> None:
        super().__init__(detail)
        self.fault = fault
        self.detail = detail


@dataclass(frozen=True, slots=True)
class HostPolicy:
    """Which hosts may be called: exact names, and suffixes with their leading dot, all in lower case.

    `any_public` takes every public name, `any_port` other ports than 443. `allow_insecure`, for development, adds http,
    loopback and any port.
    """

    hosts: frozenset[str]
    suffixes: tuple[str, ...]
    any_public: bool = False
    any_port: bool = False
    allow_insecure: bool = False

    def __post_init__(self) -> None:
        """Refuse entries that would match on something else than the boundary of a label."""
        for suffix in self.suffixes:
            if not suffix.startswith(".") or not _is_name(suffix[1:]):
                raise ValueError(f"{suffix!r} is no host suffix; write it as `.example.com`")
        for host in self.hosts:
            if not _is_name(host):
                raise ValueError(f"{host!r} is no host name; write it as `push.example.com`")

    def allows(self, host: str) -> bool:
        """Tell whether a host name in lower case is one of ours (suffixes do not match themselves)."""
        if host in self.hosts or any(host.endswith(suffix) for suffix in self.suffixes):
            return True
        return self.any_public and "." in host and not host.endswith(_PRIVATE_NAMES)


@dataclass(frozen=True, slots=True)
class CheckedUrl:
    """What a URL leads to: host in lower case without brackets, origin without the scheme's own port."""

    scheme: str
    host: str
    port: int
    origin: str


def checked_url(url: str, *, policy: HostPolicy) -> CheckedUrl:
    """Check a URL that somebody else chose, to be stored and sent byte for byte; raise ForbiddenUrl.

    Stricter than any parser, so that no two parsers can read it differently: printable ASCII without
    backslashes, https, no user, no fragment, no port but 443, and a DNS name that the policy has.
    """
    if len(url) > MAX_URL:
        raise ForbiddenUrl(UrlFault.TOO_LONG, f"The URL has {len(url)} characters; {MAX_URL} is the most.")
    if any(not "!" <= character <= "~" or character == "\\" for character in url):
        raise ForbiddenUrl(
            UrlFault.INVALID,
            "The URL has a character that a URL cannot have, such as a space or a backslash.",
        )
    parts = _PARTS.fullmatch(url)
    if parts is None:
        raise ForbiddenUrl(UrlFault.INVALID, "The URL does not begin with `https://` and a host.")
    scheme, authority = parts[1].lower(), parts[2]
    if scheme != "https" and not (scheme == "http" and policy.allow_insecure):
        raise ForbiddenUrl(UrlFault.INSECURE, "The URL must begin with `https://`.")
    if "@" in authority:
        raise ForbiddenUrl(UrlFault.USERINFO, "The URL has a user name or password before its host.")
    if parts[4] is not None:
        raise ForbiddenUrl(UrlFault.INVALID, "The URL has a fragment (`#...`), which is never sent.")
    host, port_text = _host_and_port(authority)
    name = _checked_host(host, policy=policy)
    port = _checked_port(port_text, scheme=scheme, any_port=policy.any_port or policy.allow_insecure)
    shown = f"[{name}]" if ":" in name else name
    origin = f"{scheme}://{shown}" if port == _DEFAULT_PORTS[scheme] else f"{scheme}://{shown}:{port}"
    return CheckedUrl(scheme=scheme, host=name, port=port, origin=origin)


class AddressGuard:
    """Says which IP addresses may be connected to: the public internet, and loopback only when allowed."""

    def __init__(self, *, allow_loopback: bool = False) -> None:
        self._allow_loopback = allow_loopback

    def allows(self, address: str) -> bool:
        """Tell whether an address, as text, is globally routable and hides no other address.

        Refuses private, shared, link-local, multicast, reserved and documentation ranges; IPv4 inside IPv6
        (mapped, compatible, NAT64, 6to4, Teredo, ISATAP), as nobody can judge from here where that ends; zone ids;
        and whatever is not an address.
        """
        if "%" in address:
            return False
        try:
            ip = ip_address(address)
        except ValueError:
            return False
        if _is_loopback(ip):
            return self._allow_loopback
        return _is_public(ip)


async def getaddrinfo(host: str) -> Sequence[str]:
    """Resolve a name with the system's resolver; raise OSError when it gives no address."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]


async def resolves_publicly(
    host: str, *, guard: AddressGuard, resolve: Callable[[str], Awaitable[Sequence[str]]] = getaddrinfo
) -> bool | None:
    """Tell whether all addresses of a name may be called; None, no verdict, if it does not resolve now.

    It helps people early and protects nobody: when the name is used it can resolve to something else, so the
    guard is asked again for every connection.
    """
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            addresses = await resolve(host)
    except (
        OSError,
        UnicodeError,
    ):  # TimeoutError is an OSError; UnicodeError: a label that IDNA cannot encode
        return None
    if not addresses:
        return None
    return all(guard.allows(address) for address in addresses)


def _is_loopback(ip: IPv4Address | IPv6Address) -> bool:
    # Not `is_loopback`: newer versions of Python count ::ffff:127.0.0.1 in.
    return any(ip in network for network in _LOOPBACK)


def _is_public(ip: IPv4Address | IPv6Address) -> bool:
    if not ip.is_global or ip.is_multicast:
        return False
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in _REFUSED_V4)
    if (int(ip) >> 32) & 0xFFFF_FFFF in _ISATAP:
        return False
    return ip in _GLOBAL_V6 and not any(ip in network for network in _REFUSED_V6)


def _host_and_port(authority: str) -> tuple[str, str | None]:
    if authority.startswith("["):
        host, bracket, rest = authority.partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ForbiddenUrl(UrlFault.INVALID, "The URL's host has a bracket that is not closed or not at its end.")
        return host + bracket, rest[1:] if rest else None
    host, colon, port = authority.partition(":")
    return host, port if colon else None


def _checked_host(host: str, *, policy: HostPolicy) -> str:
    name = host.lower()
    if policy.allow_insecure and (loopback := _loopback(name)):
        return loopback
    if name.startswith("[") or _NUMBER.fullmatch(name.rstrip(".").rpartition(".")[2]):
        # WHATWG URL §3.5: a host whose last label is a number is an IPv4 address, in whatever notation.
        raise ForbiddenUrl(UrlFault.IP_LITERAL, "The URL's host is an IP address; a host name is needed.")
    if not _is_name(name):
        raise ForbiddenUrl(UrlFault.INVALID, "The URL's host is not a DNS name.")
    if not policy.allows(name):
        raise ForbiddenUrl(UrlFault.HOST, f"`{name}` is not one of the hosts that may be called.")
    return name


def _loopback(name: str) -> str | None:
    if name == "localhost" or (name.endswith(".localhost") and _is_name(name)):
        return name
    bare = name[1:-1] if name.startswith("[") else name
    if "%" in bare:
        return None
    try:
        ip = ip_address(bare)
    except ValueError:
        return None
    bracketed = bare != name
    return bare if _is_loopback(ip) and bracketed == (ip.version == 6) else None


def _checked_port(text: str | None, *, scheme: str, any_port: bool) -> int:
    if text is None:
        return _DEFAULT_PORTS[scheme]
    if text == "443" and scheme == "https":
        return 443
    if any_port and _PORT.fullmatch(text) and int(text) <= 65535:
        return int(text)
    raise ForbiddenUrl(UrlFault.PORT, "The URL names a port other than 443.")


def _is_name(name: str) -> bool:
    return len(name) <= 253 and all(_LABEL.fullmatch(label) for label in name.split("."))
