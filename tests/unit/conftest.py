"""Unit tests open no sockets."""

from __future__ import annotations

import socket
from typing import Any, NoReturn

import pytest


@pytest.fixture(autouse=True)
def _sockets_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections to anywhere; pipes between processes stay open."""

    def refuse(_self: socket.socket, address: Any, *_rest: Any) -> NoReturn:
        raise AssertionError(f"A unit test called {address!r}; move it to tests/integration.")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
