"""Sockets and signals of `tidings up`."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import socket

import pytest

from tidings.cli.failure import CommandFailed
from tidings.cli.output import Output
from tidings.cli.serving import Stop, bound_socket, is_public, reached_at


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_lets_nobody_else_in(host: str) -> None:
    assert not is_public(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "push.example.com", ""])
def test_everything_else_is_public(host: str) -> None:
    assert is_public(host)


def test_a_taken_port_is_one_clear_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CommandFailed, match=f"Port {port} on 127.0.0.1 is taken") as failure:
            bound_socket("127.0.0.1", port)
    assert "--port" in failure.value.mend
    assert "TIDINGS_PORT" in failure.value.mend, "`make run` takes no options"


def test_a_host_that_is_not_ours_is_refused_plainly() -> None:
    with pytest.raises(CommandFailed, match="cannot be listened on"):
        bound_socket("192.0.2.1", 0)


def test_a_free_port_is_reached_under_its_number() -> None:
    with bound_socket("127.0.0.1", 0) as listener:
        assert reached_at(listener) == f"http://localhost:{listener.getsockname()[1]}"


async def test_the_second_signal_does_not_wait_but_the_same_one_passed_on_is_no_second() -> None:
    moments = iter([10.0, 10.1, 12.0])
    stop = Stop(Output(as_json=False, stdout=io.StringIO(), stderr=io.StringIO()), now=lambda: next(moments))
    went_on = asyncio.Event()

    async def work() -> None:
        with stop.listening():
            os.kill(os.getpid(), signal.SIGTERM)
            await stop.wait()
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0)
            went_on.set()
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(asyncio.create_task(work()), 30)
    assert went_on.is_set()
