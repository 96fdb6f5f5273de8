from __future__ import annotations

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


def test_what_is_written_inside_goes_out_in_one_piece_at_the_end(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    corks = Corks()
    corks.add(ours.fileno())
    with corks:
        for _ in range(10):
            ours.send(b"one request")
        with pytest.raises(BlockingIOError):
            theirs.recv(1)
    theirs.settimeout(60)
    assert theirs.recv(1000) == b"one request" * 10
    corks.clear()


def test_a_connection_is_never_closed_by_its_cork(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    corks = Corks()
    corks.add(ours.fileno())
    corks.add(ours.fileno())
    corks.clear()
    del corks
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
