from __future__ import annotations

import gc
import os
import socket
import sys
from collections.abc import Iterator

import pytest

from tidings.lib.cork import Corks

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="TCP_CORK is Linux's")


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of one connection; the second gives up reading at once."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
        ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        theirs.setblocking(False)
        with ours, theirs:
            yield ours, theirs


def corked(connection: socket.socket) -> int:
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_CORK)


def test_what_is_written_inside_waits_for_the_end(ends: tuple[socket.socket, socket.socket]) -> None:
    # That nothing arrives meanwhile cannot be asked: the kernel holds it back for 200 ms only.
    ours, theirs = ends
    corks = Corks()
    corks.add(ours.fileno())
    assert not corked(ours)
    with corks:
        assert corked(ours)
        for _ in range(10):
            ours.send(b"one request")
    assert not corked(ours)
    theirs.settimeout(60)
    with theirs.makefile("rb") as arrived:
        assert arrived.read(110) == b"one request" * 10
    corks.clear()


@pytest.mark.parametrize("cleared", [True, False])
def test_a_connection_is_never_closed_by_its_cork(ends: tuple[socket.socket, socket.socket], cleared: bool) -> None:
    ours, theirs = ends
    corks = Corks()
    corks.add(ours.fileno())
    corks.add(ours.fileno())
    if cleared:
        corks.clear()
    del corks
    gc.collect()
    theirs.settimeout(60)
    ours.send(b"still there")
    assert theirs.recv(100) == b"still there"


def test_a_descriptor_that_is_gone_or_is_something_else_by_now_is_forgotten() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        gone = socket.create_connection(listener.getsockname())
        corks = Corks()
        number = gone.fileno()
        corks.add(number)
        gone.close()
        with corks:
            pass
        again = socket.create_connection(listener.getsockname())
        corks.add(again.fileno())
        reader, writer = os.pipe()
        os.dup2(writer, again.fileno())  # the number now belongs to a pipe
        with corks:
            pass
        os.close(reader)
        os.close(writer)
        again.close()
