from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.lanes import why_no_lanes
from tidings.lib import agreement
from tidings.lib.agreement import Agree, Agreed, Way
from tidings.lib.agreement import agreement as fastest
from tidings.lib.agreement.lanes import load_lanes
from tidings.lib.agreement.objects import agreed_by_objects
from tidings.lib.agreement.points import load_points
from tidings.lib.crypto import generate_key, point_from, public_key_from_point, shared_secret


@pytest.fixture(params=["the fastest way here", *Way])
def agree(request: pytest.FixtureRequest) -> Agree:
    if request.param == Way.LANES and (why := why_no_lanes()):
        pytest.skip(why)
    if request.param not in list(Way):
        return fastest().agree
    return {Way.LANES: load_lanes, Way.POINTS: load_points, Way.OBJECTS: lambda: agreed_by_objects}[request.param]()


def of(pair: Agreed | None) -> Agreed:
    assert pair is not None
    return pair


@pytest.mark.parametrize("many", [0, 1, 2, 7, 8, 9, 63, 64, 65, 200])
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


def test_the_compiled_part_is_used_where_it_can_be() -> None:
    if why := why_no_lanes():
        pytest.skip(why)
    assert fastest().way is Way.LANES


def _nobody() -> Agree:
    raise OSError("not there")


def _wrong() -> Agree:
    def agree(peers: Sequence[bytes]) -> list[Agreed | None]:
        return [(point_from(generate_key()), bytes(32)) for _ in peers]

    return agree


@pytest.mark.parametrize("broken", [_nobody, _wrong], ids=["is not there", "agrees on something else"])
@pytest.mark.parametrize(
    ("ways", "then"),
    [([Way.LANES], Way.POINTS), ([Way.LANES, Way.POINTS], Way.OBJECTS)],
    ids=["lanes", "lanes and points"],
)
def test_a_way_that_does_not_work_leaves_it_to_the_next(
    monkeypatch: pytest.MonkeyPatch, broken: object, ways: list[Way], then: Way
) -> None:
    for way in ways:
        monkeypatch.setitem(agreement._LOADERS, way, broken)
    assert fastest.__wrapped__().way is then


def test_a_library_without_what_is_needed_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidings.lib.agreement.points.LIBRARIES", ("libnot-there.so.3",))
    with pytest.raises(OSError, match="libcrypto is not there"):
        load_points()
