from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from support.http2 import NewClient, Script, Scripted
from tidings.lib.egress import AddressGuard
from tidings.lib.http import Client


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def files(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ca.pem, chain.pem and key.pem."""
    folder = tmp_path_factory.mktemp("tls")
    leaf = authority.issue_cert("localhost", "push.example.com")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    leaf.private_key_pem.write_to_path(str(folder / "key.pem"))
    for number, certificate in enumerate(leaf.cert_chain_pems):
        certificate.write_to_path(str(folder / "chain.pem"), append=number > 0)
    return folder


@pytest.fixture
def new_client(files: Path) -> NewClient:
    def make(**given: object) -> Client:
        return Client(guard=AddressGuard(allow_loopback=True), ca_file=str(files / "ca.pem"), **given)  # type: ignore[arg-type]

    return make


@pytest.fixture
def run() -> Iterator[Callable[..., int]]:
    """Run a server of somebody else's until the test ends; give its port."""
    processes: list[subprocess.Popen[bytes]] = []

    def run(*command: str, port: int) -> int:
        program = shutil.which(command[0]) or shutil.which(command[0], path="/usr/sbin:/usr/local/sbin")
        if program is None:
            pytest.skip(f"{command[0]} is not installed")
        processes.append(subprocess.Popen([program, *command[1:]], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE))
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 5).close()
            except OSError:
                assert processes[-1].poll() is None, processes[-1].stderr
                assert time.monotonic() < deadline
                time.sleep(0.02)
            else:
                return port

    yield run
    for process in processes:
        process.terminate()
        process.communicate()


@pytest.fixture
def script(files: Path) -> Iterator[Callable[..., Scripted]]:
    servers: list[Scripted] = []

    def script(play: Script, *, client_ca: Path | None = None) -> Scripted:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files / "chain.pem", files / "key.pem")
        context.set_alpn_protocols(["h2"])
        if client_ca is not None:
            context.load_verify_locations(client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        servers.append(Scripted(context, play))
        return servers[-1]

    yield script
    for server in servers:
        server.stop()
