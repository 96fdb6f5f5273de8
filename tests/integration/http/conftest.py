from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from functools import partial

import pytest
import trustme

from support.wire import HOSTS, NewClient, Server
from tidings.lib.egress import AddressGuard
from tidings.lib.http import Client


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture
def start(authority: trustme.CA) -> Iterator[Callable[..., Server]]:
    """Start servers; they stop when the test ends."""
    servers: list[Server] = []

    def start(*, tls: bool = True, alpn: tuple[str, ...] = ("h2", "http/1.1")) -> Server:
        context = None
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert(*HOSTS).configure_cert(context)
        servers.append(Server(tls=context, alpn=alpn))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def server(start: Callable[..., Server]) -> Server:
    return start()


@pytest.fixture(params=[False, True], ids=["own", "libcurl"])
def new_client(request: pytest.FixtureRequest) -> NewClient:
    """Both ways of speaking HTTP/2 keep the same promises."""
    return partial(Client, by_curl=request.param)


@pytest.fixture
def client(server: Server, ca_file: str, new_client: NewClient) -> Iterator[Client]:
    """A client that verifies certificates and reaches the server under the names of its certificate."""
    mapped = {"push.example.com": server.place, "other.example.com": server.place}
    guard = AddressGuard(allow_loopback=True)
    with new_client(guard=guard, connect_to=mapped, ca_file=ca_file, total_timeout=10) as client:
        yield client
