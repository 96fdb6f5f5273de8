from __future__ import annotations

import ctypes
from concurrent.futures import ThreadPoolExecutor

import pytest

from tidings.lib import agreement
from tidings.lib.agreement import Agree, agreed_by_objects
from tidings.lib.crypto import Malformed, generate_key, point_from, public_key_from_point, shared_secret


@pytest.fixture(params=["the fastest way here", "key objects"])
def agree(request: pytest.FixtureRequest) -> Agree:
    return agreement.agreement() if request.param == "the fastest way here" else agreed_by_objects


def test_both_sides_get_the_same_secret(agree: Agree) -> None:
    key = generate_key()
    own, secret = agree(point_from(key))
    assert shared_secret(key, public_key_from_point(own)) == secret
    assert len(secret) == 32


def test_no_two_messages_share_a_key_pair(agree: Agree) -> None:
    peer = point_from(generate_key())
    assert len({agree(peer) for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "peer",
    [
        b"",
        b"\0",
        bytes(65),
        b"\4" + bytes(64),
        b"\4" + b"\xff" * 64,
        b"\2" + bytes(32),
        point_from(generate_key())[:-1],
        point_from(generate_key()) + b"\0",
        b"\6" + point_from(generate_key())[1:],
    ],
    ids=["nothing", "infinity", "zeros", "not on the curve", "beyond the field", "short", "cut", "long", "hybrid"],
)
def test_what_is_no_point_of_the_curve_is_refused(agree: Agree, peer: bytes) -> None:
    with pytest.raises(Malformed):
        agree(peer)
    assert len(agree(point_from(generate_key()))[0]) == 65


def test_threads_do_not_mix_their_keys(agree: Agree) -> None:
    keys = [generate_key() for _ in range(8)]

    def many(number: int) -> bool:
        key = keys[number]
        pairs = (agree(point_from(key)) for _ in range(200))
        return all(shared_secret(key, public_key_from_point(own)) == secret for own, secret in pairs)

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(many, range(8)))


def test_without_the_library_key_objects_do_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreement, "LIBRARIES", ("libnot-there.so.3",))
    assert agreement.agreement.__wrapped__() is agreed_by_objects


def test_a_library_that_agrees_on_something_else_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong:
        def __init__(self, library: ctypes.CDLL) -> None:
            pass

        def agreed(self, peer: bytes) -> tuple[bytes, bytes]:
            return point_from(generate_key()), bytes(32)

    monkeypatch.setattr(agreement, "_Points", Wrong)
    assert agreement.agreement.__wrapped__() is agreed_by_objects
