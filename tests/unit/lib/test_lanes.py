"""The compiled arithmetic against OpenSSL's: known keys, ends of ranges, random ones; and undefined behaviour."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from support.lanes import compile_lanes, compile_program, compiler, why_no_lanes
from tidings.lib.agreement.agreed import Agreed
from tidings.lib.agreement.lanes import LIBRARY, Lanes, load_lanes
from tidings.lib.crypto import (
    bytes_from_base64,
    generate_key,
    point_from,
    private_key_from_scalar,
    public_key_from_point,
    shared_secret,
)

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B

needs_lanes = pytest.mark.skipif(why_no_lanes() is not None, reason=str(why_no_lanes()))
pytestmark = needs_lanes


@pytest.fixture(scope="module")
def lanes() -> Lanes:
    agree = load_lanes()
    assert isinstance(agree.__self__, Lanes)  # type: ignore[attr-defined]
    return agree.__self__  # type: ignore[attr-defined,no-any-return]


def with_openssl(peers: Sequence[bytes], keys: Sequence[int]) -> list[Agreed | None]:
    pairs: list[Agreed | None] = []
    for peer, scalar in zip(peers, keys, strict=True):
        key = private_key_from_scalar(scalar.to_bytes(32))
        pairs.append((point_from(key), shared_secret(key, public_key_from_point(peer))))
    return pairs


def with_lanes(lanes: Lanes, peers: Sequence[bytes], keys: Sequence[int]) -> list[Agreed | None]:
    return lanes.agreed(peers, [scalar.to_bytes(32) for scalar in keys])


def point_at(x: int, *, odd: bool = False) -> bytes | None:
    """Give the point of the curve with this x, if there is one."""
    squared = (x**3 - 3 * x + B) % P
    y = pow(squared, (P + 1) // 4, P)
    if y * y % P != squared:
        return None
    return b"\4" + x.to_bytes(32) + (y if y % 2 == odd else P - y).to_bytes(32)


def times(scalar: int) -> bytes:
    return point_from(private_key_from_scalar(scalar.to_bytes(32)))


ENDS = sorted(
    {k for near in (0, N) for k in range(near - 70, near + 70)}
    | {2**bit + more for bit in range(1, 256) for more in (-1, 0, 1)}
    | {N - 2**bit for bit in range(1, 256)}
    | {int(digit * 64, 16) % N for digit in "123456789abcdef"}
    | {N // divisor for divisor in range(2, 34)}
)
KEYS = [k for k in ENDS if 0 < k < N and k not in (2, N - 2)]


def test_the_example_of_rfc_8291(lanes: Lanes) -> None:
    peer = bytes_from_base64("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4")
    key = bytes_from_base64("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
    own = bytes_from_base64("BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8")
    secret = bytes_from_base64("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs")
    assert lanes.agreed([peer], [key]) == [(own, secret)]


def test_keys_at_the_ends_of_every_range(lanes: Lanes) -> None:
    peers = [point_from(generate_key()) for _ in KEYS]
    assert with_lanes(lanes, peers, KEYS) == with_openssl(peers, KEYS)


def test_points_at_the_ends_of_every_range(lanes: Lanes) -> None:
    near = [
        x for middle in (0, 2**52, 2**104, 2**156, 2**208, 2**224, 2**255, P) for x in range(middle - 40, middle + 40)
    ]
    found = [point_at(x % P, odd=odd) for x in near for odd in (False, True)]
    peers = (
        [peer for peer in found if peer is not None] + [times(k) for k in KEYS[:40]] + [times(k) for k in KEYS[-40:]]
    )
    keys = [1 + secrets.randbelow(N - 1) for _ in peers]
    assert len(peers) > 500
    assert with_lanes(lanes, peers, keys) == with_openssl(peers, keys)


def test_small_multiples_with_small_multiples(lanes: Lanes) -> None:
    pairs = [
        (mine, theirs) for mine in (1, 3, 4, 15, 16, 17, N - 1, N - 16) for theirs in (1, 2, 3, 15, 16, N - 1, N - 3)
    ]
    peers = [times(theirs) for _, theirs in pairs]
    keys = [mine for mine, _ in pairs]
    assert with_lanes(lanes, peers, keys) == with_openssl(peers, keys)


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_any_keys_with_any_points(lanes: Lanes, data: st.DataObject) -> None:
    scalar = st.one_of(
        st.integers(1, N - 1),
        st.builds(lambda bits: 1 + sum(1 << bit for bit in bits) % (N - 1), st.sets(st.integers(0, 255), max_size=4)),
    ).filter(lambda k: k not in (2, N - 2))
    pairs = data.draw(st.lists(st.tuples(scalar, scalar), min_size=1, max_size=20))
    peers = [times(theirs) for _, theirs in pairs]
    keys = [mine for mine, _ in pairs]
    assert with_lanes(lanes, peers, keys) == with_openssl(peers, keys)


def test_many_random_ones(lanes: Lanes) -> None:
    keys = [ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value for _ in range(3_000)]
    peers = [point_from(generate_key()) for _ in keys]
    assert with_lanes(lanes, peers, keys) == with_openssl(peers, keys)


@pytest.mark.parametrize("bit", range(0, 520, 13))
def test_one_wrong_bit_is_off_the_curve(lanes: Lanes, bit: int) -> None:
    peer = bytearray(point_from(generate_key()))
    peer[bit // 8] ^= 1 << bit % 8
    assert lanes.agreed([bytes(peer)]) == [None]


def test_a_coordinate_is_not_taken_plus_p(lanes: Lanes) -> None:
    peer = next(peer for x in range(1_000) if (peer := point_at(x)) is not None)
    more = b"\4" + (int.from_bytes(peer[1:33]) + P).to_bytes(32) + peer[33:]
    assert lanes.agreed([peer, more])[1] is None
    assert lanes.agreed([peer])[0] is not None


@pytest.mark.parametrize("scalar", [0, N, N + 1, 2**256 - 1])
def test_what_is_no_key_is_refused(lanes: Lanes, scalar: int) -> None:
    with pytest.raises(OSError, match="status 2"):
        with_lanes(lanes, [point_from(generate_key())], [scalar])


@pytest.mark.parametrize("scalar", [2, N - 2])
def test_the_one_key_it_cannot_do_is_noticed(lanes: Lanes, scalar: int) -> None:
    peers = [point_from(generate_key()) for _ in range(20)]
    with pytest.raises(OSError, match="status 3"):
        with_lanes(lanes, peers, [*KEYS[:19], scalar])


def test_known_keys_have_to_be_as_many_as_the_points_and_whole(lanes: Lanes) -> None:
    peers = [point_from(generate_key()) for _ in range(2)]
    for keys in ([], [bytes(32)], [bytes(31)] * 2, [bytes(33), bytes(31)]):
        with pytest.raises(ValueError, match="32 bytes"):
            lanes.agreed(peers, keys)


def test_a_call_leaves_none_of_its_keys_and_secrets_on_the_stack(tmp_path: Path) -> None:
    program = compile_program("left_behind.c", tmp_path / "left-behind", "-O3")
    assert subprocess.run([program], check=True, capture_output=True, text=True).stdout == "0"


@pytest.fixture
def impatient() -> Iterator[None]:
    """Let threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("impatient")
