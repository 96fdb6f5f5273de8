from __future__ import annotations

import ctypes
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from tidings.lib import agreement
from tidings.lib.agreement import Agree, Agreed, agreed_by_objects
from tidings.lib.crypto import generate_key, point_from, public_key_from_point, shared_secret


@pytest.fixture(params=["the fastest way here", "key objects"])
def agree(request: pytest.FixtureRequest) -> Agree:
    return agreement.agreement() if request.param == "the fastest way here" else agreed_by_objects


def of(pair: Agreed | None) -> Agreed:
    assert pair is not None
    return pair


@pytest.mark.parametrize("many", [0, 1, 2, 63, 64, 65, 200])
def test_both_sides_get_the_same_secret(agree: Agree, many: int) -> None:
    keys = [generate_key() for _ in range(many)]
    pairs = [of(pair) for pair in agree([point_from(key) for key in keys])]
    assert len(pairs) == many
    for key, (own, secret) in zip(keys, pairs, strict=True):
        assert shared_secret(key, public_key_from_point(own)) == secret
        assert (len(own), len(secret)) == (65, 32)


def test_no_two_messages_share_a_key_pair(agree: Agree) -> None:
    peer = point_from(generate_key())
    assert len({pair for _ in range(3) for pair in agree([peer] * 100)}) == 300


def test_coordinates_that_begin_with_zeros_keep_them(agree: Agree) -> None:
    key = generate_key()
    pairs = [of(pair) for pair in agree([point_from(key)] * 2_000)]
    assert any(0 in (own[1], own[33]) for own, _ in pairs)
    assert any(secret[0] == 0 for _, secret in pairs)
    assert all(shared_secret(key, public_key_from_point(own)) == secret for own, secret in pairs)


BAD = [
    b"",
    b"\0",
    bytes(65),
    b"\4" + bytes(64),
    b"\4" + b"\xff" * 64,
    b"\2" + bytes(32),
    point_from(generate_key())[:-1],
    point_from(generate_key()) + b"\0",
    b"\6" + point_from(generate_key())[1:],
]
NAMES = ["nothing", "infinity", "zeros", "not on the curve", "beyond the field", "short", "cut", "long", "hybrid"]


@pytest.mark.parametrize("peer", BAD, ids=NAMES)
def test_what_is_no_point_of_the_curve_is_left_out(agree: Agree, peer: bytes) -> None:
    assert agree([peer]) == [None]
    assert len(of(agree([point_from(generate_key())])[0])[0]) == 65


def test_who_has_no_point_does_not_shift_the_others(agree: Agree) -> None:
    keys = [generate_key() if number % 3 else None for number in range(150)]
    pairs = agree([BAD[number % len(BAD)] if key is None else point_from(key) for number, key in enumerate(keys)])
    for key, pair in zip(keys, pairs, strict=True):
        if key is None:
            assert pair is None
        else:
            own, secret = of(pair)
            assert shared_secret(key, public_key_from_point(own)) == secret


def test_threads_do_not_mix_their_keys(agree: Agree) -> None:
    keys = [generate_key() for _ in range(8)]

    def many(number: int) -> bool:
        key = keys[number]
        pairs = (of(pair) for _ in range(20) for pair in agree([point_from(key)] * 10))
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

        def agreed(self, peers: Sequence[bytes]) -> list[Agreed | None]:
            return [(point_from(generate_key()), bytes(32)) for _ in peers]

    monkeypatch.setattr(agreement, "_Points", Wrong)
    assert agreement.agreement.__wrapped__() is agreed_by_objects
