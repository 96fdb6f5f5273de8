"""Names this instance answers to: another leads here by mistake, or by DNS rebinding from a stranger's page."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from tidings.domain.content import is_local
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.lib.log import cut
from tidings.web.errors import problem_of

PROBES = frozenset({"/livez", "/readyz"})
"""What tells nothing: load balancers and Kubernetes ask for it by whatever name they have."""


class TrustHosts:
    """Middleware; `allowed` are names, or `.example.com` for all below. The framework's own answers in plain text."""

    def __init__(self, app: ASGIApp, *, base_url: str, allowed: Sequence[str], docs_url: str) -> None:
        self._app = app
        self._docs_url = docs_url
        names = [name.lower() for name in (urlsplit(base_url).hostname or "", *allowed)]
        self._names = frozenset(names)
        self._suffixes = tuple(name for name in names if name.startswith("."))
        self._trusts = lru_cache(maxsize=1024)(self._judge)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let requests for our own names through."""
        if scope["type"] != "http" or scope["path"] in PROBES:
            return await self._app(scope, receive, send)
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) == 1 and self._trusts(hosts[0]):
            return await self._app(scope, receive, send)
        said = f"`{cut(hosts[0])}` is not a name of this instance." if hosts else "The request names no host."
        fault = CatalogueError(ErrorCode.HOST_NOT_ALLOWED, said)
        return await problem_of(self._docs_url, fault)(scope, receive, send)

    def _judge(self, header: bytes) -> bool:
        host = host_in(header.decode("latin-1"))
        if host is None:
            return False
        return host in self._names or host.endswith(self._suffixes) or is_local(host) or _is_address(host)


def host_in(header: str) -> str | None:
    """Give the name in a Host header, in lower case and without its port; None if it is none (RFC 9110 §7.2)."""
    try:
        parts = urlsplit(f"//{header}")
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or parts.netloc != header or "@" in header:
        return None
    return host.removesuffix(".")


def _is_address(host: str) -> bool:
    # Rebinding needs a name. And nobody can know by which addresses a machine behind NAT is called.
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