def test_threads_that_load_it_at_the_same_time_all_get_it_ready(tmp_path: Path) -> None:
    key = generate_key()
    peers = [point_from(key)] * 8

    def is_right(library: Path, together: Barrier) -> bool:
        together.wait(30)
        pairs = load_lanes(library)(peers)
        return all(pair and shared_secret(key, public_key_from_point(pair[0])) == pair[1] for pair in pairs)

    with ThreadPoolExecutor(4) as threads:
        for number in range(50):
            library, together = tmp_path / f"{number}.so", Barrier(4)
            library.write_bytes(LIBRARY.read_bytes())
            assert all(threads.map(is_right, [library] * 4, [together] * 4))


def test_a_processor_that_cannot_is_told(tmp_path: Path) -> None:
    library = compile_lanes(tmp_path / "lanes.so", "-O3", "-Dcannot", "-D__builtin_cpu_supports(what)=0")
    with pytest.raises(OSError, match="AVX-512 IFMA"):
        load_lanes(library)


@pytest.mark.parametrize(
    "flags",
    [
        ("-O3", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"),
        ("-O1", "-fsanitize=undefined", "-fno-sanitize-recover=all"),
        ("-O0", "-ftrapv", "-fstack-protector-all"),
    ],
    ids=["without a warning", "without undefined behaviour", "without the optimiser"],
)
def test_it_compiles(tmp_path: Path, flags: tuple[str, ...]) -> None:
    assert compiler() is not None
    agree = load_lanes(compile_lanes(tmp_path / "lanes.so", *flags))
    keys = [generate_key() for _ in range(70)]
    pairs = agree([point_from(key) for key in keys] + [bytes(65)])
    assert pairs.pop() is None
    for key, pair in zip(keys, pairs, strict=True):
        assert pair is not None
        assert shared_secret(key, public_key_from_point(pair[0])) == pair[1]
